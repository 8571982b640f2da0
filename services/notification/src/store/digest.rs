//! What climbed to a leader and waits to be summed up.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use domain_notification::DigestEntry;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use xietong_store::{Parameters, ROWS, StoreError, places, statement};

/// Something that climbed, to be summed up for an official at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PendingEntry {
    /// `officials/{id}`.
    pub(crate) official: String,
    /// When the summary is due.
    pub(crate) due_at: Timestamp,
    /// What climbed.
    pub(crate) ladder: String,
    /// When.
    pub(crate) climbed_at: Timestamp,
}

pub(crate) async fn add_entries(
    tx: &DatabaseTransaction,
    entries: &[PendingEntry],
) -> Result<(), StoreError> {
    for chunk in entries.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO digest_entries (official, due_at, ladder, climbed_at) VALUES {}
             ON CONFLICT (official, due_at, ladder) DO NOTHING",
            places(chunk.len(), 4)
        );
        let values = chunk.iter().flat_map(|entry| -> [Value; 4] {
            [
                entry.official.as_str().into(),
                entry.due_at.as_micros().into(),
                entry.ladder.as_str().into(),
                entry.climbed_at.as_micros().into(),
            ]
        });
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// Drops what has climbed on these ladders and is not summed up yet: nobody need sign for it any more.
pub(crate) async fn drop_entries(
    tx: &DatabaseTransaction,
    ladders: &BTreeSet<String>,
) -> Result<(), StoreError> {
    let ladders: Vec<&String> = ladders.iter().collect();
    for chunk in ladders.chunks(ROWS) {
        let mut parameters = Parameters::default();
        let ladders = parameters.bind_all(chunk.iter().map(|ladder| ladder.as_str()));
        let sql = format!("DELETE FROM digest_entries WHERE ladder IN ({ladders})");
        tx.execute_raw(statement(tx, &sql, parameters.into_values())).await?;
    }
    Ok(())
}

/// Takes out what is to be summed up, in the order in which it climbed.
pub(crate) async fn take_entries(
    tx: &DatabaseTransaction,
    official: &str,
    due_at: Timestamp,
) -> Result<Vec<DigestEntry>, StoreError> {
    let window: [Value; 2] = [official.into(), due_at.as_micros().into()];
    let sql = "SELECT unit, title, climbed_at, ended_at FROM digest_entries JOIN ladders ON ladder = id
               WHERE official = $1 AND due_at = $2 ORDER BY climbed_at, ladder";
    let rows = tx.query_all_raw(statement(tx, sql, window.clone())).await?;
    let sql = "DELETE FROM digest_entries WHERE official = $1 AND due_at = $2";
    tx.execute_raw(statement(tx, sql, window)).await?;
    rows.iter()
        .map(|row| {
            Ok(DigestEntry {
                unit: row.try_get_by("unit")?,
                title: row.try_get_by("title")?,
                climbed_at: Timestamp::from_micros(row.try_get_by("climbed_at")?),
                settled: row.try_get_by::<Option<i64>, _>("ended_at")?.is_some(),
            })
        })
        .collect()
}
