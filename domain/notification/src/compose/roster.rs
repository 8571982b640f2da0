//! What is told of the roster: who stands in.

use domain_calendar::Timestamp;
use domain_roster::{AbsenceStarted, ActsTold, Book, GapFacts, PostKind, RosterEvent, Subject, who};

use crate::audience::Audience;
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
            let away = official(book, &fact.official);
            let period = format!("{}至{}", moment(fact.start_time), moment(fact.end_time));
            match fact.acting.as_deref() {
                Some(acting) => {
                    let to_acting = format!("{away}{period}不在岗，其间由您代行职责。");
                    let to_away = format!("您{period}不在岗，其间由{}代行职责。", official(book, acting));
                    vec![
                        told(&fact.absence, "代行开始", to_acting, vec![in_person(acting)]),
                        told(&fact.absence, "代行开始", to_away, vec![in_person(&fact.official)]),
                    ]
                }
                // Its gap was told when it opened.
                None if gap_told(book, fact) => Vec::new(),
                None if has_portfolio(book, &fact.official) => {
                    let body = format!("{away}{period}不在岗，无人可以代行其职责，须由市长指定。");
                    let audiences = vec![Audience::Presider, in_person(&fact.official)];
                    vec![told(&fact.absence, "无人代行", body, audiences)]
                }
                None => Vec::new(),
            }
        }
        RosterEvent::AbsenceEnded(fact) => {
            let back = official(book, &fact.official);
            let since = moment(fact.end_time);
            let done = fact.acts.as_ref().map(|acts| listed(acts, book));
            let mut notices = Vec::new();
            if let Some(acting) = fact.acting.as_deref() {
                let to_acting = format!("{back}自{since}起返岗，您的代行到此为止。");
                notices.push(told(&fact.absence, "代行结束", to_acting, vec![in_person(acting)]));
            }
            let to_back = match (fact.acting.as_deref(), done) {
                (Some(acting), done) => {
                    let acting = official(book, acting);
                    let done = done.map(|done| format!("\n{done}")).unwrap_or_default();
                    format!("您自{since}起返岗，{acting}的代行到此为止。{done}")
                }
                (None, Some(done)) => format!("您自{since}起返岗。\n{done}"),
                (None, None) => return notices,
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
            let before = period(changed.previous_start_time, changed.previous_end_time);
            vec![of_gap(&changed.gap, book, "空缺时间变动", &format!("（原为{before}），请尽快作出安排。"))]
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
        audiences.extend([Audience::UnitHead(post.clone()), Audience::UnitLiaison(post.clone())]);
        let deputies = book.view(gap.start_time, Timestamp::MAX).holders(PostKind::UnitDeputy, Some(post));
        audiences.extend(deputies.into_iter().map(|deputy| in_person(&deputy.name)));
    }
    audiences.extend(away.map(|_| in_person(&gap.subject)));
    told(&GapFacts::aggregate(&gap.subject), title, body, audiences)
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
        AbsenceActs, AbsenceEnded, AbsenceStarted, ActEntry, ActsTold, DutyRoster, DutyTeam, GapFacts,
        Official, Post, PostKind, RosterEvent,
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
