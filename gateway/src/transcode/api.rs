//! Every method of the descriptors, by its gRPC path and by its HTTP bindings.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Method as HttpMethod;
use http::uri::PathAndQuery;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor,
};

use super::router::{Conflict, Matched, Router};
use super::rule::{Rule, RuleError, rules_of};

/// The message that carries a piece of a file.
pub(crate) const FILE: &str = "google.api.HttpBody";

/// What the gateway knows of the mesh's API: read once from the descriptor set.
#[derive(Debug)]
pub(crate) struct Api {
    methods: BTreeMap<String, Arc<Method>>,
    router: Router<Binding>,
}

/// A public method.
#[derive(Debug)]
pub(crate) struct Method {
    /// Its descriptor.
    pub(crate) descriptor: MethodDescriptor,
    /// `/package.Service/Method`.
    pub(crate) path: PathAndQuery,
    /// The service part of its package: `roster` of `xietong.roster.v1`.
    pub(crate) owner: String,
    /// The field that makes a repetition harmless, if the method has one.
    pub(crate) request_id: Option<FieldDescriptor>,
    /// The method streams a file: its messages are `google.api.HttpBody`.
    pub(crate) is_file: bool,
    /// How an interrupted stream is resumed, if the method is a stream that can be.
    pub(crate) resume: Option<Resume>,
}

/// How a server stream is resumed.
#[derive(Debug)]
pub(crate) struct Resume {
    /// The request field that takes the number of the last message seen.
    pub(crate) after: FieldDescriptor,
    /// The field of a streamed message that carries the record, unless it is one itself.
    pub(crate) carried: Option<FieldDescriptor>,
    /// The number of the record, or its position.
    pub(crate) number: FieldDescriptor,
}

/// A method and one way to call it.
#[derive(Debug)]
pub(crate) struct Binding {
    /// The method.
    pub(crate) method: Arc<Method>,
    /// The way.
    pub(crate) rule: Rule,
}

/// The descriptors cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The descriptor set does not decode.
    #[error("descriptor set: {0}")]
    Descriptors(#[from] prost_reflect::DescriptorError),
    /// A method's `google.api.http` option is wrong.
    #[error("{method}: {source}")]
    Rule {
        /// Full name of the method.
        method: String,
        /// What is wrong.
        source: RuleError,
    },
    /// Two methods answer the same path.
    #[error("{method}: another method already answers '{template}'")]
    Conflict {
        /// Full name of the later method.
        method: String,
        /// Its template.
        template: String,
    },
    /// A name that cannot stand in a path.
    #[error("{0}: not a path")]
    Name(String),
}

impl Api {
    /// Reads an encoded `FileDescriptorSet` with its extensions.
    pub(crate) fn decode(descriptors: &[u8]) -> Result<Self, ApiError> {
        Self::from_pool(&DescriptorPool::decode(descriptors)?)
    }

    /// Reads every service of a pool. Methods without `google.api.http` are internal and
    /// left out.
    pub(crate) fn from_pool(pool: &DescriptorPool) -> Result<Self, ApiError> {
        let mut api = Api { methods: BTreeMap::new(), router: Router::new() };
        for descriptor in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
            let name = || descriptor.full_name().to_owned();
            let rules =
                rules_of(&descriptor, pool).map_err(|source| ApiError::Rule { method: name(), source })?;
            if rules.is_empty() {
                continue;
            }
            let method = Arc::new(Method::new(descriptor.clone())?);
            api.methods.insert(method.path.as_str().to_owned(), method.clone());
            for rule in rules {
                let (template, verb) = (rule.template.clone(), rule.verb.clone());
                let conflict =
                    |Conflict| ApiError::Conflict { method: name(), template: template.to_string() };
                let binding = Binding { method: method.clone(), rule };
                api.router.insert(template.clone(), verb, binding).map_err(conflict)?;
            }
        }
        Ok(api)
    }

    /// The public method with a gRPC path.
    pub(crate) fn method(&self, path: &str) -> Option<&Arc<Method>> {
        self.methods.get(path)
    }

    /// Every public method.
    pub(crate) fn methods(&self) -> impl Iterator<Item = &Arc<Method>> {
        self.methods.values()
    }

    /// The binding for an HTTP method and raw path. HEAD finds what GET would.
    pub(crate) fn find(&self, method: &HttpMethod, path: &str) -> Matched<'_, Binding> {
        match self.router.find(method, path) {
            Matched::WrongMethod(allowed) if method == HttpMethod::HEAD && allowed.contains("GET") => {
                self.router.find(&HttpMethod::GET, path)
            }
            matched => matched,
        }
    }
}

impl Method {
    fn new(descriptor: MethodDescriptor) -> Result<Self, ApiError> {
        let text = format!("/{}/{}", descriptor.parent_service().full_name(), descriptor.name());
        let path = text.parse().map_err(|_| ApiError::Name(text))?;
        let input = descriptor.input();
        let request_id = singular(&input, "request_id").filter(|field| field.kind() == Kind::String);
        let resume = Resume::of(&descriptor);
        let is_file = descriptor.is_server_streaming() && descriptor.output().full_name() == FILE;
        let owner = descriptor.parent_file().package_name().split('.').nth(1).unwrap_or_default().to_owned();
        Ok(Method { descriptor, path, owner, request_id, is_file, resume })
    }
}

impl Resume {
    /// A server stream can be resumed when its request has `int64 resume_after` and its
    /// messages have an `int64 number` or `int64 position`, themselves or in the one message they
    /// carry.
    fn of(method: &MethodDescriptor) -> Option<Self> {
        if !method.is_server_streaming() {
            return None;
        }
        let int64 = |field: &FieldDescriptor| field.kind() == Kind::Int64;
        let after = singular(&method.input(), "resume_after").filter(int64)?;
        let output = method.output();
        let number = |message: &MessageDescriptor| {
            let one = |name| singular(message, name).filter(int64);
            one("number").or_else(|| one("position"))
        };
        if let Some(number) = number(&output) {
            return Some(Resume { after, carried: None, number });
        }
        output.fields().filter(|field| !field.is_list()).find_map(|carried| {
            let record = carried.kind().as_message().cloned()?;
            let number = number(&record)?;
            Some(Resume { after: after.clone(), carried: Some(carried), number })
        })
    }

    /// The number of a streamed message; none when it has none.
    pub(crate) fn number_of(&self, message: &DynamicMessage) -> Option<i64> {
        let number = match &self.carried {
            None => message.get_field(&self.number).as_i64(),
            Some(carried) => message.get_field(carried).as_message()?.get_field(&self.number).as_i64(),
        };
        number.filter(|number| *number > 0)
    }
}

fn singular(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message.get_field_by_name(name).filter(|field| !field.is_list() && !field.is_map())
}
