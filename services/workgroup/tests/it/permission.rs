//! Who may do what, and that nobody learns more than that from a refusal.

use tonic::Request;
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Code, Principal};
use xietong_proto::workgroup as proto;

use crate::harness::{Backend, Mesh, clerk, green_energy, office_of, on_both_back_ends, permits, told};

on_both_back_ends!(
    a_groups_office_writes_in_its_own_group_only,
    a_clerk_reads_and_writes_nothing,
    whoever_is_not_known_gets_nothing,
);

fn meeting(parent: &str) -> proto::CreateMeetingRequest {
    proto::CreateMeetingRequest {
        parent: parent.into(),
        meeting: Some(proto::Meeting {
            title: "第一次会议".into(),
            meet_time: Some(prost_types::Timestamp::default()),
            ..proto::Meeting::default()
        }),
        request_id: String::new(),
    }
}

async fn code(mesh: &Mesh, caller: &Principal, parent: &str) -> Code {
    let answer = mesh.client().create_meeting(mesh.from(caller, meeting(parent))).await;
    told(&answer.unwrap_err()).code()
}

async fn a_groups_office_writes_in_its_own_group_only(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let office = office_of("groups/green-energy");
    let found = async |group_id: &str| {
        let request = proto::CreateGroupRequest {
            group: Some(green_energy()),
            group_id: group_id.into(),
            request_id: String::new(),
            validate_only: false,
        };
        mesh.client().create_group(mesh.from(&office, request)).await
    };
    found("green-energy").await.unwrap();
    for other in ["clean-water", ""] {
        assert_eq!(told(&found(other).await.unwrap_err()).code(), Code::PermissionDenied);
    }
    mesh.found_another("clean-water").await;
    let held = mesh.client().create_meeting(mesh.from(&office, meeting("groups/green-energy"))).await;
    let held = held.unwrap().into_inner();
    // One that exists and one that does not are refused alike.
    assert_eq!(code(&mesh, &office, "groups/clean-water").await, Code::PermissionDenied);
    assert_eq!(code(&mesh, &office, "groups/none").await, Code::PermissionDenied);

    let decide = proto::CreateDecisionRequest {
        parent: held.name,
        decision: Some(permits("一")),
        request_id: String::new(),
    };
    let decision = mesh.client().create_decision(mesh.from(&office, decide)).await.unwrap().into_inner();
    let escalate = |name: &str| proto::EscalateDecisionRequest { name: name.into(), ..Default::default() };
    let stranger = office_of("groups/clean-water");
    let refused = mesh.client().escalate_decision(mesh.from(&stranger, escalate(&decision.name))).await;
    assert_eq!(told(&refused.unwrap_err()).code(), Code::PermissionDenied);
    let escalated = mesh.client().escalate_decision(mesh.from(&office, escalate(&decision.name))).await;
    assert_eq!(escalated.unwrap().into_inner().state(), proto::DecisionState::Escalating);
}

async fn a_clerk_reads_and_writes_nothing(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let group = mesh.found("green-energy").await;
    for caller in [clerk(), Principal::account("auditor", None, vec![Grant::of(Role::Auditor)])] {
        let get = proto::GetGroupRequest { name: group.name.clone() };
        let read = mesh.client().get_group(mesh.from(&caller, get)).await.unwrap().into_inner();
        assert_eq!(read, group);
        let list = proto::ListGroupsRequest::default();
        let listed = mesh.client().list_groups(mesh.from(&caller, list)).await.unwrap().into_inner();
        assert_eq!(listed.groups, std::slice::from_ref(&group));
        assert_eq!(code(&mesh, &caller, &group.name).await, Code::PermissionDenied);
    }
}

async fn whoever_is_not_known_gets_nothing(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let unsigned = mesh.client().list_groups(Request::new(proto::ListGroupsRequest::default())).await;
    assert_eq!(told(&unsigned.unwrap_err()).code(), Code::Unauthenticated);
    let nobody = Principal::account("nobody", None, vec![]);
    let list = mesh.client().list_groups(mesh.from(&nobody, proto::ListGroupsRequest::default())).await;
    assert_eq!(told(&list.unwrap_err()).code(), Code::PermissionDenied);
}
