//! Signing principals.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, Header};
use xietong_timers::MachineClock;

use super::{AUDIENCE, Claims, Issuer, SigningKey, TOKEN_LIFETIME};
use crate::principal::Principal;

/// A principal could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The issuer may not vouch for this principal.
    #[error("{issuer} may not sign for {subject}")]
    NotEntitled {
        /// The issuer.
        issuer: Issuer,
        /// The principal's subject.
        subject: String,
    },
    /// The library refused.
    #[error("the principal could not be signed")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

/// Signs principals in the name of one issuer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Signer {
    pub(super) issuer: Issuer,
    pub(super) key: Arc<SigningKey>,
    pub(super) clock: MachineClock,
}

impl Signer {
    /// A signer for this issuer.
    pub fn new(issuer: Issuer, key: SigningKey, clock: MachineClock) -> Self {
        Self { issuer, key: Arc::new(key), clock }
    }

    /// In whose name it signs.
    pub fn issuer(&self) -> Issuer {
        self.issuer
    }

    /// A token for the principal, valid for [`TOKEN_LIFETIME`] from now.
    ///
    /// # Errors
    /// When the issuer may not vouch for this principal.
    pub fn sign(&self, principal: &Principal) -> Result<String, SignError> {
        if !self.issuer.may_sign(principal) {
            return Err(SignError::NotEntitled { issuer: self.issuer, subject: principal.subject.clone() });
        }
        let now = self.clock.now();
        let claims = Claims {
            iss: self.issuer.as_str().to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: principal.subject.clone(),
            iat: now.as_seconds(),
            exp: now.plus(TOKEN_LIFETIME).as_seconds(),
            official: principal.official.clone(),
            grants: principal.grants.clone(),
            service: principal.service,
        };
        Ok(jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, self.key.as_encoding_key())?)
    }
}
