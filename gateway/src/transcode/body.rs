//! JSON bodies as messages (proto3 JSON mapping).

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use serde_json::Value as Json;

use super::query::not_expected;
use super::{Violation, field};

/// Reads a body as a whole message. Nothing at all stands for `{}`.
pub(crate) fn read(message: &MessageDescriptor, body: &[u8]) -> Result<DynamicMessage, Violation> {
    if body.is_empty() {
        return Ok(DynamicMessage::new(message.clone()));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = DynamicMessage::deserialize(message.clone(), &mut reader);
    match read.and_then(|message| reader.end().map(|()| message)) {
        Ok(message) => Ok(message),
        // Reading once more costs only those who are refused.
        Err(refusal) => Err(explain(message, &parse(body)?, "", &refusal)),
    }
}

/// Reads a body as the value of one field of the request.
pub(crate) fn read_field(field: &FieldDescriptor, body: &[u8]) -> Result<Value, Violation> {
    match field.kind() {
        Kind::Message(message) if !field.is_list() && !field.is_map() => read(&message, body)
            .map(Value::Message)
            .map_err(|violation| Violation { field: within(field.name(), &violation.field), ..violation }),
        _ if body.is_empty() => Ok(Value::default_value_for_field(field)),
        _ => {
            let holder = serde_json::json!({ field.json_name(): parse(body)? });
            let holder_type = field.parent_message();
            let mut message = DynamicMessage::deserialize(holder_type.clone(), &holder)
                .map_err(|refusal| explain(holder_type, &holder, "", &refusal))?;
            Ok(message.take_field(field).unwrap_or_else(|| Value::default_value_for_field(field)))
        }
    }
}

/// Reads a body as JSON only.
pub(crate) fn parse(body: &[u8]) -> Result<Json, Violation> {
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Violation::new(
            BODY,
            format!("is not JSON: line {line}, column {column}"),
            format!("不是合法的JSON：第{line}行第{column}列"),
        )
    })
}

const BODY: &str = "body";

fn within(outer: &str, inner: &str) -> String {
    match (outer, inner) {
        ("", inner) => inner.to_owned(),
        (outer, "" | BODY) => outer.to_owned(),
        (outer, inner) => format!("{outer}.{inner}"),
    }
}

/// Finds the field that made a message unreadable.
fn explain(message: &MessageDescriptor, json: &Json, path: &str, refusal: &serde_json::Error) -> Violation {
    find(message, json, path).unwrap_or_else(|| {
        let field = if path.is_empty() { BODY } else { path };
        Violation::new(field, format!("cannot be read: {refusal}"), "无法识别")
    })
}

fn find(message: &MessageDescriptor, json: &Json, path: &str) -> Option<Violation> {
    let Json::Object(members) = json else {
        let name = if path.is_empty() { BODY } else { path };
        return Some(Violation::new(name, "is not an object", "不是对象"));
    };
    members.iter().find_map(|(name, value)| match field::find(message, name) {
        Some(found) => find_in_field(&found, value, &within(path, found.name())),
        None => Some(Violation::unknown(within(path, name))),
    })
}

fn find_in_field(found: &FieldDescriptor, value: &Json, place: &str) -> Option<Violation> {
    let fits = |value: &Json| {
        let holder = serde_json::json!({ found.json_name(): value });
        DynamicMessage::deserialize(found.parent_message().clone(), holder).is_ok()
    };
    if fits(value) {
        return None;
    }
    let elements = match value {
        Json::Array(elements) if found.is_list() => elements.as_slice(),
        _ if found.is_list() => return Some(Violation::new(place, "is not a list", "不是列表")),
        _ if found.is_map() => {
            return Some(Violation::new(place, "is not a map of its type", "不是相应的映射"));
        }
        single => std::slice::from_ref(single),
    };
    elements.iter().enumerate().find_map(|(index, element)| {
        let place = if found.is_list() { format!("{place}[{index}]") } else { place.to_owned() };
        match found.kind() {
            Kind::Message(inner) if !field::is_written_as_value(&inner) => find(&inner, element, &place),
            _ if found.is_list() && fits(&Json::Array(vec![element.clone()])) => None,
            _ => Some(not_expected(found, &place)),
        }
    })
}
