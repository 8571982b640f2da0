//! [`Violation`]: the one thing that is wrong with a request.

/// A part of a request that cannot be accepted, in the words the client will read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The field as the protos name it, for example `task.due_time`; an unknown one as the
    /// client wrote it; `body` for the whole body.
    pub(crate) field: String,
    /// What is wrong, in English.
    pub(crate) english: String,
    /// What is wrong, in Chinese.
    pub(crate) chinese: String,
}

impl Violation {
    /// Names a field and says what is wrong with it.
    pub(crate) fn new(
        field: impl Into<String>,
        english: impl Into<String>,
        chinese: impl Into<String>,
    ) -> Self {
        Violation { field: field.into(), english: english.into(), chinese: chinese.into() }
    }

    /// There is no such field or parameter.
    pub(crate) fn unknown(field: impl Into<String>) -> Self {
        Violation::new(field, "is not a known field", "没有这个字段")
    }
}
