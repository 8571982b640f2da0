//! Query parameters as fields of the request.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, Value};

use super::rule::{Body, Rule};
use super::{Violation, field, percent};

/// Deeper nesting than any request has.
const MAX_DEPTH: usize = 16;

/// Sets the field each parameter names. A parameter that names no field, or one that the
/// path or the body already gives, is refused.
pub(crate) fn apply(message: &mut DynamicMessage, rule: &Rule, query: &str) -> Result<(), Violation> {
    let mut given: Vec<Vec<FieldDescriptor>> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (raw_name, raw_value) = pair.split_once('=').unwrap_or((pair, ""));
        let malformed = |percent::Malformed| {
            Violation::new(raw_name, "is not percent-encoded UTF-8", "不是百分号编码的UTF-8")
        };
        let name = percent::decode_query(raw_name).map_err(malformed)?;
        let value = percent::decode_query(raw_value).map_err(malformed)?;

        let path = resolve(message, &name).ok_or_else(|| Violation::unknown(name.as_ref()))?;
        let name = field::path_name(&path);
        check_place(rule, &path, &name)?;
        let repeated = path.last().is_some_and(FieldDescriptor::is_list);
        if !repeated && given.contains(&path) {
            return Err(Violation::new(name, "is given twice", "重复给出"));
        }
        set(message, &path, &name, &value)?;
        if !repeated {
            given.push(path);
        }
    }
    Ok(())
}

/// The fields along a dotted name, ending in one that can be written as text.
fn resolve(message: &DynamicMessage, name: &str) -> Option<Vec<FieldDescriptor>> {
    let mut descriptor = prost_reflect::ReflectMessage::descriptor(message);
    let mut path = Vec::new();
    let mut parts = name.split('.').take(MAX_DEPTH + 1).peekable();
    while let Some(part) = parts.next() {
        let found = field::find(&descriptor, part)?;
        let last = parts.peek().is_none();
        match found.kind() {
            _ if found.is_map() || path.len() == MAX_DEPTH => return None,
            Kind::Message(inner) if last && !field::is_written_as_value(&inner) => return None,
            Kind::Message(inner) if !last && !found.is_list() && !field::is_written_as_value(&inner) => {
                descriptor = inner;
            }
            _ if last => (),
            _ => return None,
        }
        path.push(found);
    }
    Some(path)
}

fn check_place(rule: &Rule, path: &[FieldDescriptor], name: &str) -> Result<(), Violation> {
    if rule.variables.iter().any(|variable| variable == path) {
        return Err(Violation::new(name, "is given by the path", "已由路径给出"));
    }
    let in_body = match &rule.body {
        Body::None => false,
        Body::Whole => true,
        Body::Field(body) => path.first() == Some(body),
    };
    if in_body {
        return Err(Violation::new(name, "belongs in the body", "应放在请求体中"));
    }
    Ok(())
}

fn set(
    message: &mut DynamicMessage,
    path: &[FieldDescriptor],
    name: &str,
    text: &str,
) -> Result<(), Violation> {
    let Some((last, outer)) = path.split_last() else { return Ok(()) };
    let mut target = message;
    for step in outer {
        refuse_other_choice(target, step, name)?;
        let Some(inner) = target.get_field_mut(step).as_message_mut() else { return Ok(()) };
        target = inner;
    }
    refuse_other_choice(target, last, name)?;
    let value = field::parse(last, text).ok_or_else(|| not_expected(last, name))?;
    match target.get_field_mut(last) {
        Value::List(elements) if last.is_list() => elements.push(value),
        place => *place = value,
    }
    Ok(())
}

/// A parameter may not undo another one that chose otherwise in the same `oneof`.
fn refuse_other_choice(
    message: &DynamicMessage,
    chosen: &FieldDescriptor,
    name: &str,
) -> Result<(), Violation> {
    let Some(oneof) = chosen.containing_oneof() else { return Ok(()) };
    match oneof.fields().find(|other| other != chosen && message.has_field(other)) {
        None => Ok(()),
        Some(other) => Err(Violation::new(
            name,
            format!("excludes {}", other.name()),
            format!("不能与{}同时给出", other.name()),
        )),
    }
}

pub(crate) fn not_expected(field: &FieldDescriptor, name: &str) -> Violation {
    let (english, chinese) = field::expected(field);
    Violation::new(name, format!("is not {english}"), format!("不是{chinese}"))
}
