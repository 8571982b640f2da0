//! Who may do what.

use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Code, Error};
use xietong_proto::roster as proto;

use crate::acts::{correct, extend, mask, renamed, update_unit};
use crate::city::{City, absence, create_collective, create_unit, division_12, on_both, refused, time};

on_both!(
    whoever_is_not_an_administrator_changes_nothing,
    accounts_are_hidden_from_all_but_administrators_whether_they_exist_or_not,
    whoever_has_an_account_reads_the_roster,
    only_services_resolve_accounts,
);

fn denied<T>(result: Result<T, tonic::Status>) -> Error {
    let Err(status) = result else { panic!("it was permitted") };
    let error = refused(status);
    assert_eq!(error.code(), Code::PermissionDenied, "{error}");
    error
}

async fn whoever_is_not_an_administrator_changes_nothing(city: City) {
    let city = city.with_division().await;
    let (start, end) = ("2023-06-10T00:00:00+08:00", "2023-06-12T00:00:00+08:00");
    let end_of_june = "2023-06-30T00:00:00+08:00";
    let name = city.away("qiao-feihong", start, end).await.unwrap().name;
    for role in [Role::UnitClerk, Role::Liaison, Role::Leader, Role::Auditor, Role::SystemClient] {
        let grants = || vec![Grant::of(role)];
        let (mut directory, mut roster) = (city.directory(), city.roster());
        let unit = create_unit("secret", "新单位", &[]);
        denied(directory.create_unit(city.of("one", grants(), unit)).await);
        let collective = create_collective("secret", "各部门", &[], &["water"]);
        denied(directory.create_collective(city.of("one", grants(), collective)).await);
        denied(
            directory
                .create_official(city.of("one", grants(), proto::CreateOfficialRequest::default()))
                .await,
        );
        denied(
            directory.create_account(city.of("one", grants(), proto::CreateAccountRequest::default())).await,
        );
        let division = proto::CreateDivisionRequest { division: Some(division_12()), ..Default::default() };
        denied(roster.create_division(city.of("one", grants(), division)).await);
        let away = proto::CreateAbsenceRequest {
            absence: Some(absence("cui-yuanbin", start, end)),
            request_id: String::new(),
        };
        denied(roster.create_absence(city.of("one", grants(), away)).await);
        let list = proto::StandInList {
            unit: "units/water".into(),
            effective_time: Some(time(start)),
            ..Default::default()
        };
        let list = proto::CreateStandInListRequest { stand_in_list: Some(list), request_id: String::new() };
        denied(roster.create_stand_in_list(city.of("one", grants(), list)).await);
        for slug in ["water", "none"] {
            let unit = update_unit(renamed(slug, "市水务局"), &["display_name"], None);
            denied(directory.update_unit(city.of("one", grants(), unit)).await);
            let collective = proto::Collective { name: format!("collectives/{slug}"), ..Default::default() };
            let collective = proto::UpdateCollectiveRequest {
                collective: Some(collective),
                update_mask: mask(&["units"]),
                ..Default::default()
            };
            denied(directory.update_collective(city.of("one", grants(), collective)).await);
            let official = proto::Official { name: format!("officials/{slug}-head"), ..Default::default() };
            let official = proto::UpdateOfficialRequest {
                official: Some(official),
                update_mask: mask(&["posts"]),
                request_id: String::new(),
            };
            denied(directory.update_official(city.of("one", grants(), official)).await);
        }
        // Permission comes before existence: both names are refused alike.
        for name in [name.as_str(), "absences/none"] {
            let ends = proto::EndAbsenceRequest { name: name.into(), ..Default::default() };
            let ended = denied(roster.end_absence(city.of("one", grants(), ends)).await);
            assert!(!ended.message().contains(name));
            let cancel = proto::CancelAbsenceRequest { name: name.into(), ..Default::default() };
            denied(roster.cancel_absence(city.of("one", grants(), cancel)).await);
            denied(roster.extend_absence(city.of("one", grants(), extend(name, end_of_june))).await);
            denied(roster.correct_absence(city.of("one", grants(), correct(name, start, end_of_june))).await);
        }
    }
    assert!(city.history("units/secret").await.is_empty());
    assert_eq!(city.history("units/water").await, ["roster.unit.created"]);
    assert!(city.history("collectives/secret").await.is_empty());
    assert_eq!(city.history(&name).await, ["roster.absence.created"]);
}

async fn accounts_are_hidden_from_all_but_administrators_whether_they_exist_or_not(city: City) {
    let request = proto::ListAccountsRequest::default();
    let listed = city.directory().list_accounts(city.admin(request)).await.unwrap().into_inner();
    denied(city.directory().list_accounts(city.clerk(proto::ListAccountsRequest::default())).await);
    for name in [listed.accounts[0].name.as_str(), "accounts/none"] {
        let request = proto::GetAccountRequest { name: name.into() };
        denied(city.directory().get_account(city.clerk(request)).await);
    }
}

async fn whoever_has_an_account_reads_the_roster(city: City) {
    let city = city.with_division().await;
    city.collective("bureaus", "各部门", &[], &["water", "finance"]).await;
    let list = proto::StandInList {
        unit: "units/water".into(),
        effective_time: Some(time("2023-06-01T00:00:00+08:00")),
        ..Default::default()
    };
    let list = proto::CreateStandInListRequest { stand_in_list: Some(list), request_id: String::new() };
    let list = city.roster().create_stand_in_list(city.admin(list)).await.unwrap().into_inner();
    for role in Role::OF_ACCOUNTS {
        let request = proto::ResolveRequest { unit: "市水利局".into(), ..Default::default() };
        city.roster().resolve(city.of("one", vec![Grant::of(role)], request.clone())).await.unwrap();
        let batch = proto::BatchResolveRequest { requests: vec![request], with_steps: false };
        city.roster().batch_resolve(city.of("one", vec![Grant::of(role)], batch)).await.unwrap();
        let request = proto::ListStandInListsRequest::default();
        let request = city.of("one", vec![Grant::of(role)], request);
        city.roster().list_stand_in_lists(request).await.unwrap();
        let request = proto::GetStandInListRequest { name: list.name.clone() };
        city.roster().get_stand_in_list(city.of("one", vec![Grant::of(role)], request)).await.unwrap();
        let request = proto::ListUnitsRequest::default();
        let request = city.of("one", vec![Grant::of(role)], request);
        let listed = city.directory().list_units(request).await.unwrap().into_inner();
        assert_eq!(listed.units.len(), 6, "{role:?}");
        let request = proto::ListCollectivesRequest::default();
        let request = city.of("one", vec![Grant::of(role)], request);
        let listed = city.directory().list_collectives(request).await.unwrap().into_inner();
        assert_eq!(listed.collectives.len(), 1, "{role:?}");
        let request = proto::GetCollectiveRequest { name: "collectives/bureaus".into() };
        city.directory().get_collective(city.of("one", vec![Grant::of(role)], request)).await.unwrap();
    }
    let nobody = proto::ResolveRequest { unit: "市水利局".into(), ..Default::default() };
    denied(city.roster().resolve(city.of("one", vec![], nobody.clone())).await);
    let batch = proto::BatchResolveRequest { requests: vec![nobody], with_steps: false };
    denied(city.roster().batch_resolve(city.of("one", vec![], batch)).await);
    for name in [list.name.as_str(), "standInLists/none"] {
        let request = proto::GetStandInListRequest { name: name.into() };
        denied(city.roster().get_stand_in_list(city.of("one", vec![], request)).await);
    }
    for name in ["collectives/bureaus", "collectives/none"] {
        let request = proto::GetCollectiveRequest { name: name.into() };
        denied(city.directory().get_collective(city.of("one", vec![], request)).await);
    }
    let unsigned = tonic::Request::new(proto::ListUnitsRequest::default());
    let unsigned = refused(city.directory().list_units(unsigned).await.unwrap_err());
    assert_eq!(unsigned.code(), Code::Unauthenticated);
}

async fn only_services_resolve_accounts(city: City) {
    for role in Role::OF_ACCOUNTS {
        let request = proto::ResolveAccountRequest { subject: "local-administrator".into() };
        denied(city.directory().resolve_account(city.of("one", vec![Grant::of(role)], request)).await);
    }
    let request = proto::ResolveAccountRequest { subject: "local-administrator".into() };
    city.directory().resolve_account(city.system(request)).await.unwrap();
}
