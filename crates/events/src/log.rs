//! [`EventLog`]: appending in the caller's transaction, and reading what is sequenced.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use domain_calendar::Timestamp;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Value};
use xietong_store::{Db, ROWS, StoreError, places, statement};
use xietong_timers::{MachineClock, MachineTime, Poke};

use crate::consumer::{EventSource, LogPage, SourceError};
use crate::event::{Act, Digest, Draft, Event};

/// The columns of an event, in the order [`event`] does not care about.
pub(crate) const COLUMNS: &str = "id, position, aggregate, version, type, actor, acting_for, ground, \
     occurred_at, recorded_at, traceparent, causation_id, payload, prev_hash, hash";

/// At most this many events a read.
const PAGE_CAP: u32 = 1_000;
/// And at most about this many bytes of payload.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// The log of one service. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct EventLog {
    producer: String,
    /// The oldest first, the present one last.
    epochs: Arc<[Epoch]>,
    db: Db,
    machine: MachineClock,
    committed: Poke,
}

/// One incarnation of a log. A restored database begins another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch {
    /// Its name.
    pub name: String,
    /// The last position that it still holds of the one before.
    pub after_position: i64,
}

/// New events of one aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// Resource name of the aggregate.
    pub aggregate: String,
    /// The version they build on; 0 for a new aggregate.
    pub expected_version: i64,
    /// In order.
    pub drafts: Vec<Draft>,
}

impl EventLog {
    /// Opens the log of `producer`, giving it an epoch if it is new.
    pub async fn open(producer: &str, db: Db) -> Result<Self, StoreError> {
        let machine = MachineClock::system();
        let writer = db.writer();
        // Replicas may open a new log together: the ordinal lets only one of them succeed.
        let sql = "INSERT INTO event_epochs (ordinal, epoch, after_position) VALUES (1, $1, 0)
                   ON CONFLICT (ordinal) DO NOTHING";
        writer.execute_raw(statement(writer, sql, [machine.new_id().to_string().into()])).await?;
        let sql = "SELECT epoch, after_position FROM event_epochs ORDER BY ordinal";
        let rows = writer.query_all_raw(statement(writer, sql, [])).await?;
        let epochs = rows
            .iter()
            .map(|row| {
                Ok(Epoch {
                    name: row.try_get_by("epoch")?,
                    after_position: row.try_get_by("after_position")?,
                })
            })
            .collect::<Result<Arc<[Epoch]>, DbErr>>()?;
        Ok(EventLog { producer: producer.to_owned(), epochs, db, machine, committed: Poke::new() })
    }

    /// The name of the present incarnation.
    pub(crate) fn epoch(&self) -> &str {
        self.epochs.last().map_or("", |epoch| &epoch.name)
    }

    /// The service that writes this log.
    pub fn producer(&self) -> &str {
        &self.producer
    }

    /// To be poked after a transaction with events was committed.
    pub fn committed(&self) -> &Poke {
        &self.committed
    }

    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    /// Writes events in the caller's transaction and returns them, not yet sequenced.
    ///
    /// [`StoreError::Stale`] when an aggregate is no longer at its expected version: the
    /// transaction must then be rolled back.
    pub async fn append(
        &self,
        tx: &DatabaseTransaction,
        act: &Act,
        appends: &[Append],
    ) -> Result<Vec<Event>, StoreError> {
        self.append_acts(tx, appends.iter().map(|append| (act, append))).await
    }

    /// The same for appends that are of several acts, in as few statements. Those of one
    /// aggregate build on one another in their order.
    pub async fn append_acts<'a>(
        &self,
        tx: &DatabaseTransaction,
        acts: impl IntoIterator<Item = (&'a Act, &'a Append)>,
    ) -> Result<Vec<Event>, StoreError> {
        let acts: Vec<(&Act, &Append)> = acts.into_iter().collect();
        let mut heads = heads(tx, acts.iter().map(|(_, append)| *append)).await?;
        let mut events = Vec::new();
        for (act, append) in acts {
            let aggregate = append.aggregate.as_str();
            let mut prev_hash = match append.expected_version {
                0 => Digest::default(),
                version => heads
                    .remove(&(aggregate.to_owned(), version))
                    .ok_or_else(|| StoreError::Stale(aggregate.to_owned()))?,
            };
            let mut version = append.expected_version;
            for draft in &append.drafts {
                version += 1;
                let mut event = Event {
                    id: self.machine.new_id().to_string(),
                    position: 0,
                    aggregate: aggregate.to_owned(),
                    version,
                    event_type: draft.event_type.clone(),
                    actor: act.actor.clone(),
                    acting_for: act.acting_for.clone(),
                    ground: act.ground.clone(),
                    occurred_at: act.occurred_at,
                    recorded_at: self.machine.now(),
                    traceparent: act.traceparent.clone(),
                    causation_id: act.causation_id.clone(),
                    payload: draft.payload.clone(),
                    prev_hash,
                    hash: Digest::default(),
                };
                event.hash = event.expected_hash();
                prev_hash = event.hash.clone();
                events.push(event);
            }
            heads.insert((aggregate.to_owned(), version), prev_hash);
        }
        for chunk in events.chunks(ROWS) {
            insert(tx, chunk).await?;
        }
        Ok(events)
    }

    /// Reads sequenced events after a position, dense and in order. A page ends early
    /// rather than grow past a few megabytes, but never before its first event.
    pub async fn read(&self, after: i64, limit: u32) -> Result<LogPage, StoreError> {
        // In this order: whatever is committed or sequenced between these reads only makes
        // the page say less than it could, never that it is complete when it is not.
        let pending = self.is_pending().await?;
        let last_position = self.last_position().await?;
        let reader = self.db.reader();
        let sql = format!("SELECT {COLUMNS} FROM events WHERE position > $1 ORDER BY position LIMIT $2");
        let limit = limit.min(PAGE_CAP);
        let rows =
            reader.query_all_raw(statement(reader, &sql, [after.into(), i64::from(limit).into()])).await?;
        let mut events = Vec::with_capacity(rows.len());
        let mut bytes = 0;
        for row in &rows {
            let event = event(row)?;
            bytes += event.payload.len();
            if bytes > PAGE_BYTES && !events.is_empty() {
                break;
            }
            events.push(event);
        }
        Ok(LogPage { epochs: self.epochs.to_vec(), last_position, pending, events })
    }

    /// True while committed events wait for their position.
    pub(crate) async fn is_pending(&self) -> Result<bool, StoreError> {
        let reader = self.db.reader();
        let sql = "SELECT entry FROM events WHERE position IS NULL LIMIT 1";
        Ok(reader.query_one_raw(statement(reader, sql, [])).await?.is_some())
    }

    /// The highest position given out; 0 for an empty log.
    pub async fn last_position(&self) -> Result<i64, StoreError> {
        self.last_position_on(self.db.reader()).await
    }

    /// The same, asked on a connection that the caller has: inside a transaction no second one is
    /// waited for.
    pub async fn last_position_on<C: ConnectionTrait>(&self, connection: &C) -> Result<i64, StoreError> {
        let sql = "SELECT position FROM events WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1";
        let row = connection.query_one_raw(statement(connection, sql, [])).await?;
        Ok(row.map(|row| row.try_get_by("position")).transpose()?.unwrap_or(0))
    }

    /// Every event of an aggregate, in order of version, sequenced or not.
    pub async fn of_aggregate(&self, aggregate: &str) -> Result<Vec<Event>, StoreError> {
        let reader = self.db.reader();
        let sql = format!("SELECT {COLUMNS} FROM events WHERE aggregate = $1 ORDER BY version");
        let rows = reader.query_all_raw(statement(reader, &sql, [aggregate.into()])).await?;
        Ok(rows.iter().map(event).collect::<Result<_, _>>()?)
    }

    /// At most `limit` events of an aggregate after a version, in order of version.
    pub async fn of_aggregate_after(
        &self,
        aggregate: &str,
        version: i64,
        limit: u64,
    ) -> Result<Vec<Event>, StoreError> {
        let reader = self.db.reader();
        let sql = format!(
            "SELECT {COLUMNS} FROM events WHERE aggregate = $1 AND version > $2 ORDER BY version LIMIT $3"
        );
        let values: [Value; 3] = [aggregate.into(), version.into(), limit.into()];
        let rows = reader.query_all_raw(statement(reader, &sql, values)).await?;
        Ok(rows.iter().map(event).collect::<Result<_, _>>()?)
    }

    /// The latest business time of any act in the log.
    pub async fn last_occurred_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let reader = self.db.reader();
        let row = reader
            .query_one_raw(statement(reader, "SELECT MAX(occurred_at) AS latest FROM events", []))
            .await?;
        let latest = row.map(|row| row.try_get_by::<Option<i64>, _>("latest")).transpose()?.flatten();
        Ok(latest.map(Timestamp::from_micros))
    }

    /// Begins a new epoch after the database was restored: consumers that had seen more
    /// than it now holds stop instead of skipping what comes next. The service must not
    /// run meanwhile.
    pub async fn begin_epoch(self) -> Result<Self, StoreError> {
        let writer = self.db.writer();
        let sql = "INSERT INTO event_epochs (ordinal, epoch, after_position)
                   SELECT MAX(ordinal) + 1, CAST($1 AS TEXT), CAST($2 AS BIGINT) FROM event_epochs";
        let values: [Value; 2] =
            [self.machine.new_id().to_string().into(), self.last_position().await?.into()];
        writer.execute_raw(statement(writer, sql, values)).await?;
        EventLog::open(&self.producer, self.db).await
    }
}

/// A service may follow its own log.
#[async_trait]
impl EventSource for EventLog {
    async fn read(&self, after: i64, limit: u32) -> Result<LogPage, SourceError> {
        let failed =
            |error: StoreError| SourceError { producer: self.producer.clone(), why: error.to_string() };
        EventLog::read(self, after, limit).await.map_err(failed)
    }
}

/// The stored hashes that new events are chained to, by aggregate and version.
async fn heads<'a>(
    tx: &DatabaseTransaction,
    appends: impl Iterator<Item = &'a Append>,
) -> Result<BTreeMap<(String, i64), Digest>, StoreError> {
    let wanted: Vec<&Append> = appends.filter(|append| append.expected_version > 0).collect();
    let mut found = BTreeMap::new();
    for chunk in wanted.chunks(ROWS) {
        // PostgreSQL takes a parameter in a list of values for text.
        let pairs: Vec<String> = (0..chunk.len())
            .map(|row| format!("(${}, CAST(${} AS BIGINT))", row * 2 + 1, row * 2 + 2))
            .collect();
        let sql = format!(
            "SELECT aggregate, version, hash FROM events WHERE (aggregate, version) IN (VALUES {})",
            pairs.join(", ")
        );
        let values = chunk.iter().flat_map(|append| -> [Value; 2] {
            [append.aggregate.as_str().into(), append.expected_version.into()]
        });
        for row in tx.query_all_raw(statement(tx, &sql, values)).await? {
            let key = (row.try_get_by("aggregate")?, row.try_get_by("version")?);
            found.insert(key, Digest::from_bytes(row.try_get_by("hash")?));
        }
    }
    Ok(found)
}

async fn insert(tx: &DatabaseTransaction, events: &[Event]) -> Result<(), StoreError> {
    const WIDTH: usize = 14;
    let sql = format!(
        "INSERT INTO events (id, aggregate, version, type, actor, acting_for, ground, occurred_at, recorded_at, \
         traceparent, causation_id, payload, prev_hash, hash) VALUES {}",
        places(events.len(), WIDTH)
    );
    let values = events.iter().flat_map(|event| -> [Value; WIDTH] {
        [
            event.id.clone().into(),
            event.aggregate.clone().into(),
            event.version.into(),
            event.event_type.clone().into(),
            event.actor.clone().into(),
            event.acting_for.clone().into(),
            event.ground.clone().into(),
            event.occurred_at.as_micros().into(),
            event.recorded_at.as_micros().into(),
            event.traceparent.clone().into(),
            event.causation_id.clone().into(),
            event.payload.clone().into(),
            event.prev_hash.as_bytes().to_vec().into(),
            event.hash.as_bytes().to_vec().into(),
        ]
    });
    match tx.execute_raw(statement(tx, &sql, values)).await.map_err(StoreError::from) {
        Ok(_) => Ok(()),
        Err(error) if error.is_unique_violation() => {
            Err(StoreError::Stale(events.first().map(|event| event.aggregate.clone()).unwrap_or_default()))
        }
        Err(error) => Err(error),
    }
}

pub(crate) fn event(row: &QueryResult) -> Result<Event, DbErr> {
    Ok(Event {
        id: row.try_get_by("id")?,
        position: row.try_get_by::<Option<i64>, _>("position")?.unwrap_or(0),
        aggregate: row.try_get_by("aggregate")?,
        version: row.try_get_by("version")?,
        event_type: row.try_get_by("type")?,
        actor: row.try_get_by("actor")?,
        acting_for: row.try_get_by("acting_for")?,
        ground: row.try_get_by("ground")?,
        occurred_at: Timestamp::from_micros(row.try_get_by("occurred_at")?),
        recorded_at: MachineTime::from_micros(row.try_get_by("recorded_at")?),
        traceparent: row.try_get_by("traceparent")?,
        causation_id: row.try_get_by("causation_id")?,
        payload: row.try_get_by("payload")?,
        prev_hash: Digest::from_bytes(row.try_get_by("prev_hash")?),
        hash: Digest::from_bytes(row.try_get_by("hash")?),
    })
}
