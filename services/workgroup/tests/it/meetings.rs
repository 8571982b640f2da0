//! Recording meetings and decisions, and listing them.

use xietong_mesh::{Code, Error};
use xietong_proto::workgroup as proto;

use crate::harness::{Backend, Mesh, at, on_both_back_ends, permits, supervisor, told};

on_both_back_ends!(
    meetings_are_listed_the_latest_first,
    a_token_of_another_group_is_refused,
    decisions_are_listed_in_order_of_record,
    what_cannot_be_recorded_is_refused_with_the_field,
    what_does_not_exist_is_not_found,
);

async fn list_meetings(
    mesh: &Mesh,
    parent: &str,
    page_token: &str,
) -> Result<proto::ListMeetingsResponse, Error> {
    let request =
        proto::ListMeetingsRequest { parent: parent.into(), page_size: 2, page_token: page_token.into() };
    let answer = mesh.client().list_meetings(mesh.from(&supervisor(), request)).await;
    answer.map(tonic::Response::into_inner).map_err(|status| told(&status))
}

async fn meetings_are_listed_the_latest_first(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let group = mesh.found("green-energy").await.name;
    // Two at the same instant: the list is total all the same.
    for minutes in [5, 20, 10, 10] {
        mesh.meet(&group, minutes).await;
    }
    let (mut seconds, mut token) = (Vec::new(), String::new());
    loop {
        let page = list_meetings(&mesh, &group, &token).await.unwrap();
        assert!(page.meetings.len() <= 2);
        seconds.extend(page.meetings.into_iter().map(|meeting| meeting.meet_time.unwrap().seconds));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    let expected = [20, 10, 10, 5].map(|minutes| at("2023-06-01T00:00+08:00", minutes * 60).seconds);
    assert_eq!(seconds, expected);
    let meeting = mesh.meet(&group, 30).await;
    let request = proto::GetMeetingRequest { name: meeting.name.clone() };
    let read = mesh.client().get_meeting(mesh.from(&supervisor(), request)).await.unwrap().into_inner();
    assert_eq!(read, meeting);
    assert_eq!(mesh.history(&meeting.name).await, ["workgroup.meeting.held"]);
}

async fn a_token_of_another_group_is_refused(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let (one, other) = (mesh.found("one").await.name, mesh.found_another("other").await.name);
    for minutes in 0..3 {
        mesh.meet(&one, minutes).await;
    }
    let token = list_meetings(&mesh, &one, "").await.unwrap().next_page_token;
    assert!(!token.is_empty());
    let error = list_meetings(&mesh, &other, &token).await.unwrap_err();
    assert_eq!(error.violations()[0].field, "page_token");
}

async fn decisions_are_listed_in_order_of_record(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let group = mesh.found("green-energy").await.name;
    let (meeting, other) = (mesh.meet(&group, 0).await.name, mesh.meet(&group, 1).await.name);
    for text in ["一", "二", "三"] {
        mesh.decide(&meeting, text).await;
        mesh.decide(&other, "别的会议").await;
    }
    let list = async |page_token: String| {
        let request = proto::ListDecisionsRequest { parent: meeting.clone(), page_size: 2, page_token };
        mesh.client().list_decisions(mesh.from(&supervisor(), request)).await.unwrap().into_inner()
    };
    let first = list(String::new()).await;
    let second = list(first.next_page_token.clone()).await;
    assert_eq!(second.next_page_token, "");
    let all: Vec<_> = first.decisions.into_iter().chain(second.decisions).collect();
    assert_eq!(all.iter().map(|decision| decision.text.as_str()).collect::<Vec<_>>(), ["一", "二", "三"]);
    let expected = proto::Decision {
        name: all[0].name.clone(),
        state: proto::DecisionState::Followed.into(),
        etag: "v1".into(),
        ..permits("一")
    };
    assert_eq!(all[0], expected);
    assert_eq!(mesh.decision(&all[0].name).await, expected);
    assert_eq!(mesh.history(&all[0].name).await, ["workgroup.decision.made"]);
}

async fn what_cannot_be_recorded_is_refused_with_the_field(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let group = mesh.found("green-energy").await.name;
    let parent = mesh.meet(&group, 0).await.name;
    let record = async |parent: &str, decision: proto::Decision| {
        let request = proto::CreateDecisionRequest {
            parent: parent.into(),
            decision: Some(decision),
            request_id: String::new(),
        };
        told(&mesh.client().create_decision(mesh.from(&supervisor(), request)).await.unwrap_err())
    };
    for (decision, field) in [
        (permits("\n"), "decision.text"),
        (permits("水\0"), "decision.text"),
        (proto::Decision { lead_units: vec!["市能源局".into()], ..permits("一") }, "decision.lead_units[0]"),
        (
            proto::Decision { cooperating_units: vec!["units/energy".into()], ..permits("一") },
            "decision.cooperating_units",
        ),
    ] {
        let error = record(&parent, decision).await;
        assert_eq!((error.code(), error.violations()[0].field.as_str()), (Code::InvalidArgument, field));
    }
    let error = record("groups/green-energy", permits("一")).await;
    assert_eq!(error.violations()[0].field, "parent");

    let meeting = async |meeting: Option<proto::Meeting>| {
        let request =
            proto::CreateMeetingRequest { parent: group.clone(), meeting, request_id: String::new() };
        told(&mesh.client().create_meeting(mesh.from(&supervisor(), request)).await.unwrap_err())
    };
    let untimed = proto::Meeting { title: "第一次会议".into(), ..proto::Meeting::default() };
    let untitled =
        proto::Meeting { meet_time: Some(at("2023-06-01T00:00Z", 0)), ..proto::Meeting::default() };
    assert_eq!(meeting(None).await.violations()[0].field, "meeting");
    assert_eq!(meeting(Some(untimed)).await.violations()[0].field, "meeting.meet_time");
    assert_eq!(meeting(Some(untitled)).await.violations()[0].field, "meeting.title");
}

async fn what_does_not_exist_is_not_found(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let group = mesh.found("green-energy").await.name;
    let request = proto::GetMeetingRequest { name: format!("{group}/meetings/none") };
    let error = told(&mesh.client().get_meeting(mesh.from(&supervisor(), request)).await.unwrap_err());
    assert_eq!(error.code(), Code::NotFound);
    let error = list_meetings(&mesh, "groups/none", "").await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    let error = mesh.escalate(&format!("{group}/meetings/none/decisions/none"), "").await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    let error = mesh.escalate("decisions/none", "").await.unwrap_err();
    assert_eq!(error.violations()[0].field, "name");
}
