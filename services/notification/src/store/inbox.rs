//! Inboxes: the counter rows from which messages and events take their numbers.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use xietong_store::{StoreError, statement};

/// By how much an inbox grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Growth {
    /// New messages.
    pub(crate) messages: i64,
    /// New events.
    pub(crate) events: i64,
    /// Messages whose state changes.
    pub(crate) changes: i64,
}

/// Where an inbox stood before it grew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Number of its last message.
    pub(crate) last_number: i64,
    /// Number of its events.
    pub(crate) version: i64,
    /// Number of the last change of a message's state.
    pub(crate) last_change: i64,
}

/// Raises the counters of inboxes, in order of official, and says where they stood. The
/// rows are held until the transaction ends, so numbers become visible in their order: whoever
/// has read up to a number has missed none below it.
pub(crate) async fn grow(
    tx: &DatabaseTransaction,
    growths: &BTreeMap<String, Growth>,
) -> Result<BTreeMap<String, Counters>, StoreError> {
    let sql = "INSERT INTO inboxes (official, last_number, version, last_change) VALUES ($1, $2, $3, $4)
               ON CONFLICT (official) DO UPDATE SET
               last_number = inboxes.last_number + excluded.last_number, version = inboxes.version + excluded.version,
               last_change = inboxes.last_change + excluded.last_change
               RETURNING last_number, version, last_change";
    let mut before = BTreeMap::new();
    for (official, growth) in growths {
        let values: [Value; 4] =
            [official.as_str().into(), growth.messages.into(), growth.events.into(), growth.changes.into()];
        let row = tx.query_one_raw(statement(tx, sql, values)).await?;
        let row = row.ok_or_else(|| StoreError::corrupt("inbox", "its counter has no row"))?;
        let after = |column: &str| row.try_get_by::<i64, _>(column);
        let counters = Counters {
            last_number: after("last_number")? - growth.messages,
            version: after("version")? - growth.events,
            last_change: after("last_change")? - growth.changes,
        };
        before.insert(official.clone(), counters);
    }
    Ok(before)
}

/// The aggregate of an official's inbox in the event log: `inboxes/{id}`.
pub(crate) fn aggregate_of(official: &str) -> String {
    format!("inboxes/{}", official.trim_start_matches("officials/"))
}

/// The official whose inbox an aggregate of the event log is.
pub(crate) fn official_of(aggregate: &str) -> Option<String> {
    aggregate.strip_prefix("inboxes/").map(|id| format!("officials/{id}"))
}
