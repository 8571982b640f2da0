//! Reads the `google.api.http` option of a method and checks it against the messages.

use http::Method;
use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use xietong_proto::google::api::HttpRule;
use xietong_proto::google::api::http_rule::Pattern;

use super::router::Verb;
use super::template::{Template, TemplateError};

/// Where the body of a request goes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    /// There is none.
    None,
    /// It is the whole request message (`body: "*"`).
    Whole,
    /// It is this field.
    Field(FieldDescriptor),
}

/// One way to call a method over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// The HTTP method.
    pub(crate) verb: Verb,
    /// The path.
    pub(crate) template: Template,
    /// For each variable of the template: the fields from the request message inwards.
    pub(crate) variables: Vec<Vec<FieldDescriptor>>,
    /// Where the body goes.
    pub(crate) body: Body,
    /// The field that is the answer's body; none: all of the answer.
    pub(crate) response_body: Option<FieldDescriptor>,
}

/// A `google.api.http` option that cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// The option does not decode.
    #[error("the option does not decode: {0}")]
    Option(#[from] prost::DecodeError),
    /// The option has no pattern.
    #[error("no pattern")]
    NoPattern,
    /// An additional binding has additional bindings of its own.
    #[error("additional bindings cannot be nested")]
    Nested,
    /// The kind of a custom pattern is no HTTP method.
    #[error("'{0}' is not an HTTP method")]
    Method(String),
    /// The path template is wrong.
    #[error("path '{path}': {source}")]
    Template {
        /// The template.
        path: String,
        /// What is wrong with it.
        source: TemplateError,
    },
    /// A variable of the path is no field, or one that a path cannot fill.
    #[error("variable '{0}' is not a singular scalar field")]
    Variable(String),
    /// `body` or `response_body` names no field.
    #[error("body '{0}' is not a field")]
    Body(String),
}

/// Every rule of a method, its additional bindings included; none for an internal one.
pub(crate) fn rules_of(method: &MethodDescriptor, pool: &DescriptorPool) -> Result<Vec<Rule>, RuleError> {
    let Some(extension) = pool.get_extension_by_name("google.api.http") else { return Ok(Vec::new()) };
    let options = method.options();
    if !options.has_extension(&extension) {
        return Ok(Vec::new());
    }
    let value = options.get_extension(&extension);
    let Some(option) = value.as_message() else { return Ok(Vec::new()) };
    let main: HttpRule = option.transcode_to()?;
    let mut rules = vec![read(method, &main)?];
    for additional in &main.additional_bindings {
        if !additional.additional_bindings.is_empty() {
            return Err(RuleError::Nested);
        }
        rules.push(read(method, additional)?);
    }
    Ok(rules)
}

fn read(method: &MethodDescriptor, rule: &HttpRule) -> Result<Rule, RuleError> {
    let (verb, path) = match rule.pattern.as_ref().ok_or(RuleError::NoPattern)? {
        Pattern::Get(path) => (Verb::Only(Method::GET), path),
        Pattern::Put(path) => (Verb::Only(Method::PUT), path),
        Pattern::Post(path) => (Verb::Only(Method::POST), path),
        Pattern::Delete(path) => (Verb::Only(Method::DELETE), path),
        Pattern::Patch(path) => (Verb::Only(Method::PATCH), path),
        Pattern::Custom(custom) if custom.kind == "*" => (Verb::Any, &custom.path),
        Pattern::Custom(custom) => {
            let method = Method::from_bytes(custom.kind.as_bytes())
                .map_err(|_| RuleError::Method(custom.kind.clone()))?;
            (Verb::Only(method), &custom.path)
        }
    };
    let template: Template =
        path.parse().map_err(|source| RuleError::Template { path: path.clone(), source })?;
    let input = method.input();
    let variables = template
        .variables
        .iter()
        .map(|variable| {
            resolve(&input, &variable.field_path)
                .ok_or_else(|| RuleError::Variable(variable.field_path.join(".")))
        })
        .collect::<Result<_, _>>()?;
    let body = match rule.body.as_str() {
        "" => Body::None,
        "*" => Body::Whole,
        name => Body::Field(field(&input, name)?),
    };
    let response_body = match rule.response_body.as_str() {
        "" => None,
        name => Some(field(&method.output(), name)?),
    };
    Ok(Rule { verb, template, variables, body, response_body })
}

fn field(message: &MessageDescriptor, name: &str) -> Result<FieldDescriptor, RuleError> {
    message.get_field_by_name(name).ok_or_else(|| RuleError::Body(name.to_owned()))
}

/// The fields along a path; none unless it ends in a singular scalar.
fn resolve(message: &MessageDescriptor, path: &[String]) -> Option<Vec<FieldDescriptor>> {
    let (first, deeper) = path.split_first()?;
    let field = message.get_field_by_name(first)?;
    if field.is_list() || field.is_map() {
        return None;
    }
    match (field.kind(), deeper) {
        (Kind::Message(_), []) => None,
        (_, []) => Some(vec![field]),
        (Kind::Message(inner), deeper) => {
            let mut fields = vec![field];
            fields.extend(resolve(&inner, deeper)?);
            Some(fields)
        }
        (_, _) => None,
    }
}
