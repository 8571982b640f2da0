//! Throw-away PostgreSQL and Redis, waiting, crash points, history checking.

pub mod servers;
pub mod wait;
