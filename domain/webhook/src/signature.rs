//! Signing and verifying a request by Standard Webhooks 1.0.0
//! (<https://github.com/standard-webhooks/standard-webhooks>), and by SM3 beside it.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use sm3::Sm3;

use crate::moment::Moment;
use crate::secret::{BASE64, Secret};

/// Names the message; the same at every attempt, so that a receiver handles it once.
pub const ID_HEADER: &str = "webhook-id";
/// Seconds since 1970-01-01T00:00:00Z at which this attempt was made.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// Signatures by HMAC-SHA256, separated by spaces: one for each secret in force.
pub const SIGNATURE_HEADER: &str = "webhook-signature";
/// The same signatures by HMAC-SM3 (GB/T 32905-2016). Not of the standard, which lets other
/// headers be; its receivers read [`SIGNATURE_HEADER`] alone.
pub const SM3_SIGNATURE_HEADER: &str = "webhook-signature-sm3";

/// Of a symmetric signature in both headers.
const VERSION: &str = "v1";
const LONGEST_ID: usize = 128;

/// What the signatures of a header are made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA256, the standard's.
    Sha256,
    /// HMAC-SM3.
    Sm3,
}

/// Names a message: letters, digits, `_` and `-`.
///
/// No full stop is in it: it is signed as `id.timestamp.body`, and with one, two different
/// requests could share a signature.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(String);

/// The text names no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message id has 1 to 128 letters, digits, `_` or `-`")]
pub struct MessageIdError;

/// The headers that make a request a signed one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHeaders {
    /// For [`ID_HEADER`].
    pub id: String,
    /// For [`TIMESTAMP_HEADER`].
    pub timestamp: String,
    /// For [`SIGNATURE_HEADER`].
    pub signature: String,
    /// For [`SM3_SIGNATURE_HEADER`], where the receiver asked for it.
    pub sm3_signature: Option<String>,
}

/// What a receiver got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received<'a> {
    /// Of [`ID_HEADER`].
    pub id: &'a str,
    /// Of [`TIMESTAMP_HEADER`].
    pub timestamp: &'a str,
    /// Of [`SIGNATURE_HEADER`] or [`SM3_SIGNATURE_HEADER`].
    pub signature: &'a str,
    /// The bytes as they came.
    pub body: &'a [u8],
}

/// Why a request is not to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerificationError {
    /// The time is not a whole number of seconds.
    #[error("the timestamp is not a number of seconds")]
    Timestamp,
    /// It was signed too long ago: it may be an old request sent again.
    #[error("the timestamp is too old")]
    TooOld,
    /// It was signed in the future: one of the two clocks is wrong.
    #[error("the timestamp is too far ahead")]
    TooNew,
    /// None of the signatures was made with the secret over what came.
    #[error("no signature matches")]
    NoMatch,
}

impl MessageId {
    /// Reads a name, for example an event's UUID.
    ///
    /// # Errors
    /// When it is empty, too long, or has any other character.
    pub fn parse(text: &str) -> Result<Self, MessageIdError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if text.is_empty() || text.len() > LONGEST_ID || !text.bytes().all(fits) {
            return Err(MessageIdError);
        }
        Ok(MessageId(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One signature for each secret, as the header has them.
pub(crate) fn signatures<'a>(
    algorithm: Algorithm,
    secrets: impl Iterator<Item = &'a Secret>,
    id: &MessageId,
    timestamp: &str,
    body: &[u8],
) -> String {
    let signed = secrets.map(|secret| {
        format!("{VERSION},{}", BASE64.encode(code(algorithm, secret, &id.0, timestamp, body)))
    });
    signed.collect::<Vec<_>>().join(" ")
}

/// Whether a request was signed with a secret, `tolerance` or less before or after `now`.
///
/// # Errors
/// When it was not; signatures of other versions are passed over, as the standard asks.
pub fn verify(
    algorithm: Algorithm,
    secret: &Secret,
    received: Received<'_>,
    now: Moment,
    tolerance: Duration,
) -> Result<(), VerificationError> {
    let seconds: i64 = received.timestamp.parse().map_err(|_| VerificationError::Timestamp)?;
    let signed_at = Moment::from_seconds(seconds);
    if signed_at.plus(tolerance) < now {
        return Err(VerificationError::TooOld);
    }
    if now.plus(tolerance) < signed_at {
        return Err(VerificationError::TooNew);
    }
    let candidates = received.signature.split(' ').filter_map(|signature| {
        let (version, encoded) = signature.split_once(',')?;
        if version == VERSION { BASE64.decode(encoded).ok() } else { None }
    });
    for candidate in candidates {
        if matches(algorithm, secret, received, &candidate) {
            return Ok(());
        }
    }
    Err(VerificationError::NoMatch)
}

fn code(algorithm: Algorithm, secret: &Secret, id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::Sha256 => {
            fed::<Hmac<Sha256>>(secret, id, timestamp, body).finalize().into_bytes().to_vec()
        }
        Algorithm::Sm3 => fed::<Hmac<Sm3>>(secret, id, timestamp, body).finalize().into_bytes().to_vec(),
    }
}

/// Compares in constant time, so that a forger learns nothing from how long it takes.
fn matches(algorithm: Algorithm, secret: &Secret, received: Received<'_>, candidate: &[u8]) -> bool {
    let Received { id, timestamp, body, .. } = received;
    match algorithm {
        Algorithm::Sha256 => fed::<Hmac<Sha256>>(secret, id, timestamp, body).verify_slice(candidate).is_ok(),
        Algorithm::Sm3 => fed::<Hmac<Sm3>>(secret, id, timestamp, body).verify_slice(candidate).is_ok(),
    }
}

fn fed<Code: Mac + KeyInit>(secret: &Secret, id: &str, timestamp: &str, body: &[u8]) -> Code {
    let mut code = <Code as Mac>::new_from_slice(secret.bytes()).expect("HMAC takes keys of every length");
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        code.update(part);
    }
    code
}

#[cfg(test)]
mod tests;
