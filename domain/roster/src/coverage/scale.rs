//! What coverage costs in a city with as many heads as it may have.

use std::time::{Duration, Instant};

use domain_calendar::Timestamp;

use super::{GapCause, coverage};
use crate::absence::Absence;
use crate::alarm::alarm;
use crate::book::Book;
use crate::event::RosterEvent;
use crate::fixture::{at, division_12, holder, pair, unit};
use crate::interval::Interval;
use crate::official::PostKind;
use crate::scope::Scope;
use crate::stand_in_list::StandInList;

const HEADS: u64 = 10_000;
const ABSENCES: u64 = 5;
const DAY: u64 = 86_400;
/// Many times what it takes without optimisation; looking at everybody in every piece of
/// everybody's time takes hours.
const LONGEST: Duration = Duration::from_secs(120);

/// Ten thousand units, each with a head who is away five times in a year; in every second of
/// them the unit's own list names a deputy.
fn city(start: Timestamp) -> Book {
    let mut book = Book::new();
    let mut record = |event: RosterEvent| book.apply(&event, start).unwrap();
    for number in 0..HEADS {
        let slug = format!("u{number}");
        record(RosterEvent::UnitCreated(unit(&slug, &format!("第{number}单位"), &[])));
        let (head, deputy) = (format!("head-{number}"), format!("deputy-{number}"));
        record(RosterEvent::OfficialCreated(holder(&head, "甲", PostKind::UnitHead, Some(&slug))));
        record(RosterEvent::OfficialCreated(holder(&deputy, "乙", PostKind::UnitDeputy, Some(&slug))));
        if number % 2 == 0 {
            record(RosterEvent::StandInListCreated(StandInList {
                name: format!("standInLists/{number}"),
                unit: format!("units/{slug}"),
                effective_time: start,
                document_number: String::new(),
                pairs: vec![pair(&head, &deputy)],
                recorded_at: start,
            }));
        }
        for time in 0..ABSENCES {
            // Apart by a prime number of seconds, so that no two heads leave together.
            let leaves = start.saturating_add(Duration::from_secs(time * 70 * DAY + number * 601));
            record(RosterEvent::AbsenceCreated(Absence {
                name: format!("absences/{number}-{time}"),
                official: format!("officials/{head}"),
                start_time: leaves,
                end_time: leaves.saturating_add(Duration::from_secs(3 * DAY)),
                stand_in: None,
                shares: vec![],
                excluded: Scope::default(),
                reason: String::new(),
                approval: None,
                reassignment: None,
                recorded_at: start,
                changes: vec![],
            }));
        }
    }
    record(RosterEvent::DivisionCreated(division_12()));
    book
}

#[test]
fn ten_thousand_heads_cost_what_their_own_absences_cost() {
    let start = at("2023-06-01T00:00+08:00");
    let book = city(start);
    let year = Interval { start, end: start.saturating_add(Duration::from_secs(366 * DAY)) };
    let began = Instant::now();
    let gaps = coverage(&book, year, Timestamp::MAX);
    let asked = began.elapsed();
    let vacant = gaps.iter().filter(|gap| matches!(gap.cause, GapCause::PostVacant { .. })).count();
    assert_eq!(vacant as u64, HEADS / 2 * ABSENCES);
    let began = Instant::now();
    let told = alarm(&book, start).events.len();
    let watched = began.elapsed();
    println!("{HEADS} heads, {ABSENCES} absences each: a year of coverage {asked:?}, the alarm {watched:?}");
    assert!(told > 0);
    assert!(asked < LONGEST && watched < LONGEST, "{asked:?}, {watched:?}");
}
