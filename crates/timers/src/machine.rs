//! Machine time, and the identities made from it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use uuid::{NoContext, Uuid};

/// An instant of machine time: microseconds since the Unix epoch, UTC. For leases,
/// back-off, token expiry and idempotency expiry only; never for a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MachineTime(i64);

impl MachineTime {
    /// From microseconds since the epoch, UTC.
    pub const fn from_micros(micros: i64) -> Self {
        MachineTime(micros)
    }

    /// Microseconds since the epoch, UTC.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, UTC.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Later by a duration.
    pub fn plus(self, duration: Duration) -> Self {
        MachineTime(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// Earlier by a duration.
    pub fn minus(self, duration: Duration) -> Self {
        MachineTime(self.0.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: MachineTime) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Reads the machine's clock. The one place that does, and the one that makes identities.
#[derive(Debug, Clone, Copy)]
pub struct MachineClock(());

impl MachineClock {
    /// The operating system's clock.
    pub const fn system() -> Self {
        MachineClock(())
    }

    /// Now.
    #[allow(clippy::disallowed_methods, reason = "this is the clock module")]
    pub fn now(&self) -> MachineTime {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        MachineTime(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }

    /// A new UUIDv7: an identity, never an order of events.
    pub fn new_id(&self) -> Uuid {
        let micros = u64::try_from(self.now().0).unwrap_or(0);
        let nanos = u32::try_from(micros % 1_000_000).unwrap_or(0) * 1_000;
        Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, micros / 1_000_000, nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::MachineClock;

    #[test]
    fn identities_differ_and_are_version_seven() {
        let clock = MachineClock::system();
        let (one, other) = (clock.new_id(), clock.new_id());
        assert_ne!(one, other);
        assert_eq!(one.get_version_num(), 7);
    }
}
