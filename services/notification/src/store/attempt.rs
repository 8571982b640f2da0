//! Attempts at deliveries, and ranges that are sent again.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use domain_webhook::Moment;
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use xietong_store::{ROWS, StoreError, statement};

/// One attempt at a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredAttempt {
    /// Counted from 1 over all attempts at the delivery.
    pub(crate) number: i64,
    pub(crate) began: Moment,
    /// Microseconds.
    pub(crate) took: i64,
    /// The HTTP status, if there was an answer.
    pub(crate) status: Option<u16>,
    /// In Chinese.
    pub(crate) outcome: String,
    /// The beginning of the answer's body.
    pub(crate) excerpt: String,
}

/// Adds an attempt to those at a delivery.
pub(crate) async fn insert_attempt(
    tx: &DatabaseTransaction,
    endpoint: &str,
    position: i64,
    attempt: &StoredAttempt,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO delivery_attempts
               (endpoint, position, number, began_at, took, status, outcome, excerpt)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let values: [Value; 8] = [
        endpoint.into(),
        position.into(),
        attempt.number.into(),
        attempt.began.as_micros().into(),
        attempt.took.into(),
        attempt.status.map(i64::from).into(),
        attempt.outcome.as_str().into(),
        attempt.excerpt.as_str().into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// The last attempts at each of these deliveries, at most `most` each, the newest first.
pub(crate) async fn last_attempts<C: ConnectionTrait>(
    connection: &C,
    endpoint: &str,
    positions: &[i64],
    most: i64,
) -> Result<BTreeMap<i64, Vec<StoredAttempt>>, StoreError> {
    let mut found: BTreeMap<i64, Vec<StoredAttempt>> = BTreeMap::new();
    for chunk in positions.chunks(ROWS) {
        let list: Vec<String> = (0..chunk.len()).map(|one| format!("${}", one + 3)).collect();
        let sql = format!(
            "SELECT made.* FROM delivery_attempts AS made JOIN deliveries AS sent
             ON sent.endpoint = made.endpoint AND sent.position = made.position
             WHERE made.endpoint = $1 AND made.position IN ({}) AND made.number > sent.tried - $2
             ORDER BY made.position, made.number DESC",
            list.join(", ")
        );
        let values =
            [Value::from(endpoint), most.into()].into_iter().chain(chunk.iter().map(|one| (*one).into()));
        for row in connection.query_all_raw(statement(connection, &sql, values)).await? {
            found.entry(row.try_get_by("position")?).or_default().push(read(&row)?);
        }
    }
    Ok(found)
}

fn read(row: &QueryResult) -> Result<StoredAttempt, StoreError> {
    let status: Option<i64> = row.try_get_by("status")?;
    Ok(StoredAttempt {
        number: row.try_get_by("number")?,
        began: Moment::from_micros(row.try_get_by("began_at")?),
        took: row.try_get_by("took")?,
        status: status.and_then(|status| u16::try_from(status).ok()),
        outcome: row.try_get_by("outcome")?,
        excerpt: row.try_get_by("excerpt")?,
    })
}

/// A range of the feed that is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replay {
    pub(crate) id: String,
    pub(crate) endpoint: String,
    /// Worked off up to here.
    pub(crate) position: i64,
    /// The last position of it.
    pub(crate) up_to: i64,
    /// Only what happened from then on; business time.
    pub(crate) from: Option<Timestamp>,
    /// Only what happened before then; business time.
    pub(crate) until: Option<Timestamp>,
}

impl Replay {
    /// Whether what happened then is of the range.
    pub(crate) fn covers(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}

/// Stores a range.
pub(crate) async fn insert_replay(tx: &DatabaseTransaction, replay: &Replay) -> Result<(), StoreError> {
    let sql = "INSERT INTO replays (id, endpoint, position, up_to, from_at, until_at)
               VALUES ($1, $2, $3, $4, $5, $6)";
    let values: [Value; 6] = [
        replay.id.as_str().into(),
        replay.endpoint.as_str().into(),
        replay.position.into(),
        replay.up_to.into(),
        replay.from.map(Timestamp::as_micros).into(),
        replay.until.map(Timestamp::as_micros).into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// The ranges of endpoints that are sent to.
pub(crate) async fn open_replays<C: ConnectionTrait>(connection: &C) -> Result<Vec<Replay>, StoreError> {
    let sql = "SELECT replays.* FROM replays JOIN endpoints ON endpoints.id = replays.endpoint
               WHERE standing <> 'disabled' ORDER BY replays.id";
    let instant = |row: &QueryResult, column: &str| -> Result<Option<Timestamp>, StoreError> {
        Ok(row.try_get_by::<Option<i64>, _>(column)?.map(Timestamp::from_micros))
    };
    let rows = connection.query_all_raw(statement(connection, sql, [])).await?;
    rows.iter()
        .map(|row| {
            Ok(Replay {
                id: row.try_get_by("id")?,
                endpoint: row.try_get_by("endpoint")?,
                position: row.try_get_by("position")?,
                up_to: row.try_get_by("up_to")?,
                from: instant(row, "from_at")?,
                until: instant(row, "until_at")?,
            })
        })
        .collect()
}

/// Moves a range on, or removes it at its end. False when another replica has done so.
pub(crate) async fn move_replay(
    tx: &DatabaseTransaction,
    replay: &Replay,
    to: i64,
) -> Result<bool, StoreError> {
    let sql = if to >= replay.up_to {
        "DELETE FROM replays WHERE id = $1 AND position = $2 AND $3 >= up_to"
    } else {
        "UPDATE replays SET position = $3 WHERE id = $1 AND position = $2"
    };
    let values: [Value; 3] = [replay.id.as_str().into(), replay.position.into(), to.into()];
    Ok(tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() == 1)
}

/// The positions of the feed between which everything that happened within a time is: after the
/// first, up to the second. Nothing when nothing happened.
pub(crate) async fn positions_within<C: ConnectionTrait>(
    connection: &C,
    from: Timestamp,
    until: Timestamp,
) -> Result<Option<(i64, i64)>, StoreError> {
    let sql = "SELECT MIN(position) AS first, MAX(position) AS last FROM feed
               WHERE occurred_at >= $1 AND occurred_at < $2";
    let values: [Value; 2] = [from.as_micros().into(), until.as_micros().into()];
    let row = connection.query_one_raw(statement(connection, sql, values)).await?;
    let Some(row) = row else { return Ok(None) };
    let (first, last): (Option<i64>, Option<i64>) = (row.try_get_by("first")?, row.try_get_by("last")?);
    Ok(first.zip(last).map(|(first, last)| (first - 1, last)))
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;

    use super::Replay;

    #[test]
    fn a_range_of_time_is_half_open() {
        let at = Timestamp::from_micros;
        let replay = Replay {
            id: "1".into(),
            endpoint: "1".into(),
            position: 0,
            up_to: 9,
            from: Some(at(10)),
            until: Some(at(20)),
        };
        let covered: Vec<i64> = (8..22).filter(|micros| replay.covers(at(*micros))).collect();
        assert_eq!(covered, (10..20).collect::<Vec<_>>());
    }
}
