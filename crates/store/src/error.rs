//! What can go wrong between a service and its database.

use sea_orm::{DbErr, SqlErr};

/// A failure of the store. None of its text is meant for callers of the API.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused, is away or timed out.
    #[error("database: {0}")]
    Database(#[from] DbErr),
    /// A row changed since it was read: the caller lost a race.
    #[error("{0} changed meanwhile")]
    Stale(String),
    /// A stored value cannot be read back: the row was written by something else.
    #[error("stored {what} cannot be read: {why}")]
    Corrupt {
        /// Which value.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// The URL is for no database we know.
    #[error("not a database URL: expected sqlite:// or postgres://")]
    UnknownUrl,
}

impl StoreError {
    /// A stored value that cannot be read back.
    pub fn corrupt(what: impl Into<String>, why: impl ToString) -> Self {
        StoreError::Corrupt { what: what.into(), why: why.to_string() }
    }

    /// A row with this key exists already.
    pub fn is_unique_violation(&self) -> bool {
        match self {
            StoreError::Database(error) => {
                matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
            }
            StoreError::Stale(_) | StoreError::Corrupt { .. } | StoreError::UnknownUrl => false,
        }
    }

    /// The database could not be reached in time: trying again later may help.
    pub fn is_unavailable(&self) -> bool {
        match self {
            StoreError::Database(error) => {
                matches!(
                    error,
                    DbErr::ConnectionAcquire(_)
                        | DbErr::Conn(_)
                        | DbErr::Exec(sea_orm::RuntimeErr::SqlxError(_))
                        | DbErr::Query(sea_orm::RuntimeErr::SqlxError(_))
                ) && is_connection_trouble(error)
            }
            StoreError::Stale(_) | StoreError::Corrupt { .. } | StoreError::UnknownUrl => false,
        }
    }
}

fn is_connection_trouble(error: &DbErr) -> bool {
    use sea_orm::sqlx::Error as Sqlx;
    match error {
        DbErr::ConnectionAcquire(_) => true,
        DbErr::Conn(sea_orm::RuntimeErr::SqlxError(inner))
        | DbErr::Exec(sea_orm::RuntimeErr::SqlxError(inner))
        | DbErr::Query(sea_orm::RuntimeErr::SqlxError(inner)) => match inner.as_ref() {
            Sqlx::Io(_) | Sqlx::PoolTimedOut | Sqlx::PoolClosed | Sqlx::Tls(_) | Sqlx::Protocol(_) => true,
            // 08: the connection; 53: disk, memory or connections are used up; 57P: the server
            // is going down, crashed, is starting or ended an idle session; 25P03: it ended a
            // transaction that was left lying; 40001, 40P01: lost to a concurrent transaction.
            Sqlx::Database(database) => database.code().is_some_and(|code| {
                ["08", "53", "57P"].iter().any(|class| code.starts_with(class))
                    || matches!(code.as_ref(), "25P03" | "40001" | "40P01")
            }),
            _ => false,
        },
        _ => false,
    }
}
