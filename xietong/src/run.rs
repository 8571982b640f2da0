//! Running a service that is put together: its gRPC server and its workers.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use xietong_events::Consumer;
use xietong_mesh::config::{ChannelsConfig, WebhooksConfig};
use xietong_mesh::drain::Drain;
use xietong_mesh::layer::MeshLayer;
use xietong_mesh::readiness::Readiness;
use xietong_mesh::serve::{ServeOptions, serve};
use xietong_mesh::{Ground, Service, ServiceName};
use xietong_notification::{Timeouts, WebhookSettings};
use xietong_timers::{Gate, Runner};

/// How long workers may take to finish their turns once they are told to stop.
const WORKERS_GRACE: Duration = Duration::from_secs(3);
/// How long giving back leases may take: it only saves the next process a wait.
const RELEASE_WITHIN: Duration = Duration::from_secs(1);

/// Puts a service of the mesh together. A roster without an administrator is given one; `webhooks` and
/// `channels` are for notification, which sends webhooks to public addresses alone without the first,
/// and nothing by e-mail or message without the second.
pub async fn build(
    ground: Ground,
    administrator: Option<&str>,
    webhooks: Option<&WebhooksConfig>,
    channels: Option<&ChannelsConfig>,
) -> anyhow::Result<Service> {
    Ok(match ground.name {
        ServiceName::Roster => {
            let foundation = xietong_roster::lay(ground).await?;
            if let Some(subject) = administrator {
                xietong_roster::seed_administrator(&foundation, subject).await?;
            }
            xietong_roster::assemble(foundation)
        }
        ServiceName::Supervision => xietong_supervision::build(ground).await?,
        ServiceName::Workgroup => xietong_workgroup::build(ground).await?,
        ServiceName::Notification => {
            let channels = crate::channels::settings(channels)?;
            xietong_notification::build(ground, settings(webhooks)?, channels).await?
        }
        ServiceName::Gateway => anyhow::bail!("the gateway owns no service database"),
    })
}

fn settings(webhooks: Option<&WebhooksConfig>) -> anyhow::Result<WebhookSettings> {
    let Some(config) = webhooks else { return Ok(WebhookSettings::default()) };
    let [connect, answer, whole] = config.timeouts();
    let timeouts = Timeouts { connect, answer, whole };
    let settings = WebhookSettings::new(config.policy()?, timeouts, usize::try_from(config.concurrency)?);
    Ok(WebhookSettings { authorities: config.authorities()?, ..settings })
}

/// A service that runs.
pub struct Running {
    name: ServiceName,
    /// Gone once its end was seen.
    server: Option<JoinHandle<anyhow::Result<()>>>,
    shutdown: CancellationToken,
    workers: JoinSet<()>,
    stop_workers: watch::Sender<bool>,
    consumers: Vec<Arc<Consumer>>,
}

/// How a service is run.
pub struct RunOptions {
    /// Where its gRPC server listens.
    pub listener: TcpListener,
    /// Authenticates and authorises.
    pub layer: MeshLayer,
    /// How long open calls may take once it is told to end.
    pub grace: Duration,
    /// Released by whoever knows that everything a caller may ask for can be answered.
    pub readiness: Readiness,
    /// Holds its workers still.
    pub gate: Gate,
}

impl Running {
    /// Starts the server and the workers.
    pub fn start(service: &Service, options: RunOptions) -> Self {
        let shutdown = CancellationToken::new();
        let drain: Drain = service.drain.clone();
        let serving = ServeOptions {
            listener: options.listener,
            routes: service.routes.clone(),
            layer: options.layer,
            grace: options.grace,
            readiness: options.readiness,
            drain,
        };
        let stopped = shutdown.clone().cancelled_owned();
        let server = tokio::spawn(async move { Ok(serve(serving, stopped).await?) });

        let (stop_workers, stop) = watch::channel(false);
        let mut workers = JoinSet::new();
        for worker in &service.workers {
            workers.spawn(Runner::new(options.gate.clone(), stop.clone()).run(worker.clone()));
        }
        let consumers = service.consumers.clone();
        Running { name: service.name, server: Some(server), shutdown, workers, stop_workers, consumers }
    }

    /// Returns when the server ends without having been told to: its listener failed.
    pub async fn failed(&mut self) -> anyhow::Error {
        let Some(server) = &mut self.server else { return std::future::pending().await };
        let ended = server.await;
        self.server = None;
        match ended {
            Ok(Err(error)) => error.context(format!("{} failed", self.name.as_str())),
            Ok(Ok(())) => anyhow::anyhow!("{} ended", self.name.as_str()),
            Err(error) => anyhow::Error::new(error).context(format!("{} failed", self.name.as_str())),
        }
    }

    /// Stops accepting, lets open calls end within the grace, then stops the workers.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        let served = match self.server {
            Some(server) => server.await.context("the server")?,
            None => Ok(()),
        };
        // Nobody listens any more: an error only says that everybody has ended.
        let _ended = self.stop_workers.send(true);
        let finished = async { while self.workers.join_next().await.is_some() {} };
        if tokio::time::timeout(WORKERS_GRACE, finished).await.is_err() {
            // Turns are safe to cut off anywhere: what they had not committed is redone.
            tracing::warn!(service = self.name.as_str(), "workers were cut off in their turn");
            self.workers.shutdown().await;
        }
        let release = async {
            for consumer in &self.consumers {
                if let Err(error) = consumer.release().await {
                    // The lease ends by itself, only later.
                    tracing::debug!(service = self.name.as_str(), %error, "a lease was not given back");
                }
            }
        };
        if tokio::time::timeout(RELEASE_WITHIN, release).await.is_err() {
            tracing::debug!(service = self.name.as_str(), "leases were not given back in time");
        }
        served
    }
}
