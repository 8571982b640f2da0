//! The service over gRPC on both back ends, with a roster that is a log and a supervision
//! that is played.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod charter;
mod escalation;
mod founding;
mod harness;
mod meetings;
mod permission;
mod played_supervision;
mod repetition;
mod seats;
