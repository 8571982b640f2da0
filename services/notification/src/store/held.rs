//! Events that are told later: what came about by itself at night or on a rest day.

use domain_calendar::Timestamp;
use domain_notification::{Ended, NoticeKind};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use xietong_events::Event;
use xietong_store::{Parameters, ROWS, StoreError, places, statement};

use super::ladder::conditions;
use super::texts;

/// An event that is told later.
#[derive(Debug, Clone)]
pub(crate) struct HeldRow {
    /// The service that recorded it.
    pub(crate) producer: String,
    /// The event.
    pub(crate) event: Event,
    /// When it is told.
    pub(crate) due_at: Timestamp,
    /// The record it is about.
    pub(crate) subject: String,
    /// The unit it is about; empty when it is about none.
    pub(crate) unit: String,
    /// The kind of its notice.
    pub(crate) kind: NoticeKind,
}

impl HeldRow {
    /// Whether what it would tell has become moot.
    pub(crate) fn is_ended_by(&self, ended: &Ended) -> bool {
        self.subject == ended.task && ended.ends(&self.unit, self.kind, false)
    }
}

pub(crate) async fn hold(tx: &DatabaseTransaction, rows: &[HeldRow]) -> Result<(), StoreError> {
    const WIDTH: usize = 7;
    for chunk in rows.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO held_events (id, producer, due_at, subject, unit, kind, event) VALUES {}
             ON CONFLICT (id) DO NOTHING",
            places(chunk.len(), WIDTH)
        );
        let mut values: Vec<Value> = Vec::with_capacity(chunk.len() * WIDTH);
        for row in chunk {
            let event =
                serde_json::to_string(&row.event).map_err(|error| StoreError::corrupt("event", error))?;
            values.extend(texts([row.event.id.as_str(), &row.producer]));
            values.push(row.due_at.as_micros().into());
            values.extend(texts([row.subject.as_str(), &row.unit, row.kind.as_str(), &event]));
        }
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// Takes out what is told at an instant, in the order in which it was recorded.
pub(crate) async fn take_held(
    tx: &DatabaseTransaction,
    due_at: Timestamp,
) -> Result<Vec<(String, Event)>, StoreError> {
    let due: [Value; 1] = [due_at.as_micros().into()];
    // In one statement: what has just become moot is either dropped before, and not told, or told, and
    // recalled by whoever waits to drop it.
    let sql = "DELETE FROM held_events WHERE due_at = $1 RETURNING producer, event";
    let rows = tx.query_all_raw(statement(tx, sql, due)).await?;
    let mut held = Vec::with_capacity(rows.len());
    for row in rows {
        let (producer, event): (String, String) = (row.try_get_by("producer")?, row.try_get_by("event")?);
        let event: Event =
            serde_json::from_str(&event).map_err(|error| StoreError::corrupt("held event", error))?;
        held.push((producer, event));
    }
    held.sort_by(|(one, first), (other, second)| (one, first.position).cmp(&(other, second.position)));
    Ok(held)
}

/// Drops what has become moot before it was told.
pub(crate) async fn drop_held(tx: &DatabaseTransaction, ended: &Ended) -> Result<(), StoreError> {
    let mut parameters = Parameters::default();
    let subject = parameters.bind(ended.task.as_str());
    let conditions = conditions(ended, &mut parameters);
    let sql = format!("DELETE FROM held_events WHERE subject = {subject}{conditions}");
    tx.execute_raw(statement(tx, &sql, parameters.into_values())).await?;
    Ok(())
}
