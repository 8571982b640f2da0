//! `POST /v1/attachments`: the body is the file, and goes to the store while it arrives.

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts as RequestParts;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::BodyExt;
use prost_reflect::DynamicMessage;
use xietong_mesh::Error;

use super::disposition;
use super::refusal::Refusal;
use crate::attachments::{SILENCE, UPLOAD_ACTION, Upload};
use crate::auth::Caller;
use crate::front::Front;
use crate::transcode::api::Binding;
use crate::transcode::{Violation, percent, response};

/// Takes in the file of a request.
pub(super) async fn answer(
    front: &Front,
    binding: &Binding,
    parts: &RequestParts,
    body: Body,
    caller: &Caller,
) -> Result<Response, Refusal> {
    let attachments = &front.attachments;
    let principal = attachments.admit(&caller.principal, UPLOAD_ACTION)?;
    let headers = &parts.headers;
    for (header, english, chinese) in [
        // The same bytes give the same file: there is nothing that a repetition could do twice.
        (HeaderName::from_static("idempotency-key"), "is not needed for an upload", "上传文件不需要此请求头"),
        (CONTENT_ENCODING, "must not be given: the body is the file itself", "请直接上传文件，不要压缩传输"),
    ] {
        if headers.contains_key(&header) {
            return Err(Violation::new(shown(&header), english, chinese).into());
        }
    }
    let declared = one(headers, CONTENT_TYPE)?.ok_or_else(Refusal::no_media_type)?;
    let declared = declared.to_str().map_err(|_| malformed("Content-Type"))?;
    let name = file_name(headers, parts.uri.query().unwrap_or_default())?;
    let length = one(headers, CONTENT_LENGTH)?.and_then(|length| length.to_str().ok()?.parse().ok());
    let mut upload = attachments.store().begin(&name, declared, length).await?;
    receive(&mut upload, body).await?;
    let file = upload.finish().await?;

    let answer = attachments.received(&file, &principal)?;
    let mut message = DynamicMessage::new(binding.method.descriptor.output());
    message.transcode_from(&answer).map_err(Error::internal)?;
    let json = response::to_json(&message, None).map_err(Error::internal)?;
    let mut response = Response::new(Body::from(json));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

async fn receive(upload: &mut Upload, mut body: Body) -> Result<(), Refusal> {
    loop {
        let frame = tokio::time::timeout(SILENCE, body.frame()).await;
        match frame.map_err(|_| Refusal::body_too_slow())? {
            None => return Ok(()),
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    upload.write(bytes).await?;
                }
            }
            Some(Err(_)) => return Err(Violation::new("body", "ended too early", "请求体不完整").into()),
        }
    }
}

/// What the file is called: in `Content-Disposition`, or as `?name=`. Not both, unless they agree.
fn file_name(headers: &HeaderMap, query: &str) -> Result<String, Violation> {
    let disposition = one(headers, CONTENT_DISPOSITION)?;
    let told = disposition.map(|value| disposition::file_name(value.as_bytes()));
    let told = told.transpose().map_err(|_| malformed("Content-Disposition"))?.flatten();
    let mut asked = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if key != "name" {
            return Err(Violation::unknown(key));
        }
        let value = percent::decode_query(value)
            .map_err(|_| Violation::new("name", "is not percent-encoded UTF-8", "不是百分号编码的UTF-8"))?;
        if asked.replace(value.into_owned()).is_some() {
            return Err(Violation::new("name", "is given twice", "重复给出"));
        }
    }
    match (told, asked) {
        (Some(told), Some(asked)) if told != asked => {
            Err(Violation::new("name", "differs from Content-Disposition", "与Content-Disposition不一致"))
        }
        (Some(name), _) | (None, Some(name)) => Ok(name),
        (None, None) => {
            let english = "is required, in Content-Disposition or as ?name=";
            Err(Violation::new("name", english, "请填写文件名"))
        }
    }
}

/// A header that is given once, if it is.
fn one(headers: &HeaderMap, name: HeaderName) -> Result<Option<&HeaderValue>, Violation> {
    let mut values = headers.get_all(&name).iter();
    let first = values.next();
    match values.next() {
        None => Ok(first),
        Some(_) => Err(Violation::new(shown(&name), "is given twice", "重复给出")),
    }
}

fn malformed(header: &str) -> Violation {
    Violation::new(header, "cannot be read", "无法识别")
}

/// A header's name as people write it.
fn shown(header: &HeaderName) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    header.as_str().split('-').map(word).collect::<Vec<_>>().join("-")
}
