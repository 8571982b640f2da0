//! Who calls: a bearer token becomes an account, an account becomes a signed principal.

mod account;
mod bearer;
mod issuer;
mod scheme;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain_calendar::Timestamp;
use http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};
use xietong_mesh::Error;
use xietong_mesh::token::Signer;
use xietong_timers::{MachineClock, MachineTime};

use crate::clock::ClockControl;

pub(crate) use account::Accounts;
pub use bearer::{TokenKeyError, TokenVerifier};
pub use issuer::{IssueError, LocalIssuer};
pub(crate) use scheme::Schemes;

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

    /// The caller that a request's token stands for, else UNAUTHENTICATED.
    pub(crate) async fn authenticate(&self, headers: &HeaderMap, schemes: Schemes) -> Result<Caller, Error> {
        let token = &*schemes.token(headers)?;
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
