//! Whoever writes at the same time: one wins, and the others are told why not.

use tokio::task::JoinSet;
use xietong_mesh::Code;
use xietong_proto::roster as proto;
use xietong_timers::Worker;

use crate::acts::{correct, extend, renamed, update_unit};
use crate::city::{City, absence, at, division_12, on_both, refused, time};

on_both!(
    of_two_hundred_overlapping_absences_one_is_registered,
    of_two_hundred_divisions_of_one_day_one_is_recorded,
    of_two_hundred_corrections_of_one_division_one_is_recorded,
    of_two_hundred_changes_of_one_version_one_is_made,
    what_is_told_while_its_times_are_corrected_is_told_once,
);

const WRITERS: u32 = 200;

/// The reasons of those that were refused.
async fn outcomes(mut writers: JoinSet<Result<(), tonic::Status>>) -> Vec<String> {
    let mut refusals = Vec::new();
    while let Some(written) = writers.join_next().await {
        if let Err(status) = written.unwrap() {
            let error = refused(status);
            assert!(matches!(error.code(), Code::FailedPrecondition | Code::Aborted), "{error}");
            refusals.push(error.reason().to_owned());
        }
    }
    refusals
}

async fn of_two_hundred_overlapping_absences_one_is_registered(city: City) {
    let city = city.with_division().await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let start = format!("2023-06-{:02}T{:02}:00:00+08:00", 1 + writer / 24, writer % 24);
        let away = absence("qiao-feihong", &start, "2023-06-20T00:00:00+08:00");
        let request = proto::CreateAbsenceRequest { absence: Some(away), request_id: String::new() };
        let (mut roster, request) = (city.roster(), city.admin(request));
        writers.spawn(async move { roster.create_absence(request).await.map(|_| ()) });
    }
    let refusals = outcomes(writers).await;
    assert_eq!(refusals, vec!["ABSENCE_OVERLAPS"; 199]);
    let request = proto::ListAbsencesRequest::default();
    let listed = city.roster().list_absences(city.clerk(request)).await.unwrap().into_inner();
    assert_eq!(listed.absences.len(), 1);
    assert_eq!(city.history(&listed.absences[0].name).await, ["roster.absence.created"]);
}

async fn of_two_hundred_divisions_of_one_day_one_is_recorded(city: City) {
    let city = city.with_directory().await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let effective = format!("2023-05-14T{:02}:{:02}:00+08:00", writer % 24, writer / 24);
        let division = proto::Division { effective_time: Some(time(&effective)), ..division_12() };
        let request = proto::CreateDivisionRequest { division: Some(division), ..Default::default() };
        let (mut roster, request) = (city.roster(), city.admin(request));
        writers.spawn(async move { roster.create_division(request).await.map(|_| ()) });
    }
    let refusals = outcomes(writers).await;
    assert_eq!(refusals, vec!["EFFECTIVE_DAY_TAKEN"; 199]);
    let request = proto::ListDivisionsRequest::default();
    let listed = city.roster().list_divisions(city.clerk(request)).await.unwrap().into_inner();
    assert_eq!(listed.divisions.len(), 1);
}

async fn of_two_hundred_corrections_of_one_division_one_is_recorded(city: City) {
    let city = city.with_directory().await;
    let corrects = city.divide(division_12()).await.unwrap().name;
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let division = proto::Division { corrects: corrects.clone(), ..division_12() };
        let request = proto::CreateDivisionRequest { division: Some(division), ..Default::default() };
        let (mut roster, request) = (city.roster(), city.admin(request));
        writers.spawn(async move { roster.create_division(request).await.map(|_| ()) });
    }
    assert_eq!(outcomes(writers).await, vec!["CORRECTED_ALREADY"; 199]);
}

async fn of_two_hundred_changes_of_one_version_one_is_made(city: City) {
    let city = city.with_division().await;
    let away = city.away("qiao-feihong", "2023-06-10T00:00:00+08:00", "2023-06-12T00:00:00+08:00");
    let name = away.await.unwrap().name;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        if writer % 2 == 0 {
            let unit =
                proto::Unit { etag: "v1".into(), ..renamed("water", &format!("市水务局{writer}")) };
            let request = city.admin(update_unit(unit, &["display_name"], None));
            let mut directory = city.directory();
            writers.spawn(async move { directory.update_unit(request).await.map(|_| ()) });
        } else {
            let request = proto::ExtendAbsenceRequest {
                etag: "v1".into(),
                ..extend(&name, "2023-06-15T00:00:00+08:00")
            };
            let (mut roster, request) = (city.roster(), city.admin(request));
            writers.spawn(async move { roster.extend_absence(request).await.map(|_| ()) });
        }
    }
    let refusals = outcomes(writers).await;
    assert_eq!(refusals, vec!["ETAG_MISMATCH"; 198]);
    assert_eq!(city.history("units/water").await.len(), 2);
    assert_eq!(city.history(&name).await, ["roster.absence.created", "roster.absence.extended"]);
}

/// Timers fire while their moments are being moved: none is lost, and none has its effect twice.
async fn what_is_told_while_its_times_are_corrected_is_told_once(city: City) {
    let city = city.with_division().await;
    let start = "2023-06-10T00:00:00+08:00";
    let name = city.away("qiao-feihong", start, "2023-06-12T00:00:00+08:00").await.unwrap().name;
    city.clock.set(at(start));
    let mut writers = JoinSet::new();
    for writer in 0..100 {
        let timers = city.service.timers.clone().unwrap();
        writers.spawn(async move {
            timers.turn().await.unwrap();
            Ok(())
        });
        let end = format!("2023-06-{:02}T00:00:00+08:00", 11 + writer % 10);
        let (mut roster, request) = (city.roster(), city.admin(correct(&name, start, &end)));
        writers.spawn(async move { roster.correct_absence(request).await.map(|_| ()) });
    }
    assert_eq!(outcomes(writers).await, Vec::<String>::new());
    city.advance("2023-07-01T00:00:00+08:00").await;
    let told = city.told(&name).await;
    let count = |what: &str| told.iter().filter(|one| *one == what).count();
    assert_eq!((count("started"), count("corrected"), count("ended")), (1, 100, 1));
    assert_eq!(told.last().map(String::as_str), Some("ended"));
}

/// As above among two processes, which only PostgreSQL has to serve.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_register_one_of_overlapping_absences() {
    let city = City::postgres().await.with_division().await;
    let replica = city.replica().await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let place = if writer % 2 == 0 { &city } else { &replica };
        let away = absence("qiao-feihong", "2023-06-10T00:00:00+08:00", "2023-06-20T00:00:00+08:00");
        let request = proto::CreateAbsenceRequest { absence: Some(away), request_id: String::new() };
        let (mut roster, request) = (place.roster(), place.admin(request));
        writers.spawn(async move { roster.create_absence(request).await.map(|_| ()) });
    }
    assert_eq!(outcomes(writers).await, vec!["ABSENCE_OVERLAPS"; 199]);
}

/// The clock of whoever writes later may be behind: what was asked as known at an instant must not
/// be answered otherwise by what is recorded after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_replica_with_a_slow_clock_records_is_no_older_than_what_was_recorded_before() {
    let city = City::postgres().await.with_division().await;
    let slow = city.replica().await;
    city.advance("2023-05-02T09:00:00+08:00").await;
    let away = city.away("qiao-feihong", "2023-06-10T00:00:00+08:00", "2023-06-12T00:00:00+08:00");
    let name = away.await.unwrap().name;
    slow.extend(extend(&name, "2023-06-15T00:00:00+08:00")).await.unwrap();
    let recorded = city.events(&name).await;
    let recorded: Vec<_> = recorded.iter().map(|event| event.occurred_at).collect();
    assert_eq!(recorded, [at("2023-05-02T09:00:00+08:00"); 2]);
}
