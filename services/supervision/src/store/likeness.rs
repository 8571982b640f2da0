//! What open tasks are looked up by when something like them is entered: the keys of
//! `domain_supervision::Likeness`, a few rows a task. A task that is over has none.

use std::collections::{BTreeMap, BTreeSet};

use domain_supervision::{Likeness, Task};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use xietong_store::{Parameters, ROWS, SqlMigration, StoreError, places, statement};

pub(super) const LIKENESS: SqlMigration = SqlMigration {
    name: "supervision_0013_likeness",
    statements: &[
        "CREATE TABLE task_likeness (
            likeness BIGINT NOT NULL,
            ledger_number BIGINT NOT NULL,
            PRIMARY KEY (likeness, ledger_number)
        )",
        // Pairs of tasks that resemble one another and are not the same ask of the same unit.
        "CREATE TABLE task_resemblances (
            newer BIGINT NOT NULL,
            older BIGINT NOT NULL,
            per_mille BIGINT NOT NULL,
            shared_name TEXT NOT NULL,
            dismissed BOOLEAN NOT NULL,
            PRIMARY KEY (newer, older)
        )",
        "CREATE INDEX task_resemblances_open ON task_resemblances (newer, older) WHERE NOT dismissed",
    ],
};

/// Keys that one statement looks up.
const KEYS: usize = 96;
/// Of the tasks that share a key, the newest that are looked at: a wording that stands in
/// thousands of open tasks costs no more than any other.
const NEWEST: usize = 20;

fn keys(task: &Task) -> Vec<i64> {
    Likeness::of(&task.title, &task.text).keys()
}

/// Notes the keys of tasks that are open.
pub(super) async fn insert<'t>(
    tx: &DatabaseTransaction,
    tasks: impl Iterator<Item = &'t Task>,
) -> Result<(), StoreError> {
    let rows: Vec<(i64, i64)> =
        tasks.flat_map(|task| keys(task).into_iter().map(|key| (key, task.ledger_number))).collect();
    for chunk in rows.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO task_likeness (likeness, ledger_number) VALUES {} ON CONFLICT DO NOTHING",
            places(chunk.len(), 2)
        );
        let values = chunk.iter().flat_map(|(key, number)| [Value::from(*key), Value::from(*number)]);
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// Notes the keys of a task in place of those it had, when it says something else, is over or
/// begins anew.
pub(super) async fn replace(tx: &DatabaseTransaction, before: &Task, after: &Task) -> Result<(), StoreError> {
    let same_words = before.title == after.title && before.text == after.text;
    if same_words && before.is_open() == after.is_open() {
        return Ok(());
    }
    let mut parameters = Parameters::default();
    let number = parameters.bind(before.ledger_number);
    let gone = parameters.bind_all(keys(before));
    let sql = format!("DELETE FROM task_likeness WHERE ledger_number = {number} AND likeness IN ({gone})");
    tx.execute_raw(statement(tx, &sql, parameters.into_values())).await?;
    insert(tx, std::iter::once(after).filter(|task| task.is_open())).await
}

/// The open tasks that share each of the keys, by ledger number: the newest of them.
pub(crate) async fn alike(
    tx: &DatabaseTransaction,
    keys: &BTreeSet<i64>,
) -> Result<BTreeMap<i64, Vec<i64>>, StoreError> {
    let keys: Vec<i64> = keys.iter().copied().collect();
    let mut found: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for chunk in keys.chunks(KEYS) {
        let of_key: Vec<String> = (1..=chunk.len())
            .map(|place| {
                format!(
                    "SELECT * FROM (SELECT likeness, ledger_number FROM task_likeness
                     WHERE likeness = ${place} ORDER BY ledger_number DESC LIMIT {NEWEST}) AS of_{place}"
                )
            })
            .collect();
        let sql = of_key.join(" UNION ALL ");
        for row in tx.query_all_raw(statement(tx, &sql, chunk.iter().copied().map(Value::from))).await? {
            found.entry(row.try_get_by("likeness")?).or_default().push(row.try_get_by("ledger_number")?);
        }
    }
    Ok(found)
}
