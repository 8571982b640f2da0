//! Which task is a part of which.

use std::collections::{BTreeMap, BTreeSet};

use domain_calendar::Timestamp;
use domain_supervision::{Light, MOST_LEVELS, Task, TaskState, light_sql};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, Value};
use xietong_mesh::Scope;
use xietong_store::{Backend, Parameters, ROWS, StoreError, statement};

use super::{columns, scope, tasks};
use crate::record::Record;

/// How many sub-tasks are in each state, and how many of those that are no drafts have each light.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct RollUp {
    pub(crate) states: BTreeMap<&'static str, u64>,
    pub(crate) lights: BTreeMap<Light, u64>,
    /// The worst light of those that are issued.
    pub(crate) worst: Option<Light>,
}

/// Keeps others from changing these tasks, and what belongs to them, until the transaction ends.
pub(crate) async fn hold(tx: &DatabaseTransaction, names: &BTreeSet<&str>) -> Result<(), StoreError> {
    match Backend::from(tx.get_database_backend()) {
        // In the order of their names, whoever else does the same: none waits for one who waits for it.
        Backend::Postgres => {
            for chunk in names.iter().copied().collect::<Vec<_>>().chunks(ROWS) {
                let mut parameters = Parameters::default();
                let names = parameters.bind_all(chunk.iter().copied());
                let sql = format!("SELECT name FROM tasks WHERE name IN ({names}) ORDER BY name FOR UPDATE");
                tx.query_all_raw(statement(tx, &sql, parameters.into_values())).await?;
            }
        }
        // Whoever writes is alone.
        Backend::Sqlite => {}
    }
    Ok(())
}

/// The task of this name and those above it, from the nearest on; one more than there may be, so that
/// it is seen when there are too many.
pub(crate) async fn and_above(tx: &DatabaseTransaction, name: &str) -> Result<Vec<Record>, StoreError> {
    let mut above: Vec<Record> = Vec::new();
    let mut next = Some(name.to_owned());
    while let Some(name) = next.take().filter(|_| above.len() <= MOST_LEVELS) {
        let Some(record) = tasks::find(tx, &name).await? else { break };
        next.clone_from(&record.task.parent);
        above.push(record);
    }
    Ok(above)
}

/// The levels of a task and of what is below it, one where nothing is; no more than one beyond those
/// that there may be.
pub(crate) async fn levels(tx: &DatabaseTransaction, name: &str) -> Result<usize, StoreError> {
    let (mut level, mut parents) = (0, vec![name.to_owned()]);
    while !parents.is_empty() && level <= MOST_LEVELS {
        level += 1;
        let mut parameters = Parameters::default();
        let bound = parameters.bind_all(parents.iter().map(String::as_str));
        let sql = format!(
            "SELECT name FROM tasks JOIN task_parents ON task_parents.ledger_number = tasks.ledger_number
             WHERE parent IN ({bound})"
        );
        let rows = tx.query_all_raw(statement(tx, &sql, parameters.into_values())).await?;
        parents = rows.iter().map(|row| row.try_get_by("name")).collect::<Result<_, _>>()?;
    }
    Ok(level)
}

/// How many sub-tasks of a task are neither struck off nor withdrawn.
pub(crate) async fn open_sub_tasks(tx: &DatabaseTransaction, name: &str) -> Result<u64, StoreError> {
    let sql = "SELECT COUNT(*) AS open FROM tasks WHERE state IN ($2, $3)
               AND ledger_number IN (SELECT ledger_number FROM task_parents WHERE parent = $1)";
    let states = [TaskState::Draft, TaskState::Issued].map(columns::task_state);
    let values: [Value; 3] = [name.into(), states[0].into(), states[1].into()];
    let row = tx.query_one_raw(statement(tx, sql, values)).await?;
    let open: i64 = row.map_or(Ok(0), |row| row.try_get_by("open"))?;
    Ok(u64::try_from(open).unwrap_or(0))
}

/// Notes of which task new tasks are a part.
pub(crate) async fn keep_parents(tx: &DatabaseTransaction, records: &[Record]) -> Result<(), StoreError> {
    for record in records {
        keep_parent(tx, &record.task).await?;
    }
    Ok(())
}

/// Notes that a task is a part of another task now, or of none.
pub(crate) async fn change_parent(tx: &DatabaseTransaction, task: &Task) -> Result<(), StoreError> {
    let sql = "DELETE FROM task_parents WHERE ledger_number = $1";
    tx.execute_raw(statement(tx, sql, [task.ledger_number.into()])).await?;
    keep_parent(tx, task).await
}

async fn keep_parent(tx: &DatabaseTransaction, task: &Task) -> Result<(), StoreError> {
    let Some(parent) = &task.parent else { return Ok(()) };
    let sql = "INSERT INTO task_parents (ledger_number, parent) VALUES ($1, $2)";
    let values: [Value; 2] = [task.ledger_number.into(), parent.as_str().into()];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// How the sub-tasks of a task stand at an instant, those that `permitted` permits.
pub(crate) async fn roll_up(
    reader: &DatabaseConnection,
    permitted: &Scope,
    name: &str,
    now: Timestamp,
) -> Result<RollUp, StoreError> {
    let mut parameters = Parameters::default();
    let at = parameters.bind(now.as_micros());
    let light = light_sql(&at);
    let parent = parameters.bind(name);
    let seen = scope::condition(permitted, &mut parameters);
    let sql = format!(
        "SELECT state, light, COUNT(*) AS number FROM (
             SELECT state, {light} AS light FROM tasks
             WHERE ledger_number IN (SELECT ledger_number FROM task_parents WHERE parent = {parent})
               AND {seen}
         ) AS below GROUP BY state, light"
    );
    let mut rolled = RollUp::default();
    for row in reader.query_all_raw(statement(reader, &sql, parameters.into_values())).await? {
        let (state, light): (String, String) = (row.try_get_by("state")?, row.try_get_by("light")?);
        let number = u64::try_from(row.try_get_by::<i64, _>("number")?).unwrap_or(0);
        let known = [TaskState::Draft, TaskState::Issued, TaskState::StruckOff, TaskState::Withdrawn]
            .map(columns::task_state);
        let Some(state) = known.into_iter().find(|known| *known == state) else { continue };
        *rolled.states.entry(state).or_default() += number;
        let Some(light) = Light::ALL.into_iter().find(|known| known.as_str() == light) else { continue };
        if state != columns::task_state(TaskState::Draft) {
            *rolled.lights.entry(light).or_default() += number;
        }
        if state == columns::task_state(TaskState::Issued) {
            rolled.worst = rolled.worst.max(Some(light));
        }
    }
    Ok(rolled)
}
