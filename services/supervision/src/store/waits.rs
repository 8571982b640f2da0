//! [`waiting_for`]: the tasks that wait for a unit.

use sea_orm::{ConnectionTrait, DatabaseConnection};
use xietong_store::{Parameters, StoreError, statement};

use super::{Portion, tasks};
use crate::record::Record;

/// The tasks with an assignment that waits for a unit, or asks to, the newest first.
pub(crate) async fn waiting_for(
    reader: &DatabaseConnection,
    unit: &str,
    portion: Portion,
) -> Result<Vec<Record>, StoreError> {
    let mut parameters = Parameters::default();
    let unit = parameters.bind(unit);
    let before = parameters.bind(portion.before.unwrap_or(i64::MAX));
    let limit = parameters.bind(portion.limit);
    let sql = format!(
        "SELECT ledger_number, body FROM tasks
         WHERE ledger_number IN (SELECT ledger_number FROM assignments WHERE waits_for = {unit})
           AND ledger_number < {before}
         ORDER BY ledger_number DESC LIMIT {limit}"
    );
    let rows = reader.query_all_raw(statement(reader, &sql, parameters.into_values())).await?;
    rows.iter().map(tasks::record).collect()
}
