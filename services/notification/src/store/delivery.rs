//! Deliveries: each event on its way to an endpoint, claimed under a lease and settled.

use domain_webhook::{DeliveryState, Moment, Round};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use xietong_store::{Backend, Db, ROWS, StoreError, places, statement};

use super::endpoint::StoredEndpoint;
use super::feed_page::StoredEntry;

/// A delivery as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredDelivery {
    /// Of the event in the feed.
    pub(crate) position: i64,
    /// The event's id: its `webhook-id`.
    pub(crate) event: String,
    pub(crate) event_type: String,
    pub(crate) subject: String,
    pub(crate) state: DeliveryState,
    /// Attempts at it in all.
    pub(crate) tried: i64,
    /// Who has it to himself.
    pub(crate) claim: Option<String>,
}

/// What is claimed at once for one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Names it.
    pub(crate) id: String,
    /// Until then.
    pub(crate) until: Moment,
    /// Positions of the deliveries, in the order in which they are to be sent.
    pub(crate) positions: Vec<i64>,
}

const WAITING: &str = "waiting";
const HELD: &str = "held";
const DELIVERED: &str = "delivered";
const DEAD_LETTER: &str = "dead_letter";

/// The words that states are stored under, in the order of the API.
pub(crate) const DELIVERY_STATES: [&str; 4] = [WAITING, HELD, DELIVERED, DEAD_LETTER];

fn read(row: &QueryResult) -> Result<StoredDelivery, StoreError> {
    let state: String = row.try_get_by("state")?;
    let ended: Option<i64> = row.try_get_by("ended_at")?;
    let ended = ended
        .map(Moment::from_micros)
        .ok_or_else(|| StoreError::corrupt("state of a delivery", "it has no end"));
    let state = match state.as_str() {
        WAITING => {
            let began: Option<i64> = row.try_get_by("began_at")?;
            let attempts = u32::try_from(row.try_get_by::<i64, _>("attempts")?).unwrap_or(u32::MAX);
            let round = Round { began: began.map(Moment::from_micros), attempts };
            DeliveryState::Waiting { round, due: Moment::from_micros(row.try_get_by("due_at")?) }
        }
        HELD => DeliveryState::Held,
        DELIVERED => DeliveryState::Delivered { at: ended? },
        DEAD_LETTER => DeliveryState::DeadLetter { at: ended? },
        other => return Err(StoreError::corrupt("state of a delivery", other)),
    };
    Ok(StoredDelivery {
        position: row.try_get_by("position")?,
        event: row.try_get_by("event")?,
        event_type: row.try_get_by("event_type")?,
        subject: row.try_get_by("subject")?,
        state,
        tried: row.try_get_by("tried")?,
        claim: row.try_get_by("claim")?,
    })
}

/// What becomes of deliveries that are made out a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// They stay as they are.
    No,
    /// They are sent again, as `domain_webhook::DeliveryEvent::Replayed` has it.
    Yes,
}

/// Makes out deliveries of entries of the feed, due at once.
pub(crate) async fn make_out(
    tx: &DatabaseTransaction,
    endpoint: &str,
    entries: &[StoredEntry],
    again: Again,
    now: Moment,
) -> Result<(), StoreError> {
    const WIDTH: usize = 9;
    let conflict = match again {
        Again::No => "DO NOTHING",
        Again::Yes => REPLAYED,
    };
    for chunk in entries.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO deliveries (endpoint, position, event, event_type, subject, state, due_at, attempts,
             tried, claimed_until) VALUES {} ON CONFLICT (endpoint, position) {conflict}",
            places(chunk.len(), WIDTH + 1)
        );
        let values = chunk.iter().flat_map(|entry| -> [Value; WIDTH + 1] {
            [
                endpoint.into(),
                entry.position.into(),
                entry.id.as_str().into(),
                entry.event_type.as_str().into(),
                entry.subject.as_str().into(),
                WAITING.into(),
                now.as_micros().into(),
                0_i64.into(),
                0_i64.into(),
                0_i64.into(),
            ]
        });
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// The state machine's answer to a replay in each state, for many at once.
const REPLAYED: &str = "DO UPDATE SET
    state = CASE WHEN deliveries.state IN ('delivered', 'dead_letter') THEN 'waiting'
                 ELSE deliveries.state END,
    began_at = CASE WHEN deliveries.state IN ('delivered', 'dead_letter') THEN NULL
                    ELSE deliveries.began_at END,
    attempts = CASE WHEN deliveries.state IN ('delivered', 'dead_letter') THEN 0
                    ELSE deliveries.attempts END,
    due_at = CASE WHEN deliveries.state = 'held' THEN deliveries.due_at
                  WHEN deliveries.state = 'waiting' AND deliveries.due_at < excluded.due_at
                  THEN deliveries.due_at ELSE excluded.due_at END,
    ended_at = NULL";

/// Claims what is due of a locked endpoint: as much as it may have under way, less what it has, at
/// whichever replica, and `most` in any case. Of an ordered one, the oldest of each subject that is not finished.
pub(crate) async fn claim_due(
    tx: &DatabaseTransaction,
    endpoint: &StoredEndpoint,
    most: usize,
    claim: String,
    now: Moment,
    until: Moment,
) -> Result<Claim, StoreError> {
    let sql = "SELECT COUNT(*) AS under_way FROM deliveries
               WHERE endpoint = $1 AND claimed_until > 0 AND claimed_until > $2";
    let values: [Value; 2] = [endpoint.id.as_str().into(), now.as_micros().into()];
    let row = tx.query_one_raw(statement(tx, sql, values)).await?;
    let under_way: i64 = row.map(|row| row.try_get_by("under_way")).transpose()?.unwrap_or(0);
    let places = endpoint.at_once().saturating_sub(usize::try_from(under_way).unwrap_or(0)).min(most);
    if places == 0 {
        return Ok(Claim { id: claim, until, positions: Vec::new() });
    }
    let order = if endpoint.wanted.ordered {
        "AND NOT EXISTS (SELECT 1 FROM deliveries AS earlier WHERE earlier.endpoint = one.endpoint
         AND earlier.subject = one.subject AND earlier.position < one.position
         AND earlier.state = 'waiting')"
    } else {
        ""
    };
    let lock = match Backend::from(tx.get_database_backend()) {
        Backend::Sqlite => "",
        Backend::Postgres => "FOR UPDATE SKIP LOCKED",
    };
    // Chosen once: within the condition of the update, PostgreSQL may choose anew for each row, and
    // so claim more than the limit.
    let sql = format!(
        "WITH chosen AS MATERIALIZED (
            SELECT one.position FROM deliveries AS one WHERE one.endpoint = $3 AND one.state = 'waiting'
            AND one.due_at <= $4 AND one.claimed_until <= $4 {order}
            ORDER BY one.due_at, one.position LIMIT $5 {lock})
         UPDATE deliveries SET claim = $1, claimed_until = $2
         WHERE endpoint = $3 AND position IN (SELECT position FROM chosen)
         RETURNING position, due_at"
    );
    let values: [Value; 5] = [
        claim.as_str().into(),
        until.as_micros().into(),
        endpoint.id.as_str().into(),
        now.as_micros().into(),
        u64::try_from(places).unwrap_or(1).into(),
    ];
    let rows = tx.query_all_raw(statement(tx, &sql, values)).await?;
    let mut claimed: Vec<(i64, i64)> = Vec::with_capacity(rows.len());
    for row in rows {
        claimed.push((row.try_get_by("due_at")?, row.try_get_by("position")?));
    }
    claimed.sort_unstable();
    Ok(Claim { id: claim, until, positions: claimed.into_iter().map(|(_, position)| position).collect() })
}

/// Gives back what was claimed and not sent.
pub(crate) async fn give_back(db: &Db, endpoint: &str, position: i64, claim: &str) -> Result<(), StoreError> {
    let sql = "UPDATE deliveries SET claim = NULL, claimed_until = 0
               WHERE endpoint = $1 AND position = $2 AND claim = $3";
    let writer = db.writer();
    let values: [Value; 3] = [endpoint.into(), position.into(), claim.into()];
    writer.execute_raw(statement(writer, sql, values)).await?;
    Ok(())
}

/// Ends every claim, for whoever knows that no other process works on the database.
pub(crate) async fn end_claims(db: &Db) -> Result<(), StoreError> {
    let writer = db.writer();
    let sql = "UPDATE deliveries SET claim = NULL, claimed_until = 0 WHERE claimed_until > 0";
    writer.execute_raw(statement(writer, sql, [])).await?;
    Ok(())
}

/// One delivery, kept until the transaction ends.
pub(crate) async fn locked_delivery(
    tx: &DatabaseTransaction,
    endpoint: &str,
    position: i64,
) -> Result<Option<StoredDelivery>, StoreError> {
    let lock = match Backend::from(tx.get_database_backend()) {
        Backend::Sqlite => "",
        Backend::Postgres => "FOR UPDATE",
    };
    let sql = format!("SELECT * FROM deliveries WHERE endpoint = $1 AND position = $2 {lock}");
    let row = tx.query_one_raw(statement(tx, &sql, [endpoint.into(), position.into()])).await?;
    row.as_ref().map(read).transpose()
}

/// Stores a delivery that is locked.
pub(crate) async fn save_delivery(
    tx: &DatabaseTransaction,
    endpoint: &str,
    delivery: &StoredDelivery,
) -> Result<(), StoreError> {
    let (state, due, round, ended) = match delivery.state {
        DeliveryState::Waiting { round, due } => (WAITING, due.as_micros(), round, None),
        DeliveryState::Held => (HELD, 0, Round::default(), None),
        DeliveryState::Delivered { at } => (DELIVERED, 0, Round::default(), Some(at.as_micros())),
        DeliveryState::DeadLetter { at } => (DEAD_LETTER, 0, Round::default(), Some(at.as_micros())),
    };
    let sql = "UPDATE deliveries SET state = $3, due_at = $4, began_at = $5, attempts = $6, tried = $7,
               ended_at = $8, claim = $9, claimed_until = CASE WHEN $9 IS NULL THEN 0 ELSE claimed_until END
               WHERE endpoint = $1 AND position = $2";
    let values: [Value; 9] = [
        endpoint.into(),
        delivery.position.into(),
        state.into(),
        due.into(),
        round.began.map(Moment::as_micros).into(),
        i64::from(round.attempts).into(),
        delivery.tried.into(),
        ended.into(),
        delivery.claim.clone().into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// Removes a delivery that its endpoint's owner may not read any more.
pub(crate) async fn remove_delivery(db: &Db, endpoint: &str, position: i64) -> Result<(), StoreError> {
    let writer = db.writer();
    let sql = "DELETE FROM deliveries WHERE endpoint = $1 AND position = $2";
    writer.execute_raw(statement(writer, sql, [endpoint.into(), position.into()])).await?;
    Ok(())
}

/// Keeps what waits for a locked endpoint: it was disabled.
pub(crate) async fn hold_deliveries(tx: &DatabaseTransaction, endpoint: &str) -> Result<(), StoreError> {
    let sql = "UPDATE deliveries SET state = 'held', began_at = NULL, attempts = 0
               WHERE endpoint = $1 AND state = 'waiting'";
    tx.execute_raw(statement(tx, sql, [endpoint.into()])).await?;
    Ok(())
}

/// Lets go what was kept for a locked endpoint: it was enabled.
pub(crate) async fn release_deliveries(
    tx: &DatabaseTransaction,
    endpoint: &str,
    now: Moment,
) -> Result<(), StoreError> {
    let sql = "UPDATE deliveries SET state = 'waiting', began_at = NULL, attempts = 0, due_at = $2
               WHERE endpoint = $1 AND state = 'held'";
    tx.execute_raw(statement(tx, sql, [endpoint.into(), now.as_micros().into()])).await?;
    Ok(())
}

/// Deliveries below a position, the newest event first, in one state or in all.
pub(crate) async fn deliveries_before<C: ConnectionTrait>(
    connection: &C,
    endpoint: &str,
    state: Option<&str>,
    before: i64,
    limit: u64,
) -> Result<Vec<StoredDelivery>, StoreError> {
    let in_state = if state.is_some() { "AND state = $4" } else { "" };
    let sql = format!(
        "SELECT * FROM deliveries WHERE endpoint = $1 AND position < $2 {in_state}
         ORDER BY position DESC LIMIT $3"
    );
    let mut values: Vec<Value> = vec![endpoint.into(), before.into(), limit.into()];
    values.extend(state.map(Value::from));
    connection.query_all_raw(statement(connection, &sql, values)).await?.iter().map(read).collect()
}

/// The first instant after `now` at which something is due, whatever its endpoint.
pub(crate) async fn next_due<C: ConnectionTrait>(
    connection: &C,
    now: Moment,
) -> Result<Option<Moment>, StoreError> {
    let sql = "SELECT due_at FROM deliveries WHERE state = 'waiting' AND due_at > $1 ORDER BY due_at LIMIT 1";
    let row = connection.query_one_raw(statement(connection, sql, [now.as_micros().into()])).await?;
    row.map(|row| Ok(Moment::from_micros(row.try_get_by("due_at")?))).transpose()
}
