//! What a founding notice says of a group beside its seats: subgroups, duties, mechanisms.

use domain_roster::{Official, RosterEvent, Unit, UnitKind};
use xietong_mesh::Code;
use xietong_proto::workgroup as proto;
use xietong_proto::workgroup::seat::Holder;
use xietong_timers::Progress;

use crate::harness::{Backend, Mesh, green_energy, on_both_back_ends, seat, supervisor};

on_both_back_ends!(
    a_group_keeps_what_its_notice_says,
    seats_of_subgroups_are_listed_with_their_subgroup,
    what_no_notice_can_say_is_refused_with_the_field,
    whom_a_duty_charges_the_roster_must_have,
);

fn duty(subgroup: &str) -> proto::Duty {
    proto::Duty {
        text: "办理征地、可研和施工许可手续".into(),
        subgroup: subgroup.into(),
        ..proto::Duty::default()
    }
}

/// The group of the harness with two subgroups, duties and a mechanism.
fn whole() -> proto::Group {
    let subgroups = ["综合协调组", "手续办理组"].map(|name| proto::Subgroup { name: name.into() });
    let mut group = proto::Group {
        subgroups: subgroups.to_vec(),
        duties: vec![proto::Duty { number: 2, ..duty("") }, duty("手续办理组")],
        mechanisms: vec![proto::Mechanism { name: "通报".into(), text: "按月汇总排名".into() }],
        ..green_energy()
    };
    for subgroup in subgroups {
        let head = seat(proto::SeatRole::Head, Holder::OpenClass("临投集团副总经理".into()));
        group.seats.push(proto::Seat { subgroup: subgroup.name, ..head });
    }
    group
}

async fn a_group_keeps_what_its_notice_says(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let founded = mesh.try_found(whole(), "green-energy").await.unwrap();
    let expected = proto::Group { name: "groups/green-energy".into(), etag: "v1".into(), ..whole() };
    assert_eq!(founded, expected);
    let request = proto::GetGroupRequest { name: founded.name.clone() };
    let read = mesh.client().get_group(mesh.from(&supervisor(), request)).await.unwrap().into_inner();
    assert_eq!(read, expected);
    let payload: serde_json::Value =
        serde_json::from_str(&mesh.events(&founded.name).await[0].payload).unwrap();
    assert_eq!(payload["duties"][1]["subgroup"], "手续办理组");
}

async fn seats_of_subgroups_are_listed_with_their_subgroup(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let founded = mesh.try_found(whole(), "green-energy").await.unwrap();
    mesh.settle().await;
    let request = proto::ListSeatsRequest { name: founded.name, at: None };
    let answer = mesh.client().list_seats(mesh.from(&supervisor(), request)).await.unwrap().into_inner();
    let seats: Vec<_> = answer.seats.into_iter().map(|held| held.seat.unwrap()).collect();
    assert_eq!(seats, whole().seats);
    let parts: Vec<_> = seats.iter().map(|seat| seat.subgroup.as_str()).collect();
    assert_eq!(parts, ["", "", "", "综合协调组", "手续办理组"]);
}

async fn what_no_notice_can_say_is_refused_with_the_field(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let with_duty = |one: proto::Duty| {
        let mut group = whole();
        group.duties.push(one);
        group
    };
    let with_seat = |one: proto::Seat| {
        let mut group = whole();
        group.seats.push(one);
        group
    };
    let subgroup = |name: &str| {
        let mut group = whole();
        group.subgroups.push(proto::Subgroup { name: name.into() });
        group
    };
    let mechanism = |name: &str, text: &str| {
        let one = proto::Mechanism { name: name.into(), text: text.into() };
        proto::Group { mechanisms: vec![one], ..whole() }
    };
    let headed = whole().seats[4].clone();
    let second_head = proto::Seat { holder: Some(Holder::OpenClass("副局长".into())), ..headed.clone() };
    let cases = [
        (subgroup(" "), "group.subgroups[2].name"),
        (subgroup("水\0利"), "group.subgroups[2].name"),
        (subgroup("综合协调组"), "group.subgroups"),
        (proto::Group { subgroups: vec![], ..whole() }, "group.seats[3].subgroup"),
        (with_seat(headed), "group.seats"),
        (with_seat(second_head), "group.seats"),
        (with_duty(duty("资金保障组")), "group.duties[2].subgroup"),
        (with_duty(proto::Duty { number: -1, ..duty("") }), "group.duties[2].number"),
        (with_duty(proto::Duty { text: String::new(), ..duty("") }), "group.duties[2].text"),
        (with_duty(proto::Duty { text: "水".repeat(1_001), ..duty("") }), "group.duties[2].text"),
        (with_duty(proto::Duty { text: "水\0利".into(), ..duty("") }), "group.duties[2].text"),
        (with_duty(proto::Duty { unit: "市水利局".into(), ..duty("") }), "group.duties[2].unit"),
        (with_duty(proto::Duty { official: "units/water".into(), ..duty("") }), "group.duties[2].official"),
        (mechanism("", "按月汇总"), "group.mechanisms[0].name"),
        (mechanism("通报", " "), "group.mechanisms[0].text"),
        (proto::Group { duties: vec![duty(""); 301], ..whole() }, "group.duties"),
    ];
    for (group, field) in cases {
        let error = mesh.try_found(group, "green-energy").await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{error}");
        assert_eq!(error.violations()[0].field, field, "{error}");
        assert!(error.chinese().chars().any(|c| c >= '\u{4e00}'), "{error}");
    }
    assert!(mesh.history("groups/green-energy").await.is_empty());
}

async fn whom_a_duty_charges_the_roster_must_have(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    mesh.settle().await;
    let mut group = whole();
    group.duties[1].unit = "units/permits".into();
    group.duties[1].official = "officials/liu".into();
    let error = mesh.try_found(group.clone(), "green-energy").await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument, "{error}");
    let fields: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["group.duties[1].unit", "group.duties[1].official"]);
    assert!(error.violations()[1].chinese.contains("officials/liu"), "{error}");

    // What the roster was told a moment ago the copy has not heard of yet: it is asked.
    let unit = RosterEvent::UnitCreated(Unit {
        name: "units/permits".into(),
        display_name: "市行政审批服务管理局".into(),
        aliases: vec![],
        signboards: vec![],
        kind: UnitKind::Department,
        parent: None,
        division_code: None,
        successor: None,
        start_time: None,
        end_time: None,
    });
    let official = RosterEvent::OfficialCreated(Official {
        name: "officials/liu".into(),
        display_name: "刘乃力".into(),
        posts: vec![],
    });
    mesh.roster_says(&[unit, official]).await;
    for worker in &mesh.roster.workers {
        while worker.turn().await.unwrap() == Progress::Worked {}
    }
    let founded = mesh.try_found(group.clone(), "green-energy").await.unwrap();
    assert_eq!(founded.duties, group.duties);
}
