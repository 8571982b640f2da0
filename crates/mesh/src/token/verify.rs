//! Verifying signed principals.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use xietong_timers::{MachineClock, MachineTime};

use super::{AUDIENCE, Claims, Issuer, TOKEN_LIFETIME, VerifyingKey};
use crate::error::Error;
use crate::principal::Principal;

/// How far the clocks of two machines may differ.
const LEEWAY: Duration = Duration::from_secs(2);

/// Longer tokens are refused unread, in bytes.
const MAX_TOKEN_LENGTH: usize = 8 * 1024;

/// At most so many verified tokens are remembered.
const CACHE_CAPACITY: usize = 10_000;

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// Not a token, or without the claims every token must have.
    #[error("the token cannot be read")]
    Malformed,
    /// Signed by nobody we trust, or not signed by who it says, or not by EdDSA.
    #[error("the token is not signed by an issuer that is trusted")]
    NotTrusted,
    /// Meant for somebody else.
    #[error("the token is meant for another audience")]
    WrongAudience,
    /// Too old.
    #[error("the token has expired")]
    Expired,
    /// Issued in the future, or for longer than a token may live.
    #[error("the token's times are not acceptable")]
    BadTimes,
    /// Its issuer may not vouch for this principal.
    #[error("the token's issuer may not vouch for this principal")]
    NotEntitled,
}

impl From<TokenRefusal> for Error {
    fn from(refusal: TokenRefusal) -> Self {
        let reason = match refusal {
            TokenRefusal::Malformed => "TOKEN_MALFORMED",
            TokenRefusal::NotTrusted => "TOKEN_NOT_TRUSTED",
            TokenRefusal::WrongAudience => "TOKEN_WRONG_AUDIENCE",
            TokenRefusal::Expired => "TOKEN_EXPIRED",
            TokenRefusal::BadTimes => "TOKEN_BAD_TIMES",
            TokenRefusal::NotEntitled => "TOKEN_NOT_ENTITLED",
        };
        Error::unauthenticated(reason, refusal.to_string())
    }
}

type TokenDigest = [u8; 32];

struct Verified {
    principal: Arc<Principal>,
    expires: MachineTime,
}

/// Verifies signed principals. Remembers what it verified, by digest, never longer than the
/// token lives. Cheap to clone; clones share what they remember.
#[derive(Clone)]
pub struct Verifier {
    pub(super) trusted: Arc<BTreeMap<Issuer, Vec<VerifyingKey>>>,
    pub(super) clock: MachineClock,
    verified: Arc<Mutex<HashMap<TokenDigest, Verified>>>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Verifier").field("trusted", &self.trusted.keys()).finish_non_exhaustive()
    }
}

impl Verifier {
    /// A verifier that trusts these issuers, each with any of its keys.
    pub fn new(trusted: BTreeMap<Issuer, Vec<VerifyingKey>>, clock: MachineClock) -> Self {
        Self { trusted: Arc::new(trusted), clock, verified: Arc::default() }
    }

    /// The principal a token speaks for.
    ///
    /// # Errors
    /// [`TokenRefusal`], which becomes UNAUTHENTICATED.
    pub fn verify(&self, token: &str) -> Result<Arc<Principal>, TokenRefusal> {
        if token.len() > MAX_TOKEN_LENGTH {
            return Err(TokenRefusal::Malformed);
        }
        let now = self.clock.now();
        let digest: TokenDigest = Sha256::digest(token.as_bytes()).into();
        if let Some(principal) = self.remembered(&digest, now) {
            return Ok(principal);
        }
        let claims = self.signed_claims(token)?;
        let expires = check_times(&claims, now)?;
        let issuer: Issuer = claims.iss.parse().map_err(|_| TokenRefusal::NotTrusted)?;
        let principal = Principal {
            subject: claims.sub,
            official: claims.official,
            grants: claims.grants,
            service: claims.service,
        };
        if !issuer.may_sign(&principal) {
            return Err(TokenRefusal::NotEntitled);
        }
        let principal = Arc::new(principal);
        self.remember(digest, &principal, expires, now);
        Ok(principal)
    }

    /// The claims, once a trusted key of their issuer is found to have signed them.
    fn signed_claims(&self, token: &str) -> Result<Claims, TokenRefusal> {
        #[derive(Deserialize)]
        struct Unverified {
            iss: String,
        }
        let unverified: Unverified =
            jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| TokenRefusal::Malformed)?;
        let issuer: Issuer = unverified.iss.parse().map_err(|_| TokenRefusal::NotTrusted)?;
        let keys = self.trusted.get(&issuer).ok_or(TokenRefusal::NotTrusted)?;

        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[issuer.as_str()]);
        validation.set_audience(&[AUDIENCE]);
        // The library reads the system's clock; `check_times` reads ours and is stricter.
        validation.validate_exp = false;

        let mut refusal = TokenRefusal::NotTrusted;
        for key in keys {
            match jsonwebtoken::decode::<Claims>(token, key.as_decoding_key(), &validation) {
                Ok(data) => return Ok(data.claims),
                Err(error) => refusal = library_refusal(&error),
            }
            if refusal != TokenRefusal::NotTrusted {
                break;
            }
        }
        Err(refusal)
    }

    fn remembered(&self, digest: &TokenDigest, now: MachineTime) -> Option<Arc<Principal>> {
        let verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.get(digest).filter(|entry| now < entry.expires).map(|entry| Arc::clone(&entry.principal))
    }

    fn remember(
        &self,
        digest: TokenDigest,
        principal: &Arc<Principal>,
        expires: MachineTime,
        now: MachineTime,
    ) {
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= CACHE_CAPACITY {
            verified.retain(|_, entry| now < entry.expires);
        }
        // A flood of valid tokens costs verification again, never memory.
        if verified.len() < CACHE_CAPACITY {
            verified.insert(digest, Verified { principal: Arc::clone(principal), expires });
        }
    }
}

/// Checks the times and returns the token's expiry, until when it may be remembered.
fn check_times(claims: &Claims, now: MachineTime) -> Result<MachineTime, TokenRefusal> {
    let instant = |seconds: i64| {
        seconds.checked_mul(1_000_000).map(MachineTime::from_micros).ok_or(TokenRefusal::BadTimes)
    };
    let (issued, expires) = (instant(claims.iat)?, instant(claims.exp)?);
    if expires < issued || expires > issued.plus(TOKEN_LIFETIME) || issued > now.plus(LEEWAY) {
        return Err(TokenRefusal::BadTimes);
    }
    if now >= expires.plus(LEEWAY) {
        return Err(TokenRefusal::Expired);
    }
    Ok(expires)
}

fn library_refusal(error: &jsonwebtoken::errors::Error) -> TokenRefusal {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::InvalidAudience => TokenRefusal::WrongAudience,
        ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm | ErrorKind::InvalidIssuer => {
            TokenRefusal::NotTrusted
        }
        // A foreign, non-exhaustive enum: whatever else it says, the token is unusable.
        _ => TokenRefusal::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::{Value, json};

    use super::*;
    use crate::principal::{Grant, Role};
    use crate::service_name::ServiceName;
    use crate::token::{KeyPair, Signer, SigningKey, generate_keypair};

    const CLOCK: MachineClock = MachineClock::system();
    const ROSTER: Issuer = Issuer::System(ServiceName::Roster);

    struct Mesh {
        gateway: KeyPair,
        roster: KeyPair,
        verifier: Verifier,
    }

    fn mesh() -> Mesh {
        let (gateway, roster) = (generate_keypair().unwrap(), generate_keypair().unwrap());
        let trusted = BTreeMap::from([
            (Issuer::Gateway, VerifyingKey::all_from_pem(&gateway.public_pem).unwrap()),
            (ROSTER, VerifyingKey::all_from_pem(&roster.public_pem).unwrap()),
        ]);
        Mesh { gateway, roster, verifier: Verifier::new(trusted, CLOCK) }
    }

    fn signer(issuer: Issuer, keys: &KeyPair) -> Signer {
        Signer::new(issuer, SigningKey::from_pem(&keys.private_pem).unwrap(), CLOCK)
    }

    fn supervisor() -> Principal {
        Principal::account("dc-01", Some("officials/1".to_owned()), vec![Grant::of(Role::Supervisor)])
    }

    fn claims() -> Value {
        let now = CLOCK.now().as_seconds();
        json!({ "iss": "gateway", "aud": AUDIENCE, "sub": "dc-01", "iat": now, "exp": now + 60,
                "grants": [{ "role": "supervisor" }] })
    }

    fn with(changes: Value) -> Value {
        let mut claims = claims();
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        claims
    }

    fn signed(claims: &Value, keys: &KeyPair) -> String {
        let key = EncodingKey::from_ed_pem(keys.private_pem.as_bytes()).unwrap();
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), claims, &key).unwrap()
    }

    #[test]
    fn a_signed_principal_is_read_back_whole() {
        let mesh = mesh();
        let clerk = Principal::account(
            "gx-07",
            None,
            vec![
                Grant::of(Role::UnitClerk).in_unit("units/gongxin"),
                Grant::of(Role::GroupOffice).in_group("groups/1"),
            ],
        );
        let token = signer(Issuer::Gateway, &mesh.gateway).sign(&clerk).unwrap();
        assert_eq!(*mesh.verifier.verify(&token).unwrap(), clerk);
        // The second time from memory.
        assert_eq!(*mesh.verifier.verify(&token).unwrap(), clerk);
    }

    #[test]
    fn a_service_speaks_for_itself() {
        let mesh = mesh();
        let principal = Principal::system(ServiceName::Roster);
        let token = signer(ROSTER, &mesh.roster).sign(&principal).unwrap();
        assert_eq!(*mesh.verifier.verify(&token).unwrap(), principal);
    }

    #[test]
    fn nobody_signs_for_whom_it_may_not() {
        let mesh = mesh();
        let gateway = signer(Issuer::Gateway, &mesh.gateway);
        assert!(gateway.sign(&Principal::system(ServiceName::Roster)).is_err());
        let roster = signer(ROSTER, &mesh.roster);
        assert!(roster.sign(&Principal::system(ServiceName::Supervision)).is_err());
        assert!(roster.sign(&supervisor()).is_err());
    }

    #[test]
    fn a_forged_service_is_refused() {
        let mesh = mesh();
        let by_gateway = [
            with(json!({ "sub": "system/roster", "service": "roster", "grants": [{ "role": "system" }] })),
            with(json!({ "sub": "system/roster" })),
            with(json!({ "grants": [{ "role": "system" }] })),
            with(json!({ "service": "roster" })),
        ];
        for claims in by_gateway {
            let token = signed(&claims, &mesh.gateway);
            assert_eq!(mesh.verifier.verify(&token).unwrap_err(), TokenRefusal::NotEntitled);
        }
        let another = with(json!({ "iss": "system/roster", "sub": "system/supervision",
                                   "service": "supervision", "grants": [{ "role": "system" }] }));
        let token = signed(&another, &mesh.roster);
        assert_eq!(mesh.verifier.verify(&token).unwrap_err(), TokenRefusal::NotEntitled);
    }

    #[test]
    fn an_expired_token_is_refused() {
        let mesh = mesh();
        let now = CLOCK.now().as_seconds();
        let token = signed(&with(json!({ "iat": now - 63, "exp": now - 3 })), &mesh.gateway);
        assert_eq!(mesh.verifier.verify(&token).unwrap_err(), TokenRefusal::Expired);
    }

    #[test]
    fn a_token_for_longer_than_a_minute_or_from_the_future_is_refused() {
        let mesh = mesh();
        let now = CLOCK.now().as_seconds();
        for changes in [
            json!({ "exp": now + 61 + 60 }),
            json!({ "iat": now + 30, "exp": now + 60 }),
            json!({ "iat": now, "exp": now - 1 }),
            json!({ "iat": i64::MIN, "exp": i64::MAX }),
        ] {
            let token = signed(&with(changes), &mesh.gateway);
            assert_eq!(mesh.verifier.verify(&token).unwrap_err(), TokenRefusal::BadTimes);
        }
    }

    #[test]
    fn a_wrong_audience_is_refused() {
        let mesh = mesh();
        let token = signed(&with(json!({ "aud": "elsewhere" })), &mesh.gateway);
        assert_eq!(mesh.verifier.verify(&token).unwrap_err(), TokenRefusal::WrongAudience);
    }

    #[test]
    fn an_issuer_without_a_trusted_key_is_refused() {
        let mesh = mesh();
        for issuer in ["system/workgroup", "elsewhere", ""] {
            let token = signed(&with(json!({ "iss": issuer })), &mesh.gateway);
            assert_eq!(mesh.verifier.verify(&token).unwrap_err(), TokenRefusal::NotTrusted);
        }
        let by_another_key = signed(&claims(), &mesh.roster);
        assert_eq!(mesh.verifier.verify(&by_another_key).unwrap_err(), TokenRefusal::NotTrusted);
    }

    #[test]
    fn a_missing_claim_is_refused() {
        let mesh = mesh();
        for claim in ["iss", "aud", "sub", "iat", "exp"] {
            let token = signed(&with(json!({ claim: null })), &mesh.gateway);
            assert_eq!(mesh.verifier.verify(&token).unwrap_err(), TokenRefusal::Malformed, "{claim}");
        }
    }

    #[test]
    fn other_algorithms_are_refused() {
        let mesh = mesh();
        // The classic confusion: the public key as the secret of a symmetric signature.
        let secret = EncodingKey::from_secret(mesh.gateway.public_pem.as_bytes());
        let symmetric = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims(), &secret).unwrap();
        assert_eq!(mesh.verifier.verify(&symmetric).unwrap_err(), TokenRefusal::NotTrusted);

        use base64::Engine;
        let encode =
            |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
        let unsigned = format!("{}.{}.", encode(&json!({ "alg": "none", "typ": "JWT" })), encode(&claims()));
        assert!(mesh.verifier.verify(&unsigned).is_err());
    }

    #[test]
    fn anything_else_is_refused() {
        let mesh = mesh();
        let token = signed(&claims(), &mesh.gateway);
        let cut = &token[..token.len() - 4];
        for text in ["", ".", "..", "a.b.c", cut, &"x".repeat(MAX_TOKEN_LENGTH + 1)] {
            assert!(mesh.verifier.verify(text).is_err());
        }
    }

    #[test]
    fn both_keys_of_an_issuer_are_trusted_while_one_is_replaced() {
        let (old, new) = (generate_keypair().unwrap(), generate_keypair().unwrap());
        let file = format!("{}{}", old.public_pem, new.public_pem);
        let trusted = BTreeMap::from([(Issuer::Gateway, VerifyingKey::all_from_pem(&file).unwrap())]);
        let verifier = Verifier::new(trusted, CLOCK);
        for keys in [&old, &new] {
            assert!(verifier.verify(&signed(&claims(), keys)).is_ok());
        }
    }
}
