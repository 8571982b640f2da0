//! What is told of the roster: who stands in.

use domain_calendar::Timestamp;
use domain_roster::{
    AbsenceEnded, AbsenceStarted, ActingPart, ActsTold, Book, GapFacts, PostKind, RosterEvent, Subject, who,
};

use crate::audience::{Audience, recipients};
use crate::notice::{Notice, NoticeKind};
use crate::wording::{moment, official, unit};

/// A gap names so many things that nobody answers for, and says how many there are.
const MOST_NAMED: usize = 20;
/// The post that hears of gaps beside whoever presides.
const SECRETARY_GENERAL: &str = "秘书长";

/// The notices of one event. `book` holds that event.
pub fn of_roster(event: &RosterEvent, book: &Book) -> Vec<Notice> {
    match event {
        RosterEvent::AbsenceStarted(fact) => {
            let parts = fact.parts();
            if !parts.is_empty() {
                let away = Away { absence: &fact.absence, official: &fact.official, book, time: (fact.start_time, fact.end_time) };
                return away.begun(&parts, &parts);
            }
            // Its gap was told when it opened.
            if gap_told(book, fact) || !has_portfolio(book, &fact.official) {
                return Vec::new();
            }
            let period = period(fact.start_time, Some(fact.end_time));
            let body = format!("{}{period}不在岗，无人可以代行其职责，须由市长指定。", official(book, &fact.official));
            let audiences = vec![Audience::Presider, in_person(&fact.official)];
            vec![told(&fact.absence, "无人代行", body, audiences)]
        }
        RosterEvent::AbsenceActingChanged(fact) => {
            let away = Away { absence: &fact.absence, official: &fact.official, book, time: (fact.start_time, fact.end_time) };
            let mut notices = away.ended(&fact.ended, &fact.authorities);
            notices.extend(away.begun(&fact.begun, &fact.authorities));
            notices
        }
        RosterEvent::AbsenceEnded(fact) => {
            let back = official(book, &fact.official);
            let since = moment(fact.end_time);
            let done = fact.acts.as_ref().map(|acts| listed(acts, book));
            let mut notices = Vec::new();
            let acted = acted(fact, book);
            for acting in &acted {
                let to_acting = format!("{back}自{since}起返岗，您的代行到此为止。");
                notices.push(told(&fact.absence, "代行结束", to_acting, vec![in_person(acting)]));
            }
            let acted: Vec<&str> = acted.iter().map(|acting| official(book, acting)).collect();
            let to_back = match (acted.as_slice(), done) {
                ([], Some(done)) => format!("您自{since}起返岗。\n{done}"),
                ([], None) => return notices,
                (names, done) => {
                    let done = done.map(|done| format!("\n{done}")).unwrap_or_default();
                    format!("您自{since}起返岗，{}的代行到此为止。{done}", names.join("、"))
                }
            };
            notices.push(told(&fact.absence, "代行结束", to_back, vec![in_person(&fact.official)]));
            notices
        }
        RosterEvent::AbsenceActsArrived(fact) => {
            let body = listed(&fact.acts, book);
            vec![told(&fact.absence, "代行事项补报", body, vec![in_person(&fact.official)])]
        }
        RosterEvent::AbsenceExtended(fact) => {
            let away = official(book, &fact.official);
            let (before, now) = (moment(fact.previous_end_time), moment(fact.end_time));
            let body = format!("{away}原定{before}返岗，现延至{now}。");
            let mut audiences = vec![in_person(&fact.official)];
            // Whoever acts now goes on; before its start nobody does yet.
            let acting = acting_at(book, &fact.official, fact.previous_end_time);
            audiences.extend(acting.map(|acting| in_person(&acting)));
            vec![told(&fact.absence, "延长不在岗", body, audiences)]
        }
        RosterEvent::AbsenceCorrected(fact) => {
            let away = official(book, &fact.official);
            let period = period(fact.start_time, Some(fact.end_time));
            let body = format!("{away}的不在岗登记已更正为{period}。原因：{}", fact.reason);
            let mut audiences = vec![in_person(&fact.official)];
            // Whoever acts in the time as it really is: nobody, where it is empty of him.
            let acting = acting_at(book, &fact.official, fact.start_time);
            audiences.extend(acting.map(|acting| in_person(&acting)));
            vec![told(&fact.absence, "更正不在岗", body, audiences)]
        }
        RosterEvent::GapOpened(gap) => vec![of_gap(gap, book, "出现空缺", "，请尽快作出安排。")],
        RosterEvent::GapChanged(changed) => {
            let gap = &changed.gap;
            let before = (changed.previous_start_time, changed.previous_end_time);
            if before == (gap.start_time, gap.end_time) {
                return vec![of_gap(gap, book, "空缺范围变动", "，请尽快作出安排。")];
            }
            let before = period(before.0, before.1);
            vec![of_gap(gap, book, "空缺时间变动", &format!("（原为{before}），请尽快作出安排。"))]
        }
        RosterEvent::GapClosed(gap) => vec![of_gap(gap, book, "空缺消除", "，现已消除。")],
        // Supervision lists for each leader what changes hands, with the work under way.
        RosterEvent::DivisionTookEffect(_)
        // Nothing has changed hands yet, or ever.
        | RosterEvent::DutyRosterCreated(_)
        | RosterEvent::DutyRosterChanged(_)
        | RosterEvent::DutyShiftSwapped(_)
        | RosterEvent::CalendarPublished(_)
        | RosterEvent::UnitCreated(_)
        | RosterEvent::UnitChanged(_)
        | RosterEvent::CollectiveCreated(_)
        | RosterEvent::CollectiveChanged(_)
        | RosterEvent::OfficialChanged(_)
        | RosterEvent::StandInListCreated(_)
        | RosterEvent::OfficialCreated(_)
        | RosterEvent::AccountCreated(_)
        | RosterEvent::DivisionCreated(_)
        | RosterEvent::AbsenceCreated(_)
        | RosterEvent::AbsenceAcknowledged(_)
        | RosterEvent::MandateCreated(_)
        | RosterEvent::MandateRevoked(_)
        | RosterEvent::AbsenceCancelled(_) => Vec::new(),
    }
}

/// Somebody who is away, of whose duties it is told who acts.
struct Away<'a> {
    absence: &'a str,
    official: &'a str,
    book: &'a Book,
    time: (Timestamp, Timestamp),
}

impl Away<'_> {
    /// What is told when some begin to act, of all who act then: each what is in his own hands,
    /// and whoever is away in whose hands it is.
    fn begun(&self, begun: &[ActingPart], all: &[ActingPart]) -> Vec<Notice> {
        let period = period(self.time.0, Some(self.time.1));
        let away = official(self.book, self.official);
        let alone = all.len() == 1;
        let mut notices = Vec::new();
        for acting in each_once(begun) {
            let own = begun.iter().filter(|part| part.acting == acting);
            let own: Vec<String> =
                own.map(|part| format!("{}由您代行{}", self.when(part), self.what(part, alone))).collect();
            let body = format!("{away}{period}不在岗，{}。", own.join("；"));
            notices.push(told(self.absence, "代行开始", body, vec![in_person(acting)]));
        }
        if !begun.is_empty() {
            let all = begun.iter().map(|part| {
                let acting = official(self.book, &part.acting);
                format!("{}由{acting}代行{}", self.when(part), self.what(part, alone))
            });
            let body = format!("您{period}不在岗，{}。", all.collect::<Vec<_>>().join("；"));
            notices.push(told(self.absence, "代行开始", body, vec![in_person(self.official)]));
        }
        notices
    }

    /// What is told to those who act no more while the official is still away. Whoever is away is
    /// told who acts instead, or of the gap.
    fn ended(&self, ended: &[ActingPart], all: &[ActingPart]) -> Vec<Notice> {
        let away = official(self.book, self.official);
        let told_to_end = |acting: &str| {
            let own = ended.iter().filter(|part| part.acting == acting);
            let own: Vec<String> =
                own.map(|part| self.what(part, all.is_empty() && ended.len() == 1)).collect();
            let body = format!("{away}仍不在岗，您对{}的代行到此为止。", own.join("、"));
            told(self.absence, "代行结束", body, vec![in_person(acting)])
        };
        each_once(ended).map(told_to_end).collect()
    }

    /// From when to when a part is in somebody's hands.
    fn when(&self, part: &ActingPart) -> String {
        let own = (part.start_time, part.end_time);
        if own == self.time { "其间".to_owned() } else { period(own.0, Some(own.1)) }
    }

    /// What is in somebody's hands.
    fn what(&self, part: &ActingPart, alone: bool) -> String {
        if part.scope.is_empty() {
            return if alone { "职责".to_owned() } else { "其余职责".to_owned() };
        }
        let units = part.scope.units.iter().map(|name| unit(self.book, name).to_owned());
        let fields = part.scope.fields.iter().map(|field| format!("{field}工作"));
        format!("涉及{}的职责", units.chain(fields).collect::<Vec<_>>().join("、"))
    }
}

/// Those who act in some parts, each once.
fn each_once(parts: &[ActingPart]) -> impl Iterator<Item = &str> {
    let first = |(place, part): (usize, &ActingPart)| {
        parts.iter().take(place).all(|before| before.acting != part.acting)
    };
    let found: Vec<&str> =
        parts.iter().enumerate().filter(|one| first(*one)).map(|(_, part)| part.acting.as_str()).collect();
    found.into_iter()
}

/// Who acted until the end of an absence: those who were last told to, and whom the event names.
fn acted(fact: &AbsenceEnded, book: &Book) -> Vec<String> {
    let mut found: Vec<String> = each_once(book.told_acting(&fact.absence)).map(str::to_owned).collect();
    found.extend(fact.acting.clone().filter(|acting| !found.contains(acting)));
    found
}

/// What is told of a gap in coverage: to whoever presides and the secretary-general of the
/// city's own duties, to the unit's people of a post inside a unit, and to whoever is away.
fn of_gap(gap: &GapFacts, book: &Book, title: &str, outcome: &str) -> Notice {
    let posts = gap.posts.iter().map(|post| format!("{}的负责岗位", unit(book, post)));
    let units = gap.units.iter().map(|name| unit(book, name).to_owned());
    let fields = gap.fields.iter().map(|field| format!("{field}工作"));
    let what: Vec<String> = posts.chain(units).chain(fields).collect();
    let count = what.len();
    let named = what.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join("、");
    let named = if count > MOST_NAMED { format!("{named}等{count}项") } else { named };
    let away = book.official(&gap.subject).map(|known| known.display_name.as_str());
    let why = match (away, gap.passed_over.as_slice()) {
        (None, _) => "没有确定负责人".to_owned(),
        (Some(away), []) => format!("{away}不在岗，没有代行人"),
        (Some(away), passed_over) => {
            let names: Vec<&str> = passed_over.iter().map(|one| official(book, one)).collect();
            format!("{away}不在岗，{}不在岗或不能代行", names.join("、"))
        }
    };
    let what = match book.duty_roster(&gap.subject) {
        Some(roster) => format!("{}无人值班", roster.display_name),
        None => format!("{why}：{named}无人负责"),
    };
    let body = format!("{}{what}{outcome}", period(gap.start_time, gap.end_time));
    let mut audiences = Vec::new();
    if !gap.units.is_empty() || !gap.fields.is_empty() {
        audiences.extend([Audience::Presider, Audience::Post(SECRETARY_GENERAL.to_owned())]);
    }
    for post in &gap.posts {
        audiences.extend(of_post(post, book, gap.start_time));
    }
    audiences.extend(away.map(|_| in_person(&gap.subject)));
    told(&GapFacts::aggregate(&gap.subject), title, body, audiences)
}

/// Who hears of a gap in a post of a unit: its head, liaison officer and deputies, and the leader
/// in charge of it when none of them is there in the gap.
fn of_post(unit: &str, book: &Book, start: Timestamp) -> Vec<Audience> {
    let mut audiences = vec![Audience::UnitHead(unit.to_owned()), Audience::UnitLiaison(unit.to_owned())];
    let view = book.view(start, Timestamp::MAX);
    let deputies = view.holders(PostKind::UnitDeputy, Some(unit)).into_iter();
    audiences.extend(deputies.map(|deputy| in_person(&deputy.name)));
    let mut own = audiences.iter().flat_map(|audience| recipients(audience, book, start));
    if own.all(|one| view.away(&one.official).is_some()) {
        audiences.push(Audience::LeaderInCharge(unit.to_owned()));
    }
    audiences
}

/// A time as officials write it, with or without an end.
fn period(start: Timestamp, end: Option<Timestamp>) -> String {
    match end {
        Some(end) => format!("{}至{}", moment(start), moment(end)),
        None => format!("{}起", moment(start)),
    }
}

/// Whether everybody was told already that nobody will act from the start of an absence.
fn gap_told(book: &Book, fact: &AbsenceStarted) -> bool {
    book.told_gaps_of(&fact.official).iter().any(|gap| gap.interval().contains(fact.start_time))
}

/// What was done for whoever is back, the first of it line by line.
fn listed(acts: &ActsTold, book: &Book) -> String {
    let lines = acts.entries.iter().map(|entry| {
        let acting = entry.acting.as_deref().map_or("经办人", |acting| official(book, acting));
        format!("{}，{acting}：{}", moment(entry.occurred_at), entry.description)
    });
    let mut lines: Vec<String> = lines.collect();
    let shown = i64::try_from(lines.len()).unwrap_or(i64::MAX);
    if acts.count > shown {
        lines.push(format!("另有{}项，详见代行事项清单。", acts.count - shown));
    }
    format!("代您办理的事项共{}项，请查看并确认：\n{}", acts.count, lines.join("\n"))
}

fn told(subject: &str, title: &str, body: String, audiences: Vec<Audience>) -> Notice {
    Notice::new(NoticeKind::Handover, subject, title.to_owned(), body, audiences)
}

fn in_person(official: &str) -> Audience {
    Audience::InPerson(official.to_owned())
}

/// Who acts for an official at an instant.
fn acting_at(book: &Book, official: &str, at: Timestamp) -> Option<String> {
    let subject = Subject::Official(official.to_owned());
    let found = who(book, &subject, at, Timestamp::MAX).ok()?;
    found.acting.filter(|acting| *acting != official).map(str::to_owned)
}

/// Whether the official is one the latest division gives work to: only then is it an alarm
/// that nobody stands in.
fn has_portfolio(book: &Book, official: &str) -> bool {
    book.divisions().any(|division| division.portfolio(official).is_some())
}

#[cfg(test)]
mod tests {
    use domain_roster::{
        AbsenceActingChanged, AbsenceActs, AbsenceEnded, AbsenceStarted, ActEntry, ActingPart, ActsTold,
        DutyRoster, DutyTeam, GapChanged, GapFacts, Official, Post, PostKind, RosterEvent, Scope,
    };

    use super::of_roster;
    use crate::address::address;
    use crate::fixture::{Roster, at};

    /// Who is told what, without `officials/`.
    fn told(roster: &Roster, event: &RosterEvent) -> Vec<(String, String)> {
        let notices = of_roster(event, &roster.book);
        address(&notices, &roster.book, at("2023-06-05T10:00+08:00"))
            .letters
            .into_iter()
            .map(|letter| {
                (letter.recipient.official.trim_start_matches("officials/").to_owned(), letter.body)
            })
            .collect()
    }

    fn official(slug: &str, kind: PostKind, unit: &str) -> Official {
        let unit = Some(format!("units/{unit}"));
        let post = Post { kind, unit, title: String::new(), start_time: None, end_time: None };
        Official { name: format!("officials/{slug}"), display_name: kind.chinese().into(), posts: vec![post] }
    }

    fn started(official: &str, acting: Option<&str>) -> RosterEvent {
        RosterEvent::AbsenceStarted(AbsenceStarted {
            absence: format!("absences/{official}"),
            official: format!("officials/{official}"),
            acting: acting.map(|acting| format!("officials/{acting}")),
            start_time: at("2023-06-01T00:00+08:00"),
            end_time: at("2023-07-01T00:00+08:00"),
            authorities: vec![],
        })
    }

    fn part(acting: &str, units: &[&str], start: &str, end: &str) -> ActingPart {
        let units = units.iter().map(|unit| format!("units/{unit}")).collect();
        ActingPart {
            acting: format!("officials/{acting}"),
            scope: Scope { units, fields: vec![] },
            start_time: at(start),
            end_time: at(end),
        }
    }

    #[test]
    fn each_is_told_what_is_in_his_own_hands_and_until_when() {
        let mut roster = Roster::new();
        let (start, leaves, end) =
            ("2023-06-01T00:00+08:00", "2023-06-12T00:00+08:00", "2023-07-01T00:00+08:00");
        let RosterEvent::AbsenceStarted(mut fact) = started("cui-yuanbin", Some("hu-xiaogang")) else {
            panic!("it starts")
        };
        fact.authorities =
            vec![part("hu-xiaogang", &[], start, leaves), part("li-yanping", &["industry"], start, end)];
        let begun = RosterEvent::AbsenceStarted(fact.clone());
        roster.record(&begun);
        let (period, first) = ("2023年6月1日0时至2023年7月1日0时", "2023年6月1日0时至2023年6月12日0时");
        assert_eq!(
            told(&roster, &begun),
            [
                (
                    "cui-yuanbin".to_owned(),
                    format!(
                        "您{period}不在岗，{first}由胡晓刚代行其余职责；\
                         其间由李艳萍代行涉及市工业和信息化局的职责。"
                    )
                ),
                ("hu-xiaogang".to_owned(), format!("崔元斌{period}不在岗，{first}由您代行其余职责。")),
                (
                    "li-yanping".to_owned(),
                    format!("崔元斌{period}不在岗，其间由您代行涉及市工业和信息化局的职责。")
                ),
            ]
        );

        // B leaves, and the fallback acts from then on.
        let (b, fallback) = (part("hu-xiaogang", &[], start, leaves), part("wang-yuan", &[], leaves, end));
        let changed = RosterEvent::AbsenceActingChanged(AbsenceActingChanged {
            absence: fact.absence.clone(),
            official: fact.official.clone(),
            start_time: fact.start_time,
            end_time: fact.end_time,
            authorities: vec![fallback.clone(), fact.authorities[1].clone()],
            begun: vec![fallback],
            ended: vec![b],
        });
        roster.record(&changed);
        let rest = "2023年6月12日0时至2023年7月1日0时";
        assert_eq!(
            told(&roster, &changed),
            [
                ("cui-yuanbin".to_owned(), format!("您{period}不在岗，{rest}由王渊代行其余职责。")),
                ("hu-xiaogang".to_owned(), "崔元斌仍不在岗，您对其余职责的代行到此为止。".to_owned()),
                ("wang-yuan".to_owned(), format!("崔元斌{period}不在岗，{rest}由您代行其余职责。")),
            ]
        );

        let ended = told(&roster, &ended("cui-yuanbin", "wang-yuan"));
        let who: Vec<&str> = ended.iter().map(|(who, _)| who.as_str()).collect();
        assert_eq!(who, ["cui-yuanbin", "li-yanping", "wang-yuan"], "all who act at the end");
        assert!(ended[0].1.contains("王渊、李艳萍的代行到此为止"), "{ended:?}");
    }

    #[test]
    fn nobody_is_alarmed_when_all_is_shared_out() {
        let mut roster = Roster::new();
        let RosterEvent::AbsenceStarted(mut fact) = started("zhang-xiliang", None) else {
            panic!("it starts")
        };
        fact.authorities =
            vec![part("li-yanping", &["police"], "2023-06-01T00:00+08:00", "2023-07-01T00:00+08:00")];
        let begun = RosterEvent::AbsenceStarted(fact);
        roster.record(&begun);
        let who: Vec<String> = told(&roster, &begun).into_iter().map(|(who, _)| who).collect();
        assert_eq!(who, ["li-yanping", "zhang-xiliang"]);
    }

    fn ended(official: &str, acting: &str) -> RosterEvent {
        RosterEvent::AbsenceEnded(AbsenceEnded {
            absence: format!("absences/{official}"),
            official: format!("officials/{official}"),
            acting: Some(format!("officials/{acting}")),
            start_time: at("2023-06-01T00:00+08:00"),
            end_time: at("2023-06-20T09:30+08:00"),
            early: true,
            acts: None,
        })
    }

    #[test]
    fn both_are_told_when_somebody_stands_in_and_when_it_ends() {
        let mut roster = Roster::new();
        roster.away("cui-yuanbin", None);
        let period = "2023年6月1日0时至2023年7月1日0时";
        assert_eq!(
            told(&roster, &started("cui-yuanbin", Some("hu-xiaogang"))),
            [
                ("cui-yuanbin".to_owned(), format!("您{period}不在岗，其间由胡晓刚代行职责。")),
                ("hu-xiaogang".to_owned(), format!("崔元斌{period}不在岗，其间由您代行职责。")),
            ]
        );
        let ended = RosterEvent::AbsenceEnded(AbsenceEnded {
            absence: "absences/cui-yuanbin".into(),
            official: "officials/cui-yuanbin".into(),
            acting: Some("officials/hu-xiaogang".into()),
            start_time: at("2023-06-01T00:00+08:00"),
            end_time: at("2023-06-05T09:30+08:00"),
            early: true,
            acts: None,
        });
        let told = told(&roster, &ended);
        assert_eq!(told[1].1, "崔元斌自2023年6月5日9时30分起返岗，您的代行到此为止。");
    }

    #[test]
    fn whoever_is_back_is_told_once_what_was_done_for_him() {
        let roster = Roster::new();
        let entry = |minute: u8, acting: Option<&str>, what: &str| ActEntry {
            acting: acting.map(|acting| format!("officials/{acting}")),
            occurred_at: at(&format!("2023-06-02T10:{minute:02}+08:00")),
            description: what.into(),
        };
        let entries = vec![entry(0, Some("hu-xiaogang"), "同意延期"), entry(30, None, "核验通过")];
        let acts = ActsTold { count: 3, entries };
        let listed = "代您办理的事项共3项，请查看并确认：\n2023年6月2日10时，胡晓刚：同意延期\n\
                      2023年6月2日10时30分，经办人：核验通过\n另有1项，详见代行事项清单。";
        let ended = |acting: Option<&str>| {
            RosterEvent::AbsenceEnded(AbsenceEnded {
                absence: "absences/cui-yuanbin".into(),
                official: "officials/cui-yuanbin".into(),
                acting: acting.map(|acting| format!("officials/{acting}")),
                start_time: at("2023-06-01T00:00+08:00"),
                end_time: at("2023-06-05T09:30+08:00"),
                early: false,
                acts: Some(acts.clone()),
            })
        };
        let to = |who: &str, told: Vec<(String, String)>| -> Vec<String> {
            told.into_iter().filter(|(one, _)| one == who).map(|(_, body)| body).collect()
        };
        let back = "您自2023年6月5日9时30分起返岗";
        let said = to("cui-yuanbin", told(&roster, &ended(Some("hu-xiaogang"))));
        assert_eq!(said, [format!("{back}，胡晓刚的代行到此为止。\n{listed}")]);
        assert_eq!(told(&roster, &ended(None)), [("cui-yuanbin".to_owned(), format!("{back}。\n{listed}"))]);
        let late = RosterEvent::AbsenceActsArrived(AbsenceActs {
            absence: "absences/cui-yuanbin".into(),
            official: "officials/cui-yuanbin".into(),
            acts,
        });
        assert_eq!(told(&roster, &late), [("cui-yuanbin".to_owned(), listed.to_owned())]);
    }

    #[test]
    fn the_mayor_hears_when_nobody_can_stand_in_for_a_leader_and_of_no_clerk() {
        let roster = Roster::new();
        let alarm = told(&roster, &started("zhang-xiliang", None));
        assert_eq!(
            alarm.iter().map(|(who, _)| who.as_str()).collect::<Vec<_>>(),
            ["wang-yanfeng", "zhang-xiliang"]
        );
        assert_eq!(told(&roster, &started("water-liaison", None)), []);
    }

    fn gap(official: &str, change: impl FnOnce(&mut GapFacts)) -> GapFacts {
        let mut gap = GapFacts {
            subject: format!("officials/{official}"),
            start_time: at("2023-06-01T00:00+08:00"),
            end_time: Some(at("2023-07-01T00:00+08:00")),
            units: vec![],
            fields: vec![],
            posts: vec![],
            passed_over: vec![],
        };
        change(&mut gap);
        gap
    }

    #[test]
    fn the_mayor_and_the_secretary_general_hear_of_a_gap_and_a_units_people_of_their_own() {
        let mut roster = Roster::new();
        roster.record(&RosterEvent::OfficialCreated(official(
            "gao-yaming",
            PostKind::SecretaryGeneral,
            "government",
        )));
        let city = gap("zhang-xiliang", |gap| {
            gap.units = vec!["units/police".into()];
            gap.fields = vec!["司法".into()];
            gap.passed_over = vec!["officials/wang-yuan".into()];
        });
        let told_of = |event: &RosterEvent| {
            let told = told(&roster, event);
            (told.iter().map(|(who, _)| who.clone()).collect::<Vec<_>>(), told[0].1.clone())
        };
        let (who, body) = told_of(&RosterEvent::GapOpened(city.clone()));
        assert_eq!(who, ["gao-yaming", "wang-yanfeng", "zhang-xiliang"]);
        let period = "2023年6月1日0时至2023年7月1日0时";
        let gap_text = "张希亮不在岗，王渊不在岗或不能代行：市公安局、司法工作无人负责";
        assert_eq!(body, format!("{period}{gap_text}，请尽快作出安排。"));
        assert_eq!(told_of(&RosterEvent::GapClosed(city)).1, format!("{period}{gap_text}，现已消除。"));
        let post = gap("water-head", |gap| gap.posts = vec!["units/water".into()]);
        assert_eq!(told_of(&RosterEvent::GapOpened(post)).0, ["water-head", "water-liaison"]);
    }

    #[test]
    fn the_leader_in_charge_hears_of_a_gap_that_nobody_of_the_unit_is_there_to_hear_of() {
        let mut roster = Roster::new();
        roster.record(&RosterEvent::OfficialCreated(official("health-head", PostKind::UnitHead, "health")));
        let of = |unit: &str| {
            let posts = vec![format!("units/{unit}")];
            RosterEvent::GapOpened(gap(&format!("{unit}-head"), |gap| gap.posts = posts))
        };
        let told_of = |roster: &Roster, unit: &str| -> Vec<String> {
            told(roster, &of(unit)).into_iter().map(|(who, _)| who).collect()
        };
        roster.away("industry-head", None);
        assert_eq!(told_of(&roster, "industry"), ["cui-yuanbin", "industry-head"]);
        // A substitute of the liaison officer is there: the unit knows.
        roster.away("health-head", None);
        assert_eq!(told_of(&roster, "health"), ["health-head", "health-substitute"]);
        roster.away("cui-yuanbin", None);
        let told = told_of(&roster, "industry");
        assert_eq!(told, ["cui-yuanbin", "hu-xiaogang", "industry-head"], "and whoever acts for the leader");
    }

    #[test]
    fn a_gap_that_grows_in_the_same_time_is_told_without_another_time() {
        let roster = Roster::new();
        let grown =
            gap("zhang-xiliang", |gap| gap.units = vec!["units/police".into(), "units/health".into()]);
        let changed = GapChanged {
            previous_start_time: grown.start_time,
            previous_end_time: grown.end_time,
            gap: grown,
        };
        let told = told(&roster, &RosterEvent::GapChanged(changed));
        assert!(told[0].1.ends_with("市公安局、市卫生健康委员会无人负责，请尽快作出安排。"), "{told:?}");
    }

    #[test]
    fn the_people_of_a_unit_hear_of_a_watch_that_nobody_keeps() {
        let mut roster = Roster::new();
        roster.record(&RosterEvent::OfficialCreated(official("deputy", PostKind::UnitDeputy, "water")));
        let team = DutyTeam { leader: Some("officials/water-head".into()), members: vec![] };
        roster.record(&RosterEvent::DutyRosterCreated(DutyRoster {
            name: "dutyRosters/flood".into(),
            display_name: "防汛值班表".into(),
            unit: "units/water".into(),
            start_time: at("2023-06-01T08:00+08:00"),
            end_time: at("2023-10-01T08:00+08:00"),
            handovers: vec![480],
            teams: vec![team],
            first_team: 0,
        }));
        let unmanned = gap("water-head", |gap| {
            gap.subject = "dutyRosters/flood".into();
            gap.posts = vec!["units/water".into()];
        });
        let told = told(&roster, &RosterEvent::GapOpened(unmanned));
        let who: Vec<&str> = told.iter().map(|(who, _)| who.as_str()).collect();
        assert_eq!(who, ["deputy", "water-head", "water-liaison"]);
        assert_eq!(told[0].1, "2023年6月1日0时至2023年7月1日0时防汛值班表无人值班，请尽快作出安排。");
    }

    #[test]
    fn a_gap_that_was_told_is_not_told_again_when_its_absence_begins() {
        let mut roster = Roster::new();
        let away = started("zhang-xiliang", None);
        assert_eq!(told(&roster, &away).len(), 2, "nothing was told");
        let gap = gap("zhang-xiliang", |gap| gap.units = vec!["units/police".into()]);
        roster.record(&RosterEvent::GapOpened(gap.clone()));
        assert_eq!(told(&roster, &away), [], "it was told when it opened");
        roster.record(&RosterEvent::GapClosed(gap));
        assert_eq!(told(&roster, &away).len(), 2, "it was called off");
    }
}
