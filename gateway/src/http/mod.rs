//! HTTP: REST, server-sent events, and the connections everything comes in by.

mod disposition;
mod download;
mod file;
mod range;
pub(crate) mod refusal;
pub(crate) mod rest;
pub(crate) mod server;
mod stream;
mod upload;
