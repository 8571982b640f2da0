//! A service behind the whole edge, called over TCP.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod admission;
mod ending;
mod server;
