//! No input is ever answered with a fault of ours.

use proptest::prelude::*;
use prost_types::Timestamp as ProtoTimestamp;
use xietong_mesh::{Code, Error};
use xietong_proto::roster as proto;

use crate::acts::extend;
use crate::city::{City, absence, create_unit, on_both, refused};

on_both!(
    malformed_units_are_refused_with_the_field,
    malformed_officials_and_accounts_are_refused_with_the_field,
    impossible_times_are_refused_with_the_field,
    malformed_pages_names_and_request_ids_are_refused,
);

fn violates(status: tonic::Status, field: &str) -> Error {
    let error = refused(status);
    assert_eq!(error.code(), Code::InvalidArgument, "{error}");
    assert_eq!(error.violations()[0].field, field, "{error}");
    assert!(!error.chinese().is_empty());
    error
}

async fn malformed_units_are_refused_with_the_field(city: City) {
    let refuse = async |field: &str, slug: &str, change: fn(&mut proto::Unit)| {
        let mut request = create_unit(slug, "市水利局", &[]);
        request.unit.as_mut().map(change);
        violates(city.directory().create_unit(city.admin(request)).await.unwrap_err(), field);
    };
    refuse("unit.display_name", "water", |unit| unit.display_name = "市\0水利局".into()).await;
    refuse("unit.display_name", "water", |unit| unit.display_name = "水".repeat(201)).await;
    refuse("unit.display_name", "water", |unit| unit.display_name = "  ".into()).await;
    refuse("unit.aliases", "water", |unit| unit.aliases = vec![String::from("水"); 501]).await;
    refuse("unit.kind", "water", |unit| unit.kind = 0).await;
    refuse("unit.kind", "water", |unit| unit.kind = 77).await;
    refuse("unit", "water", |unit| unit.parent = "moon".into()).await;
    refuse("division_code", "water", |unit| unit.division_code = "一四一".into()).await;
    refuse("unit", "W", |_| ()).await;
    refuse("unit", "a/../b", |_| ()).await;
    refuse("unit_id", "", |_| ()).await;
    let empty = proto::CreateUnitRequest { unit_id: "water".into(), ..Default::default() };
    violates(city.directory().create_unit(city.admin(empty)).await.unwrap_err(), "unit");
}

async fn malformed_officials_and_accounts_are_refused_with_the_field(city: City) {
    let post = proto::Post { kind: proto::PostKind::UnitHead.into(), ..Default::default() };
    let official = proto::Official { display_name: "甲".into(), posts: vec![post], ..Default::default() };
    let request = proto::CreateOfficialRequest {
        official: Some(official),
        official_id: "a".into(),
        request_id: String::new(),
    };
    let status = city.directory().create_official(city.admin(request)).await.unwrap_err();
    violates(status, "posts.unit");

    let refuse = async |field: &str, subject: &str, role: proto::Role| {
        let binding = proto::RoleBinding { role: role.into(), ..Default::default() };
        let account = proto::Account { subject: subject.into(), roles: vec![binding], ..Default::default() };
        let request = proto::CreateAccountRequest { account: Some(account), request_id: String::new() };
        violates(city.directory().create_account(city.admin(request)).await.unwrap_err(), field);
    };
    refuse("account.subject", "", proto::Role::Auditor).await;
    refuse("account.subject", "a\0b", proto::Role::Auditor).await;
    refuse("account.subject", "system/roster", proto::Role::Auditor).await;
    refuse("account.roles.role", "one", proto::Role::Unspecified).await;
    refuse("roles", "one", proto::Role::UnitClerk).await;
}

async fn impossible_times_are_refused_with_the_field(city: City) {
    let city = city.with_directory().await;
    let good = || absence("cui-yuanbin", "2023-06-10T00:00:00+08:00", "2023-06-12T00:00:00+08:00");
    let refuse = async |field: &str, absence: proto::Absence| {
        let request = proto::CreateAbsenceRequest { absence: Some(absence), request_id: String::new() };
        violates(city.roster().create_absence(city.admin(request)).await.unwrap_err(), field);
    };
    refuse("absence.start_time", proto::Absence { start_time: None, ..good() }).await;
    for (seconds, nanos) in [(i64::MAX, 0), (i64::MIN, i32::MIN), (0, 1_000_000_000), (253_402_300_800, 0)] {
        let time = Some(ProtoTimestamp { seconds, nanos });
        refuse("absence.end_time", proto::Absence { end_time: time, ..good() }).await;
        let request = proto::ResolveRequest { field: "水利".into(), at: time, ..Default::default() };
        assert_eq!(city.resolve(request).await.unwrap_err().violations()[0].field, "at");
    }
    refuse("absence.reason", proto::Absence { reason: "会".repeat(20_001), ..good() }).await;
    refuse("official", proto::Absence { official: "崔元斌".into(), ..good() }).await;
    let own = proto::Absence { stand_in: good().official, ..good() };
    refuse("stand_in", own).await;
    let share = |stand_in: &str| proto::StandInShare {
        stand_in: stand_in.into(),
        fields: vec!["工业".into()],
        ..Default::default()
    };
    refuse("absence.shares.stand_in", proto::Absence { shares: vec![share("")], ..good() }).await;
    refuse("official", proto::Absence { shares: vec![share("胡晓刚")], ..good() }).await;
    refuse("absence.shares", proto::Absence { shares: vec![share("a"); 501], ..good() }).await;
    let own = share(&good().official);
    refuse("stand_in", proto::Absence { shares: vec![own], ..good() }).await;
    let excluded_units = vec!["water".into()];
    refuse("unit", proto::Absence { excluded_units, ..good() }).await;
    refuse("fields", proto::Absence { excluded_fields: vec![" ".into()], ..good() }).await;
    let excluded_fields = vec!["水\0利".into()];
    refuse("absence.excluded_fields", proto::Absence { excluded_fields, ..good() }).await;
    refuse("absence.reassignment", proto::Absence { reassignment: "号".repeat(201), ..good() }).await;

    let name = city.register(good()).await.unwrap().name;
    let no_end = proto::ExtendAbsenceRequest { name: name.clone(), ..Default::default() };
    violates(city.roster().extend_absence(city.admin(no_end)).await.unwrap_err(), "end_time");
    let no_start = proto::CorrectAbsenceRequest { name: name.clone(), ..Default::default() };
    violates(city.roster().correct_absence(city.admin(no_start)).await.unwrap_err(), "start_time");
    let nameless = extend("", "2023-06-20T00:00:00+08:00");
    violates(city.roster().extend_absence(city.admin(nameless)).await.unwrap_err(), "name");
    assert_eq!(city.history(&name).await, ["roster.absence.created"]);
}

async fn malformed_pages_names_and_request_ids_are_refused(city: City) {
    let list = async |page_size: i32, page_token: &str| {
        let request = proto::ListUnitsRequest { page_size, page_token: page_token.into(), q: String::new() };
        city.directory().list_units(city.clerk(request)).await
    };
    violates(list(-1, "").await.unwrap_err(), "page_size");
    violates(list(0, "not a token").await.unwrap_err(), "page_token");
    assert!(list(i32::MAX, "").await.is_ok());
    let request = proto::GetUnitRequest { name: "单".repeat(300) };
    violates(city.directory().get_unit(city.clerk(request)).await.unwrap_err(), "name");
    for request_id in ["has space", "\0", &"x".repeat(200)] {
        let mut request = create_unit("water", "市水利局", &[]);
        request.request_id = request_id.into();
        violates(city.directory().create_unit(city.admin(request)).await.unwrap_err(), "request_id");
    }
    assert!(city.history("units/water").await.is_empty());
}

/// Whatever is asked, the answer is an answer or a refusal that a caller can act on.
#[test]
fn any_question_is_answered_or_refused_and_never_a_fault() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let city = runtime.block_on(async { City::sqlite().await.with_division().await });
    let text = || {
        prop_oneof![
            any::<String>(),
            "(units|officials)/[a-z-]{0,70}",
            "(市|临汾市)?(水利局|政府|工信局)?(分管)?(水利|财政)?(的)?(副市长|主要负责人|联络员)?",
        ]
    };
    let time = || proptest::option::of((any::<i64>(), any::<i32>()));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&(text(), 0..4, time(), time()), |(asked, field, at, known_at)| {
            let stamp = |(seconds, nanos)| ProtoTimestamp { seconds, nanos };
            let mut request = proto::ResolveRequest {
                at: at.map(stamp),
                known_at: known_at.map(stamp),
                ..Default::default()
            };
            let place = match field {
                0 => &mut request.unit,
                1 => &mut request.field,
                2 => &mut request.post,
                _ => &mut request.official,
            };
            *place = asked;
            let answered = runtime.block_on(city.resolve(request));
            let fault = answered.is_err_and(|error| error.http_status() >= 500);
            prop_assert!(!fault);
            Ok(())
        })
        .unwrap();
}
