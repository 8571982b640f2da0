//! Who calls: a bearer token becomes an account, an account becomes a signed principal.

mod account;
mod bearer;
mod issuer;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain_calendar::Timestamp;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};
use xietong_mesh::Error;
use xietong_mesh::token::Signer;
use xietong_timers::{MachineClock, MachineTime};

use crate::clock::ClockControl;

pub(crate) use account::Accounts;
pub use bearer::{TokenKeyError, TokenVerifier};
pub use issuer::{IssueError, LocalIssuer};

/// A minted principal is used for this long: half its life, so that it outlives the
/// longest unary call.
const REUSE: Duration = Duration::from_secs(30);

/// At most so many callers are remembered.
const CAPACITY: usize = 10_000;

/// An authenticated caller.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The signed principal, as the services take it.
    pub(crate) principal: HeaderValue,
    /// When the caller's own token expires; no stream outlives it.
    pub(crate) expires: MachineTime,
}

/// Authenticates requests.
pub(crate) struct Authenticator {
    verifier: TokenVerifier,
    accounts: Accounts,
    signer: Signer,
    clock: Arc<dyn ClockControl>,
    machine: MachineClock,
    remembered: Mutex<HashMap<TokenDigest, Remembered>>,
}

type TokenDigest = [u8; 32];

struct Remembered {
    caller: Caller,
    /// Machine time from which the account is asked for again.
    until: MachineTime,
    /// Business time at which a role of the account begins or ends.
    roles_until: Timestamp,
}

impl Authenticator {
    /// An authenticator; `signer` speaks as the gateway for accounts.
    pub(crate) fn new(
        verifier: TokenVerifier,
        accounts: Accounts,
        signer: Signer,
        clock: Arc<dyn ClockControl>,
        machine: MachineClock,
    ) -> Self {
        Authenticator { verifier, accounts, signer, clock, machine, remembered: Mutex::default() }
    }

    /// The caller that a request's bearer token stands for, else UNAUTHENTICATED.
    pub(crate) async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, Error> {
        let token = bearer_token(headers)?;
        let digest: TokenDigest = Sha256::digest(token.as_bytes()).into();
        let now = self.machine.now();
        if let Some(caller) = self.remembered(&digest, now) {
            return Ok(caller);
        }
        let verified = self.verifier.verify(token, now)?;
        let business_now = self.clock.now();
        let account = self.accounts.resolve(&verified.subject, business_now).await?;
        let signed = self.signer.sign(&account.principal).map_err(Error::internal)?;
        let principal = HeaderValue::try_from(signed).map_err(Error::internal)?;
        let caller = Caller { principal, expires: verified.expires };
        let until = verified.expires.min(now.plus(REUSE));
        self.remember(
            digest,
            Remembered { caller: caller.clone(), until, roles_until: account.roles_until },
            now,
        );
        Ok(caller)
    }

    fn remembered(&self, digest: &TokenDigest, now: MachineTime) -> Option<Caller> {
        let business_now = self.clock.now();
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered
            .get(digest)
            .filter(|entry| now < entry.until && business_now < entry.roles_until)
            .map(|entry| entry.caller.clone())
    }

    fn remember(&self, digest: TokenDigest, entry: Remembered, now: MachineTime) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= CAPACITY {
            remembered.retain(|_, entry| now < entry.until);
        }
        // A flood of valid tokens costs calls to the roster, never memory.
        if remembered.len() < CAPACITY {
            remembered.insert(digest, entry);
        }
    }
}

fn bearer_token(headers: &HeaderMap) -> Result<&str, Error> {
    let missing = || Error::unauthenticated("TOKEN_MISSING", "a bearer token is required");
    let malformed = || Error::unauthenticated("TOKEN_MALFORMED", "the authorization header cannot be read");
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(missing)?;
    if values.next().is_some() {
        return Err(malformed());
    }
    let (scheme, token) = value.to_str().map_err(|_| malformed())?.split_once(' ').ok_or_else(malformed)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(malformed()) }
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;
    use http::{HeaderMap, HeaderValue};

    use super::bearer_token;

    fn with(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn exactly_one_bearer_token_is_read() {
        assert_eq!(bearer_token(&with(&["Bearer abc"])), Ok("abc"));
        assert_eq!(bearer_token(&with(&["bearer abc"])), Ok("abc"));
        let refused = |values: &[&'static str]| bearer_token(&with(values)).unwrap_err().reason().to_owned();
        assert_eq!(refused(&[]), "TOKEN_MISSING");
        for values in [&["abc"][..], &["Basic abc"], &["Bearer a", "Bearer b"], &[""]] {
            assert_eq!(refused(values), "TOKEN_MALFORMED", "{values:?}");
        }
    }
}
