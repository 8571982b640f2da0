//! The methods of the protos, and the HTTP request that each stands for.

use anyhow::{Context, bail};
use prost_reflect::{DescriptorPool, DynamicMessage, ExtensionDescriptor, MethodDescriptor, Value};

pub(super) struct Methods {
    pool: DescriptorPool,
    http: ExtensionDescriptor,
}

/// What `google.api.http` says of a method.
pub(super) struct Rule {
    pub(super) verb: reqwest::Method,
    pub(super) template: String,
    pub(super) body: String,
}

impl Methods {
    pub(super) fn of_the_protos() -> anyhow::Result<Self> {
        let pool = DescriptorPool::decode(xietong_proto::DESCRIPTORS)?;
        let http = pool.get_extension_by_name("google.api.http").context("no option google.api.http")?;
        Ok(Methods { pool, http })
    }

    /// A method by the simple name of its service and its own: `TaskService/CreateTask`.
    pub(super) fn find(&self, name: &str) -> anyhow::Result<MethodDescriptor> {
        let (service, method) = name.split_once('/').context("a method is written Service/Method")?;
        self.pool
            .services()
            .filter(|found| found.name() == service)
            .flat_map(|found| found.methods().collect::<Vec<_>>())
            .find(|found| found.name() == method)
            .with_context(|| format!("the protos have no {name}"))
    }

    pub(super) fn rule(&self, method: &MethodDescriptor) -> anyhow::Result<Rule> {
        let options = method.options();
        let rule = options.get_extension(&self.http);
        let rule = rule.as_message().with_context(|| format!("{} is not public", method.full_name()))?;
        let (verb, template) = verb(rule)?;
        Ok(Rule { verb, template, body: text(rule, "body") })
    }
}

fn verb(rule: &DynamicMessage) -> anyhow::Result<(reqwest::Method, String)> {
    use reqwest::Method;
    let verbs = [
        ("get", Method::GET),
        ("put", Method::PUT),
        ("post", Method::POST),
        ("delete", Method::DELETE),
        ("patch", Method::PATCH),
    ];
    for (name, verb) in verbs {
        let template = text(rule, name);
        if !template.is_empty() {
            return Ok((verb, template));
        }
    }
    bail!("a rule of google.api.http without a path")
}

fn text(rule: &DynamicMessage, field: &str) -> String {
    match rule.get_field_by_name(field).as_deref() {
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    }
}
