//! Ladders: what is to be signed for, how far it has climbed, and who has it.

use std::collections::{BTreeMap, BTreeSet};

use domain_calendar::Timestamp;
use domain_notification::{Ended, Ladder, NoticeKind, Rung, Standing};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use xietong_store::{Parameters, ROWS, StoreError, places, statement};

use super::texts;

/// A ladder as it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LadderRow {
    /// Sorts in the order of the events it came from.
    pub(crate) id: String,
    /// Who must sign, and who is above.
    pub(crate) ladder: Ladder,
    /// The record it is about.
    pub(crate) subject: String,
    /// Kind of the message to be signed for.
    pub(crate) kind: NoticeKind,
    /// Title of that message.
    pub(crate) title: String,
    /// Its text.
    pub(crate) body: String,
    /// When it was sent.
    pub(crate) sent_at: Timestamp,
    /// Set when a later event of the same batch ended it.
    pub(crate) ended_at: Option<Timestamp>,
    /// Of a document: its tasks that the unit has not signed for.
    pub(crate) waits_for: BTreeSet<String>,
}

pub(crate) async fn insert_ladders(
    tx: &DatabaseTransaction,
    ladders: &[LadderRow],
) -> Result<(), StoreError> {
    const WIDTH: usize = 10;
    for chunk in ladders.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO ladders (id, subject, unit, decider, kind, rung, title, body, sent_at, ended_at) VALUES {}
             ON CONFLICT (id) DO NOTHING",
            places(chunk.len(), WIDTH)
        );
        let values = chunk.iter().flat_map(|row| -> [Value; WIDTH] {
            [
                row.id.as_str().into(),
                row.subject.as_str().into(),
                row.ladder.unit.as_str().into(),
                row.ladder.decider.as_str().into(),
                row.kind.as_str().into(),
                Rung::Liaison.as_str().into(),
                row.title.as_str().into(),
                row.body.as_str().into(),
                row.sent_at.as_micros().into(),
                row.ended_at.map(Timestamp::as_micros).into(),
            ]
        });
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    let waits = ladders.iter().filter(|row| row.ended_at.is_none());
    let waits = waits.flat_map(|row| row.waits_for.iter().map(|task| (task.as_str(), row.id.as_str())));
    for chunk in waits.collect::<Vec<_>>().chunks(ROWS) {
        let sql = format!(
            "INSERT INTO ladder_tasks (task, ladder) VALUES {} ON CONFLICT (task, ladder) DO NOTHING",
            places(chunk.len(), 2)
        );
        let values = chunk.iter().flat_map(|(task, ladder)| texts([*task, *ladder]));
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// How many open ladders each of the units has; units without one are left out.
pub(crate) async fn open_by_unit<C: ConnectionTrait>(
    connection: &C,
    units: &[&str],
) -> Result<BTreeMap<String, i64>, StoreError> {
    let mut found = BTreeMap::new();
    for chunk in units.chunks(ROWS) {
        let mut parameters = Parameters::default();
        let units = parameters.bind_all(chunk.iter().copied());
        let sql = format!(
            "SELECT unit, COUNT(*) AS open FROM ladders WHERE ended_at IS NULL AND unit IN ({units}) GROUP BY unit"
        );
        for row in connection.query_all_raw(statement(connection, &sql, parameters.into_values())).await? {
            found.insert(row.try_get_by("unit")?, row.try_get_by("open")?);
        }
    }
    Ok(found)
}

/// What else holds of rows with `unit` and `kind` that an event ends, beside their record.
pub(super) fn conditions(ended: &Ended, parameters: &mut Parameters) -> String {
    let kinds = parameters.bind_all(ended.kinds().map(NoticeKind::as_str));
    match &ended.unit {
        Some(unit) => format!(" AND kind IN ({kinds}) AND unit = {}", parameters.bind(unit.as_str())),
        None => format!(" AND kind IN ({kinds})"),
    }
}

/// The open ladders of documents for which the task that an event is about was the last one
/// they waited for.
pub(crate) async fn waited_for_last(
    tx: &DatabaseTransaction,
    ended: &Ended,
) -> Result<Vec<String>, StoreError> {
    let mut parameters = Parameters::default();
    let task = parameters.bind(ended.task.as_str());
    let conditions = conditions(ended, &mut parameters);
    let sql = format!(
        "SELECT id FROM ladders JOIN ladder_tasks ON ladder = id
         WHERE task = {task} AND ended_at IS NULL{conditions}"
    );
    let mut last = Vec::new();
    for row in tx.query_all_raw(statement(tx, &sql, parameters.into_values())).await? {
        let ladder: String = row.try_get_by("id")?;
        let sql = "DELETE FROM ladder_tasks WHERE task = $1 AND ladder = $2";
        tx.execute_raw(statement(tx, sql, texts([ended.task.as_str(), &ladder]))).await?;
        let sql = "SELECT task FROM ladder_tasks WHERE ladder = $1 LIMIT 1";
        if tx.query_one_raw(statement(tx, sql, texts([ladder.as_str()]))).await?.is_none() {
            last.push(ladder);
        }
    }
    Ok(last)
}

/// The open ladders that an event ends.
pub(crate) async fn open_ladders(tx: &DatabaseTransaction, ended: &Ended) -> Result<Vec<String>, StoreError> {
    let mut parameters = Parameters::default();
    let subject = parameters.bind(ended.task.as_str());
    let conditions = conditions(ended, &mut parameters);
    let sql = format!("SELECT id FROM ladders WHERE ended_at IS NULL AND subject = {subject}{conditions}");
    let rows = tx.query_all_raw(statement(tx, &sql, parameters.into_values())).await?;
    rows.iter().map(|row| Ok(row.try_get_by("id")?)).collect()
}

/// Ends ladders: they climb no further.
pub(crate) async fn end_ladders(
    tx: &DatabaseTransaction,
    ids: &BTreeSet<String>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let sql = "UPDATE ladders SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
    for id in ids {
        let values: [Value; 2] = [id.as_str().into(), at.as_micros().into()];
        tx.execute_raw(statement(tx, sql, values)).await?;
    }
    Ok(())
}

/// A ladder as it stands; none when it has ended.
pub(crate) async fn standing(tx: &DatabaseTransaction, id: &str) -> Result<Option<Standing>, StoreError> {
    let sql = "SELECT subject, unit, decider, rung, title, body, sent_at FROM ladders
               WHERE id = $1 AND ended_at IS NULL";
    let Some(row) = tx.query_one_raw(statement(tx, sql, texts([id]))).await? else { return Ok(None) };
    let told =
        "SELECT DISTINCT recipient FROM messages JOIN ladder_messages ON message = id WHERE ladder = $1";
    let told = tx.query_all_raw(statement(tx, told, texts([id]))).await?;
    let rung: String = row.try_get_by("rung")?;
    Ok(Some(Standing {
        ladder: Ladder { unit: row.try_get_by("unit")?, decider: row.try_get_by("decider")? },
        rung: rung.parse().map_err(|why| StoreError::corrupt("rung of a ladder", why))?,
        told: told.iter().map(|row| row.try_get_by("recipient")).collect::<Result<_, _>>()?,
        sent_at: Timestamp::from_micros(row.try_get_by("sent_at")?),
        title: row.try_get_by("title")?,
        body: row.try_get_by("body")?,
        subject: row.try_get_by("subject")?,
    }))
}

/// Moves an open ladder from one rung to another. False when it has ended, or moved,
/// meanwhile. The row is held until the transaction ends, so that a signature either comes
/// before the step and prevents it, or comes after it.
pub(crate) async fn climb(
    tx: &DatabaseTransaction,
    id: &str,
    from: Rung,
    to: Rung,
) -> Result<bool, StoreError> {
    let sql = "UPDATE ladders SET rung = $3 WHERE id = $1 AND rung = $2 AND ended_at IS NULL";
    let result = tx.execute_raw(statement(tx, sql, texts([id, from.as_str(), to.as_str()]))).await?;
    Ok(result.rows_affected() == 1)
}

/// Records that messages belong to ladders: `(message, ladder)`.
pub(crate) async fn link_messages(
    tx: &DatabaseTransaction,
    links: &[(String, String)],
) -> Result<(), StoreError> {
    for chunk in links.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO ladder_messages (message, ladder) VALUES {} ON CONFLICT (message, ladder) DO NOTHING",
            places(chunk.len(), 2)
        );
        let values = chunk.iter().flat_map(|(message, ladder)| texts([message.as_str(), ladder.as_str()]));
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// The ladders a message belongs to.
pub(crate) async fn ladders_of_message(
    tx: &DatabaseTransaction,
    message: &str,
) -> Result<BTreeSet<String>, StoreError> {
    let sql = "SELECT ladder FROM ladder_messages WHERE message = $1";
    let rows = tx.query_all_raw(statement(tx, sql, texts([message]))).await?;
    rows.iter().map(|row| Ok(row.try_get_by("ladder")?)).collect()
}
