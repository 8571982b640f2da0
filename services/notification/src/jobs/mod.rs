//! Background jobs.

mod feed_pulse;
mod wake_up;

pub(crate) use feed_pulse::{FeedListening, FeedPulse, Pulse};
pub(crate) use wake_up::{Calls, Listening, WakeUp};
