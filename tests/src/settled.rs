//! Whether everything that has happened has had its consequences, asked of the databases.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use xietong_mesh::ServiceName;
use xietong_store::statement;

/// True when every event of every service has its position and every consumer has applied
/// all of them. Services whose database is not given are left out.
///
/// # Errors
/// When a database cannot be asked.
pub async fn is_settled(databases: &BTreeMap<ServiceName, DatabaseConnection>) -> Result<bool, DbErr> {
    for (producer, log) in databases {
        let sql = "SELECT COALESCE(MAX(position), 0) AS head, COUNT(*) - COUNT(position) AS pending FROM events";
        let Some(row) = log.query_one_raw(statement(log, sql, [])).await? else { return Ok(false) };
        let (head, pending): (i64, i64) = (row.try_get_by("head")?, row.try_get_by("pending")?);
        if pending > 0 {
            return Ok(false);
        }
        for consumer in databases.values() {
            let sql = "SELECT position FROM consumer_cursors WHERE producer = $1 AND position < $2";
            let behind = [producer.as_str().into(), head.into()];
            if consumer.query_one_raw(statement(consumer, sql, behind)).await?.is_some() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
