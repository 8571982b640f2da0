//! Bearer tokens: compact JWTs signed by EdDSA by one issuer whose public key is known.

use std::fmt;
use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use xietong_mesh::Error;
use xietong_timers::MachineTime;

/// How far the issuer's clock may differ from ours.
const LEEWAY: Duration = Duration::from_secs(5);

/// Longer tokens are refused unread, in bytes.
const MAX_LENGTH: usize = 8 * 1024;

/// Longer subjects are refused, in bytes.
const MAX_SUBJECT: usize = 255;

/// Subjects that no issuer outside the mesh may speak for.
const SYSTEM_PREFIX: &str = "system/";

/// Verifies the tokens that people and systems present. It accepts tokens of one issuer,
/// for one audience, signed with EdDSA, with `iss`, `aud`, `sub` and `exp`; `nbf` is
/// checked when present.
#[derive(Clone)]
pub struct TokenVerifier {
    key: DecodingKey,
    validation: Validation,
}

/// The issuer's public key cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("not an Ed25519 public key in PEM form")]
pub struct TokenKeyError;

/// What a good token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verified {
    /// The `sub`.
    pub(crate) subject: String,
    /// The `exp`.
    pub(crate) expires: MachineTime,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: i64,
    nbf: Option<i64>,
}

impl TokenVerifier {
    /// A verifier for tokens that `issuer` signs for `audience`.
    ///
    /// # Errors
    /// When the PEM holds no Ed25519 public key.
    pub fn new(issuer: &str, audience: &str, public_key_pem: &str) -> Result<Self, TokenKeyError> {
        let key = DecodingKey::from_ed_pem(public_key_pem.as_bytes()).map_err(|_| TokenKeyError)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        // The library reads the system's clock; `check_times` reads ours.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Ok(TokenVerifier { key, validation })
    }

    /// Who a token speaks for.
    pub(crate) fn verify(&self, token: &str, now: MachineTime) -> Result<Verified, Error> {
        if token.len() > MAX_LENGTH {
            return Err(malformed());
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation)
            .map_err(|error| refusal(&error))?
            .claims;
        if claims.sub.is_empty() || claims.sub.len() > MAX_SUBJECT || claims.sub.starts_with(SYSTEM_PREFIX) {
            return Err(Error::unauthenticated("TOKEN_SUBJECT", "the token's subject is not acceptable"));
        }
        let expires = check_times(&claims, now)?;
        Ok(Verified { subject: claims.sub, expires })
    }
}

impl fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenVerifier").field("issuers", &self.validation.iss).finish_non_exhaustive()
    }
}

fn check_times(claims: &Claims, now: MachineTime) -> Result<MachineTime, Error> {
    let instant =
        |seconds: i64| seconds.checked_mul(1_000_000).map(MachineTime::from_micros).ok_or_else(malformed);
    let expires = instant(claims.exp)?;
    if now >= expires.plus(LEEWAY) {
        return Err(Error::unauthenticated("TOKEN_EXPIRED", "the token has expired"));
    }
    if let Some(not_before) = claims.nbf
        && instant(not_before)? > now.plus(LEEWAY)
    {
        return Err(Error::unauthenticated("TOKEN_NOT_YET_VALID", "the token is not valid yet"));
    }
    Ok(expires)
}

fn malformed() -> Error {
    Error::unauthenticated("TOKEN_MALFORMED", "the token cannot be read")
}

fn refusal(error: &jsonwebtoken::errors::Error) -> Error {
    match error.kind() {
        ErrorKind::InvalidAudience => {
            Error::unauthenticated("TOKEN_WRONG_AUDIENCE", "the token is meant for another audience")
        }
        ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm | ErrorKind::InvalidIssuer => {
            Error::unauthenticated(
                "TOKEN_NOT_TRUSTED",
                "the token is not signed by the issuer that is trusted",
            )
        }
        // A foreign, non-exhaustive enum: whatever else it says, the token is unusable.
        _ => malformed(),
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, EncodingKey, Header};
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use xietong_mesh::token::{KeyPair, generate_keypair};
    use xietong_timers::MachineTime;

    use super::{TokenVerifier, Verified};

    const NOW: MachineTime = MachineTime::from_micros(1_700_000_000_000_000);

    fn verifier(keys: &KeyPair) -> TokenVerifier {
        TokenVerifier::new("https://issuer.example", "xietong", &keys.public_pem).unwrap()
    }

    fn claims() -> Value {
        json!({ "iss": "https://issuer.example", "aud": "xietong", "sub": "clerk", "exp": NOW.as_seconds() + 60 })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    fn without(name: &str) -> Value {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        claims
    }

    fn sign(keys: &KeyPair, claims: &Value) -> String {
        let key = EncodingKey::from_ed_pem(keys.private_pem.as_bytes()).unwrap();
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), claims, &key).unwrap()
    }

    fn refused(keys: &KeyPair, token: &str) -> String {
        verifier(keys).verify(token, NOW).unwrap_err().reason().to_owned()
    }

    #[test]
    fn a_good_token_names_its_subject() {
        let keys = generate_keypair().unwrap();
        let good = Verified {
            subject: "clerk".into(),
            expires: MachineTime::from_micros((NOW.as_seconds() + 60) * 1_000_000),
        };
        for claims in [
            claims(),
            with("aud", json!(["other", "xietong"])),
            with("nbf", json!(NOW.as_seconds())),
            with("nbf", json!(NOW.as_seconds() + 3)),
        ] {
            assert_eq!(verifier(&keys).verify(&sign(&keys, &claims), NOW).as_ref(), Ok(&good), "{claims}");
        }
    }

    #[test]
    fn a_token_without_its_claims_or_with_wrong_ones_is_refused() {
        let keys = generate_keypair().unwrap();
        let table = [
            (without("exp"), "TOKEN_MALFORMED"),
            (without("iss"), "TOKEN_MALFORMED"),
            (without("aud"), "TOKEN_MALFORMED"),
            (without("sub"), "TOKEN_MALFORMED"),
            (with("exp", json!("soon")), "TOKEN_MALFORMED"),
            (with("exp", json!(i64::MAX)), "TOKEN_MALFORMED"),
            (with("iss", json!("https://other.example")), "TOKEN_NOT_TRUSTED"),
            (with("aud", json!("other")), "TOKEN_WRONG_AUDIENCE"),
            (with("exp", json!(NOW.as_seconds() - 5)), "TOKEN_EXPIRED"),
            (with("nbf", json!(NOW.as_seconds() + 60)), "TOKEN_NOT_YET_VALID"),
            (with("sub", json!("")), "TOKEN_SUBJECT"),
            (with("sub", json!("system/roster")), "TOKEN_SUBJECT"),
            (with("sub", json!("x".repeat(256))), "TOKEN_SUBJECT"),
        ];
        for (claims, reason) in table {
            assert_eq!(refused(&keys, &sign(&keys, &claims)), reason, "{claims}");
        }
    }

    #[test]
    fn a_token_signed_otherwise_is_refused() {
        let (keys, foreign) = (generate_keypair().unwrap(), generate_keypair().unwrap());
        assert_eq!(refused(&keys, &sign(&foreign, &claims())), "TOKEN_NOT_TRUSTED");
        // The public key used as an HMAC secret.
        let secret = EncodingKey::from_secret(keys.public_pem.as_bytes());
        let swapped = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims(), &secret).unwrap();
        assert_eq!(refused(&keys, &swapped), "TOKEN_NOT_TRUSTED");
        // Not signed at all.
        let payload = sign(&keys, &claims()).split('.').nth(1).unwrap().to_owned();
        assert_eq!(refused(&keys, &format!("eyJhbGciOiJub25lIn0.{payload}.")), "TOKEN_MALFORMED");
        // Another payload under a good signature.
        let (good, other) = (sign(&keys, &claims()), sign(&keys, &with("sub", json!("leader"))));
        let parts: Vec<&str> = good.split('.').collect();
        let forged = format!("{}.{}.{}", parts[0], other.split('.').nth(1).unwrap(), parts[2]);
        assert_eq!(refused(&keys, &forged), "TOKEN_NOT_TRUSTED");
        assert_eq!(refused(&keys, &"x".repeat(9_000)), "TOKEN_MALFORMED");
    }

    #[test]
    fn only_a_public_key_makes_a_verifier() {
        assert!(TokenVerifier::new("i", "a", "no key").is_err());
    }

    proptest! {
        #[test]
        fn no_text_is_a_token_by_chance(token in "[A-Za-z0-9._-]{0,80}") {
            let keys = generate_keypair().unwrap();
            prop_assert!(verifier(&keys).verify(&token, NOW).is_err());
        }
    }
}
