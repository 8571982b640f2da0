//! [`Timestamp`], the one type for business time.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime, Time, UtcOffset};

/// Asia/Shanghai, which has kept one offset since 1991.
const SHANGHAI: UtcOffset = match UtcOffset::from_hms(8, 0, 0) {
    Ok(offset) => offset,
    Err(_) => UtcOffset::UTC,
};

/// An instant of business time: microseconds since 1970-01-01T00:00:00Z.
///
/// Stored as BIGINT on both back ends; written as RFC 3339 everywhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text is not an RFC 3339 instant between the years 1 and 9999.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 instant: {0}")]
pub struct ParseTimestampError(pub String);

impl Timestamp {
    /// Earlier than anything the city records: 0001-01-01T00:00:00Z.
    pub const MIN: Timestamp = Timestamp(-62_135_596_800_000_000);
    /// Later than anything the city records: the last microsecond of the year 9999 in
    /// Asia/Shanghai, so that every instant can be written there.
    pub const MAX: Timestamp = Timestamp(253_402_271_999_999_999);

    /// From microseconds since the epoch, UTC, held within [`Timestamp::MIN`] and
    /// [`Timestamp::MAX`].
    pub const fn from_micros(micros: i64) -> Self {
        if micros < Self::MIN.0 {
            Self::MIN
        } else if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Timestamp(micros)
        }
    }

    /// Microseconds since the epoch, UTC.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339, for example `2023-06-01T09:00:00+08:00` or, as people write it,
    /// `2023-06-01T09:00+08:00`.
    pub fn parse(text: &str) -> Result<Self, ParseTimestampError> {
        let refused = || ParseTimestampError(text.chars().take(40).collect());
        let with_seconds = match text.get(..16).zip(text.get(16..)) {
            Some((minute, rest)) if !rest.starts_with(':') => format!("{minute}:00{rest}"),
            _ => text.to_owned(),
        };
        let parsed = OffsetDateTime::parse(&with_seconds, &Rfc3339).map_err(|_| refused())?;
        let micros = i64::try_from(parsed.unix_timestamp_nanos().div_euclid(1_000)).map_err(|_| refused())?;
        if !(Self::MIN.0..=Self::MAX.0).contains(&micros) {
            return Err(refused());
        }
        Ok(Timestamp(micros))
    }

    /// The instant at which a day begins in Asia/Shanghai.
    pub fn start_of_day(day: Date) -> Self {
        Self::from_offset(day.with_time(Time::MIDNIGHT).assume_offset(SHANGHAI))
    }

    /// The instant of a time of day in Asia/Shanghai.
    pub fn at(day: Date, time: Time) -> Self {
        Self::from_offset(day.with_time(time).assume_offset(SHANGHAI))
    }

    /// The day it is in Asia/Shanghai.
    pub fn day(self) -> Date {
        self.shanghai().date()
    }

    /// The time of day in Asia/Shanghai.
    pub fn time_of_day(self) -> Time {
        self.shanghai().time()
    }

    /// Later by a duration, held at [`Timestamp::MAX`].
    pub fn saturating_add(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// Earlier by a duration, held at [`Timestamp::MIN`].
    pub fn saturating_sub(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_sub(micros))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    fn shanghai(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
            .checked_to_offset(SHANGHAI)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    fn from_offset(instant: OffsetDateTime) -> Self {
        Self::from_micros(i64::try_from(instant.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX))
    }
}

/// RFC 3339 in Asia/Shanghai, for example `2023-06-01T09:00:00+08:00`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.shanghai().format(&Rfc3339).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Timestamp::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::{date, time};

    use super::Timestamp;

    #[test]
    fn minutes_and_seconds_are_both_read() {
        let minute = Timestamp::parse("2023-06-01T09:00+08:00").unwrap();
        assert_eq!(minute, Timestamp::parse("2023-06-01T01:00:00Z").unwrap());
        assert_eq!(minute.to_string(), "2023-06-01T09:00:00+08:00");
    }

    #[test]
    fn a_day_is_a_day_of_shanghai() {
        let late = Timestamp::parse("2023-05-13T16:00:00Z").unwrap();
        assert_eq!(late.day(), date!(2023 - 05 - 14));
        assert_eq!(late, Timestamp::start_of_day(date!(2023 - 05 - 14)));
        assert_eq!(Timestamp::at(date!(2023 - 05 - 14), time!(8:30)).time_of_day(), time!(8:30));
    }

    #[test]
    fn the_ends_of_time_can_be_written_and_read() {
        for end in [Timestamp::MIN, Timestamp::MAX] {
            assert_eq!(Timestamp::parse(&end.to_string()), Ok(end));
        }
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999999+08:00");
        assert!(Timestamp::parse("9999-12-31T20:00:00Z").is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "2023-06-01", "2023-06-01T25:00:00Z", "明天", "2023-06-01T09:0一+08:00"] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_and_value_agree(micros in Timestamp::MIN.as_micros()..=Timestamp::MAX.as_micros()) {
            let instant = Timestamp::from_micros(micros);
            prop_assert_eq!(Timestamp::parse(&instant.to_string()), Ok(instant));
        }
    }
}
