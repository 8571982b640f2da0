//! [`Meaning`]: what a receiver's answer says of a delivery and of its endpoint.

use std::time::Duration;

use crate::moment::Moment;

/// Longer waits than this are not granted to `Retry-After`.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3_600);

/// What came of an attempt. Nothing else that a receiver answers makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// 2xx: it has the message.
    Delivered,
    /// 410: it wants no more of them, ever.
    Gone,
    /// 429, 502, 504: it has too much to do.
    Busy {
        /// It asked to be left alone for so long.
        retry_after: Option<Duration>,
    },
    /// Every other answer, and none at all.
    Failed {
        /// It asked to be left alone for so long.
        retry_after: Option<Duration>,
    },
}

impl Meaning {
    /// No answer came: refused, unreachable, timed out.
    pub const UNANSWERED: Meaning = Meaning::Failed { retry_after: None };

    /// What a status means (Standard Webhooks 1.0.0, "Delivery success and failure"). A redirect
    /// is a failure: it is never followed, or an address that was checked could name one that was not.
    pub fn of(status: u16, retry_after: Option<Duration>) -> Self {
        match status {
            200..=299 => Meaning::Delivered,
            410 => Meaning::Gone,
            429 | 502 | 504 => Meaning::Busy { retry_after },
            _ => Meaning::Failed { retry_after },
        }
    }
}

/// Reads the header `Retry-After`: seconds, or a date (RFC 9110, 10.2.3). At most 24 hours, and
/// nothing when it is neither; a date that has passed is no wait at all.
pub fn retry_after(value: &str, now: Moment) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number holds are still a wait, the longest.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)).min(LONGEST_WAIT));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let since_epoch = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    let at = Moment::from_micros(i64::try_from(since_epoch.as_micros()).ok()?);
    Some(at.since(now).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LONGEST_WAIT, Meaning, retry_after};
    use crate::moment::Moment;

    #[test]
    fn every_status_has_one_meaning() {
        let wait = Some(Duration::from_secs(7));
        for status in 0..=u16::MAX {
            let expected = match status {
                200..=299 => Meaning::Delivered,
                410 => Meaning::Gone,
                429 | 502 | 504 => Meaning::Busy { retry_after: wait },
                _ => Meaning::Failed { retry_after: wait },
            };
            assert_eq!(Meaning::of(status, wait), expected, "{status}");
        }
        assert_eq!(Meaning::of(301, None), Meaning::UNANSWERED);
    }

    #[test]
    fn a_wait_is_asked_for_in_seconds_or_by_a_date() {
        // 2015-10-21 07:28:00 UTC.
        let date = Moment::from_seconds(1_445_412_480);
        let now = Moment::from_seconds(1_445_412_480 - 90);
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(retry_after("120", now), seconds(120));
        assert_eq!(retry_after(" 0 ", now), seconds(0));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT", now), seconds(90));
        assert_eq!(retry_after("Wednesday, 21-Oct-15 07:28:00 GMT", now), seconds(90));
        assert_eq!(retry_after("Wed Oct 21 07:28:00 2015", now), seconds(90));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT", date.plus(LONGEST_WAIT)), seconds(0));
    }

    #[test]
    fn no_receiver_is_left_alone_for_more_than_a_day() {
        let now = Moment::from_seconds(1_445_412_480);
        for value in ["86401", "99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert_eq!(retry_after(value, now), Some(LONGEST_WAIT), "{value}");
        }
        for value in ["", "soon", "-5", "1.5", "１２", "Wed, 32 Oct 2015 07:28:00 GMT"] {
            assert_eq!(retry_after(value, now), None, "{value}");
        }
    }
}
