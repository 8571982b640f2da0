//! What the roster does on its own account.

mod acts;
mod timers;

pub(crate) use acts::ActsLog;
pub(crate) use timers::{RosterTimers, TimerKind};
