//! The roster over time: extensions, corrections, units that are renamed, moved and merged.

use domain_calendar::Timestamp;

use super::{Subject, resolve};
use crate::absence::{Absence, AbsenceState, Stated};
use crate::error::RosterError;
use crate::event::{Changed, RosterEvent};
use crate::fixture::{Roster, at, division_12, registration, unit};
use crate::interval::Interval;
use crate::lookup::Lookup;

fn acting(roster: &Roster, instant: &str, known_at: Timestamp) -> Option<String> {
    let subject = Subject::Official("officials/cui-yuanbin".into());
    let found = resolve(&roster.book, &subject, at(instant), known_at).unwrap();
    found.acting.map(|person| person.display_name)
}

#[test]
fn an_extended_absence_goes_on_and_what_was_known_before_stays() {
    let mut roster = Roster::linfen();
    roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    let now = at("2023-06-11T09:00+08:00");
    let longer = at("2023-06-15T00:00+08:00");
    let extend = |roster: &Roster, until: &str| {
        roster.absence("one").extend(&roster.book, at(until), Stated::default(), now)
    };
    assert_eq!(
        extend(&roster, "2023-06-12T00:00+08:00"),
        Err(RosterError::NotLater { end: at("2023-06-12T00:00+08:00") })
    );
    let event = extend(&roster, "2023-06-15T00:00+08:00").unwrap();
    let RosterEvent::AbsenceExtended(fact) = &event else { panic!("{event:?}") };
    assert_eq!((fact.end_time, fact.previous_end_time), (longer, at("2023-06-12T00:00+08:00")));
    roster.record(&event, now);

    let evening = "2023-06-13T20:00+08:00";
    assert_eq!(acting(&roster, evening, Timestamp::MAX).as_deref(), Some("胡晓刚"));
    assert_eq!(acting(&roster, evening, at("2023-06-11T08:00+08:00")).as_deref(), Some("崔元斌"));
    let absence = roster.absence("one");
    assert_eq!(absence.finish(&roster.book, at("2023-06-12T00:00+08:00")), None, "the old end says nothing");
    let Some(RosterEvent::AbsenceEnded(ended)) = absence.finish(&roster.book, longer) else {
        panic!("it has ended");
    };
    assert_eq!((ended.end_time, ended.early), (longer, false));
}

#[test]
fn an_extension_is_refused_like_an_absence() {
    let mut roster = Roster::linfen();
    roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    roster.away("next", "cui-yuanbin", "2023-06-20T00:00+08:00", "2023-06-22T00:00+08:00");
    roster.away("b", "hu-xiaogang", "2023-06-13T00:00+08:00", "2023-06-14T00:00+08:00");
    let now = at("2023-06-11T09:00+08:00");
    let extend = |until: &str, approval: Option<&str>| {
        let approval = approval.map(str::to_owned);
        roster.absence("one").extend(&roster.book, at(until), Stated { approval, reassignment: None }, now)
    };
    assert!(matches!(extend("2023-06-21T00:00+08:00", None), Err(RosterError::AbsenceOverlaps { .. })));
    assert!(matches!(extend("2023-06-15T00:00+08:00", None), Err(RosterError::AwayTogether { .. })));
    assert!(extend("2023-06-15T00:00+08:00", Some("市长批示")).is_ok());
    assert!(extend("2023-06-13T00:00+08:00", None).is_ok(), "B leaves as A comes back");
    let after = at("2023-06-12T00:00+08:00");
    let over =
        roster.absence("one").extend(&roster.book, at("2023-06-15T00:00+08:00"), Stated::default(), after);
    assert_eq!(over, Err(RosterError::AbsenceOver { state: AbsenceState::Ended }));
}

#[test]
fn a_correction_never_changes_what_was_known_before_it() {
    let mut roster = Roster::linfen();
    roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    let now = at("2023-06-20T09:00+08:00");
    let times = Interval { start: at("2023-06-09T12:00+08:00"), end: at("2023-06-11T00:00+08:00") };
    let event =
        roster.absence("one").correct(&roster.book, times, Stated::default(), "登记有误", now).unwrap();
    roster.record(&event, now);
    let before = at("2023-06-20T08:59:59+08:00");
    for (instant, as_known_then, as_known_now) in [
        ("2023-06-09T18:00+08:00", "崔元斌", "胡晓刚"),
        ("2023-06-10T18:00+08:00", "胡晓刚", "胡晓刚"),
        ("2023-06-11T18:00+08:00", "胡晓刚", "崔元斌"),
    ] {
        assert_eq!(acting(&roster, instant, before).as_deref(), Some(as_known_then), "{instant}");
        assert_eq!(acting(&roster, instant, Timestamp::MAX).as_deref(), Some(as_known_now), "{instant}");
    }
    let no_reason = roster.absence("one").correct(&roster.book, times, Stated::default(), " ", now);
    assert_eq!(no_reason, Err(RosterError::Missing { field: "reason" }));
    let other = registration("two", "cui-yuanbin", "2023-06-11T00:00+08:00", "2023-06-12T00:00+08:00");
    assert!(Absence::create(&roster.book, other, now).is_ok(), "the time it gave back is free");
}

#[test]
fn what_was_stated_for_one_extension_holds_for_the_next() {
    let mut roster = Roster::linfen();
    let mut limited = division_12();
    limited.name = "divisions/limited".into();
    limited.corrects = Some("divisions/no-12".into());
    limited.absence_limit_days = Some(30);
    roster.record(&RosterEvent::DivisionCreated(limited), at("2023-06-01T00:00+08:00"));
    roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-07-10T00:00+08:00");
    let now = at("2023-07-09T09:00+08:00");
    let extend = |roster: &Roster, until: &str, document: Option<&str>| {
        let document = document.map(str::to_owned);
        roster.absence("one").extend(
            &roster.book,
            at(until),
            Stated { reassignment: document, ..Stated::default() },
            now,
        )
    };
    let needed = Err(RosterError::ReassignmentNeeded { limit_days: 30 });
    assert_eq!(extend(&roster, "2023-07-11T00:00+08:00", None), needed);
    let document = "临政办发〔2023〕19号";
    let event = extend(&roster, "2023-07-11T00:00+08:00", Some(document)).unwrap();
    roster.record(&event, now);
    assert_eq!(roster.absence("one").last_reassignment(), Some(document));
    assert!(extend(&roster, "2023-07-20T00:00+08:00", None).is_ok());
}

#[test]
fn a_log_with_an_end_that_was_corrected_changes_nothing_when_applied_again() {
    let mut roster = Roster::linfen();
    roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
    let end = at("2023-06-12T00:00+08:00");
    let ended = roster.absence("one").finish(&roster.book, end).unwrap();
    roster.record(&ended, end);
    let times = Interval { start: at("2023-06-10T00:00+08:00"), end: at("2023-06-20T00:00+08:00") };
    let now = at("2023-06-13T09:00+08:00");
    let corrected =
        roster.absence("one").correct(&roster.book, times, Stated::default(), "登记有误", now).unwrap();
    roster.record(&corrected, now);
    let mut again = roster.book.clone();
    again.apply(&ended, end).unwrap();
    assert_eq!(again, roster.book);
}

fn lookup(roster: &Roster, text: &str, instant: &str) -> Option<String> {
    match roster.book.view(at(instant), Timestamp::MAX).lookup_unit(text) {
        Lookup::Found(unit) => Some(unit.name.clone()),
        Lookup::Ambiguous(_) | Lookup::Unknown => None,
    }
}

#[test]
fn a_renamed_unit_is_found_by_both_names_and_called_by_the_one_of_the_day() {
    let mut roster = Roster::linfen();
    let renamed = Changed {
        value: unit("culture", "市文化旅游和广电局", &["市文旅广电局"]),
        effective_time: at("2023-07-01T00:00+08:00"),
    };
    assert_eq!(crate::admit_unit_change(&roster.book, &renamed), Ok(()));
    roster.record(&RosterEvent::UnitChanged(renamed), at("2023-06-20T09:00+08:00"));
    let culture = Some("units/culture".to_owned());
    for (text, instant) in [
        ("市文旅局", "2023-06-30T00:00+08:00"),
        ("市文旅局", "2023-07-02T00:00+08:00"),
        ("市文旅广电局", "2023-07-02T00:00+08:00"),
    ] {
        assert_eq!(lookup(&roster, text, instant), culture, "{text} {instant}");
    }
    let called = |instant: &str, known_at| {
        let view = roster.book.view(at(instant), known_at);
        view.unit("units/culture").unwrap().display_name.clone()
    };
    assert_eq!(called("2023-06-30T23:59+08:00", Timestamp::MAX), "市文化和旅游局(市文物局)");
    assert_eq!(called("2023-07-01T00:00+08:00", Timestamp::MAX), "市文化旅游和广电局");
    assert_eq!(called("2023-07-01T00:00+08:00", at("2023-06-19T00:00+08:00")), "市文化和旅游局(市文物局)");
}

#[test]
fn a_merged_unit_is_answered_for_by_its_successor() {
    let mut roster = Roster::linfen();
    let end = at("2023-07-01T00:00+08:00");
    let mut merged = unit("postal", "市邮政管理局", &[]);
    merged.end_time = Some(end);
    merged.successor = Some("units/industry".into());
    let merged = Changed { value: merged, effective_time: at("2023-06-01T00:00+08:00") };
    assert_eq!(crate::admit_unit_change(&roster.book, &merged), Ok(()));
    roster.record(&RosterEvent::UnitChanged(merged), at("2023-06-01T09:00+08:00"));
    assert_eq!(lookup(&roster, "市邮政管理局", "2023-06-30T00:00+08:00").as_deref(), Some("units/postal"));
    assert_eq!(lookup(&roster, "市邮政管理局", "2023-07-01T00:00+08:00").as_deref(), Some("units/industry"));

    let mut living = unit("police", "市公安局", &[]);
    living.successor = Some("units/industry".into());
    let living = Changed { value: living, effective_time: end };
    let refused = crate::admit_unit_change(&roster.book, &living);
    assert_eq!(refused, Err(RosterError::SuccessorOfLiving { unit: "units/police".into() }));
}

#[test]
fn an_official_takes_another_post_and_what_was_known_before_stays() {
    let mut roster = Roster::linfen();
    let change = at("2023-07-01T00:00+08:00");
    let mut head = roster.book.official("officials/water-head").unwrap().clone();
    head.posts[0].end_time = Some(change);
    let mut next = roster.book.official("officials/water-liaison").unwrap().clone();
    next.posts.push(crate::official::Post {
        start_time: Some(change),
        end_time: None,
        ..head.posts[0].clone()
    });
    for official in [head, next] {
        assert_eq!(crate::admit_official_change(&roster.book, &official), Ok(()));
        roster.record(&RosterEvent::OfficialChanged(official), at("2023-06-20T09:00+08:00"));
    }
    let post = Subject::Post("市水利局主要负责人".into());
    let holder = |instant: &str, known_at| {
        resolve(&roster.book, &post, at(instant), known_at).unwrap().accountable.map(|one| one.display_name)
    };
    assert_eq!(holder("2023-06-30T23:59+08:00", Timestamp::MAX).as_deref(), Some("甲"));
    assert_eq!(holder("2023-07-01T00:00+08:00", Timestamp::MAX).as_deref(), Some("乙"));
    assert_eq!(holder("2023-07-01T00:00+08:00", at("2023-06-19T00:00+08:00")).as_deref(), Some("甲"));
}

#[test]
fn a_correction_takes_the_place_of_what_it_corrects_at_any_hour_of_its_day() {
    let mut roster = Roster::linfen();
    let mut corrected = division_12();
    corrected.name = "divisions/corrected".into();
    corrected.effective_time = at("2023-05-13T18:00+08:00");
    corrected.corrects = Some("divisions/no-12".into());
    let recorded = at("2023-05-20T09:00+08:00");
    // 12号 has it from 14 May: a correction of another day is refused.
    let other_day = crate::admit_division(&roster.book, &corrected);
    assert_eq!(other_day, Err(RosterError::CorrectsAnotherDay { corrected: "divisions/no-12".into() }));
    corrected.effective_time = at("2023-05-14T12:00+08:00");
    assert_eq!(crate::admit_division(&roster.book, &corrected), Ok(()));
    roster.record(&RosterEvent::DivisionCreated(corrected.clone()), recorded);
    let in_force = |roster: &Roster, instant: &str, known_at| {
        roster.book.view(at(instant), known_at).division().unwrap().name.clone()
    };
    let before = at("2023-05-20T08:59:59+08:00");
    for (instant, as_known_then, as_known_now) in [
        ("2023-05-14T11:59:59+08:00", "divisions/no-12", "divisions/no-8"),
        ("2023-05-14T12:00+08:00", "divisions/no-12", "divisions/corrected"),
    ] {
        assert_eq!(in_force(&roster, instant, before), as_known_then, "{instant}");
        assert_eq!(in_force(&roster, instant, Timestamp::MAX), as_known_now, "{instant}");
    }

    // One that takes effect earlier on the day is not overtaken by what it corrects.
    corrected.name = "divisions/again".into();
    corrected.corrects = Some("divisions/corrected".into());
    corrected.effective_time = at("2023-05-14T06:00+08:00");
    roster.record(&RosterEvent::DivisionCreated(corrected), recorded);
    assert_eq!(in_force(&roster, "2023-06-01T00:00+08:00", Timestamp::MAX), "divisions/again");
}

#[test]
fn a_correction_of_the_time_ahead_is_refused_like_an_absence() {
    let mut roster = Roster::linfen();
    roster.away("a", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-14T00:00+08:00");
    roster.away("b", "hu-xiaogang", "2023-06-20T00:00+08:00", "2023-06-21T00:00+08:00");
    let times = |start: &str, end: &str| Interval { start: at(start), end: at(end) };
    let correct = |times: Interval, stated: Stated, now: &str| {
        roster.absence("b").correct(&roster.book, times, stated, "改期", at(now))
    };
    let with_a = times("2023-06-10T00:00+08:00", "2023-06-14T00:00+08:00");
    let early = "2023-06-01T09:00+08:00";
    let together = correct(with_a, Stated::default(), early);
    assert!(matches!(together, Err(RosterError::AwayTogether { .. })), "{together:?}");
    let approved = Stated { approval: Some("市长批示".into()), ..Stated::default() };
    assert!(correct(with_a, approved, early).is_ok());
    assert!(correct(with_a, Stated::default(), "2023-06-15T09:00+08:00").is_ok(), "it is over as it was");
    let shorter = times("2023-06-20T08:00+08:00", "2023-06-20T18:00+08:00");
    assert!(correct(shorter, Stated::default(), early).is_ok(), "nothing is added");
}

#[test]
fn absences_that_follow_one_another_count_as_one_for_the_limit() {
    let mut roster = Roster::linfen();
    let limited = crate::division::Division {
        name: "divisions/limited".into(),
        effective_time: at("2023-05-20T00:00+08:00"),
        absence_limit_days: Some(30),
        ..division_12()
    };
    roster.record(&RosterEvent::DivisionCreated(limited), at("2023-05-20T00:00+08:00"));
    roster.away("first", "zhang-xiliang", "2023-06-10T00:00+08:00", "2023-07-10T00:00+08:00");
    let now = at("2023-06-01T09:00+08:00");
    let next = |start: &str| registration("next", "zhang-xiliang", start, "2023-07-20T00:00+08:00");
    let ask = |start: &str| Absence::create(&roster.book, next(start), now).map(|_| ());
    let needed = Err(RosterError::ReassignmentNeeded { limit_days: 30 });
    assert_eq!(ask("2023-07-10T00:00+08:00"), needed);
    assert_eq!(ask("2023-07-10T12:00+08:00"), needed, "half a day between is none");
    assert_eq!(ask("2023-07-11T00:00+08:00"), Ok(()));
}

#[test]
fn a_division_that_was_corrected_is_corrected_no_second_time() {
    let mut roster = Roster::linfen();
    let correction = |name: &str, corrects: &str| crate::division::Division {
        name: format!("divisions/{name}"),
        corrects: Some(format!("divisions/{corrects}")),
        ..division_12()
    };
    let first = correction("first", "no-12");
    assert_eq!(crate::admit_division(&roster.book, &first), Ok(()));
    roster.record(&RosterEvent::DivisionCreated(first), at("2023-05-20T00:00+08:00"));
    let refused = crate::admit_division(&roster.book, &correction("second", "no-12"));
    let (corrected, by) = ("divisions/no-12".to_owned(), "divisions/first".to_owned());
    assert_eq!(refused, Err(RosterError::CorrectedAlready { corrected, by }));
    assert_eq!(crate::admit_division(&roster.book, &correction("second", "first")), Ok(()));
}

#[test]
fn a_division_of_the_past_says_until_when_it_held() {
    let mut roster = Roster::linfen();
    let march = crate::division::Division {
        name: "divisions/late".into(),
        effective_time: at("2023-05-01T00:00+08:00"),
        ..division_12()
    };
    roster.record(&RosterEvent::DivisionCreated(march), at("2023-06-05T09:00+08:00"));
    let told = |name: &str, now: &str| {
        let event = crate::took_effect(&roster.book, name, at(now));
        let Some(RosterEvent::DivisionTookEffect(fact)) = event else { panic!("{event:?}") };
        fact.superseded_time
    };
    assert_eq!(told("divisions/late", "2023-06-05T09:00+08:00"), Some(at("2023-05-14T00:00+08:00")));
    assert_eq!(told("divisions/no-12", "2023-05-14T00:00+08:00"), None);
}

#[test]
fn a_field_is_one_however_it_is_written() {
    let mut division = division_12();
    division.portfolios[1].fields[0].field = "水利方面的工作".into();
    assert!(matches!(division.check(), Err(RosterError::DutyContested { duty, .. }) if duty == "水利"));
}
