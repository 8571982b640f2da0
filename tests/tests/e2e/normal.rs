//! Making two runs comparable: identities become symbols in the order of their first
//! appearance, instants and durations become one word.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use xietong_events::Event;
use xietong_testkit::history::Log;

const TIME: &str = "<time>";
const UUID_LENGTH: usize = 36;

/// The symbols given so far.
#[derive(Default)]
pub(crate) struct Normal(BTreeMap<String, usize>);

impl Normal {
    /// A value with identities and instants replaced.
    pub(crate) fn value(&mut self, value: &Value) -> Value {
        self.replace(value, &mut Self::symbol)
    }

    /// An event with identities and instants replaced.
    pub(crate) fn event(&mut self, event: &Event) -> Value {
        self.value(&record(event))
    }

    /// A log, aggregate by aggregate in an order that does not depend on how they were
    /// interleaved.
    pub(crate) fn log(&mut self, log: &Log) -> Value {
        let mut aggregates: Vec<Vec<Value>> =
            log.by_aggregate().into_values().map(|events| events.into_iter().map(record).collect()).collect();
        aggregates.sort_by_cached_key(|events| {
            let known = |normal: &mut Self, id: &str| match normal.0.get(id) {
                Some(number) => format!("#{number:05}"),
                None => "#?".to_owned(),
            };
            self.replace(&Value::Array(events.clone()), &mut { known }).to_string()
        });
        Value::Array(aggregates.into_iter().map(|events| self.value(&Value::Array(events))).collect())
    }

    fn symbol(&mut self, id: &str) -> String {
        let next = self.0.len() + 1;
        format!("#{:05}", self.0.entry(id.to_owned()).or_insert(next))
    }

    fn replace(&mut self, value: &Value, named: &mut impl FnMut(&mut Self, &str) -> String) -> Value {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
            Value::String(text) => Value::String(self.text(text, named)),
            Value::Array(elements) => elements.iter().map(|element| self.replace(element, named)).collect(),
            // How long something took.
            Value::Object(members) if members.keys().eq(["nanos", "secs"]) => json!(TIME),
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| (self.text(name, named), self.replace(value, named)))
                .collect(),
        }
    }

    fn text(&mut self, text: &str, named: &mut impl FnMut(&mut Self, &str) -> String) -> String {
        if is_instant(text) || is_duration(text) {
            return TIME.to_owned();
        }
        let mut replaced = String::new();
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            if let Some(id) = rest.get(..UUID_LENGTH).filter(|head| is_uuid(head)) {
                replaced += &named(self, id);
                rest = rest.get(UUID_LENGTH..).unwrap_or_default();
                continue;
            }
            let length = chinese_instant(rest);
            if length > 0 {
                replaced += TIME;
                rest = rest.get(length..).unwrap_or_default();
            } else {
                replaced.push(letter);
                rest = rest.get(letter.len_utf8()..).unwrap_or_default();
            }
        }
        replaced
    }
}

fn record(event: &Event) -> Value {
    let payload: Value = serde_json::from_str(&event.payload).unwrap();
    json!({
        "id": event.id,
        "aggregate": event.aggregate,
        "version": event.version,
        "type": event.event_type,
        "actor": event.actor,
        "actingFor": event.acting_for,
        "ground": event.ground,
        "payload": payload,
    })
}

/// RFC 3339, as far as it must be told from other texts.
fn is_instant(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 17 && text.is_ascii() && bytes[4] == b'-' && bytes[7] == b'-' && bytes[10] == b'T'
}

/// A duration as the API's JSON has it, for example 0.380367s.
fn is_duration(text: &str) -> bool {
    text.strip_suffix('s').is_some_and(|seconds| seconds.parse::<f64>().is_ok())
}

fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(place, byte)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

/// How many bytes at the beginning are an instant as officials write it, for example
/// 2023年6月8日24时; 0 when none.
fn chinese_instant(text: &str) -> usize {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && !"年月日时分".contains(letter));
    let run = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    if run.starts_with(|first: char| first.is_ascii_digit()) && run.contains('月') { run.len() } else { 0 }
}

#[test]
fn identities_become_symbols_and_instants_one_word() {
    let (one, other) = ("0190a5e4-0000-7000-8000-000000000001", "0190a5e4-0000-7000-8000-000000000002");
    let mut normal = Normal::default();
    let value = json!({
        "name": format!("tasks/{one}/assignments/{other}"),
        "body": format!("第12号于2023年6月8日24时前（{one}）"),
        "createTime": "2023-06-01T01:00:00Z",
        "moved": "0.380367s",
        "documentNumber": "临政办发〔2023〕12号",
    });
    assert_eq!(
        normal.value(&value),
        json!({
            "name": "tasks/#00001/assignments/#00002",
            "body": "第12号于<time>前（#00001）",
            "createTime": "<time>",
            "moved": "<time>",
            "documentNumber": "临政办发〔2023〕12号",
        })
    );
}
