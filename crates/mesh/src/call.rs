//! What a handler knows of the call it answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::attachments::Presented;
use crate::authorize::{self, Resource, Scope};
use crate::error::Error;
use crate::principal::Principal;
use crate::token::Verifier;

/// Binary metadata under which a service names the ground of a call from its own job.
pub const GROUND_METADATA: &str = "x-xietong-ground-bin";

/// Who calls, what for, and until when. The layer puts one into every request.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who calls.
    pub principal: Arc<Principal>,
    /// The action that the RPC declares.
    pub action: &'static str,
    /// The token that proves the principal; forwarded to other services.
    pub token: Arc<str>,
    /// Trace context of this call, for events that it causes.
    pub traceparent: Option<String>,
    /// On what ground a service calls from its own job: an aggregate, a document, a rule.
    pub ground: Option<String>,
    /// When the caller stops waiting.
    pub deadline: Option<Instant>,
    /// Verifies what the caller presents, see [`crate::attachments`].
    pub(crate) verifier: Option<Verifier>,
    /// Receipts of the files that the request puts into a record, not verified yet.
    pub(crate) presented: Vec<Presented>,
}

impl Call {
    /// A call without ground, trace and deadline.
    pub fn new(principal: Arc<Principal>, action: &'static str, token: impl Into<Arc<str>>) -> Self {
        Self {
            principal,
            action,
            token: token.into(),
            traceparent: None,
            ground: None,
            deadline: None,
            verifier: None,
            presented: Vec::new(),
        }
    }

    /// The call that a request belongs to.
    ///
    /// # Errors
    /// INTERNAL when the service is not behind the mesh's layer.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<&Self, Error> {
        request.extensions().get::<Self>().ok_or_else(|| Error::internal(NotBehindTheLayer))
    }

    /// The records on which the caller may perform the action.
    ///
    /// # Errors
    /// PERMISSION_DENIED when there are none.
    pub fn scope(&self) -> Result<Scope, Error> {
        authorize::scope(&self.principal, self.action)
    }

    /// Whether the caller may perform the action on the record. Where the action reaches
    /// portfolios, resolve the [`scope`](Self::scope) and ask it instead.
    ///
    /// # Errors
    /// PERMISSION_DENIED.
    pub fn authorize(&self, resource: &Resource) -> Result<(), Error> {
        authorize::authorize(&self.principal, self.action, resource)
    }

    /// How long the caller still waits, at most `limit`.
    pub fn remaining(&self, limit: Duration) -> Duration {
        match self.deadline {
            Some(deadline) => deadline.saturating_duration_since(Instant::now()).min(limit),
            None => limit,
        }
    }
}

/// A handler was called without the layer that authenticates: a fault of the set-up.
#[derive(Debug, thiserror::Error)]
#[error("a handler was called without the layer that authenticates")]
struct NotBehindTheLayer;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::service_name::ServiceName;

    #[test]
    fn a_request_that_passed_no_layer_is_a_fault() {
        let error = Call::of(&tonic::Request::new(())).unwrap_err();
        assert_eq!(error.code(), Code::Internal);
    }

    #[test]
    fn the_callers_deadline_shortens_what_is_asked_of_others() {
        let principal = Arc::new(Principal::system(ServiceName::Roster));
        let mut call = Call::new(principal, "events.read", "token");
        let limit = Duration::from_secs(5);
        assert_eq!(call.remaining(limit), limit);
        call.deadline = Some(Instant::now());
        assert_eq!(call.remaining(limit), Duration::ZERO);
    }
}
