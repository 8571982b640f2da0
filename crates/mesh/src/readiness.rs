//! Whether a service may be sent traffic.

use std::sync::Arc;

use tokio::sync::watch;

/// Where a service stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Migrating, catching up, binding.
    Starting,
    /// It answers.
    Ready,
    /// It finishes what it has begun and takes nothing new.
    Draining,
}

impl Stage {
    /// As probes and logs show it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Draining => "draining",
        }
    }
}

/// A latch that is released once, when start-up is truly done, and closed for good when the
/// service drains. Cheap to clone; clones share the latch.
#[derive(Clone, Debug)]
pub struct Readiness {
    stage: Arc<watch::Sender<Stage>>,
}

impl Readiness {
    /// A latch of a service that is starting.
    pub fn new() -> Self {
        Self { stage: Arc::new(watch::Sender::new(Stage::Starting)) }
    }

    /// Start-up is done. Has no effect on a service that drains already.
    pub fn release(&self) {
        self.stage.send_if_modified(|stage| match stage {
            Stage::Starting => {
                *stage = Stage::Ready;
                true
            }
            Stage::Ready | Stage::Draining => false,
        });
    }

    /// The service takes nothing new from now on.
    pub fn drain(&self) {
        self.stage.send_replace(Stage::Draining);
    }

    /// Where the service stands.
    pub fn stage(&self) -> Stage {
        *self.stage.borrow()
    }

    /// Whether it may be sent traffic.
    pub fn is_ready(&self) -> bool {
        self.stage() == Stage::Ready
    }

    /// Waits until the service is at the stage.
    pub async fn reached(&self, stage: Stage) {
        let mut changes = self.stage.subscribe();
        if changes.wait_for(|current| *current == stage).await.is_err() {
            // The sender is ours, so it cannot be gone while we wait.
            std::future::pending::<()>().await;
        }
    }

    pub(crate) fn changes(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_ready_between_release_and_drain() {
        let readiness = Readiness::new();
        assert!(!readiness.is_ready());
        readiness.release();
        assert!(readiness.is_ready());
        readiness.drain();
        assert!(!readiness.is_ready());
    }

    #[test]
    fn a_late_release_does_not_undo_a_drain() {
        let readiness = Readiness::new();
        readiness.drain();
        readiness.release();
        assert_eq!(readiness.stage(), Stage::Draining);
    }

    #[tokio::test]
    async fn a_stage_can_be_awaited() {
        let readiness = Readiness::new();
        let waiting = readiness.clone();
        let task = tokio::spawn(async move { waiting.reached(Stage::Ready).await });
        readiness.release();
        task.await.unwrap();
    }
}
