//! The head: one number that every write of the roster raises.

use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use xietong_store::{StoreError, statement};

/// Takes the head for the rest of the transaction and returns the version this write makes.
/// Another write waits here until this one has ended.
pub(crate) async fn raise(tx: &DatabaseTransaction) -> Result<i64, StoreError> {
    let sql = "UPDATE roster_head SET version = version + 1 RETURNING version";
    read(tx.query_one_raw(statement(tx, sql, [])).await?)
}

/// The version of the last write that was committed.
pub(crate) async fn version<C: ConnectionTrait>(connection: &C) -> Result<i64, StoreError> {
    read(connection.query_one_raw(statement(connection, "SELECT version FROM roster_head", [])).await?)
}

fn read(row: Option<QueryResult>) -> Result<i64, StoreError> {
    let row = row.ok_or_else(|| StoreError::corrupt("roster head", "it has no row"))?;
    Ok(row.try_get_by("version")?)
}
