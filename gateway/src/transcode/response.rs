//! Answers as JSON (proto3 JSON mapping).
//!
//! Every field without presence is written, defaults included, so that clients see one
//! stable shape; unset messages and `optional` fields are left out. 64-bit integers are
//! strings, enums are names.

use prost_reflect::{DynamicMessage, FieldDescriptor, SerializeOptions};
use serde_json::{Error, Value};

const OPTIONS: SerializeOptions = SerializeOptions::new().skip_default_fields(false);

/// The JSON of an answer, or of the one field that the rule makes the body.
pub(crate) fn to_json(
    message: &DynamicMessage,
    response_body: Option<&FieldDescriptor>,
) -> Result<Vec<u8>, Error> {
    let mut json = Vec::with_capacity(256);
    let Some(field) = response_body else {
        message.serialize_with_options(&mut serde_json::Serializer::new(&mut json), &OPTIONS)?;
        return Ok(json);
    };
    let whole = message.serialize_with_options(serde_json::value::Serializer, &OPTIONS)?;
    let part = whole.get(field.json_name()).unwrap_or(&Value::Null);
    serde_json::to_writer(&mut json, part)?;
    Ok(json)
}
