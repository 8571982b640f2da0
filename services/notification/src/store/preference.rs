//! How officials want to be told, and what waits for that.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use domain_notification::{Preference, WaitedEntry};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use xietong_store::{ROWS, SqlMigration, StoreError, places, statement};

use super::texts;

/// `waiting_messages` are filed in the inbox already, and summed up when they are due.
pub(super) const PREFERENCES: SqlMigration = SqlMigration {
    name: "notification_0202_preferences",
    statements: &[
        "CREATE TABLE preferences (
            official TEXT PRIMARY KEY,
            version BIGINT NOT NULL,
            body TEXT NOT NULL,
            updated_at BIGINT NOT NULL
        )",
        "CREATE TABLE waiting_messages (
            official TEXT NOT NULL,
            due_at BIGINT NOT NULL,
            message TEXT NOT NULL,
            PRIMARY KEY (official, due_at, message)
        )",
    ],
};

/// How an official wants to be told, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredPreference {
    /// Number of its events, from 1.
    pub(crate) version: i64,
    /// All of it.
    pub(crate) preference: Preference,
    /// When last changed.
    pub(crate) updated_at: Timestamp,
}

/// A message that is summed up for an official at an instant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Waiting {
    /// `officials/{id}`.
    pub(crate) official: String,
    /// When.
    pub(crate) due_at: Timestamp,
    /// Id of the message.
    pub(crate) message: String,
}

/// How an official wants to be told; none when he never said.
pub(crate) async fn preference<C: ConnectionTrait>(
    connection: &C,
    official: &str,
) -> Result<Option<StoredPreference>, StoreError> {
    let sql = "SELECT version, body, updated_at FROM preferences WHERE official = $1";
    let row = connection.query_one_raw(statement(connection, sql, texts([official]))).await?;
    row.as_ref().map(read).transpose()
}

/// How those of these officials want to be told who said so.
pub(crate) async fn preferences_of(
    tx: &DatabaseTransaction,
    officials: &[&str],
) -> Result<BTreeMap<String, Preference>, StoreError> {
    let mut found = BTreeMap::new();
    for chunk in officials.chunks(ROWS) {
        let sql = format!(
            "SELECT official, version, body, updated_at FROM (VALUES {}) AS wanted
             JOIN preferences ON official = wanted.column1",
            places(chunk.len(), 1)
        );
        for row in tx.query_all_raw(statement(tx, &sql, texts(chunk.iter().copied()))).await? {
            found.insert(row.try_get_by("official")?, read(&row)?.preference);
        }
    }
    Ok(found)
}

/// Stores how an official wants to be told, as the version after `before`. [`StoreError::Stale`] when
/// it is no longer at that version.
pub(crate) async fn save_preference(
    tx: &DatabaseTransaction,
    official: &str,
    after: &StoredPreference,
) -> Result<(), StoreError> {
    let body = serde_json::to_string(&after.preference)
        .map_err(|error| StoreError::corrupt("preferences", error))?;
    let sql = "INSERT INTO preferences (official, version, body, updated_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (official) DO UPDATE SET
               version = excluded.version, body = excluded.body, updated_at = excluded.updated_at
               WHERE preferences.version = excluded.version - 1";
    let values: [Value; 4] =
        [official.into(), after.version.into(), body.into(), after.updated_at.as_micros().into()];
    if tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::Stale(format!("preferences of {official}")))
    }
}

/// Notes messages that are summed up later.
pub(crate) async fn wait(tx: &DatabaseTransaction, waiting: &[Waiting]) -> Result<(), StoreError> {
    for chunk in waiting.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO waiting_messages (official, due_at, message) VALUES {} ON CONFLICT DO NOTHING",
            places(chunk.len(), 3)
        );
        let values = chunk.iter().flat_map(|one| -> [Value; 3] {
            [one.official.as_str().into(), one.due_at.as_micros().into(), one.message.as_str().into()]
        });
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// Takes out what waited for an instant, in the order in which it came. What its reader has found for
/// himself, and what was recalled, is left out.
pub(crate) async fn take_waiting(
    tx: &DatabaseTransaction,
    official: &str,
    due_at: Timestamp,
) -> Result<Vec<WaitedEntry>, StoreError> {
    let window: [Value; 2] = [official.into(), due_at.as_micros().into()];
    let sql = "SELECT title, sent_at FROM waiting_messages JOIN messages ON message = id
               WHERE official = $1 AND due_at = $2 AND read_at IS NULL AND recalled_at IS NULL
               ORDER BY number";
    let rows = tx.query_all_raw(statement(tx, sql, window.clone())).await?;
    let sql = "DELETE FROM waiting_messages WHERE official = $1 AND due_at = $2";
    tx.execute_raw(statement(tx, sql, window)).await?;
    rows.iter()
        .map(|row| {
            Ok(WaitedEntry {
                title: row.try_get_by("title")?,
                sent_at: Timestamp::from_micros(row.try_get_by("sent_at")?),
            })
        })
        .collect()
}

fn read(row: &QueryResult) -> Result<StoredPreference, StoreError> {
    let body: String = row.try_get_by("body")?;
    Ok(StoredPreference {
        version: row.try_get_by("version")?,
        preference: serde_json::from_str(&body).map_err(|error| StoreError::corrupt("preferences", error))?,
        updated_at: Timestamp::from_micros(row.try_get_by("updated_at")?),
    })
}
