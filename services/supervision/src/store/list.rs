//! [`list`]: a portion of a list of tasks, the newest first.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use domain_supervision::{Light, TaskState, light_sql};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use xietong_mesh::Scope;
use xietong_store::{Parameters, StoreError, statement};

use super::{columns, scope, tasks};
use crate::record::Record;

/// What is asked for; `None` asks for all.
#[derive(Debug, Default)]
pub(crate) struct ListFilter {
    /// A unit with an assignment of the task.
    pub(crate) unit: Option<String>,
    /// Units of which one answers for the task. Nothing is of none of them.
    pub(crate) settled_by: Option<BTreeSet<String>>,
    /// The task's light at the instant. Drafts have none.
    pub(crate) light: Option<(Light, Timestamp)>,
    /// Where the task stands.
    pub(crate) state: Option<TaskState>,
    /// The document it comes from.
    pub(crate) document_number: Option<String>,
    /// A tag of it.
    pub(crate) tag: Option<String>,
    /// The task that it is a part of.
    pub(crate) parent: Option<String>,
}

/// Where in the list, and how much of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portion {
    /// Only tasks with a smaller ledger number.
    pub(crate) before: Option<i64>,
    /// At most this many.
    pub(crate) limit: u64,
}

/// The tasks that `scope` permits and `filter` asks for.
pub(crate) async fn list(
    reader: &DatabaseConnection,
    permitted: &Scope,
    filter: &ListFilter,
    portion: Portion,
) -> Result<Vec<Record>, StoreError> {
    let mut parameters = Parameters::default();
    let Some(mut conditions) = conditions(permitted, filter, &mut parameters) else { return Ok(Vec::new()) };
    if let Some(before) = portion.before {
        conditions.push(format!("ledger_number < {}", parameters.bind(before)));
    }
    let limit = parameters.bind(portion.limit);
    let sql = format!(
        "SELECT ledger_number, calendar_version, body FROM tasks WHERE {} ORDER BY ledger_number DESC LIMIT {limit}",
        conditions.join(" AND "),
    );
    let rows = reader.query_all_raw(statement(reader, &sql, parameters.into_values())).await?;
    rows.iter().map(tasks::record).collect()
}

/// At most `limit` tasks that `scope` permits and `filter` asks for, after a ledger number, the
/// oldest first; no drafts.
pub(crate) async fn onward(
    reader: &DatabaseConnection,
    permitted: &Scope,
    filter: &ListFilter,
    after: i64,
    limit: u64,
) -> Result<Vec<Record>, StoreError> {
    let mut parameters = Parameters::default();
    let Some(mut conditions) = conditions(permitted, filter, &mut parameters) else { return Ok(Vec::new()) };
    conditions.push(not_a_draft(&mut parameters));
    conditions.push(format!("ledger_number > {}", parameters.bind(after)));
    let limit = parameters.bind(limit);
    let sql = format!(
        "SELECT ledger_number, calendar_version, body FROM tasks WHERE {} ORDER BY ledger_number LIMIT {limit}",
        conditions.join(" AND "),
    );
    let rows = reader.query_all_raw(statement(reader, &sql, parameters.into_values())).await?;
    rows.iter().map(tasks::record).collect()
}

/// The condition that a row of `tasks` is on the ledger.
pub(super) fn not_a_draft(parameters: &mut Parameters) -> String {
    format!("state <> {}", parameters.bind(columns::task_state(TaskState::Draft)))
}

/// The conditions over `tasks` under which `permitted` permits a task and `filter` asks for it;
/// none when it asks for none.
pub(super) fn conditions(
    permitted: &Scope,
    filter: &ListFilter,
    parameters: &mut Parameters,
) -> Option<Vec<String>> {
    let mut conditions = vec![scope::condition(permitted, parameters)];
    if let Some(unit) = &filter.unit {
        let unit = parameters.bind(unit.as_str());
        conditions
            .push(format!("ledger_number IN (SELECT ledger_number FROM assignments WHERE unit = {unit})"));
    }
    if let Some(units) = &filter.settled_by {
        if units.is_empty() {
            return None;
        }
        let units = parameters.bind_all(units.iter().map(String::as_str));
        conditions.push(format!(
            "ledger_number IN (SELECT ledger_number FROM assignments WHERE settles AND unit IN ({units}))"
        ));
    }
    if let Some((light, now)) = filter.light {
        let now = parameters.bind(now.as_micros());
        let light = parameters.bind(light.as_str());
        let issued = not_a_draft(parameters);
        conditions.push(format!("{issued} AND {} = {light}", light_sql(&now)));
    }
    if let Some(state) = filter.state {
        conditions.push(format!("state = {}", parameters.bind(columns::task_state(state))));
    }
    if let Some(document_number) = &filter.document_number {
        conditions.push(format!("document_number = {}", parameters.bind(document_number.as_str())));
    }
    if let Some(tag) = &filter.tag {
        let tag = parameters.bind(tag.as_str());
        conditions.push(format!("ledger_number IN (SELECT ledger_number FROM task_tags WHERE tag = {tag})"));
    }
    if let Some(parent) = &filter.parent {
        let parent = parameters.bind(parent.as_str());
        conditions.push(format!(
            "ledger_number IN (SELECT ledger_number FROM task_parents WHERE parent = {parent})"
        ));
    }
    Some(conditions)
}
