//! One service of the mesh as a process of its own, with its own configuration.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use domain_calendar::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use xietong_events::Bus;
use xietong_gateway::{
    Advanced, AttachmentParts, AttachmentStore, ClockControl, Gateway, GatewayParts, Limits, RequestKey,
    TokenVerifier, real_clock,
};
use xietong_mesh::admin::{admin_router, serve_admin};
use xietong_mesh::config::{AttachmentsConfig, BusConfig, Identity, S3Config, ServiceConfig};
use xietong_mesh::drain::Drain;
use xietong_mesh::layer::MeshLayer;
use xietong_mesh::metrics::Metrics;
use xietong_mesh::readiness::Readiness;
use xietong_mesh::serve::shutdown_signal;
use xietong_mesh::telemetry::Telemetry;
use xietong_mesh::token::{Issuer, Signer, Verifier};
use xietong_mesh::{Error, Ground, Peers, Service, ServiceName};
use xietong_timers::{Clock, Gate, MachineClock};

use crate::run::{RunOptions, Running, build};

/// How often a service that starts looks whether it can answer everything.
const LOOK: Duration = Duration::from_millis(50);

/// Runs until the process is told to end. Everything is checked before anything binds.
pub fn run(name: ServiceName, file: Option<&Path>, print_config: bool) -> anyhow::Result<()> {
    let config = ServiceConfig::load(name, file)?;
    if print_config {
        print!("{}", config.to_toml()?);
        return Ok(());
    }
    let identity = config.identity.load()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let telemetry = Telemetry::init(process_name(name), &config.telemetry)?;
        let shutdown = shutdown_signal()?;
        let listen = |address| async move {
            TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))
        };
        let listeners =
            Listeners { main: listen(config.listen).await?, admin: listen(config.admin_listen).await? };
        let served = serve(config, identity, listeners, shutdown).await;
        telemetry.shutdown().await;
        served
    })
}

struct Listeners {
    main: TcpListener,
    admin: TcpListener,
}

async fn serve(
    config: ServiceConfig,
    identity: Identity,
    listeners: Listeners,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let readiness = Readiness::new();
    let metrics = Metrics::new(config.service);
    let end_admin = CancellationToken::new();
    let admin = tokio::spawn(serve_admin(
        listeners.admin,
        admin_router(metrics.clone(), readiness.clone()),
        end_admin.clone().cancelled_owned(),
    ));
    let parts = Parts { identity: &identity, readiness, metrics };
    let served = match config.service {
        ServiceName::Gateway => serve_gateway(&config, parts, listeners.main, shutdown).await,
        ServiceName::Roster
        | ServiceName::Supervision
        | ServiceName::Workgroup
        | ServiceName::Notification => serve_service(&config, parts, listeners.main, shutdown).await,
    };
    end_admin.cancel();
    admin.await??;
    served
}

struct Parts<'a> {
    identity: &'a Identity,
    readiness: Readiness,
    metrics: Metrics,
}

impl Parts<'_> {
    fn signer(&self, issuer: Issuer) -> Signer {
        Signer::new(issuer, self.identity.signing_key.clone(), MachineClock::system())
    }

    fn verifier(&self) -> Verifier {
        Verifier::new(self.identity.trusted.clone(), MachineClock::system())
    }

    fn peers(&self, service: ServiceName, urls: &BTreeMap<ServiceName, String>) -> anyhow::Result<Peers> {
        Ok(Peers::new(service, urls, self.signer(Issuer::System(service)))?)
    }
}

/// The clock that is configured; one that is not the machine's is a line in the log.
fn clock(config: &ServiceConfig) -> Clock {
    let seconds = config.clock_ahead_seconds;
    if seconds != 0 {
        tracing::warn!(seconds, "business time is ahead of the machine's clock: for training and tests only");
    }
    Clock::ahead_by(seconds)
}

async fn serve_service(
    config: &ServiceConfig,
    parts: Parts<'_>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let ground = Ground {
        name: config.service,
        database_url: config.database_url.expose().to_owned(),
        connections: config.database_connections,
        crash: config.crash_point.parse()?,
        clock: clock(config),
        bus: match &config.bus {
            BusConfig::Embedded => Bus::embedded(),
            BusConfig::Redis(url) => Bus::redis(url.expose())?,
        },
        peers: parts.peers(config.service, &config.peers)?,
        drain: Drain::new(),
    };
    tokio::pin!(shutdown);
    // A migration may wait for another replica's for as long as that takes.
    let (webhooks, channels) = (config.webhooks.as_ref(), config.channels.as_ref());
    let service = tokio::select! {
        built = build(ground, config.administrator.as_deref(), webhooks, channels) => built?,
        () = &mut shutdown => return Ok(()),
    };
    service.register(&parts.metrics);
    let options = RunOptions {
        listener,
        layer: MeshLayer::new(parts.verifier(), parts.metrics.clone())?,
        grace: config.grace,
        readiness: parts.readiness.clone(),
        gate: Gate::new(),
    };
    let mut running = Running::start(&service, options);
    tracing::info!(service = config.service.as_str(), listen = %config.listen, "serving");
    let failure = tokio::select! {
        () = &mut shutdown => None,
        () = release_when_ready(&service, &parts.readiness) => None,
        error = running.failed() => Some(error),
    };
    match failure {
        Some(error) => Err(error),
        None => running.stop().await,
    }
}

/// Releases the latch once, and then waits for ever.
async fn release_when_ready(service: &Service, readiness: &Readiness) {
    while !service.is_ready() {
        tokio::time::sleep(LOOK).await;
    }
    readiness.release();
    std::future::pending().await
}

async fn serve_gateway(
    config: &ServiceConfig,
    parts: Parts<'_>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let tokens = config.tokens.as_ref().context("tokens is required for the gateway")?;
    let gateway = Gateway::new(GatewayParts {
        peers: parts.peers(ServiceName::Gateway, &config.peers)?,
        signer: parts.signer(Issuer::Gateway),
        verifier: parts.verifier(),
        tokens: TokenVerifier::new(&tokens.issuer, &tokens.audience, &tokens.public_key()?)?,
        clock: Arc::new(RealClock(clock(config))),
        attachments: attachments(config.attachments.clone().unwrap_or_default())?,
        metrics: parts.metrics,
        readiness: parts.readiness.clone(),
        drain: config.grace,
    })?;
    parts.readiness.release();
    gateway.serve(listener, shutdown).await;
    Ok(())
}

/// Where the files are, opened.
pub(crate) fn attachments(config: AttachmentsConfig) -> anyhow::Result<AttachmentParts> {
    let keep_unused = config.keep_unused();
    let mut limits = Limits { max_bytes: config.max_bytes, ..Limits::default() };
    if let Some(media_types) = config.media_types {
        limits.media_types = media_types;
    }
    let store = match &config.s3 {
        None => AttachmentStore::in_folder(&config.folder, limits)?,
        Some(s3) => in_s3(s3, limits)?,
    };
    Ok(AttachmentParts { store, keep_unused })
}

#[cfg(feature = "s3")]
fn in_s3(config: &S3Config, limits: Limits) -> anyhow::Result<AttachmentStore> {
    Ok(AttachmentStore::in_s3(config, limits)?)
}

#[cfg(not(feature = "s3"))]
fn in_s3(_config: &S3Config, _limits: Limits) -> anyhow::Result<AttachmentStore> {
    anyhow::bail!("attachments.s3: this program was built without it; build it with `--features s3`")
}

/// Business time of a city that is not simulated.
struct RealClock(Clock);

#[async_trait]
impl ClockControl for RealClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn simulated(&self) -> bool {
        false
    }

    async fn advance(&self, _duration: Duration, _key: Option<RequestKey>) -> Result<Advanced, Error> {
        Err(real_clock())
    }
}

fn process_name(name: ServiceName) -> &'static str {
    match name {
        ServiceName::Roster => "xietong-roster",
        ServiceName::Supervision => "xietong-supervision",
        ServiceName::Workgroup => "xietong-workgroup",
        ServiceName::Notification => "xietong-notification",
        ServiceName::Gateway => "xietong-gateway",
    }
}
