//! The layer in front of every gRPC handler.
//!
//! It finds the action of the RPC, verifies the principal and refuses whoever has no grant
//! for the action before the handler runs, so that permission comes before existence. It
//! opens the call's span, measures it, and turns a panic into INTERNAL. What a handler
//! finds in its request is a [`Call`].

mod observe;
mod refusal;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tower::{Layer, Service};
use tracing::{Instrument, Span, field};

use crate::call::{Call, GROUND_METADATA};
use crate::error::Error;
use crate::grpc_timeout::{self, GRPC_TIMEOUT};
use crate::matrix::{MatrixError, Row, actions_by_path};
use crate::metrics::Metrics;
use crate::principal::PRINCIPAL_METADATA;
use crate::token::Verifier;
use crate::trace_context::{TRACEPARENT, current_traceparent, set_parent};

use observe::{ObservedBody, Recorder};

/// Answered without a principal: they say nothing about any record.
const EXEMPT: [&str; 2] = ["/grpc.health.v1.", "/grpc.reflection."];

/// What calls of unknown methods are counted under; their paths are the caller's choice.
const UNKNOWN_METHOD: &str = "_OTHER";

/// Puts [`MeshService`] in front of a service's routes.
#[derive(Clone)]
pub struct MeshLayer {
    shared: Arc<Shared>,
}

struct Shared {
    methods: BTreeMap<Arc<str>, &'static Row>,
    unknown_method: Arc<str>,
    verifier: Verifier,
    metrics: Metrics,
}

impl MeshLayer {
    /// A layer for one service.
    ///
    /// # Errors
    /// When an RPC of the protos has no row in the permission matrix.
    pub fn new(verifier: Verifier, metrics: Metrics) -> Result<Self, MatrixError> {
        let methods = actions_by_path()?
            .into_iter()
            .map(|(path, row)| (Arc::from(path.trim_start_matches('/')), row))
            .collect();
        let shared = Shared { methods, unknown_method: Arc::from(UNKNOWN_METHOD), verifier, metrics };
        Ok(Self { shared: Arc::new(shared) })
    }
}

impl<S> Layer<S> for MeshLayer {
    type Service = MeshService<S>;

    fn layer(&self, inner: S) -> MeshService<S> {
        MeshService { inner, shared: Arc::clone(&self.shared) }
    }
}

/// See [`MeshLayer`].
#[derive(Clone)]
pub struct MeshService<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Service<Request<Body>> for MeshService<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The clone has not been polled ready; the one that was must take the call.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        if EXEMPT.iter().any(|prefix| request.uri().path().starts_with(prefix)) {
            return inner.call(request).boxed();
        }
        let shared = Arc::clone(&self.shared);
        let span = call_span(request.headers());
        let instrument = span.clone();
        async move { shared.answer(inner, request, span).await }.instrument(instrument).boxed()
    }
}

/// The span of a call, a child of the caller's.
fn call_span(headers: &HeaderMap) -> Span {
    let span = tracing::info_span!(
        "call",
        otel.name = field::Empty,
        otel.kind = "server",
        rpc.system.name = "grpc",
        rpc.method = field::Empty,
        rpc.response.status_code = field::Empty,
        principal = field::Empty,
    );
    if let Some(parent) = text(headers, TRACEPARENT) {
        set_parent(&span, parent);
    }
    span
}

impl Shared {
    async fn answer<S>(
        &self,
        mut inner: S,
        mut request: Request<Body>,
        span: Span,
    ) -> Result<Response<Body>, S::Error>
    where
        S: Service<Request<Body>, Response = Response<Body>>,
    {
        let path = request.uri().path().trim_start_matches('/');
        let known = self.methods.get_key_value(path).map(|(method, row)| (Arc::clone(method), *row));
        let method = known.as_ref().map_or(&self.unknown_method, |(method, _)| method);
        span.record("otel.name", &**method).record("rpc.method", &**method);
        let mut recorder = Recorder::new(self.metrics.clone(), Arc::clone(method), span.clone());

        let admitted = match known {
            Some((_, row)) => self.admit(row, request.headers()),
            None => Err(Error::unimplemented(request.uri().path())),
        };
        let call = match admitted {
            Ok(call) => call,
            Err(error) => return Ok(refuse(error, &mut recorder)),
        };
        span.record("principal", call.principal.subject.as_str());
        request.extensions_mut().insert(call);

        match AssertUnwindSafe(async move { inner.call(request).await }).catch_unwind().await {
            Ok(Ok(response)) => Ok(self.observe(response, recorder)),
            Ok(Err(error)) => Err(error),
            Err(panic) => Ok(refuse(observe::panic_error(panic.as_ref()), &mut recorder)),
        }
    }

    /// Who calls, if the matrix has anything to grant them in this row.
    fn admit(&self, row: &'static Row, headers: &HeaderMap) -> Result<Call, Error> {
        let token = text(headers, PRINCIPAL_METADATA)
            .ok_or_else(|| Error::unauthenticated("TOKEN_MISSING", "the call carries no principal"))?;
        let principal = self.verifier.verify(token)?;
        if !principal.grants.iter().any(|grant| row.reaches(grant.role).next().is_some()) {
            return Err(Error::permission_denied(row.action));
        }
        let ground = if principal.is_system() { ground(headers) } else { None };
        let mut call = Call::new(principal, row.action, token);
        call.traceparent = current_traceparent().or_else(|| text(headers, TRACEPARENT).map(str::to_owned));
        call.ground = ground;
        call.verifier = Some(self.verifier.clone());
        let timeout = headers.get(GRPC_TIMEOUT).and_then(grpc_timeout::parse);
        call.deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        Ok(call)
    }

    /// Gives every refusal the mesh's shape and lets the recorder see the end of the body.
    fn observe(&self, response: Response<Body>, mut recorder: Recorder) -> Response<Body> {
        match Status::from_header_map(response.headers()) {
            Some(status) if status.code() != tonic::Code::Ok => match refusal::without_details(&status) {
                Some(error) => refuse(error, &mut recorder),
                None => {
                    recorder.finish(status.code());
                    response
                }
            },
            Some(_) | None => response.map(|body| Body::new(ObservedBody::new(body, recorder))),
        }
    }
}

fn refuse(error: Error, recorder: &mut Recorder) -> Response<Body> {
    let status = Status::from(error);
    recorder.finish(status.code());
    status.into_http()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn ground(headers: &HeaderMap) -> Option<String> {
    let mut alone = HeaderMap::new();
    alone.insert(HeaderName::from_static(GROUND_METADATA), headers.get(GROUND_METADATA)?.clone());
    let bytes = MetadataMap::from_headers(alone).get_bin(GROUND_METADATA)?.to_bytes().ok()?;
    String::from_utf8(bytes.to_vec()).ok()
}
