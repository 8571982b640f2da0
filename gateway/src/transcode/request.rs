//! An HTTP request's parts as the request message of a method.

use http::Method as HttpMethod;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, Value};

use super::api::Binding;
use super::router::Verb;
use super::rule::Body;
use super::{Violation, body, field, mask, query};

/// What of an HTTP request becomes the message.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Parts<'a> {
    /// The decoded variables of the path, in the order of the template.
    pub(crate) captures: &'a [String],
    /// The raw query string.
    pub(crate) query: &'a str,
    /// The raw body.
    pub(crate) body: &'a [u8],
    /// The `Idempotency-Key` header.
    pub(crate) idempotency_key: Option<&'a str>,
    /// The `Last-Event-ID` header.
    pub(crate) last_event_id: Option<i64>,
}

/// Builds the request message, or says which part of the request is wrong.
pub(crate) fn build(binding: &Binding, parts: Parts<'_>) -> Result<DynamicMessage, Violation> {
    let (method, rule) = (&binding.method, &binding.rule);
    let mut message = match &rule.body {
        Body::Whole => body::read(&method.descriptor.input(), parts.body)?,
        Body::Field(field) => {
            let mut message = DynamicMessage::new(method.descriptor.input());
            if !parts.body.is_empty() {
                message.set_field(field, body::read_field(field, parts.body)?);
            }
            message
        }
        Body::None if parts.body.is_empty() => DynamicMessage::new(method.descriptor.input()),
        Body::None => {
            return Err(Violation::new("body", "is not taken by this method", "此方法不接受请求体"));
        }
    };
    query::apply(&mut message, rule, parts.query)?;
    for (path, text) in rule.variables.iter().zip(parts.captures) {
        set_from_path(&mut message, path, text)?;
    }
    if rule.verb == Verb::Only(HttpMethod::PATCH) {
        complete_mask(&mut message, &rule.body, parts.body)?;
    }
    match (&method.request_id, parts.idempotency_key) {
        (Some(field), Some(key)) => set_request_id(&mut message, field, key)?,
        // A caller that relies on it must not believe that it was heard. Reads are the same
        // however often they are repeated.
        (None, Some(_)) if rule.verb != Verb::Only(HttpMethod::GET) => {
            let (english, chinese) = ("is not taken by this method", "此方法不接受Idempotency-Key头");
            return Err(Violation::new("Idempotency-Key", english, chinese));
        }
        (Some(_) | None, _) => {}
    }
    // A browser that reconnects repeats its first address; the header is the later word.
    if let (Some(resume), Some(number)) = (&method.resume, parts.last_event_id) {
        message.set_field(&resume.after, Value::I64(number));
    }
    Ok(message)
}

/// The path decides; a body that repeats the field must agree with it.
fn set_from_path(
    message: &mut DynamicMessage,
    path: &[FieldDescriptor],
    text: &str,
) -> Result<(), Violation> {
    let Some((last, outer)) = path.split_last() else { return Ok(()) };
    let name = field::path_name(path);
    let value = field::parse(last, text).ok_or_else(|| query::not_expected(last, &name))?;
    let mut target = message;
    for step in outer {
        let Some(inner) = target.get_field_mut(step).as_message_mut() else { return Ok(()) };
        target = inner;
    }
    if target.has_field(last) && *target.get_field(last) != value {
        return Err(Violation::new(name, "differs from the path", "与路径不一致"));
    }
    target.set_field(last, value);
    Ok(())
}

fn set_request_id(message: &mut DynamicMessage, field: &FieldDescriptor, key: &str) -> Result<(), Violation> {
    if message.has_field(field) && message.get_field(field).as_str() != Some(key) {
        return Err(Violation::new(
            field.name(),
            "differs from the Idempotency-Key header",
            "与Idempotency-Key头不一致",
        ));
    }
    message.set_field(field, Value::String(key.to_owned()));
    Ok(())
}

/// An absent `update_mask` means the fields that the body names.
fn complete_mask(message: &mut DynamicMessage, rule_body: &Body, body: &[u8]) -> Result<(), Violation> {
    let descriptor = prost_reflect::ReflectMessage::descriptor(message);
    let (Some(field), Body::Field(patched)) = (descriptor.get_field_by_name("update_mask"), rule_body) else {
        return Ok(());
    };
    let (Kind::Message(mask_type), Kind::Message(patched_type)) = (field.kind(), patched.kind()) else {
        return Ok(());
    };
    if message.has_field(&field) || body.is_empty() || mask_type.full_name() != "google.protobuf.FieldMask" {
        return Ok(());
    }
    let paths = mask::paths(&patched_type, &body::parse(body)?);
    let mut mask = DynamicMessage::new(mask_type);
    mask.set_field_by_name("paths", Value::List(paths.into_iter().map(Value::String).collect()));
    message.set_field(&field, Value::Message(mask));
    Ok(())
}
