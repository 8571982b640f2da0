//! The city's clock, which the gateway serves itself.

use std::time::Duration;

use serde_json::json;
use xietong_proto::gateway::AdvanceClockRequest;
use xietong_proto::gateway::GetClockRequest;
use xietong_proto::gateway::clock_service_client::ClockServiceClient;

use crate::world::{World, answer};

#[tokio::test]
async fn a_simulated_clock_is_read_and_advanced_over_rest_and_grpc() {
    let world = World::begin().await;
    let mut grpc = ClockServiceClient::new(world.channel("administrator"));
    let (_, clock) = answer(world.get("clerk", "/v1/clock")).await;
    assert_eq!(clock, json!({"now": "2023-06-01T01:00:00Z", "simulated": true}));

    let day = json!({"duration": "86400s"});
    let (status, advanced) = answer(world.post("administrator", "/v1/clock:advance", &day)).await;
    assert_eq!((status, advanced), (200, json!({"now": "2023-06-02T01:00:00Z", "timersFired": "3"})));

    let duration = Some(prost_types::Duration { seconds: 60, nanos: 0 });
    grpc.advance_clock(AdvanceClockRequest { duration, ..AdvanceClockRequest::default() }).await.unwrap();
    let clock = grpc.get_clock(GetClockRequest {}).await.unwrap().into_inner();
    assert_eq!(clock.now.unwrap().seconds, 1_685_667_660);
}

#[tokio::test]
async fn only_an_administrator_advances_it() {
    let world = World::begin().await;
    let (status, _) = answer(world.post("clerk", "/v1/clock:advance", &json!({"duration": "60s"}))).await;
    assert_eq!(status, 403);
    let mut grpc = ClockServiceClient::new(world.channel("clerk"));
    let refused = grpc.advance_clock(AdvanceClockRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::PermissionDenied);
}

#[tokio::test]
async fn it_moves_forward_and_at_most_31_days_a_call() {
    let world = World::begin().await;
    for duration in ["0s", "-1s", "2678401s"] {
        let request = world.post("administrator", "/v1/clock:advance", &json!({"duration": duration}));
        assert_eq!(answer(request).await.0, 400, "{duration}");
    }
    let (status, _) = answer(world.post("administrator", "/v1/clock:advance", &json!({}))).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_real_clock_cannot_be_advanced() {
    let world = World::with(false, Duration::from_secs(20)).await;
    let request = world.post("administrator", "/v1/clock:advance", &json!({"duration": "60s"}));
    let (status, body) = answer(request).await;
    assert_eq!((status, body["error"]["status"].as_str()), (400, Some("FAILED_PRECONDITION")));
    assert_eq!(body["error"]["details"][0]["reason"], "CLOCK_IS_REAL");
}

#[tokio::test]
async fn the_callers_key_reaches_the_clock() {
    let world = World::begin().await;
    let hour = json!({"duration": "3600s"});
    let advance = || world.post("administrator", "/v1/clock:advance", &hour);
    for key in ["a", "a", "b"] {
        assert_eq!(answer(advance().header("Idempotency-Key", key)).await.0, 200);
    }
    let (_, clock) = answer(world.get("clerk", "/v1/clock")).await;
    assert_eq!(clock["now"], "2023-06-01T03:00:00Z", "two hours for two keys");
    assert_eq!(answer(advance().header("Idempotency-Key", "a b")).await.0, 400);
}
