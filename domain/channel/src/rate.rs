//! [`Bucket`]: keeps a channel within its rate, whichever replica sends.
//!
//! A token bucket, kept as the one instant at which it is full again (the generic cell rate
//! algorithm of ITU-T I.371): so it is a single number of the channel's row that all replicas share,
//! which the limiters of libraries, living in one process's memory, cannot be.

use std::time::Duration;

use domain_webhook::Moment;

/// How many messages go out on a channel at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// In a minute, in the long run; at least 1.
    pub per_minute: u32,
    /// At once, after a pause; at least 1.
    pub burst: u32,
}

/// How much of its rate a channel has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket(Moment);

impl Default for Rate {
    /// 120 in a minute, 20 at once.
    fn default() -> Self {
        Rate { per_minute: 120, burst: 20 }
    }
}

impl Rate {
    /// Between two messages, in microseconds; at least one.
    fn interval(self) -> i64 {
        60_000_000 / i64::from(self.per_minute.max(1))
    }

    /// How far ahead of now the bucket may be full.
    fn depth(self) -> i64 {
        self.interval().saturating_mul(i64::from(self.burst.max(1)))
    }
}

impl Bucket {
    /// Nothing is used.
    pub const FULL: Bucket = Bucket(Moment::from_micros(0));

    /// As stored: full again at that instant.
    pub const fn full_at(at: Moment) -> Self {
        Bucket(at)
    }

    /// When it is full again, for storing.
    pub const fn when_full(self) -> Moment {
        self.0
    }

    /// How many messages may go out now. A clock that was set back by more than a burst takes, or
    /// another rate, is no reason to be silent for longer than that.
    pub fn available(self, rate: Rate, now: Moment) -> u32 {
        let used = self.used(rate, now);
        u32::try_from((rate.depth() - used) / rate.interval()).unwrap_or(0)
    }

    /// The same with so many taken out.
    #[must_use]
    pub fn after(self, taken: u32, rate: Rate, now: Moment) -> Self {
        let used = self.used(rate, now).saturating_add(rate.interval().saturating_mul(i64::from(taken)));
        Bucket(now.plus(Duration::from_micros(u64::try_from(used).unwrap_or(0))))
    }

    /// From when on one may go out.
    pub fn next(self, rate: Rate, now: Moment) -> Moment {
        let missing = rate.interval() - (rate.depth() - self.used(rate, now));
        now.plus(Duration::from_micros(u64::try_from(missing).unwrap_or(0)))
    }

    /// What is used, as the time that it takes to come back, in microseconds.
    fn used(self, rate: Rate, now: Moment) -> i64 {
        i64::try_from(self.0.since(now).as_micros()).unwrap_or(i64::MAX).min(rate.depth())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Moment = Moment::from_seconds(1_700_000_000);

    #[test]
    fn a_burst_goes_out_at_once_and_then_one_by_one() {
        let rate = Rate { per_minute: 60, burst: 3 };
        assert_eq!(Bucket::FULL.available(rate, NOW), 3);
        let empty = Bucket::FULL.after(3, rate, NOW);
        assert_eq!(empty.available(rate, NOW), 0);
        assert_eq!(empty.next(rate, NOW), NOW.plus(Duration::from_secs(1)));
        for (seconds, available) in [(1, 1), (2, 2), (3, 3), (600, 3)] {
            assert_eq!(empty.available(rate, NOW.plus(Duration::from_secs(seconds))), available);
        }
        assert_eq!(Bucket::FULL.next(rate, NOW), NOW);
        assert_eq!(Bucket::full_at(empty.when_full()), empty);
    }

    #[test]
    fn a_clock_that_is_set_back_silences_nothing_for_longer_than_a_burst() {
        let rate = Rate { per_minute: 60, burst: 3 };
        let ahead = Bucket::full_at(NOW.plus(Duration::from_secs(86_400)));
        assert_eq!(ahead.next(rate, NOW), NOW.plus(Duration::from_secs(1)));
    }

    proptest! {
        #[test]
        fn no_window_holds_more_than_its_rate_and_a_burst(
            per_minute in 1_u32..6_000,
            burst in 1_u32..50,
            steps in proptest::collection::vec((0_u64..5_000_000, 0_u32..60), 1..100),
        ) {
            let rate = Rate { per_minute, burst };
            let mut bucket = Bucket::FULL;
            let mut now = NOW;
            let mut sent: Vec<(Moment, u32)> = Vec::new();
            for (passed, wanted) in steps {
                now = now.plus(Duration::from_micros(passed));
                let available = bucket.available(rate, now);
                prop_assert!(available <= burst);
                if available == 0 {
                    let next = bucket.next(rate, now);
                    prop_assert!(next > now && bucket.available(rate, next) >= 1);
                }
                let taken = wanted.min(available);
                bucket = bucket.after(taken, rate, now);
                prop_assert_eq!(bucket.available(rate, now), available - taken);
                sent.push((now, taken));
            }
            for (first, (from, _)) in sent.iter().enumerate() {
                let mut total = 0_u64;
                for (at, taken) in &sent[first..] {
                    total += u64::from(*taken);
                    let micros = u64::try_from(at.since(*from).as_micros()).unwrap();
                    let interval = 60_000_000 / u64::from(per_minute);
                    prop_assert!(total <= u64::from(burst) + micros / interval + 1);
                }
            }
        }
    }
}
