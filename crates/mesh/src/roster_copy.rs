//! The local copy of the roster that every other service resolves with.
//!
//! The copy is the roster's log, applied in order to a [`Book`] in memory: the same events,
//! the same functions, so the same answers. It says at which position it stands and when
//! it was last known to be current.
//!
//! It starts from a snapshot at a position of that log, and takes another when it has fallen
//! far behind. Where there is none to be had, it reads the log from its start.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use domain_calendar::Timestamp;
use domain_roster::{Book, RosterEvent};
use tokio::sync::Mutex;
use tokio::time::timeout;
use xietong_events::{Bus, Event, EventSource, Subscription};
use xietong_timers::{MachineClock, MachineTime, Progress, Worker, WorkerError};

use crate::roster_snapshot::{SnapshotError, SnapshotSource};
use crate::service_name::ServiceName;

/// A copy that is more events behind than this takes a snapshot instead of reading them.
pub const FAR_BEHIND: i64 = 10_000;
/// A copy that was not confirmed current for longer than this is stale.
pub const STALE_AFTER: Duration = Duration::from_secs(5);
/// A roster that does not answer within this time is not available.
const PATIENCE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_secs(1);
const PAGE: u32 = 1_000;
/// So many events are asked for by whoever only wants to know how far the log reaches.
const NONE: u32 = 0;

/// The roster at a position of its log. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct RosterView {
    /// The roster.
    pub book: Arc<Book>,
    /// Position of the roster's log up to which it holds.
    pub position: i64,
    /// When the copy was last known to hold everything; `None` before the first time.
    pub confirmed_at: Option<MachineTime>,
    /// The incarnation of the log that the position is of.
    pub epoch: String,
}

impl RosterView {
    /// Not confirmed current within the last five seconds: reads must say so, and acting
    /// authority must ask the roster itself.
    pub fn is_stale(&self, now: MachineTime) -> bool {
        self.confirmed_at.is_none_or(|at| now.since(at) > STALE_AFTER)
    }

    /// When it was last known to be current, as the API has it.
    pub fn as_of(&self) -> Option<Timestamp> {
        self.confirmed_at.map(|at| Timestamp::from_micros(at.as_micros()))
    }
}

/// How a copy that is far behind catches up.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By a snapshot.
    #[default]
    Leap,
    /// By the log, until it is current: there was no snapshot to be had.
    Read,
}

/// Follows the roster's log. A worker: it has to be run.
pub struct RosterCopy {
    name: String,
    view: RwLock<RosterView>,
    source: Arc<dyn EventSource>,
    snapshots: Option<Arc<dyn SnapshotSource>>,
    subscription: Subscription,
    machine: MachineClock,
    /// One turn at a time: a slow one must not put back what a fast one has read.
    turning: Mutex<Way>,
}

impl RosterCopy {
    /// The copy of `service`, read from `source` and woken by `bus`.
    pub fn new(service: ServiceName, source: Arc<dyn EventSource>, bus: &Bus) -> Self {
        RosterCopy {
            name: format!("{}/roster-copy", service.as_str()),
            view: RwLock::new(RosterView::default()),
            source,
            snapshots: None,
            subscription: bus.subscribe(ServiceName::Roster.as_str()),
            machine: MachineClock::system(),
            turning: Mutex::default(),
        }
    }

    /// The same, starting from a snapshot.
    #[must_use]
    pub fn starting_from(self, snapshots: Arc<dyn SnapshotSource>) -> Self {
        RosterCopy { snapshots: Some(snapshots), ..self }
    }

    /// The roster at `position` of its log or later. Whoever reacts to a roster event asks
    /// for the roster that has it.
    ///
    /// # Errors
    /// When the roster cannot be read, or its log does not reach so far.
    pub async fn at_least(&self, position: i64) -> Result<RosterView, WorkerError> {
        while self.view().position < position {
            if self.turn().await? == Progress::Idle {
                break;
            }
        }
        let view = self.view();
        if view.position < position {
            return Err(WorkerError::new(format!("{} ends before position {position}", self.name)));
        }
        Ok(view)
    }

    /// Asks the roster, for two seconds at most, because the copy may not know enough: all that
    /// it had to say when asked is then known. Whether it is current afterwards,
    /// [`RosterView::is_stale`] says.
    ///
    /// Not to be called inside a transaction, which would hold SQLite's one writer, or a
    /// connection of few, for as long as the roster lets it.
    pub async fn ask(&self) {
        self.ask_within(PATIENCE).await;
    }

    /// The same, with a patience of the caller's.
    pub async fn ask_within(&self, patience: Duration) {
        match timeout(patience, self.catch_up()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the roster could not be asked"),
            Err(_) => tracing::warn!("the roster did not answer in time"),
        }
    }

    /// Takes turns until the copy is known to hold what the roster had when this began: a
    /// snapshot and what followed it are turns of their own.
    async fn catch_up(&self) -> Result<(), WorkerError> {
        let began = Some(self.machine.now());
        while self.turn().await? == Progress::Worked && self.view().confirmed_at < began {}
        Ok(())
    }

    /// The roster as this process knows it now.
    pub fn view(&self) -> RosterView {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True once the copy has held everything.
    pub fn is_complete(&self) -> bool {
        self.view.read().unwrap_or_else(PoisonError::into_inner).confirmed_at.is_some()
    }

    fn apply(view: &mut RosterView, event: &Event) -> Result<(), WorkerError> {
        let decoded =
            RosterEvent::from_payload(&event.event_type, &event.payload).map_err(WorkerError::new)?;
        // An event of a kind this reader does not know is a newer writer's.
        if let Some(decoded) = decoded {
            // What the city knew, it knew in business time.
            Arc::make_mut(&mut view.book).apply(&decoded, event.occurred_at).map_err(WorkerError::new)?;
        }
        view.position = event.position;
        Ok(())
    }

    /// What a snapshot makes of a view. Whether that is current, the log says.
    async fn leap(
        snapshots: &dyn SnapshotSource,
        view: &RosterView,
        epoch: &str,
    ) -> Result<RosterView, SnapshotError> {
        let found = snapshots.read().await?;
        if found.epoch != epoch || found.position <= view.position {
            return Err(SnapshotError::Useless { position: found.position, epoch: found.epoch });
        }
        Ok(RosterView {
            book: Arc::new(found.book),
            position: found.position,
            epoch: found.epoch,
            confirmed_at: view.confirmed_at,
        })
    }

    fn keep(&self, view: RosterView) {
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = view;
    }
}

#[async_trait]
impl Worker for RosterCopy {
    fn name(&self) -> &str {
        &self.name
    }

    async fn turn(&self) -> Result<Progress, WorkerError> {
        let mut way = self.turning.lock().await;
        let mut view = self.view();
        let snapshots = self.snapshots.as_deref().filter(|_| *way == Way::Leap);
        let asked_at = self.machine.now();
        let limit = if snapshots.is_some() && view.position == 0 { NONE } else { PAGE };
        let page = self.source.read(view.position, limit).await.map_err(WorkerError::new)?;
        let restored = view.epoch != page.epoch() && view.position > 0;
        if restored || view.position > page.last_position {
            let epoch = page.epoch();
            tracing::warn!(worker = self.name, epoch, "the roster was restored: copying it anew");
            *way = Way::Leap;
            self.keep(RosterView::default());
            return Ok(Progress::Worked);
        }
        if let Some(snapshots) = snapshots.filter(|_| is_far_behind(&view, page.last_position)) {
            match Self::leap(snapshots, &view, page.epoch()).await {
                Ok(leapt) => {
                    tracing::info!(worker = self.name, position = leapt.position, "starts from a snapshot");
                    self.keep(leapt);
                }
                Err(error) => {
                    tracing::warn!(worker = self.name, %error, "reading the log instead of a snapshot");
                    *way = Way::Read;
                }
            }
            return Ok(Progress::Worked);
        }
        view.epoch = page.epoch().to_owned();
        for event in &page.events {
            Self::apply(&mut view, event)?;
        }
        if view.position >= page.last_position && !page.pending {
            // What held when it was asked for: the answer's way back must not count. What
            // the roster has acknowledged and not yet sequenced is not in the copy.
            view.confirmed_at = Some(asked_at);
            *way = Way::Leap;
        }
        self.keep(view);
        Ok(if page.events.is_empty() { Progress::Idle } else { Progress::Worked })
    }

    async fn wait(&self) {
        self.subscription.wait(POLL).await;
        // Batches are only a hint here: the log is read anyway.
        drop(self.subscription.take());
    }
}

/// Whether a snapshot is the shorter way: always, for a copy that has nothing.
fn is_far_behind(view: &RosterView, last_position: i64) -> bool {
    let bearable = if view.position == 0 { 0 } else { FAR_BEHIND };
    last_position - view.position > bearable
}

#[cfg(test)]
mod tests;
