//! Which item of which document a task is: one task an item, for ever.

use std::collections::BTreeSet;

use domain_supervision::{Source, Task};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use xietong_store::{ROWS, StoreError, places, statement};

use crate::record::Record;

/// The identity of a task that is an item of a document; none when it is not.
fn identity(task: &Task) -> Option<[&str; 3]> {
    let Source { document_number, part, item_number, line: _ } = &task.source;
    let is_item = !document_number.is_empty() && !item_number.is_empty();
    is_item.then_some([document_number, part, item_number])
}

/// Notes which items new tasks are. Gives back the names of the tasks that are those items
/// already, with the place of the new task among `records`; then nothing may be kept.
pub(crate) async fn keep_sources(
    tx: &DatabaseTransaction,
    records: &[Record],
) -> Result<Vec<(usize, String)>, StoreError> {
    let items: Vec<(usize, &Task, [&str; 3])> = records
        .iter()
        .enumerate()
        .filter_map(|(at, record)| identity(&record.task).map(|item| (at, &record.task, item)))
        .collect();
    let mut kept = BTreeSet::new();
    for chunk in items.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO task_sources (document_number, part, item, task) VALUES {}
             ON CONFLICT (document_number, part, item) DO NOTHING RETURNING task",
            places(chunk.len(), 4)
        );
        let values = chunk
            .iter()
            .flat_map(|(_, task, item)| item.iter().copied().chain([task.name.as_str()]))
            .map(Value::from);
        for row in tx.query_all_raw(statement(tx, &sql, values.collect::<Vec<_>>())).await? {
            kept.insert(row.try_get_by::<String, _>("task")?);
        }
    }
    let mut taken = Vec::new();
    for (at, _, item) in items.iter().filter(|(_, task, _)| !kept.contains(&task.name)) {
        let sql = "SELECT task FROM task_sources WHERE document_number = $1 AND part = $2 AND item = $3";
        let values = item.iter().copied().map(Value::from).collect::<Vec<_>>();
        let row = tx.query_one_raw(statement(tx, sql, values)).await?;
        let row = row.ok_or_else(|| StoreError::corrupt("source", "an item that is taken has no task"))?;
        taken.push((*at, row.try_get_by("task")?));
    }
    Ok(taken)
}
