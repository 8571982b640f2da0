//! REST and gRPC are two ways to the same answers.

use http::StatusCode;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::{Value, json};
use tonic::Status;
use xietong_mesh::Error;
use xietong_proto::notification::inbox_service_client::InboxServiceClient;
use xietong_proto::notification::{GetMessageRequest, GetUnreadRequest, ListMessagesRequest};
use xietong_proto::roster::directory_service_client::DirectoryServiceClient;
use xietong_proto::roster::{
    CreateUnitRequest, GetUnitRequest, ListUnitsRequest, LookupUnitRequest, Unit, UnitKind,
};

use crate::world::{World, answer};

/// A gRPC answer as REST would give it.
fn as_rest<M: Message>(message_type: &str, result: Result<tonic::Response<M>, Status>) -> (u16, Value) {
    let message = match result {
        Ok(response) => response.into_inner(),
        Err(status) => {
            let error = Error::from_status(&status);
            return (error.http_status(), error.to_json());
        }
    };
    let pool = DescriptorPool::decode(xietong_proto::DESCRIPTORS).unwrap();
    let mut dynamic = DynamicMessage::new(pool.get_message_by_name(message_type).unwrap());
    dynamic.transcode_from(&message).unwrap();
    let options = SerializeOptions::new().skip_default_fields(false);
    (200, dynamic.serialize_with_options(serde_json::value::Serializer, &options).unwrap())
}

#[tokio::test]
async fn a_created_unit_is_the_same_over_rest_and_grpc() {
    let world = World::begin().await;
    let mut grpc = DirectoryServiceClient::new(world.channel("administrator"));
    let unit = json!({"displayName": "市水利局", "kind": "UNIT_KIND_DEPARTMENT", "aliases": ["水利局"],
        "startTime": "2023-06-01T09:00:00+08:00"});
    let (status, created) =
        answer(world.post("administrator", "/v1/units?unitId=shuiliju&requestId=k", &unit)).await;
    assert_eq!(
        (status, created["name"].as_str(), created["etag"].as_str()),
        (200, Some("units/shuiliju"), Some("k"))
    );

    let by_rest = answer(world.get("clerk", "/v1/units/shuiliju")).await;
    let by_grpc = grpc.get_unit(GetUnitRequest { name: "units/shuiliju".into() }).await;
    let unit = by_grpc.as_ref().unwrap().get_ref().clone();
    assert_eq!(unit.kind(), UnitKind::Department);
    assert_eq!(unit.start_time.as_ref().unwrap().seconds, 1_685_581_200);
    assert_eq!(by_rest, as_rest("xietong.roster.v1.Unit", by_grpc));

    let by_grpc = grpc
        .create_unit(CreateUnitRequest {
            unit: Some(Unit { display_name: "市财政局".into(), ..Default::default() }),
            unit_id: "caizhengju".into(),
            ..Default::default()
        })
        .await;
    assert_eq!(
        answer(world.get("clerk", "/v1/units/caizhengju")).await,
        as_rest("xietong.roster.v1.Unit", by_grpc)
    );

    let by_rest = answer(world.get("clerk", "/v1/units?q=%E6%B0%B4%E5%88%A9&pageToken=t")).await;
    let request = ListUnitsRequest { q: "水利".into(), page_token: "t".into(), page_size: 0 };
    assert_eq!(by_rest.1["units"].as_array().unwrap().len(), 1);
    assert_eq!(by_rest, as_rest("xietong.roster.v1.ListUnitsResponse", grpc.list_units(request).await));
}

#[tokio::test]
async fn refusals_of_a_service_are_the_same_over_rest_and_grpc() {
    let world = World::begin().await;
    let mut clerk = DirectoryServiceClient::new(world.channel("clerk"));
    let mut administrator = DirectoryServiceClient::new(world.channel("administrator"));
    let mut inbox = InboxServiceClient::new(world.channel("clerk"));

    let missing = as_rest("", clerk.get_unit(GetUnitRequest { name: "units/none".into() }).await);
    assert_eq!(answer(world.get("clerk", "/v1/units/none")).await, missing);
    assert_eq!(missing.0, 404);

    let lookup = as_rest("", clerk.lookup_unit(LookupUnitRequest { name: "市局".into() }).await);
    assert_eq!(answer(world.get("clerk", "/v1/units:lookup?name=市局")).await, lookup);
    assert_eq!(lookup.1["error"]["details"][0]["metadata"]["candidates"], "units/a,units/b");

    let forbidden = as_rest("", clerk.create_unit(CreateUnitRequest::default()).await);
    assert_eq!(answer(world.post("clerk", "/v1/units", &json!({}))).await, forbidden);
    assert_eq!(forbidden.0, 403);

    let invalid = as_rest("", administrator.create_unit(CreateUnitRequest::default()).await);
    assert_eq!(answer(world.post("administrator", "/v1/units", &json!({}))).await, invalid);
    assert_eq!(invalid.1["error"]["details"][2]["fieldViolations"][0]["field"], "unit_id");

    let message = GetMessageRequest { name: "inbox/messages/9".into() };
    let missing = as_rest("", inbox.get_message(message).await);
    assert_eq!(answer(world.get("clerk", "/v1/inbox/messages/9")).await, missing);
}

#[tokio::test]
async fn the_largest_integer_survives() {
    let world = World::begin().await;
    let (_, unread) = answer(world.get("clerk", "/v1/inbox/unread")).await;
    assert_eq!(unread["unread"], "9223372036854775807");
    let mut inbox = InboxServiceClient::new(world.channel("clerk"));
    assert_eq!(inbox.get_unread(GetUnreadRequest {}).await.unwrap().get_ref().unread, i64::MAX);
}

#[tokio::test]
async fn the_service_learns_who_calls() {
    let world = World::begin().await;
    let (_, messages) = answer(world.get("clerk", "/v1/inbox/messages")).await;
    assert_eq!(messages["messages"][0]["title"], "clerk");
    assert_eq!(messages["messages"][0]["recipient"], "officials/clerk");
    let mut inbox = InboxServiceClient::new(world.channel("administrator"));
    let messages = inbox.list_messages(ListMessagesRequest::default()).await.unwrap().into_inner();
    assert_eq!(messages.messages[0].title, "administrator");
}

#[tokio::test]
async fn a_patch_changes_the_fields_that_its_body_or_its_mask_names() {
    let world = World::begin().await;
    let renamed = json!({"displayName": "市水务局", "aliases": [], "etag": "v1"});
    let path = "/v1/units/shuiliju?effectiveTime=2023-07-01T00:00:00%2B08:00";
    let patch = world.patch("administrator", path, &renamed).header("Idempotency-Key", "key-1");
    let (status, unit) = answer(patch).await;
    assert_eq!((status, unit["name"].as_str()), (200, Some("units/shuiliju")));
    assert_eq!(
        (unit["displayName"].as_str(), unit["etag"].as_str()),
        (Some("aliases,display_name,etag"), Some("key-1"))
    );
    let path = "/v1/units/shuiliju?updateMask=displayName";
    let (_, unit) = answer(world.patch("administrator", path, &renamed)).await;
    assert_eq!(unit["displayName"], "display_name");
    let (status, _) = answer(world.patch("clerk", "/v1/units/shuiliju", &renamed)).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn an_idempotency_key_becomes_the_request_id() {
    let world = World::begin().await;
    let create = |id: &str| world.post("administrator", &format!("/v1/units?unitId={id}"), &json!({}));
    let (_, unit) = answer(create("a").header("Idempotency-Key", "key-1")).await;
    assert_eq!(unit["etag"], "key-1");
    let differing = world.post("administrator", "/v1/units?unitId=b&requestId=other", &json!({}));
    let (status, refused) = answer(differing.header("Idempotency-Key", "key-1")).await;
    assert_eq!((status, refused["error"]["status"].as_str()), (400, Some("INVALID_ARGUMENT")));
    let (status, _) = answer(world.get("clerk", "/v1/units").header("Idempotency-Key", "ignored")).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn head_answers_like_get_without_the_body() {
    let world = World::begin().await;
    let head = world.http.head(world.url("/v1/inbox/unread")).bearer_auth(world.token("clerk"));
    let response = head.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let got = world.get("clerk", "/v1/inbox/unread").send().await.unwrap().bytes().await.unwrap();
    assert_eq!(response.headers()["content-length"], got.len().to_string());
    assert_eq!(response.bytes().await.unwrap().len(), 0);
}

#[tokio::test]
async fn probes_need_no_token() {
    let world = World::begin().await;
    for path in ["/livez", "/metrics"] {
        let response = world.http.get(world.url(path)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
    }
}
