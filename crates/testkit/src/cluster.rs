//! The mesh as it runs in production: a process a service, over PostgreSQL and Redis.
//!
//! Each process is the very program that is deployed, with a configuration file of its
//! own. It can be killed, paused, told to die at a crash point, and started again on the
//! same ports and database.

mod config;
mod node;
mod ports;

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, bail};
use domain_calendar::Timestamp;
use tempfile::TempDir;
use tokio::process::Command;
use xietong_mesh::ServiceName;
use xietong_mesh::token::{Issuer, Signer};
use xietong_store::CrashPoint;
use xietong_timers::{Clock, MachineClock};

use crate::api::{Api, Protocol};
use crate::databases::Databases;
use crate::servers::postgres_database_in;

use config::{Keys, Settings};
use node::Node;

pub use node::send_signal;

/// Subject of the account that the roster of a new cluster has.
pub const ADMINISTRATOR: &str = "administrator";

/// Where the path of the built program is given.
const PROGRAM: &str = "XIETONG_PROGRAM";

/// How long a process may take until it is ready.
pub const READY_WITHIN: Duration = Duration::from_secs(60);

/// The services that own a database; the roster first, for the others copy it.
const WITH_DATABASE: [ServiceName; 4] =
    [ServiceName::Roster, ServiceName::Supervision, ServiceName::Workgroup, ServiceName::Notification];

/// A process of the cluster: a service, and which of its replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// The service.
    pub service: ServiceName,
    /// 0 is the one that its peers call.
    pub replica: u8,
}

impl From<ServiceName> for Member {
    fn from(service: ServiceName) -> Self {
        Member { service, replica: 0 }
    }
}

/// A point to die at, and how often it is passed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash {
    /// The point.
    pub point: CrashPoint,
    /// How often it is passed before.
    pub passes: u32,
}

/// Five processes or more. All are killed and all files removed when it is dropped; the
/// ends of their logs are printed first when the test has failed.
pub struct Cluster {
    nodes: BTreeMap<Member, Node>,
    databases: BTreeMap<ServiceName, String>,
    redis: String,
    keys: Keys,
    folder: TempDir,
    program: PathBuf,
    clock_ahead_seconds: i64,
    webhook_seconds: Option<u64>,
}

impl Cluster {
    /// Prepares new databases in a PostgreSQL, keys, ports and configurations. Nothing runs
    /// yet.
    ///
    /// # Errors
    /// When there is no program, or no database can be made.
    pub async fn prepare(postgres: &str, redis: &str) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("xietong-cluster-").tempdir()?;
        let mut databases = BTreeMap::new();
        for service in WITH_DATABASE {
            databases.insert(service, postgres_database_in(postgres, service.as_str()).await?);
        }
        let mut nodes = BTreeMap::new();
        for service in ServiceName::ALL {
            nodes.insert(Member::from(service), Node::new(Member::from(service), folder.path())?);
        }
        Ok(Cluster {
            nodes,
            databases,
            redis: redis.to_owned(),
            keys: Keys::write(folder.path())?,
            program: program()?,
            folder,
            clock_ahead_seconds: 0,
            webhook_seconds: None,
        })
    }

    /// Business time is this now, in every process that is started from here on: what is told at
    /// night differs from what is told at work, and a test is not to depend on when it runs.
    #[must_use]
    pub fn with_time(mut self, now: Timestamp) -> Self {
        let micros = now.as_micros().saturating_sub(Clock::real().now().as_micros());
        self.clock_ahead_seconds = micros.div_euclid(1_000_000);
        self
    }

    /// An attempt at a webhook takes at most so many seconds in every process that is started from
    /// here on: what a process that was killed had claimed is another's soon after.
    #[must_use]
    pub fn with_webhook_seconds(mut self, seconds: u64) -> Self {
        self.webhook_seconds = Some(seconds);
        self
    }

    /// Prepares a cluster, starts all of it and waits until it is ready.
    ///
    /// # Errors
    /// When a process ends or is not ready in time.
    pub async fn start_all(postgres: &str, redis: &str) -> anyhow::Result<Self> {
        let mut cluster = Self::prepare(postgres, redis).await?;
        cluster.start_rest().await?;
        Ok(cluster)
    }

    /// Starts every service that does not run and waits until all are ready.
    ///
    /// # Errors
    /// When a process ends or is not ready in time.
    pub async fn start_rest(&mut self) -> anyhow::Result<()> {
        let idle: Vec<Member> =
            self.nodes.iter().filter(|(_, node)| !node.runs()).map(|(member, _)| *member).collect();
        for member in idle {
            self.start(member, None)?;
        }
        let members: Vec<Member> = self.nodes.keys().copied().collect();
        for member in members {
            self.wait_ready(member).await?;
        }
        Ok(())
    }

    /// Starts a process, which dies at the crash point if one is given. It is not ready
    /// when this returns. A replica that was never started before gets its place here.
    ///
    /// # Errors
    /// When it runs already, or cannot be started.
    pub fn start(&mut self, member: impl Into<Member>, crash: Option<Crash>) -> anyhow::Result<()> {
        let member = member.into();
        if !self.nodes.contains_key(&member) {
            self.nodes.insert(member, Node::new(member, self.folder.path())?);
        }
        let peers: BTreeMap<ServiceName, String> = WITH_DATABASE
            .into_iter()
            .filter_map(|peer| Some((peer, self.nodes.get(&Member::from(peer))?.url())))
            .filter(|(peer, _)| *peer != member.service)
            .collect();
        let node = self.nodes.get_mut(&member).context("just inserted")?;
        let settings = Settings {
            service: member.service,
            listen: node.listen(),
            admin_listen: node.admin_listen(),
            database_url: self.databases.get(&member.service).map(String::as_str),
            redis: &self.redis,
            peers: &peers,
            keys: &self.keys,
            crash,
            clock_ahead_seconds: self.clock_ahead_seconds,
            webhook_seconds: self.webhook_seconds,
        };
        node.start(&self.program, &settings.to_toml())
    }

    /// Waits until a process answers that it is ready.
    ///
    /// # Errors
    /// When it ends before, or takes longer than [`READY_WITHIN`].
    pub async fn wait_ready(&mut self, member: impl Into<Member>) -> anyhow::Result<()> {
        self.node(member)?.wait_ready(READY_WITHIN).await
    }

    /// Kills a process as the kernel would (`SIGKILL`).
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill(&mut self, member: impl Into<Member>) -> anyhow::Result<()> {
        self.node(member)?.kill().await
    }

    /// Waits until a process ends by itself, and says how.
    ///
    /// # Errors
    /// When it does not run, or has not ended within `bound`.
    pub async fn wait_ended(
        &mut self,
        member: impl Into<Member>,
        bound: Duration,
    ) -> anyhow::Result<ExitStatus> {
        self.node(member)?.wait_ended(bound).await
    }

    /// Tells a process to end (`SIGTERM`); [`Cluster::wait_ended`] says how it did.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn terminate(&mut self, member: impl Into<Member>) -> anyhow::Result<()> {
        self.node(member)?.signal("TERM").await
    }

    /// Stops a process in its tracks (`SIGSTOP`).
    ///
    /// # Errors
    /// When it does not run.
    pub async fn pause(&mut self, member: impl Into<Member>) -> anyhow::Result<()> {
        self.node(member)?.signal("STOP").await
    }

    /// Lets a paused process go on (`SIGCONT`).
    ///
    /// # Errors
    /// When it does not run.
    pub async fn resume(&mut self, member: impl Into<Member>) -> anyhow::Result<()> {
        self.node(member)?.signal("CONT").await
    }

    /// Whether a process runs.
    pub fn runs(&mut self, member: impl Into<Member>) -> bool {
        self.nodes.get_mut(&member.into()).is_some_and(|node| node.ended().is_none())
    }

    /// What a process has written to its log since it was started last.
    ///
    /// # Errors
    /// When it was never started.
    pub fn log_text(&mut self, member: impl Into<Member>) -> anyhow::Result<String> {
        self.node(member)?.log_text()
    }

    /// Where the gateway is, for example `http://127.0.0.1:12345`.
    ///
    /// # Errors
    /// Never in a cluster that was prepared.
    pub fn gateway(&self) -> anyhow::Result<String> {
        Ok(self.nodes.get(&Member::from(ServiceName::Gateway)).context("no gateway")?.url())
    }

    /// Where a process serves gRPC, for example `127.0.0.1:12345`.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn address(&mut self, member: impl Into<Member>) -> anyhow::Result<String> {
        Ok(self.node(member)?.listen())
    }

    /// The number of a process, while it runs.
    pub fn process_id(&self, member: impl Into<Member>) -> Option<u32> {
        self.nodes.get(&member.into())?.process_id()
    }

    /// Signs as the gateway does, for calls straight to a service.
    ///
    /// # Errors
    /// When the key cannot be read.
    pub fn gateway_signer(&self) -> anyhow::Result<Signer> {
        Ok(Signer::new(Issuer::Gateway, self.keys.signing_key(ServiceName::Gateway)?, MachineClock::system()))
    }

    /// Signs as the jobs of a service do.
    ///
    /// # Errors
    /// When the key cannot be read.
    pub fn service_signer(&self, service: ServiceName) -> anyhow::Result<Signer> {
        let key = self.keys.signing_key(service)?;
        Ok(Signer::new(Issuer::System(service), key, MachineClock::system()))
    }

    /// Where a service's database is.
    ///
    /// # Errors
    /// When it has none.
    pub fn database_url(&self, service: ServiceName) -> anyhow::Result<&str> {
        self.databases.get(&service).map(String::as_str).with_context(|| format!("{service} has no database"))
    }

    /// Looks into the databases.
    ///
    /// # Errors
    /// When one cannot be reached.
    pub async fn databases(&self) -> anyhow::Result<Databases> {
        Databases::open(&self.databases).await
    }

    /// A bearer token for a subject, made by the program itself.
    ///
    /// # Errors
    /// When the program refuses.
    pub async fn token(&self, subject: &str) -> anyhow::Result<String> {
        let mut command = Command::new(&self.program);
        command.args(["token", subject, "--data"]).arg(self.keys.issuer_folder());
        let output = command.output().await.context("starting the program")?;
        if !output.status.success() {
            bail!("no token for {subject}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// A client of the gateway for a subject.
    ///
    /// # Errors
    /// When there is no token for it.
    pub async fn api(&self, protocol: Protocol, subject: &str) -> anyhow::Result<Api> {
        Api::new(&self.gateway()?, protocol, &self.token(subject).await?)
    }

    fn node(&mut self, member: impl Into<Member>) -> anyhow::Result<&mut Node> {
        let member = member.into();
        self.nodes.get_mut(&member).with_context(|| format!("{member:?} is not in the cluster"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for node in self.nodes.values() {
                node.print_end_of_log();
            }
        }
    }
}

/// The program under test: named by whoever runs the tests, else built beside the test.
///
/// # Errors
/// When there is none.
pub fn program() -> anyhow::Result<PathBuf> {
    if let Some(program) = env::var_os(PROGRAM).filter(|path| !path.is_empty()) {
        return Ok(program.into());
    }
    // target/debug/deps/e2e-… → target/debug/xietong
    let own = env::current_exe()?;
    let program = own.parent().and_then(|deps| deps.parent()).map(|folder| folder.join("xietong"));
    match program {
        Some(program) if program.is_file() => Ok(program),
        Some(_) | None => bail!("build the program first (cargo build -p xietong), or name it in {PROGRAM}"),
    }
}
