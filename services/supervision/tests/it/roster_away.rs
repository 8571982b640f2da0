//! What goes on while the roster cannot be asked.

use tokio::task::JoinHandle;
use tonic::Code;
use xietong_proto::supervision as proto;

use crate::city::{City, START, Store, at, refusal, task_of};
use crate::on_both;
use crate::permission::{submitted, verify};

on_both!(
    a_repeat_gets_its_first_answer_while_the_roster_is_down,
    a_leader_who_waits_for_the_roster_holds_nobody_up,
    a_creation_that_waits_for_the_roster_holds_nobody_up,
);

async fn a_repeat_gets_its_first_answer_while_the_roster_is_down(store: Store) {
    let mut city = City::start(store).await;
    city.roster.found("data", "市数据局", at(START)).await;
    let create = proto::CreateTaskRequest {
        task: Some(task_of("data")),
        request_id: "create".to_owned(),
        ..Default::default()
    };
    let created = city.supervisor().create_task(create.clone()).await.unwrap().into_inner();
    let (_, name) = submitted(&city, "energy").await;
    let accept = proto::VerifyAssignmentRequest {
        name,
        accept: true,
        request_id: "verify".to_owned(),
        ..Default::default()
    };
    let verified = city.leader("first").verify_assignment(accept.clone()).await.unwrap().into_inner();

    city.restart_with_the_roster_down().await;
    let again = city.supervisor().create_task(create.clone()).await.unwrap().into_inner();
    assert_eq!(again, created);
    let again = city.leader("first").verify_assignment(accept.clone()).await.unwrap().into_inner();
    assert_eq!(again, verified);
    let another = proto::CreateTaskRequest { request_id: "another".to_owned(), ..create };
    assert_eq!(refusal(city.supervisor().create_task(another).await).0, Code::Unavailable);
    let another = proto::VerifyAssignmentRequest { request_id: "another".to_owned(), ..accept };
    assert_eq!(refusal(city.leader("first").verify_assignment(another).await).0, Code::Unavailable);
}

async fn a_leader_who_waits_for_the_roster_holds_nobody_up(store: Store) {
    let mut city = City::start(store).await;
    let (_, name) = submitted(&city, "energy").await;
    somebody_waits_for_the_roster(&mut city, |city| {
        let mut leader = city.leader("first");
        tokio::spawn(async move { refusal(verify(&mut leader, &name).await).0 })
    })
    .await;
}

async fn a_creation_that_waits_for_the_roster_holds_nobody_up(store: Store) {
    let mut city = City::start(store).await;
    somebody_waits_for_the_roster(&mut city, |city| {
        let mut supervisor = city.supervisor();
        let request = proto::CreateTaskRequest { task: Some(task_of("energy")), ..Default::default() };
        tokio::spawn(async move { refusal(supervisor.create_task(request).await).0 })
    })
    .await;
}

/// Lets a clerk sign while a call waits for a roster that never answers, and the call be given
/// up.
async fn somebody_waits_for_the_roster(city: &mut City, call: impl FnOnce(&City) -> JoinHandle<Code>) {
    let assigned = city.issued(task_of("water")).await.assignments[0].name.clone();
    let roster = city.restart_with_a_hanging_roster().await;
    let waiting = call(city);
    let _asked = roster.accept().await.unwrap();

    let sign = proto::SignAssignmentRequest { name: assigned, ..Default::default() };
    city.clerk("water").sign_assignment(sign).await.unwrap();
    assert!(!waiting.is_finished(), "the clerk signed while the other call was waiting");
    assert_eq!(waiting.await.unwrap(), Code::Unavailable);
}
