//! Units, officials and accounts.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use xietong_mesh::Code;
use xietong_mesh::principal::{Grant, Role};
use xietong_proto::roster as proto;

use crate::city::{City, create_unit, on_both, refused};

on_both!(
    a_unit_reads_back_as_it_was_created_and_is_found_by_each_of_its_names,
    a_name_of_two_units_is_refused_with_both_and_an_unknown_one_is_not_found,
    pages_cover_a_list_once_and_tokens_belong_to_their_query,
    what_is_taken_or_unknown_is_refused,
    an_account_is_found_by_its_subject_disabled_or_not,
    the_largest_account_is_not_locked_out_and_a_larger_one_is_refused,
    a_hundred_calls_with_one_request_id_have_one_effect_and_one_answer,
    writers_at_once_all_take_effect_and_are_seen_by_a_replica,
    the_first_administrator_is_seeded_once,
);

async fn a_unit_reads_back_as_it_was_created_and_is_found_by_each_of_its_names(city: City) {
    let city = city.with_directory().await;
    let created = city.unit("health", "市卫生健康委员会（市疾病预防控制局）", &["市卫健委"]).await;
    assert_eq!((created.name.as_str(), created.etag.as_str()), ("units/health", "v1"));
    let request = proto::GetUnitRequest { name: "units/health".into() };
    let read = city.directory().get_unit(city.clerk(request)).await.unwrap().into_inner();
    assert_eq!(read, created);
    for name in ["市卫健委", "临汾市卫生健康委员会", "市疾病预防控制局", "units/health"]
    {
        let request = proto::LookupUnitRequest { name: name.into() };
        let found = city.directory().lookup_unit(city.clerk(request)).await.unwrap().into_inner();
        assert_eq!(found.unit, "units/health", "{name}");
    }
    assert_eq!(city.history("units/health").await, ["roster.unit.created"]);
}

async fn a_name_of_two_units_is_refused_with_both_and_an_unknown_one_is_not_found(city: City) {
    let city = city.with_directory().await;
    let lookup = async |name: &str| {
        let request = proto::LookupUnitRequest { name: name.into() };
        refused(city.directory().lookup_unit(city.clerk(request)).await.unwrap_err())
    };
    let ambiguous = lookup("水库中心").await;
    assert_eq!((ambiguous.code(), ambiguous.reason()), (Code::FailedPrecondition, "UNIT_AMBIGUOUS"));
    assert_eq!(ambiguous.metadata()["candidates"], "units/lower-reservoir,units/upper-reservoir");
    assert!(ambiguous.chinese().contains("上游水库服务中心"), "{}", ambiguous.chinese());
    let unknown = lookup("市气象局").await;
    assert_eq!((unknown.code(), unknown.reason()), (Code::NotFound, "UNIT_UNKNOWN"));
    assert_eq!(unknown.chinese(), "没有名为“市气象局”的单位");
}

async fn pages_cover_a_list_once_and_tokens_belong_to_their_query(city: City) {
    let city = city.with_directory().await;
    let list = async |page_token: &str, q: &str| {
        let request = proto::ListUnitsRequest { page_size: 4, page_token: page_token.into(), q: q.into() };
        city.directory().list_units(city.clerk(request)).await.map(tonic::Response::into_inner)
    };
    let first = list("", "").await.unwrap();
    let second = list(&first.next_page_token, "").await.unwrap();
    let names: Vec<&str> = first.units.iter().chain(&second.units).map(|unit| unit.name.as_str()).collect();
    let all = ["finance", "government", "industry", "lower-reservoir", "upper-reservoir", "water"];
    assert_eq!(names, all.map(|slug| format!("units/{slug}")));
    assert!(second.next_page_token.is_empty());

    let matching = list("", "水库").await.unwrap();
    assert_eq!(matching.units.len(), 2);
    let foreign = refused(list(&first.next_page_token, "水库").await.unwrap_err());
    assert_eq!(foreign.violations()[0].field, "page_token");

    let request = proto::ListOfficialsRequest { q: "王".into(), ..Default::default() };
    let officials = city.directory().list_officials(city.clerk(request)).await.unwrap().into_inner();
    let names: Vec<&str> = officials.officials.iter().map(|one| one.display_name.as_str()).collect();
    assert_eq!(names, ["王延峰", "王渊"]);
}

async fn what_is_taken_or_unknown_is_refused(city: City) {
    let city = city.with_directory().await;
    let again = create_unit("water", "另一个水利局", &[]);
    let taken = refused(city.directory().create_unit(city.admin(again)).await.unwrap_err());
    assert_eq!(taken.code(), Code::AlreadyExists);
    let mut orphan = create_unit("orphan", "孤儿单位", &[]);
    if let Some(unit) = &mut orphan.unit {
        unit.parent = "units/moon".into();
    }
    let unknown = refused(city.directory().create_unit(city.admin(orphan)).await.unwrap_err());
    assert_eq!((unknown.code(), unknown.reason()), (Code::NotFound, "UNIT_UNKNOWN"));
    assert!(city.history("units/orphan").await.is_empty());
    let missing = proto::GetOfficialRequest { name: "officials/nobody".into() };
    let missing = refused(city.directory().get_official(city.clerk(missing)).await.unwrap_err());
    assert_eq!(missing.code(), Code::NotFound);
}

fn account(subject: &str, disabled: bool) -> proto::CreateAccountRequest {
    let binding = proto::RoleBinding {
        role: proto::Role::UnitClerk.into(),
        units: vec!["units/water".into()],
        ..Default::default()
    };
    let account = proto::Account {
        subject: subject.into(),
        official: "officials/water-head".into(),
        roles: vec![binding],
        disabled,
        ..Default::default()
    };
    proto::CreateAccountRequest { account: Some(account), request_id: String::new() }
}

async fn an_account_is_found_by_its_subject_disabled_or_not(city: City) {
    let city = city.with_directory().await;
    let resolve = async |subject: &str| {
        let request = proto::ResolveAccountRequest { subject: subject.into() };
        city.directory().resolve_account(city.system(request)).await.map(tonic::Response::into_inner)
    };
    for (subject, disabled) in [("one", false), ("two", true)] {
        let request = account(subject, disabled);
        let created = city.directory().create_account(city.admin(request)).await.unwrap().into_inner();
        let found = resolve(subject).await.unwrap();
        assert_eq!(found, created);
        assert_eq!((found.disabled, found.official.as_str()), (disabled, "officials/water-head"));
    }
    assert_eq!(refused(resolve("three").await.unwrap_err()).code(), Code::NotFound);
    let again = city.directory().create_account(city.admin(account("one", false))).await;
    assert_eq!(refused(again.unwrap_err()).reason(), "SUBJECT_TAKEN");

    let request = proto::ListAccountsRequest::default();
    let listed = city.directory().list_accounts(city.admin(request)).await.unwrap().into_inner();
    // Both, and the administrator that was seeded.
    assert_eq!(listed.accounts.len(), 3);
    let request = proto::GetAccountRequest { name: listed.accounts[0].name.clone() };
    let read = city.directory().get_account(city.admin(request)).await.unwrap().into_inner();
    assert_eq!(read, listed.accounts[0]);
}

/// An account with as many more roles, or groups of its role, as are admitted.
fn largest(subject: &str, role: domain_roster::Role, group: Option<&str>) -> domain_roster::Account {
    let binding = domain_roster::RoleBinding {
        role,
        units: vec![],
        groups: group.map(str::to_owned).into_iter().collect(),
        start_time: None,
        end_time: None,
    };
    let mut account = domain_roster::Account {
        name: "accounts/largest".to_owned(),
        subject: subject.to_owned(),
        official: None,
        roles: vec![binding.clone()],
        disabled: false,
    };
    loop {
        let mut larger = account.clone();
        match group {
            Some(group) => larger.roles[0].groups.push(group.to_owned()),
            None => larger.roles.push(binding.clone()),
        }
        if larger.check().is_err() {
            return account;
        }
        account = larger;
    }
}

async fn the_largest_account_is_not_locked_out_and_a_larger_one_is_refused(city: City) {
    let group = format!("groups/{}", "g".repeat(63));
    let deputy = domain_roster::Role::AssistingDeputySecretaryGeneral;
    for (largest, role) in [
        (largest("office", domain_roster::Role::GroupOffice, Some(&group)), proto::Role::GroupOffice),
        (largest(&"督".repeat(85), deputy, None), proto::Role::AssistingDeputySecretaryGeneral),
        (largest(&"\"".repeat(200), deputy, None), proto::Role::AssistingDeputySecretaryGeneral),
    ] {
        let binding = |binding: &domain_roster::RoleBinding| proto::RoleBinding {
            role: role.into(),
            groups: binding.groups.clone(),
            ..Default::default()
        };
        let account = proto::Account {
            subject: largest.subject.clone(),
            roles: largest.roles.iter().map(binding).collect(),
            ..Default::default()
        };
        let create = async |account: proto::Account| {
            let request = proto::CreateAccountRequest { account: Some(account), request_id: String::new() };
            city.directory().create_account(city.admin(request)).await
        };
        create(account.clone()).await.unwrap();

        // What the gateway signs of the account, a service takes.
        let grants = account.roles.iter().map(|binding| Grant {
            role: Role::from_proto(binding.role()).unwrap(),
            units: BTreeSet::new(),
            // No two groups of a real account are the same.
            groups: (0..binding.groups.len()).map(|number| format!("groups/{number:063}")).collect(),
        });
        let units = city.of(&account.subject, grants.collect(), proto::ListUnitsRequest::default());
        city.directory().list_units(units).await.unwrap();

        let mut larger = account;
        larger.subject.pop();
        larger.roles.push(larger.roles[0].clone());
        larger.roles.push(larger.roles[0].clone());
        let refusal = refused(create(larger).await.unwrap_err());
        assert_eq!(refusal.code(), Code::InvalidArgument);
        assert_eq!(refusal.violations()[0].field, "roles");
    }
}

async fn a_hundred_calls_with_one_request_id_have_one_effect_and_one_answer(city: City) {
    let create = |name: &str| {
        let official = proto::Official { display_name: name.into(), ..Default::default() };
        let request = proto::CreateOfficialRequest {
            official: Some(official),
            official_id: String::new(),
            request_id: "import-1".into(),
        };
        let (mut directory, request) = (city.directory(), city.admin(request));
        async move { directory.create_official(request).await.map(tonic::Response::into_inner) }
    };
    let answers = join_all((0..100).map(|_| create("王渊"))).await;
    let first = answers[0].as_ref().unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == first));
    assert_eq!(city.history(&first.name).await, ["roster.official.created"]);
    let request = proto::ListOfficialsRequest::default();
    let listed = city.directory().list_officials(city.admin(request)).await.unwrap().into_inner();
    assert_eq!(listed.officials.len(), 1);
    let other = refused(create("乔飞鸿").await.unwrap_err());
    assert_eq!(other.reason(), "REQUEST_ID_REUSED");
}

async fn writers_at_once_all_take_effect_and_are_seen_by_a_replica(city: City) {
    let replica = city.replica().await;
    let writes = (0..20).map(|index| {
        let writer = if index % 2 == 0 { &city } else { &replica };
        let request = create_unit(&format!("unit-{index}"), &format!("第{index}单位"), &[]);
        let (mut directory, request) = (writer.directory(), writer.admin(request));
        async move { directory.create_unit(request).await }
    });
    for written in join_all(writes).await {
        written.unwrap();
    }
    for reader in [&city, &replica] {
        let request = proto::ListUnitsRequest::default();
        let listed = reader.directory().list_units(reader.clerk(request)).await.unwrap().into_inner();
        assert_eq!(listed.units.len(), 20);
    }
}

async fn the_first_administrator_is_seeded_once(city: City) {
    let city = city.restarted().await.restarted().await;
    let request = proto::ResolveAccountRequest { subject: "local-administrator".into() };
    let account = city.directory().resolve_account(city.system(request)).await.unwrap().into_inner();
    assert_eq!(account.roles[0].role(), proto::Role::Administrator);
    let request = proto::ListAccountsRequest::default();
    let listed = city.directory().list_accounts(city.admin(request)).await.unwrap().into_inner();
    assert_eq!(listed.accounts.as_slice(), std::slice::from_ref(&account));
    let events = city.events(&account.name).await;
    assert_eq!(events[0].actor, "system/roster");
}
