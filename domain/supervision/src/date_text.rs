//! An optional day in JSON as `2023-06-30` or null. The `time` crate's own form cannot read
//! a null back from an already parsed JSON value.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::Date;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;

const DAY: StaticFormatDescription = format_description!("[year]-[month]-[day]");

pub(crate) fn serialize<S: Serializer>(day: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
    let text = day.map(|day| day.format(&DAY)).transpose().map_err(serde::ser::Error::custom)?;
    text.serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| Date::parse(&text, &DAY)).transpose().map_err(D::Error::custom)
}

/// A day that is always there.
pub(crate) mod whole {
    use super::{DAY, Date, Deserialize, Deserializer, Error, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(day: &Date, serializer: S) -> Result<S::Ok, S::Error> {
        day.format(&DAY).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        Date::parse(&String::deserialize(deserializer)?, &DAY).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::date;

    use super::*;

    #[test]
    fn a_day_and_its_absence_survive_json() {
        for (value, day) in [(json!("2023-06-30"), Some(date!(2023 - 06 - 30))), (json!(null), None)] {
            assert_eq!(deserialize(&value).unwrap(), day);
            assert_eq!(serialize(&day, serde_json::value::Serializer).unwrap(), value);
        }
        assert!(deserialize(json!("2023-02-30")).is_err());
    }
}
