//! [`list`]: a portion of a list of tasks, the newest first.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use domain_supervision::{Light, TaskState, light_sql};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use xietong_mesh::Scope;
use xietong_store::{Parameters, StoreError, statement};

use super::ways::{self, Turned, Ways};
use super::{TextQuery, columns, scope, search, tasks};
use crate::record::Record;

/// That a task has an assignment which …
const HELD: &str = "EXISTS (SELECT 1 FROM assignments AS held WHERE held.ledger_number = tasks.ledger_number";

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
    /// The matter it is linked to.
    pub(crate) matter: Option<String>,
    /// What is looked for in its words.
    pub(crate) text: Option<TextQuery>,
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

/// The tasks that `scope` permits and `filter` asks for: the newest of what each way into the list
/// ([`ways`]) gives.
pub(crate) async fn list(
    reader: &DatabaseConnection,
    permitted: &Scope,
    filter: &ListFilter,
    portion: Portion,
) -> Result<Vec<Record>, StoreError> {
    if filter.settled_by.as_ref().is_some_and(BTreeSet::is_empty) {
        return Ok(Vec::new());
    }
    let mut parameters = Parameters::default();
    let ways = ways::of(permitted, filter);
    let mut conditions = match &ways {
        Ways::OfThePermitted(_) => vec![scope::may_see(permitted, &mut parameters)],
        Ways::Ledger | Ways::OfTheAsked(_) => vec![scope::condition(permitted, &mut parameters)],
    };
    match &ways {
        Ways::OfTheAsked(_) => {}
        Ways::Ledger | Ways::OfThePermitted(_) => conditions.extend(held(filter, &mut parameters)),
    }
    conditions.extend(rest(filter, &mut parameters));
    if let Some(before) = portion.before {
        conditions.push(format!("ledger_number < {}", parameters.bind(before)));
    }
    let limit = parameters.bind(portion.limit);
    let turned = match filter.light {
        Some((light, now)) => ways::turned(reader, light, now).await?,
        None => Turned::default(),
    };
    let found = ways::newest(&ways, filter.light, &turned, &conditions, &limit, &mut parameters);
    let sql = format!(
        "SELECT ledger_number, calendar_version, body FROM tasks WHERE {found} ORDER BY ledger_number DESC LIMIT {limit}"
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
    if filter.settled_by.as_ref().is_some_and(BTreeSet::is_empty) {
        return None;
    }
    let mut conditions = vec![scope::condition(permitted, parameters)];
    conditions.extend(held(filter, parameters));
    conditions.extend(shows(filter.light, parameters));
    conditions.extend(rest(filter, parameters));
    Some(conditions)
}

/// That it is held by the unit, or by one of the units, that are asked for.
fn held(filter: &ListFilter, parameters: &mut Parameters) -> Vec<String> {
    let mut conditions = Vec::new();
    if let Some(unit) = &filter.unit {
        let unit = parameters.bind(unit.as_str());
        conditions.push(format!("{HELD} AND unit = {unit})"));
    }
    if let Some(units) = &filter.settled_by {
        let units = parameters.bind_all(units.iter().map(String::as_str));
        conditions.push(format!("{HELD} AND settles AND unit IN ({units}))"));
    }
    conditions
}

/// That it shows the light at the instant.
pub(super) fn shows(light: Option<(Light, Timestamp)>, parameters: &mut Parameters) -> Option<String> {
    let (light, now) = light?;
    let now = parameters.bind(now.as_micros());
    let light = parameters.bind(light.as_str());
    Some(format!("{} AND {} = {light}", not_a_draft(parameters), light_sql(&now)))
}

/// All else that is asked for.
fn rest(filter: &ListFilter, parameters: &mut Parameters) -> Vec<String> {
    let mut conditions = Vec::new();
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
    if let Some(matter) = &filter.matter {
        conditions.push(format!("matter = {}", parameters.bind(matter.as_str())));
    }
    if let Some(text) = &filter.text {
        conditions.push(search::condition(text, parameters));
    }
    conditions
}
