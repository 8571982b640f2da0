//! The database under every service: connecting, transactions, migrations and the named
//! crash points, on SQLite and PostgreSQL alike.
//!
//! What lives here knows nothing of events, timers or RPCs. SQL is written once, with
//! `$1` placeholders, which both back ends read.

mod crash;
mod db;
mod error;
mod migrate;
mod parameters;

pub use crash::{CrashPoint, CrashPoints, UnknownCrashPoint};
pub use db::{Backend, Db, statement};
pub use error::StoreError;
pub use migrate::{SqlMigration, migrate};
pub use parameters::{Parameters, ROWS, places};
