//! Inspections, each one row that is read whole from `body`.

use domain_supervision::{Inspection, InspectionState};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, QueryResult, Value};
use xietong_store::{Parameters, SqlMigration, StoreError, statement};

use super::list::Portion;

/// The row number is where an inspection stands in the list.
pub(crate) const INSPECTIONS: SqlMigration = SqlMigration {
    name: "supervision_0015_inspections",
    statements: &[
        "CREATE TABLE inspections (
            number {serial},
            name TEXT NOT NULL,
            state TEXT NOT NULL,
            version BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
        "CREATE UNIQUE INDEX inspections_name ON inspections (name)",
        "CREATE INDEX inspections_state ON inspections (state, number)",
    ],
};

/// The inspection of this name.
pub(crate) async fn find_inspection<C: ConnectionTrait>(
    connection: &C,
    name: &str,
) -> Result<Option<Inspection>, StoreError> {
    let sql = "SELECT body FROM inspections WHERE name = $1";
    let row = connection.query_one_raw(statement(connection, sql, [name.into()])).await?;
    row.as_ref().map(inspection).transpose()
}

/// Writes a new inspection.
pub(crate) async fn insert_inspection(
    tx: &DatabaseTransaction,
    inspection: &Inspection,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO inspections (name, state, version, body) VALUES ($1, $2, $3, $4)";
    let values: [Value; 4] = [
        inspection.plan.name.as_str().into(),
        word(inspection.state).into(),
        inspection.version.into(),
        body(inspection)?.into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// Writes what an inspection became. [`StoreError::Stale`] when somebody else changed it meanwhile.
pub(crate) async fn save_inspection(
    tx: &DatabaseTransaction,
    before: i64,
    inspection: &Inspection,
) -> Result<(), StoreError> {
    let sql = "UPDATE inspections SET state = $3, version = $4, body = $5 WHERE name = $1 AND version = $2";
    let values: [Value; 5] = [
        inspection.plan.name.as_str().into(),
        before.into(),
        word(inspection.state).into(),
        inspection.version.into(),
        body(inspection)?.into(),
    ];
    match tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() {
        0 => Err(StoreError::Stale(inspection.plan.name.clone())),
        _ => Ok(()),
    }
}

/// A portion of the inspections, the latest first, each with its number.
pub(crate) async fn inspections(
    reader: &DatabaseConnection,
    state: Option<InspectionState>,
    portion: Portion,
) -> Result<Vec<(i64, Inspection)>, StoreError> {
    let mut parameters = Parameters::default();
    let mut conditions = vec!["TRUE".to_owned()];
    if let Some(state) = state {
        conditions.push(format!("state = {}", parameters.bind(word(state))));
    }
    if let Some(before) = portion.before {
        conditions.push(format!("number < {}", parameters.bind(before)));
    }
    let limit = parameters.bind(portion.limit);
    let sql = format!(
        "SELECT number, body FROM inspections WHERE {} ORDER BY number DESC LIMIT {limit}",
        conditions.join(" AND ")
    );
    let rows = reader.query_all_raw(statement(reader, &sql, parameters.into_values())).await?;
    rows.iter().map(|row| Ok((row.try_get_by("number")?, inspection(row)?))).collect()
}

fn inspection(row: &QueryResult) -> Result<Inspection, StoreError> {
    let body: String = row.try_get_by("body")?;
    serde_json::from_str(&body).map_err(|error| StoreError::corrupt("inspection", error))
}

fn body(inspection: &Inspection) -> Result<String, StoreError> {
    serde_json::to_string(inspection).map_err(|error| StoreError::corrupt("inspection", error))
}

fn word(state: InspectionState) -> &'static str {
    match state {
        InspectionState::Planned => "planned",
        InspectionState::UnderWay => "under_way",
        InspectionState::Concluded => "concluded",
        InspectionState::Cancelled => "cancelled",
    }
}
