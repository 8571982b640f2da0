//! The one mapping from what the domain refuses to what a caller is told.

use domain_workgroup::{PayloadError, WorkgroupError};
use xietong_mesh::Error;
use xietong_store::StoreError;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The rules of working groups do not allow it.
    #[error(transparent)]
    Refused(#[from] WorkgroupError),
    /// The database failed, or somebody else was faster.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event could not be written.
    #[error(transparent)]
    Payload(#[from] PayloadError),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => told(refusal),
            Failure::Store(error) => error.into(),
            Failure::Payload(error) => Error::internal(error),
        }
    }
}

/// What a caller is told of a refusal. `path` turns a field of the record into its path in
/// the request.
pub(crate) fn refused(refusal: &WorkgroupError, path: impl Fn(&str) -> String) -> Error {
    let (english, chinese) = (refusal.to_string(), refusal.chinese());
    match refusal {
        WorkgroupError::Missing { field, .. } => Error::invalid(path(field), "is required", chinese),
        WorkgroupError::TooLong { field, most, .. } => {
            Error::invalid(path(field), format!("must be at most {most} characters"), chinese)
        }
        WorkgroupError::TooMany { field, most, .. } => {
            Error::invalid(path(field), format!("must have at most {most} entries"), chinese)
        }
        WorkgroupError::UnknownSubgroup { field, .. } => {
            Error::invalid(path(field), "must be the name of one of the group's subgroups", chinese)
        }
        WorkgroupError::SubgroupTwice { .. } => Error::invalid(path("subgroups"), english, chinese),
        WorkgroupError::NameMalformed { field, pattern, .. } => {
            Error::invalid(path(field), format!("must be a resource name of the form {pattern}"), chinese)
        }
        WorkgroupError::NoWindUp | WorkgroupError::TwoWindUps => {
            Error::invalid(path("end_condition"), english, chinese)
        }
        WorkgroupError::TermEmpty { .. } => Error::invalid(path("end_time"), english, chinese),
        WorkgroupError::SeveralHeads { .. } | WorkgroupError::SeatTwice { .. } => {
            Error::invalid(path("seats"), english, chinese)
        }
        WorkgroupError::UnitTwice { .. } => Error::invalid(path("cooperating_units"), english, chinese),
        WorkgroupError::NotYetFounded { .. } => {
            Error::failed_precondition("GROUP_NOT_YET_FOUNDED", english, chinese)
        }
        WorkgroupError::NoLeadUnit => {
            Error::failed_precondition("DECISION_HAS_NO_LEAD_UNIT", english, chinese)
        }
        WorkgroupError::DecisionRefused { .. } => {
            Error::failed_precondition("DECISION_STATE", english, chinese)
        }
        WorkgroupError::OtherTask { .. } => {
            Error::failed_precondition("DECISION_BECAME_ANOTHER_TASK", english, chinese)
        }
    }
}

/// What a caller is told of a refusal whose fields are the request's own.
pub(crate) fn told(refusal: WorkgroupError) -> Error {
    refused(&refusal, str::to_owned)
}
