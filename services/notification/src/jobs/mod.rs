//! Background jobs.

mod wake_up;

pub(crate) use wake_up::{Calls, Listening, WakeUp};
