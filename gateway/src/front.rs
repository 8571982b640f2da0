//! What every request passes: the API, who calls, and who serves.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use futures_util::FutureExt;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request};
use tonic::Status;
use tracing::{Instrument, info_span};
use xietong_mesh::Error;
use xietong_mesh::drain::Drain;
use xietong_mesh::trace_context::{TRACEPARENT, current_traceparent, set_parent};
use xietong_timers::{MachineClock, MachineTime};

use crate::attachments::Attachments;
use crate::auth::Authenticator;
use crate::grpc::passthrough;
use crate::grpc::upstream::Upstreams;
use crate::http::refusal::Refusal;
use crate::http::rest;
use crate::transcode::Api;

/// The gateway's state, shared by all its connections.
pub(crate) struct Front {
    /// The API of the mesh.
    pub(crate) api: Api,
    /// Who calls.
    pub(crate) authenticator: Authenticator,
    /// Who serves.
    pub(crate) upstreams: Upstreams,
    /// Files that records refer to.
    pub(crate) attachments: Attachments,
    /// Machine time, for expiry.
    pub(crate) machine: MachineClock,
    /// Begun when the gateway stops: open streams then end.
    pub(crate) drain: Drain,
}

impl Front {
    /// Answers any request but the probes.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response {
        let span = info_span!(
            "gateway",
            http.request.method = %request.method(),
            url.path = request.uri().path(),
            http.response.status_code = tracing::field::Empty,
        );
        if let Some(parent) = request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok()) {
            set_parent(&span, parent);
        }
        let grpc = is_grpc(&request);
        let answer = async {
            if grpc { passthrough::answer(self, request).await } else { rest::answer(self, request).await }
        };
        let response = caught(grpc, answer).instrument(span.clone()).await;
        span.record("http.response.status_code", response.status().as_u16());
        response
    }

    /// Becomes ready when an open stream must end: the gateway stops, or the caller's
    /// token has expired.
    pub(crate) fn end_of_stream(&self, expires: MachineTime) -> impl Future<Output = Error> + Send + 'static {
        let drain = self.drain.clone();
        let left = expires.since(self.machine.now());
        async move {
            tokio::select! {
                () = drain.begun() => Error::unavailable("the gateway").with_retry_after(RECONNECT),
                () = tokio::time::sleep(left) => {
                    Error::unauthenticated("TOKEN_EXPIRED", "the token expired while the stream was open")
                }
            }
        }
    }
}

/// An answer, or INTERNAL where making it panics: a panic must not take the other calls of
/// its connection along.
async fn caught(grpc: bool, answer: impl Future<Output = Response>) -> Response {
    match AssertUnwindSafe(answer).catch_unwind().await {
        Ok(response) => response,
        Err(_) if grpc => Status::from(Error::internal(Panicked)).into_http(),
        Err(_) => Refusal::from(Error::internal(Panicked)).into_response(),
    }
}

/// The panic itself was written to standard error where it happened.
#[derive(Debug, thiserror::Error)]
#[error("the gateway panicked")]
struct Panicked;

/// How soon a stream that was ended by a restart is worth opening again.
const RECONNECT: Duration = Duration::from_secs(1);

/// The current span as a header for the next process.
pub(crate) fn outgoing_trace() -> Option<HeaderValue> {
    current_traceparent().and_then(|trace| HeaderValue::try_from(trace).ok())
}

/// gRPC-Web is not gRPC: its content type goes on after a hyphen.
fn is_grpc(request: &Request<Body>) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type
        .and_then(|text| text.strip_prefix("application/grpc"))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;
    use http::header::CONTENT_TYPE;

    use tonic::{Code, Status};

    use super::{caught, is_grpc};

    #[test]
    fn grpc_is_told_from_what_resembles_it() {
        let sent =
            |text: &str| is_grpc(&Request::builder().header(CONTENT_TYPE, text).body(Body::empty()).unwrap());
        for text in ["application/grpc", "application/grpc+proto", "application/grpc;charset=x"] {
            assert!(sent(text), "{text}");
        }
        for text in ["application/grpc-web", "application/grpcx", "application/json", ""] {
            assert!(!sent(text), "{text}");
        }
    }

    #[tokio::test]
    async fn a_panic_is_answered_in_the_callers_protocol() {
        let panics = async || panic!("a fault of the gateway");
        let response = caught(false, panics()).await;
        assert_eq!(response.status().as_u16(), 500);
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["error"]["status"], "INTERNAL");
        assert!(!body.to_string().contains("a fault of the gateway"), "nothing internal is told");

        let response = caught(true, panics()).await;
        assert_eq!(response.status().as_u16(), 200);
        let status = Status::from_header_map(response.headers()).unwrap();
        assert_eq!(status.code(), Code::Internal);
    }
}
