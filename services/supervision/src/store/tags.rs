//! The tags of tasks, to find tasks by them.

use std::collections::BTreeSet;

use domain_supervision::Task;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use xietong_store::{ROWS, StoreError, places, statement};

/// Notes the tags of new tasks.
pub(super) async fn insert<'t>(
    tx: &DatabaseTransaction,
    tasks: impl Iterator<Item = &'t Task>,
) -> Result<(), StoreError> {
    // A task may name a tag twice.
    let tags: BTreeSet<(&str, i64)> =
        tasks.flat_map(|task| task.tags.iter().map(|tag| (tag.as_str(), task.ledger_number))).collect();
    let tags: Vec<(&str, i64)> = tags.into_iter().collect();
    for chunk in tags.chunks(ROWS) {
        let sql = format!("INSERT INTO task_tags (tag, ledger_number) VALUES {}", places(chunk.len(), 2));
        let values = chunk.iter().flat_map(|(tag, number)| [Value::from(*tag), Value::from(*number)]);
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// Notes the tags of a task in place of those it had.
pub(super) async fn replace(tx: &DatabaseTransaction, task: &Task) -> Result<(), StoreError> {
    let sql = "DELETE FROM task_tags WHERE ledger_number = $1";
    tx.execute_raw(statement(tx, sql, [task.ledger_number.into()])).await?;
    insert(tx, std::iter::once(task)).await
}
