//! [`Clock`]: what time it is for the city.

use std::sync::Arc;

use domain_calendar::Timestamp;

use crate::{MachineClock, SimulatedClock};

/// Business time: the machine's, or a simulated one. Cloning is cheap.
#[derive(Debug, Clone)]
pub enum Clock {
    /// Business time runs with machine time.
    Real {
        /// The machine's clock.
        machine: MachineClock,
        /// How far business time is ahead of it, in microseconds; negative when behind.
        ahead_micros: i64,
    },
    /// Business time is played; exists only in the one-process mode.
    Simulated(Arc<SimulatedClock>),
}

impl Clock {
    /// Business time is machine time.
    pub const fn real() -> Self {
        Clock::ahead_by(0)
    }

    /// Business time is machine time and so many seconds more, or less when negative: a city of
    /// its own for training or tests. All services of a mesh must agree on it.
    pub const fn ahead_by(seconds: i64) -> Self {
        Clock::Real { machine: MachineClock::system(), ahead_micros: seconds.saturating_mul(1_000_000) }
    }

    /// Now, in business time.
    pub fn now(&self) -> Timestamp {
        match self {
            Clock::Real { machine, ahead_micros } => {
                Timestamp::from_micros(machine.now().as_micros().saturating_add(*ahead_micros))
            }
            Clock::Simulated(clock) => clock.now(),
        }
    }

    /// The simulated clock, if it is one.
    pub fn simulated(&self) -> Option<&Arc<SimulatedClock>> {
        match self {
            Clock::Real { .. } => None,
            Clock::Simulated(clock) => Some(clock),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Clock;

    #[test]
    fn business_time_runs_ahead_of_or_behind_the_machine() {
        let before = Clock::real().now();
        let (ahead, behind) = (Clock::ahead_by(3_600).now(), Clock::ahead_by(-3_600).now());
        let elapsed = Clock::real().now().since(before);
        let hour = Duration::from_secs(3_600);
        assert!((hour..=hour + elapsed).contains(&ahead.since(before)));
        assert!((hour - elapsed..=hour).contains(&before.since(behind)));
    }
}
