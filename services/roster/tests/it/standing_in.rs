//! Who is told to act while somebody is away: from its beginning, and as it changes.

use domain_roster::{ActingPart, RosterEvent};
use xietong_proto::roster as proto;

use crate::city::{City, absence, at, on_both};

on_both!(who_acts_is_told_by_part_and_as_it_changes_once_whatever_restarts,);

const START: &str = "2023-06-10T00:00:00+08:00";
const LEAVES: &str = "2023-06-12T00:00:00+08:00";
const RETURNS: &str = "2023-06-14T00:00:00+08:00";
const END: &str = "2023-06-20T00:00:00+08:00";

/// Somebody's part: who, the units, from when and until when.
type Part = (String, Vec<String>, String, String);

fn parts(all: &[ActingPart]) -> Vec<Part> {
    let part = |one: &ActingPart| {
        let who = one.acting.trim_start_matches("officials/").to_owned();
        (who, one.scope.units.clone(), one.start_time.to_string(), one.end_time.to_string())
    };
    all.iter().map(part).collect()
}

fn part(who: &str, units: &[&str], start: &str, end: &str) -> Part {
    let units = units.iter().map(|unit| format!("units/{unit}")).collect();
    (who.to_owned(), units, at(start).to_string(), at(end).to_string())
}

/// What was told of who acts in an absence: who begins and who ends, event by event.
async fn told(city: &City, name: &str) -> Vec<(Vec<Part>, Vec<Part>)> {
    let events = city.events(name).await.into_iter();
    let told = events.filter_map(|event| {
        match RosterEvent::from_payload(&event.event_type, &event.payload).unwrap().unwrap() {
            RosterEvent::AbsenceStarted(fact) => Some((parts(&fact.authorities), vec![])),
            RosterEvent::AbsenceActingChanged(fact) => Some((parts(&fact.begun), parts(&fact.ended))),
            _ => None,
        }
    });
    told.collect()
}

async fn who_acts_is_told_by_part_and_as_it_changes_once_whatever_restarts(city: City) {
    let city = city.with_division().await;
    city.advance("2023-06-01T09:00:00+08:00").await;
    let share = proto::StandInShare {
        stand_in: "officials/wang-yuan".into(),
        units: vec!["units/industry".into()],
        fields: vec![],
    };
    let a = proto::Absence {
        shares: vec![share],
        approval: "市长批示".into(),
        ..absence("cui-yuanbin", START, END)
    };
    let name = city.register(a).await.unwrap().name;
    city.watch().await;
    city.advance(START).await;
    city.watch().await;
    let from_the_start =
        vec![part("hu-xiaogang", &[], START, END), part("wang-yuan", &["industry"], START, END)];
    let mut expected = vec![(from_the_start, vec![])];
    assert_eq!(told(&city, &name).await, expected);

    // That B will leave is recorded while he acts already.
    city.advance("2023-06-11T09:00:00+08:00").await;
    let b = proto::Absence { approval: "市长批示".into(), ..absence("hu-xiaogang", LEAVES, RETURNS) };
    city.register(b).await.unwrap();
    city.watch().await;
    assert_eq!(told(&city, &name).await, expected, "nobody else acts yet");
    city.advance("2023-06-11T23:59:59.999999+08:00").await;
    assert_eq!(told(&city, &name).await, expected);
    city.advance(LEAVES).await;
    expected.push((vec![], vec![part("hu-xiaogang", &[], START, END)]));
    assert_eq!(told(&city, &name).await, expected);

    city.watch().await;
    let city = city.restarted().await;
    city.watch().await;
    assert_eq!(told(&city, &name).await, expected, "once");
    city.advance(RETURNS).await;
    city.watch().await;
    expected.push((vec![part("hu-xiaogang", &[], RETURNS, END)], vec![]));
    assert_eq!(told(&city, &name).await, expected);
    city.advance(END).await;
    city.watch().await;
    assert_eq!(told(&city, &name).await, expected);
    let changed = "roster.absence.acting_changed";
    let history =
        ["roster.absence.created", "roster.absence.started", changed, changed, "roster.absence.ended"];
    assert_eq!(city.history(&name).await, history);
}
