//! A trace goes on through the gateway.

use tonic::Request;
use xietong_proto::notification::ListMessagesRequest;
use xietong_proto::notification::inbox_service_client::InboxServiceClient;

use crate::world::{World, answer};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-";

#[tokio::test]
async fn the_service_continues_the_trace_of_the_client() {
    let world = World::begin().await;

    let (_, body) = answer(world.get("clerk", "/v1/inbox/messages").header("traceparent", PARENT)).await;
    let by_rest = body["messages"][0]["body"].as_str().unwrap().to_owned();
    let mut inbox = InboxServiceClient::new(world.channel("clerk"));
    let mut request = Request::new(ListMessagesRequest::default());
    request.metadata_mut().insert("traceparent", PARENT.parse().unwrap());
    let by_grpc = inbox.list_messages(request).await.unwrap().into_inner().messages.remove(0).body;
    for seen in [by_rest, by_grpc] {
        assert!(seen.starts_with(TRACE) && seen != PARENT, "{seen}");
    }
}
