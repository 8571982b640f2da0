//! Pairs of tasks that resemble one another, to be proposed as matters.

use domain_supervision::{AlikePair, TaskState};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, Value};
use xietong_store::{Parameters, ROWS, StoreError, places, statement};

use super::columns;

/// Most pairs that proposals are made of.
const MOST_PAIRS: u64 = 20_000;

/// Notes pairs; one that is known stays as it is.
pub(crate) async fn keep_pairs(tx: &DatabaseTransaction, pairs: &[AlikePair]) -> Result<(), StoreError> {
    for chunk in pairs.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO task_resemblances (newer, older, per_mille, shared_name, dismissed) VALUES {}
             ON CONFLICT (newer, older) DO NOTHING",
            places(chunk.len(), 5)
        );
        let values = chunk.iter().flat_map(|pair| -> [Value; 5] {
            [
                pair.newer.into(),
                pair.older.into(),
                i64::from(pair.per_mille).into(),
                pair.shared_name.as_str().into(),
                false.into(),
            ]
        });
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// The pairs of open tasks that are not dismissed and not both in a matter, the newest first.
pub(crate) async fn alike_pairs(reader: &DatabaseConnection) -> Result<Vec<AlikePair>, StoreError> {
    let mut parameters = Parameters::default();
    let open = parameters.bind_all([TaskState::Draft, TaskState::Issued].map(columns::task_state));
    let limit = parameters.bind(MOST_PAIRS);
    let sql = format!(
        "SELECT newer, older, per_mille, shared_name FROM task_resemblances
         JOIN tasks AS later ON later.ledger_number = newer
         JOIN tasks AS earlier ON earlier.ledger_number = older
         WHERE NOT dismissed AND later.state IN ({open}) AND earlier.state IN ({open})
           AND (later.matter IS NULL OR earlier.matter IS NULL)
         ORDER BY newer DESC, older DESC LIMIT {limit}"
    );
    let rows = reader.query_all_raw(statement(reader, &sql, parameters.into_values())).await?;
    rows.iter()
        .map(|row| {
            let per_mille: i64 = row.try_get_by("per_mille")?;
            Ok(AlikePair {
                newer: row.try_get_by("newer")?,
                older: row.try_get_by("older")?,
                per_mille: u32::try_from(per_mille).unwrap_or_default(),
                shared_name: row.try_get_by("shared_name")?,
            })
        })
        .collect()
}

/// Dismisses every pair among tasks, and says how many there were.
pub(crate) async fn dismiss_pairs(tx: &DatabaseTransaction, numbers: &[i64]) -> Result<u64, StoreError> {
    let mut parameters = Parameters::default();
    let dismissed = parameters.bind(true);
    let among = parameters.bind_all(numbers.iter().copied());
    let sql = format!(
        "UPDATE task_resemblances SET dismissed = {dismissed}
         WHERE NOT dismissed AND newer IN ({among}) AND older IN ({among})"
    );
    Ok(tx.execute_raw(statement(tx, &sql, parameters.into_values())).await?.rows_affected())
}
