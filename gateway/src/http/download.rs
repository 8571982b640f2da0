//! `GET /v1/attachments/{digest}?grant=…`: the file, or one range of its bytes.

use std::pin::Pin;

use axum::body::Body;
use axum::response::Response;
use domain_attachment::Attachment;
use futures_util::{Stream, StreamExt, stream};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts as RequestParts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use prost::bytes::Bytes;
use prost_reflect::DynamicMessage;
use xietong_mesh::Error;
use xietong_proto::gateway::DownloadAttachmentRequest;

use super::disposition;
use super::range::{Asked, asked};
use super::refusal::Refusal;
use crate::attachments::DOWNLOAD_ACTION;
use crate::auth::Caller;
use crate::front::Front;

/// Gives out the file that a request has a grant for.
pub(super) async fn answer(
    front: &Front,
    message: &DynamicMessage,
    parts: &RequestParts,
    caller: &Caller,
) -> Result<Response, Refusal> {
    let attachments = &front.attachments;
    let principal = attachments.admit(&caller.principal, DOWNLOAD_ACTION)?;
    let request: DownloadAttachmentRequest = message.transcode_to().map_err(Error::internal)?;
    let file = attachments.granted(&request.name, &request.grant, &principal)?;
    let headers = &parts.headers;
    let etag = format!("\"{}\"", file.digest);

    if is_known(headers, &etag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        say(&mut response, &[(ETAG, &etag), (CACHE_CONTROL, KEEP)])?;
        return Ok(response);
    }
    let (status, range) = match part(headers, &etag, file.size) {
        Asked::Whole => (StatusCode::OK, 0..file.size),
        Asked::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Asked::Nothing => return Err(Refusal::no_such_range(file.size)),
    };
    let length = range.end - range.start;
    let bytes = attachments.store().open(&file, range.clone()).await?;
    let body = if parts.method == Method::HEAD {
        Body::empty()
    } else {
        Body::from_stream(until(bytes, front.end_of_stream(caller.expires)))
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    describe(&mut response, &file, &etag, length)?;
    if status == StatusCode::PARTIAL_CONTENT {
        let said = format!("bytes {}-{}/{}", range.start, range.end - 1, file.size);
        say(&mut response, &[(CONTENT_RANGE, &said)])?;
    }
    Ok(response)
}

/// A browser may keep what it was given, and asks again before it shows it.
const KEEP: &str = "private, no-cache";

fn describe(response: &mut Response, file: &Attachment, etag: &str, length: u64) -> Result<(), Error> {
    let disposition = disposition::attachment(&file.display_name);
    say(
        response,
        &[
            (CONTENT_TYPE, &file.media_type),
            (CONTENT_LENGTH, &length.to_string()),
            (CONTENT_DISPOSITION, &disposition),
            (ACCEPT_RANGES, "bytes"),
            (ETAG, etag),
            (CACHE_CONTROL, KEEP),
            // Whatever it is, nothing in it runs as this site's.
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        ],
    )
}

fn say(response: &mut Response, headers: &[(HeaderName, &str)]) -> Result<(), Error> {
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).map_err(Error::internal)?;
        response.headers_mut().insert(name, value);
    }
    Ok(())
}

/// Whether the client has the file.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    known.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == etag)
}

/// What is asked for. The part of another file than the client thinks is of no use to it.
fn part(headers: &HeaderMap, etag: &str, size: u64) -> Asked {
    let of_this = headers.get(IF_RANGE).is_none_or(|value| value.as_bytes() == etag.as_bytes());
    match headers.get(RANGE).and_then(|value| value.to_str().ok()) {
        Some(range) if of_this => asked(range, size),
        Some(_) | None => Asked::Whole,
    }
}

/// Bytes until `end` is ready: an error then, so that nobody takes a part for the whole.
fn until<E>(
    bytes: impl Stream<Item = Result<Bytes, Error>> + Unpin + Send + 'static,
    end: E,
) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static
where
    E: Future<Output = Error> + Send + 'static,
{
    let sending: (_, Pin<Box<E>>) = (bytes, Box::pin(end));
    stream::unfold(Some(sending), async |sending| {
        let (mut bytes, mut end) = sending?;
        let piece = tokio::select! {
            biased;
            error = &mut end => Err(error),
            piece = bytes.next() => piece?,
        };
        match piece {
            Ok(piece) => Some((Ok(piece), Some((bytes, end)))),
            Err(error) => {
                tracing::warn!(%error, "a download broke off");
                Some((Err(error), None))
            }
        }
    })
}
