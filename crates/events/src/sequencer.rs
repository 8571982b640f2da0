//! [`Sequencer`]: gives committed events their dense position, and hands them to the bus.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, Value};
use xietong_store::{Backend, CrashPoint, StoreError, statement};
use xietong_timers::{Progress, Worker, WorkerError};

use crate::bus::{Batch, Bus};
use crate::event::Event;
use crate::log::{COLUMNS, EventLog, event};

/// Arbitrary, but the same in every replica: only one of them sequences at a time.
const SEQUENCER_LOCK: i64 = 5_071_302;
const BATCH: i64 = 500;
const POLL: Duration = Duration::from_millis(500);
/// After a small batch the next one waits this long: each batch costs every consumer a
/// transaction, so under load a few larger ones are cheaper than many small ones.
const GATHER: Duration = Duration::from_millis(10);
const LARGE_BATCH: usize = 400;

/// The one writer of positions of a database. Every replica runs one; an advisory lock
/// lets one of them work.
///
/// Positions are given in the order of commit as far as it matters: an event that builds
/// on another was inserted after that one was committed, so it has the later entry number
/// and the later position. An event that commits late simply comes in a later batch.
pub struct Sequencer {
    name: String,
    log: EventLog,
    bus: Bus,
    last_batch: AtomicUsize,
}

impl Sequencer {
    /// The sequencer of `log`; sequenced events go to `bus`.
    pub fn new(log: EventLog, bus: Bus) -> Self {
        let name = format!("{}/sequencer", log.producer());
        Sequencer { name, log, bus, last_batch: AtomicUsize::new(0) }
    }

    /// Sequences one batch; `None` when another replica is at it.
    async fn sequence(&self) -> Result<Option<Vec<Event>>, StoreError> {
        // Most pokes come from commits without events of their own.
        if !self.log.is_pending().await? {
            return Ok(Some(Vec::new()));
        }
        let db = self.log.db();
        let tx = db.begin().await?;
        if db.backend() == Backend::Postgres {
            let sql = "SELECT pg_try_advisory_xact_lock($1) AS locked";
            let row = tx.query_one_raw(statement(&tx, sql, [SEQUENCER_LOCK.into()])).await?;
            if !row.map(|row| row.try_get_by::<bool, _>("locked")).transpose()?.unwrap_or(false) {
                tx.rollback().await?;
                return Ok(None);
            }
        }
        let sql = format!(
            "WITH numbered AS (
                SELECT pending.entry AS source,
                    COALESCE((SELECT position FROM events WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1), 0)
                    + ROW_NUMBER() OVER (ORDER BY pending.entry) AS place
                FROM (SELECT entry FROM events WHERE position IS NULL ORDER BY entry LIMIT $1) AS pending)
             UPDATE events SET position = numbered.place FROM numbered WHERE events.entry = numbered.source
             RETURNING {COLUMNS}"
        );
        let limit: [Value; 1] = [BATCH.into()];
        let rows = tx.query_all_raw(statement(&tx, &sql, limit)).await?;
        if rows.is_empty() {
            tx.rollback().await?;
            return Ok(Some(Vec::new()));
        }
        let mut events = rows.iter().map(event).collect::<Result<Vec<_>, _>>()?;
        events.sort_by_key(|event| event.position);
        db.crash().reach(CrashPoint::MidSequencing);
        tx.commit().await?;
        Ok(Some(events))
    }

    async fn publish(&self, events: Vec<Event>) {
        let epoch = self.log.epoch().to_owned();
        self.bus.publish(Arc::new(Batch { producer: self.log.producer().to_owned(), epoch, events })).await;
        self.log.db().crash().reach(CrashPoint::AfterPublish);
    }
}

#[async_trait]
impl Worker for Sequencer {
    fn name(&self) -> &str {
        &self.name
    }

    async fn turn(&self) -> Result<Progress, WorkerError> {
        match self.sequence().await.map_err(WorkerError::new)? {
            Some(events) if !events.is_empty() => {
                self.last_batch.store(events.len(), Ordering::Relaxed);
                self.publish(events).await;
                Ok(Progress::Worked)
            }
            Some(_) | None => Ok(Progress::Idle),
        }
    }

    async fn wait(&self) {
        self.log.committed().wait(POLL).await;
    }

    async fn rest(&self) {
        if self.last_batch.load(Ordering::Relaxed) < LARGE_BATCH {
            tokio::time::sleep(GATHER).await;
        }
    }
}
