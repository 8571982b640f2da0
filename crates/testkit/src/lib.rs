//! Throw-away PostgreSQL and Redis, waiting, crash points, history checking, and a receiver of
//! webhooks and a mail server that behave badly on command.

pub mod api;
pub mod cluster;
pub mod databases;
pub mod history;
pub mod mail_server;
pub mod receiver;
pub mod servers;
pub mod wait;
pub mod webhooks;
