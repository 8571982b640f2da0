//! How long a caller waits, as the header `grpc-timeout` says it.
//!
//! The form is that of the gRPC protocol over HTTP/2: at most eight digits and a unit.

use std::time::Duration;

use http::HeaderValue;

/// The header's name.
pub const GRPC_TIMEOUT: &str = "grpc-timeout";

/// Reads a header value such as `500m`: at most eight digits and a unit. `None` when it is
/// none.
pub fn parse(value: &HeaderValue) -> Option<Duration> {
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
pub fn format(timeout: Duration) -> HeaderValue {
    const LARGEST: u64 = 99_999_999;
    let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
    let text =
        if millis <= LARGEST { format!("{millis}m") } else { format!("{}S", timeout.as_secs().min(LARGEST)) };
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("10S"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;
    use proptest::prelude::*;

    use super::{format, parse};

    #[test]
    fn units_are_told_apart() {
        let read = |text: &'static str| parse(&HeaderValue::from_static(text));
        assert_eq!(read("2H"), Some(Duration::from_secs(7_200)));
        assert_eq!(read("3M"), Some(Duration::from_secs(180)));
        assert_eq!(read("42S"), Some(Duration::from_secs(42)));
        assert_eq!(read("99999999m"), Some(Duration::from_millis(99_999_999)));
        assert_eq!(read("13u"), Some(Duration::from_micros(13)));
        assert_eq!(read("7n"), Some(Duration::from_nanos(7)));
        for text in ["", "m", "1", "123456789S", "-1S", "+1S", "1.5S", "1s"] {
            assert_eq!(read(text), None, "{text}");
        }
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
