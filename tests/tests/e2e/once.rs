//! A request that is sent many times at once has one effect and one answer, with Redis or
//! without.

use futures_util::future::join_all;
use serde_json::{Value, json};
use xietong_mesh::ServiceName;
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::cluster::ADMINISTRATOR;
use xietong_testkit::servers::Redis;

use crate::load::task;
use crate::world::{SOON, SUPERVISOR, cluster, found_linfen};

const CALLS: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_calls_with_one_request_id_have_one_effect_and_one_answer_even_without_redis() {
    let mut redis = Redis::start().unwrap();
    let cluster = cluster(&redis.url()).await;
    found_linfen(&cluster.api(Protocol::Grpc, ADMINISTRATOR).await.unwrap()).await;
    let supervisor = cluster.api(Protocol::Rest, SUPERVISOR).await.unwrap();

    let first = one_answer(&supervisor, "with-redis").await;
    other_body_is_refused(&supervisor, "with-redis").await;

    redis.kill().unwrap();
    assert_eq!(one_answer(&supervisor, "with-redis").await, first, "the answer given before is given again");
    other_body_is_refused(&supervisor, "with-redis").await;
    let second = one_answer(&supervisor, "without-redis").await;
    assert_ne!(second["name"], first["name"]);
    other_body_is_refused(&supervisor, "without-redis").await;

    let databases = cluster.databases().await.unwrap();
    databases.settle(SOON).await.unwrap();
    let log = databases.log(ServiceName::Supervision).await.unwrap();
    log.check().unwrap();
    let created: Vec<_> =
        log.of_type("supervision.task.created").map(|event| event.aggregate.clone()).collect();
    assert_eq!(json!(created), json!([first["name"], second["name"]]));
}

/// Calls at once over both protocols; all get the same answer.
async fn one_answer(supervisor: &Api, request_id: &str) -> Value {
    let protocols = [Protocol::Rest, Protocol::Grpc].into_iter().cycle().take(CALLS);
    let calls = protocols.map(|protocol| {
        let api = supervisor.over(protocol);
        async move { api.call("TaskService/CreateTask", task(request_id)).await.unwrap() }
    });
    let mut answers = join_all(calls).await;
    let first = answers.pop().unwrap();
    for answer in answers {
        assert_eq!(answer, first);
    }
    first
}

async fn other_body_is_refused(supervisor: &Api, request_id: &str) {
    let mut other = task(request_id);
    other["task"]["text"] = json!("另一件事");
    for protocol in [Protocol::Rest, Protocol::Grpc] {
        let error =
            supervisor.over(protocol).call("TaskService/CreateTask", other.clone()).await.unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.reason.as_str()),
            ("FAILED_PRECONDITION", "REQUEST_ID_REUSED")
        );
    }
}
