//! [`Secret`]: what a webhook is signed with.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const PREFIX: &str = "whsec_";
const SHORTEST: usize = 24;
const LONGEST: usize = 64;

/// Standard base64. Written with padding; read with or without, as receivers' libraries do.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The key shared with one receiver: 24 to 64 random bytes, as Standard Webhooks 1.0.0 asks.
///
/// It is never shown by `Debug`; [`Secret::reveal`] is for its owner and for storing it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// Why a text or some bytes are no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The text does not begin as a secret does.
    #[error("a signing secret begins with `whsec_`")]
    Prefix,
    /// What follows is not base64.
    #[error("a signing secret is base64 after `whsec_`")]
    Base64,
    /// It is too short to be safe or longer than the standard has it.
    #[error("a signing secret has 24 to 64 bytes, this one has {bytes}")]
    Length {
        /// As many it has.
        bytes: usize,
    },
}

impl Secret {
    /// From random bytes.
    ///
    /// # Errors
    /// When they are fewer than 24 or more than 64.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, SecretError> {
        if !(SHORTEST..=LONGEST).contains(&bytes.len()) {
            return Err(SecretError::Length { bytes: bytes.len() });
        }
        Ok(Secret(bytes))
    }

    /// Reads `whsec_` and base64.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SecretError::Prefix)?;
        Self::from_bytes(BASE64.decode(encoded).map_err(|_| SecretError::Base64)?)
    }

    /// The text that its owner gives to the receiving system.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", BASE64.encode(&self.0))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl SecretError {
    /// The reason as an official reads it.
    pub fn chinese(self) -> String {
        match self {
            Self::Prefix => "签名密钥应以whsec_开头".to_owned(),
            Self::Base64 => "签名密钥whsec_之后应为Base64编码".to_owned(),
            Self::Length { bytes } => format!("签名密钥应为24至64字节，现为{bytes}字节"),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::{Secret, SecretError};

    #[test]
    fn a_secret_reads_as_it_was_written_with_or_without_padding() {
        for bytes in 24..=64 {
            let secret = Secret::from_bytes(vec![7; bytes]).unwrap();
            assert_eq!(Secret::parse(&secret.reveal()), Ok(secret.clone()));
            assert_eq!(Secret::parse(secret.reveal().trim_end_matches('=')), Ok(secret));
        }
    }

    #[test]
    fn what_is_no_secret_is_refused_with_its_reason() {
        assert_eq!(Secret::parse("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), Err(SecretError::Prefix));
        assert_eq!(Secret::parse("whsec_密钥"), Err(SecretError::Base64));
        assert_eq!(Secret::parse("whsec_"), Err(SecretError::Length { bytes: 0 }));
        assert_eq!(Secret::from_bytes(vec![0; 23]), Err(SecretError::Length { bytes: 23 }));
        assert_eq!(Secret::from_bytes(vec![0; 65]), Err(SecretError::Length { bytes: 65 }));
    }

    #[test]
    fn a_secret_is_not_shown_in_logs() {
        assert_eq!(format!("{:?}", Secret::from_bytes(vec![65; 32]).unwrap()), "Secret(…)");
    }
}
