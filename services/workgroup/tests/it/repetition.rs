//! The same request sent more than once.

use futures_util::future::join_all;
use xietong_mesh::Code;
use xietong_proto::workgroup as proto;

use crate::harness::{Backend, Mesh, green_energy, on_both_back_ends, supervisor, told};

on_both_back_ends!(
    a_hundred_calls_with_one_request_id_found_one_group,
    a_hundred_calls_with_one_request_id_escalate_once,
    a_request_id_serves_one_request_only,
);

const CALLS: usize = 100;

async fn a_hundred_calls_with_one_request_id_found_one_group(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let answers = join_all((0..CALLS).map(|_| async {
        let request = proto::CreateGroupRequest {
            group: Some(green_energy()),
            group_id: String::new(),
            request_id: "found-1".into(),
            validate_only: false,
        };
        mesh.client().create_group(mesh.from(&supervisor(), request)).await.unwrap().into_inner()
    }))
    .await;
    assert!(answers.iter().all(|answer| answer == &answers[0]));
    let list = proto::ListGroupsRequest::default();
    let listed = mesh.client().list_groups(mesh.from(&supervisor(), list)).await.unwrap().into_inner();
    assert_eq!(listed.groups, std::slice::from_ref(&answers[0]));
    assert_eq!(mesh.history(&answers[0].name).await.len(), 1);
}

async fn a_hundred_calls_with_one_request_id_escalate_once(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let decision = mesh.decided().await;
    let answers = join_all((0..CALLS).map(|_| mesh.escalate(&decision.name, "escalate-1"))).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert!(answers.iter().all(|answer| answer == &answers[0]));
    assert_eq!(answers[0].state(), proto::DecisionState::Escalating);
    mesh.settle().await;
    assert_eq!(mesh.played.arrived().len(), 1);
    let again = mesh.escalate(&decision.name, "escalate-1").await.unwrap();
    assert_eq!(again, answers[0], "the first answer, whatever happened since");
}

async fn a_request_id_serves_one_request_only(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    let found = async |purpose: &str| {
        let request = proto::CreateGroupRequest {
            group: Some(proto::Group { purpose: purpose.into(), ..green_energy() }),
            group_id: "green-energy".into(),
            request_id: "found-1".into(),
            validate_only: false,
        };
        mesh.client().create_group(mesh.from(&supervisor(), request)).await
    };
    found("一").await.unwrap();
    let error = told(&found("二").await.unwrap_err());
    assert_eq!((error.code(), error.reason()), (Code::FailedPrecondition, "REQUEST_ID_REUSED"));
}
