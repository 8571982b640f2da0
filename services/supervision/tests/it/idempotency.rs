//! One effect and one answer, and races that nobody loses.

use tonic::Code;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole;

use crate::city::{City, Store, refusal, task, task_of};
use crate::on_both;

on_both!(
    a_hundred_calls_with_one_request_id_have_one_effect_and_one_answer,
    a_request_id_serves_one_request_only,
    units_that_sign_at_the_same_moment_all_succeed,
    a_failed_request_can_be_tried_again,
);

async fn a_hundred_calls_with_one_request_id_have_one_effect_and_one_answer(store: Store) {
    let city = City::start(store).await;
    let request = proto::CreateTaskRequest {
        task: Some(task_of("energy")),
        issue: true,
        request_id: "one".to_owned(),
        ..Default::default()
    };
    let client = city.supervisor();
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let (mut client, request) = (client.clone(), request.clone());
            tokio::spawn(async move { client.create_task(request).await.unwrap().into_inner() })
        })
        .collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(city.list(proto::ListTasksRequest::default()).await, [answers[0].clone()]);
    assert_eq!(city.timeline(&answers[0].name).await.len(), 2);
}

async fn a_request_id_serves_one_request_only(store: Store) {
    let city = City::start(store).await;
    let mut client = city.supervisor();
    let request = |unit: &str| proto::CreateTaskRequest {
        task: Some(task_of(unit)),
        request_id: "one".to_owned(),
        ..Default::default()
    };
    client.create_task(request("energy")).await.unwrap();
    let (code, error) = refusal(client.create_task(request("water")).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "REQUEST_ID_REUSED"));
    assert_eq!(city.list(proto::ListTasksRequest::default()).await.len(), 1);
}

async fn units_that_sign_at_the_same_moment_all_succeed(store: Store) {
    let city = City::start(store).await;
    let units = ["industry", "energy", "water"];
    let issued = city.issued(task("联合整治", &units.map(|unit| (unit, AssignmentRole::Lead)))).await;
    let calls: Vec<_> = units
        .into_iter()
        .zip(&issued.assignments)
        .map(|(unit, assignment)| {
            let mut clerk = city.clerk(unit);
            let request =
                proto::SignAssignmentRequest { name: assignment.name.clone(), ..Default::default() };
            tokio::spawn(async move { clerk.sign_assignment(request).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(city.timeline(&issued.name).await.len(), 5);
}

async fn a_failed_request_can_be_tried_again(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(task_of("energy")).await;
    let name = issued.assignments[0].name.clone();
    let mut clerk = city.clerk("energy");
    let deploy = proto::DeployAssignmentRequest {
        name: name.clone(),
        request_id: "deploy".to_owned(),
        ..Default::default()
    };
    let (code, _) = refusal(clerk.deploy_assignment(deploy.clone()).await);
    assert_eq!(code, Code::FailedPrecondition);
    clerk.sign_assignment(proto::SignAssignmentRequest { name, ..Default::default() }).await.unwrap();
    clerk.deploy_assignment(deploy).await.unwrap();
}
