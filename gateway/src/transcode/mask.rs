//! The update mask of a PATCH whose client gives none: the fields its body names.

use prost_reflect::{Kind, MessageDescriptor};
use serde_json::Value as Json;

use super::field;

/// Paths, in proto names, of the fields an object gives, down to what is no plain message.
/// A `null` names its field as well: it clears it.
pub(crate) fn paths(message: &MessageDescriptor, json: &Json) -> Vec<String> {
    let Json::Object(members) = json else { return Vec::new() };
    let mut found = Vec::new();
    for (name, value) in members {
        let Some(field) = field::find(message, name) else { continue };
        match (field.kind(), value) {
            (Kind::Message(inner), Json::Object(fields))
                if !field.is_list()
                    && !field.is_map()
                    && !field::is_written_as_value(&inner)
                    && !fields.is_empty() =>
            {
                let inner = paths(&inner, value);
                found.extend(inner.iter().map(|path| format!("{}.{path}", field.name())));
            }
            _ => found.push(field.name().to_owned()),
        }
    }
    found
}
