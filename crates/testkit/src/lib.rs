//! Throw-away PostgreSQL and Redis, waiting, crash points, history checking, and a receiver of
//! webhooks that behaves badly on command.

pub mod api;
pub mod cluster;
pub mod databases;
pub mod history;
pub mod receiver;
pub mod servers;
pub mod wait;
pub mod webhooks;
