//! A courier and real receivers, some of which behave badly.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions, not in what they share")]

mod addresses;
mod answers;
mod bed;
mod encryption;
mod misbehaviour;
mod python;
