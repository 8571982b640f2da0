//! [`running`]: the tasks whose clocks run, in the order of the ledger.

use domain_supervision::{Grade, TaskState};
use sea_orm::ConnectionTrait;
use xietong_store::{Parameters, StoreError, statement};

use super::{columns, tasks};
use crate::record::Record;

/// Which of them; `None` is all.
#[derive(Debug, Default)]
pub(crate) struct RunningFilter {
    /// Of this grade. Which grade a task is of stands in its body alone, so this does not make a
    /// portion longer: it may hold fewer than were looked at.
    pub(crate) grade: Option<Grade>,
    /// With an assignment of this unit.
    pub(crate) unit: Option<String>,
    /// Of this document.
    pub(crate) document_number: Option<String>,
}

/// At most `limit` of the issued tasks with a larger number on the ledger than `after`, those of
/// another grade included.
pub(crate) async fn running<C: ConnectionTrait>(
    connection: &C,
    filter: &RunningFilter,
    after: i64,
    limit: u64,
) -> Result<Vec<Record>, StoreError> {
    let mut parameters = Parameters::default();
    let mut conditions = vec![
        format!("state = {}", parameters.bind(columns::task_state(TaskState::Issued))),
        format!("ledger_number > {}", parameters.bind(after)),
    ];
    if let Some(unit) = &filter.unit {
        let unit = parameters.bind(unit.as_str());
        conditions
            .push(format!("ledger_number IN (SELECT ledger_number FROM assignments WHERE unit = {unit})"));
    }
    if let Some(document_number) = &filter.document_number {
        conditions.push(format!("document_number = {}", parameters.bind(document_number.as_str())));
    }
    let limit = parameters.bind(limit);
    let sql = format!(
        "SELECT ledger_number, calendar_version, body FROM tasks WHERE {} ORDER BY ledger_number LIMIT {limit}",
        conditions.join(" AND "),
    );
    let rows = connection.query_all_raw(statement(connection, &sql, parameters.into_values())).await?;
    rows.iter().map(tasks::record).collect()
}
