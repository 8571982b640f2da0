//! What scores are made of, in portions.

use domain_calendar::Timestamp;
use domain_supervision::{AssignmentEvent, TaskEvent};
use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult};
use xietong_mesh::Scope;
use xietong_store::{Parameters, SqlMigration, StoreError, statement};

use super::{scope, tasks};
use crate::record::Record;

/// The types of events that scores are made of; the index `events_scored_by_time` is of these.
const EVENTS: &str = "'supervision.assignment.sent_back', 'supervision.assignment.struck_off',
                      'supervision.assignment.urged', 'supervision.assignment.return_refused',
                      'supervision.assignment.reopened'";
/// Those that say something of a period that ended before.
const AFTERWARDS: &str = "'supervision.assignment.struck_off', 'supervision.assignment.reopened'";

/// The index that scores are read by, in place of that of fewer types.
pub(super) const SCORED: SqlMigration = SqlMigration {
    name: "supervision_0024_scored_events",
    statements: &[
        "CREATE INDEX events_scored_by_time ON events (occurred_at, entry)
            WHERE type IN ('supervision.assignment.sent_back', 'supervision.assignment.struck_off',
                           'supervision.assignment.urged', 'supervision.assignment.return_refused',
                           'supervision.assignment.reopened')",
        "DROP INDEX events_scored",
    ],
};

/// An event that scores are made of.
#[derive(Debug)]
pub(crate) struct Scored {
    /// What happened.
    pub(crate) event: AssignmentEvent,
    /// The version of the task it made.
    pub(crate) version: i64,
    /// Where it stands in the order of time.
    pub(crate) place: (i64, i64),
}

/// At most `limit` events that scores of a period are made of, of tasks that `permitted` permits,
/// after a place in the order of time. Of what happened after the period's end, those that end an
/// assignment, or begin it anew, of tasks entered before that end: what they are of may have been
/// open in the period, or settled in it.
pub(crate) async fn scored(
    reader: &DatabaseConnection,
    permitted: &Scope,
    end: Timestamp,
    after: (i64, i64),
    limit: u64,
) -> Result<Vec<Scored>, StoreError> {
    let mut parameters = Parameters::default();
    let permitted = scope::condition(permitted, &mut parameters);
    let (at, entry) = (parameters.bind(after.0), parameters.bind(after.1));
    let (end, limit) = (parameters.bind(end.as_micros()), parameters.bind(limit));
    let sql = format!(
        "SELECT entry, occurred_at, version, type, payload FROM events
         WHERE type IN ({EVENTS}) AND (occurred_at, entry) > ({at}, {entry})
           AND (occurred_at < {end} OR (type IN ({AFTERWARDS}) AND EXISTS (
               SELECT 1 FROM events entered WHERE entered.aggregate = events.aggregate
                   AND entered.version = 1 AND entered.occurred_at < {end})))
           AND aggregate IN (SELECT name FROM tasks WHERE {permitted})
         ORDER BY occurred_at, entry LIMIT {limit}"
    );
    let rows = reader.query_all_raw(statement(reader, &sql, parameters.into_values())).await?;
    rows.iter().map(event).collect()
}

fn event(row: &QueryResult) -> Result<Scored, StoreError> {
    let payload: String = row.try_get_by("payload")?;
    let event_type: String = row.try_get_by("type")?;
    let corrupt = |why: &dyn ToString| StoreError::corrupt("event", why.to_string());
    let payload = serde_json::from_str(&payload).map_err(|error| corrupt(&error))?;
    match TaskEvent::from_payload(&event_type, &payload).map_err(|error| corrupt(&error))? {
        Some(TaskEvent::Assignment(event)) => Ok(Scored {
            event,
            version: row.try_get_by("version")?,
            place: (row.try_get_by("occurred_at")?, row.try_get_by("entry")?),
        }),
        Some(TaskEvent::Task(_)) | None => Err(corrupt(&event_type)),
    }
}

/// At most `limit` tasks that `permitted` permits and of which an assignment is past its settle
/// date at an instant, after a ledger number.
pub(crate) async fn past_due(
    reader: &DatabaseConnection,
    permitted: &Scope,
    at: Timestamp,
    after: i64,
    limit: u64,
) -> Result<Vec<Record>, StoreError> {
    let mut parameters = Parameters::default();
    let permitted = scope::condition(permitted, &mut parameters);
    let at = parameters.bind(at.as_micros());
    let after = parameters.bind(after);
    let limit = parameters.bind(limit);
    let sql = format!(
        "SELECT ledger_number, calendar_version, body FROM tasks
         WHERE {permitted} AND ledger_number > {after} AND ledger_number IN (
             SELECT ledger_number FROM assignments WHERE NOT closed AND NOT paused AND red_at < {at})
         ORDER BY ledger_number LIMIT {limit}"
    );
    let rows = reader.query_all_raw(statement(reader, &sql, parameters.into_values())).await?;
    rows.iter().map(tasks::record).collect()
}
