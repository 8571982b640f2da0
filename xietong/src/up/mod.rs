//! The whole mesh in one process: five services on loopback gRPC, SQLite files, the
//! in-process bus. For a laptop, a county or a test; only configuration differs from a
//! cluster.

mod advance;
mod folder;
mod history;
mod moves;
mod picture;
mod sample;
mod signed;

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use domain_calendar::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use xietong_events::Bus;
use xietong_gateway::{Gateway, GatewayParts, TokenVerifier};
use xietong_mesh::client::Peers;
use xietong_mesh::drain::Drain;
use xietong_mesh::layer::MeshLayer;
use xietong_mesh::metrics::Metrics;
use xietong_mesh::readiness::Readiness;
use xietong_mesh::serve::shutdown_signal;
use xietong_mesh::telemetry::{Telemetry, TelemetryConfig};
use xietong_mesh::token::Issuer;
use xietong_mesh::{Ground, Service, ServiceName};
use xietong_store::CrashPoints;
use xietong_timers::{Clock, Gate, Progress, Worker};

use crate::cli::UpArgs;
use crate::keys::{AUDIENCE, LOCAL_ISSUER, MeshKeys, issuer_keys, write_private};
use crate::run::{RunOptions, Running, build};
use crate::serve::attachments;
use crate::token;

use advance::CityClock;
use folder::Folder;
use moves::Moves;
pub(crate) use signed::Callers;

/// Subject of the account that a new data folder has.
pub const ADMINISTRATOR: &str = "administrator";
/// File with the address of the process that runs on the folder.
pub const ADDRESS_FILE: &str = "address";
/// File with the administrator's bearer token.
pub const DEV_TOKEN: &str = "dev-token";

const DEV_TOKEN_LIFETIME: Duration = Duration::from_secs(30 * 86_400);
/// How long open calls may take at the front door, and then behind it.
const GATEWAY_GRACE: Duration = Duration::from_secs(10);
const SERVICE_GRACE: Duration = Duration::from_secs(5);
/// How often a simulated clock is stored.
const SAVE_CLOCK: Duration = Duration::from_secs(1);
/// The four that own a database; the roster first, for the others copy it.
const SERVICES: [ServiceName; 4] =
    [ServiceName::Roster, ServiceName::Supervision, ServiceName::Workgroup, ServiceName::Notification];

/// Runs until the process is told to end.
pub fn run(arguments: UpArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let config = TelemetryConfig { log: "warn".to_owned(), ..TelemetryConfig::default() };
        let telemetry = Telemetry::init("xietong", &config)?;
        let shutdown = shutdown_signal()?;
        tokio::pin!(shutdown);
        // Cut off anywhere, a start is completed by the next one.
        let city = tokio::select! {
            started = City::start(&arguments) => started?,
            () = &mut shutdown => return Ok(()),
        };
        println!("{}", city.picture());
        println!("ready http://{}", city.address());
        let ended = city.run(shutdown).await;
        telemetry.shutdown().await;
        ended
    })
}

/// The five services of one process, ready.
pub struct City {
    address: SocketAddr,
    administrator: String,
    clock: Arc<CityClock>,
    business: Clock,
    callers: Callers,
    services: Vec<Running>,
    gateway: tokio::task::JoinHandle<()>,
    stop_gateway: CancellationToken,
    picture: String,
    _folder: Folder,
}

impl City {
    /// Starts everything and returns when every call can be answered.
    pub async fn start(arguments: &UpArgs) -> anyhow::Result<City> {
        let folder = Folder::take(&arguments.data)?;
        let clock = folder.clock(arguments)?;
        let sample = folder.to_fill(arguments.sample)?;
        let issuer = issuer_keys(folder.path())?;
        let keys = MeshKeys::generate()?;
        let (bus, gate, drain) = (Bus::embedded(), Gate::new(), Drain::new());
        let http = TcpListener::bind(arguments.http)
            .await
            .with_context(|| format!("listening on {}", arguments.http))?;
        let address = http.local_addr()?;

        let mut listeners = BTreeMap::new();
        let mut urls = BTreeMap::new();
        for name in SERVICES {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            urls.insert(name, format!("http://{}", listener.local_addr()?));
            listeners.insert(name, listener);
        }
        let mut services = Vec::new();
        for name in SERVICES {
            let peers = Peers::new(name, &urls, keys.signer(Issuer::System(name))?)?;
            let ground = Ground {
                name,
                database_url: folder.database_url(name),
                connections: 1,
                crash: CrashPoints::default(),
                clock: clock.clone(),
                bus: bus.clone(),
                peers,
                drain: drain.clone(),
            };
            // Webhooks go to public addresses alone: a laptop's network is nobody's to be sent to. Nothing
            // goes out by e-mail or message.
            let service = build(ground, Some(ADMINISTRATOR), None, None).await;
            services.push(service.with_context(|| format!("starting {name}"))?);
        }
        catch_up(&clock, &services).await?;
        for service in &services {
            service.take_over().await?;
        }

        // The front door drains first, so it has a readiness of its own.
        let (readiness, front_readiness) = (Readiness::new(), Readiness::new());
        // There is one page of metrics, the front door's.
        let metrics = Metrics::new(ServiceName::Gateway);
        let mut running = Vec::new();
        for service in &services {
            let listener = listeners.remove(&service.name).context("a listener for each service")?;
            let measured = Metrics::new(service.name);
            service.register(&measured);
            let layer = MeshLayer::new(keys.verifier()?, measured.clone())?;
            metrics.show_beside(measured);
            let options = RunOptions {
                listener,
                layer,
                grace: SERVICE_GRACE,
                readiness: readiness.clone(),
                gate: gate.clone(),
            };
            running.push(Running::start(service, options));
        }
        complete_copies(&services).await?;

        let city_clock =
            Arc::new(CityClock::new(clock.clone(), gate, &services, Moves::open(&folder.moves())?));
        let front_peers =
            Peers::new(ServiceName::Gateway, &urls, keys.signer(Issuer::System(ServiceName::Gateway))?)?;
        let parts = GatewayParts {
            peers: front_peers.clone(),
            signer: keys.signer(Issuer::Gateway)?,
            verifier: keys.verifier()?,
            tokens: TokenVerifier::new(LOCAL_ISSUER, AUDIENCE, &issuer.public_pem)?,
            clock: city_clock.clone(),
            attachments: attachments(folder.attachments())?,
            metrics,
            readiness: front_readiness.clone(),
            drain: GATEWAY_GRACE,
        };
        let stop_gateway = CancellationToken::new();
        let gateway = tokio::spawn(Gateway::new(parts)?.serve(http, stop_gateway.clone().cancelled_owned()));

        let administrator = token::issue(&issuer.private_pem, ADMINISTRATOR, DEV_TOKEN_LIFETIME)?;
        write_private(&folder.path().join(DEV_TOKEN), &administrator)?;
        write_private(&folder.path().join(ADDRESS_FILE), &format!("http://{address}"))?;
        let callers = Callers::new(front_peers, keys.signer(Issuer::Gateway)?);
        let until = Folder::handed_over_at(arguments)?;
        sample::load(&callers, sample, &city_clock, until).await.context("loading the sample")?;
        folder.filled(sample)?;
        complete_copies(&services).await?;
        let view = services.iter().find_map(|service| service.copy.as_ref()).map(|copy| copy.view());
        let picture = picture::draw(&callers, &clock, &view.unwrap_or_default()).await?;
        readiness.release();
        front_readiness.release();
        Ok(City {
            address,
            administrator,
            clock: city_clock,
            business: clock,
            callers,
            services: running,
            gateway,
            stop_gateway,
            picture,
            _folder: folder,
        })
    }

    /// Where the gateway listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The administrator's bearer token.
    pub fn administrator(&self) -> &str {
        &self.administrator
    }

    /// A short picture of the city as it was when it had started, in Chinese.
    pub fn picture(&self) -> &str {
        &self.picture
    }

    /// Makes calls of the API for whoever has an account.
    pub(crate) fn callers(&self) -> &Callers {
        &self.callers
    }

    /// Lets the city live until an instant of its simulated clock and stand still there.
    pub(crate) async fn stand_at(&self, instant: Timestamp) -> anyhow::Result<()> {
        Ok(self.clock.stand_at(instant).await?)
    }

    /// Runs until `shutdown` is ready or a part fails, then ends everything in order.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let failure = {
            let any_fails = futures_util::future::select_all(
                self.services.iter_mut().map(|service| Box::pin(service.failed())),
            );
            tokio::select! {
                () = shutdown => None,
                () = keep_clock(&self.business) => None,
                (error, ..) = any_fails => Some(error),
            }
        };
        let stopped = self.stop().await;
        failure.map_or(stopped, Err)
    }

    /// Ends the front door first, then what is behind it.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop_gateway.cancel();
        self.gateway.await.context("the gateway")?;
        let stopping = self.services.into_iter().map(Running::stop);
        for stopped in futures_util::future::join_all(stopping).await {
            stopped?;
        }
        if let Some(clock) = self.business.simulated() {
            clock.save()?;
        }
        Ok(())
    }
}

/// The logs may know of later acts than the stored clock: it must not run behind them.
async fn catch_up(clock: &Clock, services: &[Service]) -> anyhow::Result<()> {
    if let Some(clock) = clock.simulated() {
        for service in services {
            if let Some(latest) = service.log.last_occurred_at().await? {
                clock.at_least(latest);
            }
        }
    }
    Ok(())
}

/// Fills each service's copy of the roster: only then can it answer.
async fn complete_copies(services: &[Service]) -> anyhow::Result<()> {
    for copy in services.iter().filter_map(|service| service.copy.as_ref()) {
        while copy.turn().await? == Progress::Worked || !copy.is_complete() {}
    }
    Ok(())
}

async fn keep_clock(clock: &Clock) {
    let Some(clock) = clock.simulated() else { return std::future::pending().await };
    loop {
        tokio::time::sleep(SAVE_CLOCK).await;
        if let Err(error) = clock.save() {
            tracing::error!(%error, "the simulated clock could not be stored");
        }
    }
}
