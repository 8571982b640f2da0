//! Who is let in, and what callers see of faults.

use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use xietong_mesh::error::{Code, Error};
use xietong_mesh::principal::{Grant, PRINCIPAL_METADATA, Principal, Role};
use xietong_mesh::service_name::ServiceName;
use xietong_proto::common::event_log_service_client::EventLogServiceClient;
use xietong_proto::common::{ReadRequest, ReadResponse};
use xietong_proto::notification::StreamInboxRequest;
use xietong_proto::notification::inbox_service_client::InboxServiceClient;
use xietong_proto::roster::LookupUnitRequest;

use crate::server::{BOUND, FAILS, NEVER_ANSWERS, PANICS, PANICS_IN_THE_STREAM, Running};

const ROSTER: ServiceName = ServiceName::Roster;

fn read(after: i64) -> ReadRequest {
    ReadRequest { after, limit: 0 }
}

fn events(running: &Running) -> EventLogServiceClient<Channel> {
    EventLogServiceClient::new(running.peers.channel(ROSTER).unwrap())
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> Error {
    Error::from_status(&answer.unwrap_err())
}

#[tokio::test]
async fn a_call_without_a_principal_is_refused_before_the_handler() {
    let running = Running::start(BOUND).await;
    let error = refused(events(&running).read(read(0)).await);
    assert_eq!((error.code(), error.reason()), (Code::Unauthenticated, "TOKEN_MISSING"));
    let mut forged = Request::new(read(0));
    forged.metadata_mut().insert(PRINCIPAL_METADATA, "forged".parse().unwrap());
    let error = refused(events(&running).read(forged).await);
    assert_eq!((error.code(), error.reason()), (Code::Unauthenticated, "TOKEN_MALFORMED"));
    assert!(running.seen().is_empty());
    running.end().await;
}

#[tokio::test]
async fn a_principal_without_a_grant_is_refused_before_the_handler() {
    let running = Running::start(BOUND).await;
    let administrator = Principal::account("admin", None, vec![Grant::of(Role::Administrator)]);
    let call = running.call_of(administrator);
    let request = running.peers.outgoing(read(0), &call, BOUND).unwrap();
    let error = refused(events(&running).read(request).await);
    assert_eq!(error, Error::permission_denied("events.read"));
    assert!(running.seen().is_empty());
    running.end().await;
}

#[tokio::test]
async fn a_handler_knows_who_calls_and_why() {
    let running = Running::start(BOUND).await;
    let request = running.peers.outgoing_as_system(read(0), "决定：groups/1", BOUND).unwrap();
    assert_eq!(events(&running).read(request).await.unwrap().get_ref().epoch, "e1");
    let seen = running.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(*seen[0].principal, Principal::system(ServiceName::Supervision));
    assert_eq!(seen[0].action, "events.read");
    assert_eq!(seen[0].ground.as_deref(), Some("决定：groups/1"));
    assert!(seen[0].deadline.is_some());
    running.end().await;
}

#[tokio::test]
async fn an_error_of_a_handler_arrives_whole() {
    let running = Running::start(BOUND).await;
    let request = running.peers.outgoing_as_system(read(FAILS), "test", BOUND).unwrap();
    let error = refused(events(&running).read(request).await);
    assert_eq!(error, Error::aborted_etag("tasks/1"));
    running.end().await;
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_the_connection_lives_on() {
    let running = Running::start(BOUND).await;
    let mut client = events(&running);
    let request = running.peers.outgoing_as_system(read(PANICS), "test", BOUND).unwrap();
    let error = refused(client.read(request).await);
    assert_eq!((error.code(), error.reason()), (Code::Internal, "INTERNAL"));
    let request = running.peers.outgoing_as_system(read(0), "test", BOUND).unwrap();
    assert!(client.read(request).await.is_ok());
    running.end().await;
}

#[tokio::test]
async fn a_panic_within_a_stream_is_an_internal_error() {
    let running = Running::start(BOUND).await;
    let mut client = InboxServiceClient::new(running.peers.channel(ROSTER).unwrap());
    let call = running.call_of(Principal::account("a", None, vec![Grant::of(Role::Leader)]));
    let message = StreamInboxRequest { resume_after: PANICS_IN_THE_STREAM, ..StreamInboxRequest::default() };
    let mut stream = client
        .stream_inbox(running.peers.outgoing(message, &call, BOUND).unwrap())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(refused(stream.message().await).code(), Code::Internal);
    running.end().await;
}

#[tokio::test]
async fn an_unreadable_message_is_the_callers_fault() {
    let running = Running::start(BOUND).await;
    // Field 1 as text where the service expects a number.
    let message = LookupUnitRequest { name: "市工信局".to_owned() };
    let request = running.peers.outgoing_as_system(message, "test", BOUND).unwrap();
    let mut client = tonic::client::Grpc::new(running.peers.channel(ROSTER).unwrap());
    client.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<LookupUnitRequest, ReadResponse>::default();
    let path = http::uri::PathAndQuery::from_static("/xietong.common.v1.EventLogService/Read");
    let error = refused(client.unary(request, path, codec).await);
    assert_eq!(error.code(), Code::InvalidArgument, "{error}");
    running.end().await;
}

#[tokio::test]
async fn an_unknown_method_has_the_shape_of_every_error() {
    let running = Running::start(BOUND).await;
    let request = running.peers.outgoing_as_system(read(0), "test", BOUND).unwrap();
    let mut client = tonic::client::Grpc::new(running.peers.channel(ROSTER).unwrap());
    client.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<ReadRequest, ReadResponse>::default();
    let path = http::uri::PathAndQuery::from_static("/xietong.common.v1.EventLogService/Nothing");
    let error = refused(client.unary(request, path, codec).await);
    assert_eq!((error.code(), error.reason()), (Code::Unimplemented, "UNIMPLEMENTED"));
    assert!(error.message().contains("Nothing"), "the error is the mesh's own");
    running.end().await;
}

#[tokio::test]
async fn a_passed_deadline_is_told_as_one() {
    let running = Running::start(BOUND).await;
    let soon = std::time::Duration::from_millis(100);
    let request = running.peers.outgoing_as_system(read(NEVER_ANSWERS), "test", soon).unwrap();
    let error = refused(events(&running).read(request).await);
    assert_eq!(error.code(), Code::DeadlineExceeded);
    running.end().await;
}

#[tokio::test]
async fn calls_are_measured_by_how_they_ended() {
    let running = Running::start(BOUND).await;
    let mut client = events(&running);
    for after in [0, FAILS, PANICS] {
        let request = running.peers.outgoing_as_system(read(after), "test", BOUND).unwrap();
        let _answer = client.read(request).await;
    }
    let metrics = running.metrics.clone();
    running.end().await;
    let page = metrics.render();
    for status in ["OK", "ABORTED", "INTERNAL"] {
        let counted = page.lines().any(|line| {
            line.starts_with("rpc_server_call_duration_seconds_count{")
                && line.contains("rpc_method=\"xietong.common.v1.EventLogService/Read\"")
                && line.contains(&format!("rpc_response_status_code=\"{status}\""))
                && line.ends_with("} 1")
        });
        assert!(counted, "{status} in\n{page}");
    }
}

#[tokio::test]
async fn health_needs_no_principal_and_follows_readiness() {
    let running = Running::start(BOUND * 6).await;
    let mut client = HealthClient::new(running.peers.channel(ROSTER).unwrap());
    let mut statuses = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    let mut status = statuses.message().await.unwrap().unwrap().status();
    while status != ServingStatus::Serving {
        status = statuses.message().await.unwrap().unwrap().status();
    }
    // Who watches is told of the end and does not hold it up.
    running.end().await;
    assert_eq!(statuses.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert!(statuses.message().await.unwrap().is_none());
}
