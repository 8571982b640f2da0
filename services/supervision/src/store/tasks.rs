//! Reading and writing tasks with their assignments.

use std::collections::{BTreeMap, BTreeSet};

use domain_calendar::Timestamp;
use domain_supervision::{Assignment, AssignmentState, StoredClock, Task, Visibility};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use xietong_store::{Parameters, ROWS, StoreError, places, statement};

use super::{columns, likeness, tags};
use crate::record::Record;
use crate::regulation::Regulation;

const ASSIGNMENT_COLUMNS: &str = "name, ledger_number, unit, role, settles, state, waits_for, task_light, task_yellow_at, \
     task_red_at, yellow_at, red_at, paused, closed";
const ASSIGNMENT_WIDTH: usize = 14;

/// The task of this name.
pub(crate) async fn find<C: ConnectionTrait>(
    connection: &C,
    name: &str,
) -> Result<Option<Record>, StoreError> {
    let sql = "SELECT ledger_number, calendar_version, body FROM tasks WHERE name = $1";
    let row = connection.query_one_raw(statement(connection, sql, [name.into()])).await?;
    row.as_ref().map(record).transpose()
}

/// The tasks of these names, by name; those that do not exist are left out.
pub(crate) async fn find_all(
    tx: &DatabaseTransaction,
    names: &[&str],
) -> Result<BTreeMap<String, Record>, StoreError> {
    find_named(tx, names).await
}

/// The same, on any connection.
pub(crate) async fn find_named<C: ConnectionTrait>(
    tx: &C,
    names: &[&str],
) -> Result<BTreeMap<String, Record>, StoreError> {
    let mut found = BTreeMap::new();
    for chunk in names.chunks(ROWS) {
        let mut parameters = Parameters::default();
        let names = parameters.bind_all(chunk.iter().copied());
        let sql = format!("SELECT ledger_number, calendar_version, body FROM tasks WHERE name IN ({names})");
        for row in tx.query_all_raw(statement(tx, &sql, parameters.into_values())).await? {
            let record = record(&row)?;
            found.insert(record.task.name.clone(), record);
        }
    }
    Ok(found)
}

/// The tasks of these ledger numbers, by number.
pub(crate) async fn find_numbered<C: ConnectionTrait>(
    connection: &C,
    numbers: &BTreeSet<i64>,
) -> Result<BTreeMap<i64, Record>, StoreError> {
    let numbers: Vec<i64> = numbers.iter().copied().collect();
    let mut found = BTreeMap::new();
    for chunk in numbers.chunks(ROWS) {
        let mut parameters = Parameters::default();
        let numbers = parameters.bind_all(chunk.iter().copied());
        let sql = format!(
            "SELECT ledger_number, calendar_version, body FROM tasks WHERE ledger_number IN ({numbers})"
        );
        for row in connection.query_all_raw(statement(connection, &sql, parameters.into_values())).await? {
            let record = record(&row)?;
            found.insert(record.task.ledger_number, record);
        }
    }
    Ok(found)
}

/// Writes new tasks and gives each its ledger number, in their order. What like tasks are looked up
/// by is written apart: it was looked up itself.
pub(crate) async fn insert(
    tx: &DatabaseTransaction,
    records: &mut [Record],
    regulation: &Regulation,
    now: Timestamp,
) -> Result<(), StoreError> {
    for chunk in records.chunks_mut(ROWS) {
        insert_tasks(tx, chunk, regulation, now).await?;
        let tasks = || chunk.iter().map(|record| &record.task);
        let assignments: Vec<_> =
            tasks().flat_map(|task| task.assignments.iter().map(move |one| (task, one))).collect();
        put_assignments(tx, &assignments, regulation, now, "").await?;
        let viewers: Vec<(&str, i64)> = tasks()
            .filter(|task| task.visibility == Visibility::Restricted)
            .flat_map(|task| task.restricted_units.iter().map(|unit| (unit.as_str(), task.ledger_number)))
            .collect();
        insert_viewers(tx, &viewers).await?;
        tags::insert(tx, tasks()).await?;
    }
    Ok(())
}

/// Writes what changed from `before` to `after`. [`StoreError::Stale`] when somebody else
/// changed the task meanwhile.
pub(crate) async fn save(
    tx: &DatabaseTransaction,
    before: &Task,
    after: &Record,
    regulation: &Regulation,
    now: Timestamp,
) -> Result<(), StoreError> {
    save_all(tx, &[(before, after)], regulation, now).await
}

/// The same for many tasks, each named once, in as few statements.
pub(crate) async fn save_all(
    tx: &DatabaseTransaction,
    changes: &[(&Task, &Record)],
    regulation: &Regulation,
    now: Timestamp,
) -> Result<(), StoreError> {
    for chunk in changes.chunks(ROWS) {
        update_tasks(tx, chunk, regulation, now).await?;
    }
    let (mut changed, mut gone) = (Vec::new(), Vec::new());
    for (before, after) in changes {
        let task = &after.task;
        if before.tags != task.tags {
            tags::replace(tx, task).await?;
        }
        likeness::replace(tx, before, task).await?;
        // Which of them settle the task, and by when, depends on all of it.
        let all = before.settling_role() != task.settling_role()
            || before.due_date != task.due_date
            || before.milestones != task.milestones
            || before.target_missed_at() != task.target_missed_at()
            || before.rule_version != task.rule_version
            || before.terms != task.terms
            || before.happened != task.happened
            || after.calendar_version != regulation.counted_by(task);
        let new = task.assignments.iter().filter(|one| all || !before.assignments.contains(one));
        changed.extend(new.map(|one| (task, one)));
        gone.extend(before.assignments.iter().filter(|one| task.assignment(&one.name).is_err()));
    }
    let replace = "ON CONFLICT (name) DO UPDATE SET unit = excluded.unit, role = excluded.role,
                   settles = excluded.settles, state = excluded.state, waits_for = excluded.waits_for, yellow_at = excluded.yellow_at,
                   red_at = excluded.red_at, paused = excluded.paused, closed = excluded.closed,
                   task_light = excluded.task_light, task_yellow_at = excluded.task_yellow_at,
                   task_red_at = excluded.task_red_at";
    put_assignments(tx, &changed, regulation, now, replace).await?;
    for gone in gone {
        let sql = "DELETE FROM assignments WHERE name = $1";
        tx.execute_raw(statement(tx, sql, [gone.name.as_str().into()])).await?;
    }
    Ok(())
}

/// The assignments of a unit that a document gave it and that it has not signed for, at most
/// `limit`, in the order of the ledger.
pub(crate) async fn names_to_sign(
    tx: &DatabaseTransaction,
    unit: &str,
    document_number: &str,
    limit: u64,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT assignments.name FROM assignments
               JOIN tasks ON tasks.ledger_number = assignments.ledger_number
               WHERE unit = $1 AND assignments.state = $2 AND document_number = $3
               ORDER BY assignments.ledger_number LIMIT $4";
    let state = columns::assignment_state(AssignmentState::Assigned);
    let values: [Value; 4] = [unit.into(), state.into(), document_number.into(), limit.into()];
    let rows = tx.query_all_raw(statement(tx, sql, values)).await?;
    rows.iter().map(|row| Ok(row.try_get_by("name")?)).collect()
}

/// A task from its row. The ledger number is the row's own: it is not yet known when the
/// body is first written.
pub(super) fn record(row: &QueryResult) -> Result<Record, StoreError> {
    let body: String = row.try_get_by("body")?;
    let mut record: Record =
        serde_json::from_str(&body).map_err(|error| StoreError::corrupt("task", error))?;
    record.task.ledger_number = row.try_get_by("ledger_number")?;
    let version: Option<i64> = row.try_get_by("calendar_version")?;
    record.calendar_version = version.and_then(|version| u32::try_from(version).ok());
    Ok(record)
}

fn body(record: &Record) -> Result<String, StoreError> {
    serde_json::to_string(record).map_err(|error| StoreError::corrupt("task", error))
}

async fn insert_tasks(
    tx: &DatabaseTransaction,
    records: &mut [Record],
    regulation: &Regulation,
    now: Timestamp,
) -> Result<(), StoreError> {
    const WIDTH: usize = 13;
    let mut values: Vec<Value> = Vec::with_capacity(records.len() * WIDTH);
    for record in records.iter() {
        let task = &record.task;
        values.extend([
            Value::from(task.name.as_str()),
            columns::task_state(task.state).into(),
            columns::visibility(task.visibility).into(),
            task.source.document_number.as_str().into(),
            task.created_by.as_str().into(),
        ]);
        let clock = regulation.clock_of(task);
        values.extend(clock_values(clock));
        let counted_by = regulation.counted_by(task).map(i64::from);
        let light = columns::written_light(task.state, &clock, now);
        values.extend([Value::from(task.version), body(record)?.into(), counted_by.into(), light.into()]);
    }
    let sql = format!(
        "INSERT INTO tasks (name, state, visibility, document_number, created_by, yellow_at, red_at, paused, \
         closed, version, body, calendar_version, written_light) VALUES {} RETURNING name, ledger_number",
        places(records.len(), WIDTH)
    );
    let mut numbers = BTreeMap::new();
    for row in tx.query_all_raw(statement(tx, &sql, values)).await? {
        numbers.insert(row.try_get_by::<String, _>("name")?, row.try_get_by::<i64, _>("ledger_number")?);
    }
    for record in records {
        let number = numbers.get(&record.task.name).copied();
        record.task.ledger_number =
            number.ok_or_else(|| StoreError::corrupt("task", "its row came back without a number"))?;
    }
    Ok(())
}

async fn update_tasks(
    tx: &DatabaseTransaction,
    changes: &[(&Task, &Record)],
    regulation: &Regulation,
    now: Timestamp,
) -> Result<(), StoreError> {
    const WIDTH: usize = 12;
    let mut values: Vec<Value> = Vec::with_capacity(changes.len() * WIDTH);
    for (before, after) in changes {
        let task = &after.task;
        values.extend([
            task.ledger_number.into(),
            before.version.into(),
            columns::task_state(task.state).into(),
        ]);
        let clock = regulation.clock_of(task);
        values.extend(clock_values(clock));
        let counted_by = regulation.counted_by(task).map(i64::from);
        let light = columns::written_light(task.state, &clock, now);
        values.extend([Value::from(task.version), body(after)?.into(), counted_by.into(), light.into()]);
        values.push(task.matter.as_deref().into());
    }
    let sql = format!(
        "WITH changed (number, known, state, yellow_at, red_at, paused, closed, version, body, calendar_version,
                       written_light, matter) AS (VALUES {})
         UPDATE tasks SET state = changed.state, yellow_at = changed.yellow_at, red_at = changed.red_at,
         paused = changed.paused, closed = changed.closed, version = changed.version, body = changed.body,
         calendar_version = changed.calendar_version, written_light = changed.written_light,
         matter = changed.matter
         FROM changed WHERE ledger_number = changed.number AND tasks.version = changed.known
         RETURNING ledger_number",
        places(changes.len(), WIDTH)
    );
    let rows = tx.query_all_raw(statement(tx, &sql, values)).await?;
    let saved =
        rows.iter().map(|row| row.try_get_by("ledger_number")).collect::<Result<BTreeSet<i64>, _>>()?;
    if let Some((before, _)) = changes.iter().find(|(before, _)| !saved.contains(&before.ledger_number)) {
        return Err(StoreError::Stale(before.name.clone()));
    }
    let mut parameters = Parameters::default();
    let numbers = parameters.bind_all(saved);
    let sql = format!(
        "UPDATE assignments SET task_light = tasks.written_light, task_yellow_at = tasks.yellow_at,
         task_red_at = tasks.red_at FROM tasks
         WHERE tasks.ledger_number IN ({numbers}) AND assignments.ledger_number = tasks.ledger_number
         AND (task_light <> tasks.written_light OR task_yellow_at IS DISTINCT FROM tasks.yellow_at
              OR task_red_at IS DISTINCT FROM tasks.red_at)"
    );
    tx.execute_raw(statement(tx, &sql, parameters.into_values())).await?;
    Ok(())
}

async fn put_assignments(
    tx: &DatabaseTransaction,
    assignments: &[(&Task, &Assignment)],
    regulation: &Regulation,
    now: Timestamp,
    on_conflict: &str,
) -> Result<(), StoreError> {
    // Of all assignments of a task in a row the same.
    let mut shown: Option<(i64, &str, StoredClock)> = None;
    for chunk in assignments.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO assignments ({ASSIGNMENT_COLUMNS}) VALUES {} {on_conflict}",
            places(chunk.len(), ASSIGNMENT_WIDTH)
        );
        let values = chunk.iter().flat_map(|(task, one)| {
            let (light, clock) = match shown {
                Some((number, light, clock)) if number == task.ledger_number => (light, clock),
                Some(_) | None => {
                    let clock = regulation.clock_of(task);
                    (columns::written_light(task.state, &clock, now), clock)
                }
            };
            shown = Some((task.ledger_number, light, clock));
            let own: [Value; 10] = [
                one.name.as_str().into(),
                task.ledger_number.into(),
                one.unit.as_str().into(),
                columns::role(one.role).into(),
                (one.role == task.settling_role()).into(),
                columns::assignment_state(one.state).into(),
                one.wait.as_ref().map(|wait| wait.on.as_str()).into(),
                light.into(),
                clock.yellow_at.map(Timestamp::as_micros).into(),
                clock.red_at.map(Timestamp::as_micros).into(),
            ];
            own.into_iter().chain(clock_values(regulation.clocks(task, one).stored()))
        });
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

async fn insert_viewers(tx: &DatabaseTransaction, viewers: &[(&str, i64)]) -> Result<(), StoreError> {
    for chunk in viewers.chunks(ROWS) {
        let sql = format!("INSERT INTO task_viewers (unit, ledger_number) VALUES {}", places(chunk.len(), 2));
        let values = chunk.iter().flat_map(|(unit, number)| [Value::from(*unit), Value::from(*number)]);
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// The clock columns, in the order `yellow_at, red_at, paused, closed`.
fn clock_values(clock: StoredClock) -> [Value; 4] {
    [
        clock.yellow_at.map(Timestamp::as_micros).into(),
        clock.red_at.map(Timestamp::as_micros).into(),
        clock.paused.into(),
        clock.closed.into(),
    ]
}
