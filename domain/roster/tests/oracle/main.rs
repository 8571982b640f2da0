//! A brute-force oracle for "who answers at T": it reads the plain list of what was recorded,
//! shares no code with the implementation, and must give the same answer on thousands of random
//! rosters.
//!
//! A failure prints the seed; `ROSTER_ORACLE_SEED=… cargo test -p domain-roster --test oracle`
//! replays that roster alone.
#![cfg(test)]
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test fails by panicking")]

mod dice;
mod oracle;
mod question;
mod story;

use std::collections::BTreeMap;
use std::fmt::Write;

use domain_calendar::Timestamp;
use domain_roster::{Book, RosterError, RosterEvent, resolve, who};

use dice::Dice;
use oracle::{Answer, Oracle};
use question::Question;
use story::{Log, step, tell};

const ROSTERS: u64 = 10_000;
const QUESTIONS: usize = 12;

#[test]
fn the_implementation_agrees_with_the_oracle_on_random_rosters() {
    let mut tally = BTreeMap::new();
    match std::env::var("ROSTER_ORACLE_SEED") {
        Ok(seed) => check(seed.parse().unwrap(), &mut tally),
        Err(_) => {
            (0..ROSTERS).for_each(|seed| check(seed, &mut tally));
            println!("compared: {tally:?}");
            // Agreement on nothing proves nothing: every kind of answer is among those compared.
            for kind in ["unknown", "ambiguous", "nobody", "unresolved", "present", "stand-in"] {
                let count: u64 = tally.get(kind).copied().unwrap_or(0);
                assert!(count > ROSTERS / 5, "{kind}: {count} of {tally:?}");
            }
        }
    }
}

/// Asks one random roster, at the edges of everything that happens in it.
fn check(seed: u64, tally: &mut BTreeMap<&'static str, u64>) {
    let mut dice = Dice::of(seed);
    let log = tell(&mut dice);
    let mut book = Book::new();
    for (event, recorded_at) in &log {
        book.apply(event, *recorded_at).unwrap();
    }
    let (instants, recorded) = (instants(&log), log.iter().map(|(_, at)| *at).collect::<Vec<_>>());
    for _ in 0..QUESTIONS {
        let question = Question::random(&mut dice, &log);
        let subject = question.subject(&mut dice);
        let at = if dice.one_in(6) { step(dice.between(8, 45)) } else { edge(&mut dice, &instants) };
        let known_at = if dice.one_in(2) { Timestamp::MAX } else { edge(&mut dice, late_part(&recorded)) };
        let expected = Oracle { log: &log, at, known_at }.answer(&question);
        let found = match resolve(&book, &subject, at, known_at) {
            Ok(found) => Answer::Who {
                accountable: found.accountable.map(|person| person.official),
                acting: found.acting.map(|person| person.official),
                stand_in: found.stand_in,
            },
            Err(refused) => refusal(&refused),
        };
        let quick = match who(&book, &subject, at, known_at) {
            Ok(found) => Answer::Who {
                accountable: found.accountable.map(str::to_owned),
                acting: found.acting.map(str::to_owned),
                stand_in: found.acting.is_some() && found.acting != found.accountable,
            },
            Err(refused) => refusal(&refused),
        };
        assert!(
            found == expected && quick == expected,
            "seed {seed}: {question:?} written {subject:?} at {at} as known at {known_at}\n\
             oracle: {expected:?}\nresolve: {found:?}\nwho: {quick:?}\n{}",
            story_text(&log)
        );
        *tally.entry(kind(&expected)).or_default() += 1;
    }
}

fn refusal(error: &RosterError) -> Answer {
    match error {
        RosterError::UnitUnknown { .. }
        | RosterError::OfficialUnknown { .. }
        | RosterError::PostUnknown { .. } => Answer::Unknown,
        RosterError::UnitAmbiguous { .. }
        | RosterError::OfficialAmbiguous { .. }
        | RosterError::PostAmbiguous { .. }
        | RosterError::FieldAmbiguous { .. } => Answer::Ambiguous,
        other => panic!("no question is answered with {other:?}"),
    }
}

fn kind(answer: &Answer) -> &'static str {
    match answer {
        Answer::Unknown => "unknown",
        Answer::Ambiguous => "ambiguous",
        Answer::Who { accountable: None, .. } => "nobody",
        Answer::Who { acting: None, .. } => "unresolved",
        Answer::Who { stand_in: false, .. } => "present",
        Answer::Who { stand_in: true, .. } => "stand-in",
    }
}

/// Early on little is known, and most questions have the same answer.
fn late_part(recorded: &[Timestamp]) -> &[Timestamp] {
    &recorded[recorded.len() / 3..]
}

/// An instant, or the microsecond before or after it.
fn edge(dice: &mut Dice, instants: &[Timestamp]) -> Timestamp {
    Timestamp::from_micros(dice.choose(instants).as_micros() + dice.between(-1, 1))
}

/// Every instant at which something begins or ends.
fn instants(log: &Log) -> Vec<Timestamp> {
    let mut found = vec![step(0)];
    for (event, _) in log {
        match event {
            RosterEvent::UnitCreated(unit) => found.extend(unit.start_time.iter().chain(&unit.end_time)),
            RosterEvent::UnitChanged(changed) => {
                found.push(changed.effective_time);
                found.extend(changed.value.start_time.iter().chain(&changed.value.end_time));
            }
            RosterEvent::OfficialCreated(official) | RosterEvent::OfficialChanged(official) => {
                let posts = official.posts.iter();
                found.extend(posts.flat_map(|post| [post.start_time, post.end_time]).flatten());
            }
            RosterEvent::DivisionCreated(division) => found.push(division.effective_time),
            RosterEvent::StandInListCreated(list) => found.push(list.effective_time),
            RosterEvent::AbsenceCreated(absence) => {
                let middle = absence.start_time.as_micros().midpoint(absence.end_time.as_micros());
                found.extend([absence.start_time, Timestamp::from_micros(middle), absence.end_time]);
            }
            RosterEvent::AbsenceEnded(ended) => found.extend([ended.end_time, ended.end_time]),
            RosterEvent::AbsenceExtended(extended) => found.extend([extended.end_time, extended.end_time]),
            RosterEvent::AbsenceCorrected(corrected) => {
                found.extend([corrected.start_time, corrected.end_time]);
            }
            _ => {}
        }
    }
    found
}

fn story_text(log: &Log) -> String {
    log.iter().fold(String::new(), |mut text, (event, recorded_at)| {
        let payload = event.to_payload().unwrap();
        writeln!(text, "{recorded_at} {} {payload}", event.event_type()).unwrap();
        text
    })
}
