//! Properties of "who acts at T", over random absences, corrections and instants.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::absence::Absence;
use crate::absence_event::{AbsenceCancelled, AbsenceEnded};
use crate::acting::{authorities, authorities_at, authority_over};
use crate::book::Book;
use crate::event::RosterEvent;
use crate::fixture::{Roster, at, division_12};
use crate::resolution::Resolution;
use crate::resolve::{Subject, resolve, stands_in_for};

const LEADERS: [&str; 9] = [
    "wang-yanfeng",
    "wang-yuan",
    "cui-yuanbin",
    "zhang-xiliang",
    "wang-yun",
    "hu-xiaogang",
    "qiao-feihong",
    "li-yanping",
    "gao-yaming",
];

/// Ticks are microseconds from here, after 12号 has taken effect.
fn tick(offset: i64) -> Timestamp {
    Timestamp::from_micros(at("2023-06-01T00:00+08:00").as_micros() + offset)
}

fn leader(index: usize) -> String {
    format!("officials/{}", LEADERS[index % LEADERS.len()])
}

/// An absence with what was done to it; the book takes even what a command would refuse.
#[derive(Debug, Clone)]
struct Story {
    official: usize,
    stand_in: Option<usize>,
    start: i64,
    length: i64,
    recorded: i64,
    early_end: Option<(i64, i64)>,
    cancelled: Option<i64>,
}

fn story() -> impl Strategy<Value = Story> {
    let change = option::of((0..8_i64, 0..30_i64));
    (0..9_usize, option::of(0..9_usize), 0..20_i64, 1..10_i64, 0..25_i64, change, option::of(0..30_i64))
        .prop_map(|(official, stand_in, start, length, recorded, early_end, cancelled)| Story {
            official,
            stand_in: stand_in.filter(|stand_in| *stand_in != official),
            start,
            length,
            recorded,
            early_end,
            cancelled,
        })
}

/// The events of some stories in the order of recording.
fn events(stories: &[Story]) -> Vec<(RosterEvent, Timestamp)> {
    let mut events = Vec::new();
    for (index, story) in stories.iter().enumerate() {
        let (name, official) = (format!("absences/{index}"), leader(story.official));
        let (start_time, end_time) = (tick(story.start), tick(story.start + story.length));
        let created = Absence {
            name: name.clone(),
            official: official.clone(),
            start_time,
            end_time,
            stand_in: story.stand_in.map(leader),
            shares: vec![],
            excluded: crate::scope::Scope::default(),
            reason: String::new(),
            approval: None,
            reassignment: None,
            recorded_at: tick(story.recorded),
            changes: Vec::new(),
        };
        events.push((RosterEvent::AbsenceCreated(created), tick(story.recorded)));
        if let Some((after, delay)) = story.early_end {
            let ended = AbsenceEnded {
                absence: name.clone(),
                official: official.clone(),
                acting: None,
                start_time,
                end_time: tick(story.start + after),
                early: true,
                acts: None,
            };
            events.push((RosterEvent::AbsenceEnded(ended), tick(story.recorded + delay)));
        }
        if let Some(delay) = story.cancelled {
            let cancelled = AbsenceCancelled { absence: name, official, start_time, end_time };
            events.push((RosterEvent::AbsenceCancelled(cancelled), tick(story.recorded + delay)));
        }
    }
    events.sort_by_key(|(_, recorded_at)| *recorded_at);
    events
}

fn book(events: &[(RosterEvent, Timestamp)]) -> Book {
    let mut roster = Roster::linfen();
    events.iter().for_each(|(event, recorded_at)| roster.record(event, *recorded_at));
    roster.book
}

fn ask(book: &Book, official: usize, instant: i64, known_at: Timestamp) -> Resolution {
    resolve(book, &Subject::Official(leader(official)), tick(instant), known_at).unwrap()
}

proptest! {
    #[test]
    fn whoever_acts_was_chosen_by_the_absent_officials_own_entries(
        stories in vec(story(), 0..12),
        official in 0..9_usize,
        instant in 0..35_i64,
        known in 0..60_i64,
    ) {
        let book = book(&events(&stories));
        let found = ask(&book, official, instant, tick(known));
        let view = book.view(tick(instant), tick(known));
        let own = leader(official);
        let division = division_12();
        let expected: BTreeSet<String> = match view.away(&own) {
            None => BTreeSet::from([own.clone()]),
            Some(absence) => {
                let fallback = division.fallback.iter().flat_map(|fallback| fallback.officials.clone());
                let standing = division.standing_b(&own).map(str::to_owned);
                absence.stand_in.clone().into_iter().chain(standing).chain(fallback).collect()
            }
        };
        match found.acting {
            Some(person) => {
                prop_assert!(expected.contains(&person.official), "{} for {}", person.official, own);
                prop_assert!(view.away(&person.official).is_none(), "nobody acts while away");
                prop_assert_eq!(found.stand_in, person.official != own);
                let covers = stands_in_for(&book, &person.official, tick(instant), tick(known));
                prop_assert_eq!(covers.contains_key(&own), found.stand_in);
            }
            None => prop_assert!(expected.iter().all(|candidate| view.away(candidate).is_some())),
        }
    }

    /// At the last microsecond of an authority B may act by it, at its end he may not: whoever may
    /// act does so by an authority that holds then, and by none else.
    #[test]
    fn somebody_acts_exactly_while_an_authority_holds(
        stories in vec(story(), 0..10),
        share in option::of((0..9_usize, 0..9_usize)),
    ) {
        let mut all = events(&stories);
        let shared = share.filter(|(of, to)| of != to);
        for (event, _) in &mut all {
            if let (Some((of, to)), RosterEvent::AbsenceCreated(absence)) = (shared, event)
                && absence.official == leader(of)
            {
                let units = vec!["units/industry".to_owned(), "units/finance".to_owned()];
                let scope = crate::scope::Scope { units, fields: vec!["水利".to_owned()] };
                absence.shares = vec![crate::absence::Share { stand_in: leader(to), scope }];
            }
        }
        let book = book(&all);
        for instant in 0..40 {
            let now = tick(instant);
            let held: BTreeSet<(String, String)> = authorities_at(&book, now, Timestamp::MAX)
                .into_iter()
                .map(|one| (one.acting, one.official))
                .collect();
            let mut may: BTreeSet<(String, String)> = BTreeSet::new();
            for acting in (0..9).map(leader) {
                for (official, units) in stands_in_for(&book, &acting, now, Timestamp::MAX) {
                    for unit in &units {
                        let by = authority_over(&book, &official, &acting, Some(unit), now);
                        prop_assert!(by.is_some_and(|one| one.period.contains(now)), "{}", unit);
                    }
                    may.insert((acting.clone(), official));
                }
            }
            // A share of units that A does not answer for lets B act in nothing of A's.
            prop_assert!(may.is_subset(&held), "{:?} {:?}", may, held);
            for pair in held.difference(&may) {
                prop_assert!(shared.is_some_and(|(of, _)| pair.1 == leader(of)), "{:?}", pair);
            }
        }
        for absence in book.absences() {
            for one in authorities(&book, absence, Timestamp::MAX) {
                prop_assert!(one.period.start < one.period.end);
                let names = |at| authorities_at(&book, at, Timestamp::MAX).into_iter().map(|one| one.name);
                let last = one.period.end.saturating_sub(std::time::Duration::from_micros(1));
                prop_assert!(names(one.period.start).any(|name| name == one.name));
                prop_assert!(names(last).any(|name| name == one.name));
                prop_assert!(names(one.period.end).all(|name| name != one.name));
            }
        }
    }

    #[test]
    fn the_same_book_gives_the_same_answer_even_from_a_snapshot(
        stories in vec(story(), 0..8),
        official in 0..9_usize,
        instant in 0..35_i64,
    ) {
        let book = book(&events(&stories));
        let copy: Book = serde_json::from_str(&serde_json::to_string(&book).unwrap()).unwrap();
        let found = ask(&book, official, instant, Timestamp::MAX);
        prop_assert_eq!(&found, &ask(&book, official, instant, Timestamp::MAX));
        prop_assert_eq!(&found, &ask(&copy, official, instant, Timestamp::MAX));
    }

    #[test]
    fn authority_begins_and_ends_exactly_at_the_boundary(
        official in 0..9_usize,
        start in 1..20_i64,
        length in 1..10_i64,
        back in option::of(0..10_i64),
    ) {
        let back = back.filter(|back| *back < length);
        let story = Story {
            official,
            stand_in: None,
            start,
            length,
            recorded: 0,
            early_end: back.map(|back| (back, 0)),
            cancelled: None,
        };
        let book = book(&events(&[story]));
        let end = start + back.unwrap_or(length);
        let acts_in_person = |instant| {
            let found = ask(&book, official, instant, Timestamp::MAX);
            found.acting.is_some_and(|person| person.official == leader(official))
        };
        for instant in [start - 1, start, end - 1, end] {
            prop_assert_eq!(acts_in_person(instant), !(start <= instant && instant < end), "{}", instant);
        }
    }

    #[test]
    fn what_is_recorded_later_never_changes_what_was_known(
        stories in vec(story(), 0..12),
        official in 0..9_usize,
        instant in 0..35_i64,
        known in 0..60_i64,
    ) {
        let all = events(&stories);
        let known_at = tick(known);
        let then: Vec<_> = all.iter().filter(|(_, recorded_at)| *recorded_at <= known_at).cloned().collect();
        let as_known_then = ask(&book(&then), official, instant, Timestamp::MAX);
        prop_assert_eq!(&as_known_then, &ask(&book(&then), official, instant, known_at));
        prop_assert_eq!(&as_known_then, &ask(&book(&all), official, instant, known_at));
    }
}
