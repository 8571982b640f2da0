//! Throw-away PostgreSQL and Redis, waiting, crash points, history checking.

pub mod api;
pub mod cluster;
pub mod databases;
pub mod history;
pub mod servers;
pub mod wait;
