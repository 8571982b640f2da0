//! [`CompiledTemplate`]: a text that was read once and words many notices.

use minijinja::value::{Serde, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, filters, tests};

use super::data::NoticeData;
use super::error::{Fault, Part, TemplateError};
use super::kind::{TemplateKind, TemplateText};
use super::sample::Sample;

/// What wording a title or a body may cost: about so many steps of the engine, and 64 times as many
/// bytes. A document of 500 items in the built-in words costs a tenth of it.
pub const FUEL: u64 = 200_000;

/// Characters of the source of a title, at most.
pub const LONGEST_TITLE_SOURCE: usize = 500;

/// Characters of the source of a body, at most.
pub const LONGEST_BODY_SOURCE: usize = 8_000;

/// Characters of a title in an inbox, at most: a task's title has 200, and something is said of it.
pub const LONGEST_TITLE: usize = 300;

/// Characters of a body in an inbox, at most: 500 items of a document with the longest titles.
pub const LONGEST_BODY: usize = 200_000;

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// One line.
    pub title: String,
    /// It may have several.
    pub body: String,
}

/// A template that can be read. It knows the fields of its kind and nothing else.
#[derive(Debug)]
pub struct CompiledTemplate {
    kind: TemplateKind,
    environment: Environment<'static>,
}

impl CompiledTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// When a part is empty, too long or has control characters, cannot be read, or asks for what
    /// notices of its kind do not have.
    pub fn compile(kind: TemplateKind, text: &TemplateText) -> Result<Self, TemplateError> {
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_formatter(only_text);
        environment.add_filter("join", filters::join);
        environment.add_filter("length", filters::length);
        environment.add_test("none", tests::is_none);
        for (part, source) in [(Part::Title, &text.title), (Part::Body, &text.body)] {
            let failed = |fault| TemplateError { part, sample: None, fault };
            check_source(part, source).map_err(failed)?;
            environment
                .add_template_owned(part.as_str(), source.clone())
                .map_err(|error| failed(fault_of(&error)))?;
            let template =
                environment.get_template(part.as_str()).map_err(|error| failed(fault_of(&error)))?;
            let mut used: Vec<String> = template.undeclared_variables(false).into_iter().collect();
            used.sort_unstable();
            let known = |name: &String| kind.fields().any(|field| field.name == name.as_str());
            if let Some(unknown) = used.into_iter().find(|name| !known(name)) {
                return Err(failed(Fault::UnknownField(unknown)));
            }
        }
        Ok(CompiledTemplate { kind, environment })
    }

    /// Reads a template and tries it with every sample of its kind: it is fit to be sent by. Returns
    /// what each sample reads like.
    ///
    /// # Errors
    /// As [`CompiledTemplate::compile`], and when a sample cannot be worded.
    pub fn check(kind: TemplateKind, text: &TemplateText) -> Result<Vec<(Sample, Words)>, TemplateError> {
        let compiled = CompiledTemplate::compile(kind, text)?;
        let worded = NoticeData::samples(kind).into_iter().map(|(sample, data)| {
            let of_sample = |error| TemplateError { sample: Some(sample), ..error };
            Ok((sample, compiled.words(&data).map_err(of_sample)?))
        });
        worded.collect()
    }

    /// Words a notice.
    ///
    /// # Errors
    /// When it shows what this notice does not have, costs too much, or makes what no inbox takes.
    pub fn words(&self, data: &NoticeData) -> Result<Words, TemplateError> {
        let fields = Value::from(Serde(data));
        let part = |part: Part| {
            let made = self.made(part, &fields).and_then(|made| check_made(part, made));
            made.map_err(|fault| TemplateError { part, sample: None, fault })
        };
        Ok(Words { title: part(Part::Title)?, body: part(Part::Body)? })
    }

    /// What it words.
    pub fn kind(&self) -> TemplateKind {
        self.kind
    }

    fn made(&self, part: Part, fields: &Value) -> Result<String, Fault> {
        let template = self.environment.get_template(part.as_str()).map_err(|error| fault_of(&error))?;
        template.render(fields.clone()).map_err(|error| fault_of(&error))
    }
}

/// Shows texts and whole numbers as they are, whatever escaping is asked for: an inbox is plain text.
fn only_text(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match (value.as_str(), value.kind()) {
        (Some(text), _) => Ok(out.write_str(text)?),
        (None, ValueKind::Number) if value.is_integer() => Ok(write!(out, "{value}")?),
        (None, ValueKind::None | ValueKind::Undefined) => Err(ErrorKind::UndefinedError.into()),
        (None, _) => Err(ErrorKind::NonPrimitive.into()),
    }
}

fn check_source(part: Part, source: &str) -> Result<(), Fault> {
    let longest = match part {
        Part::Title => LONGEST_TITLE_SOURCE,
        Part::Body => LONGEST_BODY_SOURCE,
    };
    check_text(part, source, longest)?;
    if source.chars().any(|one| one.is_control() && one != '\n') {
        return Err(Fault::ControlCharacters);
    }
    Ok(())
}

/// What a title or a body may be, as a source or as made.
fn check_text(part: Part, text: &str, longest: usize) -> Result<(), Fault> {
    if text.trim().is_empty() {
        return Err(Fault::Empty);
    }
    if part == Part::Title && text.contains(['\n', '\r']) {
        return Err(Fault::SeveralLines);
    }
    if text.chars().count() > longest {
        return Err(Fault::TooLong(longest));
    }
    Ok(())
}

/// Control characters of a body are those of what people wrote, which were let in before.
fn check_made(part: Part, made: String) -> Result<String, Fault> {
    let longest = match part {
        Part::Title => LONGEST_TITLE,
        Part::Body => LONGEST_BODY,
    };
    check_text(part, &made, longest)?;
    if part == Part::Title && made.chars().any(char::is_control) {
        return Err(Fault::ControlCharacters);
    }
    Ok(made)
}

fn fault_of(error: &Error) -> Fault {
    let line = error.line().unwrap_or(1);
    let detail = || error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.kind() {
        ErrorKind::OutOfFuel => Fault::TooCostly,
        ErrorKind::SyntaxError | ErrorKind::BadEscape => Fault::Syntax { line, detail: detail() },
        ErrorKind::UndefinedError => Fault::Absent { line },
        ErrorKind::NonPrimitive => Fault::NotText { line },
        _ => Fault::Failed { line, detail: detail() },
    }
}
