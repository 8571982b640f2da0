//! What the roster does on its own account.

mod coverage;
mod timers;

pub(crate) use coverage::CoverageWatch;
pub(crate) use timers::{RosterTimers, TimerKind};
