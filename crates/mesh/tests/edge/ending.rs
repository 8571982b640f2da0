//! The server ends in time, whatever clients do.

use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tonic::Streaming;
use xietong_mesh::principal::{Grant, Principal, Role};
use xietong_mesh::service_name::ServiceName;
use xietong_proto::common::ReadRequest;
use xietong_proto::common::event_log_service_client::EventLogServiceClient;
use xietong_proto::notification::inbox_service_client::InboxServiceClient;
use xietong_proto::notification::{StreamInboxRequest, StreamInboxResponse};

use crate::server::{BOUND, ENDS_WITH_THE_DRAIN, NEVER_ANSWERS, NEVER_ENDS, Running};

/// An open stream that has delivered its first message.
async fn open_stream(running: &Running, resume_after: i64) -> Streaming<StreamInboxResponse> {
    let mut client = InboxServiceClient::new(running.peers.channel(ServiceName::Roster).unwrap());
    let call = running.call_of(Principal::account("a", None, vec![Grant::of(Role::Leader)]));
    let request = running
        .peers
        .outgoing(StreamInboxRequest { resume_after, ..StreamInboxRequest::default() }, &call, BOUND * 6)
        .unwrap();
    let mut stream = client.stream_inbox(request).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());
    stream
}

#[tokio::test]
async fn streams_that_heed_the_drain_end_cleanly_and_at_once() {
    let running = Running::start(BOUND * 6).await;
    // Accepted before the stream's connection, and never says a word.
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    let mut stream = open_stream(&running, ENDS_WITH_THE_DRAIN).await;
    running.end().await;
    assert!(stream.message().await.unwrap().is_none());
    // The server's greeting may still be there to read; then the connection has ended.
    let mut greeting = Vec::new();
    let ended = tokio::time::timeout(BOUND, silent.read_to_end(&mut greeting)).await;
    assert!(ended.is_ok(), "the silent client is still connected");
}

#[tokio::test]
async fn whatever_is_left_after_the_grace_period_is_cut_off() {
    let grace = Duration::from_millis(300);
    let running = Running::start(grace).await;
    let _silent = TcpStream::connect(running.address).await.unwrap();
    let mut stream = open_stream(&running, NEVER_ENDS).await;
    let mut client = EventLogServiceClient::new(running.peers.channel(ServiceName::Roster).unwrap());
    let message = ReadRequest { after: NEVER_ANSWERS, limit: 0 };
    let request = running.peers.outgoing_as_system(message, "test", BOUND * 6).unwrap();
    let unanswered = tokio::spawn(async move { client.read(request).await });

    let told = Instant::now();
    running.end().await;
    let took = told.elapsed();
    assert!(took >= grace, "calls were not given their grace: {took:?}");
    assert!(took < grace + Duration::from_secs(2), "{took:?}");
    assert!(tokio::time::timeout(BOUND, stream.message()).await.unwrap().is_err());
    assert!(tokio::time::timeout(BOUND, unanswered).await.unwrap().unwrap().is_err());
}

#[tokio::test]
async fn nobody_is_accepted_once_the_drain_has_begun() {
    let running = Running::start(BOUND).await;
    let address = running.address;
    running.end().await;
    assert!(TcpStream::connect(address).await.is_err());
}
