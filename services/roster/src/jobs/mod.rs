//! What the roster does on its own account.

mod acts;
mod coverage;
mod timers;

pub(crate) use acts::ActsLog;
pub(crate) use coverage::CoverageWatch;
pub(crate) use timers::{RosterTimers, TimerKind};
