//! Calls straight to the services, with principals signed as the gateway signs them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use xietong_mesh::Principal;
use xietong_mesh::principal::PRINCIPAL_METADATA;
use xietong_mesh::token::{Signer, TOKEN_LIFETIME};

/// Somebody who calls services without the gateway in between.
#[derive(Debug)]
pub struct Caller {
    principal: Principal,
    signer: Signer,
    signed: Mutex<Option<(Instant, MetadataValue<Ascii>)>>,
}

impl Caller {
    /// Whoever `principal` says, by the word of the gateway, whose key `signer` has.
    pub fn new(principal: Principal, signer: Signer) -> Self {
        Caller { principal, signer, signed: Mutex::new(None) }
    }

    /// A request that waits for its answer at most this long. One token serves many of
    /// them, as the gateway does it.
    ///
    /// # Errors
    /// When the gateway may not speak for this principal.
    pub fn request<T>(&self, message: T, timeout: Duration) -> anyhow::Result<Request<T>> {
        let mut request = Request::new(message);
        request.set_timeout(timeout);
        request.metadata_mut().insert(PRINCIPAL_METADATA, self.token()?);
        Ok(request)
    }

    fn token(&self) -> anyhow::Result<MetadataValue<Ascii>> {
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, token)) = signed.as_ref().filter(|(at, _)| at.elapsed() < TOKEN_LIFETIME / 2) {
            return Ok(token.clone());
        }
        let token: MetadataValue<Ascii> = self.signer.sign(&self.principal)?.parse()?;
        *signed = Some((Instant::now(), token.clone()));
        Ok(token)
    }
}
