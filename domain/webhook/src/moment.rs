//! [`Moment`]: an instant of machine time.

use std::time::Duration;

/// Microseconds since 1970-01-01T00:00:00Z by the machine's clock, never the city's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    /// From microseconds since the epoch, UTC.
    pub const fn from_micros(micros: i64) -> Self {
        Moment(micros)
    }

    /// From whole seconds since the epoch, UTC.
    pub const fn from_seconds(seconds: i64) -> Self {
        Moment(seconds.saturating_mul(1_000_000))
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
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Moment(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}
