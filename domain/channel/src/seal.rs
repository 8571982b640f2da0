//! [`Seal`]: signs a request to a messaging system of the government, which has no standard for it:
//! an HMAC over the time and the body, in hexadecimal.

use std::fmt;
use std::fmt::Write as _;

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use sm3::Sm3;

/// Shorter keys than this are guessed (GB/T 15852.2 and RFC 2104 want the length of the hash).
const SHORTEST: usize = 16;

/// What a code is made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealAlgorithm {
    /// HMAC-SHA256.
    Sha256,
    /// HMAC-SM3 (GB/T 32905-2016).
    Sm3,
}

/// A key with what it signs by. Debugged without the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Seal {
    algorithm: SealAlgorithm,
    key: Vec<u8>,
}

/// The key is too short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key has at least 16 bytes")]
pub struct SealError;

impl Seal {
    /// With a key.
    ///
    /// # Errors
    /// When it is too short to keep anybody from guessing it.
    pub fn new(algorithm: SealAlgorithm, key: impl Into<Vec<u8>>) -> Result<Self, SealError> {
        let key = key.into();
        if key.len() < SHORTEST { Err(SealError) } else { Ok(Seal { algorithm, key }) }
    }

    /// The code of `timestamp.body`, in lower case hexadecimal. The time is what its header says, and
    /// keeps an old request from being sent again.
    pub fn sign(&self, timestamp: &str, body: &[u8]) -> String {
        match self.algorithm {
            SealAlgorithm::Sha256 => code::<Hmac<Sha256>>(&self.key, timestamp, body),
            SealAlgorithm::Sm3 => code::<Hmac<Sm3>>(&self.key, timestamp, body),
        }
    }
}

fn code<Code: Mac + KeyInit>(key: &[u8], timestamp: &str, body: &[u8]) -> String {
    let mut code = <Code as Mac>::new_from_slice(key).expect("HMAC takes keys of every length");
    for part in [timestamp.as_bytes(), b".", body] {
        code.update(part);
    }
    code.finalize().into_bytes().iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seal({:?}, …)", self.algorithm)
    }
}

#[cfg(test)]
mod tests {
    use super::{Seal, SealAlgorithm, SealError};

    /// As `printf '1700000000.{}' | openssl dgst -sha256 -hmac 0123456789abcdef` and `-sm3` have it.
    #[test]
    fn codes_are_those_of_another_program() {
        let of = |algorithm| Seal::new(algorithm, *b"0123456789abcdef").unwrap().sign("1700000000", b"{}");
        assert_eq!(
            of(SealAlgorithm::Sha256),
            "e4f8e2ecae2295b2ddb2f0b5584c8275e226c0ebe9b3b819e70156bb67122e3e"
        );
        assert_eq!(
            of(SealAlgorithm::Sm3),
            "56780b7e0cda3469f1a3dd798a523359d914af06c574d8ea8a36dd9c995ca98e"
        );
    }

    #[test]
    fn a_short_key_is_refused_and_a_key_is_not_shown() {
        assert_eq!(Seal::new(SealAlgorithm::Sm3, *b"0123456789abcde"), Err(SealError));
        let seal = Seal::new(SealAlgorithm::Sm3, *b"0123456789abcdef").unwrap();
        assert_eq!(format!("{seal:?}"), "Seal(Sm3, …)");
    }
}
