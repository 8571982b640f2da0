//! Founding groups and listing them.

use xietong_mesh::{Code, Error};
use xietong_proto::workgroup as proto;
use xietong_proto::workgroup::seat::Holder;

use crate::harness::{Backend, Mesh, at, green_energy, on_both_back_ends, seat, supervisor, told};

on_both_back_ends!(
    a_group_is_founded_as_it_was_asked_for,
    a_group_without_a_start_exists_from_now,
    a_name_is_given_once,
    what_cannot_be_a_group_is_refused_with_the_field,
    groups_are_listed_page_by_page,
);

async fn refusal(mesh: &Mesh, group: proto::Group, group_id: &str) -> Error {
    let request = proto::CreateGroupRequest {
        group: Some(group),
        group_id: group_id.into(),
        request_id: String::new(),
    };
    told(&mesh.client().create_group(mesh.from(&supervisor(), request)).await.unwrap_err())
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
        mesh.found(id).await;
    }
    let list = async |page_size: i32, page_token: String| {
        let request = proto::ListGroupsRequest { page_size, page_token };
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
