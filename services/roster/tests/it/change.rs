//! Units, collectives and officials that become something else.

use tonic::Response;
use xietong_mesh::{Code, Error};
use xietong_proto::roster as proto;

use crate::acts::{mask, renamed, update_unit};
use crate::city::{City, on_both, refused, time};

on_both!(
    a_renamed_unit_is_called_by_the_name_of_the_day_and_found_by_both,
    a_unit_is_moved_and_later_questions_follow_it,
    a_merged_unit_leaves_its_name_and_work_to_its_successor,
    a_change_of_the_past_is_known_from_when_it_was_recorded,
    a_change_touches_only_what_the_mask_names,
    a_malformed_change_is_refused_with_the_field,
    an_outdated_etag_is_aborted_and_a_repeat_has_one_effect,
    a_collective_gets_another_member_from_its_day_on,
    an_official_takes_another_post,
);

const MAY: &str = "2023-05-20T09:00:00+08:00";
const JULY: &str = "2023-07-01T00:00:00+08:00";
const LATER: &str = "2023-07-02T09:00:00+08:00";

async fn a_renamed_unit_is_called_by_the_name_of_the_day_and_found_by_both(city: City) {
    let city = city.with_division().await;
    let before = city.get_unit("water").await;
    let change = update_unit(renamed("water", "市水务局"), &["display_name"], Some(JULY));
    let answer = city.update_unit(change).await.unwrap();
    assert_eq!((answer.display_name.as_str(), answer.etag.as_str()), ("市水务局", "v2"));
    assert_eq!(city.history("units/water").await, ["roster.unit.created", "roster.unit.changed"]);

    let now = city.get_unit("water").await;
    assert_eq!(now, proto::Unit { etag: "v2".into(), ..before }, "what lies ahead is not yet so");
    let city = city.restarted().await;
    assert_eq!(city.get_unit("water").await, now);
    // Who reads of it beforehand finds it already: nobody else is called so.
    assert_eq!(city.lookup("市水务局").await.unwrap(), "units/water");
    city.advance(LATER).await;
    assert_eq!(city.get_unit("water").await, answer);
    for name in ["市水务局", "临汾市水务局", "市水利局", "units/water"] {
        assert_eq!(city.lookup(name).await.unwrap(), "units/water", "{name}");
        assert_eq!(city.who(name, LATER).await.0, "乔飞鸿", "{name}");
    }
    let list = async |q: &str| {
        let request = proto::ListUnitsRequest { q: q.into(), ..Default::default() };
        city.directory().list_units(city.clerk(request)).await.unwrap().into_inner().units
    };
    assert_eq!(list("水务").await, [answer]);
    assert_eq!(list("水利").await, []);
    assert_eq!(list("").await.len(), 6);
    let request =
        proto::ResolveRequest { unit: "市水利局".into(), at: Some(time(MAY)), ..Default::default() };
    assert!(city.resolve(request).await.unwrap().steps[1].basis.contains("市水利局"));
}

async fn a_unit_is_moved_and_later_questions_follow_it(city: City) {
    let city = city.with_division().await;
    let under = |parent: &str| proto::Unit {
        name: "units/upper-reservoir".into(),
        parent: format!("units/{parent}"),
        ..proto::Unit::default()
    };
    city.update_unit(update_unit(under("water"), &["parent"], Some(MAY))).await.unwrap();
    city.update_unit(update_unit(under("finance"), &["parent"], Some(JULY))).await.unwrap();
    assert_eq!(city.get_unit("upper-reservoir").await.etag, "v3");
    for (instant, accountable) in
        [("2023-05-20T08:59:59+08:00", "王延峰"), (MAY, "乔飞鸿"), (JULY, "王渊"), (LATER, "王渊")]
    {
        assert_eq!(city.who("units/upper-reservoir", instant).await.0, accountable, "{instant}");
    }
}

async fn a_merged_unit_leaves_its_name_and_work_to_its_successor(city: City) {
    let city = city.with_division().await;
    let merged = |successor: &str, end: Option<&str>| proto::Unit {
        name: "units/lower-reservoir".into(),
        successor: successor.into(),
        end_time: end.map(time),
        ..proto::Unit::default()
    };
    let both = ["successor", "end_time"];
    let living = city.update_unit(update_unit(merged("units/water", None), &both, None)).await.unwrap_err();
    assert_eq!(living.violations()[0].field, "successor");
    let own = merged("units/lower-reservoir", Some(JULY));
    let own = city.update_unit(update_unit(own, &both, None)).await.unwrap_err();
    assert_eq!(own.violations()[0].field, "parent");
    let unknown = merged("units/moon", Some(JULY));
    let unknown = city.update_unit(update_unit(unknown, &both, None)).await.unwrap_err();
    assert_eq!(unknown.reason(), "UNIT_UNKNOWN");

    let done = merged("units/water", Some(JULY));
    let done = city.update_unit(update_unit(done, &both, None)).await.unwrap();
    assert_eq!((done.successor.as_str(), done.end_time), ("units/water", Some(time(JULY))));
    assert_eq!(city.lookup("下游水库服务中心").await.unwrap(), "units/lower-reservoir");
    let city = city.restarted().await;
    city.advance(LATER).await;
    assert_eq!(city.lookup("下游水库服务中心").await.unwrap(), "units/water");
    assert_eq!(city.who("下游水库服务中心", LATER).await.0, "乔飞鸿");
    assert_eq!(city.get_unit("lower-reservoir").await, done, "it is still on record");
}

async fn a_change_of_the_past_is_known_from_when_it_was_recorded(city: City) {
    let city = city.with_division().await;
    city.advance(LATER).await;
    let industry = proto::Unit {
        name: "units/upper-reservoir".into(),
        parent: "units/industry".into(),
        ..proto::Unit::default()
    };
    city.update_unit(update_unit(industry, &["parent"], Some(MAY))).await.unwrap();
    let instant = "2023-06-01T09:00:00+08:00";
    let as_known = |known_at| city.who_as_known("units/upper-reservoir", instant, known_at);
    assert_eq!(as_known(None).await.0, "崔元斌");
    assert_eq!(as_known(Some("2023-07-02T08:59:59+08:00")).await.0, "王延峰");
}

async fn a_change_touches_only_what_the_mask_names(city: City) {
    let city = city.with_directory().await;
    let before = city.get_unit("industry").await;
    let asked = proto::Unit {
        name: before.name.clone(),
        display_name: "不改".into(),
        aliases: vec!["市工信局".into(), "工信局".into()],
        kind: 99,
        ..proto::Unit::default()
    };
    let after = city.update_unit(update_unit(asked, &["name", "etag", "aliases"], None)).await.unwrap();
    let aliases = vec!["市工信局".to_owned(), "工信局".to_owned()];
    assert_eq!(after, proto::Unit { aliases, etag: "v2".into(), ..before });
    assert_eq!(city.get_unit("industry").await, after);
}

async fn a_malformed_change_is_refused_with_the_field(city: City) {
    let city = city.with_directory().await;
    city.collective("bureaus", "各部门", &[], &["water"]).await;
    let refuse = async |field: &str, request: proto::UpdateUnitRequest| {
        let error = city.update_unit(request).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{error}");
        assert_eq!(error.violations()[0].field, field, "{error}");
        assert!(!error.chinese().is_empty());
    };
    let water = |display_name: &str| renamed("water", display_name);
    refuse("update_mask", update_unit(water("市水务局"), &[], None)).await;
    refuse("update_mask", update_unit(water("市水务局"), &["name", "etag"], None)).await;
    refuse("update_mask", update_unit(water("市水务局"), &["displayName"], None)).await;
    refuse("update_mask", update_unit(water("市水务局"), &["display_name", "*"], None)).await;
    refuse("unit.display_name", update_unit(water(" "), &["display_name"], None)).await;
    refuse("unit.display_name", update_unit(water("市\0局"), &["display_name"], None)).await;
    refuse("unit.kind", update_unit(proto::Unit { kind: 77, ..water("") }, &["kind"], None)).await;
    let code = proto::Unit { division_code: "14".into(), ..water("") };
    refuse("division_code", update_unit(code, &["division_code"], None)).await;
    refuse("unit.name", update_unit(proto::Unit::default(), &["display_name"], None)).await;
    refuse("unit", proto::UpdateUnitRequest { update_mask: mask(&["kind"]), ..Default::default() }).await;
    let mut far = update_unit(water("市水务局"), &["display_name"], None);
    far.effective_time = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 });
    refuse("effective_time", far).await;
    let none = update_unit(renamed("none", "市水务局"), &["display_name"], None);
    assert_eq!(city.update_unit(none).await.unwrap_err().code(), Code::NotFound);
    let taken = update_unit(water("各部门"), &["display_name"], None);
    assert_eq!(city.update_unit(taken).await.unwrap_err().reason(), "ALREADY_CALLED");
    assert_eq!(city.history("units/water").await, ["roster.unit.created"]);
}

async fn an_outdated_etag_is_aborted_and_a_repeat_has_one_effect(city: City) {
    let city = city.with_directory().await;
    let request = || proto::UpdateUnitRequest {
        request_id: "rename-1".into(),
        ..update_unit(
            proto::Unit { etag: "v1".into(), ..renamed("water", "市水务局") },
            &["display_name"],
            None,
        )
    };
    let first = city.update_unit(request()).await.unwrap();
    assert_eq!(city.update_unit(request()).await.unwrap(), first);
    let outdated = proto::UpdateUnitRequest { request_id: String::new(), ..request() };
    assert_eq!(city.update_unit(outdated).await.unwrap_err().reason(), "ETAG_MISMATCH");
    assert_eq!(city.history("units/water").await.len(), 2);
}

async fn a_collective_gets_another_member_from_its_day_on(city: City) {
    let city = city.with_directory().await;
    city.collective("bureaus", "各部门", &[], &["water", "finance"]).await;
    let update = async |units: &[&str], effective: Option<&str>| -> Result<proto::Collective, Error> {
        let collective = proto::Collective {
            name: "collectives/bureaus".into(),
            units: units.iter().map(|unit| format!("units/{unit}")).collect(),
            ..proto::Collective::default()
        };
        let request = proto::UpdateCollectiveRequest {
            collective: Some(collective),
            update_mask: mask(&["units"]),
            effective_time: effective.map(time),
            request_id: String::new(),
        };
        let answer = city.directory().update_collective(city.admin(request)).await;
        answer.map(Response::into_inner).map_err(refused)
    };
    let get = async |city: &City| {
        let request = proto::GetCollectiveRequest { name: "collectives/bureaus".into() };
        city.directory().get_collective(city.clerk(request)).await.unwrap().into_inner()
    };
    let changed = update(&["water", "finance", "industry"], Some(JULY)).await.unwrap();
    assert_eq!((changed.units.len(), changed.display_name.as_str()), (3, "各部门"));
    assert_eq!(update(&["moon"], None).await.unwrap_err().reason(), "UNIT_UNKNOWN");
    assert_eq!(update(&[], None).await.unwrap_err().violations()[0].field, "units");
    assert_eq!(get(&city).await.units.len(), 2);
    let request = proto::ListCollectivesRequest::default();
    let listed = city.directory().list_collectives(city.clerk(request)).await.unwrap().into_inner();
    assert_eq!(listed.collectives, [get(&city).await]);
    let city = city.restarted().await;
    city.advance(LATER).await;
    assert_eq!(get(&city).await, changed);
}

async fn an_official_takes_another_post(city: City) {
    let city = city.with_division().await;
    city.official("water-deputy", "乙", proto::PostKind::UnitDeputy, "units/water").await;
    let post = |kind: proto::PostKind, start: Option<&str>, end: Option<&str>| proto::Post {
        kind: kind.into(),
        unit: "units/water".into(),
        start_time: start.map(time),
        end_time: end.map(time),
        ..proto::Post::default()
    };
    let update = async |id: &str, posts: Vec<proto::Post>| {
        let official =
            proto::Official { name: format!("officials/{id}"), posts, ..proto::Official::default() };
        let request = proto::UpdateOfficialRequest {
            official: Some(official),
            update_mask: mask(&["posts"]),
            request_id: String::new(),
        };
        let answer = city.directory().update_official(city.admin(request)).await;
        answer.map(Response::into_inner).map_err(refused)
    };
    use proto::PostKind::{UnitDeputy, UnitHead};
    city.advance(MAY).await;
    let head = update("water-head", vec![post(UnitHead, None, Some(JULY))]).await.unwrap();
    assert_eq!((head.display_name.as_str(), head.etag.as_str()), ("甲", "v2"));
    let posts = vec![post(UnitDeputy, None, Some(JULY)), post(UnitHead, Some(JULY), None)];
    let next = update("water-deputy", posts).await.unwrap();
    assert_eq!(city.history("officials/water-deputy").await.last().unwrap(), "roster.official.changed");
    let homeless = proto::Post { unit: String::new(), ..post(UnitHead, None, None) };
    assert_eq!(update("water-head", vec![homeless]).await.unwrap_err().violations()[0].field, "posts.unit");
    assert_eq!(update("nobody", vec![]).await.unwrap_err().code(), Code::NotFound);

    let city = city.restarted().await;
    let request = proto::GetOfficialRequest { name: "officials/water-deputy".into() };
    assert_eq!(city.directory().get_official(city.clerk(request)).await.unwrap().into_inner(), next);
    let holder = async |instant: &str, known_at: Option<&str>| {
        let request = proto::ResolveRequest {
            post: "市水利局主要负责人".into(),
            at: Some(time(instant)),
            known_at: known_at.map(time),
            ..Default::default()
        };
        city.resolve(request).await.unwrap().accountable.map(|person| person.display_name)
    };
    let earlier = Some("2023-05-20T08:59:59+08:00");
    assert_eq!(holder("2023-06-30T23:59:59+08:00", None).await.as_deref(), Some("甲"));
    assert_eq!(holder(JULY, None).await.as_deref(), Some("乙"));
    assert_eq!(holder(JULY, earlier).await.as_deref(), Some("甲"));
}
