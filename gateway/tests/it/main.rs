//! The gateway in front of a mesh of stand-ins, called over real connections.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attachments;
mod clock;
mod errors;
mod grpc;
mod identity;
mod rest;
mod shutdown;
mod stand_in;
mod streams;
mod trace;
mod world;
