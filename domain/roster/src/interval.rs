//! Half-open intervals of business time.

use domain_calendar::Timestamp;

/// From `start`, which it holds, to `end`, which it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// First instant inside.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
}

impl Interval {
    /// True for every instant from the start up to, but not at, the end.
    pub fn contains(self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// The time both hold, or nothing when they merely touch.
    pub fn overlap(self, other: Interval) -> Option<Interval> {
        let shared = Interval { start: self.start.max(other.start), end: self.end.min(other.end) };
        (shared.start < shared.end).then_some(shared)
    }
}

/// Whether something valid between two optional instants is valid at `at`; an unset bound is open.
pub(crate) fn holds(start: Option<Timestamp>, end: Option<Timestamp>, at: Timestamp) -> bool {
    start.is_none_or(|start| start <= at) && end.is_none_or(|end| at < end)
}

/// An instant as officials read it, in Asia/Shanghai: a bare day at midnight, else with the time.
pub(crate) fn chinese_instant(at: Timestamp) -> String {
    let (day, time) = (at.day(), at.time_of_day());
    let date = format!("{}年{}月{}日", day.year(), u8::from(day.month()), day.day());
    match time.as_hms_micro() {
        (0, 0, 0, 0) => date,
        (hour, minute, 0, 0) => format!("{date}{hour:02}:{minute:02}"),
        (hour, minute, second, 0) => format!("{date}{hour:02}:{minute:02}:{second:02}"),
        (hour, minute, second, micro) => format!("{date}{hour:02}:{minute:02}:{second:02}.{micro:06}"),
    }
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;

    use super::{Interval, chinese_instant};

    #[test]
    fn intervals_that_touch_do_not_overlap() {
        let [one, two, three] = [1, 2, 3].map(Timestamp::from_micros);
        let (first, second) = (Interval { start: one, end: two }, Interval { start: two, end: three });
        assert_eq!(first.overlap(second), None);
        assert!(first.contains(one) && !first.contains(two));
        assert_eq!(Interval { start: one, end: three }.overlap(second), Some(second));
    }

    #[test]
    fn officials_read_shanghai_time() {
        let midnight = Timestamp::parse("2023-06-09T16:00:00Z").unwrap();
        assert_eq!(chinese_instant(midnight), "2023年6月10日");
        let evening = Timestamp::parse("2023-06-10T18:05:00+08:00").unwrap();
        assert_eq!(chinese_instant(evening), "2023年6月10日18:05");
    }
}
