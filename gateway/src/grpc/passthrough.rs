//! gRPC clients: their frames reach the owning service undecoded, in the name of whoever
//! is signed in.

use axum::body::Body as HttpBody;
use axum::response::Response;
use http::header::{AUTHORIZATION, CONNECTION, COOKIE, HOST, HeaderName, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, Request, Version};
use tonic::Status;
use tonic::body::Body;
use tower::ServiceExt;
use xietong_mesh::Error;
use xietong_mesh::grpc_timeout::{self, GRPC_TIMEOUT};
use xietong_mesh::principal::PRINCIPAL_METADATA;
use xietong_mesh::trace_context::TRACEPARENT;

use super::cut::Cut;
use super::timeout;
use crate::auth::Schemes;
use crate::front::{Front, outgoing_trace};
use crate::transcode::Method;

/// What a client may not tell a service, and what belongs to one connection.
const NOT_PASSED_ON: [HeaderName; 6] = [AUTHORIZATION, COOKIE, CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE];

/// What begins so only the mesh itself says: principal and ground.
const OWN: &str = "x-xietong-";

/// Answers a gRPC request. Refusals are gRPC statuses, as its client expects.
pub(crate) async fn answer(front: &Front, request: Request<HttpBody>) -> Response {
    match forward(front, request).await {
        Ok(response) => response,
        Err(error) => Status::from(error).into_http(),
    }
}

async fn forward(front: &Front, request: Request<HttpBody>) -> Result<Response, Error> {
    let path = request.uri().path().to_owned();
    let method = front.api.method(&path).ok_or_else(|| Error::unimplemented(&path))?;
    let caller = front.authenticator.authenticate(request.headers(), Schemes::Bearer).await?;
    let upstream = front.upstreams.of(method).ok_or_else(|| Error::unimplemented(&path))?;

    let (mut parts, body) = request.into_parts();
    parts.headers = passed_on(&parts.headers, method);
    parts.headers.insert(PRINCIPAL_METADATA, caller.principal);
    if let Some(trace) = outgoing_trace() {
        parts.headers.insert(TRACEPARENT, trace);
    }
    parts.version = Version::HTTP_2;
    let answer = upstream.oneshot(Request::from_parts(parts, Body::new(body))).await;
    let response = answer.map_err(|status| Error::from_status(&status))?;
    Ok(if method.descriptor.is_server_streaming() {
        response.map(|body| HttpBody::new(Cut::new(body, front.end_of_stream(caller.expires))))
    } else {
        response.map(HttpBody::new)
    })
}

fn passed_on(headers: &HeaderMap, method: &Method) -> HeaderMap {
    let mut passed: HeaderMap = headers
        .iter()
        .filter(|(name, _)| !NOT_PASSED_ON.contains(name) && !name.as_str().starts_with(OWN))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if !method.descriptor.is_server_streaming() {
        let timeout = timeout::unary(&method.path, headers.get(GRPC_TIMEOUT));
        passed.insert(GRPC_TIMEOUT, grpc_timeout::format(timeout));
    }
    passed
}
