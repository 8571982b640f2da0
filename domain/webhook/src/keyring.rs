//! [`Keyring`]: the secrets of one endpoint, while one takes the place of another.

use std::time::Duration;

use crate::moment::Moment;
use crate::secret::Secret;
use crate::signature::{Algorithm, MessageId, SignedHeaders, signatures};

/// As many secrets sign at once at most: each lengthens the header of every request.
const MOST: usize = 5;

/// What the requests to one endpoint are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyring {
    /// The secret that its owner should use by now.
    pub current: Secret,
    /// Earlier ones that still sign, the newest first.
    pub retiring: Vec<Retiring>,
}

/// A secret that another one has replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retiring {
    /// It signs beside the current one …
    pub secret: Secret,
    /// … until then.
    pub until: Moment,
}

/// Why a secret is not replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// Too many earlier ones still sign.
    #[error("at most 5 secrets sign at once; wait until an earlier one has expired")]
    TooMany,
    /// It is one that signs already.
    #[error("the new secret is in use already")]
    SameAgain,
}

impl KeyringError {
    /// The reason as an official reads it.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::TooMany => "同时有效的签名密钥最多5个，请待旧密钥失效后再更换",
            Self::SameAgain => "新密钥已在使用，请另行生成",
        }
    }
}

impl Keyring {
    /// With one secret.
    pub fn new(current: Secret) -> Self {
        Keyring { current, retiring: Vec::new() }
    }

    /// Replaces the current secret; it goes on signing for `overlap`, which is the time that the
    /// receiver has to change over. With an overlap of zero it signs no more: for a secret that
    /// others know.
    ///
    /// # Errors
    /// When too many sign already, or the new one is among them.
    pub fn rotate(self, new: Secret, now: Moment, overlap: Duration) -> Result<Self, KeyringError> {
        let Keyring { current, retiring } = self;
        if new == current {
            return Err(KeyringError::SameAgain);
        }
        let replaced = Retiring { secret: current, until: now.plus(overlap) };
        let retiring: Vec<Retiring> =
            std::iter::once(replaced).chain(retiring).filter(|secret| now < secret.until).collect();
        if retiring.iter().any(|retiring| retiring.secret == new) {
            return Err(KeyringError::SameAgain);
        }
        if retiring.len() >= MOST {
            return Err(KeyringError::TooMany);
        }
        Ok(Keyring { current: new, retiring })
    }

    /// Signs one attempt, made at `now`, with every secret in force.
    pub fn sign(&self, id: &MessageId, now: Moment, body: &[u8], with_sm3: bool) -> SignedHeaders {
        let timestamp = now.as_seconds().to_string();
        let by = |algorithm| signatures(algorithm, self.in_force(now), id, &timestamp, body);
        SignedHeaders {
            id: id.as_str().to_owned(),
            signature: by(Algorithm::Sha256),
            sm3_signature: with_sm3.then(|| by(Algorithm::Sm3)),
            timestamp,
        }
    }

    fn in_force(&self, now: Moment) -> impl Iterator<Item = &Secret> {
        let retiring = self.retiring.iter().filter(move |secret| now < secret.until);
        std::iter::once(&self.current).chain(retiring.map(|retiring| &retiring.secret))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Keyring, KeyringError};
    use crate::moment::Moment;
    use crate::secret::Secret;
    use crate::signature::{Algorithm, MessageId, Received, VerificationError, verify};

    const HOUR: Duration = Duration::from_secs(3_600);
    const NOW: Moment = Moment::from_seconds(1_700_000_000);

    fn secret(byte: u8) -> Secret {
        Secret::from_bytes(vec![byte; 32]).unwrap()
    }

    fn verified(keyring: &Keyring, secret: &Secret, at: Moment) -> Result<(), VerificationError> {
        let headers = keyring.sign(&MessageId::parse("one").unwrap(), at, b"{}", true);
        for (algorithm, signature) in [
            (Algorithm::Sha256, headers.signature.as_str()),
            (Algorithm::Sm3, headers.sm3_signature.as_deref().unwrap()),
        ] {
            let received =
                Received { id: &headers.id, timestamp: &headers.timestamp, signature, body: b"{}" };
            verify(algorithm, secret, received, at, HOUR)?;
        }
        Ok(())
    }

    #[test]
    fn both_secrets_sign_while_one_replaces_the_other_and_then_only_the_new_one() {
        let keyring = Keyring::new(secret(1)).rotate(secret(2), NOW, HOUR).unwrap();
        let last = Moment::from_micros(NOW.plus(HOUR).as_micros() - 1);
        for at in [NOW, last] {
            assert_eq!(verified(&keyring, &secret(1), at), Ok(()));
            assert_eq!(verified(&keyring, &secret(2), at), Ok(()));
        }
        let after = NOW.plus(HOUR);
        assert_eq!(verified(&keyring, &secret(1), after), Err(VerificationError::NoMatch));
        assert_eq!(verified(&keyring, &secret(2), after), Ok(()));
    }

    #[test]
    fn a_secret_that_others_know_signs_no_more_at_once() {
        let keyring = Keyring::new(secret(1)).rotate(secret(2), NOW, Duration::ZERO).unwrap();
        assert!(keyring.retiring.is_empty());
        assert_eq!(verified(&keyring, &secret(1), NOW), Err(VerificationError::NoMatch));
    }

    #[test]
    fn no_more_than_five_secrets_sign_and_none_twice() {
        let mut keyring = Keyring::new(secret(1));
        for byte in 2..=5 {
            keyring = keyring.rotate(secret(byte), NOW, HOUR).unwrap();
        }
        assert_eq!(keyring.clone().rotate(secret(3), NOW, HOUR), Err(KeyringError::SameAgain));
        assert_eq!(keyring.clone().rotate(secret(5), NOW, HOUR), Err(KeyringError::SameAgain));
        assert_eq!(keyring.clone().rotate(secret(5), NOW, Duration::ZERO), Err(KeyringError::SameAgain));
        assert_eq!(keyring.clone().rotate(secret(6), NOW, HOUR), Err(KeyringError::TooMany));
        assert!(keyring.rotate(secret(6), NOW.plus(HOUR), HOUR).is_ok());
    }
}
