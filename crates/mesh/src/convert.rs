//! Conversions that every service's `grpc/convert.rs` needs.

use domain_calendar::Timestamp;
use prost_types::Timestamp as ProtoTimestamp;

use crate::error::Error;

/// An instant as the API has it.
pub fn encode_time(instant: Timestamp) -> ProtoTimestamp {
    let micros = instant.as_micros();
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or(0);
    ProtoTimestamp { seconds: micros.div_euclid(1_000_000), nanos }
}

/// An instant from the API, to the microsecond. Refused outside the years 1 to 9999,
/// naming `field`.
pub fn decode_time(field: &str, time: &ProtoTimestamp) -> Result<Timestamp, Error> {
    let micros = time
        .seconds
        .checked_mul(1_000_000)
        .and_then(|micros| micros.checked_add(i64::from(time.nanos) / 1_000))
        .filter(|_| (0..1_000_000_000).contains(&time.nanos));
    match micros {
        Some(micros) if (Timestamp::MIN.as_micros()..=Timestamp::MAX.as_micros()).contains(&micros) => {
            Ok(Timestamp::from_micros(micros))
        }
        Some(_) | None => Err(Error::invalid(
            field,
            "must be within the years 1 to 9999",
            "时间超出范围（公元1年至9999年）",
        )),
    }
}

/// An optional instant from the API.
pub fn decode_optional_time(field: &str, time: Option<&ProtoTimestamp>) -> Result<Option<Timestamp>, Error> {
    time.map(|time| decode_time(field, time)).transpose()
}

/// An optional text: the API's empty text is none.
pub fn optional(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;
    use prost_types::Timestamp as ProtoTimestamp;

    use super::{decode_time, encode_time};

    #[test]
    fn an_instant_before_1970_survives() {
        let instant = Timestamp::parse("1949-10-01T15:00:00.000001+08:00").unwrap();
        assert_eq!(decode_time("at", &encode_time(instant)).unwrap(), instant);
    }

    #[test]
    fn impossible_instants_are_refused() {
        for (seconds, nanos) in
            [(i64::MAX, 0), (i64::MIN, 0), (0, -1), (0, 1_000_000_000), (253_402_272_000, 0)]
        {
            assert!(decode_time("at", &ProtoTimestamp { seconds, nanos }).is_err(), "{seconds} {nanos}");
        }
    }
}
