//! Bulletins, their lines, and what was corrected because of them.

use std::collections::{BTreeMap, BTreeSet};

use domain_calendar::Timestamp;
use domain_supervision::{Bulletin, BulletinState, Correction, Corrections, Figure, Line};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, QueryResult, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use xietong_store::{Parameters, ROWS, SqlMigration, StoreError, places, statement};

/// A bulletin is one row, read whole from `body`; its lines, which are long, stand beside it.
/// `checked`: it was sent to its units. A correction is for good; its version is 0 where the point
/// comes from no event.
pub(crate) const BULLETINS: SqlMigration = SqlMigration {
    name: "supervision_0011_bulletins",
    statements: &[
        "CREATE TABLE score_rules (version BIGINT PRIMARY KEY, recorded_at BIGINT NOT NULL, body TEXT NOT NULL)",
        "CREATE TABLE bulletins (
            ordinal {serial},
            name TEXT NOT NULL,
            state TEXT NOT NULL,
            leader TEXT NOT NULL,
            checked BOOLEAN NOT NULL,
            version BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
        "CREATE UNIQUE INDEX bulletins_name ON bulletins (name)",
        "CREATE TABLE bulletin_lines (
            bulletin TEXT NOT NULL,
            unit TEXT NOT NULL,
            body TEXT NOT NULL,
            PRIMARY KEY (bulletin, unit)
        )",
        "CREATE INDEX bulletin_lines_unit ON bulletin_lines (unit, bulletin)",
        "CREATE TABLE score_corrections (
            assignment TEXT NOT NULL,
            figure TEXT NOT NULL,
            version BIGINT NOT NULL,
            recorded_at BIGINT NOT NULL,
            body TEXT NOT NULL,
            PRIMARY KEY (assignment, figure, version)
        )",
    ],
};

/// Which bulletins are asked for.
#[derive(Debug, Clone)]
pub(crate) struct BulletinFilter {
    /// Who asks; none sees every one.
    pub(crate) seen: Option<SeenBulletins>,
    /// Only those in this state.
    pub(crate) state: Option<BulletinState>,
}

/// The bulletins that somebody sees who does not see every one.
#[derive(Debug, Clone)]
pub(crate) struct SeenBulletins {
    /// Those that one of these leaders signs.
    pub(crate) leaders: BTreeSet<String>,
    /// Those that were sent to one of these units.
    pub(crate) units: BTreeSet<String>,
}

/// The bulletin of this name.
pub(crate) async fn find_bulletin<C: ConnectionTrait>(
    connection: &C,
    name: &str,
) -> Result<Option<Bulletin>, StoreError> {
    let sql = "SELECT body FROM bulletins WHERE name = $1";
    let row = connection.query_one_raw(statement(connection, sql, [name.into()])).await?;
    row.as_ref().map(|row| from_body(row, "bulletin")).transpose()
}

/// At most `limit` bulletins older than a place in their order, the newest first, each with its
/// place.
pub(crate) async fn bulletins(
    reader: &DatabaseConnection,
    filter: &BulletinFilter,
    before: Option<i64>,
    limit: u64,
) -> Result<Vec<(i64, Bulletin)>, StoreError> {
    let mut parameters = Parameters::default();
    let mut conditions = vec!["TRUE".to_owned()];
    if let Some(SeenBulletins { leaders, units }) = &filter.seen {
        let leaders = parameters.bind_all(leaders.iter().map(String::as_str));
        let units = parameters.bind_all(units.iter().map(String::as_str));
        conditions.push(format!(
            "(leader IN ({leaders})
              OR (checked AND name IN (SELECT bulletin FROM bulletin_lines WHERE unit IN ({units}))))"
        ));
    }
    if let Some(state) = filter.state {
        conditions.push(format!("state = {}", parameters.bind(state.as_str())));
    }
    if let Some(before) = before {
        conditions.push(format!("ordinal < {}", parameters.bind(before)));
    }
    let conditions = conditions.join(" AND ");
    let limit = parameters.bind(limit);
    let sql =
        format!("SELECT ordinal, body FROM bulletins WHERE {conditions} ORDER BY ordinal DESC LIMIT {limit}");
    let rows = reader.query_all_raw(statement(reader, &sql, parameters.into_values())).await?;
    rows.iter().map(|row| Ok((row.try_get_by("ordinal")?, from_body(row, "bulletin")?))).collect()
}

/// Writes a new bulletin.
pub(crate) async fn insert_bulletin(tx: &DatabaseTransaction, bulletin: &Bulletin) -> Result<(), StoreError> {
    let sql = "INSERT INTO bulletins (name, state, leader, checked, version, body)
               VALUES ($1, $2, $3, $4, $5, $6)";
    let values: [Value; 6] = [
        bulletin.name.as_str().into(),
        bulletin.state.as_str().into(),
        bulletin.leader.as_str().into(),
        bulletin.check_before.is_some().into(),
        bulletin.version.into(),
        to_body(bulletin, "bulletin")?.into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// Writes a bulletin as it became. [`StoreError::Stale`] when it is no longer at the version it
/// was decided on.
pub(crate) async fn save_bulletin(
    tx: &DatabaseTransaction,
    decided_on: i64,
    bulletin: &Bulletin,
) -> Result<(), StoreError> {
    let sql = "UPDATE bulletins SET state = $3, checked = $4, version = $5, body = $6
               WHERE name = $1 AND version = $2";
    let values: [Value; 6] = [
        bulletin.name.as_str().into(),
        decided_on.into(),
        bulletin.state.as_str().into(),
        bulletin.check_before.is_some().into(),
        bulletin.version.into(),
        to_body(bulletin, "bulletin")?.into(),
    ];
    match tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() {
        0 => Err(StoreError::Stale(bulletin.name.clone())),
        _ => Ok(()),
    }
}

/// The lines of a bulletin, of these units or of all.
pub(crate) async fn lines<C: ConnectionTrait>(
    connection: &C,
    bulletin: &str,
    units: Option<&BTreeSet<String>>,
) -> Result<BTreeMap<String, Line>, StoreError> {
    let mut parameters = Parameters::default();
    let bulletin = parameters.bind(bulletin);
    let of_units = match units {
        Some(units) => format!("AND unit IN ({})", parameters.bind_all(units.iter().map(String::as_str))),
        None => String::new(),
    };
    let sql = format!("SELECT unit, body FROM bulletin_lines WHERE bulletin = {bulletin} {of_units}");
    let rows = connection.query_all_raw(statement(connection, &sql, parameters.into_values())).await?;
    rows.iter().map(|row| Ok((row.try_get_by("unit")?, from_body(row, "line")?))).collect()
}

/// Puts lines in the place of all that a bulletin had.
pub(crate) async fn replace_lines(
    tx: &DatabaseTransaction,
    bulletin: &str,
    lines: &BTreeMap<String, Line>,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM bulletin_lines WHERE bulletin = $1";
    tx.execute_raw(statement(tx, sql, [bulletin.into()])).await?;
    let lines: Vec<(&String, &Line)> = lines.iter().collect();
    for chunk in lines.chunks(ROWS) {
        let sql =
            format!("INSERT INTO bulletin_lines (bulletin, unit, body) VALUES {}", places(chunk.len(), 3));
        let mut values: Vec<Value> = Vec::with_capacity(chunk.len() * 3);
        for (unit, line) in chunk {
            values.extend([bulletin.into(), unit.as_str().into(), to_body(line, "line")?.into()]);
        }
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// Puts a line in the place of the one that a unit had.
pub(crate) async fn save_line(
    tx: &DatabaseTransaction,
    bulletin: &str,
    unit: &str,
    line: &Line,
) -> Result<(), StoreError> {
    let sql = "UPDATE bulletin_lines SET body = $3 WHERE bulletin = $1 AND unit = $2";
    let values: [Value; 3] = [bulletin.into(), unit.into(), to_body(line, "line")?.into()];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// Keeps corrections. What was corrected before keeps the ground on which it was.
pub(crate) async fn keep_corrections(
    tx: &DatabaseTransaction,
    corrections: &[Correction],
    recorded_at: Timestamp,
) -> Result<(), StoreError> {
    for chunk in corrections.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO score_corrections (assignment, figure, version, recorded_at, body)
             VALUES {} ON CONFLICT (assignment, figure, version) DO NOTHING",
            places(chunk.len(), 5)
        );
        let mut values: Vec<Value> = Vec::with_capacity(chunk.len() * 5);
        for correction in chunk {
            values.extend([
                correction.point.assignment.as_str().into(),
                figure(correction.figure).into(),
                correction.point.version.unwrap_or(0).into(),
                recorded_at.as_micros().into(),
                to_body(correction, "correction")?.into(),
            ]);
        }
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// Every correction.
pub(crate) async fn corrections<C: ConnectionTrait>(connection: &C) -> Result<Corrections, StoreError> {
    let sql = "SELECT body FROM score_corrections ORDER BY recorded_at, assignment, figure, version";
    let rows = connection.query_all_raw(statement(connection, sql, [])).await?;
    rows.iter().map(|row| from_body::<Correction>(row, "correction")).collect()
}

/// The word in the column.
fn figure(figure: Figure) -> &'static str {
    match figure {
        Figure::OnTime => "on_time",
        Figure::Late => "late",
        Figure::DaysOverdue => "days_overdue",
        Figure::Returned => "returned",
        Figure::LateSteps => "late_steps",
        Figure::ReturnsRefused => "returns_refused",
        Figure::Reopened => "reopened",
    }
}

fn from_body<T: DeserializeOwned>(row: &QueryResult, what: &'static str) -> Result<T, StoreError> {
    let body: String = row.try_get_by("body")?;
    serde_json::from_str(&body).map_err(|error| StoreError::corrupt(what, error))
}

fn to_body<T: Serialize>(record: &T, what: &'static str) -> Result<String, StoreError> {
    serde_json::to_string(record).map_err(|error| StoreError::corrupt(what, error))
}
