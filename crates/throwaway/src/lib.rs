//! Private PostgreSQL and Redis processes for tests and benchmarks.
//!
//! A server lives in a scratch directory of its own, listens on a free port of
//! 127.0.0.1, and is gone with its data when its value is dropped or when the
//! process that owns it ends in whatever way (see [`guard`]). It is durable
//! while it lives: `fsync` stays on, so a killed server comes back with all it
//! has acknowledged.
//!
//! Anyone on this machine can connect without a password: nothing but test data
//! belongs in here. No async runtime and no client library live here, so the
//! project's own commands can use it and stay quick to build.

mod error;
mod guard;
mod postgres;
mod programs;
mod redis;
mod server;

pub use error::Error;
pub use postgres::Postgres;
pub use redis::Redis;
