//! Server streams over HTTP: server-sent events, or a line of JSON a message.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use futures_util::{Stream, StreamExt, stream};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use prost::bytes::Bytes;
use prost_reflect::DynamicMessage;
use tokio::time::{Interval, MissedTickBehavior};
use tonic::Status;
use xietong_mesh::Error;

use crate::transcode::{Method, response as json};

/// A comment is sent after so long without a message, so that no proxy closes the stream.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How long a browser waits before it reconnects, in milliseconds.
const RETRY: &str = "retry: 2000\n\n";

/// How messages are told apart on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// `text/event-stream`.
    Events,
    /// `application/x-ndjson`.
    Lines,
}

impl Framing {
    /// Events for those who accept them by name, else lines.
    pub(crate) fn accepted(accept: Option<&HeaderValue>) -> Self {
        let accepts_events = accept.and_then(|value| value.to_str().ok()).is_some_and(|accept| {
            accept
                .split(',')
                .filter_map(|range| range.split(';').next())
                .any(|range| range.trim().eq_ignore_ascii_case("text/event-stream"))
        });
        if accepts_events { Framing::Events } else { Framing::Lines }
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Framing::Events => "text/event-stream",
            Framing::Lines => "application/x-ndjson",
        })
    }

    fn message(self, number: Option<i64>, json: Vec<u8>) -> Bytes {
        let mut frame = Vec::with_capacity(json.len() + 32);
        match self {
            Framing::Events => {
                if let Some(number) = number {
                    frame.extend_from_slice(format!("id: {number}\n").as_bytes());
                }
                // The JSON has no line breaks, so one data line holds it.
                frame.extend_from_slice(b"data: ");
                frame.extend_from_slice(&json);
                frame.extend_from_slice(b"\n\n");
            }
            Framing::Lines => {
                frame.extend_from_slice(&json);
                frame.push(b'\n');
            }
        }
        Bytes::from(frame)
    }

    fn error(self, error: &Error) -> Bytes {
        let json = error.to_json();
        Bytes::from(match self {
            Framing::Events => format!("event: error\ndata: {json}\n\n"),
            Framing::Lines => format!("{json}\n"),
        })
    }
}

/// A stream while it is open.
struct Open<M, E> {
    framing: Framing,
    method: Arc<Method>,
    messages: M,
    heartbeat: Interval,
    end: Pin<Box<E>>,
}

/// What happens next on an open stream.
enum Next {
    Message(Option<Result<DynamicMessage, Status>>),
    Heartbeat,
    End(Error),
}

enum Phase<M, E> {
    Greeting(Open<M, E>),
    Open(Open<M, E>),
    Closed,
}

/// The response that carries a stream until it ends, by itself or because `end` is ready.
pub(crate) fn response<M, E>(framing: Framing, method: Arc<Method>, messages: M, end: E) -> Response
where
    M: Stream<Item = Result<DynamicMessage, Status>> + Unpin + Send + 'static,
    E: Future<Output = Error> + Send + 'static,
{
    let open = Open { framing, method, messages, heartbeat: heartbeat(HEARTBEAT), end: Box::pin(end) };
    let mut response = Response::new(Body::from_stream(frames(open)));
    response.headers_mut().insert(CONTENT_TYPE, framing.content_type());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Ticks once a period, the first time after a whole one.
fn heartbeat(period: Duration) -> Interval {
    let mut heartbeat = tokio::time::interval(period);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    heartbeat.reset();
    heartbeat
}

/// Everything that is sent on a stream.
fn frames<M, E>(open: Open<M, E>) -> impl Stream<Item = Result<Bytes, Infallible>>
where
    M: Stream<Item = Result<DynamicMessage, Status>> + Unpin,
    E: Future<Output = Error>,
{
    let first = match open.framing {
        Framing::Events => Phase::Greeting(open),
        Framing::Lines => Phase::Open(open),
    };
    stream::unfold(first, step)
}

async fn step<M, E>(phase: Phase<M, E>) -> Option<(Result<Bytes, Infallible>, Phase<M, E>)>
where
    M: Stream<Item = Result<DynamicMessage, Status>> + Unpin,
    E: Future<Output = Error>,
{
    let mut open = match phase {
        Phase::Greeting(open) => return Some((Ok(Bytes::from_static(RETRY.as_bytes())), Phase::Open(open))),
        Phase::Open(open) => open,
        Phase::Closed => return None,
    };
    let (frame, goes_on) = open.frame().await?;
    Some((Ok(frame), if goes_on { Phase::Open(open) } else { Phase::Closed }))
}

impl<M, E> Open<M, E>
where
    M: Stream<Item = Result<DynamicMessage, Status>> + Unpin,
    E: Future<Output = Error>,
{
    /// The next frame, and whether the stream goes on after it; `None` at its proper end.
    async fn frame(&mut self) -> Option<(Bytes, bool)> {
        loop {
            match self.next().await {
                Next::Message(Some(Ok(message))) => {
                    self.heartbeat.reset();
                    return Some(self.encode(&message));
                }
                Next::Message(None) => return None,
                Next::Message(Some(Err(status))) => {
                    return Some((self.framing.error(&Error::from_status(&status)), false));
                }
                Next::End(error) => return Some((self.framing.error(&error), false)),
                Next::Heartbeat => match self.framing {
                    Framing::Events => return Some((Bytes::from_static(b": heartbeat\n\n"), true)),
                    Framing::Lines => (),
                },
            }
        }
    }

    async fn next(&mut self) -> Next {
        tokio::select! {
            biased;
            error = &mut self.end => Next::End(error),
            message = self.messages.next() => Next::Message(message),
            _ = self.heartbeat.tick() => Next::Heartbeat,
        }
    }

    fn encode(&self, message: &DynamicMessage) -> (Bytes, bool) {
        let number = self.method.resume.as_ref().and_then(|resume| resume.number_of(message));
        match json::to_json(message, None) {
            Ok(json) => (self.framing.message(number, json), true),
            Err(error) => (self.framing.error(&Error::internal(error)), false),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Arc;
    use std::time::Duration;

    use futures_util::{StreamExt, stream};
    use http::HeaderValue;

    use super::{Framing, Open, frames, heartbeat};
    use crate::transcode::Api;

    #[test]
    fn events_are_sent_to_those_who_ask_for_them() {
        let accepted = |text: &'static str| Framing::accepted(Some(&HeaderValue::from_static(text)));
        assert_eq!(accepted("text/event-stream"), Framing::Events);
        assert_eq!(accepted("application/json, Text/Event-Stream;q=0.9"), Framing::Events);
        assert_eq!(accepted("application/x-ndjson"), Framing::Lines);
        assert_eq!(accepted("*/*"), Framing::Lines);
        assert_eq!(Framing::accepted(None), Framing::Lines);
    }

    /// The first frames of a stream on which no message comes and a heartbeat often.
    async fn quiet(framing: Framing, count: usize) -> Vec<String> {
        let api = Api::decode(xietong_proto::DESCRIPTORS).unwrap();
        let method = api.method("/xietong.notification.v1.InboxService/StreamInbox").unwrap();
        let open = Open {
            framing,
            method: Arc::clone(method),
            messages: stream::pending(),
            heartbeat: heartbeat(Duration::from_millis(1)),
            end: Box::pin(pending()),
        };
        let frames =
            frames(open).take(count).map(|frame| String::from_utf8(frame.unwrap().to_vec()).unwrap());
        frames.collect().await
    }

    #[tokio::test]
    async fn a_quiet_stream_of_events_says_that_it_lives() {
        assert_eq!(
            quiet(Framing::Events, 3).await,
            ["retry: 2000\n\n", ": heartbeat\n\n", ": heartbeat\n\n"]
        );
    }

    #[tokio::test]
    async fn lines_have_no_comments() {
        let line = tokio::time::timeout(Duration::from_millis(50), quiet(Framing::Lines, 1)).await;
        assert!(line.is_err(), "{line:?}");
    }
}
