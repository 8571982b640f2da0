//! By which authority somebody acts, what is done by it, and how whoever is back learns of it.

use domain_roster::{ActsTold, RosterEvent};
use tonic::Response;
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Code, Error};
use xietong_proto::roster as proto;

use crate::acts::correct;
use crate::city::{City, at, on_both, refused, time};
use crate::log::SupervisionLog;

on_both!(
    authorities_are_listed_by_who_acts_for_whom_and_when,
    what_was_done_is_told_once_with_the_end_and_acknowledged,
    what_is_heard_of_later_is_told_later_and_opens_the_digest_again,
    a_bulletin_that_was_signed_is_one_act_in_the_digest,
    an_act_decided_before_the_return_was_known_is_marked_and_in_the_digest,
    a_start_that_is_corrected_puts_no_rightful_act_beyond_its_authority,
    what_a_secretary_enters_while_the_leader_is_there_is_in_no_digest,
    a_digest_is_read_by_its_own_and_by_overseers_and_acknowledged_by_its_own_alone,
    acts_that_arrive_change_the_etag,
);

const START: &str = "2023-06-10T00:00:00+08:00";
const DURING: &str = "2023-06-11T09:00:00+08:00";
const END: &str = "2023-06-12T00:00:00+08:00";
const LATER: &str = "2023-06-12T09:00:00+08:00";
/// The unit's head, deputy mayors, nobody.
const A: &str = "cui-yuanbin";

/// A city in which 崔元斌 is away and 胡晓刚 has an account; its absence, and its authority.
async fn away(city: City) -> (City, SupervisionLog, String, String) {
    let (city, log) = city.with_division().await.follow_supervision().await;
    let account = proto::Account {
        subject: "hu".into(),
        official: "officials/hu-xiaogang".into(),
        roles: vec![proto::RoleBinding { role: proto::Role::Leader.into(), ..Default::default() }],
        ..Default::default()
    };
    let request = proto::CreateAccountRequest { account: Some(account), ..Default::default() };
    city.directory().create_account(city.admin(request)).await.unwrap();
    let absence = city.away(A, START, END).await.unwrap().name;
    city.advance(DURING).await;
    let held = authorities(&city, proto::ListActingAuthoritiesRequest::default()).await;
    let [held] = held.as_slice() else { panic!("{held:?}") };
    (city, log, absence, held.name.clone())
}

async fn authorities(
    city: &City,
    request: proto::ListActingAuthoritiesRequest,
) -> Vec<proto::ActingAuthority> {
    let listed = city.acting().list_acting_authorities(city.clerk(request)).await.unwrap();
    listed.into_inner().acting_authorities
}

async fn digest(city: &City, absence: &str) -> proto::GetAbsenceDigestResponse {
    let request = proto::GetAbsenceDigestRequest { name: absence.into(), ..Default::default() };
    let request = city.official_as(A, Role::Leader, request);
    city.acting().get_absence_digest(request).await.unwrap().into_inner()
}

async fn acknowledge(city: &City, absence: &str, etag: &str) -> Result<proto::Absence, Error> {
    let request = proto::AcknowledgeAbsenceRequest {
        name: absence.into(),
        etag: etag.into(),
        request_id: String::new(),
    };
    let answer = city.acting().acknowledge_absence(city.official_as(A, Role::Leader, request)).await;
    answer.map(Response::into_inner).map_err(refused)
}

/// Names of the absences whose digest is open, as an official sees them.
async fn open(city: &City, official: &str, role: Role) -> Vec<String> {
    let request = proto::ListAbsencesRequest { unacknowledged: true, ..Default::default() };
    let listed = city.roster().list_absences(city.official_as(official, role, request)).await.unwrap();
    listed.into_inner().absences.into_iter().map(|absence| absence.name).collect()
}

/// What was told of acts, event by event.
async fn told(city: &City, absence: &str) -> Vec<(String, Option<ActsTold>)> {
    let events = city.events(absence).await.into_iter().filter_map(|event| {
        let known = RosterEvent::from_payload(&event.event_type, &event.payload).unwrap().unwrap();
        let acts = match known {
            RosterEvent::AbsenceEnded(ended) => ended.acts,
            RosterEvent::AbsenceActsArrived(arrived) => Some(arrived.acts),
            _ => return None,
        };
        Some((event.event_type, acts))
    });
    events.collect()
}

async fn authorities_are_listed_by_who_acts_for_whom_and_when(city: City) {
    let (city, _log, absence, name) = away(city).await;
    let all = proto::ListActingAuthoritiesRequest::default;
    let held = authorities(&city, all()).await.remove(0);
    assert_eq!(held.name, format!("{absence}/authorities/{}-0", at(START).as_micros()));
    assert_eq!((held.start_time, held.end_time), (Some(time(START)), Some(time(END))));
    assert_eq!(
        (held.official.as_str(), held.acting_display_name.as_str()),
        ("officials/cui-yuanbin", "胡晓刚")
    );
    assert_eq!(held.rule, "standing_b");
    assert!(held.basis.contains("B角"), "{}", held.basis);
    let at = |instant: &str| proto::ListActingAuthoritiesRequest { at: Some(time(instant)), ..all() };
    let names = async |request| -> Vec<String> {
        authorities(&city, request).await.into_iter().map(|one| one.name).collect()
    };
    assert_eq!(names(at("2023-06-11T23:59:59.999999+08:00")).await, std::slice::from_ref(&name));
    assert_eq!(names(at(END)).await, [""; 0]);
    let official = |official: &str| format!("officials/{official}");
    for (a, b, found) in [
        (official(A), String::new(), true),
        (String::new(), official("hu-xiaogang"), true),
        (official(A), official("hu-xiaogang"), true),
        (official("hu-xiaogang"), String::new(), false),
        (official(A), official("wang-yuan"), false),
    ] {
        let request = proto::ListActingAuthoritiesRequest { official: a, acting_official: b, ..all() };
        assert_eq!(!names(request.clone()).await.is_empty(), found, "{request:?}");
    }
    city.advance(LATER).await;
    assert_eq!(names(all()).await, [""; 0]);
    let of_absence = |absence: &str| proto::ListActingAuthoritiesRequest { absence: absence.into(), ..all() };
    assert_eq!(names(of_absence(&absence)).await, [name]);
    let none = city.acting().list_acting_authorities(city.clerk(of_absence("absences/none"))).await;
    assert_eq!(refused(none.unwrap_err()).code(), Code::NotFound);
}

async fn what_was_done_is_told_once_with_the_end_and_acknowledged(city: City) {
    let (city, log, absence, authority) = away(city).await;
    assert_eq!(acknowledge(&city, &absence, "").await.unwrap_err().reason(), "ABSENCE_NOT_ENDED");
    for minute in 0..7 {
        log.verified(A, &authority, at(&format!("2023-06-11T09:{minute:02}:00+08:00"))).await;
    }
    log.act(None, None, at(DURING)).await;
    city.hear().await;
    assert_eq!(city.get_absence(&absence).await.acting_act_count, 7, "a striking-off is no act of its own");
    assert_eq!(open(&city, A, Role::Leader).await, [""; 0], "he is away");
    city.advance(LATER).await;
    city.hear().await;
    let told = told(&city, &absence).await;
    let [(kind, Some(acts))] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((kind.as_str(), acts.count, acts.entries.len()), ("roster.absence.ended", 7, 5));
    assert_eq!(acts.entries[0].description, "《水库排查》（台账第1号）：核验通过市水利局的办理结果");
    assert_eq!(acts.entries[0].acting.as_deref(), Some("officials/hu-xiaogang"));

    assert_eq!(open(&city, A, Role::Leader).await, std::slice::from_ref(&absence));
    let digest = digest(&city, &absence).await;
    let numbers: Vec<i64> = digest.acts.iter().map(|act| act.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
    let first = &digest.acts[0];
    assert_eq!((first.actor.as_str(), first.acting_display_name.as_str()), ("hu", "胡晓刚"));
    assert_eq!(
        (first.producer.as_str(), first.position, first.authority.as_str()),
        ("supervision", 1, authority.as_str())
    );
    assert!(!first.beyond_authority);
    assert!(first.ground.contains("行使职权"), "{}", first.ground);
    let done = acknowledge(&city, &absence, &digest.absence.unwrap().etag).await.unwrap();
    assert_eq!((done.acknowledged_act_count, done.unacknowledged), (7, false));
    assert_eq!(done.acknowledge_time, Some(time(LATER)));
    assert_eq!(open(&city, A, Role::Leader).await, [""; 0]);
    assert_eq!(acknowledge(&city, &absence, "").await.unwrap_err().reason(), "NOTHING_TO_ACKNOWLEDGE");
    assert_eq!(city.history(&absence).await.last().unwrap(), "roster.absence.acknowledged");
}

async fn a_bulletin_that_was_signed_is_one_act_in_the_digest(city: City) {
    let (city, log, absence, authority) = away(city).await;
    log.signed_bulletin(A, &authority, at(DURING)).await;
    city.hear().await;
    city.advance(LATER).await;
    let acts = digest(&city, &absence).await.acts;
    let descriptions: Vec<&str> = acts.iter().map(|act| act.description.as_str()).collect();
    assert_eq!(descriptions, ["签发《六月通报》（督通〔2023〕1号）"]);
}

async fn what_is_heard_of_later_is_told_later_and_opens_the_digest_again(city: City) {
    let (city, log, absence, authority) = away(city).await;
    log.verified(A, &authority, at(DURING)).await;
    city.advance(LATER).await;
    assert_eq!(told(&city, &absence).await, [("roster.absence.ended".to_owned(), None)]);
    city.hear().await;
    acknowledge(&city, &absence, "").await.unwrap();
    log.verified(A, &authority, at("2023-06-11T10:00:00+08:00")).await;
    city.hear().await;
    city.advance("2023-06-13T09:00:00+08:00").await;
    let counts: Vec<(String, i64)> = told(&city, &absence)
        .await
        .into_iter()
        .map(|(kind, acts)| (kind, acts.map_or(0, |acts| acts.count)))
        .collect();
    let arrived = || "roster.absence.acts_arrived".to_owned();
    assert_eq!(counts, [("roster.absence.ended".to_owned(), 0), (arrived(), 1), (arrived(), 1)]);
    let shown = city.get_absence(&absence).await;
    assert_eq!((shown.acting_act_count, shown.acknowledged_act_count, shown.unacknowledged), (2, 1, true));
    assert_eq!(open(&city, A, Role::Leader).await, std::slice::from_ref(&absence));
    acknowledge(&city, &absence, "").await.unwrap();
    assert_eq!(open(&city, A, Role::Leader).await, [""; 0]);
}

async fn an_act_decided_before_the_return_was_known_is_marked_and_in_the_digest(city: City) {
    let (city, log, absence, authority) = away(city).await;
    log.verified(A, &authority, at("2023-06-11T08:59:59.999999+08:00")).await;
    city.end(&absence, "").await.unwrap();
    for late in [DURING, "2023-06-11T09:00:01+08:00"] {
        log.verified(A, &authority, at(late)).await;
    }
    city.hear().await;
    let marked = |digest: proto::GetAbsenceDigestResponse| -> Vec<bool> {
        digest.acts.iter().map(|act| act.beyond_authority).collect()
    };
    assert_eq!(marked(digest(&city, &absence).await), [false, true, true]);
    // A correction says that he came back later after all.
    let corrected = city.admin(correct(&absence, START, END));
    city.roster().correct_absence(corrected).await.unwrap();
    assert_eq!(marked(digest(&city, &absence).await), [false, false, false]);
}

async fn what_a_secretary_enters_while_the_leader_is_there_is_in_no_digest(city: City) {
    let (city, log, absence, _) = away(city).await;
    let by_mandate = || Some("秘书代录".to_owned());
    log.act(Some(A), by_mandate(), at("2023-06-09T23:59:59.999999+08:00")).await;
    log.act(Some(A), by_mandate(), at(START)).await;
    log.act(Some(A), by_mandate(), at(END)).await;
    city.hear().await;
    let acts = digest(&city, &absence).await.acts;
    assert_eq!(acts.iter().map(|act| act.occur_time).collect::<Vec<_>>(), [Some(time(START))]);
}

async fn a_digest_is_read_by_its_own_and_by_overseers_and_acknowledged_by_its_own_alone(city: City) {
    let (city, log, absence, authority) = away(city).await;
    log.verified(A, &authority, at(DURING)).await;
    city.hear().await;
    city.advance(LATER).await;
    let request = |name: &str| proto::GetAbsenceDigestRequest { name: name.into(), ..Default::default() };
    let read = async |official: &str, role, name: &str| {
        let answer = city.acting().get_absence_digest(city.official_as(official, role, request(name))).await;
        answer.map(|answer| answer.into_inner().acts.len()).map_err(|status| refused(status).code())
    };
    for role in [Role::Supervisor, Role::Auditor, Role::Administrator] {
        assert_eq!(read("wang-yuan", role, &absence).await, Ok(1));
        assert_eq!(read("wang-yuan", role, "absences/none").await, Err(Code::NotFound));
        assert_eq!(open(&city, "wang-yuan", role).await, std::slice::from_ref(&absence));
    }
    assert_eq!(read(A, Role::Leader, &absence).await, Ok(1));
    for role in [Role::Leader, Role::UnitApprover, Role::UnitClerk, Role::Secretary] {
        for name in [absence.as_str(), "absences/none"] {
            assert_eq!(read("hu-xiaogang", role, name).await, Err(Code::PermissionDenied), "{role:?}");
        }
        assert_eq!(open(&city, "hu-xiaogang", role).await, [""; 0]);
    }
    for (official, role) in [("hu-xiaogang", Role::Leader), ("wang-yuan", Role::Supervisor)] {
        let request = proto::AcknowledgeAbsenceRequest { name: absence.clone(), ..Default::default() };
        let other = city.acting().acknowledge_absence(city.official_as(official, role, request)).await;
        assert_eq!(refused(other.unwrap_err()).code(), Code::PermissionDenied);
    }
    let nobody = city.of("none", vec![Grant::of(Role::Leader)], request(&absence));
    let nobody = city.acting().get_absence_digest(nobody).await.unwrap_err();
    assert_eq!(refused(nobody).code(), Code::PermissionDenied);
}

async fn acts_that_arrive_change_the_etag(city: City) {
    let (city, log, absence, authority) = away(city).await;
    log.verified(A, &authority, at(DURING)).await;
    city.hear().await;
    let seen = city.get_absence(&absence).await.etag;
    log.verified(A, &authority, at(DURING)).await;
    city.hear().await;
    city.advance(LATER).await;
    assert_eq!(acknowledge(&city, &absence, &seen).await.unwrap_err().code(), Code::Aborted);
    let seen = digest(&city, &absence).await.absence.unwrap();
    assert_eq!(acknowledge(&city, &absence, &seen.etag).await.unwrap().acknowledged_act_count, 2);
}

async fn a_start_that_is_corrected_puts_no_rightful_act_beyond_its_authority(city: City) {
    let (city, log, absence, authority) = away(city).await;
    log.verified(A, &authority, at(DURING)).await;
    city.hear().await;
    let beyond = async || -> Vec<bool> {
        digest(&city, &absence).await.acts.iter().map(|act| act.beyond_authority).collect()
    };
    for (start, marked) in [
        (START, false),
        ("2023-06-09T00:00:00+08:00", false),
        ("2023-06-11T08:00:00+08:00", false),
        ("2023-06-11T10:00:00+08:00", true),
    ] {
        city.correct(correct(&absence, start, END)).await.unwrap();
        assert_eq!(beyond().await, [marked], "{start}");
    }
}
