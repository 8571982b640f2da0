//! Wakes the open streams of the change feed, whichever replica writes it.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use xietong_mesh::ServiceName;
use xietong_store::Db;
use xietong_timers::{Poke, Progress, Worker, WorkerError};

use crate::store::feed_head;

/// How often the end of the feed is looked at while a stream is open.
const PERIOD: Duration = Duration::from_millis(250);
/// The same while none is: whoever opens one pokes.
const IDLE: Duration = Duration::from_secs(5);

/// Looks where the feed ends, once for all streams of a process.
pub(crate) struct FeedPulse {
    name: String,
    db: Db,
    head: watch::Sender<i64>,
    opened: Poke,
}

/// Where streams of the feed listen. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Pulse {
    head: watch::Sender<i64>,
    opened: Poke,
}

/// One stream's ear.
pub(crate) struct FeedListening(watch::Receiver<i64>);

impl FeedPulse {
    pub(crate) fn new(db: Db) -> Self {
        let name = format!("{}/feed-pulse", ServiceName::Notification.as_str());
        FeedPulse { name, db, head: watch::Sender::new(0), opened: Poke::new() }
    }

    /// Where streams can listen.
    pub(crate) fn pulse(&self) -> Pulse {
        Pulse { head: self.head.clone(), opened: self.opened.clone() }
    }
}

impl Pulse {
    /// Hears of whatever enters the feed from now on.
    pub(crate) fn listen(&self) -> FeedListening {
        let listening = FeedListening(self.head.subscribe());
        self.opened.poke();
        listening
    }
}

impl FeedListening {
    /// Returns when the feed may have grown above a position. Only a hint: the database says what
    /// there is, and is asked again after a while in any case.
    pub(crate) async fn wait_above(&mut self, position: i64) {
        let grown = async {
            if self.0.wait_for(|head| *head > position).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        // A timeout is the poll, not a failure.
        let _elapsed = tokio::time::timeout(IDLE, grown).await;
    }
}

#[async_trait]
impl Worker for FeedPulse {
    fn name(&self) -> &str {
        &self.name
    }

    async fn turn(&self) -> Result<Progress, WorkerError> {
        if self.head.receiver_count() > 0 {
            let head = feed_head(self.db.reader()).await.map_err(WorkerError::new)?;
            self.head.send_if_modified(|known| std::mem::replace(known, head) != head);
        }
        Ok(Progress::Idle)
    }

    async fn wait(&self) {
        let period = if self.head.receiver_count() > 0 { PERIOD } else { IDLE };
        self.opened.wait(period).await;
    }
}
