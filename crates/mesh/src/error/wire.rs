//! [`Error`] as a gRPC status and back.

use std::time::Duration;

use prost::Message;
use tonic::Status;
use xietong_proto::google::rpc::{self, BadRequest, ErrorInfo, LocalizedMessage, RetryInfo, bad_request};

use super::{Code, ERROR_DOMAIN, Error, FieldViolation};

/// The locale of the message for officials.
pub(super) const LOCALE: &str = "zh-CN";

/// Where the type of a packed detail is named.
pub(super) const TYPE_PREFIX: &str = "type.googleapis.com/";

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let code = tonic_code(error.code());
        let details = rpc::Status {
            code: code as i32,
            message: error.message().to_owned(),
            details: packed_details(&error),
        };
        Status::with_details(code, error.message().to_owned(), details.encode_to_vec().into())
    }
}

impl Error {
    /// What a peer's status means to our caller.
    ///
    /// An error that a service of the mesh made is kept as it is. Anything else was made by
    /// the transport on the way (a lost connection, a passed deadline): its text is logged,
    /// not kept, and its code is narrowed to what the caller can act on.
    pub fn from_status(status: &Status) -> Self {
        match mesh_error(status) {
            Some(error) => error,
            None => transport_error(status),
        }
    }
}

/// Reads back an error that a service of the mesh made; `None` if it carries no reason of
/// our domain.
pub(crate) fn mesh_error(status: &Status) -> Option<Error> {
    let packed = rpc::Status::decode(status.details()).ok()?;
    let info: ErrorInfo = packed.details.iter().find_map(unpack)?;
    if info.domain != ERROR_DOMAIN {
        return None;
    }
    let mut error = Error::new(code(status.code()), info.reason, status.message(), String::new());
    error.0.metadata = info.metadata;
    if let Some(localized) = packed.details.iter().find_map(unpack::<LocalizedMessage>) {
        error.0.chinese = localized.message;
    }
    if let Some(request) = packed.details.iter().find_map(unpack::<BadRequest>) {
        error.0.violations = request
            .field_violations
            .into_iter()
            .map(|violation| FieldViolation {
                field: violation.field,
                description: violation.description,
                chinese: violation.localized_message.map(|localized| localized.message).unwrap_or_default(),
            })
            .collect();
    }
    error.0.retry_after = packed
        .details
        .iter()
        .find_map(unpack::<RetryInfo>)
        .and_then(|retry| retry.retry_delay)
        .and_then(|delay| Duration::try_from(delay).ok());
    Some(error)
}

fn transport_error(status: &Status) -> Error {
    let error = match status.code() {
        tonic::Code::DeadlineExceeded => Error::deadline_exceeded(),
        // This is how tonic reports that grpc-timeout ran out, on either side.
        tonic::Code::Cancelled if status.message() == "Timeout expired" => Error::deadline_exceeded(),
        tonic::Code::Unimplemented => Error::unimplemented("the call"),
        tonic::Code::OutOfRange => Error::new(
            Code::OutOfRange,
            "MESSAGE_TOO_LARGE",
            "a message is larger than the limit",
            "内容超过大小限制",
        ),
        // Without details of ours none of these came from a handler: the connection broke,
        // was refused or went away, and whether the call took effect is unknown.
        tonic::Code::Ok
        | tonic::Code::Cancelled
        | tonic::Code::Unknown
        | tonic::Code::InvalidArgument
        | tonic::Code::NotFound
        | tonic::Code::AlreadyExists
        | tonic::Code::PermissionDenied
        | tonic::Code::ResourceExhausted
        | tonic::Code::FailedPrecondition
        | tonic::Code::Aborted
        | tonic::Code::Internal
        | tonic::Code::Unavailable
        | tonic::Code::DataLoss
        | tonic::Code::Unauthenticated => Error::unavailable("a service of the mesh"),
    };
    tracing::warn!(
        code = ?status.code(),
        message = status.message(),
        answered = error.code().as_str(),
        "a call to another service failed on the way"
    );
    error
}

/// The details in the order in which clients see them.
fn packed_details(error: &Error) -> Vec<prost_types::Any> {
    let mut details = vec![
        pack(&ErrorInfo {
            reason: error.reason().to_owned(),
            domain: ERROR_DOMAIN.to_owned(),
            metadata: error.metadata().clone(),
        }),
        pack(&LocalizedMessage { locale: LOCALE.to_owned(), message: error.chinese().to_owned() }),
    ];
    if !error.violations().is_empty() {
        details
            .push(pack(&BadRequest { field_violations: error.violations().iter().map(violation).collect() }));
    }
    if let Some(delay) = error.retry_after() {
        details.push(pack(&RetryInfo { retry_delay: prost_types::Duration::try_from(delay).ok() }));
    }
    details
}

fn violation(violation: &FieldViolation) -> bad_request::FieldViolation {
    bad_request::FieldViolation {
        field: violation.field.clone(),
        description: violation.description.clone(),
        reason: String::new(),
        localized_message: (!violation.chinese.is_empty())
            .then(|| LocalizedMessage { locale: LOCALE.to_owned(), message: violation.chinese.clone() }),
    }
}

/// A message that travels packed in a status.
trait Detail: Message + Default {
    /// Its full proto name.
    const NAME: &'static str;
}

impl Detail for ErrorInfo {
    const NAME: &'static str = "google.rpc.ErrorInfo";
}

impl Detail for LocalizedMessage {
    const NAME: &'static str = "google.rpc.LocalizedMessage";
}

impl Detail for BadRequest {
    const NAME: &'static str = "google.rpc.BadRequest";
}

impl Detail for RetryInfo {
    const NAME: &'static str = "google.rpc.RetryInfo";
}

fn pack<M: Detail>(message: &M) -> prost_types::Any {
    prost_types::Any { type_url: format!("{TYPE_PREFIX}{}", M::NAME), value: message.encode_to_vec() }
}

fn unpack<M: Detail>(packed: &prost_types::Any) -> Option<M> {
    let (_, name) = packed.type_url.rsplit_once('/')?;
    if name == M::NAME { M::decode(packed.value.as_slice()).ok() } else { None }
}

/// The number gRPC gives a code.
pub(crate) fn tonic_code(code: Code) -> tonic::Code {
    match code {
        Code::Cancelled => tonic::Code::Cancelled,
        Code::InvalidArgument => tonic::Code::InvalidArgument,
        Code::DeadlineExceeded => tonic::Code::DeadlineExceeded,
        Code::NotFound => tonic::Code::NotFound,
        Code::AlreadyExists => tonic::Code::AlreadyExists,
        Code::PermissionDenied => tonic::Code::PermissionDenied,
        Code::ResourceExhausted => tonic::Code::ResourceExhausted,
        Code::FailedPrecondition => tonic::Code::FailedPrecondition,
        Code::Aborted => tonic::Code::Aborted,
        Code::OutOfRange => tonic::Code::OutOfRange,
        Code::Unimplemented => tonic::Code::Unimplemented,
        Code::Internal => tonic::Code::Internal,
        Code::Unavailable => tonic::Code::Unavailable,
        Code::Unauthenticated => tonic::Code::Unauthenticated,
    }
}

fn code(code: tonic::Code) -> Code {
    match code {
        tonic::Code::Cancelled => Code::Cancelled,
        tonic::Code::InvalidArgument => Code::InvalidArgument,
        tonic::Code::DeadlineExceeded => Code::DeadlineExceeded,
        tonic::Code::NotFound => Code::NotFound,
        tonic::Code::AlreadyExists => Code::AlreadyExists,
        tonic::Code::PermissionDenied => Code::PermissionDenied,
        tonic::Code::ResourceExhausted => Code::ResourceExhausted,
        tonic::Code::FailedPrecondition => Code::FailedPrecondition,
        tonic::Code::Aborted => Code::Aborted,
        tonic::Code::OutOfRange => Code::OutOfRange,
        tonic::Code::Unimplemented => Code::Unimplemented,
        tonic::Code::Unavailable => Code::Unavailable,
        tonic::Code::Unauthenticated => Code::Unauthenticated,
        // We never send these three.
        tonic::Code::Ok | tonic::Code::Unknown | tonic::Code::DataLoss | tonic::Code::Internal => {
            Code::Internal
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_kind() -> Vec<Error> {
        vec![
            Error::invalid("title", "must not be empty", "标题不能为空").and_invalid("etag", "is odd", ""),
            Error::not_found("tasks/1"),
            Error::already_exists("units/gongxin"),
            Error::permission_denied("supervision.tasks.issue"),
            Error::unauthenticated("TOKEN_EXPIRED", "the token has expired"),
            Error::failed_precondition("CLOCK_IS_REAL", "the clock is real", "时钟不可调整")
                .with_metadata("candidates", "units/a,units/b"),
            Error::aborted_etag("tasks/1"),
            Error::resource_exhausted("RATE_LIMIT", "too many calls", "请求过于频繁")
                .with_retry_after(Duration::from_millis(1500)),
            Error::unavailable("roster"),
            Error::deadline_exceeded(),
            Error::unimplemented("/x.Y/Z"),
            Error::internal_unlogged(),
            Error::new(Code::Cancelled, "CANCELLED", "the caller went away", "请求已取消"),
            Error::new(Code::OutOfRange, "PAST_THE_END", "past the end", "超出范围"),
        ]
    }

    #[test]
    fn nothing_is_lost_on_the_way_through_a_status() {
        for error in every_kind() {
            let status = Status::from(error.clone());
            let returned = Error::from_status(&status);
            assert_eq!(returned, error);
            assert_eq!(returned.to_json(), error.to_json());
        }
    }

    #[test]
    fn nothing_is_lost_on_the_way_through_http_headers() {
        for error in every_kind() {
            let response: http::Response<()> = Status::from(error.clone()).into_http();
            let status = Status::from_header_map(response.headers()).unwrap();
            assert_eq!(Error::from_status(&status), error);
        }
    }

    #[test]
    fn a_timeout_of_tonic_is_a_passed_deadline() {
        let error = Error::from_status(&Status::cancelled("Timeout expired"));
        assert_eq!(error.code(), Code::DeadlineExceeded);
    }

    #[test]
    fn text_of_the_transport_is_not_passed_on() {
        for status in
            [Status::unknown("tcp 10.0.0.7 reset"), Status::internal("h2 10.0.0.7"), Status::ok("10.0.0.7")]
        {
            let error = Error::from_status(&status);
            assert_eq!(error.code(), Code::Unavailable);
            assert!(!error.message().contains("10.0.0.7"));
        }
    }

    #[test]
    fn details_of_another_domain_are_not_taken_for_ours() {
        let packed = rpc::Status {
            code: 5,
            message: "secret".to_owned(),
            details: vec![pack(&ErrorInfo {
                reason: "X".to_owned(),
                domain: "elsewhere".to_owned(),
                metadata: Default::default(),
            })],
        };
        let status = Status::with_details(tonic::Code::NotFound, "secret", packed.encode_to_vec().into());
        assert_eq!(Error::from_status(&status).code(), Code::Unavailable);
    }

    #[test]
    fn damaged_details_are_survived() {
        let status = Status::with_details(tonic::Code::Internal, "x", vec![0xff, 0x01, 0x02].into());
        assert_eq!(Error::from_status(&status).code(), Code::Unavailable);
    }
}
