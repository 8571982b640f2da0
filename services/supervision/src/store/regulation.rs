//! Versions of the rule, and calendars as the roster published them.

use domain_calendar::{Calendar, Timestamp};
use domain_roster::PublishedCalendar;
use domain_supervision::Rule;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use xietong_store::{SqlMigration, StoreError, statement};

/// Rows are only ever added. `version` is counted on from what is compiled in, which is 1.
///
/// `calendar_version` of a task is the version of the calendar that its due times were last
/// counted by; null when they do not depend on it, or none of its clocks runs.
pub(crate) const REGULATION: SqlMigration = SqlMigration {
    name: "supervision_0006_regulation",
    statements: &[
        "CREATE TABLE rules (version BIGINT PRIMARY KEY, recorded_at BIGINT NOT NULL, body TEXT NOT NULL)",
        "CREATE TABLE calendars (version BIGINT PRIMARY KEY, recorded_at BIGINT NOT NULL, body TEXT NOT NULL)",
        "ALTER TABLE tasks ADD COLUMN calendar_version BIGINT",
        "CREATE INDEX tasks_calendar_version ON tasks (calendar_version) WHERE calendar_version IS NOT NULL",
    ],
};

/// How many rules and how many calendars were recorded.
pub(crate) async fn count_regulation<C: ConnectionTrait>(
    connection: &C,
) -> Result<(usize, usize), StoreError> {
    let sql = "SELECT (SELECT COUNT(*) FROM rules) AS rules, (SELECT COUNT(*) FROM calendars) AS calendars";
    let row = connection.query_one_raw(statement(connection, sql, [])).await?;
    let Some(row) = row else { return Ok((0, 0)) };
    let count = |column: &str| -> Result<usize, StoreError> {
        let count: i64 = row.try_get_by(column)?;
        usize::try_from(count).map_err(|error| StoreError::corrupt("regulation", error))
    };
    Ok((count("rules")?, count("calendars")?))
}

/// The rules that were recorded, and the calendar as each publication made it, in order.
pub(crate) async fn regulation<C: ConnectionTrait>(
    connection: &C,
) -> Result<(Vec<Rule>, Vec<Calendar>), StoreError> {
    let rules = all(connection, "rules").await?;
    let mut calendars: Vec<Calendar> = Vec::new();
    for published in all::<PublishedCalendar, C>(connection, "calendars").await? {
        let before = calendars.last().cloned().unwrap_or_default();
        calendars.push(before.published(published.arrangement, published.version));
    }
    Ok((rules, calendars))
}

/// Keeps a new version of the rule. False when another was given the version meanwhile.
pub(crate) async fn keep_rule(
    tx: &DatabaseTransaction,
    rule: &Rule,
    recorded_at: Timestamp,
) -> Result<bool, StoreError> {
    keep(tx, "rules", rule.version, recorded_at, rule).await
}

/// Keeps a calendar that the roster published; once, however often it is told.
pub(crate) async fn keep_calendar(
    tx: &DatabaseTransaction,
    published: &PublishedCalendar,
) -> Result<(), StoreError> {
    keep(tx, "calendars", published.version, published.recorded_at, published).await.map(drop)
}

/// Names of tasks whose due times were counted by an older calendar than `version`, at most
/// `limit`.
pub(crate) async fn names_behind<C: ConnectionTrait>(
    connection: &C,
    version: u32,
    limit: u64,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT name FROM tasks WHERE calendar_version < $1 ORDER BY calendar_version LIMIT $2";
    let values: [Value; 2] = [i64::from(version).into(), limit.into()];
    let rows = connection.query_all_raw(statement(connection, sql, values)).await?;
    rows.iter().map(|row| Ok(row.try_get_by("name")?)).collect()
}

pub(super) async fn all<T: DeserializeOwned, C: ConnectionTrait>(
    connection: &C,
    table: &str,
) -> Result<Vec<T>, StoreError> {
    let sql = format!("SELECT body FROM {table} ORDER BY version");
    let rows = connection.query_all_raw(statement(connection, &sql, [])).await?;
    rows.iter()
        .map(|row| {
            let body: String = row.try_get_by("body")?;
            serde_json::from_str(&body).map_err(|error| StoreError::corrupt(table, error))
        })
        .collect()
}

pub(super) async fn keep<T: Serialize>(
    tx: &DatabaseTransaction,
    table: &str,
    version: u32,
    recorded_at: Timestamp,
    record: &T,
) -> Result<bool, StoreError> {
    let body = serde_json::to_string(record).map_err(|error| StoreError::corrupt(table, error))?;
    let sql = format!(
        "INSERT INTO {table} (version, recorded_at, body) VALUES ($1, $2, $3) ON CONFLICT (version) DO NOTHING"
    );
    let values: [Value; 3] = [i64::from(version).into(), recorded_at.as_micros().into(), body.into()];
    let result = tx.execute_raw(statement(tx, &sql, values)).await?;
    Ok(result.rows_affected() == 1)
}
