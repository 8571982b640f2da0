//! [`under_way`]: the tasks that units answer for when they change hands.

use std::collections::BTreeMap;

use domain_supervision::{TaskFacts, TaskState};
use sea_orm::{ConnectionTrait, Value};
use xietong_store::{Parameters, ROWS, StoreError, statement};

use super::{columns, tasks};

/// The tasks under way that each of the units has to settle, in the order of the ledger.
pub(crate) async fn under_way<C: ConnectionTrait>(
    connection: &C,
    units: &[&str],
) -> Result<BTreeMap<String, Vec<TaskFacts>>, StoreError> {
    let mut found: BTreeMap<String, Vec<TaskFacts>> = BTreeMap::new();
    for chunk in units.chunks(ROWS) {
        let (sql, values) = query("tasks.ledger_number, tasks.calendar_version, tasks.body", chunk);
        for row in connection.query_all_raw(statement(connection, &sql, values)).await? {
            let task = TaskFacts::of(&tasks::record(&row)?.task);
            found.entry(row.try_get_by("unit")?).or_default().push(task);
        }
    }
    Ok(found)
}

/// The names of the tasks under way that each of the units has to settle, in the order of the
/// ledger.
pub(crate) async fn names_under_way<C: ConnectionTrait>(
    connection: &C,
    units: &[&str],
) -> Result<BTreeMap<String, Vec<String>>, StoreError> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for chunk in units.chunks(ROWS) {
        let (sql, values) = query("tasks.name", chunk);
        for row in connection.query_all_raw(statement(connection, &sql, values)).await? {
            found.entry(row.try_get_by("unit")?).or_default().push(row.try_get_by("name")?);
        }
    }
    Ok(found)
}

/// Asks for columns of the tasks under way that units have to settle.
fn query(asked: &str, units: &[&str]) -> (String, Vec<Value>) {
    let mut parameters = Parameters::default();
    let units = parameters.bind_all(units.iter().copied());
    let issued = parameters.bind(columns::task_state(TaskState::Issued));
    let sql = format!(
        "SELECT assignments.unit, {asked} FROM assignments
         JOIN tasks ON tasks.ledger_number = assignments.ledger_number
         WHERE assignments.unit IN ({units}) AND assignments.settles AND NOT assignments.closed
           AND tasks.state = {issued}
         ORDER BY assignments.unit, tasks.ledger_number"
    );
    (sql, parameters.into_values())
}
