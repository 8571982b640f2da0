//! [`Light`]: computed from the stored clock and now, here and nowhere else, once as Rust
//! and once as SQL.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

/// The light of an assignment or a task, from the mildest to the gravest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Light {
    /// 蓝: struck off.
    Blue,
    /// 灰: no clock runs.
    Grey,
    /// 绿.
    Green,
    /// 黄: little time is left, or a step was missed.
    Yellow,
    /// 红: the settle date is missed.
    Red,
}

/// The part of the clocks that is stored in columns of the same names and indexed.
///
/// An instant is reached when now is not before it. `closed` clocks are blue; otherwise
/// `paused` ones are grey; otherwise the instants decide. `yellow_at` is the earlier of
/// "little time is left" and the first missed step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StoredClock {
    /// When the light turns yellow, if it does.
    pub yellow_at: Option<Timestamp>,
    /// When the light turns red, if it does.
    pub red_at: Option<Timestamp>,
    /// No clock runs: a draft, withdrawn, or suspended.
    pub paused: bool,
    /// Struck off.
    pub closed: bool,
}

impl Light {
    /// Every light.
    pub const ALL: [Light; 5] = [Self::Blue, Self::Grey, Self::Green, Self::Yellow, Self::Red];

    /// The word the SQL form yields, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Grey => "grey",
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }

    /// What officials call it.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Blue => "蓝",
            Self::Grey => "灰",
            Self::Green => "绿",
            Self::Yellow => "黄",
            Self::Red => "红",
        }
    }
}

impl StoredClock {
    /// The clock whose light is the worst light of some clocks: what a task shows of the
    /// assignments that settle it. None when there are none.
    pub fn worst(clocks: impl IntoIterator<Item = StoredClock>) -> Option<StoredClock> {
        clocks.into_iter().reduce(|one, other| {
            let (left, right) = (one.running(), other.running());
            let earlier = |a: Option<Timestamp>, b: Option<Timestamp>| a.into_iter().chain(b).min();
            StoredClock {
                yellow_at: earlier(left.and_then(|c| c.yellow_at), right.and_then(|c| c.yellow_at)),
                red_at: earlier(left.and_then(|c| c.red_at), right.and_then(|c| c.red_at)),
                // Blue only if all are; grey only if nothing runs and something is grey.
                paused: left.is_none() && right.is_none(),
                closed: one.closed && other.closed,
            }
        })
    }

    fn running(self) -> Option<StoredClock> {
        (!self.closed && !self.paused).then_some(self)
    }
}

/// The light at an instant.
pub fn light(clock: &StoredClock, now: Timestamp) -> Light {
    let reached = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    if clock.closed {
        Light::Blue
    } else if clock.paused {
        Light::Grey
    } else if reached(clock.red_at) {
        Light::Red
    } else if reached(clock.yellow_at) {
        Light::Yellow
    } else {
        Light::Green
    }
}

/// [`light`] as an SQL expression over the columns `yellow_at` and `red_at` (BIGINT
/// microseconds, nullable), `paused` and `closed` (boolean, not null), yielding the words
/// of [`Light::as_str`]. `now` is the placeholder of the instant in microseconds, for
/// example `$1`: it is written into the text, so never hand it anything from outside.
/// Works on SQLite and PostgreSQL alike; a null instant compares as not reached.
pub fn light_sql(now: &str) -> String {
    format!(
        "CASE WHEN closed THEN '{blue}' WHEN paused THEN '{grey}' WHEN red_at <= {now} THEN '{red}' \
         WHEN yellow_at <= {now} THEN '{yellow}' ELSE '{green}' END",
        blue = Light::Blue.as_str(),
        grey = Light::Grey.as_str(),
        red = Light::Red.as_str(),
        yellow = Light::Yellow.as_str(),
        green = Light::Green.as_str(),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RUNNING: StoredClock = StoredClock {
        yellow_at: Some(Timestamp::from_micros(10)),
        red_at: Some(Timestamp::from_micros(20)),
        paused: false,
        closed: false,
    };

    #[test]
    fn each_light_begins_exactly_at_its_instant() {
        for (now, expected) in
            [(9, Light::Green), (10, Light::Yellow), (19, Light::Yellow), (20, Light::Red), (21, Light::Red)]
        {
            assert_eq!(light(&RUNNING, Timestamp::from_micros(now)), expected, "at {now}");
        }
    }

    #[test]
    fn a_clock_without_instants_stays_green() {
        let clock = StoredClock { yellow_at: None, red_at: None, ..RUNNING };
        assert_eq!(light(&clock, Timestamp::MAX), Light::Green);
    }

    #[test]
    fn struck_off_is_blue_and_paused_is_grey_whatever_was_missed() {
        let paused = StoredClock { paused: true, ..RUNNING };
        assert_eq!(light(&paused, Timestamp::MAX), Light::Grey);
        assert_eq!(light(&StoredClock { closed: true, ..paused }, Timestamp::MAX), Light::Blue);
    }

    #[test]
    fn the_sql_form_reads_as_documented() {
        assert_eq!(
            light_sql("$1"),
            "CASE WHEN closed THEN 'blue' WHEN paused THEN 'grey' WHEN red_at <= $1 THEN 'red' \
             WHEN yellow_at <= $1 THEN 'yellow' ELSE 'green' END"
        );
    }

    fn any_clock() -> impl Strategy<Value = StoredClock> {
        let instant = || proptest::option::of((0_i64..30).prop_map(Timestamp::from_micros));
        (instant(), instant(), any::<bool>(), any::<bool>())
            .prop_map(|(yellow_at, red_at, paused, closed)| StoredClock { yellow_at, red_at, paused, closed })
    }

    proptest! {
        #[test]
        fn the_worst_clock_shows_the_worst_light(
            clocks in proptest::collection::vec(any_clock(), 1..5),
            now in (0_i64..30).prop_map(Timestamp::from_micros),
        ) {
            let expected = clocks.iter().map(|clock| light(clock, now)).max();
            let worst = StoredClock::worst(clocks).map(|clock| light(&clock, now));
            prop_assert_eq!(worst, expected);
        }

        #[test]
        fn time_alone_never_makes_a_light_milder(clock in any_clock(), earlier in 0_i64..30, wait in 0_i64..30) {
            let at = |micros| light(&clock, Timestamp::from_micros(micros));
            prop_assert!(at(earlier) <= at(earlier + wait));
        }
    }
}
