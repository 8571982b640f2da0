//! What is told of the roster: who stands in.

use domain_calendar::Timestamp;
use domain_roster::{Book, RosterEvent, Subject, who};

use crate::audience::Audience;
use crate::notice::{Notice, NoticeKind};
use crate::wording::{moment, official};

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
            let Some(acting) = fact.acting.as_deref() else { return Vec::new() };
            let since = moment(fact.end_time);
            let to_acting = format!("{back}自{since}起返岗，您的代行到此为止。");
            let to_back = format!("您自{since}起返岗，{}的代行到此为止。", official(book, acting));
            vec![
                told(&fact.absence, "代行结束", to_acting, vec![in_person(acting)]),
                told(&fact.absence, "代行结束", to_back, vec![in_person(&fact.official)]),
            ]
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
            let period = format!("{}至{}", moment(fact.start_time), moment(fact.end_time));
            let body = format!("{away}的不在岗登记已更正为{period}。原因：{}", fact.reason);
            let mut audiences = vec![in_person(&fact.official)];
            // Whoever acts in the time as it really is: nobody, where it is empty of him.
            let acting = acting_at(book, &fact.official, fact.start_time);
            audiences.extend(acting.map(|acting| in_person(&acting)));
            vec![told(&fact.absence, "更正不在岗", body, audiences)]
        }
        // Supervision lists for each leader what changes hands, with the work under way.
        RosterEvent::DivisionTookEffect(_)
        // Nothing has changed hands yet, or ever.
        |         RosterEvent::UnitCreated(_)
        | RosterEvent::UnitChanged(_)
        | RosterEvent::CollectiveCreated(_)
        | RosterEvent::CollectiveChanged(_)
        | RosterEvent::OfficialChanged(_)
        | RosterEvent::StandInListCreated(_)
        | RosterEvent::OfficialCreated(_)
        | RosterEvent::AccountCreated(_)
        | RosterEvent::DivisionCreated(_)
        | RosterEvent::AbsenceCreated(_)
        | RosterEvent::AbsenceCancelled(_) => Vec::new(),
    }
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
    use domain_roster::{AbsenceEnded, AbsenceStarted, RosterEvent};

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
        });
        let told = told(&roster, &ended);
        assert_eq!(told[1].1, "崔元斌自2023年6月5日9时30分起返岗，您的代行到此为止。");
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
}
