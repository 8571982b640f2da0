//! The change feed: writing it. `feed_page` reads it.
//!
//! Positions are taken from one counter row that is held until the transaction ends, so entries
//! become visible in their order: whoever has read up to a position has missed none below it.

use std::collections::{BTreeMap, BTreeSet};

use domain_notification::{FeedAudience, FeedEntry};
use domain_supervision::Visibility;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use xietong_events::Event;
use xietong_store::{ROWS, SqlMigration, StoreError, places, statement};

use super::texts;

/// Stands for everybody among the holders of a record that is public.
pub(super) const EVERYBODY: &str = "*";

/// Instants are business time in microseconds.
pub(super) const FEED: SqlMigration = SqlMigration {
    name: "notification_0004_feed",
    statements: &[
        "CREATE TABLE feed_counter (
            id BIGINT PRIMARY KEY,
            last_position BIGINT NOT NULL
        )",
        "INSERT INTO feed_counter (id, last_position) VALUES (1, 0)",
        "CREATE TABLE feed (
            position BIGINT PRIMARY KEY,
            id TEXT NOT NULL,
            source TEXT NOT NULL,
            type TEXT NOT NULL,
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            record TEXT NOT NULL,
            sequence BIGINT NOT NULL,
            actor TEXT NOT NULL,
            acting_for TEXT,
            ground TEXT,
            occurred_at BIGINT NOT NULL,
            traceparent TEXT,
            causation_id TEXT,
            data TEXT NOT NULL
        )",
        "CREATE INDEX feed_kind ON feed (kind, position)",
        "CREATE INDEX feed_subject ON feed (subject, position)",
        "CREATE INDEX feed_record ON feed (record, position)",
        // Who sees the events of a record, as it is now.
        "CREATE TABLE feed_records (
            record TEXT PRIMARY KEY,
            audience TEXT NOT NULL
        )",
        // Whom an entry may concern: what a page of a unit is read by. Whether it may be seen is
        // asked of the record, so a row that holds no more does no harm.
        "CREATE TABLE feed_holders (
            holder TEXT NOT NULL,
            position BIGINT NOT NULL,
            PRIMARY KEY (holder, position)
        )",
    ],
};

/// Adds entries of one producer, in the order of its log, with one statement a table.
pub(crate) async fn append_to_feed(
    tx: &DatabaseTransaction,
    source: &str,
    entries: Vec<(&Event, FeedEntry)>,
) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let first = take_positions(tx, i64::try_from(entries.len()).unwrap_or(i64::MAX)).await?;
    let records: BTreeSet<&str> = entries.iter().map(|(_, entry)| entry.record.as_str()).collect();
    let before = load_audiences(tx, &records).await?;
    let mut after = before.clone();
    for (_, entry) in &entries {
        let audience = after.remove(&entry.record).unwrap_or_default();
        let audience = match &entry.facts {
            Some(facts) => audience.after(facts.clone()),
            None => audience,
        };
        after.insert(entry.record.clone(), audience);
    }
    insert_entries(tx, source, first, &entries).await?;
    let changed: Vec<(&String, &FeedAudience)> =
        after.iter().filter(|(record, audience)| before.get(*record) != Some(audience)).collect();
    save_audiences(tx, &changed).await?;

    let mut holders: Vec<(&str, i64)> = Vec::new();
    for ((_, entry), position) in entries.iter().zip(first..) {
        holders.extend(after.get(&entry.record).into_iter().flat_map(holders_of).map(|one| (one, position)));
    }
    insert_holders(tx, &holders).await?;
    let mut gained: Vec<(&str, &str)> = Vec::new();
    for (record, audience) in changed {
        let Some(had) = before.get(record) else { continue };
        let had = holders_of(had);
        gained.extend(holders_of(audience).difference(&had).map(|holder| (record.as_str(), *holder)));
    }
    show_what_was(tx, first, &gained).await
}

/// Takes positions and returns the first of them.
async fn take_positions(tx: &DatabaseTransaction, count: i64) -> Result<i64, StoreError> {
    let sql = "UPDATE feed_counter SET last_position = last_position + $1 RETURNING last_position";
    let row = tx.query_one_raw(statement(tx, sql, [count.into()])).await?;
    let row = row.ok_or_else(|| StoreError::corrupt("feed", "its counter has no row"))?;
    Ok(row.try_get_by::<i64, _>("last_position")? - count + 1)
}

/// By whom entries of a record are looked up.
fn holders_of(audience: &FeedAudience) -> BTreeSet<&str> {
    let mut holders = audience.units();
    if audience.visibility == Visibility::Public {
        holders.insert(EVERYBODY);
    }
    holders
}

async fn load_audiences(
    tx: &DatabaseTransaction,
    records: &BTreeSet<&str>,
) -> Result<BTreeMap<String, FeedAudience>, StoreError> {
    let records: Vec<&str> = records.iter().copied().collect();
    let mut found = BTreeMap::new();
    for chunk in records.chunks(ROWS) {
        let sql = format!(
            "SELECT record, audience FROM (VALUES {}) AS wanted
             JOIN feed_records ON record = wanted.column1",
            places(chunk.len(), 1)
        );
        for row in tx.query_all_raw(statement(tx, &sql, texts(chunk.iter().copied()))).await? {
            let audience: String = row.try_get_by("audience")?;
            found.insert(row.try_get_by("record")?, read_audience(&audience)?);
        }
    }
    Ok(found)
}

pub(super) fn read_audience(text: &str) -> Result<FeedAudience, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::corrupt("audience of a record", error))
}

async fn save_audiences(
    tx: &DatabaseTransaction,
    audiences: &[(&String, &FeedAudience)],
) -> Result<(), StoreError> {
    for chunk in audiences.chunks(ROWS) {
        let mut values: Vec<Value> = Vec::with_capacity(chunk.len() * 2);
        for (record, audience) in chunk {
            let text = serde_json::to_string(audience)
                .map_err(|error| StoreError::corrupt("audience of a record", error))?;
            values.extend([record.as_str().into(), text.into()]);
        }
        let sql = format!(
            "INSERT INTO feed_records (record, audience) VALUES {}
             ON CONFLICT (record) DO UPDATE SET audience = excluded.audience",
            places(chunk.len(), 2)
        );
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

async fn insert_entries(
    tx: &DatabaseTransaction,
    source: &str,
    first: i64,
    entries: &[(&Event, FeedEntry)],
) -> Result<(), StoreError> {
    const WIDTH: usize = 15;
    let numbered: Vec<(i64, &(&Event, FeedEntry))> = (first..).zip(entries).collect();
    for chunk in numbered.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO feed (position, id, source, type, kind, subject, record, sequence, actor, \
             acting_for, ground, occurred_at, traceparent, causation_id, data) VALUES {}",
            places(chunk.len(), WIDTH)
        );
        let values = chunk.iter().flat_map(|(position, (event, entry))| -> [Value; WIDTH] {
            [
                (*position).into(),
                event.id.as_str().into(),
                source.into(),
                event.event_type.as_str().into(),
                entry.kind.as_str().into(),
                event.aggregate.as_str().into(),
                entry.record.as_str().into(),
                event.version.into(),
                event.actor.as_str().into(),
                event.acting_for.clone().into(),
                event.ground.clone().into(),
                event.occurred_at.as_micros().into(),
                event.traceparent.clone().into(),
                event.causation_id.clone().into(),
                entry.data.to_string().into(),
            ]
        });
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

async fn insert_holders(tx: &DatabaseTransaction, holders: &[(&str, i64)]) -> Result<(), StoreError> {
    for chunk in holders.chunks(ROWS * 4) {
        let sql = format!("INSERT INTO feed_holders (holder, position) VALUES {}", places(chunk.len(), 2));
        let values = chunk
            .iter()
            .flat_map(|(holder, position)| -> [Value; 2] { [(*holder).into(), (*position).into()] });
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// Lets holders that a record has gained find what was told of it before.
async fn show_what_was(
    tx: &DatabaseTransaction,
    before: i64,
    gained: &[(&str, &str)],
) -> Result<(), StoreError> {
    for chunk in gained.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO feed_holders (holder, position)
             SELECT wanted.column2, feed.position FROM (VALUES {}) AS wanted
             JOIN feed ON feed.record = wanted.column1 WHERE feed.position < ${}
             ON CONFLICT (holder, position) DO NOTHING",
            places(chunk.len(), 2),
            chunk.len() * 2 + 1
        );
        let mut values = texts(chunk.iter().flat_map(|(record, holder)| [*record, *holder]));
        values.push(before.into());
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}
