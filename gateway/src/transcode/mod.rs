//! REST to gRPC and back, straight from the `google.api.http` options of the protos.
//!
//! Nothing here does input or output, knows who calls or which service answers: a
//! request's parts go in, a message or the one field that is wrong comes out.

pub(crate) mod api;
mod body;
mod field;
mod mask;
pub(crate) mod percent;
mod query;
pub(crate) mod request;
pub(crate) mod response;
mod router;
mod rule;
mod template;
mod violation;

pub use api::ApiError;
#[cfg(test)]
pub(crate) use api::FILE;
pub(crate) use api::{Api, Method};
pub(crate) use router::Matched;
pub use rule::RuleError;
pub use template::TemplateError;
pub(crate) use violation::Violation;

#[cfg(test)]
mod conformance;
