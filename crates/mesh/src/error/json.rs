//! [`Error`] as the REST error body.

use serde_json::{Value, json};

use super::wire::{LOCALE, TYPE_PREFIX};
use super::{ERROR_DOMAIN, Error, FieldViolation};

impl Error {
    /// The body of a REST answer:
    /// `{"error": {"code", "status", "message", "details": […]}}`, where `code` is the
    /// HTTP status and each detail names its type as proto3 JSON does.
    pub fn to_json(&self) -> Value {
        let mut details = vec![
            detail(
                "google.rpc.ErrorInfo",
                json!({ "reason": self.reason(), "domain": ERROR_DOMAIN, "metadata": self.metadata() }),
            ),
            detail("google.rpc.LocalizedMessage", localized(self.chinese())),
        ];
        if !self.violations().is_empty() {
            let violations: Vec<Value> = self.violations().iter().map(field_violation).collect();
            details.push(detail("google.rpc.BadRequest", json!({ "fieldViolations": violations })));
        }
        if let Some(delay) = self.retry_after() {
            let seconds = format!("{}.{:09}s", delay.as_secs(), delay.subsec_nanos());
            details.push(detail("google.rpc.RetryInfo", json!({ "retryDelay": seconds })));
        }
        json!({
            "error": {
                "code": self.http_status(),
                "status": self.code().as_str(),
                "message": self.message(),
                "details": details,
            }
        })
    }
}

fn detail(name: &str, mut fields: Value) -> Value {
    if let Value::Object(map) = &mut fields {
        map.insert("@type".to_owned(), Value::String(format!("{TYPE_PREFIX}{name}")));
    }
    fields
}

fn localized(message: &str) -> Value {
    json!({ "locale": LOCALE, "message": message })
}

fn field_violation(violation: &FieldViolation) -> Value {
    let mut fields = json!({ "field": violation.field, "description": violation.description });
    if let (Value::Object(map), false) = (&mut fields, violation.chinese.is_empty()) {
        map.insert("localizedMessage".to_owned(), localized(&violation.chinese));
    }
    fields
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_body_has_the_documented_shape() {
        let error = Error::invalid("task.title", "must not be empty", "标题不能为空");
        assert_eq!(
            error.to_json(),
            json!({
                "error": {
                    "code": 400,
                    "status": "INVALID_ARGUMENT",
                    "message": "task.title: must not be empty",
                    "details": [
                        {
                            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                            "reason": "INVALID_FIELD",
                            "domain": "xietong",
                            "metadata": {},
                        },
                        {
                            "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
                            "locale": "zh-CN",
                            "message": "标题不能为空",
                        },
                        {
                            "@type": "type.googleapis.com/google.rpc.BadRequest",
                            "fieldViolations": [{
                                "field": "task.title",
                                "description": "must not be empty",
                                "localizedMessage": { "locale": "zh-CN", "message": "标题不能为空" },
                            }],
                        },
                    ],
                }
            })
        );
    }

    #[test]
    fn a_known_delay_is_in_the_body() {
        let error = Error::unavailable("roster").with_retry_after(Duration::from_millis(1500));
        let retry = &error.to_json()["error"]["details"][2];
        assert_eq!(retry["retryDelay"], "1.500000000s");
    }
}
