//! [`Consumer`]: applies another service's log to this service's database, each event
//! once and in order, whatever the bus, the processes or the databases do meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sea_orm::{DatabaseTransaction, DbErr};
use tokio::sync::Mutex;
use xietong_store::{CrashPoint, Db, StoreError};
use xietong_timers::{MachineClock, MachineTime, Poke, Progress, Worker, WorkerError};

use crate::bus::{Bus, Subscription};
use crate::cursor::{Cursor, Held};
use crate::event::Event;
use crate::log::Epoch;

const BATCH: u32 = 200;
/// How often the producer is asked when the bus is silent: covers every loss.
const POLL: Duration = Duration::from_secs(1);
/// Events kept ahead of a gap; more are dropped and fetched.
const AHEAD: usize = 2_000;

/// A dense run of a producer's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// The incarnations of the log, the oldest first and the present one last.
    pub epochs: Vec<Epoch>,
    /// The highest position given out.
    pub last_position: i64,
    /// Events are committed that have no position yet.
    pub pending: bool,
    /// Events from the asked position on.
    pub events: Vec<Event>,
}

impl LogPage {
    /// The name of the present incarnation.
    pub fn epoch(&self) -> &str {
        self.epochs.last().map_or("", |epoch| &epoch.name)
    }

    /// The last position that a reader who stands in `epoch` may have and go on from: what
    /// it has applied up to there, this log still holds. `None` when the log knows no such
    /// incarnation. The empty name stands for a reader who has applied nothing.
    pub fn reach(&self, epoch: &str) -> Option<i64> {
        if epoch.is_empty() {
            return Some(self.last_position);
        }
        let later = self.epochs.iter().skip_while(|one| one.name != epoch);
        let known = self.epochs.iter().any(|one| one.name == epoch);
        let cut = later.skip(1).map(|one| one.after_position).fold(self.last_position, i64::min);
        known.then_some(cut)
    }
}

/// The producer could not be read.
#[derive(Debug, thiserror::Error)]
#[error("reading the log of {producer}: {why}")]
pub struct SourceError {
    /// Whose log.
    pub producer: String,
    /// What went wrong.
    pub why: String,
}

/// Where a producer's log can be read, in practice by RPC.
#[async_trait]
pub trait EventSource: Send + Sync {
    /// Reads at most `limit` events after a position.
    async fn read(&self, after: i64, limit: u32) -> Result<LogPage, SourceError>;
}

/// Why events could not be applied. They stay, and are tried again in order.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ApplyError(Box<dyn std::error::Error + Send + Sync>);

impl ApplyError {
    /// Wraps whatever went wrong.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        ApplyError(error.into())
    }
}

impl From<StoreError> for ApplyError {
    fn from(error: StoreError) -> Self {
        ApplyError::new(error)
    }
}

impl From<DbErr> for ApplyError {
    fn from(error: DbErr) -> Self {
        ApplyError::new(error)
    }
}

/// What a service does with another's events.
#[async_trait]
pub trait EventHandler: Send + Sync {
    /// Writes the effects of `events`, which follow one another, into `tx`. Unknown types
    /// are skipped: an older reader must not stop at a newer writer's event.
    async fn apply(&self, tx: &DatabaseTransaction, events: &[Event]) -> Result<(), ApplyError>;

    /// How long it may wait for more after events that were few: many at once cost each of them
    /// less, and nobody waits for these.
    fn gather(&self) -> Duration {
        Duration::ZERO
    }
}

/// Follows one producer on behalf of one service.
pub struct Consumer {
    name: String,
    producer: String,
    db: Db,
    source: Arc<dyn EventSource>,
    handler: Arc<dyn EventHandler>,
    machine: MachineClock,
    cursor: Cursor,
    /// Asks the producer whenever the bus has nothing, not only once a poll.
    eager: bool,
    /// Poked after each commit: effects may be events, which want sequencing.
    committed: Poke,
    state: Mutex<State>,
    subscription: Subscription,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    ahead: BTreeMap<i64, Event>,
    ahead_epoch: String,
    fetched_at: Option<MachineTime>,
    /// The producer had more than was fetched last.
    behind: bool,
    /// Another replica holds the cursor: it is not asked for again before.
    stand_by_until: Option<MachineTime>,
    /// Up to here events are applied one at a time: one of them cannot be.
    single_file_to: i64,
    /// The last events that were applied were as many as may be.
    full: bool,
}

impl State {
    /// Keeps events that are not applied yet; those of another incarnation are dropped.
    fn keep_ahead(&mut self, epoch: &str, events: impl IntoIterator<Item = Event>) {
        if self.ahead_epoch != epoch {
            self.ahead.clear();
            epoch.clone_into(&mut self.ahead_epoch);
        }
        self.ahead.extend(events.into_iter().map(|event| (event.position, event)));
    }
}

/// The parts of a consumer.
pub struct ConsumerParts {
    /// The consuming service.
    pub consumer: String,
    /// The producing service.
    pub producer: String,
    /// The consumer's database.
    pub db: Db,
    /// Where the producer can be asked.
    pub source: Arc<dyn EventSource>,
    /// What to do with events.
    pub handler: Arc<dyn EventHandler>,
    /// Poked after each commit.
    pub committed: Poke,
}

impl Consumer {
    /// A consumer that listens to `bus`.
    pub fn new(parts: ConsumerParts, bus: &Bus) -> Self {
        let machine = MachineClock::system();
        Consumer {
            name: format!("{}/consumer/{}", parts.consumer, parts.producer),
            cursor: Cursor::new(&parts.consumer, &parts.producer, machine),
            eager: matches!(bus, Bus::Embedded(_)),
            subscription: bus.subscribe(&parts.producer),
            producer: parts.producer,
            db: parts.db,
            source: parts.source,
            handler: parts.handler,
            committed: parts.committed,
            machine,
            state: Mutex::new(State::default()),
        }
    }

    /// How many sequenced events of the producer are not applied yet.
    pub async fn lag(&self) -> Result<i64, WorkerError> {
        let page = self.source.read(i64::MAX, 0).await.map_err(WorkerError::new)?;
        let position = self.cursor.position(&self.db).await.map_err(WorkerError::new)?;
        Ok(page.last_position.saturating_sub(position).max(0))
    }

    /// Lets another replica take over at once, as a process does that ends.
    pub async fn release(&self) -> Result<(), WorkerError> {
        self.state.lock().await.held = None;
        self.cursor.release(&self.db).await.map_err(WorkerError::new)
    }

    /// Takes or renews the lease. While another replica has it, what the bus brings is
    /// dropped: whoever takes over fetches.
    async fn take_hold(&self, state: &mut State, now: MachineTime) -> Result<Option<Held>, WorkerError> {
        if state.stand_by_until.is_some_and(|until| now < until) {
            drop(self.subscription.take());
            return Ok(None);
        }
        let held = self.cursor.hold(&self.db, now).await.map_err(WorkerError::new)?;
        state.stand_by_until = None;
        if held.is_none() {
            state.stand_by_until = Some(now.plus(POLL));
            state.ahead.clear();
            drop(self.subscription.take());
        }
        Ok(held)
    }

    async fn next_run(
        &self,
        state: &mut State,
        held: &Held,
    ) -> Result<Option<(String, Vec<Event>)>, WorkerError> {
        for batch in self.subscription.take() {
            state.keep_ahead(&batch.epoch, batch.events.iter().cloned());
        }
        state.ahead = state.ahead.split_off(&(held.position + 1));
        while state.ahead.len() > AHEAD {
            state.ahead.pop_last();
        }
        let limit = if held.position < state.single_file_to { 1 } else { BATCH };
        if state.ahead_epoch == held.epoch {
            let run: Vec<Event> = (held.position + 1..)
                .map_while(|position| state.ahead.get(&position).cloned())
                .take(limit as usize)
                .collect();
            if !run.is_empty() {
                return Ok(Some((held.epoch.clone(), run)));
            }
        }
        let now = self.machine.now();
        let polled = state.fetched_at.is_some_and(|at| now.since(at) < POLL);
        if polled && !self.eager && !state.behind && state.ahead.is_empty() {
            return Ok(None);
        }
        let page = self.source.read(held.position, BATCH).await.map_err(WorkerError::new)?;
        state.fetched_at = Some(now);
        self.check(held, &page)?;
        let epoch = page.epoch().to_owned();
        let fetched = page.events.last().map_or(held.position, |event| event.position);
        state.behind = fetched < page.last_position;
        let mut run = page.events;
        let rest = run.split_off(run.len().min(limit as usize));
        if !rest.is_empty() {
            state.keep_ahead(&epoch, rest);
        }
        Ok((!run.is_empty()).then_some((epoch, run)))
    }

    /// A producer that was restored to less than was applied here must not be followed.
    fn check(&self, held: &Held, page: &LogPage) -> Result<(), WorkerError> {
        let reach = page.reach(&held.epoch).unwrap_or(-1);
        if held.position > reach {
            tracing::error!(
                worker = self.name,
                position = held.position,
                reach,
                "ahead of the producer: stopped"
            );
            return Err(WorkerError::new(format!(
                "{} applied position {} of {}, which now ends at {reach}: restore this database too, or rebuild it",
                self.name, held.position, self.producer
            )));
        }
        let dense =
            page.events.iter().zip(held.position + 1..).all(|(event, expected)| event.position == expected);
        if dense { Ok(()) } else { Err(WorkerError::new(format!("{} sent a run with gaps", self.producer))) }
    }

    async fn apply(&self, held: &Held, epoch: &str, run: &[Event]) -> Result<bool, WorkerError> {
        let tx = self.db.begin().await.map_err(WorkerError::new)?;
        self.handler.apply(&tx, run).await.map_err(WorkerError::new)?;
        self.db.crash().reach(CrashPoint::AfterEffectBeforeCursor);
        let position = run.last().map_or(held.position, |event| event.position);
        if !self.cursor.advance(&tx, held, epoch, position).await.map_err(WorkerError::new)? {
            tracing::warn!(
                worker = self.name,
                position = held.position,
                "lost the cursor; nothing was applied"
            );
            tx.rollback().await.map_err(WorkerError::new)?;
            return Ok(false);
        }
        tx.commit().await.map_err(WorkerError::new)?;
        self.committed.poke();
        Ok(true)
    }
}

#[async_trait]
impl Worker for Consumer {
    fn name(&self) -> &str {
        &self.name
    }

    async fn turn(&self) -> Result<Progress, WorkerError> {
        let mut state = self.state.lock().await;
        let now = self.machine.now();
        let held = match state.held.take() {
            Some(held) if now < held.renew_at => held,
            Some(_) | None => match self.take_hold(&mut state, now).await? {
                Some(held) => held,
                None => return Ok(Progress::Idle),
            },
        };
        let Some((epoch, run)) = self.next_run(&mut state, &held).await? else {
            state.held = Some(held);
            return Ok(Progress::Idle);
        };
        match self.apply(&held, &epoch, &run).await {
            Ok(true) => {
                let position = run.last().map_or(held.position, |event| event.position);
                state.full = run.len() >= BATCH as usize;
                state.held = Some(Held { epoch, position, renew_at: held.renew_at });
                Ok(Progress::Worked)
            }
            Ok(false) => Ok(Progress::Idle),
            // Events before the one that fails must not wait for it.
            Err(error) if run.len() > 1 => {
                tracing::warn!(
                    worker = self.name,
                    position = held.position,
                    events = run.len(),
                    %error,
                    "events cannot be applied together; trying them one at a time"
                );
                state.single_file_to = run.last().map_or(held.position, |event| event.position);
                state.keep_ahead(&epoch, run);
                Ok(Progress::Worked)
            }
            Err(error) => Err(error),
        }
    }

    async fn take_over(&self) -> Result<(), WorkerError> {
        self.state.lock().await.stand_by_until = None;
        self.cursor.take_over(&self.db).await.map_err(WorkerError::new)
    }

    async fn wait(&self) {
        self.subscription.wait(POLL).await;
    }

    async fn rest(&self) {
        let gather = self.handler.gather();
        if !gather.is_zero() && !self.state.lock().await.full {
            tokio::time::sleep(gather).await;
        }
    }
}
