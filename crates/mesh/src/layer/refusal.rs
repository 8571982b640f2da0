//! Refusals that no handler made.

use tonic::Status;

use crate::error::{Code, Error, mesh_error};

/// How tonic begins what it says of a request that it cannot read.
const UNREADABLE: [&str; 5] = [
    "failed to decode Protobuf message",
    "Missing request message",
    "Unexpected EOF decoding stream",
    "protocol error",
    "Error decompressing",
];

/// The error to answer instead of a status without details of ours; `None` if it has them.
///
/// tonic answers a request that it cannot read with INTERNAL, which would blame us for what
/// a client sent.
pub(super) fn without_details(status: &Status) -> Option<Error> {
    if mesh_error(status).is_some() {
        return None;
    }
    let unreadable = UNREADABLE.iter().any(|beginning| status.message().starts_with(beginning));
    Some(match status.code() {
        tonic::Code::Internal if unreadable => {
            Error::invalid("request", status.message(), "请求格式有误，无法读取")
        }
        tonic::Code::OutOfRange | tonic::Code::ResourceExhausted => Error::new(
            Code::OutOfRange,
            "MESSAGE_TOO_LARGE",
            "the message is larger than the limit",
            "内容超过大小限制",
        ),
        tonic::Code::Unimplemented => Error::unimplemented("the call"),
        tonic::Code::Cancelled => {
            Error::new(Code::Cancelled, "CANCELLED", "the caller went away", "请求已取消")
        }
        tonic::Code::Ok
        | tonic::Code::Unknown
        | tonic::Code::InvalidArgument
        | tonic::Code::DeadlineExceeded
        | tonic::Code::NotFound
        | tonic::Code::AlreadyExists
        | tonic::Code::PermissionDenied
        | tonic::Code::FailedPrecondition
        | tonic::Code::Aborted
        | tonic::Code::Internal
        | tonic::Code::Unavailable
        | tonic::Code::DataLoss
        | tonic::Code::Unauthenticated => Error::internal(Bare(status.clone())),
    })
}

/// A handler answered with a status that is not made from an [`Error`].
#[derive(Debug, thiserror::Error)]
#[error("a handler answered without details: {0}")]
struct Bare(Status);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_request_is_the_callers_fault() {
        let status = Status::internal("failed to decode Protobuf message: invalid varint");
        assert_eq!(without_details(&status).unwrap().code(), Code::InvalidArgument);
    }

    #[test]
    fn a_bare_status_of_a_handler_is_not_passed_on() {
        let error = without_details(&Status::internal("database at 10.0.0.7 is down")).unwrap();
        assert_eq!(error.code(), Code::Internal);
        assert!(!error.message().contains("10.0.0.7"));
    }

    #[test]
    fn an_error_of_ours_is_left_alone() {
        assert!(without_details(&Status::from(Error::not_found("tasks/1"))).is_none());
    }
}
