//! The one error every handler returns.
//!
//! It holds a code of a closed set, a machine-readable reason, an English message for
//! developers and a Chinese one for officials. `wire.rs` turns it into a gRPC status and
//! back, `json.rs` into the REST error body; neither loses anything. `bound.rs` keeps it small.
//! What happened inside (database, files, peers) is logged where the error is made and never
//! sent.

mod bound;
mod json;
mod store;
mod wire;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

pub use bound::MOST_VIOLATIONS;
pub(crate) use wire::mesh_error;

/// The domain of every reason, as `google.rpc.ErrorInfo.domain`.
pub const ERROR_DOMAIN: &str = "xietong";

/// What went wrong, as far as a caller can act on it: the codes of `google.rpc.Code` that
/// Xietong gives out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The caller went away.
    Cancelled,
    /// A field of the request is wrong whatever the state of the system.
    InvalidArgument,
    /// The deadline passed; the call may still have taken effect.
    DeadlineExceeded,
    /// There is no such resource.
    NotFound,
    /// A resource with this identity exists.
    AlreadyExists,
    /// The caller is known and may not do this.
    PermissionDenied,
    /// A quota, rate or size limit is used up.
    ResourceExhausted,
    /// The resource is not in a state that allows this.
    FailedPrecondition,
    /// Somebody else changed the resource; read it again.
    Aborted,
    /// Past the valid range.
    OutOfRange,
    /// No such operation.
    Unimplemented,
    /// A fault of ours.
    Internal,
    /// Try again later.
    Unavailable,
    /// The caller is not known.
    Unauthenticated,
}

impl Code {
    /// The name `google.rpc.Code` gives it, for example `NOT_FOUND`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "CANCELLED",
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Self::FailedPrecondition => "FAILED_PRECONDITION",
            Self::Aborted => "ABORTED",
            Self::OutOfRange => "OUT_OF_RANGE",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Internal => "INTERNAL",
            Self::Unavailable => "UNAVAILABLE",
            Self::Unauthenticated => "UNAUTHENTICATED",
        }
    }

    /// The HTTP status that `google.rpc.Code` pairs with it.
    pub fn http_status(self) -> u16 {
        match self {
            Self::InvalidArgument | Self::FailedPrecondition | Self::OutOfRange => 400,
            Self::Unauthenticated => 401,
            Self::PermissionDenied => 403,
            Self::NotFound => 404,
            Self::AlreadyExists | Self::Aborted => 409,
            Self::ResourceExhausted => 429,
            Self::Cancelled => 499,
            Self::Internal => 500,
            Self::Unimplemented => 501,
            Self::Unavailable => 503,
            Self::DeadlineExceeded => 504,
        }
    }
}

/// One wrong field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// Path of the field as the proto names it, for example `task.due_time`.
    pub field: String,
    /// What is wrong with it, in English.
    pub description: String,
    /// The same in Chinese; empty when there is no text of its own.
    pub chinese: String,
}

/// The one error every handler returns. Cheap to move; compare with `==` in tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Body>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Body {
    code: Code,
    reason: Cow<'static, str>,
    message: String,
    chinese: String,
    violations: Vec<FieldViolation>,
    metadata: BTreeMap<String, String>,
    retry_after: Option<Duration>,
}

impl Error {
    /// An error from its parts. `reason` is UPPER_SNAKE_CASE and stable: clients switch on
    /// it. A message is cut after 1,024 bytes. The constructors below cover nearly every
    /// case.
    pub fn new(
        code: Code,
        reason: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
        chinese: impl Into<String>,
    ) -> Self {
        Self(Box::new(Body {
            code,
            reason: reason.into(),
            message: bound::message(message),
            chinese: bound::message(chinese),
            violations: Vec::new(),
            metadata: BTreeMap::new(),
            retry_after: None,
        }))
    }

    /// INVALID_ARGUMENT: `field` is wrong. Add further fields with
    /// [`and_invalid`](Self::and_invalid), so that a caller learns of all at once.
    pub fn invalid(field: impl Into<String>, english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, "INVALID_FIELD", String::new(), String::new())
            .and_invalid(field, english, chinese)
    }

    /// NOT_FOUND: `resource` is a resource name, for example `tasks/0190…`.
    pub fn not_found(resource: impl fmt::Display) -> Self {
        Self::new(
            Code::NotFound,
            "RESOURCE_NOT_FOUND",
            format!("{resource} does not exist"),
            format!("{resource} 不存在"),
        )
        .with_metadata("resource", resource.to_string())
    }

    /// ALREADY_EXISTS: `resource` is a resource name.
    pub fn already_exists(resource: impl fmt::Display) -> Self {
        Self::new(
            Code::AlreadyExists,
            "RESOURCE_ALREADY_EXISTS",
            format!("{resource} exists already"),
            format!("{resource} 已存在"),
        )
        .with_metadata("resource", resource.to_string())
    }

    /// PERMISSION_DENIED: the caller may not perform `action`. It says nothing about the
    /// resource, not even whether it exists.
    pub fn permission_denied(action: impl fmt::Display) -> Self {
        Self::new(
            Code::PermissionDenied,
            "PERMISSION_DENIED",
            format!("the caller may not perform {action}"),
            "您没有执行此操作的权限",
        )
        .with_metadata("action", action.to_string())
    }

    /// UNAUTHENTICATED: the caller is not known, for example `TOKEN_EXPIRED`.
    pub fn unauthenticated(reason: impl Into<Cow<'static, str>>, english: impl Into<String>) -> Self {
        Self::new(Code::Unauthenticated, reason, english, "身份未通过验证，请重新登录")
    }

    /// FAILED_PRECONDITION: the state of the system does not allow it.
    pub fn failed_precondition(
        reason: impl Into<Cow<'static, str>>,
        english: impl Into<String>,
        chinese: impl Into<String>,
    ) -> Self {
        Self::new(Code::FailedPrecondition, reason, english, chinese)
    }

    /// FAILED_PRECONDITION: a request id that came with another request before.
    pub fn request_id_reused() -> Self {
        Self::failed_precondition(
            "REQUEST_ID_REUSED",
            "this request_id was used for another request",
            "该请求编号已用于另一项不同的请求",
        )
    }

    /// ABORTED: the etag given for `resource` is not its current one.
    pub fn aborted_etag(resource: impl fmt::Display) -> Self {
        Self::new(
            Code::Aborted,
            "ETAG_MISMATCH",
            format!("{resource} has changed since it was read"),
            "内容已被他人修改，请刷新后重试",
        )
        .with_metadata("resource", resource.to_string())
    }

    /// RESOURCE_EXHAUSTED: a limit is used up. Say when to come back with
    /// [`with_retry_after`](Self::with_retry_after) if it is known.
    pub fn resource_exhausted(
        reason: impl Into<Cow<'static, str>>,
        english: impl Into<String>,
        chinese: impl Into<String>,
    ) -> Self {
        Self::new(Code::ResourceExhausted, reason, english, chinese)
    }

    /// UNAVAILABLE: `what` cannot be reached or is not ready; the call can be repeated.
    pub fn unavailable(what: impl fmt::Display) -> Self {
        Self::new(
            Code::Unavailable,
            "UNAVAILABLE",
            format!("{what} is unavailable"),
            "服务暂时不可用，请稍后重试",
        )
    }

    /// DEADLINE_EXCEEDED: time ran out; the call may have taken effect.
    pub fn deadline_exceeded() -> Self {
        Self::new(
            Code::DeadlineExceeded,
            "DEADLINE_EXCEEDED",
            "the deadline passed before the call was answered",
            "处理超时，请查询结果后再试",
        )
    }

    /// UNIMPLEMENTED: there is no such operation.
    pub fn unimplemented(operation: impl fmt::Display) -> Self {
        Self::new(
            Code::Unimplemented,
            "UNIMPLEMENTED",
            format!("{operation} is not an operation of this service"),
            "不支持此操作",
        )
    }

    /// INTERNAL: `source` is logged here, once, with all its causes, and is never sent.
    pub fn internal(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        tracing::error!(error = %Causes(&source), "internal error");
        Self::internal_unlogged()
    }

    /// INTERNAL for a fault that has been logged already.
    pub(crate) fn internal_unlogged() -> Self {
        Self::new(Code::Internal, "INTERNAL", "internal error", "系统内部错误，请联系管理员")
    }

    /// Adds a fact that a program can use, for example the candidates of an ambiguous name.
    /// All facts have 2 KB together; what does not fit is cut.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.note(key.into(), value.into());
        self
    }

    /// Says when it is worth trying again.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The stable reason, UPPER_SNAKE_CASE.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// The message for developers, in English.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The message for officials, in Chinese.
    pub fn chinese(&self) -> &str {
        &self.0.chinese
    }

    /// The wrong fields; empty unless the code is INVALID_ARGUMENT. The last has no field
    /// when it counts those that are not named.
    pub fn violations(&self) -> &[FieldViolation] {
        &self.0.violations
    }

    /// Facts that a program can use.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.0.metadata
    }

    /// How long to wait before trying again, if known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The HTTP status to answer with.
    pub fn http_status(&self) -> u16 {
        self.0.code.http_status()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.0.code.as_str(), self.0.message)
    }
}

impl std::error::Error for Error {}

/// Writes an error and its causes on one line.
pub(crate) struct Causes<'a>(pub(crate) &'a (dyn std::error::Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(formatter, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_in_the_message() {
        let error = Error::invalid("title", "must not be empty", "标题不能为空").and_invalid(
            "units",
            "must name a unit",
            "至少一个单位",
        );
        assert_eq!(error.code(), Code::InvalidArgument);
        assert_eq!(error.message(), "title: must not be empty; units: must name a unit");
        assert_eq!(error.chinese(), "标题不能为空；至少一个单位");
        assert_eq!(error.violations().len(), 2);
    }

    #[test]
    fn an_internal_error_says_nothing_of_its_cause() {
        let error = Error::internal(std::io::Error::other("password for db is hunter2"));
        assert!(!format!("{error:?} {}", error.to_json()).contains("hunter2"));
    }

    #[test]
    fn causes_are_written_on_one_line() {
        let cause = std::io::Error::other(std::io::Error::other("disk full"));
        assert!(Causes(&cause).to_string().contains("disk full"));
    }
}
