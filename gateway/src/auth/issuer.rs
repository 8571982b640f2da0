//! The local issuer: makes bearer tokens where there is no identity provider, for a
//! laptop, a county or a test.

use std::fmt;
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use xietong_timers::MachineTime;

/// Makes tokens that a [`TokenVerifier`](super::TokenVerifier) with the same issuer,
/// audience and key pair accepts.
#[derive(Clone)]
pub struct LocalIssuer {
    issuer: String,
    audience: String,
    key: EncodingKey,
}

/// A token could not be made.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// Not a PKCS#8 PEM of an Ed25519 private key.
    #[error("not an Ed25519 private key in PKCS#8 PEM form")]
    Key,
    /// The library refused to sign.
    #[error("the token could not be signed")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
}

impl LocalIssuer {
    /// An issuer of this name, for this audience.
    ///
    /// # Errors
    /// When the PEM holds no Ed25519 private key.
    pub fn new(issuer: &str, audience: &str, private_key_pem: &str) -> Result<Self, IssueError> {
        let key = EncodingKey::from_ed_pem(private_key_pem.as_bytes()).map_err(|_| IssueError::Key)?;
        Ok(LocalIssuer { issuer: issuer.to_owned(), audience: audience.to_owned(), key })
    }

    /// A token for a subject, valid from `now` for a lifetime.
    ///
    /// # Errors
    /// When the library cannot sign.
    pub fn issue(&self, subject: &str, now: MachineTime, lifetime: Duration) -> Result<String, IssueError> {
        let claims = Claims {
            iss: &self.issuer,
            aud: &self.audience,
            sub: subject,
            iat: now.as_seconds(),
            exp: now.plus(lifetime).as_seconds(),
        };
        Ok(jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &self.key)?)
    }
}

impl fmt::Debug for LocalIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalIssuer").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use xietong_mesh::token::generate_keypair;
    use xietong_timers::MachineTime;

    use super::LocalIssuer;
    use crate::auth::TokenVerifier;

    #[test]
    fn what_it_issues_is_accepted_until_it_expires() {
        let keys = generate_keypair().unwrap();
        let issuer = LocalIssuer::new("local", "xietong", &keys.private_pem).unwrap();
        let verifier = TokenVerifier::new("local", "xietong", &keys.public_pem).unwrap();
        let now = MachineTime::from_micros(1_700_000_000_000_000);
        let token = issuer.issue("admin", now, Duration::from_secs(60)).unwrap();
        assert_eq!(verifier.verify(&token, now).unwrap().subject, "admin");
        assert!(verifier.verify(&token, now.plus(Duration::from_secs(66))).is_err());
    }

    #[test]
    fn its_key_is_not_in_debug_output() {
        let keys = generate_keypair().unwrap();
        let issuer = LocalIssuer::new("local", "xietong", &keys.private_pem).unwrap();
        assert!(!format!("{issuer:?}").contains("key"));
        assert!(LocalIssuer::new("local", "xietong", &keys.public_pem).is_err());
    }
}
