//! [`Clock`]: what time it is for the city.

use std::sync::Arc;

use domain_calendar::Timestamp;

use crate::{MachineClock, SimulatedClock};

/// Business time: the machine's, or a simulated one. Cloning is cheap.
#[derive(Debug, Clone)]
pub enum Clock {
    /// Business time is machine time.
    Real(MachineClock),
    /// Business time is played; exists only in the one-process mode.
    Simulated(Arc<SimulatedClock>),
}

impl Clock {
    /// The real clock.
    pub const fn real() -> Self {
        Clock::Real(MachineClock::system())
    }

    /// Now, in business time.
    pub fn now(&self) -> Timestamp {
        match self {
            Clock::Real(machine) => Timestamp::from_micros(machine.now().as_micros()),
            Clock::Simulated(clock) => clock.now(),
        }
    }

    /// The simulated clock, if it is one.
    pub fn simulated(&self) -> Option<&Arc<SimulatedClock>> {
        match self {
            Clock::Real(_) => None,
            Clock::Simulated(clock) => Some(clock),
        }
    }
}
