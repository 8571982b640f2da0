//! What must be remembered of issued tasks.

use std::collections::BTreeMap;

use domain_notification::Matter;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use xietong_store::{ROWS, StoreError, places, statement};

use super::texts;

/// The matters of tasks, by task; a task that was never issued has none.
pub(crate) async fn load_matters(
    tx: &DatabaseTransaction,
    tasks: &[&str],
) -> Result<BTreeMap<String, Matter>, StoreError> {
    let mut found = BTreeMap::new();
    for chunk in tasks.chunks(ROWS) {
        let sql = format!(
            "SELECT task, lead_unit FROM (VALUES {}) AS wanted JOIN matters ON task = wanted.column1",
            places(chunk.len(), 1)
        );
        for row in tx.query_all_raw(statement(tx, &sql, texts(chunk.iter().copied()))).await? {
            found.insert(row.try_get_by("task")?, Matter { lead_unit: row.try_get_by("lead_unit")? });
        }
    }
    Ok(found)
}

pub(crate) async fn save_matters(
    tx: &DatabaseTransaction,
    matters: &[(String, Matter)],
) -> Result<(), StoreError> {
    for chunk in matters.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO matters (task, lead_unit) VALUES {} ON CONFLICT (task) DO UPDATE SET lead_unit = excluded.lead_unit",
            places(chunk.len(), 2)
        );
        let values = chunk.iter().flat_map(|(task, matter)| -> [Value; 2] {
            [task.as_str().into(), matter.lead_unit.clone().into()]
        });
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}
