//! A service put together: its database, log, workers and routes.

use std::sync::Arc;

use prometheus_client::registry::Registry;
use tonic::service::Routes;
use xietong_events::{Bus, Consumer, ConsumerParts, EventHandler, EventLog, Sequencer};
use xietong_proto::common::attachment_holding_service_server::AttachmentHoldingServiceServer;
use xietong_proto::common::event_log_service_server::EventLogServiceServer;
use xietong_store::{CrashPoints, Db, SqlMigration, StoreError, migrate};
use xietong_timers::{Clock, Poke, TimerHandler, Timers, Worker, WorkerError};

use crate::attachments::{self, Holdings};
use crate::client::Peers;
use crate::drain::Drain;
use crate::event_log::{EventLogServer, RemoteLog};
use crate::idempotency;
use crate::metrics::Metrics;
use crate::roster_copy::RosterCopy;
use crate::roster_snapshot::RemoteSnapshot;
use crate::service_name::ServiceName;
use crate::transaction::Transactions;

/// What a service is given to work with.
pub struct Foundation {
    /// Which service it is.
    pub name: ServiceName,
    /// Its own database, at the newest schema.
    pub db: Db,
    /// Business time.
    pub clock: Clock,
    /// Its own event log.
    pub log: EventLog,
    /// The fast path.
    pub bus: Bus,
    /// The other services.
    pub peers: Peers,
    /// Begins when the process is told to end: open streams must then end.
    pub drain: Drain,
    /// Begins its transactions.
    pub transactions: Transactions,
    scheduled: Poke,
}

/// How to lay a [`Foundation`].
pub struct Ground {
    /// Which service it is.
    pub name: ServiceName,
    /// `sqlite://…` or `postgres://…`.
    pub database_url: String,
    /// Bound of the PostgreSQL pool.
    pub connections: u32,
    /// Armed crash points, if any.
    pub crash: CrashPoints,
    /// Business time.
    pub clock: Clock,
    /// The fast path.
    pub bus: Bus,
    /// The other services.
    pub peers: Peers,
    /// Begins when the process is told to end.
    pub drain: Drain,
}

impl Foundation {
    /// Connects, migrates and opens the log. `own` are the service's own migrations.
    pub async fn lay(ground: Ground, own: &[SqlMigration]) -> Result<Self, StoreError> {
        let db = Db::connect(&ground.database_url, ground.connections, ground.crash).await?;
        let shared = [
            xietong_events::MIGRATIONS,
            xietong_timers::MIGRATIONS,
            idempotency::MIGRATIONS,
            attachments::MIGRATIONS,
        ];
        migrate(&db, &[&shared.concat(), own].concat()).await?;
        let log = EventLog::open(ground.name.as_str(), db.clone()).await?;
        let scheduled = Poke::new();
        let transactions =
            Transactions::new(db.clone(), log.clone(), ground.clock.clone(), scheduled.clone());
        Ok(Foundation {
            name: ground.name,
            db,
            clock: ground.clock,
            log,
            bus: ground.bus,
            peers: ground.peers,
            drain: ground.drain,
            transactions,
            scheduled,
        })
    }

    /// A copy of the roster for this service; hand it to [`Assembly::copy`].
    pub fn roster_copy(&self) -> Arc<RosterCopy> {
        let source = Arc::new(RemoteLog::new(ServiceName::Roster, self.peers.clone()));
        let snapshots = Arc::new(RemoteSnapshot::new(self.peers.clone()));
        Arc::new(RosterCopy::new(self.name, source, &self.bus).starting_from(snapshots))
    }

    /// Puts the service together.
    pub fn assemble(self, assembly: Assembly) -> Service {
        let mut workers: Vec<Arc<dyn Worker>> = Vec::new();
        if let Some(copy) = &assembly.copy {
            workers.push(copy.clone());
        }
        workers.push(Arc::new(Sequencer::new(self.log.clone(), self.bus.clone())));
        let consumers: Vec<Arc<Consumer>> = assembly
            .consumers
            .into_iter()
            .map(|(producer, handler)| self.consumer(self.name.as_str(), producer, handler))
            .chain(
                assembly
                    .others
                    .into_iter()
                    .map(|OtherConsumer { name, producer, handler }| self.consumer(name, producer, handler)),
            )
            .collect();
        workers.extend(consumers.iter().map(|consumer| consumer.clone() as Arc<dyn Worker>));
        workers.extend(assembly.jobs);
        let timers = assembly.timers.map(|handler| {
            let (scheduled, committed) = (self.scheduled.clone(), self.log.committed().clone());
            let timers = Timers::new(
                self.name.as_str(),
                self.db.clone(),
                self.clock.clone(),
                handler,
                scheduled,
                committed,
            );
            Arc::new(timers)
        });
        if let Some(timers) = &timers {
            workers.push(timers.clone());
        }
        workers.push(Arc::new(idempotency::Sweeper::new(self.name.as_str(), self.db.clone())));
        let feed = EventLogServiceServer::new(EventLogServer::new(self.log.clone()));
        let holdings = AttachmentHoldingServiceServer::new(Holdings::new(self.db.clone()));
        Service {
            name: self.name,
            routes: assembly.routes.add_service(feed).add_service(holdings),
            workers,
            consumers,
            timers,
            copy: assembly.copy,
            log: self.log,
            db: self.db,
            drain: self.drain,
            registers: Vec::new(),
        }
    }

    fn consumer(&self, name: &str, producer: ServiceName, handler: Arc<dyn EventHandler>) -> Arc<Consumer> {
        let parts = ConsumerParts {
            consumer: name.to_owned(),
            producer: producer.as_str().to_owned(),
            db: self.db.clone(),
            source: Arc::new(RemoteLog::new(producer, self.peers.clone())),
            handler,
            committed: self.log.committed().clone(),
        };
        Arc::new(Consumer::new(parts, &self.bus))
    }
}

/// What a service adds to its foundation.
#[derive(Default)]
pub struct Assembly {
    /// Its own gRPC services.
    pub routes: Routes,
    /// The copy of the roster it resolves with, if it does.
    pub copy: Option<Arc<RosterCopy>>,
    /// Whom it follows, and what it does with their events.
    pub consumers: Vec<(ServiceName, Arc<dyn EventHandler>)>,
    /// Whom it follows a second time, for effects that have nothing to do with those of
    /// [`consumers`](Self::consumers).
    pub others: Vec<OtherConsumer>,
    /// Its background jobs.
    pub jobs: Vec<Arc<dyn Worker>>,
    /// What it does when timers are due, if it has any.
    pub timers: Option<Arc<dyn TimerHandler>>,
}

/// A consumer with a cursor of its own.
pub struct OtherConsumer {
    /// Whose cursor it is: `{service}/{what for}`, never to be changed.
    pub name: &'static str,
    /// Whom it follows, from the beginning.
    pub producer: ServiceName,
    /// What it does with the events.
    pub handler: Arc<dyn EventHandler>,
}

/// A service ready to be run: [`Service::routes`] served, [`Service::workers`] turning.
pub struct Service {
    /// Which one it is.
    pub name: ServiceName,
    /// Its gRPC services, the event feed included.
    pub routes: Routes,
    /// Everything it does on its own account, in the order they are driven when the
    /// clock is advanced.
    pub workers: Vec<Arc<dyn Worker>>,
    /// Those of the workers that follow other services, its own before the others.
    pub consumers: Vec<Arc<Consumer>>,
    /// The one that fires timers.
    pub timers: Option<Arc<Timers>>,
    /// Its copy of the roster.
    pub copy: Option<Arc<RosterCopy>>,
    /// Its log.
    pub log: EventLog,
    /// Its database.
    pub db: Db,
    /// Begins when the process is told to end.
    pub drain: Drain,
    /// Add what it measures of its own to a registry of metrics.
    pub registers: Vec<Register>,
}

/// Adds metrics to a registry.
pub type Register = Arc<dyn Fn(&mut Registry) + Send + Sync>;

impl Service {
    /// The same service, which also measures something of its own.
    #[must_use]
    pub fn measuring(mut self, register: Register) -> Self {
        self.registers.push(register);
        self
    }

    /// Adds what it measures of its own to the metrics of its process.
    pub fn register(&self, metrics: &Metrics) {
        for register in &self.registers {
            metrics.register(|registry| register(registry));
        }
    }

    /// Takes over at once whatever an earlier process has left claimed. Only for whoever
    /// knows that no other process works on the database.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_over(&self) -> Result<(), WorkerError> {
        for worker in &self.workers {
            worker.take_over().await?;
        }
        Ok(())
    }

    /// True when everything a caller may ask for can be answered.
    pub fn is_ready(&self) -> bool {
        self.copy.as_ref().is_none_or(|copy| copy.is_complete())
    }
}
