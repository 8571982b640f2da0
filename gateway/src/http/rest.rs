//! REST: one HTTP request, one gRPC call, one JSON answer, a stream of them, or a file.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts as RequestParts;
use http::{HeaderMap, HeaderValue, Method as HttpMethod, Request};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use prost::bytes::Bytes;
use prost_reflect::DynamicMessage;
use tonic::client::Grpc;
use tonic::metadata::MetadataMap;
use xietong_mesh::Error;
use xietong_mesh::file_name;
use xietong_mesh::grpc_timeout::{self, GRPC_TIMEOUT};
use xietong_mesh::principal::PRINCIPAL_METADATA;
use xietong_mesh::trace_context::TRACEPARENT;

use super::refusal::Refusal;
use super::stream::{self, Framing};
use super::{disposition, download, file, upload};
use crate::attachments::{DOWNLOAD, UPLOAD};
use crate::auth::{Caller, Schemes};
use crate::front::{Front, outgoing_trace};
use crate::grpc::codec::DynamicCodec;
use crate::grpc::timeout;
use crate::grpc::upstream::Upstream;
use crate::transcode::api::Binding;
use crate::transcode::{Matched, Violation, request, response};

/// The largest body, in bytes.
pub(crate) const MAX_BODY: usize = 4 * 1024 * 1024;

/// The largest answer of a service, in bytes: a page of a thousand tasks fits.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// Answers a REST request.
pub(crate) async fn answer(front: &Front, request: Request<Body>) -> Response {
    let head = request.method() == HttpMethod::HEAD;
    let response = call(front, request).await.unwrap_or_else(Refusal::into_response);
    if head { without_body(response) } else { response }
}

async fn call(front: &Front, request: Request<Body>) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let (binding, captures) = match front.api.find(&parts.method, path) {
        Matched::Found(binding, captures) => (binding, captures),
        Matched::WrongMethod(allowed) => return Err(Refusal::wrong_method(parts.method.as_str(), allowed)),
        Matched::Nothing => return Err(Refusal::no_route(path)),
        Matched::Malformed => {
            return Err(
                Violation::new("path", "is not percent-encoded UTF-8", "不是百分号编码的UTF-8").into()
            );
        }
    };
    // Who calls comes before what is asked: a stranger learns nothing from a body's errors.
    let schemes = Schemes::of(&parts.method, path);
    let caller = front.authenticator.authenticate(&parts.headers, schemes).await;
    let caller = caller.map_err(|error| Refusal::from(error).offering(schemes))?;
    match binding.method.path.as_str() {
        UPLOAD => return upload::answer(front, binding, &parts, body, &caller).await,
        DOWNLOAD => {
            let asked = message(binding, &captures, &parts, &[])?;
            return download::answer(front, &asked, &parts, &caller).await;
        }
        _ => {}
    }
    let body = read(body).await?;
    let message = message(binding, &captures, &parts, &body)?;
    let upstream =
        front.upstreams.of(&binding.method).ok_or_else(|| Error::unimplemented(&binding.method.path))?;
    if binding.method.descriptor.is_server_streaming() {
        open(front, upstream, binding, message, caller, &parts.headers).await
    } else {
        unary(upstream, binding, message, caller, &parts.headers).await
    }
}

fn message(
    binding: &Binding,
    captures: &[String],
    parts: &RequestParts,
    body: &[u8],
) -> Result<DynamicMessage, Refusal> {
    if !body.is_empty() && !is_json(&parts.headers) {
        return Err(Refusal::unsupported_media_type());
    }
    let request = request::Parts {
        captures,
        query: parts.uri.query().unwrap_or_default(),
        body,
        idempotency_key: idempotency_key(&parts.headers)?,
        last_event_id: last_event_id(&parts.headers)?,
    };
    Ok(request::build(binding, request)?)
}

async fn unary(
    upstream: Upstream,
    binding: &Binding,
    message: DynamicMessage,
    caller: Caller,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let limit = timeout::unary(&binding.method.path, headers.get(GRPC_TIMEOUT));
    let mut call = outgoing(message, caller);
    insert(call.metadata_mut(), GRPC_TIMEOUT, grpc_timeout::format(limit));
    let codec = DynamicCodec::of(&binding.method.descriptor);
    let mut client = Grpc::new(upstream).max_decoding_message_size(MAX_ANSWER);
    let answer = client.unary(call, binding.method.path.clone(), codec);
    let answer = tokio::time::timeout(limit, answer)
        .await
        .map_err(|_| Error::deadline_exceeded())?
        .map_err(|status| Error::from_status(&status))?;
    let json =
        response::to_json(answer.get_ref(), binding.rule.response_body.as_ref()).map_err(Error::internal)?;
    let mut response = Response::new(Body::from(json));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

async fn open(
    front: &Front,
    upstream: Upstream,
    binding: &Binding,
    message: DynamicMessage,
    caller: Caller,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let framing = Framing::accepted(headers.get(ACCEPT));
    let end = front.end_of_stream(caller.expires);
    let call = outgoing(message, caller);
    let codec = DynamicCodec::of(&binding.method.descriptor);
    let mut client = Grpc::new(upstream).max_decoding_message_size(MAX_ANSWER);
    let answer = client.server_streaming(call, binding.method.path.clone(), codec);
    let messages = tokio::time::timeout(timeout::UNARY_TIMEOUT, answer)
        .await
        .map_err(|_| Error::deadline_exceeded())?
        .map_err(|status| Error::from_status(&status))?;
    let name = file_name::read(messages.metadata());
    let messages = messages.into_inner();
    if binding.method.is_file {
        let file = tokio::time::timeout(timeout::UNARY_TIMEOUT, file::response(messages, end));
        let mut response = file.await.map_err(|_| Error::deadline_exceeded())??;
        if let Some(name) = name {
            let disposition = disposition::attachment(&name);
            let disposition = HeaderValue::from_str(&disposition).map_err(Error::internal)?;
            response.headers_mut().insert(CONTENT_DISPOSITION, disposition);
        }
        return Ok(response);
    }
    Ok(stream::response(framing, binding.method.clone(), messages, end))
}

fn outgoing(message: DynamicMessage, caller: Caller) -> tonic::Request<DynamicMessage> {
    let mut call = tonic::Request::new(message);
    insert(call.metadata_mut(), PRINCIPAL_METADATA, caller.principal);
    if let Some(trace) = outgoing_trace() {
        insert(call.metadata_mut(), TRACEPARENT, trace);
    }
    call
}

fn insert(metadata: &mut MetadataMap, name: &'static str, value: HeaderValue) {
    if let Ok(value) = value.to_str().unwrap_or_default().parse() {
        metadata.insert(name, value);
    }
}

async fn read(body: Body) -> Result<Bytes, Refusal> {
    let collected = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY).collect())
        .await
        .map_err(|_| Refusal::body_too_slow())?;
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::body_too_large(MAX_BODY)),
        Err(_) => Err(Violation::new("body", "ended too early", "请求体不完整").into()),
    }
}

/// A body without a content type is taken for JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(content_type) = headers.get(CONTENT_TYPE) else { return true };
    let media_type = content_type.to_str().ok().and_then(|text| text.split(';').next());
    media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Violation> {
    let refused = |english: &str, chinese: &str| Violation::new("Idempotency-Key", english, chinese);
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(refused("is given twice", "重复给出"));
    }
    match value.to_str() {
        Ok(key) if !key.trim().is_empty() => Ok(Some(key.trim())),
        Ok(_) | Err(_) => Err(refused("is not visible ASCII", "必须为可见的ASCII字符")),
    }
}

/// A browser sends back the last `id` it saw, or nothing.
fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Violation> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    match value.to_str().map(str::trim) {
        Ok("") => Ok(None),
        Ok(text) => match text.parse() {
            Ok(number) if number >= 0 => Ok(Some(number)),
            Ok(_) | Err(_) => Err(not_a_number()),
        },
        Err(_) => Err(not_a_number()),
    }
}

fn not_a_number() -> Violation {
    Violation::new("Last-Event-ID", "is not the number of a message", "不是消息编号")
}

/// What HEAD answers: GET's headers, and the length its body would have.
fn without_body(response: Response) -> Response {
    use http_body::Body as _;
    let length = response.body().size_hint().exact();
    let (mut parts, _) = response.into_parts();
    if let Some(length) = length
        && !parts.headers.contains_key(CONTENT_LENGTH)
    {
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(parts, Body::empty())
}
