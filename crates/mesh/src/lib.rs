//! What every service shares at its edge.

pub mod admin;
pub mod authorize;
pub mod call;
pub mod client;
pub mod config;
pub mod convert;
pub mod drain;
pub mod error;
pub mod event_log;
pub mod grpc_timeout;
mod idempotency;
pub mod input;
pub mod layer;
pub mod matrix;
pub mod metrics;
pub mod page;
pub mod principal;
pub mod readiness;
pub mod roster_copy;
pub mod serve;
pub mod service;
pub mod service_name;
pub mod telemetry;
pub mod token;
pub mod trace_context;
pub mod transaction;

pub use authorize::{Resource, Scope};
pub use call::Call;
pub use client::Peers;
pub use error::{Code, Error, FieldViolation};
pub use idempotency::MIGRATIONS;
pub use principal::Principal;
pub use roster_copy::{RosterCopy, RosterView};
pub use service::{Assembly, Foundation, Ground, Service};
pub use service_name::ServiceName;
pub use transaction::{Attempt, Stamp, Transaction, Transactions, retried};
