//! HTTP: REST, server-sent events, and the connections everything comes in by.

mod file;
pub(crate) mod refusal;
pub(crate) mod rest;
pub(crate) mod server;
mod stream;
