//! gRPC passes through, but only what is public, and only in the caller's own name.

use std::time::Duration;

use tonic::{Code, Request};
use xietong_mesh::Error;
use xietong_mesh::principal::PRINCIPAL_METADATA;
use xietong_proto::common::ReadRequest;
use xietong_proto::common::event_log_service_client::EventLogServiceClient;
use xietong_proto::notification::inbox_service_client::InboxServiceClient;
use xietong_proto::notification::{GetMessageRequest, GetUnreadRequest, ListMessagesRequest};
use xietong_proto::roster::ResolveAccountRequest;
use xietong_proto::roster::directory_service_client::DirectoryServiceClient;

use crate::world::World;

#[tokio::test]
async fn internal_methods_are_refused() {
    let world = World::begin().await;
    let mut directory = DirectoryServiceClient::new(world.channel("administrator"));
    let request = ResolveAccountRequest { subject: "clerk".into() };
    assert_eq!(directory.resolve_account(request).await.unwrap_err().code(), Code::Unimplemented);
    let mut log = EventLogServiceClient::new(world.channel("administrator"));
    assert_eq!(log.read(ReadRequest::default()).await.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test]
async fn a_stranger_gets_a_status_with_details() {
    let world = World::begin().await;
    let mut inbox = InboxServiceClient::new(world.anonymous());
    let status = inbox.get_unread(GetUnreadRequest {}).await.unwrap_err();
    let error = Error::from_status(&status);
    assert_eq!((error.reason(), error.http_status()), ("TOKEN_MISSING", 401));
}

#[tokio::test]
async fn a_principal_that_a_client_brings_is_not_believed() {
    let world = World::begin().await;
    let mut inbox = InboxServiceClient::new(world.channel("clerk"));
    let mut request = Request::new(ListMessagesRequest::default());
    request.metadata_mut().insert(PRINCIPAL_METADATA, "forged".parse().unwrap());
    let messages = inbox.list_messages(request).await.unwrap().into_inner().messages;
    assert_eq!(messages[0].title, "clerk");

    let mut alone = InboxServiceClient::new(world.anonymous());
    let mut request = Request::new(ListMessagesRequest::default());
    request.metadata_mut().insert(PRINCIPAL_METADATA, "forged".parse().unwrap());
    assert_eq!(alone.list_messages(request).await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_clients_own_deadline_is_passed_on() {
    let world = World::begin().await;
    let mut inbox = InboxServiceClient::new(world.channel("clerk"));
    let mut request = Request::new(GetMessageRequest { name: "inbox/messages/slow".into() });
    request.set_timeout(Duration::from_millis(50));
    let status = inbox.get_message(request).await.unwrap_err();
    assert_eq!(Error::from_status(&status), Error::deadline_exceeded());
}
