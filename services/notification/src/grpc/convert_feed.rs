//! The change feed between protos and the store.

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value as ProtoValue};
use serde_json::Value;
use xietong_mesh::convert::encode_time;
use xietong_mesh::input::{at_most, optional};
use xietong_mesh::{Error, ServiceName};
use xietong_proto::notification as proto;

use crate::store::{FeedFilter, StoredEntry, TypePattern};

/// Patterns of types in one question.
const MOST_TYPES: usize = 50;
/// Longer than any type.
const LONGEST_TYPE: usize = 100;
/// The services whose events are in the feed.
const SOURCES: [ServiceName; 3] = [ServiceName::Roster, ServiceName::Supervision, ServiceName::Workgroup];

/// An entry as a CloudEvent.
pub(super) fn encode_entry(entry: StoredEntry) -> Result<proto::Event, Error> {
    let data: Value = serde_json::from_str(&entry.data).map_err(Error::internal)?;
    let data = match data {
        Value::Object(members) => encode_struct(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Struct::default()
        }
    };
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    Ok(proto::Event {
        specversion: "1.0".to_owned(),
        id: entry.id,
        source: entry.source,
        r#type: entry.event_type,
        subject: entry.subject,
        time: Some(encode_time(entry.occurred_at)),
        datacontenttype: "application/json".to_owned(),
        data: Some(data),
        position: entry.position,
        sequence: entry.sequence.to_string(),
        actor: entry.actor,
        actingfor: given(entry.acting_for),
        ground: given(entry.ground),
        traceparent: given(entry.traceparent),
        causationid: given(entry.causation_id),
    })
}

fn encode_struct(members: serde_json::Map<String, Value>) -> Struct {
    Struct { fields: members.into_iter().map(|(name, value)| (name, encode_value(value))).collect() }
}

fn encode_value(value: Value) -> ProtoValue {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(value),
        // What a double does not hold exactly is kept as text, as protos do with 64 bits.
        Value::Number(number) => match number.as_f64().filter(|_| is_exact(&number)) {
            Some(value) => Kind::NumberValue(value),
            None => Kind::StringValue(number.to_string()),
        },
        Value::String(text) => Kind::StringValue(text),
        Value::Array(values) => {
            Kind::ListValue(ListValue { values: values.into_iter().map(encode_value).collect() })
        }
        Value::Object(members) => Kind::StructValue(encode_struct(members)),
    };
    ProtoValue { kind: Some(kind) }
}

fn is_exact(number: &serde_json::Number) -> bool {
    const LARGEST: u64 = 1 << 53;
    let within = |magnitude: u64| magnitude <= LARGEST;
    number.as_i64().map(|value| within(value.unsigned_abs())).or(number.as_u64().map(within)).unwrap_or(true)
}

/// A position to go on after.
pub(super) fn position(field: &str, position: i64) -> Result<i64, Error> {
    if position < 0 {
        return Err(Error::invalid(field, "must not be negative", "续读位置不能为负数"));
    }
    Ok(position)
}

/// What is asked for.
pub(super) fn filter(types: Vec<String>, subject: String, source: String) -> Result<FeedFilter, Error> {
    let types = at_most("types", types, MOST_TYPES)?.into_iter().map(pattern).collect::<Result<_, _>>()?;
    let source = optional("source", source)?;
    if source.as_ref().is_some_and(|source| SOURCES.iter().all(|one| one.as_str() != source)) {
        let english = "must be roster, supervision or workgroup";
        return Err(Error::invalid("source", english, "来源须为roster、supervision或者workgroup"));
    }
    Ok(FeedFilter { types, subject: optional("subject", subject)?, source })
}

fn pattern(text: String) -> Result<TypePattern, Error> {
    let words = text.strip_suffix(".*").unwrap_or(&text);
    let is_word = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == b'_')
    };
    if text.len() > LONGEST_TYPE || !words.split('.').all(is_word) {
        return Err(Error::invalid(
            "types",
            "must be types of events, or begin like them and end in .*",
            "须为事件类型，或者以“.*”结尾的类型前缀",
        ));
    }
    Ok(if words.len() < text.len() {
        TypePattern::Beginning(format!("{words}."))
    } else {
        TypePattern::Exactly(text)
    })
}

#[cfg(test)]
mod tests {
    use prost_types::value::Kind;
    use serde_json::json;

    use super::{encode_value, filter, pattern, position};
    use crate::store::TypePattern;

    #[test]
    fn types_are_exact_or_end_in_a_star() {
        let exactly = TypePattern::Exactly("supervision.task.issued".to_owned());
        assert_eq!(pattern("supervision.task.issued".to_owned()), Ok(exactly));
        let beginning = TypePattern::Beginning("supervision.task.".to_owned());
        assert_eq!(pattern("supervision.task.*".to_owned()), Ok(beginning));
        for text in ["", "*", ".*", "a*", "a..b", "a.*.*", "A.b", "a.%", "a.b'", "任务", &"a".repeat(200)] {
            assert!(pattern(text.to_owned()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_asked_for_is_refused() {
        assert!(position("after", -1).is_err());
        assert!(filter(vec![], String::new(), "gateway".to_owned()).is_err());
        assert!(filter(vec!["a".to_owned(); 51], String::new(), String::new()).is_err());
        assert!(filter(vec![], "tasks/\0".to_owned(), String::new()).is_err());
    }

    #[test]
    fn numbers_that_a_double_does_not_hold_are_kept_as_text() {
        let kind = |value| encode_value(value).kind;
        assert_eq!(kind(json!(147)), Some(Kind::NumberValue(147.0)));
        assert_eq!(kind(json!(0.5)), Some(Kind::NumberValue(0.5)));
        let large = json!(9_007_199_254_740_993_i64);
        assert_eq!(kind(large), Some(Kind::StringValue("9007199254740993".to_owned())));
    }
}
