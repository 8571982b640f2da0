//! The one error shape, for the services' errors and the gateway's own.

use axum::body::Body;
use axum::response::Response;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;
use xietong_mesh::{Code, Error};

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
