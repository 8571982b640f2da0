//! Answers as JSON (proto3 JSON mapping).
//!
//! Every field without presence is written, defaults included, so that clients see one
//! stable shape; unset messages and `optional` fields are left out. 64-bit integers are
//! strings, enums are names. Numbers that are whole are written as such, without a fraction: many
//! readers of `google.protobuf.Struct` want integers where there were integers.

use std::io;

use prost_reflect::{DynamicMessage, FieldDescriptor, SerializeOptions};
use serde::Serialize;
use serde_json::ser::Formatter;
use serde_json::{Error, Serializer, Value};

const OPTIONS: SerializeOptions = SerializeOptions::new().skip_default_fields(false);

/// The JSON of an answer, or of the one field that the rule makes the body.
pub(crate) fn to_json(
    message: &DynamicMessage,
    response_body: Option<&FieldDescriptor>,
) -> Result<Vec<u8>, Error> {
    let mut json = Vec::with_capacity(256);
    let Some(field) = response_body else {
        let mut serializer = Serializer::with_formatter(&mut json, WholeNumbers);
        message.serialize_with_options(&mut serializer, &OPTIONS)?;
        return Ok(json);
    };
    let whole = message.serialize_with_options(serde_json::value::Serializer, &OPTIONS)?;
    let part = whole.get(field.json_name()).unwrap_or(&Value::Null);
    part.serialize(&mut Serializer::with_formatter(&mut json, WholeNumbers))?;
    Ok(json)
}

/// Writes JSON without blanks, and 147 instead of 147.0.
struct WholeNumbers;

impl Formatter for WholeNumbers {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        /// From here on not every integer is a double.
        const INEXACT: f64 = 9_007_199_254_740_992.0;
        if value.fract() == 0.0 && value.abs() < INEXACT {
            write!(writer, "{value:.0}")
        } else {
            // As the compact formatter writes it: the shortest digits that mean the same.
            writer.write_all(serde_json::to_string(&value).map_err(io::Error::from)?.as_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::{Serializer, json};

    use super::WholeNumbers;

    #[test]
    fn whole_numbers_have_no_fraction_and_others_keep_theirs() {
        let mut written = Vec::new();
        json!([147.0, -3.0, 0.5, 1e300, 0.0, 7])
            .serialize(&mut Serializer::with_formatter(&mut written, WholeNumbers))
            .unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), "[147,-3,0.5,1e+300,0,7]");
    }
}
