//! The head: one row that every write of the roster raises.

use domain_calendar::Timestamp;
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use xietong_store::{StoreError, statement};

/// Takes the head for the rest of the transaction and returns the version this write makes, and
/// the business time of the write before. Another write waits here until this one has ended.
pub(crate) async fn raise(tx: &DatabaseTransaction) -> Result<(i64, Timestamp), StoreError> {
    let sql = "UPDATE roster_head SET version = version + 1 RETURNING version, recorded_at";
    let row = there(tx.query_one_raw(statement(tx, sql, [])).await?)?;
    Ok((row.try_get_by("version")?, Timestamp::from_micros(row.try_get_by("recorded_at")?)))
}

/// Keeps the business time of the write that has the head.
pub(crate) async fn keep_time(tx: &DatabaseTransaction, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE roster_head SET recorded_at = $1";
    tx.execute_raw(statement(tx, sql, [now.as_micros().into()])).await?;
    Ok(())
}

/// The version of the last write that was committed.
pub(crate) async fn version<C: ConnectionTrait>(connection: &C) -> Result<i64, StoreError> {
    let sql = "SELECT version FROM roster_head";
    Ok(there(connection.query_one_raw(statement(connection, sql, [])).await?)?.try_get_by("version")?)
}

fn there(row: Option<QueryResult>) -> Result<QueryResult, StoreError> {
    row.ok_or_else(|| StoreError::corrupt("roster head", "it has no row"))
}
