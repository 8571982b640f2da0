//! Durable timers: a table in each service's database.
//!
//! A timer is scheduled and cancelled in the transaction of the act that wants it. Any
//! replica claims due timers in batches under a lease; a batch's rows are deleted in the
//! transaction of their effects, so each effect happens once, late ones included, and
//! never before its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain_calendar::Timestamp;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Value};
use tokio::sync::Mutex;
use xietong_store::{Backend, Db, ROWS, SqlMigration, StoreError, places, statement};

use crate::{Clock, MachineClock, Poke, Progress, Worker, WorkerError};

/// The tables this module needs.
pub const MIGRATIONS: &[SqlMigration] = &[SqlMigration {
    name: "timers_0001_table",
    statements: &[
        "CREATE TABLE timers (
            kind TEXT NOT NULL,
            timer_key TEXT NOT NULL,
            due_at BIGINT NOT NULL,
            payload TEXT NOT NULL,
            claim TEXT,
            claimed_until BIGINT NOT NULL DEFAULT 0,
            attempts BIGINT NOT NULL DEFAULT 0,
            PRIMARY KEY (kind, timer_key)
        )",
        "CREATE INDEX timers_due ON timers (due_at, kind, timer_key)",
    ],
}];

/// How long a claim holds. A replica that stalls longer loses its batch to another one.
const LEASE: Duration = Duration::from_secs(30);
/// A timer that could not be fired is tried again after this; one that fails time and again
/// after [`LEASE`].
const PAUSE: Duration = Duration::from_secs(1);
const PATIENCE: i64 = 5;
/// Timers that are fired together: a batch is decided and written in one go, and whoever asks for
/// something meanwhile waits for as long as that takes.
const BATCH: u64 = 100;
const POLL: Duration = Duration::from_secs(1);
/// Longest breath after a batch, however long that took.
const MOST_REST: Duration = Duration::from_millis(100);

/// Something to be done at an instant of business time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// What is to be done, for example `supervision.settle_due`.
    pub kind: String,
    /// For whom; unique within the kind. Scheduling again replaces the timer.
    pub key: String,
    /// Not before this instant.
    pub due_at: Timestamp,
    /// Whatever the handler needs, as JSON.
    pub payload: String,
}

/// Why timers could not be fired. They stay and are tried again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FireError(Box<dyn std::error::Error + Send + Sync>);

impl FireError {
    /// Wraps whatever went wrong.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        FireError(error.into())
    }
}

impl From<StoreError> for FireError {
    fn from(error: StoreError) -> Self {
        FireError::new(error)
    }
}

impl From<DbErr> for FireError {
    fn from(error: DbErr) -> Self {
        FireError::new(error)
    }
}

/// What a service does when timers are due.
#[async_trait]
pub trait TimerHandler: Send + Sync {
    /// Writes the effects of `timers`, which are in order of their due instants, into
    /// `tx`. Either all of them take effect or none does; a batch that fails is repeated
    /// one timer at a time.
    async fn fire(&self, tx: &DatabaseTransaction, timers: &[Timer], now: Timestamp)
    -> Result<(), FireError>;
}

/// Schedules timers in the caller's transaction, replacing those of the same kind and key.
pub async fn schedule(tx: &DatabaseTransaction, timers: &[Timer]) -> Result<(), StoreError> {
    for chunk in timers.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO timers (kind, timer_key, due_at, payload) VALUES {}
             ON CONFLICT (kind, timer_key) DO UPDATE SET due_at = excluded.due_at, payload = excluded.payload,
             claim = NULL, claimed_until = 0, attempts = 0",
            places(chunk.len(), 4)
        );
        let values = chunk.iter().flat_map(|timer| -> [Value; 4] {
            [
                timer.kind.clone().into(),
                timer.key.clone().into(),
                timer.due_at.as_micros().into(),
                timer.payload.clone().into(),
            ]
        });
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// Cancels a timer in the caller's transaction. One that is not there is no error.
pub async fn cancel(tx: &DatabaseTransaction, kind: &str, key: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM timers WHERE kind = $1 AND timer_key = $2";
    tx.execute_raw(statement(tx, sql, [kind.into(), key.into()])).await?;
    Ok(())
}

/// When a timer is due; none when it is not there.
pub async fn due<C: ConnectionTrait>(
    connection: &C,
    kind: &str,
    key: &str,
) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT due_at FROM timers WHERE kind = $1 AND timer_key = $2";
    let row = connection.query_one_raw(statement(connection, sql, [kind.into(), key.into()])).await?;
    row.map(|row| Ok(Timestamp::from_micros(row.try_get_by("due_at")?))).transpose()
}

/// Fires the timers of one service.
pub struct Timers {
    name: String,
    db: Db,
    clock: Clock,
    machine: MachineClock,
    handler: Arc<dyn TimerHandler>,
    /// Poked after each commit: effects are events, which want sequencing.
    committed: Poke,
    scheduled: Poke,
    fired: AtomicU64,
    /// How long the last batch took, in microseconds; nothing when it was not a full one.
    full_batch_took: AtomicU64,
    next_due: Mutex<Option<Timestamp>>,
}

impl Timers {
    /// The timers of `service`. Whoever schedules pokes `scheduled`; `committed` is poked
    /// after effects were committed.
    pub fn new(
        service: &str,
        db: Db,
        clock: Clock,
        handler: Arc<dyn TimerHandler>,
        scheduled: Poke,
        committed: Poke,
    ) -> Self {
        Timers {
            name: format!("{service}/timers"),
            db,
            clock,
            machine: MachineClock::system(),
            handler,
            committed,
            scheduled,
            fired: AtomicU64::new(0),
            full_batch_took: AtomicU64::new(0),
            next_due: Mutex::new(None),
        }
    }

    /// How many timers this process has fired.
    pub fn fired(&self) -> u64 {
        self.fired.load(Ordering::Relaxed)
    }

    /// The earliest due instant of any unclaimed timer.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT due_at FROM timers WHERE claimed_until <= $1 ORDER BY due_at LIMIT 1";
        let reader = self.db.reader();
        let row =
            reader.query_one_raw(statement(reader, sql, [self.machine.now().as_micros().into()])).await?;
        row.map(|row| Ok(Timestamp::from_micros(row.try_get_by("due_at")?))).transpose()
    }

    /// True while a timer is due, claimed or not.
    pub async fn is_any_due(&self) -> Result<bool, StoreError> {
        let sql = "SELECT due_at FROM timers WHERE due_at <= $1 LIMIT 1";
        let reader = self.db.reader();
        let row = reader.query_one_raw(statement(reader, sql, [self.clock.now().as_micros().into()])).await?;
        Ok(row.is_some())
    }

    /// Gives back what could not be fired, to be tried again after a pause.
    async fn put_off(&self, claim: &str) {
        let sql =
            "UPDATE timers SET claim = NULL, claimed_until = CASE WHEN attempts < $2 THEN $3 ELSE $4 END
                   WHERE claim = $1";
        let now = self.machine.now();
        let values: [Value; 4] = [
            claim.into(),
            PATIENCE.into(),
            now.plus(PAUSE).as_micros().into(),
            now.plus(LEASE).as_micros().into(),
        ];
        let writer = self.db.writer();
        if let Err(error) = writer.execute_raw(statement(writer, sql, values)).await {
            tracing::debug!(worker = self.name, %error, "the claim was not given back and ends by itself");
        }
    }

    /// Claims a batch of due timers for this turn alone.
    async fn claim(&self, now: Timestamp) -> Result<(String, Vec<Timer>), StoreError> {
        let lock = match self.db.backend() {
            Backend::Sqlite => "",
            Backend::Postgres => "FOR UPDATE SKIP LOCKED",
        };
        // Chosen once: within the condition of the update, PostgreSQL may choose anew for each row, and
        // so claim more than the limit.
        let sql = format!(
            "WITH chosen AS MATERIALIZED (
                SELECT kind, timer_key FROM timers WHERE due_at <= $3 AND claimed_until <= $4
                ORDER BY due_at, kind, timer_key LIMIT $5 {lock})
             UPDATE timers SET claim = $1, claimed_until = $2, attempts = attempts + 1
             WHERE (kind, timer_key) IN (SELECT kind, timer_key FROM chosen)
             RETURNING kind, timer_key, due_at, payload"
        );
        let machine_now = self.machine.now();
        let claim = self.machine.new_id().to_string();
        let values: [Value; 5] = [
            claim.clone().into(),
            machine_now.plus(LEASE).as_micros().into(),
            now.as_micros().into(),
            machine_now.as_micros().into(),
            BATCH.into(),
        ];
        let writer = self.db.writer();
        let rows = writer.query_all_raw(statement(writer, &sql, values)).await?;
        let mut timers = rows.iter().map(timer).collect::<Result<Vec<_>, _>>()?;
        timers.sort_by(|one, other| {
            (one.due_at, &one.kind, &one.key).cmp(&(other.due_at, &other.kind, &other.key))
        });
        Ok((claim, timers))
    }

    /// Deletes the claimed rows and writes their effects, together. Timers that were
    /// cancelled, rescheduled or taken over since the claim are left out.
    async fn fire(&self, claim: &str, timers: &[Timer], now: Timestamp) -> Result<(), FireError> {
        let tx = self.db.begin().await?;
        let mut held = Vec::with_capacity(timers.len());
        for chunk in timers.chunks(400) {
            let pairs: Vec<String> =
                (0..chunk.len()).map(|row| format!("(${}, ${})", row * 2 + 2, row * 2 + 3)).collect();
            let sql = format!(
                "DELETE FROM timers WHERE claim = $1 AND (kind, timer_key) IN (VALUES {}) RETURNING kind, timer_key",
                pairs.join(", ")
            );
            let keys = chunk
                .iter()
                .flat_map(|timer| -> [Value; 2] { [timer.kind.clone().into(), timer.key.clone().into()] });
            let values = std::iter::once(Value::from(claim.to_owned())).chain(keys);
            let deleted = tx.query_all_raw(statement(&tx, &sql, values)).await?;
            let mut names = std::collections::HashSet::with_capacity(deleted.len());
            for row in deleted {
                names.insert((
                    row.try_get_by::<String, _>("kind")?,
                    row.try_get_by::<String, _>("timer_key")?,
                ));
            }
            held.extend(
                chunk
                    .iter()
                    .filter(|timer| names.contains(&(timer.kind.clone(), timer.key.clone())))
                    .cloned(),
            );
        }
        if held.is_empty() {
            return Ok(tx.rollback().await?);
        }
        self.handler.fire(&tx, &held, now).await?;
        tx.commit().await?;
        self.fired.fetch_add(u64::try_from(held.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.committed.poke();
        Ok(())
    }

    /// One bad timer must not hold up the others of its batch.
    async fn fire_one_by_one(&self, claim: &str, timers: &[Timer], now: Timestamp) -> Result<(), FireError> {
        let mut failed = None;
        for timer in timers {
            if let Err(error) = self.fire(claim, std::slice::from_ref(timer), now).await {
                tracing::error!(worker = self.name, kind = timer.kind, key = timer.key, %error, "timer failed");
                failed = Some(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

fn timer(row: &QueryResult) -> Result<Timer, DbErr> {
    Ok(Timer {
        kind: row.try_get_by("kind")?,
        key: row.try_get_by("timer_key")?,
        due_at: Timestamp::from_micros(row.try_get_by("due_at")?),
        payload: row.try_get_by("payload")?,
    })
}

#[async_trait]
impl Worker for Timers {
    fn name(&self) -> &str {
        &self.name
    }

    async fn turn(&self) -> Result<Progress, WorkerError> {
        let (now, begun) = (self.clock.now(), self.machine.now());
        let (claim, timers) = self.claim(now).await.map_err(WorkerError::new)?;
        if timers.is_empty() {
            *self.next_due.lock().await = self.next_due().await.map_err(WorkerError::new)?;
            return Ok(Progress::Idle);
        }
        let fired = self.fire(&claim, &timers, now).await;
        let took = if u64::try_from(timers.len()).unwrap_or(BATCH) < BATCH {
            Duration::ZERO
        } else {
            self.machine.now().since(begun)
        };
        self.full_batch_took.store(took.as_micros().try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
        match fired {
            Ok(()) => Ok(Progress::Worked),
            Err(error) if timers.len() == 1 => {
                self.put_off(&claim).await;
                Err(WorkerError::new(error))
            }
            Err(_) => {
                let outcome = self.fire_one_by_one(&claim, &timers, now).await;
                self.put_off(&claim).await;
                outcome.map_err(WorkerError::new)?;
                Ok(Progress::Worked)
            }
        }
    }

    async fn take_over(&self) -> Result<(), WorkerError> {
        let writer = self.db.writer();
        let sql = "UPDATE timers SET claim = NULL, claimed_until = 0 WHERE claimed_until <> 0";
        writer.execute_raw(statement(writer, sql, [])).await.map_err(WorkerError::new)?;
        Ok(())
    }

    async fn wait(&self) {
        let next_due = *self.next_due.lock().await;
        let until_due = next_due.map_or(POLL, |due| due.since(self.clock.now()));
        self.scheduled.wait(until_due.clamp(Duration::from_millis(1), POLL)).await;
    }

    /// In a burst every other moment is for those who ask for something.
    async fn rest(&self) {
        let took = Duration::from_micros(self.full_batch_took.load(Ordering::Relaxed));
        tokio::time::sleep(took.min(MOST_REST)).await;
    }
}
