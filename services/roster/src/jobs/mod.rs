//! What the roster does on its own account.

mod timers;

pub(crate) use timers::{RosterTimers, TimerKind};
