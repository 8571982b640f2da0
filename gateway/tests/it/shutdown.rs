//! Stopping: what is open ends, what is under way finishes, and nobody can hold it up.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;
use xietong_proto::notification::StreamInboxRequest;
use xietong_proto::notification::inbox_service_client::InboxServiceClient;

use crate::streams::Frames;
use crate::world::World;

#[tokio::test]
async fn open_streams_are_told_and_end() {
    let mut world = World::begin().await;
    let mut events = Frames::events(world.get("clerk", "/v1/inbox:stream?resumeAfter=3")).await;
    let mut inbox = InboxServiceClient::new(world.channel("clerk"));
    let mut stream = inbox
        .stream_inbox(StreamInboxRequest { resume_after: 2, ..StreamInboxRequest::default() })
        .await
        .unwrap()
        .into_inner();
    assert!(stream.message().await.unwrap().is_some());
    world.stop();
    let frame = events.next().await.unwrap();
    assert!(frame.starts_with("event: error") && frame.contains("UNAVAILABLE"), "{frame}");
    assert_eq!(events.next().await, None);
    assert_eq!(stream.message().await.unwrap_err().code(), Code::Unavailable);
    drop((events, stream, inbox));
    tokio::time::timeout(Duration::from_secs(5), world.stopped()).await.expect("it stops");
}

#[tokio::test]
async fn a_silent_client_does_not_hold_it_up() {
    let mut world = World::begin().await;
    let mut silent = TcpStream::connect(world.address).await.unwrap();
    // A whole answer on a later connection shows that the first was accepted.
    assert!(world.http.get(world.url("/livez")).send().await.unwrap().status().is_success());
    world.stop();
    tokio::time::timeout(Duration::from_secs(5), world.stopped()).await.expect("it stops");
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_client_that_stops_in_its_headers_is_cut_off_after_the_time_to_drain() {
    let mut world = World::with(true, Duration::from_millis(300)).await;
    let mut half = TcpStream::connect(world.address).await.unwrap();
    half.write_all(b"GET /v1/units HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    assert!(world.http.get(world.url("/livez")).send().await.unwrap().status().is_success());
    world.stop();
    tokio::time::timeout(Duration::from_secs(5), world.stopped()).await.expect("it stops");
    assert_eq!(half.read(&mut [0; 1]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_call_that_never_ends_is_cut_off_after_the_time_to_drain() {
    let grace = Duration::from_millis(300);
    let mut world = World::with(true, grace).await;
    let mut busy = TcpStream::connect(world.address).await.unwrap();
    let request = format!(
        "GET /v1/inbox/messages/slow HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nexpect: 100-continue\r\n\
         content-type: application/json\r\ncontent-length: 9\r\n\r\n",
        world.token("clerk")
    );
    busy.write_all(request.as_bytes()).await.unwrap();
    // The interim answer shows that the call is under way.
    let mut interim = [0; 25];
    busy.read_exact(&mut interim).await.unwrap();
    assert!(interim.starts_with(b"HTTP/1.1 100"));
    let stopping = Instant::now();
    world.stop();
    tokio::time::timeout(Duration::from_secs(5), world.stopped()).await.expect("it stops");
    assert!(stopping.elapsed() >= grace);
    assert_eq!(busy.read(&mut [0; 1]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn what_is_under_way_finishes() {
    let mut world = World::begin().await;
    let mut client = TcpStream::connect(world.address).await.unwrap();
    let request = format!(
        "POST /v1/units?unitId=late HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nexpect: 100-continue\r\n\
         content-type: application/json\r\ncontent-length: 2\r\n\r\n",
        world.token("administrator")
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    client.read_exact(&mut interim).await.unwrap();
    world.stop();
    client.write_all(b"{}").await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    tokio::time::timeout(Duration::from_secs(5), world.stopped()).await.expect("it stops");
}
