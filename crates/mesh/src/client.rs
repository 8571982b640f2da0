//! Calling the other services of the mesh.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};

use crate::attachments::Grants;
use crate::call::{Call, GROUND_METADATA};
use crate::error::Error;
use crate::principal::{PRINCIPAL_METADATA, Principal};
use crate::service_name::ServiceName;
use crate::token::{Issuer, Signer, TOKEN_LIFETIME};
use crate::trace_context::{TRACEPARENT, current_traceparent};

/// A peer that does not accept a connection within this time is unavailable.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A silent connection is probed this often, and given up when the probe is not answered.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// A peer cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The address is no URL that can be connected to.
    #[error("the address `{url}` of the service {service} is not usable")]
    Address {
        /// The peer.
        service: ServiceName,
        /// As configured.
        url: String,
        /// Why not.
        #[source]
        source: tonic::transport::Error,
    },
    /// Jobs of a service are signed for by that service alone.
    #[error("jobs of {service} cannot be signed for by {issuer}")]
    Signer {
        /// The service that calls.
        service: ServiceName,
        /// The signer's issuer.
        issuer: Issuer,
    },
}

/// The other services of the mesh, as one service sees them. Cheap to clone.
#[derive(Clone)]
pub struct Peers {
    service: ServiceName,
    channels: Arc<BTreeMap<ServiceName, Channel>>,
    signer: Signer,
    system_token: Arc<Mutex<Option<SystemToken>>>,
}

struct SystemToken {
    token: Arc<str>,
    signed: Instant,
}

impl Peers {
    /// The peers of `service` by their URLs. Connects when first called and reconnects by
    /// itself. `signer` signs for the service's own jobs. Call it inside a runtime.
    ///
    /// # Errors
    /// When an address is not usable, or the signer signs for somebody else.
    pub fn new(
        service: ServiceName,
        urls: &BTreeMap<ServiceName, String>,
        signer: Signer,
    ) -> Result<Self, PeerError> {
        if signer.issuer() != Issuer::System(service) {
            return Err(PeerError::Signer { service, issuer: signer.issuer() });
        }
        let mut channels = BTreeMap::new();
        for (peer, url) in urls {
            let endpoint = Endpoint::from_shared(url.clone()).map_err(|source| PeerError::Address {
                service: *peer,
                url: url.clone(),
                source,
            })?;
            let endpoint = endpoint
                .connect_timeout(CONNECT_TIMEOUT)
                .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
                .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
                .keep_alive_while_idle(true)
                .tcp_nodelay(true);
            channels.insert(*peer, endpoint.connect_lazy());
        }
        Ok(Self { service, channels: Arc::new(channels), signer, system_token: Arc::default() })
    }

    /// The connection to a peer.
    ///
    /// # Errors
    /// UNAVAILABLE when no address is configured for it.
    pub fn channel(&self, peer: ServiceName) -> Result<Channel, Error> {
        self.channels.get(&peer).cloned().ok_or_else(|| Error::unavailable(peer))
    }

    /// A request on behalf of who is calling us, with their token. It waits at most
    /// `timeout`, and no longer than the caller does.
    ///
    /// # Errors
    /// DEADLINE_EXCEEDED when the caller has stopped waiting.
    pub fn outgoing<T>(&self, message: T, call: &Call, timeout: Duration) -> Result<Request<T>, Error> {
        let remaining = call.remaining(timeout);
        if remaining.is_zero() {
            return Err(Error::deadline_exceeded());
        }
        let mut request = request(message, &call.token, remaining)?;
        if let Some(ground) = &call.ground {
            set_ground(&mut request, ground);
        }
        Ok(request)
    }

    /// A request from a job of our own, as `system/<service>`. `ground` names what it is
    /// for, for example an aggregate.
    ///
    /// # Errors
    /// INTERNAL when it cannot be signed.
    pub fn outgoing_as_system<T>(
        &self,
        message: T,
        ground: &str,
        timeout: Duration,
    ) -> Result<Request<T>, Error> {
        let token = self.system_token()?;
        let mut request = request(message, &token, timeout)?;
        set_ground(&mut request, ground);
        Ok(request)
    }

    /// Grants for whoever calls, of the files in a record that he may read and is shown.
    pub fn grants(&self, call: &Call) -> Grants {
        Grants::new(self.signer.clone(), &call.principal.subject)
    }

    /// One token serves many calls: peers then verify it once.
    fn system_token(&self) -> Result<Arc<str>, Error> {
        let mut kept = self.system_token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.as_ref().filter(|kept| kept.signed.elapsed() < TOKEN_LIFETIME / 2) {
            return Ok(Arc::clone(&kept.token));
        }
        let token = self.signer.sign(&Principal::system(self.service)).map_err(Error::internal)?;
        let token: Arc<str> = Arc::from(token);
        *kept = Some(SystemToken { token: Arc::clone(&token), signed: Instant::now() });
        Ok(token)
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Peers")
            .field("service", &self.service)
            .field("channels", &self.channels.keys())
            .finish_non_exhaustive()
    }
}

fn request<T>(message: T, token: &str, timeout: Duration) -> Result<Request<T>, Error> {
    let mut request = Request::new(message);
    request.set_timeout(timeout);
    let token: MetadataValue<Ascii> = token.parse().map_err(Error::internal)?;
    request.metadata_mut().insert(PRINCIPAL_METADATA, token);
    if let Some(Ok(traceparent)) = current_traceparent().map(|text| text.parse::<MetadataValue<Ascii>>()) {
        request.metadata_mut().insert(TRACEPARENT, traceparent);
    }
    Ok(request)
}

fn set_ground<T>(request: &mut Request<T>, ground: &str) {
    request.metadata_mut().insert_bin(GROUND_METADATA, MetadataValue::from_bytes(ground.as_bytes()));
}

#[cfg(test)]
mod tests {
    use xietong_timers::MachineClock;

    use super::*;
    use crate::error::Code;
    use crate::token::{SigningKey, generate_keypair};

    fn signer(issuer: Issuer) -> Signer {
        let keys = generate_keypair().unwrap();
        Signer::new(issuer, SigningKey::from_pem(&keys.private_pem).unwrap(), MachineClock::system())
    }

    fn peers() -> Peers {
        let urls = BTreeMap::from([(ServiceName::Roster, "http://127.0.0.1:7101".to_owned())]);
        Peers::new(ServiceName::Workgroup, &urls, signer(Issuer::System(ServiceName::Workgroup))).unwrap()
    }

    #[tokio::test]
    async fn a_peer_without_an_address_is_unavailable() {
        let peers = peers();
        assert!(peers.channel(ServiceName::Roster).is_ok());
        let error = peers.channel(ServiceName::Supervision).unwrap_err();
        assert_eq!(error.code(), Code::Unavailable);
    }

    #[tokio::test]
    async fn jobs_are_signed_for_by_their_service_alone() {
        for issuer in [Issuer::Gateway, Issuer::System(ServiceName::Roster)] {
            assert!(Peers::new(ServiceName::Workgroup, &BTreeMap::new(), signer(issuer)).is_err());
        }
    }

    #[tokio::test]
    async fn an_unusable_address_is_named() {
        let urls = BTreeMap::from([(ServiceName::Roster, "not a url".to_owned())]);
        let error = Peers::new(ServiceName::Workgroup, &urls, signer(Issuer::System(ServiceName::Workgroup)))
            .unwrap_err();
        assert!(error.to_string().contains("not a url"));
    }

    #[tokio::test]
    async fn a_forwarded_call_carries_the_callers_token_and_deadline() {
        let peers = peers();
        let mut call = Call::new(Arc::new(Principal::account("a", None, vec![])), "roster.resolve", "token");
        let request = peers.outgoing((), &call, Duration::from_secs(3)).unwrap();
        assert_eq!(request.metadata().get(PRINCIPAL_METADATA).unwrap(), "token");
        assert_eq!(request.metadata().get("grpc-timeout").unwrap(), "3000000u");
        call.deadline = Some(Instant::now());
        let error = peers.outgoing((), &call, Duration::from_secs(3)).unwrap_err();
        assert_eq!(error.code(), Code::DeadlineExceeded);
    }

    #[tokio::test]
    async fn calls_of_jobs_share_a_token_and_name_their_ground() {
        let peers = peers();
        let timeout = Duration::from_secs(3);
        let first = peers.outgoing_as_system((), "临政办发〔2023〕8号", timeout).unwrap();
        let second = peers.outgoing_as_system((), "groups/1", timeout).unwrap();
        let token = |request: &Request<()>| request.metadata().get(PRINCIPAL_METADATA).unwrap().clone();
        assert_eq!(token(&first), token(&second));
        let ground = first.metadata().get_bin(GROUND_METADATA).unwrap().to_bytes().unwrap();
        assert_eq!(ground, "临政办发〔2023〕8号".as_bytes());
    }
}
