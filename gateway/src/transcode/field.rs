//! Fields by the names clients use, and single values written as text.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use serde_json::json;

/// The field with a JSON name (`pageSize`) or a proto name (`page_size`).
pub(crate) fn find(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message.get_field_by_json_name(name).or_else(|| message.get_field_by_name(name))
}

/// A path of fields as the protos name it, for example `task.due_time`.
pub(crate) fn path_name(path: &[FieldDescriptor]) -> String {
    path.iter().map(FieldDescriptor::name).collect::<Vec<_>>().join(".")
}

/// Whether JSON writes the message as a single value instead of an object of fields.
pub(crate) fn is_written_as_value(message: &MessageDescriptor) -> bool {
    message.package_name() == "google.protobuf"
}

/// What a field takes, in English and in Chinese.
pub(crate) fn expected(field: &FieldDescriptor) -> (&'static str, &'static str) {
    match field.kind() {
        Kind::Double | Kind::Float => ("a number", "数字"),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => ("a 32-bit integer", "32位整数"),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => ("a 64-bit integer", "64位整数"),
        Kind::Uint32 | Kind::Fixed32 => ("an unsigned 32-bit integer", "32位非负整数"),
        Kind::Uint64 | Kind::Fixed64 => ("an unsigned 64-bit integer", "64位非负整数"),
        Kind::Bool => ("true or false", "true或false"),
        Kind::String => ("a string", "字符串"),
        Kind::Bytes => ("base64", "base64编码"),
        Kind::Enum(_) => ("one of the values of its enumeration", "枚举值之一"),
        Kind::Message(message) => match message.full_name() {
            "google.protobuf.Timestamp" => (
                "an RFC 3339 instant such as 2023-06-01T09:00:00+08:00",
                "RFC 3339时刻，例如2023-06-01T09:00:00+08:00",
            ),
            "google.protobuf.Duration" => {
                ("a duration in seconds such as 86400s", "以秒计的时长，例如86400s")
            }
            "google.protobuf.FieldMask" => ("a comma-separated list of fields", "以逗号分隔的字段名"),
            _ => ("an object", "对象"),
        },
    }
}

/// Reads one value of a field from text, as it stands in a path or a query. For a
/// repeated field: one element of it. `None` when the text is no such value.
pub(crate) fn parse(field: &FieldDescriptor, text: &str) -> Option<Value> {
    let kind = field.kind();
    if kind == Kind::String {
        return Some(Value::String(text.to_owned()));
    }
    // The same reader as for bodies, so that a query and a body never disagree.
    let value = match &kind {
        Kind::Bool => json!(text.parse::<bool>().ok()?),
        Kind::Enum(_) => text.parse::<i32>().map_or_else(|_| json!(text), |number| json!(number)),
        Kind::Message(message) => match message.full_name() {
            "google.protobuf.BoolValue" => json!(text.parse::<bool>().ok()?),
            "google.protobuf.FieldMask" => json!(camel_case(text)),
            // An unescaped `+` of an offset arrives as a space, which no instant has.
            "google.protobuf.Timestamp" => json!(text.replace(' ', "+")),
            _ => json!(text),
        },
        _ => json!(text),
    };
    let holder = json!({ field.json_name(): if field.is_list() { json!([value]) } else { value } });
    let mut holder = DynamicMessage::deserialize(field.parent_message().clone(), holder).ok()?;
    match holder.take_field(field) {
        Some(Value::List(elements)) => elements.into_iter().next(),
        Some(value) => Some(value),
        None => Some(Value::default_value_for_field(field)),
    }
}

/// `due_time` as `dueTime`; what is already in camel case stays as it is.
fn camel_case(path: &str) -> String {
    let mut upper = false;
    path.chars()
        .filter_map(|letter| {
            let written = if upper { letter.to_ascii_uppercase() } else { letter };
            upper = letter == '_';
            (!upper).then_some(written)
        })
        .collect()
}
