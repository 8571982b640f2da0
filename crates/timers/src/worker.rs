//! Workers: everything a service does on its own account (sequencing, consuming, firing
//! timers, jobs) is a loop of small turns that can be held still and driven by hand.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use tokio::sync::{Notify, RwLock, RwLockReadGuard, RwLockWriteGuard, watch};

/// What a turn did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It found work; there may be more.
    Worked,
    /// There was nothing to do.
    Idle,
}

/// Why a turn failed. The runner logs it and tries again after a pause.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WorkerError(#[from] Box<dyn std::error::Error + Send + Sync>);

impl WorkerError {
    /// Wraps whatever went wrong.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        WorkerError(error.into())
    }
}

/// One background activity. A turn is idempotent and safe to repeat after any crash.
#[async_trait]
pub trait Worker: Send + Sync {
    /// Names the worker in logs and metrics, for example `supervision/sequencer`.
    fn name(&self) -> &str;

    /// Does one batch of work.
    async fn turn(&self) -> Result<Progress, WorkerError>;

    /// Returns when there may be work: when poked, or after a bounded time.
    async fn wait(&self);

    /// Takes over at once whatever an earlier process has left claimed. Only for whoever
    /// knows that no other process works on the database.
    async fn take_over(&self) -> Result<(), WorkerError> {
        Ok(())
    }

    /// A breath after a turn that worked, for workers that do better with more at once.
    /// Skipped when the clock is advanced.
    async fn rest(&self) {}
}

/// Wakes a worker. Pokes are hints: one that comes while the worker is busy is kept,
/// several count as one.
#[derive(Debug, Clone, Default)]
pub struct Poke(Arc<Notify>);

impl Poke {
    /// A fresh poke.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wakes the worker.
    pub fn poke(&self) {
        self.0.notify_one();
    }

    /// Returns at the next poke, or after `bound`.
    pub async fn wait(&self, bound: Duration) {
        // A timeout is not a failure here: the bound is the poll that covers lost pokes.
        let _elapsed = tokio::time::timeout(bound, self.0.notified()).await;
    }
}

/// Holds every worker of a process still between turns.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<RwLock<()>>);

impl Gate {
    /// An open gate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Passes for one turn.
    async fn pass(&self) -> RwLockReadGuard<'_, ()> {
        self.0.read().await
    }

    /// Waits for running turns to end and lets no other begin until the guard is dropped.
    pub async fn close(&self) -> RwLockWriteGuard<'_, ()> {
        self.0.write().await
    }
}

/// Runs workers until told to stop.
#[derive(Debug, Clone)]
pub struct Runner {
    gate: Gate,
    stop: watch::Receiver<bool>,
}

impl Runner {
    /// Workers stop once `stop` holds true (or its sender is gone), between turns.
    pub fn new(gate: Gate, stop: watch::Receiver<bool>) -> Self {
        Runner { gate, stop }
    }

    /// Runs one worker until stopped. A failed turn is logged and repeated after a pause
    /// that doubles from 100 ms to 5 s.
    pub async fn run(mut self, worker: Arc<dyn Worker>) {
        let mut pause = Duration::ZERO;
        while !*self.stop.borrow() {
            let turn = {
                let _pass = self.gate.pass().await;
                // A turn is safe to repeat wherever it was cut off: a panic is one more way.
                AssertUnwindSafe(worker.turn()).catch_unwind().await
            };
            let turn = turn.unwrap_or_else(|panic| Err(WorkerError::new(panicked(panic.as_ref()))));
            match turn {
                Ok(Progress::Worked) => {
                    pause = Duration::ZERO;
                    self.until_stopped(worker.rest()).await;
                }
                Ok(Progress::Idle) => {
                    pause = Duration::ZERO;
                    self.until_stopped(worker.wait()).await;
                }
                Err(error) => {
                    pause = (pause * 2).clamp(Duration::from_millis(100), Duration::from_secs(5));
                    tracing::warn!(worker = worker.name(), %error, pause_ms = pause.as_millis(), "turn failed");
                    self.until_stopped(tokio::time::sleep(pause)).await;
                }
            }
        }
    }

    async fn until_stopped(&mut self, wait: impl Future<Output = ()>) {
        tokio::select! {
            () = wait => {}
            // The sender's end is the stop as well.
            _stopped = self.stop.wait_for(|stopped| *stopped) => {}
        }
    }
}

fn panicked(panic: &(dyn Any + Send)) -> String {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    format!("it panicked: {message}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use async_trait::async_trait;
    use tokio::sync::watch;

    use super::{Gate, Poke, Progress, Runner, Worker, WorkerError};

    struct Counting {
        turns: AtomicU32,
        poke: Poke,
        turned: Poke,
    }

    #[async_trait]
    impl Worker for Counting {
        fn name(&self) -> &str {
            "counting"
        }

        async fn turn(&self) -> Result<Progress, WorkerError> {
            let turn = self.turns.fetch_add(1, Ordering::SeqCst);
            self.turned.poke();
            assert!(turn != 1, "the second turn panics");
            if turn == 0 { Err(WorkerError::new("the first turn fails")) } else { Ok(Progress::Idle) }
        }

        async fn wait(&self) {
            self.poke.wait(Duration::from_secs(60)).await;
        }
    }

    #[tokio::test]
    async fn a_turn_that_fails_or_panics_is_repeated_and_a_closed_gate_holds() {
        let worker = Arc::new(Counting { turns: AtomicU32::new(0), poke: Poke::new(), turned: Poke::new() });
        let gate = Gate::new();
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(Runner::new(gate.clone(), stopped).run(worker.clone()));
        for _ in 0..3 {
            worker.turned.wait(Duration::from_secs(5)).await;
        }
        assert_eq!(worker.turns.load(Ordering::SeqCst), 3, "both bad turns were repeated");

        let closed = gate.close().await;
        worker.poke.poke();
        tokio::task::yield_now().await;
        assert_eq!(worker.turns.load(Ordering::SeqCst), 3, "no turn while the gate is closed");
        drop(closed);
        worker.turned.wait(Duration::from_secs(5)).await;
        assert_eq!(worker.turns.load(Ordering::SeqCst), 4);

        stop.send(true).unwrap();
        tokio::time::timeout(Duration::from_secs(5), task).await.unwrap().unwrap();
    }
}
