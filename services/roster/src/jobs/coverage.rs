//! Watches what is unanswered for and who acts: whatever is recorded may open a gap, close one, or
//! let others act.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use xietong_events::{Bus, Subscription};
use xietong_mesh::ServiceName;
use xietong_timers::{Progress, Worker, WorkerError};

use crate::app::App;

/// Covers every batch that the bus loses: they are only hints.
const POLL: Duration = Duration::from_secs(1);

/// Looks at the roster after each change of it. What time alone brings about, a timer does.
pub(crate) struct CoverageWatch {
    name: String,
    app: App,
    subscription: Subscription,
    /// The version of the head that was looked at.
    seen: AtomicI64,
}

impl CoverageWatch {
    pub(crate) fn new(app: App, bus: &Bus) -> Self {
        let service = ServiceName::Roster.as_str();
        CoverageWatch {
            name: format!("{service}/coverage"),
            app,
            subscription: bus.subscribe(service),
            seen: AtomicI64::new(0),
        }
    }
}

#[async_trait]
impl Worker for CoverageWatch {
    fn name(&self) -> &str {
        &self.name
    }

    async fn turn(&self) -> Result<Progress, WorkerError> {
        let register = self.app.current().await.map_err(WorkerError::new)?;
        let revision = register.revision();
        if self.seen.load(Ordering::Relaxed) == revision {
            return Ok(Progress::Idle);
        }
        let worked = self.app.keep_watch(&register).await.map_err(WorkerError::new)?;
        self.seen.store(revision, Ordering::Relaxed);
        Ok(if worked { Progress::Worked } else { Progress::Idle })
    }

    async fn wait(&self) {
        self.subscription.wait(POLL).await;
        // Batches are only a hint here: the book is read anyway.
        drop(self.subscription.take());
    }
}
