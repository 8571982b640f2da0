//! [`Template`]: writes a message as the body of a request to whichever system a city has.

use std::borrow::Cow;

use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, context,
};

/// Escapes as the body of a form.
const FORM: &str = "form";

/// How a body is written: which form, and the text with places for the values. Whatever a value
/// holds is escaped for its form without being asked to, so that no title can add to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    media_type: String,
    form: Form,
}

/// What a place of a template may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields<'a> {
    /// `key`: names the message, the same at every attempt and when it is closed.
    pub key: &'a str,
    /// `purpose`: `notice`, `follow_up` or `close`.
    pub purpose: &'a str,
    /// `to`: the mobile number; empty when there is none any more.
    pub to: &'a str,
    /// `official`: the id of whom it is for, without `officials/`.
    pub official: &'a str,
    /// `kind`: for example `urging`.
    pub kind: &'a str,
    /// `title`: one line.
    pub title: &'a str,
    /// `body`: several lines.
    pub body: &'a str,
    /// `text`: all that fits into one short message.
    pub text: &'a str,
    /// `number`: of the message in the inbox.
    pub number: i64,
}

/// Why something is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Nothing can be escaped for it.
    #[error(
        "the media type must be application/json, application/xml, text/xml or application/x-www-form-urlencoded"
    )]
    MediaType,
    /// It is not one, or names a value that there is not.
    #[error("{0}")]
    Text(String),
    /// What it writes is not of its form.
    #[error("what it writes is no JSON: {0}")]
    Json(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Xml,
    Urlencoded,
}

impl Form {
    fn of(media_type: &str) -> Option<Self> {
        match media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "application/json" => Some(Form::Json),
            "application/xml" | "text/xml" => Some(Form::Xml),
            "application/x-www-form-urlencoded" => Some(Form::Urlencoded),
            _ => None,
        }
    }

    /// What names make the engine escape, which knows it by the name of a template.
    fn name(self) -> &'static str {
        match self {
            Form::Json => "json",
            Form::Xml => "xml",
            Form::Urlencoded => FORM,
        }
    }
}

impl Template {
    /// Reads a template by Jinja's rules: `{{ title }}` is a value as its form has it, with its
    /// quotation marks in JSON; `{% if purpose == "close" %}` and the like are understood.
    ///
    /// # Errors
    /// When it is none, or what it writes is not of its form.
    pub fn parse(text: &str, media_type: &str) -> Result<Self, TemplateError> {
        let form = Form::of(media_type).ok_or(TemplateError::MediaType)?;
        let template = Template { text: text.to_owned(), media_type: media_type.to_owned(), form };
        for purpose in ["notice", "follow_up", "close"] {
            // With everything in it that could end a value too early.
            let all = "\"'<>&\\\n{{}}";
            let fields = Fields {
                key: all,
                purpose,
                to: all,
                official: all,
                kind: all,
                title: all,
                body: all,
                text: all,
                number: 1,
            };
            let written = template.write(&fields)?;
            if form == Form::Json {
                serde_json::from_str::<serde_json::Value>(&written)
                    .map_err(|error| TemplateError::Json(error.to_string()))?;
            }
        }
        Ok(template)
    }

    /// Of what it writes.
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// Writes a body.
    ///
    /// # Errors
    /// When the template takes a way through itself that names a value that there is not.
    pub fn write(&self, fields: &Fields<'_>) -> Result<String, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| match name {
            "json" => AutoEscape::Json,
            "xml" => AutoEscape::Html,
            _ => AutoEscape::Custom(Cow::Borrowed(FORM)),
        });
        environment.set_formatter(written);
        let Fields { key, purpose, to, official, kind, title, body, text, number } = *fields;
        let values = context! { key, purpose, to, official, kind, title, body, text, number };
        environment
            .render_named_str(self.form.name(), &self.text, values)
            .map_err(|error| TemplateError::Text(format!("{error:#}")))
    }
}

fn written(output: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if !matches!(state.auto_escape(), AutoEscape::Custom(name) if name == FORM) {
        return minijinja::escape_formatter(output, state, value);
    }
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let text = value.as_str().map_or_else(|| Cow::Owned(value.to_string()), Cow::Borrowed);
    for part in url::form_urlencoded::byte_serialize(text.as_bytes()) {
        output.write_str(part).map_err(|_| Error::from(ErrorKind::WriteFailure))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Fields, Template, TemplateError};

    const JSON: &str = r#"{"mobile": {{ to }}, "content": {{ text }}, "id": {{ key }}, "no": {{ number }}
        {%- if purpose == "close" %}, "state": "done"{% endif %}}"#;

    fn fields<'a>(text: &'a str, purpose: &'a str) -> Fields<'a> {
        Fields {
            key: "one",
            purpose,
            to: "13800000000",
            official: "water-liaison",
            kind: "urging",
            title: "催办",
            body: "请办理",
            text,
            number: 7,
        }
    }

    #[test]
    fn a_body_is_written_with_every_value_escaped() {
        let template = Template::parse(JSON, "application/json; charset=utf-8").unwrap();
        let text = "\"},\"mobile\":\"13900000000\n\\";
        let read = |purpose| -> Value {
            serde_json::from_str(&template.write(&fields(text, purpose)).unwrap()).unwrap()
        };
        let notice = json!({"mobile": "13800000000", "content": text, "id": "one", "no": 7});
        assert_eq!(read("notice"), notice);
        assert_eq!(read("close")["state"], "done");
        let form = Template::parse("mobile={{ to }}&content={{ text }}", "application/x-www-form-urlencoded");
        let written = form.unwrap().write(&fields("一&mobile=2 3", "notice")).unwrap();
        assert_eq!(written, "mobile=13800000000&content=%E4%B8%80%26mobile%3D2+3");
        let xml = Template::parse("<m to=\"{{ to }}\">{{ text }}</m>", "text/xml").unwrap();
        let written = xml.write(&fields("</m><m>", "notice")).unwrap();
        assert!(written.starts_with("<m to=\"13800000000\">&lt;"), "{written}");
        assert_eq!(written.matches("<m").count(), 1);
    }

    #[test]
    fn what_is_no_template_is_refused_when_it_is_read() {
        let refused = |text: &str, media_type: &str| Template::parse(text, media_type).unwrap_err();
        assert_eq!(refused("{{ text }}", "text/plain"), TemplateError::MediaType);
        assert!(matches!(refused("{{ text ", "application/json"), TemplateError::Text(_)));
        assert!(matches!(refused("{{ password }}", "application/json"), TemplateError::Text(_)));
        assert!(matches!(
            refused("a={{ password }}", "application/x-www-form-urlencoded"),
            TemplateError::Text(_)
        ));
        assert!(matches!(refused("{\"a\": \"{{ text }}\"}", "application/json"), TemplateError::Json(_)));
        let close = "{% if purpose == 'close' %}{{ oops }}{% else %}{}{% endif %}";
        assert!(matches!(refused(close, "application/json"), TemplateError::Text(_)));
    }

    proptest! {
        #[test]
        fn whatever_a_text_holds_is_read_back_as_it_was(text in "\\PC{0,60}|[\"\\\\\n{}%<>&]{0,20}") {
            let template = Template::parse(JSON, "application/json").unwrap();
            let written = template.write(&fields(&text, "notice")).unwrap();
            let read: Value = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(&read["content"], &Value::from(text));
        }
    }
}
