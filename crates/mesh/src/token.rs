//! Signed principals: compact JWTs (EdDSA) that live at most a minute.
//!
//! Two kinds of issuers exist. The gateway speaks for accounts, never for a service; a
//! service speaks for itself alone. Who verifies knows the public keys of each issuer.

mod attachment;
mod keys;
mod sign;
mod verify;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::principal::{Grant, Principal, Role, SYSTEM_PREFIX};
use crate::service_name::{ServiceName, UnknownService};

pub(crate) use attachment::claimed;
pub use attachment::{AttachmentRefusal, GRANT_LIFETIME, Purpose, RECEIPT_LIFETIME};
pub use keys::{KeyError, KeyPair, SigningKey, VerifyingKey, generate_keypair};
pub use sign::{SignError, Signer};
pub use verify::{TokenRefusal, Verifier};

/// How long a signed principal is valid, at most.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(60);

/// Whom every token is meant for.
const AUDIENCE: &str = "xietong-mesh";

/// Who vouches for a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Issuer {
    /// The gateway, for the accounts it has authenticated.
    Gateway,
    /// A service, for its own jobs.
    System(ServiceName),
}

impl Issuer {
    /// As the `iss` claim and the configuration name it: `gateway` or `system/<service>`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::System(service) => service.system_subject(),
        }
    }

    /// Whether it may vouch for this principal.
    pub fn may_sign(self, principal: &Principal) -> bool {
        match self {
            Self::Gateway => {
                !principal.subject.starts_with(SYSTEM_PREFIX)
                    && principal.service.is_none()
                    && !principal.has_role(Role::System)
            }
            Self::System(service) => *principal == Principal::system(service),
        }
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Issuer {
    type Err = UnknownService;

    fn from_str(text: &str) -> Result<Self, UnknownService> {
        match text.strip_prefix(SYSTEM_PREFIX) {
            Some(service) => Ok(Self::System(service.parse()?)),
            None if text == Self::Gateway.as_str() => Ok(Self::Gateway),
            None => Err(UnknownService(text.to_owned())),
        }
    }
}

/// What a token says. Every claim but the last three is required.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    /// Seconds since the epoch.
    iat: i64,
    /// Seconds since the epoch.
    exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    official: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    grants: Vec<Grant>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service: Option<ServiceName>,
}
