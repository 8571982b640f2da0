//! Server streams: events, lines and gRPC, each resumed where it was left.

use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use tonic::Code;
use xietong_proto::notification::StreamInboxRequest;
use xietong_proto::notification::inbox_service_client::InboxServiceClient;

use crate::stand_in::BROKEN_AFTER;
use crate::world::{World, answer};

/// Frames of an open stream, as they arrive.
pub(crate) struct Frames {
    response: Response,
    separator: &'static str,
    buffer: String,
}

impl Frames {
    /// Opens a stream of events, past its greeting.
    pub(crate) async fn events(request: RequestBuilder) -> Self {
        let response = request.header("accept", "text/event-stream").send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut frames = Frames { response, separator: "\n\n", buffer: String::new() };
        assert_eq!(frames.next().await.as_deref(), Some("retry: 2000"));
        frames
    }

    /// Opens a stream of lines.
    async fn lines(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/x-ndjson");
        Frames { response, separator: "\n", buffer: String::new() }
    }

    /// The next frame; none when the stream has ended properly.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((frame, rest)) = self.buffer.split_once(self.separator) {
                let frame = frame.to_owned();
                self.buffer = rest.to_owned();
                return Some(frame);
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.buffer += std::str::from_utf8(&chunk).unwrap();
        }
    }

    /// The number that the next event gives as its id.
    async fn next_id(&mut self) -> i64 {
        let frame = self.next().await.unwrap();
        let id = frame.lines().find_map(|line| line.strip_prefix("id: ")).expect(&frame);
        let data = frame.lines().find_map(|line| line.strip_prefix("data: ")).expect(&frame);
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["message"]["number"], id);
        id.parse().unwrap()
    }
}

#[tokio::test]
async fn events_are_numbered_and_go_on_as_they_arrive() {
    let world = World::begin().await;
    let mut events = Frames::events(world.get("clerk", "/v1/inbox:stream")).await;
    for number in 1..=3 {
        assert_eq!(events.next_id().await, number);
    }
    world.inbox.send();
    assert_eq!(events.next_id().await, 4);
}

#[tokio::test]
async fn an_interrupted_stream_resumes_after_the_last_event() {
    let world = World::begin().await;
    let request = world.get("clerk", "/v1/inbox:stream").header("Last-Event-ID", "2");
    assert_eq!(Frames::events(request).await.next_id().await, 3);
    let request = world.get("clerk", "/v1/inbox:stream?resumeAfter=1");
    assert_eq!(Frames::events(request).await.next_id().await, 2);
    // A browser repeats its first address when it reconnects.
    let request = world.get("clerk", "/v1/inbox:stream?resumeAfter=1").header("Last-Event-ID", "2");
    assert_eq!(Frames::events(request).await.next_id().await, 3);
    let request = world.get("clerk", "/v1/inbox:stream").header("Last-Event-ID", "two");
    assert_eq!(answer(request).await.0, 400);
}

#[tokio::test]
async fn a_broken_stream_says_why_in_its_last_frame() {
    let world = World::begin().await;
    let path = format!("/v1/inbox:stream?resumeAfter={BROKEN_AFTER}");
    let mut events = Frames::events(world.get("clerk", &path)).await;
    let frame = events.next().await.unwrap();
    let data = frame.strip_prefix("event: error\ndata: ").expect(&frame);
    let error: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(error["error"]["status"], "ABORTED");
    assert_eq!(events.next().await, None);

    let mut lines = Frames::lines(world.get("clerk", &path)).await;
    let error: serde_json::Value = serde_json::from_str(&lines.next().await.unwrap()).unwrap();
    assert_eq!(error["error"]["details"][0]["reason"], "ETAG_MISMATCH");
    assert_eq!(lines.next().await, None);
}

#[tokio::test]
async fn lines_are_sent_to_those_who_do_not_ask_for_events() {
    let world = World::begin().await;
    let mut lines = Frames::lines(world.get("clerk", "/v1/inbox:stream")).await;
    let first: serde_json::Value = serde_json::from_str(&lines.next().await.unwrap()).unwrap();
    assert_eq!(first["message"]["number"], "1");
}

#[tokio::test]
async fn a_stream_that_is_refused_is_an_ordinary_refusal() {
    let world = World::begin().await;
    let request = world.get("clerk", "/v1/inbox:stream?resumeAfter=-1").header("accept", "text/event-stream");
    let (status, body) = answer(request).await;
    assert_eq!((status, body["error"]["status"].as_str()), (400, Some("INVALID_ARGUMENT")));
}

#[tokio::test]
async fn a_stream_does_not_outlive_its_token() {
    let world = World::begin().await;
    let token = world.token_for("clerk", Duration::from_secs(1));
    let request = world.http.get(world.url("/v1/inbox:stream?resumeAfter=3")).bearer_auth(token);
    let mut events = Frames::events(request).await;
    let frame = events.next().await.unwrap();
    assert!(frame.starts_with("event: error") && frame.contains("TOKEN_EXPIRED"), "{frame}");
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn grpc_streams_pass_through() {
    let world = World::begin().await;
    let mut inbox = InboxServiceClient::new(world.channel("clerk"));
    let mut stream = inbox
        .stream_inbox(StreamInboxRequest { resume_after: 1, ..StreamInboxRequest::default() })
        .await
        .unwrap()
        .into_inner();
    for number in 2..=3 {
        assert_eq!(stream.message().await.unwrap().unwrap().message.unwrap().number, number);
    }
    world.inbox.send();
    assert_eq!(stream.message().await.unwrap().unwrap().message.unwrap().number, 4);
    let broken = StreamInboxRequest { resume_after: BROKEN_AFTER, ..StreamInboxRequest::default() };
    let mut stream = inbox.stream_inbox(broken).await.unwrap().into_inner();
    assert_eq!(stream.message().await.unwrap_err().code(), Code::Aborted);
}
