//! Watches an answer to its end: measures it, and turns a panic into INTERNAL.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use prost::bytes::Bytes;
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::Span;

use crate::error::Error;
use crate::metrics::Metrics;

/// Records one call when it is dropped: with the status it was given, or as cancelled.
pub(super) struct Recorder {
    metrics: Metrics,
    method: Arc<str>,
    span: Span,
    started: Instant,
    status: Code,
}

impl Recorder {
    pub(super) fn new(metrics: Metrics, method: Arc<str>, span: Span) -> Self {
        Self { metrics, method, span, started: Instant::now(), status: Code::Cancelled }
    }

    /// Says how the call ended.
    pub(super) fn finish(&mut self, status: Code) {
        self.status = status;
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let status = status_name(self.status);
        self.span.record("rpc.response.status_code", status);
        let elapsed = self.started.elapsed();
        self.metrics.record_server_call(Arc::clone(&self.method), status, elapsed);
        self.span.in_scope(|| {
            tracing::debug!(status, milliseconds = elapsed.as_secs_f64() * 1e3, "call answered");
        });
    }
}

/// The name of any status, the successful one and those of the transport included.
fn status_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// A handler's answer on its way out. Its last frame, the trailers, says how it ended.
pub(super) struct ObservedBody {
    inner: Body,
    recorder: Recorder,
    panicked: bool,
}

impl ObservedBody {
    pub(super) fn new(inner: Body, recorder: Recorder) -> Self {
        Self { inner, recorder, panicked: false }
    }
}

impl HttpBody for ObservedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.panicked {
            return Poll::Ready(None);
        }
        let this = &mut *self;
        let span = this.recorder.span.clone();
        let polled = span
            .in_scope(|| catch_unwind(AssertUnwindSafe(|| Pin::new(&mut this.inner).poll_frame(context))));
        let polled = match polled {
            Ok(polled) => polled,
            Err(panic) => {
                this.panicked = true;
                Poll::Ready(Some(Ok(Frame::trailers(trailers(panic_error(panic.as_ref()))))))
            }
        };
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(status) = frame.trailers_ref().and_then(Status::from_header_map) {
                    this.recorder.finish(status.code());
                }
            }
            Poll::Ready(Some(Err(status))) => this.recorder.finish(status.code()),
            Poll::Ready(None) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.panicked || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn trailers(error: Error) -> HeaderMap {
    let mut headers = HeaderMap::new();
    // Our messages are percent-encoded on the way into a header, so this cannot fail; if it
    // did, the stream would end without a status, which clients take as an error as well.
    if Status::from(error).add_header(&mut headers).is_err() {
        headers.clear();
    }
    headers
}

/// A panic is a fault of ours: logged once, and INTERNAL to the caller.
pub(super) fn panic_error(panic: &(dyn Any + Send)) -> Error {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    tracing::error!(message, "a handler panicked");
    Error::internal_unlogged()
}
