//! Absences that are extended or corrected, and what is told of them when.

use domain_roster::RosterEvent;
use xietong_mesh::Code;
use xietong_proto::roster as proto;

use crate::acts::{correct, extend};
use crate::city::{City, at, on_both, time};

on_both!(
    an_extended_absence_ends_once_at_its_new_end,
    a_planned_absence_that_is_extended_begins_and_ends_once,
    an_extension_is_refused_like_a_registration,
    a_repeated_extension_has_one_effect_and_an_outdated_one_none,
    a_correction_leaves_what_was_known_before_it,
    a_start_corrected_into_the_past_is_told_once,
    a_start_corrected_into_the_future_is_told_when_it_comes,
    a_beginning_that_was_told_is_not_told_again_while_the_official_is_away,
    a_beginning_that_was_told_too_early_is_told_when_it_comes,
    an_end_that_was_told_is_told_again_only_when_the_official_was_still_away,
    an_absence_corrected_into_the_past_ends_at_once,
    an_early_return_that_was_wrong_is_corrected,
);

const NINTH: &str = "2023-06-09T09:00:00+08:00";
const TENTH: &str = "2023-06-10T00:00:00+08:00";
const ELEVENTH: &str = "2023-06-11T09:00:00+08:00";
const TWELFTH: &str = "2023-06-12T00:00:00+08:00";
const FIFTEENTH: &str = "2023-06-15T00:00:00+08:00";
const JULY: &str = "2023-07-15T00:00:00+08:00";

/// 乔飞鸿 is away from the 10th to the 12th.
async fn away(city: City) -> (City, String) {
    let city = city.with_division().await;
    let name = city.away("qiao-feihong", TENTH, TWELFTH).await.unwrap().name;
    (city, name)
}

async fn last_end(city: &City, name: &str) -> (domain_calendar::Timestamp, bool) {
    let events = city.events(name).await;
    let event = events.last().unwrap();
    match RosterEvent::from_payload(&event.event_type, &event.payload).unwrap() {
        Some(RosterEvent::AbsenceEnded(ended)) => (ended.end_time, ended.early),
        other => panic!("{other:?}"),
    }
}

async fn an_extended_absence_ends_once_at_its_new_end(city: City) {
    let (city, name) = away(city).await;
    city.advance(ELEVENTH).await;
    let extended = city.extend(extend(&name, FIFTEENTH)).await.unwrap();
    assert_eq!(extended.end_time, Some(time(FIFTEENTH)));
    assert_eq!(extended.registered_end_time, Some(time(TWELFTH)));
    assert_eq!(extended.state(), proto::AbsenceState::Active);
    assert_eq!(city.get_absence(&name).await, extended);
    city.advance(TWELFTH).await;
    assert_eq!(city.told(&name).await, ["created", "started", "extended"], "the old end says nothing");
    assert_eq!(city.who("units/water", "2023-06-14T23:59:59.999999+08:00").await.1, "王渊");
    assert_eq!(city.who("units/water", FIFTEENTH).await.1, "乔飞鸿");
    let before = city.who_as_known("units/water", "2023-06-13T09:00:00+08:00", Some(NINTH)).await;
    assert_eq!(before.1, "乔飞鸿", "it was not yet known");

    let city = city.restarted().await;
    city.advance("2023-06-14T23:59:59.999999+08:00").await;
    assert_eq!(city.told(&name).await.len(), 3);
    for instant in [FIFTEENTH, JULY] {
        city.advance(instant).await;
        assert_eq!(city.told(&name).await, ["created", "started", "extended", "ended"]);
    }
    assert_eq!(last_end(&city, &name).await, (at(FIFTEENTH), false));
    xietong_events::verify_chain(&city.events(&name).await).unwrap();
    assert_eq!(city.extend(extend(&name, JULY)).await.unwrap_err().reason(), "ABSENCE_OVER");
}

async fn a_planned_absence_that_is_extended_begins_and_ends_once(city: City) {
    let (city, name) = away(city).await;
    city.extend(extend(&name, "2023-06-13T00:00:00+08:00")).await.unwrap();
    city.extend(extend(&name, FIFTEENTH)).await.unwrap();
    city.advance(TWELFTH).await;
    assert_eq!(city.told(&name).await, ["created", "extended", "extended", "started"]);
    city.advance(JULY).await;
    assert_eq!(city.told(&name).await, ["created", "extended", "extended", "started", "ended"]);
    assert_eq!(last_end(&city, &name).await, (at(FIFTEENTH), false));
}

async fn an_extension_is_refused_like_a_registration(city: City) {
    let (city, name) = away(city).await;
    let next = city.away("qiao-feihong", "2023-06-20T00:00:00+08:00", "2023-06-22T00:00:00+08:00");
    let next = next.await.unwrap();
    city.away("wang-yuan", "2023-06-13T00:00:00+08:00", "2023-06-14T00:00:00+08:00").await.unwrap();
    let earlier = city.extend(extend(&name, TWELFTH)).await.unwrap_err();
    assert_eq!((earlier.code(), earlier.reason()), (Code::FailedPrecondition, "END_NOT_LATER"));
    let overlapping = city.extend(extend(&name, "2023-06-21T00:00:00+08:00")).await.unwrap_err();
    assert_eq!(overlapping.reason(), "ABSENCE_OVERLAPS");
    assert_eq!(overlapping.metadata()["absence"], next.name);
    let together = city.extend(extend(&name, FIFTEENTH)).await.unwrap_err();
    assert_eq!(together.reason(), "AWAY_TOGETHER");
    assert_eq!(city.told(&name).await, ["created"]);
    let approved = proto::ExtendAbsenceRequest {
        approval: "市长批示〔2023〕6号".into(),
        ..extend(&name, FIFTEENTH)
    };
    assert_eq!(city.extend(approved).await.unwrap().approval, "市长批示〔2023〕6号");
    let unknown = city.extend(extend("absences/none", FIFTEENTH)).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    // What was refused has moved no timer.
    city.advance(JULY).await;
    assert_eq!(city.told(&name).await, ["created", "extended", "started", "ended"]);
}

async fn a_repeated_extension_has_one_effect_and_an_outdated_one_none(city: City) {
    let (city, name) = away(city).await;
    let request = || proto::ExtendAbsenceRequest {
        etag: "v1".into(),
        request_id: "extension-1".into(),
        ..extend(&name, FIFTEENTH)
    };
    let first = city.extend(request()).await.unwrap();
    assert_eq!(first.etag, "v2");
    assert_eq!(city.extend(request()).await.unwrap(), first);
    let other = proto::ExtendAbsenceRequest { end_time: Some(time(JULY)), ..request() };
    assert_eq!(city.extend(other).await.unwrap_err().reason(), "REQUEST_ID_REUSED");
    let outdated = proto::ExtendAbsenceRequest { request_id: String::new(), ..request() };
    assert_eq!(city.extend(outdated).await.unwrap_err().reason(), "ETAG_MISMATCH");
    let outdated = proto::CorrectAbsenceRequest { etag: "v1".into(), ..correct(&name, TENTH, TWELFTH) };
    assert_eq!(city.correct(outdated).await.unwrap_err().reason(), "ETAG_MISMATCH");
    assert_eq!(city.told(&name).await, ["created", "extended"]);
}

async fn a_correction_leaves_what_was_known_before_it(city: City) {
    let (city, name) = away(city).await;
    city.advance("2023-06-20T09:00:00+08:00").await;
    let noon = "2023-06-09T12:00:00+08:00";
    let corrected = city.correct(correct(&name, noon, "2023-06-11T00:00:00+08:00")).await.unwrap();
    assert_eq!(corrected.start_time, Some(time(noon)));
    assert_eq!(corrected.registered_end_time, Some(time(TWELFTH)));
    let before = Some("2023-06-20T08:59:59+08:00");
    let city = city.restarted().await;
    for (instant, as_known_then, as_known_now) in [
        ("2023-06-09T18:00:00+08:00", "乔飞鸿", "王渊"),
        ("2023-06-10T18:00:00+08:00", "王渊", "王渊"),
        ("2023-06-11T18:00:00+08:00", "王渊", "乔飞鸿"),
    ] {
        assert_eq!(city.who_as_known("units/water", instant, before).await.1, as_known_then, "{instant}");
        assert_eq!(city.who("units/water", instant).await.1, as_known_now, "{instant}");
    }
    city.advance(JULY).await;
    assert_eq!(city.told(&name).await, ["created", "started", "ended", "corrected"]);
    let unreasoned = proto::CorrectAbsenceRequest { reason: " ".into(), ..correct(&name, TENTH, TWELFTH) };
    assert_eq!(city.correct(unreasoned).await.unwrap_err().violations()[0].field, "reason");
    let backwards = city.correct(correct(&name, TWELFTH, TENTH)).await.unwrap_err();
    assert_eq!(backwards.violations()[0].field, "end_time");
    let cancelled = city.away("qiao-feihong", JULY, "2023-07-20T00:00:00+08:00").await.unwrap();
    // It begins this very instant, so it is no plan any more.
    assert_eq!(city.cancel(&cancelled.name, "").await.unwrap_err().reason(), "ABSENCE_NOT_PLANNED");
}

async fn a_start_corrected_into_the_past_is_told_once(city: City) {
    let (city, name) = away(city).await;
    city.advance(NINTH).await;
    let corrected = city.correct(correct(&name, "2023-06-08T00:00:00+08:00", TWELFTH)).await.unwrap();
    assert_eq!(corrected.state(), proto::AbsenceState::Active);
    for instant in [NINTH, TENTH, ELEVENTH] {
        city.advance(instant).await;
        assert_eq!(city.told(&name).await, ["created", "corrected", "started"], "{instant}");
    }
    city.advance(JULY).await;
    assert_eq!(city.told(&name).await, ["created", "corrected", "started", "ended"]);
}

async fn a_start_corrected_into_the_future_is_told_when_it_comes(city: City) {
    let (city, name) = away(city).await;
    city.advance(NINTH).await;
    city.correct(correct(&name, ELEVENTH, FIFTEENTH)).await.unwrap();
    city.advance("2023-06-11T08:59:59.999999+08:00").await;
    assert_eq!(city.told(&name).await, ["created", "corrected"], "the old start says nothing");
    for instant in [ELEVENTH, TWELFTH] {
        city.advance(instant).await;
        assert_eq!(city.told(&name).await, ["created", "corrected", "started"], "{instant}");
    }
    city.advance(JULY).await;
    assert_eq!(city.told(&name).await, ["created", "corrected", "started", "ended"]);
    assert_eq!(last_end(&city, &name).await, (at(FIFTEENTH), false));
}

async fn a_beginning_that_was_told_is_not_told_again_while_the_official_is_away(city: City) {
    let (city, name) = away(city).await;
    city.advance(ELEVENTH).await;
    for start in ["2023-06-09T00:00:00+08:00", "2023-06-11T08:00:00+08:00"] {
        city.correct(correct(&name, start, TWELFTH)).await.unwrap();
        city.advance(ELEVENTH).await;
    }
    let city = city.restarted().await;
    city.advance(JULY).await;
    assert_eq!(city.told(&name).await, ["created", "started", "corrected", "corrected", "ended"]);
}

/// Whoever acts was told of a beginning that was none, and has to be told of the real one.
async fn a_beginning_that_was_told_too_early_is_told_when_it_comes(city: City) {
    let (city, name) = away(city).await;
    city.advance("2023-06-10T09:00:00+08:00").await;
    let planned = city.correct(correct(&name, ELEVENTH, FIFTEENTH)).await.unwrap();
    assert_eq!(planned.state(), proto::AbsenceState::Planned);
    assert_eq!(city.who("units/water", "2023-06-10T12:00:00+08:00").await.1, "乔飞鸿");
    let city = city.restarted().await;
    city.advance("2023-06-11T08:59:59.999999+08:00").await;
    assert_eq!(city.told(&name).await, ["created", "started", "corrected"]);
    city.advance(ELEVENTH).await;
    city.advance(JULY).await;
    assert_eq!(city.told(&name).await, ["created", "started", "corrected", "started", "ended"]);
}

async fn an_end_that_was_told_is_told_again_only_when_the_official_was_still_away(city: City) {
    let (city, name) = away(city).await;
    city.advance("2023-06-13T09:00:00+08:00").await;
    city.correct(correct(&name, TENTH, ELEVENTH)).await.unwrap();
    city.advance("2023-06-13T10:00:00+08:00").await;
    assert_eq!(city.told(&name).await, ["created", "started", "ended", "corrected"]);
    let active = city.correct(correct(&name, TENTH, FIFTEENTH)).await.unwrap();
    assert_eq!(active.state(), proto::AbsenceState::Active);
    city.advance(JULY).await;
    assert_eq!(city.told(&name).await, ["created", "started", "ended", "corrected", "corrected", "ended"]);
    assert_eq!(last_end(&city, &name).await, (at(FIFTEENTH), false));
}

async fn an_absence_corrected_into_the_past_ends_at_once(city: City) {
    let (city, name) = away(city).await;
    city.advance(NINTH).await;
    let (start, end) = ("2023-06-08T00:00:00+08:00", "2023-06-09T00:00:00+08:00");
    assert_eq!(city.correct(correct(&name, start, end)).await.unwrap().state(), proto::AbsenceState::Ended);
    for instant in [NINTH, JULY] {
        city.advance(instant).await;
        assert_eq!(city.told(&name).await, ["created", "corrected", "started", "ended"], "{instant}");
    }
    assert_eq!(last_end(&city, &name).await, (at(end), false));
}

async fn an_early_return_that_was_wrong_is_corrected(city: City) {
    let (city, name) = away(city).await;
    city.advance(ELEVENTH).await;
    assert_eq!(city.end(&name, "").await.unwrap().end_time, Some(time(ELEVENTH)));
    assert_eq!(last_end(&city, &name).await, (at(ELEVENTH), true));
    city.correct(correct(&name, TENTH, FIFTEENTH)).await.unwrap();
    assert_eq!(city.who("units/water", "2023-06-14T09:00:00+08:00").await.1, "王渊");
    city.advance(JULY).await;
    assert_eq!(city.told(&name).await, ["created", "started", "ended", "corrected", "ended"]);
    assert_eq!(last_end(&city, &name).await, (at(FIFTEENTH), false));
}
