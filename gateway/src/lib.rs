//! The gateway: one front door for REST, SSE and gRPC.
//!
//! It authenticates whoever calls, turns REST into gRPC and back by the `google.api.http`
//! options of the protos (`transcode`), passes gRPC on undecoded (`grpc`), and gives every
//! error one shape (`http`). It knows no business rule: what a call may do is decided by
//! the service that owns it.

mod attachments;
mod auth;
mod clock;
mod front;
mod grpc;
mod http;
mod transcode;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tower::Layer;
use tower::util::BoxCloneSyncService;
use xietong_mesh::admin::admin_router;
use xietong_mesh::client::Peers;
use xietong_mesh::drain::Drain;
use xietong_mesh::layer::MeshLayer;
use xietong_mesh::matrix::MatrixError;
use xietong_mesh::metrics::Metrics;
use xietong_mesh::readiness::Readiness;
use xietong_mesh::service_name::ServiceName;
use xietong_mesh::token::{Signer, Verifier};
use xietong_proto::gateway::attachment_service_server::AttachmentServiceServer;
use xietong_proto::gateway::clock_service_server::ClockServiceServer;
use xietong_timers::MachineClock;

#[cfg(feature = "s3")]
pub use attachments::S3Error;
pub use attachments::{AttachmentParts, AttachmentStore, Limits, MAX_BYTES, OpenError};
pub use auth::{IssueError, LocalIssuer, TokenKeyError, TokenVerifier};
pub use clock::{Advanced, ClockControl, RequestKey, real_clock};
pub use transcode::{ApiError, RuleError, TemplateError};

use attachments::{AttachmentServer, Attachments, Sweeper};
use auth::{Accounts, Authenticator};
use clock::ClockServer;
use front::Front;
use grpc::upstream::{Upstream, Upstreams};
use transcode::Api;

/// What a gateway is made of.
pub struct GatewayParts {
    /// The services, and how the gateway signs for itself (`system/gateway`).
    pub peers: Peers,
    /// Signs for accounts (issuer `gateway`).
    pub signer: Signer,
    /// Verifies what `signer` signs, for the services that the gateway serves itself, and the
    /// grants for files that the other services sign.
    pub verifier: Verifier,
    /// Verifies the bearer tokens of callers.
    pub tokens: TokenVerifier,
    /// Business time.
    pub clock: Arc<dyn ClockControl>,
    /// Files that records refer to.
    pub attachments: AttachmentParts,
    /// Counts and timings of the services that the gateway serves itself.
    pub metrics: Metrics,
    /// Un-ready as soon as the gateway stops.
    pub readiness: Readiness,
    /// How long calls under way may take to finish once the gateway stops.
    pub drain: Duration,
}

/// The gateway, ready to serve.
pub struct Gateway {
    front: Arc<Front>,
    sweeper: Sweeper,
    probes: Router,
    readiness: Readiness,
    drain: Duration,
}

/// A gateway cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The protos cannot be served.
    #[error("protos: {0}")]
    Api(#[from] ApiError),
    /// An RPC has no row in the permission matrix.
    #[error(transparent)]
    Matrix(#[from] MatrixError),
    /// No address is configured for the service that owns a public method.
    #[error("no address is configured for the service that serves {0}")]
    Unserved(String),
}

impl Gateway {
    /// Puts a gateway together. Call it inside a runtime; it connects to nothing yet.
    ///
    /// # Errors
    /// When the protos cannot be served, or a public method is served by nobody.
    pub fn new(parts: GatewayParts) -> Result<Self, GatewayError> {
        let api = Api::decode(xietong_proto::DESCRIPTORS)?;
        let machine = MachineClock::system();
        let layer = MeshLayer::new(parts.verifier.clone(), parts.metrics.clone())?;
        let attachments =
            Attachments::new(parts.attachments.store.clone(), parts.signer.clone(), parts.verifier);
        let sweeper = Sweeper::new(parts.attachments, parts.peers.clone());
        let own = Routes::new(ClockServiceServer::new(ClockServer::new(Arc::clone(&parts.clock))))
            .add_service(AttachmentServiceServer::new(AttachmentServer::new(attachments.clone())));
        let own = Upstream::Local(BoxCloneSyncService::new(layer.layer(own.prepare())));
        let mut upstreams = BTreeMap::from([(ServiceName::Gateway, own)]);
        for name in ServiceName::ALL.into_iter().filter(|name| *name != ServiceName::Gateway) {
            if let Ok(channel) = parts.peers.channel(name) {
                upstreams.insert(name, Upstream::Remote(channel));
            }
        }
        let upstreams = Upstreams::new(upstreams);
        if let Some(method) = upstreams.first_unserved(&api) {
            return Err(GatewayError::Unserved(method.to_owned()));
        }
        let accounts = Accounts::new(parts.peers);
        let authenticator = Authenticator::new(parts.tokens, accounts, parts.signer, parts.clock, machine);
        let front = Front { api, authenticator, upstreams, attachments, machine, drain: Drain::new() };
        let probes = admin_router(parts.metrics, parts.readiness.clone());
        let (front, readiness, drain) = (Arc::new(front), parts.readiness, parts.drain);
        Ok(Gateway { front, sweeper, probes, readiness, drain })
    }

    /// Serves REST, SSE, gRPC and the probes (`/livez`, `/readyz`, `/metrics`) on one port
    /// until `shutdown` is ready. It then stops accepting, ends open streams, lets calls
    /// under way finish, and returns when they have, or when the time to drain is over,
    /// whatever clients do.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let drain = self.front.drain.clone();
        let stop = async {
            shutdown.await;
            self.readiness.drain();
            drain.begin();
        };
        let serving = http::server::serve(Arc::clone(&self.front), self.probes, listener, self.drain);
        let sweeping = self.sweeper.run(self.front.machine, self.front.drain.clone());
        tokio::join!(serving, stop, sweeping);
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("drain", &self.drain).finish_non_exhaustive()
    }
}
