//! Decisions.

use domain_workgroup::Decision;
use sea_orm::{ConnectionTrait, Value};
use xietong_store::{StoreError, statement};

use super::{body, json};

/// Adds a decision.
pub(crate) async fn insert<C: ConnectionTrait>(
    connection: &C,
    decision: &Decision,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO decisions (name, meeting, version, body) VALUES ($1, $2, $3, $4)";
    let values: [Value; 4] = [
        decision.name.clone().into(),
        decision.meeting().into(),
        decision.version.into(),
        json(decision)?.into(),
    ];
    connection.execute_raw(statement(connection, sql, values)).await?;
    Ok(())
}

/// Saves a decision that was at `expected` when it was read.
pub(crate) async fn update<C: ConnectionTrait>(
    connection: &C,
    decision: &Decision,
    expected: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE decisions SET version = $3, body = $4 WHERE name = $1 AND version = $2";
    let values: [Value; 4] =
        [decision.name.clone().into(), expected.into(), decision.version.into(), json(decision)?.into()];
    let result = connection.execute_raw(statement(connection, sql, values)).await?;
    if result.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Stale(decision.name.clone())) }
}

/// A decision by name.
pub(crate) async fn find<C: ConnectionTrait>(
    connection: &C,
    name: &str,
) -> Result<Option<Decision>, StoreError> {
    let sql = "SELECT body FROM decisions WHERE name = $1";
    let row = connection.query_one_raw(statement(connection, sql, [name.into()])).await?;
    row.as_ref().map(body).transpose()
}

/// The decisions of a meeting after an entry, in order of record, each with its entry.
pub(crate) async fn list_of_meeting<C: ConnectionTrait>(
    connection: &C,
    meeting: &str,
    after: i64,
    limit: u64,
) -> Result<Vec<(i64, Decision)>, StoreError> {
    let sql = "SELECT entry, body FROM decisions WHERE meeting = $1 AND entry > $2 ORDER BY entry LIMIT $3";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values: [Value; 3] = [meeting.into(), after.into(), limit.into()];
    let rows = connection.query_all_raw(statement(connection, sql, values)).await?;
    rows.iter().map(|row| Ok((row.try_get_by("entry")?, body(row)?))).collect()
}
