//! Ed25519 keys as PEM files hold them.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

/// Length of an Ed25519 public key and of a private key's seed, in bytes.
const KEY_LENGTH: usize = 32;

/// RFC 8410: what stands before the seed in a PKCS#8 version 1 private key.
const PRIVATE_KEY_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// RFC 8410: what stands before the key in a SubjectPublicKeyInfo.
const PUBLIC_KEY_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A key cannot be made or read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
    /// Not a PKCS#8 PEM of an Ed25519 private key.
    #[error("not an Ed25519 private key in PKCS#8 PEM form")]
    NotPrivate,
    /// Not a PEM of Ed25519 public keys.
    #[error("not an Ed25519 public key in PEM form")]
    NotPublic,
}

/// A fresh pair of keys as PEM.
#[derive(Clone)]
pub struct KeyPair {
    /// PKCS#8, to be kept secret.
    pub private_pem: String,
    /// SubjectPublicKeyInfo, to be given to everyone who verifies.
    pub public_pem: String,
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("KeyPair").field("public_pem", &self.public_pem).finish_non_exhaustive()
    }
}

/// Makes a pair of Ed25519 keys.
///
/// # Errors
/// When the operating system gives no random bytes.
pub fn generate_keypair() -> Result<KeyPair, KeyError> {
    let mut seed = [0_u8; KEY_LENGTH];
    SystemRandom::new().fill(&mut seed).map_err(|_| KeyError::NoRandomness)?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| KeyError::NoRandomness)?;
    Ok(KeyPair {
        private_pem: pem("PRIVATE KEY", &PRIVATE_KEY_PREFIX, &seed),
        public_pem: pem("PUBLIC KEY", &PUBLIC_KEY_PREFIX, pair.public_key().as_ref()),
    })
}

fn pem(label: &str, prefix: &[u8], key: &[u8]) -> String {
    let encoded = STANDARD.encode([prefix, key].concat());
    let mut lines = format!("-----BEGIN {label}-----\n");
    for (index, letter) in encoded.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            lines.push('\n');
        }
        lines.push(letter);
    }
    lines.push_str(&format!("\n-----END {label}-----\n"));
    lines
}

/// A private key that signs. Its debug form does not show it.
#[derive(Clone)]
pub struct SigningKey(EncodingKey);

impl SigningKey {
    /// Reads a PKCS#8 PEM.
    ///
    /// # Errors
    /// When it holds no Ed25519 private key.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let key = EncodingKey::from_ed_pem(pem.as_bytes()).map_err(|_| KeyError::NotPrivate)?;
        // A key that cannot sign is found at start-up, not at the first call.
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &(), &key).map_err(|_| KeyError::NotPrivate)?;
        Ok(Self(key))
    }

    pub(super) fn as_encoding_key(&self) -> &EncodingKey {
        &self.0
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey([redacted])")
    }
}

/// A public key that verifies.
#[derive(Clone)]
pub struct VerifyingKey(DecodingKey);

impl VerifyingKey {
    /// Reads every public key of a PEM file; while a key is being replaced the file holds
    /// the old and the new one.
    ///
    /// # Errors
    /// When there is none, or one is no Ed25519 public key.
    pub fn all_from_pem(pem: &str) -> Result<Vec<Self>, KeyError> {
        const END: &str = "-----END PUBLIC KEY-----";
        let mut keys = Vec::new();
        for block in pem.split_inclusive(END).filter(|block| !block.trim().is_empty()) {
            let key = DecodingKey::from_ed_pem(block.trim().as_bytes()).map_err(|_| KeyError::NotPublic)?;
            let bytes = key.try_get_as_bytes().map_err(|_| KeyError::NotPublic)?;
            if bytes.len() != KEY_LENGTH {
                return Err(KeyError::NotPublic);
            }
            keys.push(Self(key));
        }
        if keys.is_empty() { Err(KeyError::NotPublic) } else { Ok(keys) }
    }

    pub(super) fn as_decoding_key(&self) -> &DecodingKey {
        &self.0
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("VerifyingKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_keys_are_read_back() {
        let pair = generate_keypair().unwrap();
        assert!(SigningKey::from_pem(&pair.private_pem).is_ok());
        assert_eq!(VerifyingKey::all_from_pem(&pair.public_pem).unwrap().len(), 1);
    }

    #[test]
    fn a_file_may_hold_the_old_and_the_new_key() {
        let (old, new) = (generate_keypair().unwrap(), generate_keypair().unwrap());
        let file = format!("{}\n{}", old.public_pem, new.public_pem);
        assert_eq!(VerifyingKey::all_from_pem(&file).unwrap().len(), 2);
    }

    #[test]
    fn anything_else_is_refused() {
        let pair = generate_keypair().unwrap();
        assert_eq!(SigningKey::from_pem(&pair.public_pem).unwrap_err(), KeyError::NotPrivate);
        assert_eq!(SigningKey::from_pem("").unwrap_err(), KeyError::NotPrivate);
        for text in ["", " ", "x", &pair.private_pem, &pem("PUBLIC KEY", &PUBLIC_KEY_PREFIX, &[1, 2])] {
            assert_eq!(VerifyingKey::all_from_pem(text).unwrap_err(), KeyError::NotPublic);
        }
    }

    #[test]
    fn secrets_are_not_in_debug_output() {
        let pair = generate_keypair().unwrap();
        assert!(!format!("{pair:?}").contains("PRIVATE"));
    }
}
