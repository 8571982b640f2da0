//! Collectives.

use domain_calendar::Timestamp;
use domain_roster::{Book, RosterEvent};
use xietong_mesh::{Code, Error};
use xietong_proto::roster as proto;

use crate::city::{City, create_collective, create_unit, on_both, refused};

on_both!(
    a_collective_reads_back_as_it_was_created_before_and_after_a_restart,
    each_name_of_a_collective_finds_it_and_no_unit,
    collectives_are_listed_in_pages_and_by_part_of_a_name,
    a_name_stands_for_a_collective_or_a_unit_and_never_both,
    a_malformed_collective_is_refused_with_the_field,
    what_is_taken_or_unknown_is_refused,
    a_repeated_request_id_has_one_effect_and_one_answer,
    a_copy_made_of_the_log_knows_the_collective,
);

/// A city with the two collectives of these tests.
async fn founded(city: City) -> City {
    let city = city.with_directory().await;
    city.collective("bureaus", "各部门（局、委）", &["各局委"], &["water", "finance", "industry"]).await;
    city.collective("reservoirs", "各水库", &[], &["upper-reservoir", "lower-reservoir"]).await;
    city
}

async fn get(city: &City, name: &str) -> Result<proto::Collective, Error> {
    let request = proto::GetCollectiveRequest { name: name.into() };
    let answer = city.directory().get_collective(city.clerk(request)).await;
    answer.map(tonic::Response::into_inner).map_err(refused)
}

async fn create(city: &City, request: proto::CreateCollectiveRequest) -> Result<proto::Collective, Error> {
    let answer = city.directory().create_collective(city.admin(request)).await;
    answer.map(tonic::Response::into_inner).map_err(refused)
}

async fn lookup(city: &City, name: &str) -> Result<proto::LookupUnitResponse, Error> {
    let request = proto::LookupUnitRequest { name: name.into() };
    let answer = city.directory().lookup_unit(city.clerk(request)).await;
    answer.map(tonic::Response::into_inner).map_err(refused)
}

async fn a_collective_reads_back_as_it_was_created_before_and_after_a_restart(city: City) {
    let city = founded(city).await;
    let read = get(&city, "collectives/bureaus").await.unwrap();
    let expected = proto::Collective {
        name: "collectives/bureaus".into(),
        display_name: "各部门（局、委）".into(),
        aliases: vec!["各局委".into()],
        units: ["water", "finance", "industry"].map(|slug| format!("units/{slug}")).to_vec(),
        etag: "v1".into(),
    };
    assert_eq!(read, expected, "members stay in the order given");
    assert_eq!(city.history("collectives/bureaus").await, ["roster.collective.created"]);
    assert_eq!(get(&city, "collectives/none").await.unwrap_err().code(), Code::NotFound);
    let city = city.restarted().await;
    assert_eq!(get(&city, "collectives/bureaus").await.unwrap(), expected);
}

async fn each_name_of_a_collective_finds_it_and_no_unit(city: City) {
    let city = founded(city).await;
    for name in ["各部门（局、委）", "各部门(局、委)", "各 局委", "collectives/bureaus"] {
        let found = lookup(&city, name).await.unwrap();
        assert_eq!((found.unit.as_str(), found.display_name.as_str()), ("", "各部门（局、委）"), "{name}");
        assert_eq!(found.collective, Some(get(&city, "collectives/bureaus").await.unwrap()), "{name}");
    }
    let unit = lookup(&city, "市工信局").await.unwrap();
    assert_eq!((unit.unit.as_str(), unit.collective), ("units/industry", None));
    let unknown = lookup(&city, "各部门").await.unwrap_err();
    assert_eq!((unknown.code(), unknown.reason()), (Code::NotFound, "UNIT_UNKNOWN"));
}

async fn collectives_are_listed_in_pages_and_by_part_of_a_name(city: City) {
    let city = founded(city).await;
    let list = async |page_token: &str, q: &str| {
        let request =
            proto::ListCollectivesRequest { page_size: 1, page_token: page_token.into(), q: q.into() };
        let answer = city.directory().list_collectives(city.clerk(request)).await;
        answer.map(tonic::Response::into_inner).map_err(refused)
    };
    let first = list("", "").await.unwrap();
    let second = list(&first.next_page_token, "").await.unwrap();
    assert_eq!(first.collectives, [get(&city, "collectives/bureaus").await.unwrap()]);
    assert_eq!(second.collectives, [get(&city, "collectives/reservoirs").await.unwrap()]);
    assert!(second.next_page_token.is_empty());
    assert_eq!(list("", "(局").await.unwrap().collectives, first.collectives);
    assert_eq!(list("", "水利").await.unwrap().collectives, []);
    let foreign = list(&first.next_page_token, "各").await.unwrap_err();
    assert_eq!(foreign.violations()[0].field, "page_token");
}

async fn a_name_stands_for_a_collective_or_a_unit_and_never_both(city: City) {
    let city = founded(city).await;
    let taken = |error: Error, holder: &str| {
        assert_eq!((error.code(), error.reason()), (Code::AlreadyExists, "ALREADY_CALLED"), "{error}");
        assert_eq!(error.metadata()["holder"], holder);
        error
    };
    let of_unit = create_collective("others", "临汾市水利局", &[], &["water"]);
    let error = taken(create(&city, of_unit).await.unwrap_err(), "units/water");
    assert_eq!(error.chinese(), "“临汾市水利局”已是“市水利局”的名称");
    let of_collective = create_collective("others", "其他", &["各水 库"], &["water"]);
    taken(create(&city, of_collective).await.unwrap_err(), "collectives/reservoirs");
    for unit in [
        create_unit("others", "各水库", &[]),
        create_unit("others", "水库处", &["各局委"]),
        create_unit("others", "综合处(各水库)", &[]),
    ] {
        let error = refused(city.directory().create_unit(city.admin(unit)).await.unwrap_err());
        assert_eq!((error.code(), error.reason()), (Code::AlreadyExists, "ALREADY_CALLED"), "{error}");
    }
    assert!(city.history("collectives/others").await.is_empty());
    assert!(city.history("units/others").await.is_empty());
}

async fn a_malformed_collective_is_refused_with_the_field(city: City) {
    let city = city.with_directory().await;
    let refuse = async |field: &str, slug: &str, change: fn(&mut proto::Collective)| {
        let mut request = create_collective(slug, "各水库", &[], &["upper-reservoir"]);
        request.collective.as_mut().map(change);
        let error = create(&city, request).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{error}");
        assert_eq!(error.violations()[0].field, field, "{error}");
        assert!(!error.chinese().is_empty());
    };
    refuse("collective.display_name", "river", |one| one.display_name = " ".into()).await;
    refuse("collective.display_name", "river", |one| one.display_name = "库".repeat(201)).await;
    refuse("collective.aliases", "river", |one| one.aliases = vec!["各\0库".into()]).await;
    refuse("aliases", "river", |one| one.aliases = vec![String::new()]).await;
    refuse("aliases", "river", |one| one.aliases = vec![String::from("库"); 101]).await;
    refuse("units", "river", |one| one.units.clear()).await;
    refuse("units", "river", |one| one.units = vec!["units/water".into(); 2]).await;
    refuse("units", "river", |one| one.units = vec!["units/water".into(); 1_001]).await;
    refuse("unit", "river", |one| one.units = vec!["water".into()]).await;
    refuse("collective", "River", |_| ()).await;
    refuse("collective_id", "", |_| ()).await;
    let empty = proto::CreateCollectiveRequest { collective_id: "river".into(), ..Default::default() };
    assert_eq!(create(&city, empty).await.unwrap_err().violations()[0].field, "collective");
    assert!(city.history("collectives/river").await.is_empty());
}

async fn what_is_taken_or_unknown_is_refused(city: City) {
    let city = founded(city).await;
    let again = create_collective("bureaus", "另一些部门", &[], &["water"]);
    let error = create(&city, again).await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::AlreadyExists, "RESOURCE_ALREADY_EXISTS"));
    let stranger = create_collective("others", "其他", &[], &["water", "moon"]);
    let error = create(&city, stranger).await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::NotFound, "UNIT_UNKNOWN"));
    assert_eq!(get(&city, "collectives/bureaus").await.unwrap().display_name, "各部门（局、委）");
    assert!(city.history("collectives/others").await.is_empty());
}

async fn a_repeated_request_id_has_one_effect_and_one_answer(city: City) {
    let city = city.with_directory().await;
    let request = || proto::CreateCollectiveRequest {
        request_id: "one".into(),
        ..create_collective("bureaus", "各局委", &[], &["water"])
    };
    let first = create(&city, request()).await.unwrap();
    assert_eq!(create(&city, request()).await.unwrap(), first);
    assert_eq!(city.history("collectives/bureaus").await, ["roster.collective.created"]);
    let mut other = request();
    other.collective_id = "departments".into();
    assert!(create(&city, other).await.is_err());
    assert!(city.history("collectives/departments").await.is_empty());
}

async fn a_copy_made_of_the_log_knows_the_collective(city: City) {
    let city = founded(city).await;
    let mut copy = Book::new();
    for record in ["units/upper-reservoir", "units/lower-reservoir", "collectives/reservoirs"] {
        for event in city.events(record).await {
            let decoded = RosterEvent::from_payload(&event.event_type, &event.payload).unwrap().unwrap();
            copy.apply(&decoded, event.occurred_at).unwrap();
        }
    }
    let view = copy.view(Timestamp::MAX, Timestamp::MAX);
    let members = view.lookup_collective("各水库").map(|one| one.units.as_slice());
    assert_eq!(members, Some(&["units/upper-reservoir".to_owned(), "units/lower-reservoir".to_owned()][..]));
}
