//! Founding groups and listing them.

use futures_util::future::join_all;
use xietong_mesh::{Code, Error};
use xietong_proto::workgroup as proto;
use xietong_proto::workgroup::seat::Holder;

use crate::harness::{Backend, Mesh, at, green_energy, on_both_back_ends, seat, supervisor, told};

on_both_back_ends!(
    a_group_is_founded_as_it_was_asked_for,
    a_group_without_a_start_exists_from_now,
    a_name_is_given_once,
    a_document_founds_one_group_of_a_name,
    of_those_who_found_the_same_group_at_once_one_does,
    what_cannot_be_a_group_is_refused_with_the_field,
    groups_are_listed_page_by_page,
    groups_are_listed_by_their_founding_document,
);

async fn refusal(mesh: &Mesh, group: proto::Group, group_id: &str) -> Error {
    mesh.try_found(group, group_id).await.unwrap_err()
}

async fn a_group_is_founded_as_it_was_asked_for(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let founded = mesh.found("green-energy").await;
    let expected = proto::Group { name: "groups/green-energy".into(), etag: "v1".into(), ..green_energy() };
    assert_eq!(founded, expected);
    let request = proto::GetGroupRequest { name: founded.name.clone() };
    let read = mesh.client().get_group(mesh.from(&supervisor(), request)).await.unwrap().into_inner();
    assert_eq!(read, expected);
    assert_eq!(mesh.history(&founded.name).await, ["workgroup.group.founded"]);
}

async fn a_group_without_a_start_exists_from_now(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let request = proto::CreateGroupRequest {
        group: Some(proto::Group {
            start_time: None,
            end_condition: String::new(),
            end_time: Some(at("2099-01-01T00:00+08:00", 0)),
            ..green_energy()
        }),
        ..proto::CreateGroupRequest::default()
    };
    let group = mesh.client().create_group(mesh.from(&supervisor(), request)).await.unwrap().into_inner();
    let occurred_at = mesh.events(&group.name).await[0].occurred_at;
    assert_eq!(group.start_time, Some(xietong_mesh::convert::encode_time(occurred_at)));
    assert_eq!(group.end_time, Some(at("2099-01-01T00:00+08:00", 0)));
}

async fn a_name_is_given_once(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    mesh.found("green-energy").await;
    assert_eq!(refusal(&mesh, green_energy(), "green-energy").await.code(), Code::AlreadyExists);
    assert_eq!(mesh.history("groups/green-energy").await.len(), 1);
}

/// Whether a refusal says that a group was founded before, and as which.
fn assert_founded_as(error: &Error, existing: &str) {
    assert_eq!((error.code(), error.reason()), (Code::AlreadyExists, "GROUP_ALREADY_FOUNDED"), "{error}");
    assert_eq!(error.metadata()["resource"], existing);
    assert!(error.chinese().contains(existing), "{}", error.chinese());
}

async fn a_document_founds_one_group_of_a_name(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    mesh.found("green-energy").await;
    for id in ["again", ""] {
        assert_founded_as(&refusal(&mesh, green_energy(), id).await, "groups/green-energy");
    }
    assert!(mesh.history("groups/again").await.is_empty());
    // Another name, another document, or no document: nothing says that it is the same group.
    let office = proto::Group { display_name: "项目建设指挥部".into(), ..green_energy() };
    let next = proto::Group { founding_document: "临政办函〔2024〕17号".into(), ..green_energy() };
    let without = proto::Group { founding_document: String::new(), ..green_energy() };
    for (group, id) in [(office, "b"), (next, "c"), (without.clone(), "d"), (without, "e")] {
        mesh.try_found(group, id).await.unwrap();
    }
}

async fn of_those_who_found_the_same_group_at_once_one_does(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let answers = join_all((0..8).map(|_| mesh.try_found(green_energy(), ""))).await;
    let (founded, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    let [Ok(founded)] = founded.as_slice() else { panic!("{founded:?}") };
    for refusal in refused {
        assert_founded_as(&refusal.unwrap_err(), &founded.name);
    }
}

async fn what_cannot_be_a_group_is_refused_with_the_field(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let with_seat = |one: proto::Seat| {
        let mut group = green_energy();
        group.seats.push(one);
        group
    };
    let end = Some(at("2024-01-01T00:00+08:00", 0));
    let cases = [
        (proto::Group { display_name: " ".into(), ..green_energy() }, "", "group.display_name"),
        (proto::Group { display_name: "水\0利".into(), ..green_energy() }, "", "group.display_name"),
        (proto::Group { display_name: "水".repeat(201), ..green_energy() }, "", "group.display_name"),
        (proto::Group { kind: 0, ..green_energy() }, "", "group.kind"),
        (proto::Group { kind: 99, ..green_energy() }, "", "group.kind"),
        (proto::Group { end_condition: String::new(), ..green_energy() }, "", "group.end_condition"),
        (proto::Group { end_time: end, ..green_energy() }, "", "group.end_condition"),
        (
            proto::Group { end_condition: String::new(), end_time: end, start_time: end, ..green_energy() },
            "",
            "group.end_time",
        ),
        (
            proto::Group {
                start_time: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }),
                ..green_energy()
            },
            "",
            "group.start_time",
        ),
        (proto::Group { office_unit: "市能源局".into(), ..green_energy() }, "", "group.office_unit"),
        (green_energy(), "水利", "group_id"),
        (green_energy(), "a/meetings/b", "group_id"),
        (with_seat(proto::Seat { role: 4, ..proto::Seat::default() }), "", "group.seats[3].holder"),
        (with_seat(proto::Seat { role: 0, ..green_energy().seats[0].clone() }), "", "group.seats[3].role"),
        (
            with_seat(seat(proto::SeatRole::Member, Holder::Official("units/water".into()))),
            "",
            "group.seats[3].official",
        ),
        (with_seat(green_energy().seats[1].clone()), "", "group.seats"),
        (with_seat(seat(proto::SeatRole::Head, Holder::Official("officials/1".into()))), "", "group.seats"),
    ];
    for (group, id, field) in cases {
        let error = refusal(&mesh, group, id).await;
        assert_eq!(error.code(), Code::InvalidArgument, "{error}");
        assert_eq!(error.violations()[0].field, field, "{error}");
        assert!(error.chinese().chars().any(|c| c >= '\u{4e00}'), "{error}");
    }
}

async fn groups_are_listed_page_by_page(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    for id in ["c", "a", "b"] {
        mesh.found_another(id).await;
    }
    let list = async |page_size: i32, page_token: String| {
        let request =
            proto::ListGroupsRequest { page_size, page_token, ..proto::ListGroupsRequest::default() };
        mesh.client().list_groups(mesh.from(&supervisor(), request)).await.map(tonic::Response::into_inner)
    };
    let names = |page: &proto::ListGroupsResponse| -> Vec<String> {
        page.groups.iter().map(|group| group.name.clone()).collect()
    };
    let first = list(2, String::new()).await.unwrap();
    assert_eq!(names(&first), ["groups/a", "groups/b"]);
    let second = list(2, first.next_page_token.clone()).await.unwrap();
    assert_eq!(names(&second), ["groups/c"]);
    assert_eq!(second.next_page_token, "");
    assert_eq!(list(3, String::new()).await.unwrap().next_page_token, "", "a full last page is the last");
    assert_eq!(told(&list(-1, String::new()).await.unwrap_err()).violations()[0].field, "page_size");
    assert_eq!(told(&list(2, "x".into()).await.unwrap_err()).violations()[0].field, "page_token");
}

async fn groups_are_listed_by_their_founding_document(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    for id in ["c", "a", "b"] {
        mesh.found_another(id).await;
    }
    let other = "临政办函〔2023〕21号";
    let group = proto::Group { founding_document: other.into(), ..green_energy() };
    mesh.try_found(group, "aa").await.unwrap();
    let list = async |document: &str, page_size: i32, page_token: &str| {
        let request = proto::ListGroupsRequest {
            page_size,
            page_token: page_token.into(),
            founding_document: document.into(),
        };
        let answer = mesh.client().list_groups(mesh.from(&supervisor(), request)).await;
        let page = answer.map_err(|status| told(&status))?.into_inner();
        let names: Vec<_> = page.groups.into_iter().map(|group| group.name).collect();
        Ok::<_, Error>((names, page.next_page_token))
    };
    let document = green_energy().founding_document;
    let (first, next) = list(&document, 2, "").await.unwrap();
    assert_eq!(first, ["groups/a", "groups/b"]);
    assert_eq!(list(&document, 2, &next).await.unwrap(), (vec!["groups/c".to_owned()], String::new()));
    assert_eq!(list(other, 2, "").await.unwrap().0, ["groups/aa"]);
    assert!(list("临政办函〔2023〕99号", 2, "").await.unwrap().0.is_empty());
    assert_eq!(list("", 9, "").await.unwrap().0.len(), 4);

    for elsewhere in [other, ""] {
        let refusal = list(elsewhere, 2, &next).await.unwrap_err();
        assert_eq!(refusal.violations()[0].field, "page_token", "a token is of one query");
    }
    for unwritable in ["\0", &"水".repeat(201)] {
        let refusal = list(unwritable, 2, "").await.unwrap_err();
        assert_eq!(refusal.violations()[0].field, "founding_document");
    }
}
