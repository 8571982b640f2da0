//! What open tasks are looked up by when something like them is entered: the keys of
//! `domain_supervision::Likeness`, a few rows a task. A task that is over has none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use domain_supervision::{Likeness, LikenessKeys, Task, TaskState};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use xietong_store::{Backend, Parameters, ROWS, SqlMigration, StoreError, places, statement};

use super::{columns, tasks};

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

/// Keys are made otherwise since: those that stood here are made again, by
/// `jobs/likeness_refill.rs`, of every open task that there was.
pub(super) const LIKENESS_OF_UNITS: SqlMigration = SqlMigration {
    name: "supervision_0018_likeness_of_units",
    statements: &[
        "DROP TABLE task_likeness",
        // Written with every task: of narrow rows, and not looked through for equal ones first.
        "CREATE TABLE task_likeness (likeness INTEGER NOT NULL, ledger_number BIGINT NOT NULL)",
        "CREATE INDEX task_likeness_key ON task_likeness (likeness, ledger_number)",
        // One row while there is something to do: from which number on the ledger to which.
        "CREATE TABLE likeness_refill (done BIGINT NOT NULL, last BIGINT NOT NULL)",
        "INSERT INTO likeness_refill (done, last)
         SELECT 0, MAX(ledger_number) FROM tasks HAVING MAX(ledger_number) IS NOT NULL",
    ],
};

/// Keys that one statement looks up.
const KEYS: usize = 96;
/// Of the tasks that share a key, the newest that are looked at: a wording that stands in
/// thousands of open tasks costs no more than any other.
const NEWEST: usize = 20;

fn keys(task: &Task) -> LikenessKeys {
    Likeness::of(&task.title, &task.text).keys(units(task))
}

/// The rows of a task, none when it is over.
fn rows(task: &Task) -> Vec<(i32, i64)> {
    let keys = if task.is_open() { keys(task) } else { LikenessKeys::default() };
    keys.iter().map(|key| (key, task.ledger_number)).collect()
}

fn units(task: &Task) -> BTreeSet<&str> {
    task.settling_assignments().map(|one| one.unit.as_str()).collect()
}

/// Notes keys, each with the number on the ledger of a task that is open.
pub(crate) async fn keep_likeness(tx: &DatabaseTransaction, rows: &[(i32, i64)]) -> Result<(), StoreError> {
    for chunk in rows.chunks(ROWS) {
        let (from, values): (String, Vec<Value>) = match Backend::from(tx.get_database_backend()) {
            Backend::Postgres => {
                let keys = array(chunk.iter().map(|(key, _)| *key));
                let numbers = array(chunk.iter().map(|(_, number)| *number));
                let from = "SELECT * FROM unnest(CAST($1 AS INTEGER[]), CAST($2 AS BIGINT[]))";
                (from.to_owned(), vec![keys, numbers])
            }
            Backend::Sqlite => {
                let values = chunk.iter().flat_map(|(key, number)| [Value::from(*key), Value::from(*number)]);
                (format!("VALUES {}", places(chunk.len(), 2)), values.collect())
            }
        };
        let sql = format!("INSERT INTO task_likeness (likeness, ledger_number) {from}");
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// Notes the keys of a task in place of those it had, when it says something else, is over or
/// begins anew.
pub(super) async fn replace(tx: &DatabaseTransaction, before: &Task, after: &Task) -> Result<(), StoreError> {
    let same_words = before.title == after.title && before.text == after.text;
    if same_words && before.is_open() == after.is_open() && units(before) == units(after) {
        return Ok(());
    }
    let mut parameters = Parameters::default();
    let number = parameters.bind(before.ledger_number);
    let gone = parameters.bind_all(keys(before).iter());
    let sql = format!("DELETE FROM task_likeness WHERE ledger_number = {number} AND likeness IN ({gone})");
    tx.execute_raw(statement(tx, &sql, parameters.into_values())).await?;
    keep_likeness(tx, &rows(after)).await
}

/// Makes the keys of at most `limit` tasks that are older than how keys are made. False when there
/// are none of them any more.
pub(crate) async fn refill(tx: &DatabaseTransaction, limit: u64) -> Result<bool, StoreError> {
    // Whoever else does this waits, and goes on after it.
    let held = "UPDATE likeness_refill SET done = done RETURNING done, last";
    let Some(row) = tx.query_one_raw(statement(tx, held, [])).await? else { return Ok(false) };
    let (done, last): (i64, i64) = (row.try_get_by("done")?, row.try_get_by("last")?);
    let open = [TaskState::Draft, TaskState::Issued].map(columns::task_state);
    let mut parameters = Parameters::default();
    let (done, last) = (parameters.bind(done), parameters.bind(last));
    let open = parameters.bind_all(open);
    let limit = parameters.bind(limit);
    // Held, or somebody who changes a task would leave the keys that it had.
    let sql = format!(
        "UPDATE tasks SET version = version WHERE ledger_number IN (
             SELECT ledger_number FROM tasks WHERE ledger_number > {done} AND ledger_number <= {last}
             AND state IN ({open}) ORDER BY ledger_number LIMIT {limit}
         ) RETURNING ledger_number, calendar_version, body"
    );
    let found = tx.query_all_raw(statement(tx, &sql, parameters.into_values())).await?;
    let records = found.iter().map(tasks::record).collect::<Result<Vec<_>, _>>()?;
    let Some(last) = records.iter().map(|record| record.task.ledger_number).max() else {
        tx.execute_raw(statement(tx, "DELETE FROM likeness_refill", [])).await?;
        return Ok(true);
    };
    keep_likeness(tx, &records.iter().flat_map(|record| rows(&record.task)).collect::<Vec<_>>()).await?;
    let sql = "UPDATE likeness_refill SET done = $1";
    tx.execute_raw(statement(tx, sql, [last.into()])).await?;
    Ok(true)
}

/// The open tasks that share each of the keys, by ledger number: the newest of them.
pub(crate) async fn alike(
    tx: &DatabaseTransaction,
    keys: &BTreeSet<i32>,
) -> Result<BTreeMap<i32, Vec<i64>>, StoreError> {
    let keys: Vec<i32> = keys.iter().copied().collect();
    let mut found: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    for chunk in keys.chunks(KEYS) {
        let (sql, values) = newest_of(Backend::from(tx.get_database_backend()), chunk);
        for row in tx.query_all_raw(statement(tx, &sql, values)).await? {
            found.entry(row.try_get_by("likeness")?).or_default().push(row.try_get_by("ledger_number")?);
        }
    }
    Ok(found)
}

/// Of each key the newest tasks, each key by the index.
fn newest_of(backend: Backend, keys: &[i32]) -> (String, Vec<Value>) {
    match backend {
        // One statement for any number of keys, whose plan is made once.
        Backend::Postgres => {
            let sql = format!(
                "SELECT likeness, ledger_number FROM unnest(CAST($1 AS INTEGER[])) AS asked (key)
                 CROSS JOIN LATERAL (SELECT likeness, ledger_number FROM task_likeness
                 WHERE likeness = key ORDER BY ledger_number DESC LIMIT {NEWEST}) AS newest"
            );
            (sql, vec![array(keys.iter().copied())])
        }
        Backend::Sqlite => {
            let of_key: Vec<String> = (1..=keys.len())
                .map(|place| {
                    format!(
                        "SELECT * FROM (SELECT likeness, ledger_number FROM task_likeness
                         WHERE likeness = ${place} ORDER BY ledger_number DESC LIMIT {NEWEST}) AS of_{place}"
                    )
                })
                .collect();
            (of_key.join(" UNION ALL "), keys.iter().copied().map(Value::from).collect())
        }
    }
}

/// Numbers as PostgreSQL writes an array of them.
fn array<T: Display>(numbers: impl Iterator<Item = T>) -> Value {
    let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
    format!("{{{}}}", numbers.join(",")).into()
}
