//! One effect and one answer for a request that is sent more than once.
//!
//! The key is (principal, request message, `request_id`): every RPC has a request message of
//! its own, so its full name names the method. Its row is written first in the
//! transaction of the effect, so that a concurrent duplicate waits on it, and carries the
//! encoded answer when the transaction commits. Errors are not stored: a failed request
//! may be tried again under the same key. Rows are kept seven days of machine time.

use std::time::Duration;

use async_trait::async_trait;
use prost::{Message, Name};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use sha2::{Digest, Sha256};
use xietong_store::{Db, SqlMigration, StoreError, statement};
use xietong_timers::{MachineClock, Poke, Progress, Worker, WorkerError};

use crate::error::Error;
use crate::input;

/// The table of this module.
pub const MIGRATIONS: &[SqlMigration] = &[SqlMigration {
    name: "mesh_0001_idempotency",
    statements: &[
        "CREATE TABLE idempotency (
            principal TEXT NOT NULL,
            method TEXT NOT NULL,
            request_id TEXT NOT NULL,
            digest {blob} NOT NULL,
            response {blob},
            created_at BIGINT NOT NULL,
            PRIMARY KEY (principal, method, request_id)
        )",
        "CREATE INDEX idempotency_age ON idempotency (created_at)",
    ],
}];

const KEPT: Duration = Duration::from_secs(7 * 86_400);
const SWEEP: Duration = Duration::from_secs(600);
const SWEEP_BATCH: i64 = 5_000;

/// The key of a request, with the digest of what it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestKey {
    principal: String,
    method: String,
    request_id: String,
    digest: Vec<u8>,
}

impl RequestKey {
    /// `request` without its `request_id`. `None` when the caller gave no id.
    pub(crate) fn new<M: Name>(
        principal: &str,
        request_id: &str,
        request: &M,
    ) -> Result<Option<Self>, Error> {
        if request_id.is_empty() {
            return Ok(None);
        }
        input::request_id(request_id)?;
        let digest = Sha256::digest(request.encode_to_vec()).to_vec();
        Ok(Some(RequestKey {
            principal: principal.to_owned(),
            method: M::full_name(),
            request_id: request_id.to_owned(),
            digest,
        }))
    }

    fn columns(&self) -> [Value; 3] {
        [self.principal.clone().into(), self.method.clone().into(), self.request_id.clone().into()]
    }

    /// True when this transaction is the first with the key; false when an earlier one
    /// has committed. While one is under way, this waits for its end.
    pub(crate) async fn claim(
        &self,
        tx: &DatabaseTransaction,
        machine: MachineClock,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO idempotency (principal, method, request_id, digest, created_at)
                   VALUES ($1, $2, $3, $4, $5) ON CONFLICT (principal, method, request_id) DO NOTHING";
        let rest: [Value; 2] = [self.digest.clone().into(), machine.now().as_micros().into()];
        let result = tx.execute_raw(statement(tx, sql, self.columns().into_iter().chain(rest))).await?;
        Ok(result.rows_affected() == 1)
    }

    /// Stores the answer in the transaction of the effect.
    pub(crate) async fn answer(&self, tx: &DatabaseTransaction, response: Vec<u8>) -> Result<(), StoreError> {
        let sql =
            "UPDATE idempotency SET response = $4 WHERE principal = $1 AND method = $2 AND request_id = $3";
        let values = self.columns().into_iter().chain([Value::from(response)]);
        tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(())
    }

    /// The answer that an earlier request with this key got.
    pub(crate) async fn earlier<R: Message + Default>(&self, db: &Db) -> Result<R, Error> {
        let sql = "SELECT digest, response FROM idempotency
                   WHERE principal = $1 AND method = $2 AND request_id = $3";
        let writer = db.writer();
        let row = writer.query_one_raw(statement(writer, sql, self.columns())).await?;
        let row = row.ok_or_else(|| StoreError::Stale(format!("request {}", self.request_id)))?;
        let digest: Vec<u8> = row.try_get_by("digest")?;
        if digest != self.digest {
            return Err(Error::request_id_reused());
        }
        let response: Option<Vec<u8>> = row.try_get_by("response")?;
        let bytes = response.ok_or_else(|| StoreError::corrupt("idempotency row", "it has no answer"))?;
        Ok(R::decode(bytes.as_slice()).map_err(|error| StoreError::corrupt("idempotency answer", error))?)
    }
}

/// Removes rows older than seven days.
pub(crate) struct Sweeper {
    name: String,
    db: Db,
    machine: MachineClock,
    poke: Poke,
}

impl Sweeper {
    pub(crate) fn new(service: &str, db: Db) -> Self {
        Sweeper {
            name: format!("{service}/idempotency"),
            db,
            machine: MachineClock::system(),
            poke: Poke::new(),
        }
    }
}

#[async_trait]
impl Worker for Sweeper {
    fn name(&self) -> &str {
        &self.name
    }

    async fn turn(&self) -> Result<Progress, WorkerError> {
        let writer = self.db.writer();
        let sql = "DELETE FROM idempotency WHERE (principal, method, request_id) IN
                   (SELECT principal, method, request_id FROM idempotency WHERE created_at < $1 LIMIT $2)";
        let values: [Value; 2] = [self.machine.now().minus(KEPT).as_micros().into(), SWEEP_BATCH.into()];
        let result = writer.execute_raw(statement(writer, sql, values)).await.map_err(WorkerError::new)?;
        Ok(if result.rows_affected() > 0 { Progress::Worked } else { Progress::Idle })
    }

    async fn wait(&self) {
        self.poke.wait(SWEEP).await;
    }
}
