//! Matters: tasks that are linked as one. Which tasks a matter has stands in its body, and in the
//! tasks' own rows, written in the same transaction.

use domain_supervision::{JointMatter, SearchTerms, folded};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, QueryResult, Value};
use xietong_mesh::Scope;
use xietong_store::{Parameters, ROWS, SqlMigration, StoreError, statement};

use super::{Portion, scope, tasks};
use crate::record::Record;

pub(super) const MATTERS: SqlMigration = SqlMigration {
    name: "supervision_0012_matters",
    statements: &[
        "CREATE TABLE matters (
            number {serial},
            name TEXT NOT NULL,
            title TEXT NOT NULL,
            version BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
        "CREATE UNIQUE INDEX matters_name ON matters (name)",
        "ALTER TABLE tasks ADD COLUMN matter TEXT",
        "CREATE INDEX tasks_matter ON tasks (matter, ledger_number) WHERE matter IS NOT NULL",
    ],
};

/// Which matters are asked for; `None` asks for all.
#[derive(Debug, Default)]
pub(crate) struct MatterFilter {
    /// The one of this task.
    pub(crate) task: Option<String>,
    /// Those with a task that this unit has an assignment of.
    pub(crate) unit: Option<String>,
    /// Those whose title contains these.
    pub(crate) terms: Option<SearchTerms>,
}

/// The matter of this name.
pub(crate) async fn find_matter<C: ConnectionTrait>(
    connection: &C,
    name: &str,
) -> Result<Option<JointMatter>, StoreError> {
    let sql = "SELECT body FROM matters WHERE name = $1";
    let row = connection.query_one_raw(statement(connection, sql, [name.into()])).await?;
    row.as_ref().map(matter).transpose()
}

/// Writes a new matter.
pub(crate) async fn insert_matter(tx: &DatabaseTransaction, matter: &JointMatter) -> Result<(), StoreError> {
    let sql = "INSERT INTO matters (name, title, version, body) VALUES ($1, $2, $3, $4)";
    let values: [Value; 4] = [
        matter.name.as_str().into(),
        folded(&matter.title).into(),
        matter.version.into(),
        body(matter)?.into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// Writes a matter that was at version `before`. [`StoreError::Stale`] when somebody else changed
/// it meanwhile.
pub(crate) async fn save_matter(
    tx: &DatabaseTransaction,
    before: i64,
    matter: &JointMatter,
) -> Result<(), StoreError> {
    let sql = "UPDATE matters SET version = $3, body = $4 WHERE name = $1 AND version = $2";
    let values: [Value; 4] =
        [matter.name.as_str().into(), before.into(), matter.version.into(), body(matter)?.into()];
    match tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() {
        0 => Err(StoreError::Stale(matter.name.clone())),
        _ => Ok(()),
    }
}

/// The matters of which `permitted` permits a task, and that `filter` asks for, with their
/// numbers, the newest first. Whoever may see every task sees those without one as well.
pub(crate) async fn list_matters(
    reader: &DatabaseConnection,
    permitted: &Scope,
    filter: &MatterFilter,
    portion: Portion,
) -> Result<Vec<(i64, JointMatter)>, StoreError> {
    let mut parameters = Parameters::default();
    let mut conditions = Vec::new();
    if !(permitted.all && permitted.sees_restricted && filter.task.is_none() && filter.unit.is_none()) {
        let mut of_task = vec!["matter IS NOT NULL".to_owned(), scope::condition(permitted, &mut parameters)];
        if let Some(task) = &filter.task {
            of_task.push(format!("tasks.name = {}", parameters.bind(task.as_str())));
        }
        if let Some(unit) = &filter.unit {
            let unit = parameters.bind(unit.as_str());
            of_task.push(format!(
                "ledger_number IN (SELECT ledger_number FROM assignments WHERE unit = {unit})"
            ));
        }
        conditions.push(format!("name IN (SELECT matter FROM tasks WHERE {})", of_task.join(" AND ")));
    }
    for term in filter.terms.iter().flat_map(SearchTerms::terms) {
        conditions.push(format!("title LIKE {} ESCAPE '!'", parameters.bind(containing(term))));
    }
    conditions.push(format!("number < {}", parameters.bind(portion.before.unwrap_or(i64::MAX))));
    let limit = parameters.bind(portion.limit);
    let sql = format!(
        "SELECT number, body FROM matters WHERE {} ORDER BY number DESC LIMIT {limit}",
        conditions.join(" AND ")
    );
    let rows = reader.query_all_raw(statement(reader, &sql, parameters.into_values())).await?;
    rows.iter().map(|row| Ok((row.try_get_by("number")?, matter(row)?))).collect()
}

/// The tasks of matters that `permitted` permits.
pub(crate) async fn seen_in_matters(
    reader: &DatabaseConnection,
    permitted: &Scope,
    matters: &[&str],
) -> Result<Vec<Record>, StoreError> {
    let mut found = Vec::new();
    for chunk in matters.chunks(ROWS) {
        let mut parameters = Parameters::default();
        let condition = scope::condition(permitted, &mut parameters);
        let matters = parameters.bind_all(chunk.iter().copied());
        let sql = format!(
            "SELECT ledger_number, calendar_version, body FROM tasks
             WHERE matter IN ({matters}) AND {condition} ORDER BY ledger_number"
        );
        for row in reader.query_all_raw(statement(reader, &sql, parameters.into_values())).await? {
            found.push(tasks::record(&row)?);
        }
    }
    Ok(found)
}

/// Every task of a matter, in the order of the ledger.
pub(crate) async fn in_matter(tx: &DatabaseTransaction, matter: &str) -> Result<Vec<Record>, StoreError> {
    let sql =
        "SELECT ledger_number, calendar_version, body FROM tasks WHERE matter = $1 ORDER BY ledger_number";
    let rows = tx.query_all_raw(statement(tx, sql, [matter.into()])).await?;
    rows.iter().map(tasks::record).collect()
}

/// A pattern for `LIKE … ESCAPE '!'` of whatever contains a text.
pub(super) fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for one in text.chars() {
        if matches!(one, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(one);
    }
    pattern.push('%');
    pattern
}

fn matter(row: &QueryResult) -> Result<JointMatter, StoreError> {
    let body: String = row.try_get_by("body")?;
    serde_json::from_str(&body).map_err(|error| StoreError::corrupt("matter", error))
}

fn body(matter: &JointMatter) -> Result<String, StoreError> {
    serde_json::to_string(matter).map_err(|error| StoreError::corrupt("matter", error))
}
