//! [`LikenessRefill`]: makes the keys by which open tasks are looked up, when how they are made has
//! changed.

use std::time::Duration;

use async_trait::async_trait;
use xietong_mesh::ServiceName;
use xietong_store::Db;
use xietong_timers::{Progress, Worker, WorkerError};

use crate::store;

/// A migration, which alone makes work for this, runs before the service does: what is left is
/// somebody else's restart.
const POLL: Duration = Duration::from_secs(60);
/// Tasks in one transaction.
const BATCH: u64 = 200;

/// Goes through the ledger once, from its first number on. Until it is through, what is older may
/// be asked again without a warning.
pub(crate) struct LikenessRefill {
    name: String,
    db: Db,
}

impl LikenessRefill {
    /// Works on this database.
    pub(crate) fn new(db: Db) -> Self {
        LikenessRefill { name: format!("{}/likeness_refill", ServiceName::Supervision.as_str()), db }
    }
}

#[async_trait]
impl Worker for LikenessRefill {
    fn name(&self) -> &str {
        &self.name
    }

    async fn turn(&self) -> Result<Progress, WorkerError> {
        let tx = self.db.begin().await.map_err(WorkerError::new)?;
        let worked = store::refill(&tx, BATCH).await.map_err(WorkerError::new)?;
        tx.commit().await.map_err(WorkerError::new)?;
        Ok(if worked { Progress::Worked } else { Progress::Idle })
    }

    async fn wait(&self) {
        tokio::time::sleep(POLL).await;
    }
}
