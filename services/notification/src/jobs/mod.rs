//! Background jobs.

mod burden_meter;
mod wake_up;

pub(crate) use burden_meter::BurdenMeter;
pub(crate) use wake_up::{Calls, Listening, WakeUp};
