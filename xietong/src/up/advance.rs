//! Advancing the simulated clock: every timer of every service on the way, in order, with
//! all its consequences, before the next.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain_calendar::Timestamp;
use tokio::sync::Mutex;
use xietong_events::Consumer;
use xietong_gateway::{Advanced, ClockControl, RequestKey, real_clock};
use xietong_mesh::{Error, Service};
use xietong_timers::{Clock, Gate, Progress, SimulatedClock, Timers, Worker, WorkerError};

use super::moves::{Asked, Moves};

/// How long to wait when there is work that nobody can do yet.
const PAUSE: Duration = Duration::from_millis(20);

/// The city's clock as the gateway is given it.
pub(super) struct CityClock {
    clock: Clock,
    gate: Gate,
    workers: Vec<Arc<dyn Worker>>,
    consumers: Vec<Arc<Consumer>>,
    timers: Vec<Arc<Timers>>,
    /// What was asked for. One advance at a time.
    moves: Mutex<Moves>,
}

impl CityClock {
    /// The clock of these services, whose workers `gate` holds still.
    pub(super) fn new(clock: Clock, gate: Gate, services: &[Service], moves: Moves) -> Self {
        CityClock {
            clock,
            gate,
            workers: services.iter().flat_map(|service| service.workers.clone()).collect(),
            consumers: services.iter().flat_map(|service| service.consumers.clone()).collect(),
            timers: services.iter().filter_map(|service| service.timers.clone()).collect(),
            moves: Mutex::new(moves),
        }
    }

    /// Lets everything that has happened have its consequences: every log sequenced,
    /// every consumer caught up, no job with work, no timer due.
    async fn settle(&self) -> Result<(), WorkerError> {
        loop {
            let mut worked = false;
            for worker in &self.workers {
                while worker.turn().await? == Progress::Worked {
                    worked = true;
                }
            }
            if !worked {
                if self.lag().await? == 0 && !self.is_any_due().await? {
                    return Ok(());
                }
                // What failed is tried again after a pause; a lease has to end first.
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    async fn lag(&self) -> Result<i64, WorkerError> {
        let mut lag = 0;
        for consumer in &self.consumers {
            lag += consumer.lag().await?;
        }
        Ok(lag)
    }

    async fn is_any_due(&self) -> Result<bool, WorkerError> {
        for timers in &self.timers {
            if timers.is_any_due().await.map_err(WorkerError::new)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, WorkerError> {
        let mut earliest = None;
        for timers in &self.timers {
            let due = timers.next_due().await.map_err(WorkerError::new)?;
            earliest = earliest.into_iter().chain(due).min();
        }
        Ok(earliest)
    }

    fn fired(&self) -> u64 {
        self.timers.iter().map(|timers| timers.fired()).sum()
    }

    async fn advance_to(&self, clock: &SimulatedClock, target: Timestamp) -> Result<(), WorkerError> {
        self.settle().await?;
        while let Some(due) = self.next_due().await?.filter(|due| *due <= target) {
            clock.set(due);
            self.settle().await?;
        }
        clock.set(target);
        self.settle().await
    }
}

impl CityClock {
    /// Lets the city live until an instant, if its clock is simulated and has not got there
    /// yet; what has happened by then has had all its consequences.
    pub(super) async fn live_until(&self, instant: Timestamp) -> Result<(), WorkerError> {
        let lived = self.stand_at(instant).await;
        if let Some(clock) = self.clock.simulated() {
            clock.release();
        }
        lived
    }

    /// The same, and the clock stands still there: what is done until it is moved on happens at
    /// this very instant, however long it takes.
    pub(super) async fn stand_at(&self, instant: Timestamp) -> Result<(), WorkerError> {
        let Some(clock) = self.clock.simulated() else { return Ok(()) };
        let _one_at_a_time = self.moves.lock().await;
        let _workers_held = self.gate.close().await;
        let held = clock.hold();
        let lived = self.advance_to(clock, instant.max(held)).await;
        clock.save().map_err(WorkerError::new)?;
        lived
    }

    /// Keeps the workers still while something is done, if the clock is simulated: what follows
    /// of it follows when the city lives on, in a few large turns instead of a small one after
    /// each call.
    pub(super) async fn undisturbed<T>(&self, doing: impl Future<Output = T>) -> T {
        let _workers_held = match self.clock.simulated() {
            Some(_) => Some(self.gate.close().await),
            // Nobody drives the turns by hand there.
            None => None,
        };
        doing.await
    }
}

#[async_trait]
impl ClockControl for CityClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn simulated(&self) -> bool {
        self.clock.simulated().is_some()
    }

    async fn advance(&self, duration: Duration, key: Option<RequestKey>) -> Result<Advanced, Error> {
        let clock = self.clock.simulated().ok_or_else(real_clock)?;
        let mut moves = self.moves.lock().await;
        let asked = key.as_ref().map(|key| moves.ask(key, clock.now(), duration)).transpose()?;
        if let Some(Asked::Done(answer)) = asked {
            return Ok(answer);
        }
        let _workers_held = self.gate.close().await;
        let before = self.fired();
        let held = clock.hold();
        let target = match asked {
            Some(Asked::Go(target)) => target.max(held),
            Some(Asked::Done(_)) | None => held.saturating_add(duration),
        };
        let result = self.advance_to(clock, target).await;
        clock.release();
        let saved = clock.save();
        result.map_err(|error| {
            tracing::error!(%error, "the clock stopped on the way");
            Error::unavailable("one of the services")
        })?;
        saved.map_err(Error::internal)?;
        let answer = Advanced { now: clock.now(), timers_fired: self.fired() - before };
        if let Some(key) = &key {
            moves.done(key, answer)?;
        }
        Ok(answer)
    }
}
