//! What tasks were escalated from: one task an origin, for ever. The caller's request id
//! says the same for as long as request ids are kept.

use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use xietong_store::{StoreError, statement};

use super::tasks::record;
use crate::record::Record;

/// The task that was escalated from `origin`.
pub(crate) async fn of_origin(tx: &DatabaseTransaction, origin: &str) -> Result<Option<Record>, StoreError> {
    let sql = "SELECT tasks.ledger_number, calendar_version, body FROM task_origins
               JOIN tasks ON tasks.ledger_number = task_origins.ledger_number WHERE origin = $1";
    let row = tx.query_one_raw(statement(tx, sql, [origin.into()])).await?;
    row.as_ref().map(record).transpose()
}

/// Notes what new tasks were escalated from. [`StoreError::Stale`] when somebody else has
/// just escalated the same.
pub(crate) async fn keep_origins(tx: &DatabaseTransaction, records: &[Record]) -> Result<(), StoreError> {
    for record in records {
        let Some(origin) = &record.task.origin else { continue };
        let sql = "INSERT INTO task_origins (origin, ledger_number) VALUES ($1, $2) ON CONFLICT (origin) DO NOTHING";
        let values: [Value; 2] = [origin.clone().into(), record.task.ledger_number.into()];
        if tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() == 0 {
            return Err(StoreError::Stale(origin.clone()));
        }
    }
    Ok(())
}
