//! [`Schedule`]: when the next attempt is due.

use std::time::Duration;

use crate::moment::Moment;

/// How deliveries are retried: at growing intervals, not in step with each other, for a time.
///
/// As it is by default: after 5 s, 20 s, 80 s, 5 min, 21 min, 85 min and 6 h, then every 8 h, each
/// a quarter more or less, and a last time 3 days after the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Between the first attempt and the second.
    pub first: Duration,
    /// Each interval is so many times the one before.
    pub factor: u32,
    /// No interval is longer.
    pub longest: Duration,
    /// No attempt is made so long after the first one, but for what `Retry-After` asks.
    pub limit: Duration,
}

/// A random number, so that receivers are not struck by all retries at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jitter(u32);

impl Jitter {
    /// From 32 random bits.
    pub const fn from_bits(bits: u32) -> Self {
        Jitter(bits)
    }

    /// The duration, a quarter less up to a quarter more.
    fn spread(self, duration: Duration) -> Duration {
        // Three quarters, and of the half that is missing to five quarters the drawn share.
        let spread = (duration.as_micros() / 2 * u128::from(self.0)) >> 32;
        let micros = duration.as_micros() * 3 / 4 + spread;
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Schedule {
            first: Duration::from_secs(5),
            factor: 4,
            longest: Duration::from_secs(8 * 3_600),
            limit: Duration::from_secs(3 * 24 * 3_600),
        }
    }
}

impl Schedule {
    /// When to try again after attempt number `attempts`, which failed at `now`; `began` is the
    /// instant of the first one. `None` when that was the last: the delivery is a dead letter.
    ///
    /// A receiver that asks to be left alone is, even past the limit; then once more, and no more.
    pub fn next(
        &self,
        began: Moment,
        attempts: u32,
        now: Moment,
        retry_after: Option<Duration>,
        jitter: Jitter,
    ) -> Option<Moment> {
        let last = began.plus(self.limit);
        if now >= last {
            return None;
        }
        let by_schedule = now.plus(jitter.spread(self.interval(attempts))).min(last);
        let as_asked = retry_after.map_or(by_schedule, |wait| now.plus(wait));
        Some(by_schedule.max(as_asked))
    }

    /// Without jitter, after so many attempts.
    fn interval(&self, attempts: u32) -> Duration {
        let times = self.factor.saturating_pow(attempts.saturating_sub(1));
        self.first.saturating_mul(times).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{Jitter, Schedule};
    use crate::moment::Moment;

    const BEGAN: Moment = Moment::from_seconds(1_700_000_000);
    const MIDDLE: Jitter = Jitter::from_bits(1 << 31);

    #[test]
    fn attempts_go_on_for_three_days_at_growing_intervals() {
        let mut now = BEGAN;
        let mut seconds = Vec::new();
        let mut attempts = 1;
        while let Some(next) = Schedule::default().next(BEGAN, attempts, now, None, MIDDLE) {
            seconds.push(next.since(BEGAN).as_secs());
            (now, attempts) = (next, attempts + 1);
        }
        assert_eq!(
            seconds,
            [
                5, 25, 105, 425, 1_705, 6_825, 27_305, 56_105, 84_905, 113_705, 142_505, 171_305, 200_105,
                228_905, 257_705, 259_200
            ]
        );
    }

    #[test]
    fn whoever_asks_to_be_left_alone_is_and_then_tried_once_more() {
        let schedule = Schedule::default();
        let hour = Duration::from_secs(3_600);
        let next = schedule.next(BEGAN, 1, BEGAN, Some(hour), MIDDLE);
        assert_eq!(next, Some(BEGAN.plus(hour)));
        let nearly_over = BEGAN.plus(schedule.limit - Duration::from_secs(60));
        let past_the_limit = schedule.next(BEGAN, 16, nearly_over, Some(hour), MIDDLE);
        assert_eq!(past_the_limit, Some(nearly_over.plus(hour)));
        assert_eq!(schedule.next(BEGAN, 17, nearly_over.plus(hour), Some(hour), MIDDLE), None);
    }

    #[test]
    fn asking_for_less_than_the_schedule_gives_makes_nothing_sooner() {
        let asked = Schedule::default().next(BEGAN, 4, BEGAN, Some(Duration::from_secs(1)), MIDDLE);
        assert_eq!(asked, Schedule::default().next(BEGAN, 4, BEGAN, None, MIDDLE));
    }

    proptest! {
        #[test]
        fn the_next_attempt_is_later_within_bounds_and_there_is_a_last_one(
            bits in proptest::collection::vec(any::<u32>(), 40),
            took in proptest::collection::vec(0_u64..30, 40),
            asked in proptest::collection::vec(proptest::option::of(0_u64..86_400), 40),
        ) {
            let schedule = Schedule::default();
            let day = Duration::from_secs(86_400);
            let mut now = BEGAN;
            let mut attempts = 1;
            for ((bits, took), asked) in bits.into_iter().zip(took).zip(asked) {
                now = now.plus(Duration::from_secs(took));
                let wait = asked.map(Duration::from_secs);
                let Some(next) = schedule.next(BEGAN, attempts, now, wait, Jitter::from_bits(bits)) else {
                    prop_assert!(now >= BEGAN.plus(schedule.limit));
                    return Ok(());
                };
                prop_assert!(next > now || wait == Some(Duration::ZERO) && next >= now);
                prop_assert!(wait.is_none_or(|wait| next.since(now) >= wait));
                prop_assert!(next <= BEGAN.plus(schedule.limit + day));
                let longest = schedule.longest * 5 / 4;
                prop_assert!(next.since(now) <= longest.max(wait.unwrap_or_default()));
                (now, attempts) = (next, attempts + 1);
            }
            prop_assert!(false, "it never ends");
        }

        #[test]
        fn jitter_is_a_quarter_at_most(bits in any::<u32>(), seconds in 1_u64..100_000) {
            let interval = Duration::from_secs(seconds);
            let spread = Jitter::from_bits(bits).spread(interval);
            prop_assert!(interval * 3 / 4 <= spread && spread < interval * 5 / 4);
        }
    }
}
