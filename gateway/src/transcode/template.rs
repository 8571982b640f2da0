//! The path templates of `google.api.http`.
//!
//! ```text
//! Template = "/" Segments [ ":" LITERAL ]
//! Segments = Segment { "/" Segment }
//! Segment  = "*" | "**" | LITERAL | Variable
//! Variable = "{" FieldPath [ "=" Segments ] "}"
//! ```
//! `**` matches any number of segments, none included, and comes last.

use std::fmt;
use std::str::FromStr;

/// One segment of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Exactly this text.
    Literal(String),
    /// Any one segment (`*`).
    One,
    /// All that follow (`**`).
    Rest,
}

/// A part of the path that becomes a field of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    /// The field, from the request message inwards.
    pub(crate) field_path: Vec<String>,
    /// The first segment it takes.
    pub(crate) start: usize,
    /// One past the last segment it takes.
    pub(crate) end: usize,
}

/// A parsed path template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    /// The segments, variables opened up.
    pub(crate) segments: Vec<Segment>,
    /// In order of appearance.
    pub(crate) variables: Vec<Variable>,
    /// The custom verb after the last segment, without its colon.
    pub(crate) verb: Option<String>,
}

/// A text is not a path template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It does not begin with `/`.
    #[error("a path template begins with '/'")]
    NoSlash,
    /// A segment is empty or has a character that a template may not contain.
    #[error("'{0}' is not a segment")]
    Segment(String),
    /// A variable is not closed, is nested, or its field path is no field path.
    #[error("'{0}' is not a variable")]
    Variable(String),
    /// Something follows `**`.
    #[error("'**' must come last")]
    AfterRest,
    /// Two variables fill the same field.
    #[error("field '{0}' is bound twice")]
    BoundTwice(String),
    /// The custom verb is empty or has a character that it may not contain.
    #[error("'{0}' is not a custom verb")]
    Verb(String),
}

impl Template {
    /// Whether the variable spans several segments, in which case `%2F` stays encoded.
    pub(crate) fn spans_segments(&self, variable: &Variable) -> bool {
        variable.end - variable.start > 1 || self.segments.get(variable.start) == Some(&Segment::Rest)
    }

    fn push(&mut self, text: &str) -> Result<(), TemplateError> {
        if self.segments.last() == Some(&Segment::Rest) {
            return Err(TemplateError::AfterRest);
        }
        self.segments.push(match text {
            "*" => Segment::One,
            "**" => Segment::Rest,
            literal if is_literal(literal) => Segment::Literal(literal.to_owned()),
            other => return Err(TemplateError::Segment(other.to_owned())),
        });
        Ok(())
    }

    fn push_variable(&mut self, text: &str) -> Result<(), TemplateError> {
        let refused = || TemplateError::Variable(text.to_owned());
        let (path, pattern) = text.split_once('=').unwrap_or((text, "*"));
        let field_path: Vec<String> = path.split('.').map(str::to_owned).collect();
        if !field_path.iter().all(|name| is_identifier(name)) {
            return Err(refused());
        }
        if self.variables.iter().any(|earlier| earlier.field_path == field_path) {
            return Err(TemplateError::BoundTwice(path.to_owned()));
        }
        let start = self.segments.len();
        for segment in pattern.split('/') {
            self.push(segment)?;
        }
        self.variables.push(Variable { field_path, start, end: self.segments.len() });
        Ok(())
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let path = text.strip_prefix('/').ok_or(TemplateError::NoSlash)?;
        // Neither a literal nor a pattern may hold a colon, so a colon opens the verb.
        let (path, verb) = match path.rsplit_once(':') {
            Some((path, verb)) if is_literal(verb) => (path, Some(verb.to_owned())),
            Some((_, verb)) => return Err(TemplateError::Verb(verb.to_owned())),
            None => (path, None),
        };
        let mut template = Template { segments: Vec::new(), variables: Vec::new(), verb };
        let mut rest = path;
        loop {
            rest = match rest.strip_prefix('{') {
                Some(opened) => {
                    let (variable, after) = opened
                        .split_once('}')
                        .filter(|(variable, _)| !variable.contains('{'))
                        .ok_or_else(|| TemplateError::Variable(opened.to_owned()))?;
                    template.push_variable(variable)?;
                    after
                }
                None => {
                    let end = rest.find('/').unwrap_or(rest.len());
                    let (segment, after) = rest.split_at(end);
                    template.push(segment)?;
                    after
                }
            };
            match rest.strip_prefix('/') {
                Some(next) => rest = next,
                None if rest.is_empty() => return Ok(template),
                None => return Err(TemplateError::Segment(rest.to_owned())),
            }
        }
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Segment::Literal(literal) => f.write_str(literal),
            Segment::One => f.write_str("*"),
            Segment::Rest => f.write_str("**"),
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.segments.iter().enumerate() {
            f.write_str("/")?;
            if let Some(variable) = self.variables.iter().find(|variable| variable.start == index) {
                write!(f, "{{{}=", variable.field_path.join("."))?;
            }
            write!(f, "{segment}")?;
            if self.variables.iter().any(|variable| variable.end == index + 1) {
                f.write_str("}")?;
            }
        }
        match &self.verb {
            Some(verb) => write!(f, ":{verb}"),
            None => Ok(()),
        }
    }
}

/// The characters RFC 3986 allows in a segment unescaped, without those that mean
/// something in a template.
fn is_literal(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()+,;@".contains(&byte))
}

fn is_identifier(text: &str) -> bool {
    text.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Segment, Template, TemplateError, Variable};

    fn parse(text: &str) -> Result<Template, TemplateError> {
        text.parse()
    }

    #[test]
    fn a_variable_over_several_segments_is_opened_up() {
        let template = parse("/v1/{name=tasks/*/assignments/*}:sign").unwrap();
        assert_eq!(template.segments.len(), 5);
        assert_eq!(template.segments[1], Segment::Literal("tasks".into()));
        assert_eq!(template.variables, [Variable { field_path: vec!["name".into()], start: 1, end: 5 }]);
        assert_eq!(template.verb.as_deref(), Some("sign"));
        assert!(template.spans_segments(&template.variables[0]));
    }

    #[test]
    fn a_variable_without_a_pattern_takes_one_segment() {
        let template = parse("/v1/calendars/{calendar.year}").unwrap();
        assert_eq!(template.to_string(), "/v1/calendars/{calendar.year=*}");
        assert!(!template.spans_segments(&template.variables[0]));
    }

    #[test]
    fn the_rest_of_a_path_can_be_taken() {
        let template = parse("/v1/{name=files/**}:download").unwrap();
        assert_eq!(template.segments.last(), Some(&Segment::Rest));
        assert!(template.spans_segments(&template.variables[0]));
    }

    #[test]
    fn what_is_no_template_is_refused_for_its_reason() {
        let table: &[(&str, TemplateError)] = &[
            ("v1/units", TemplateError::NoSlash),
            ("/", TemplateError::Segment("".into())),
            ("/v1//units", TemplateError::Segment("".into())),
            ("/v1/units/", TemplateError::Segment("".into())),
            ("/v1/单位", TemplateError::Segment("单位".into())),
            ("/v1/a*", TemplateError::Segment("a*".into())),
            ("/v1/**/units", TemplateError::AfterRest),
            ("/v1/{name=**}/x", TemplateError::AfterRest),
            ("/v1/{name", TemplateError::Variable("name".into())),
            ("/v1/{a={b}}", TemplateError::Variable("a={b}}".into())),
            ("/v1/{}", TemplateError::Variable("".into())),
            ("/v1/{1a}", TemplateError::Variable("1a".into())),
            ("/v1/{a..b}", TemplateError::Variable("a..b".into())),
            ("/v1/{a}/{a}", TemplateError::BoundTwice("a".into())),
            ("/v1/{a}b", TemplateError::Segment("b".into())),
            ("/v1/units:", TemplateError::Verb("".into())),
            ("/v1:x/units", TemplateError::Verb("x/units".into())),
        ];
        for (text, reason) in table {
            assert_eq!(parse(text).as_ref(), Err(reason), "{text}");
        }
    }

    fn segments() -> impl Strategy<Value = String> {
        let segment = prop_oneof![Just("*".to_owned()), "[a-z0-9._~-]{1,6}".prop_map(String::from)];
        proptest::collection::vec(segment, 1..4).prop_map(|segments| segments.join("/"))
    }

    prop_compose! {
        fn templates()(
            head in segments(),
            variables in proptest::collection::vec((segments(), proptest::option::of(segments())), 0..3),
            rest in proptest::option::of(any::<bool>()),
            verb in proptest::option::of("[a-zA-Z]{1,8}"),
        ) -> String {
            let mut text = format!("/{head}");
            for (index, (pattern, after)) in variables.iter().enumerate() {
                text += &format!("/{{field.f{index}={pattern}}}");
                if let Some(after) = after {
                    text += &format!("/{after}");
                }
            }
            match rest {
                Some(true) => text += "/**",
                Some(false) => text += "/{rest=all/**}",
                None => (),
            }
            if let Some(verb) = verb {
                text += &format!(":{verb}");
            }
            text
        }
    }

    proptest! {
        #[test]
        fn a_template_is_written_as_it_was_read(text in templates()) {
            let template = parse(&text).unwrap();
            prop_assert_eq!(template.to_string(), text);
        }

        #[test]
        fn no_text_panics(text in "[/{}=*:.a-z_水 ]*") {
            if let Ok(template) = parse(&text) {
                prop_assert_eq!(parse(&template.to_string()), Ok(template));
            }
        }
    }
}
