//! What a failure of the store means to a caller.

use std::time::Duration;

use sea_orm::DbErr;
use xietong_store::StoreError;

use super::Error;

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stale(what) => Error::aborted_etag(what),
            error if error.is_unavailable() => {
                tracing::warn!(%error, "the database is away");
                Error::unavailable("database").with_retry_after(Duration::from_secs(1))
            }
            error @ (StoreError::Database(_) | StoreError::Corrupt { .. } | StoreError::UnknownUrl) => {
                Error::internal(error)
            }
        }
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        StoreError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use xietong_store::StoreError;

    use crate::error::{Code, Error};

    #[test]
    fn a_lost_race_is_aborted_and_a_corrupt_row_is_not_told() {
        assert_eq!(Error::from(StoreError::Stale("tasks/1".into())).code(), Code::Aborted);
        let internal = Error::from(StoreError::corrupt("task", "secret detail"));
        assert_eq!(internal.code(), Code::Internal);
        assert!(!format!("{}", internal.to_json()).contains("secret"));
    }
}
