//! The one error shape, for the services' errors and the gateway's own.

use axum::body::Body;
use axum::response::Response;
use domain_attachment::AttachmentError;
use http::header::{ALLOW, CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;
use xietong_mesh::{Code, Error};

use crate::attachments::NotTaken;
use crate::auth::Schemes;
use crate::transcode::Violation;

/// An error with what only HTTP can say about it.
#[derive(Debug)]
pub(crate) struct Refusal {
    error: Box<Error>,
    status: StatusCode,
    headers: HeaderMap,
}

impl Refusal {
    fn with_status(error: Error, status: StatusCode) -> Self {
        Refusal { error: Box::new(error), status, headers: HeaderMap::new() }
    }

    /// No method has this path.
    pub(crate) fn no_route(path: &str) -> Self {
        let error = Error::new(
            Code::NotFound,
            "ROUTE_NOT_FOUND",
            format!("no method has the path {path}"),
            "没有这个接口地址",
        );
        error.into()
    }

    /// The path exists for other methods.
    pub(crate) fn wrong_method(method: &str, allowed: impl IntoIterator<Item = String>) -> Self {
        let allowed = allowed.into_iter().collect::<Vec<_>>().join(", ");
        let error = Error::new(
            Code::Unimplemented,
            "METHOD_NOT_ALLOWED",
            format!("{method} is not allowed here, only {allowed}"),
            "此接口地址不支持该请求方法",
        );
        let mut refusal = Refusal::with_status(error, StatusCode::METHOD_NOT_ALLOWED);
        if let Ok(value) = HeaderValue::try_from(allowed) {
            refusal.headers.insert(ALLOW, value);
        }
        refusal
    }

    /// The body is larger than the limit, in bytes.
    pub(crate) fn body_too_large(limit: usize) -> Self {
        let error = Error::resource_exhausted(
            "BODY_TOO_LARGE",
            format!("the body is larger than {limit} bytes"),
            "请求体过大",
        );
        Refusal::with_status(error, StatusCode::PAYLOAD_TOO_LARGE)
    }

    /// The body did not arrive in time.
    pub(crate) fn body_too_slow() -> Self {
        let error = Error::new(
            Code::DeadlineExceeded,
            "BODY_TOO_SLOW",
            "the body did not arrive in time",
            "请求体接收超时",
        );
        Refusal::with_status(error, StatusCode::REQUEST_TIMEOUT)
    }

    /// The body is in a format that the gateway does not read.
    pub(crate) fn unsupported_media_type() -> Self {
        let error = Error::new(
            Code::InvalidArgument,
            "UNSUPPORTED_MEDIA_TYPE",
            "the body must be application/json",
            "请求体必须为application/json",
        );
        Refusal::with_status(error, StatusCode::UNSUPPORTED_MEDIA_TYPE)
    }

    /// An upload does not say what it is.
    pub(crate) fn no_media_type() -> Self {
        let error = Error::new(
            Code::InvalidArgument,
            "UNSUPPORTED_MEDIA_TYPE",
            "Content-Type is required: what the file is",
            "请在Content-Type中说明文件类型",
        );
        Refusal::with_status(error, StatusCode::UNSUPPORTED_MEDIA_TYPE)
    }

    /// A file of so many bytes has none of those that are asked for.
    pub(crate) fn no_such_range(size: u64) -> Self {
        let error = Error::new(
            Code::OutOfRange,
            "RANGE_NOT_SATISFIABLE",
            format!("the file has {size} bytes and none of those asked for"),
            "所请求的字节范围超出文件大小",
        );
        let mut refusal = Refusal::with_status(error, StatusCode::RANGE_NOT_SATISFIABLE);
        if let Ok(value) = HeaderValue::try_from(format!("bytes */{size}")) {
            refusal.headers.insert(CONTENT_RANGE, value);
        }
        refusal
    }

    /// The same; who is not known is told of other forms to say so in, if there are any.
    pub(crate) fn offering(mut self, schemes: Schemes) -> Self {
        if self.headers.contains_key(WWW_AUTHENTICATE)
            && let Some(challenge) = schemes.challenge()
        {
            self.headers.append(WWW_AUTHENTICATE, challenge);
        }
        self
    }

    /// The response to send.
    pub(crate) fn into_response(self) -> Response {
        let mut body = self.error.to_json();
        if let Some(code) = body.pointer_mut("/error/code") {
            *code = json!(self.status.as_u16());
        }
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut headers = HeaderMap::new();
        if error.code() == Code::Unauthenticated {
            headers.insert(WWW_AUTHENTICATE, challenge(error.reason()));
        }
        if let Some(delay) = error.retry_after() {
            // Whole seconds, rounded up: zero would mean at once.
            headers.insert(RETRY_AFTER, HeaderValue::from(delay.as_millis().div_ceil(1_000) as u64));
        }
        Refusal { error: Box::new(error), status, headers }
    }
}

impl From<NotTaken> for Refusal {
    fn from(not_taken: NotTaken) -> Self {
        let status = match &not_taken {
            NotTaken::Refused(AttachmentError::TooLarge { .. }) => Some(StatusCode::PAYLOAD_TOO_LARGE),
            NotTaken::Refused(AttachmentError::MediaType | AttachmentError::NotAccepted { .. }) => {
                Some(StatusCode::UNSUPPORTED_MEDIA_TYPE)
            }
            NotTaken::Refused(
                AttachmentError::Empty
                | AttachmentError::Name(_)
                | AttachmentError::Dangerous
                | AttachmentError::OtherThanDeclared { .. }
                | AttachmentError::TooMany { .. }
                | AttachmentError::Twice { .. },
            )
            | NotTaken::Failed(_) => None,
        };
        let refusal = Refusal::from(Error::from(not_taken));
        Refusal { status: status.unwrap_or(refusal.status), ..refusal }
    }
}

impl From<Violation> for Refusal {
    fn from(violation: Violation) -> Self {
        Error::invalid(violation.field, violation.english, violation.chinese).into()
    }
}

/// RFC 6750: a refused token is told from a missing one.
fn challenge(reason: &str) -> HeaderValue {
    HeaderValue::from_static(if reason == "TOKEN_MISSING" {
        r#"Bearer realm="xietong""#
    } else {
        r#"Bearer realm="xietong", error="invalid_token""#
    })
}
