//! What comes about by itself when its time comes.

use domain_calendar::Timestamp;
use domain_roster::{Book, RosterEvent, Subject, resolve};
use xietong_proto::roster as proto;
use xietong_timers::Progress;

use crate::city::{City, at, division_12, division_next, on_both, time};

on_both!(
    a_division_takes_effect_at_its_time_with_what_changes_hands,
    a_division_of_the_past_takes_effect_at_once,
    an_absence_starts_and_ends_at_its_times_and_says_who_acts,
    an_absence_of_the_past_starts_before_it_ends,
    an_official_back_before_the_start_was_recorded_has_both_recorded_in_order,
    every_write_is_one_event_and_the_chain_verifies,
    the_log_alone_gives_the_same_answers_at_the_position_they_name,
);

async fn decoded(city: &City, record: &str) -> Vec<RosterEvent> {
    let events = city.events(record).await;
    let decode = |event: &xietong_events::Event| {
        RosterEvent::from_payload(&event.event_type, &event.payload).unwrap().unwrap()
    };
    events.iter().map(decode).collect()
}

async fn record(city: &City, division: proto::Division) -> String {
    let request = proto::CreateDivisionRequest { division: Some(division), ..Default::default() };
    let stored = city.roster().create_division(city.admin(request)).await.unwrap().into_inner();
    stored.division.unwrap().name
}

async fn a_division_takes_effect_at_its_time_with_what_changes_hands(city: City) {
    let city = city.with_division().await;
    let next = record(&city, division_next()).await;
    city.advance("2023-08-31T23:59:59.999999+08:00").await;
    assert_eq!(city.history(&next).await, ["roster.division.created"]);
    city.advance("2023-09-01T00:00:00+08:00").await;
    city.advance("2023-09-02T00:00:00+08:00").await;
    let events = decoded(&city, &next).await;
    let [_, RosterEvent::DivisionTookEffect(effect)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(effect.effective_time, at("2023-09-01T00:00:00+08:00"));
    let hands: Vec<_> = effect
        .handovers
        .iter()
        .map(|one| (one.unit.as_str(), one.from.as_deref(), one.to.as_deref()))
        .collect();
    assert_eq!(hands, [("units/water", Some("officials/qiao-feihong"), Some("officials/cui-yuanbin"))]);
    let recorded = city.events(&next).await;
    assert_eq!(recorded[1].actor, "system/roster");
    assert_eq!(recorded[1].ground.as_deref(), Some(next.as_str()));
    let request = proto::GetDivisionRequest { name: next };
    let division = city.roster().get_division(city.clerk(request)).await.unwrap().into_inner();
    assert_eq!(division.etag, "v2");
    assert_eq!(city.who("units/water", "2023-09-02T09:00:00+08:00").await.0, "崔元斌");
}

async fn a_division_of_the_past_takes_effect_at_once(city: City) {
    let city = city.with_directory().await;
    let past = proto::Division { effective_time: Some(time("2023-04-01T00:00:00+08:00")), ..division_12() };
    let name = record(&city, past).await;
    city.advance("2023-05-01T09:00:00+08:00").await;
    let history = city.history(&name).await;
    assert_eq!(history, ["roster.division.created", "roster.division.took_effect"]);
}

async fn an_absence_starts_and_ends_at_its_times_and_says_who_acts(city: City) {
    let city = city.with_division().await;
    let (start, end) = ("2023-06-10T00:00:00+08:00", "2023-06-12T00:00:00+08:00");
    let name = city.away("qiao-feihong", start, end).await.unwrap().name;
    city.advance("2023-06-09T23:59:59.999999+08:00").await;
    assert_eq!(city.history(&name).await.len(), 1);
    city.advance(start).await;
    city.advance(end).await;
    let events = decoded(&city, &name).await;
    let [_, RosterEvent::AbsenceStarted(started), RosterEvent::AbsenceEnded(ended)] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!(started.acting.as_deref(), Some("officials/wang-yuan"));
    assert_eq!(ended.acting.as_deref(), Some("officials/wang-yuan"));
    assert!(!ended.early);
    let recorded = city.events(&name).await;
    assert_eq!((recorded[1].occurred_at, recorded[2].occurred_at), (at(start), at(end)));
}

async fn an_absence_of_the_past_starts_before_it_ends(city: City) {
    let city = city.with_division().await;
    let (start, end) = ("2023-04-10T00:00:00+08:00", "2023-04-12T00:00:00+08:00");
    let absence = city.away("qiao-feihong", start, end).await.unwrap();
    assert_eq!(absence.state(), proto::AbsenceState::Ended);
    city.advance("2023-05-01T09:00:00+08:00").await;
    let history = city.history(&absence.name).await;
    assert_eq!(history, ["roster.absence.created", "roster.absence.started", "roster.absence.ended"]);
}

async fn an_official_back_before_the_start_was_recorded_has_both_recorded_in_order(city: City) {
    let city = city.with_division().await;
    let (start, end) = ("2023-04-30T00:00:00+08:00", "2023-05-12T00:00:00+08:00");
    let absence = city.away("qiao-feihong", start, end).await.unwrap();
    city.end(&absence.name, "").await.unwrap();
    city.advance("2023-06-01T09:00:00+08:00").await;
    let history = city.history(&absence.name).await;
    assert_eq!(history, ["roster.absence.created", "roster.absence.started", "roster.absence.ended"]);
}

async fn every_write_is_one_event_and_the_chain_verifies(city: City) {
    let city = city.with_division().await;
    let (start, end) = ("2023-06-10T00:00:00+08:00", "2023-06-12T00:00:00+08:00");
    let name = city.away("qiao-feihong", start, end).await.unwrap().name;
    city.advance("2023-07-01T00:00:00+08:00").await;
    let events = city.events(&name).await;
    xietong_events::verify_chain(&events).unwrap();
    assert_eq!(events[0].actor, "admin");
    let versions: Vec<i64> = events.iter().map(|event| event.version).collect();
    assert_eq!(versions, [1, 2, 3]);
    let absence = city.get_absence(&name).await;
    assert_eq!((absence.etag.as_str(), absence.state()), ("v3", proto::AbsenceState::Ended));
}

async fn the_log_alone_gives_the_same_answers_at_the_position_they_name(city: City) {
    let city = city.with_division().await;
    let (start, end) = ("2023-06-10T00:00:00+08:00", "2023-06-20T00:00:00+08:00");
    let name = city.away("qiao-feihong", start, end).await.unwrap().name;
    city.advance("2023-06-15T09:00:00+08:00").await;
    city.end(&name, "").await.unwrap();
    let sequencer = city.service.workers.iter().find(|worker| worker.name() == "roster/sequencer").unwrap();
    while sequencer.turn().await.unwrap() == Progress::Worked {}

    let page = city.service.log.read(0, 1_000).await.unwrap();
    let mut book = Book::new();
    for event in &page.events {
        let decoded = RosterEvent::from_payload(&event.event_type, &event.payload).unwrap().unwrap();
        book.apply(&decoded, event.occurred_at).unwrap();
    }
    for day in ["2023-06-09", "2023-06-12", "2023-06-16"] {
        for known_at in [None, Some("2023-06-14T00:00:00+08:00")] {
            let instant = format!("{day}T09:00:00+08:00");
            let request = proto::ResolveRequest {
                unit: "市水利局".into(),
                at: Some(time(&instant)),
                known_at: known_at.map(time),
                ..Default::default()
            };
            let answer = city.resolve(request).await.unwrap();
            let subject = Subject::Unit("市水利局".into());
            let known_at = known_at.map_or(Timestamp::MAX, at);
            let copied = resolve(&book, &subject, at(&instant), known_at).unwrap();
            assert_eq!(answer.acting.unwrap().official, copied.acting.unwrap().official, "{instant}");
            assert_eq!(answer.steps.len(), copied.steps.len());
            assert_eq!(answer.roster_position, page.last_position);
        }
    }
}
