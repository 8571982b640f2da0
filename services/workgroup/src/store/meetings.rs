//! Meetings.

use domain_calendar::Timestamp;
use domain_workgroup::Meeting;
use sea_orm::{ConnectionTrait, Value};
use xietong_store::{StoreError, statement};

use super::{Stored, json};

/// Adds a meeting at version 1.
pub(crate) async fn insert<C: ConnectionTrait>(connection: &C, meeting: &Meeting) -> Result<(), StoreError> {
    let sql = "INSERT INTO meetings (name, group_name, meet_time, version, body) VALUES ($1, $2, $3, 1, $4)";
    let values: [Value; 4] = [
        meeting.name.clone().into(),
        meeting.group().into(),
        meeting.meet_time.as_micros().into(),
        json(meeting)?.into(),
    ];
    connection.execute_raw(statement(connection, sql, values)).await?;
    Ok(())
}

/// A meeting by name.
pub(crate) async fn find<C: ConnectionTrait>(
    connection: &C,
    name: &str,
) -> Result<Option<Stored<Meeting>>, StoreError> {
    let sql = "SELECT version, body FROM meetings WHERE name = $1";
    let row = connection.query_one_raw(statement(connection, sql, [name.into()])).await?;
    row.as_ref().map(Stored::read).transpose()
}

/// The meetings of a group before a place in the list, the latest first; `None` begins it.
pub(crate) async fn list_of_group<C: ConnectionTrait>(
    connection: &C,
    group: &str,
    before: Option<(Timestamp, String)>,
    limit: u64,
) -> Result<Vec<Stored<Meeting>>, StoreError> {
    let sql = "SELECT version, body FROM meetings
               WHERE group_name = $1 AND (meet_time < $2 OR (meet_time = $2 AND name < $3))
               ORDER BY meet_time DESC, name DESC LIMIT $4";
    let (micros, name) = match before {
        Some((meet_time, name)) => (meet_time.as_micros(), name),
        None => (i64::MAX, String::new()),
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values: [Value; 4] = [group.into(), micros.into(), name.into(), limit.into()];
    let rows = connection.query_all_raw(statement(connection, sql, values)).await?;
    rows.iter().map(Stored::read).collect()
}
