//! How long a call may take, and the `grpc-timeout` header that says so.

use std::time::Duration;

use http::HeaderValue;
use http::uri::PathAndQuery;

/// The header's name.
pub(crate) const GRPC_TIMEOUT: &str = "grpc-timeout";

/// A unary call takes no longer than this, whatever its client asks; the opening of a
/// stream as well.
pub(crate) const UNARY_TIMEOUT: Duration = Duration::from_secs(10);

/// Moving the clock fires every timer on the way, which takes as long as it takes.
const LONGER: [(&str, Duration); 1] =
    [("/xietong.gateway.v1.ClockService/AdvanceClock", Duration::from_secs(600))];

/// Reads a header value such as `500m`: at most eight digits and a unit. `None` when it is
/// none.
pub(crate) fn parse(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3_600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

/// The header value, in milliseconds as long as eight digits hold them.
pub(crate) fn format(timeout: Duration) -> HeaderValue {
    const LARGEST: u64 = 99_999_999;
    let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
    let text =
        if millis <= LARGEST { format!("{millis}m") } else { format!("{}S", timeout.as_secs().min(LARGEST)) };
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("10S"))
}

/// A unary call's timeout: what its client asks, if that is shorter than the method's own.
pub(crate) fn unary(path: &PathAndQuery, asked: Option<&HeaderValue>) -> Duration {
    let longer = LONGER.iter().find(|(method, _)| *method == path.path());
    let limit = longer.map_or(UNARY_TIMEOUT, |(_, limit)| *limit);
    asked.and_then(parse).map_or(limit, |asked| asked.min(limit))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;
    use http::uri::PathAndQuery;
    use proptest::prelude::*;

    use super::{UNARY_TIMEOUT, format, parse, unary};

    #[test]
    fn units_are_told_apart() {
        let read = |text: &'static str| parse(&HeaderValue::from_static(text));
        assert_eq!(read("2H"), Some(Duration::from_secs(7_200)));
        assert_eq!(read("3M"), Some(Duration::from_secs(180)));
        assert_eq!(read("500m"), Some(Duration::from_millis(500)));
        assert_eq!(read("7n"), Some(Duration::from_nanos(7)));
        for text in ["", "m", "1", "123456789S", "-1S", "+1S", "1.5S", "1s"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_client_can_only_shorten_a_unary_call() {
        let path = PathAndQuery::from_static("/x.Y/Z");
        let asked = |text: &'static str| unary(&path, Some(&HeaderValue::from_static(text)));
        assert_eq!(unary(&path, None), UNARY_TIMEOUT);
        assert_eq!(asked("1S"), Duration::from_secs(1));
        assert_eq!(asked("1H"), UNARY_TIMEOUT);
        assert_eq!(asked("soon"), UNARY_TIMEOUT);
    }

    #[test]
    fn moving_the_clock_may_take_longer() {
        let path = PathAndQuery::from_static("/xietong.gateway.v1.ClockService/AdvanceClock");
        assert_eq!(unary(&path, None), Duration::from_secs(600));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(millis in 0_u64..=99_999_999) {
            let timeout = Duration::from_millis(millis);
            prop_assert_eq!(parse(&format(timeout)), Some(timeout));
        }

        #[test]
        fn no_value_panics(text in "[ -~]{0,12}") {
            let _ = HeaderValue::try_from(text).map(|value| parse(&value));
        }
    }
}
