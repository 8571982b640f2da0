//! Sendings: each message on its way by a channel, claimed under a lease and settled.

use domain_calendar::Timestamp;
use domain_channel::{Purpose, SendingState};
use domain_notification::{Channel, Ending};
use domain_webhook::{Moment, Round};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use xietong_store::{Backend, Db, ROWS, SqlMigration, StoreError, places, statement};

use super::texts;

/// `not_before`, and every instant of a contact, is business time; all others are machine time; all are
/// in microseconds. The state of a channel is a row, so that all replicas share it.
pub(super) const CHANNELS: SqlMigration = SqlMigration {
    name: "notification_0208_channels",
    statements: &[
        "CREATE TABLE contacts (
            official TEXT PRIMARY KEY,
            version BIGINT NOT NULL,
            email TEXT,
            email_changed_at BIGINT,
            email_verified_at BIGINT,
            mobile TEXT,
            mobile_changed_at BIGINT,
            mobile_verified_at BIGINT,
            updated_at BIGINT NOT NULL
        )",
        "CREATE TABLE sendings (
            message TEXT NOT NULL,
            channel TEXT NOT NULL,
            purpose TEXT NOT NULL,
            recipient TEXT NOT NULL,
            urgent BOOLEAN NOT NULL,
            not_before BIGINT NOT NULL,
            state TEXT NOT NULL,
            due_at BIGINT NOT NULL,
            began_at BIGINT,
            attempts BIGINT NOT NULL,
            tried BIGINT NOT NULL,
            broke_off BOOLEAN NOT NULL,
            ended_at BIGINT,
            ending TEXT,
            outcome TEXT NOT NULL,
            claim TEXT,
            claimed_until BIGINT NOT NULL,
            PRIMARY KEY (message, channel, purpose)
        )",
        "CREATE INDEX sendings_due ON sendings (channel, due_at) WHERE state = 'waiting'",
        "CREATE TABLE channels (
            channel TEXT PRIMARY KEY,
            breaker TEXT NOT NULL,
            failures BIGINT NOT NULL,
            since_at BIGINT NOT NULL,
            until_at BIGINT NOT NULL,
            rests BIGINT NOT NULL,
            full_at BIGINT NOT NULL
        )",
        "INSERT INTO channels (channel, breaker, failures, since_at, until_at, rests, full_at)
            VALUES ('email', 'closed', 0, 0, 0, 0, 0), ('message', 'closed', 0, 0, 0, 0, 0)",
    ],
};

/// One message on its way by one channel, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredSending {
    /// Id of the message.
    pub(crate) message: String,
    pub(crate) channel: Channel,
    pub(crate) purpose: Purpose,
    /// `officials/{id}`. His address stands in his contact alone.
    pub(crate) recipient: String,
    /// It goes out at whatever hour, and before others.
    pub(crate) urgent: bool,
    /// By the city's clock.
    pub(crate) not_before: Timestamp,
    pub(crate) state: SendingState,
    /// Attempts made in all.
    pub(crate) tried: i64,
    /// An attempt ended, or was lost, without an answer: the recipient may have it.
    pub(crate) broke_off: bool,
    /// How what the message asks has ended.
    pub(crate) ending: Option<Ending>,
    /// What came of the last attempt, in Chinese.
    pub(crate) outcome: String,
    /// Who makes an attempt, or was making one when it died.
    pub(crate) claim: Option<String>,
    pub(crate) claimed_until: Moment,
}

const WAITING: &str = "waiting";
const SENT: &str = "sent";
const REFUSED: &str = "refused";
const GIVEN_UP: &str = "given_up";
const RECALLED: &str = "recalled";

impl StoredSending {
    /// A new one, due at once by the machine's clock.
    pub(crate) fn new(
        (message, channel, purpose): (String, Channel, Purpose),
        recipient: String,
        urgent: bool,
        not_before: Timestamp,
        due: Moment,
    ) -> Self {
        StoredSending {
            message,
            channel,
            purpose,
            recipient,
            urgent,
            not_before,
            state: SendingState::new(due),
            tried: 0,
            broke_off: false,
            ending: None,
            outcome: String::new(),
            claim: None,
            claimed_until: Moment::from_micros(0),
        }
    }
}

/// Stores sendings that there are not yet.
pub(crate) async fn insert_sendings(
    tx: &DatabaseTransaction,
    sendings: &[StoredSending],
) -> Result<(), StoreError> {
    const WIDTH: usize = 14;
    for chunk in sendings.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO sendings (message, channel, purpose, recipient, urgent, not_before, state, due_at,
                 attempts, tried, broke_off, outcome, claimed_until, ending)
             VALUES {} ON CONFLICT (message, channel, purpose) DO NOTHING",
            places(chunk.len(), WIDTH)
        );
        let values = chunk.iter().flat_map(|one| -> [Value; WIDTH] {
            [
                one.message.as_str().into(),
                one.channel.as_str().into(),
                one.purpose.as_str().into(),
                one.recipient.as_str().into(),
                one.urgent.into(),
                one.not_before.as_micros().into(),
                WAITING.into(),
                written(one.state).due.into(),
                0_i64.into(),
                0_i64.into(),
                false.into(),
                "".into(),
                0_i64.into(),
                one.ending.map(Ending::as_str).into(),
            ]
        });
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// Claims what is due on a channel, `most` at most: what is urgent first. What somebody had claimed who
/// is gone may have arrived.
pub(crate) async fn claim_sendings(
    tx: &DatabaseTransaction,
    channel: Channel,
    most: u32,
    (claim, until): (&str, Moment),
    (business, machine): (Timestamp, Moment),
) -> Result<Vec<StoredSending>, StoreError> {
    let lock = match Backend::from(tx.get_database_backend()) {
        Backend::Sqlite => "",
        Backend::Postgres => "FOR UPDATE SKIP LOCKED",
    };
    // Chosen once: within the condition of the update, PostgreSQL may choose anew for each row.
    let sql = format!(
        "WITH chosen AS MATERIALIZED (
            SELECT message, purpose FROM sendings WHERE channel = $3 AND state = 'waiting' AND due_at <= $4
            AND claimed_until <= $4 AND not_before <= $5
            ORDER BY urgent DESC, due_at, message, purpose LIMIT $6 {lock})
         UPDATE sendings SET broke_off = broke_off OR claim IS NOT NULL, claim = $1, claimed_until = $2
         WHERE channel = $3 AND (message, purpose) IN (SELECT message, purpose FROM chosen)
         RETURNING *"
    );
    let values: [Value; 6] = [
        claim.into(),
        until.as_micros().into(),
        channel.as_str().into(),
        machine.as_micros().into(),
        business.as_micros().into(),
        i64::from(most).into(),
    ];
    tx.query_all_raw(statement(tx, &sql, values)).await?.iter().map(read).collect()
}

/// One sending, kept until the transaction ends.
pub(crate) async fn locked_sending(
    tx: &DatabaseTransaction,
    (message, channel, purpose): (&str, Channel, Purpose),
) -> Result<Option<StoredSending>, StoreError> {
    let sql = format!(
        "SELECT * FROM sendings WHERE message = $1 AND channel = $2 AND purpose = $3 {}",
        for_update(tx)
    );
    let values = texts([message, channel.as_str(), purpose.as_str()]);
    tx.query_one_raw(statement(tx, &sql, values)).await?.as_ref().map(read).transpose()
}

/// What tells these messages, kept until the transaction ends. Whoever calls holds their inboxes.
pub(crate) async fn locked_notices(
    tx: &DatabaseTransaction,
    messages: &[&str],
) -> Result<Vec<StoredSending>, StoreError> {
    let mut found = Vec::new();
    for chunk in messages.chunks(ROWS) {
        let list: Vec<String> = (1..=chunk.len()).map(|one| format!("${one}")).collect();
        let sql = format!(
            "SELECT * FROM sendings WHERE message IN ({}) AND purpose = 'notice'
             ORDER BY message, channel {}",
            list.join(", "),
            for_update(tx)
        );
        for row in tx.query_all_raw(statement(tx, &sql, texts(chunk.iter().copied()))).await? {
            found.push(read(&row)?);
        }
    }
    Ok(found)
}

/// Stores a sending that is locked.
pub(crate) async fn save_sending(
    tx: &DatabaseTransaction,
    sending: &StoredSending,
) -> Result<(), StoreError> {
    let Written { state, due, round, ended } = written(sending.state);
    let sql = "UPDATE sendings SET state = $4, due_at = $5, began_at = $6, attempts = $7, tried = $8,
               broke_off = $9, ended_at = $10, ending = $11, outcome = $12, claim = $13,
               claimed_until = CASE WHEN $13 IS NULL THEN 0 ELSE claimed_until END
               WHERE message = $1 AND channel = $2 AND purpose = $3";
    let values: [Value; 13] = [
        sending.message.as_str().into(),
        sending.channel.as_str().into(),
        sending.purpose.as_str().into(),
        state.into(),
        due.into(),
        round.began.map(Moment::as_micros).into(),
        i64::from(round.attempts).into(),
        sending.tried.into(),
        sending.broke_off.into(),
        ended.into(),
        sending.ending.map(Ending::as_str).into(),
        sending.outcome.as_str().into(),
        sending.claim.clone().into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// Takes back what was to follow a sending up: it turned out that it has not arrived.
pub(crate) async fn drop_follow_ups(
    tx: &DatabaseTransaction,
    message: &str,
    channel: Channel,
    now: Moment,
) -> Result<(), StoreError> {
    let sql = "UPDATE sendings SET state = 'recalled', ended_at = $3
               WHERE message = $1 AND channel = $2 AND purpose <> 'notice' AND state = 'waiting'";
    let values: [Value; 3] = [message.into(), channel.as_str().into(), now.as_micros().into()];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// Ends every claim on a channel, for whoever knows that no other process works on the database.
pub(crate) async fn end_sending_claims(db: &Db, channel: Channel) -> Result<(), StoreError> {
    let writer = db.writer();
    let sql = "UPDATE sendings SET broke_off = TRUE, claim = NULL, claimed_until = 0
               WHERE channel = $1 AND claim IS NOT NULL AND state = 'waiting'";
    writer.execute_raw(statement(writer, sql, texts([channel.as_str()]))).await?;
    Ok(())
}

/// What is sent of a message, by channel and purpose, after one of them.
pub(crate) async fn sendings_after<C: ConnectionTrait>(
    connection: &C,
    message: &str,
    after: Option<&(String, String)>,
    limit: u64,
) -> Result<Vec<StoredSending>, StoreError> {
    let (channel, purpose) = after.map_or(("", ""), |(channel, purpose)| (channel, purpose));
    let sql = "SELECT * FROM sendings WHERE message = $1 AND (channel, purpose) > ($2, $3)
               ORDER BY channel, purpose LIMIT $4";
    let values: [Value; 4] = [message.into(), channel.into(), purpose.into(), limit.into()];
    connection.query_all_raw(statement(connection, sql, values)).await?.iter().map(read).collect()
}

/// How many wait on a channel.
pub(crate) async fn sendings_waiting<C: ConnectionTrait>(
    connection: &C,
    channel: Channel,
) -> Result<i64, StoreError> {
    let sql = "SELECT COUNT(*) AS waiting FROM sendings WHERE channel = $1 AND state = 'waiting'";
    let row = connection.query_one_raw(statement(connection, sql, texts([channel.as_str()]))).await?;
    Ok(row.map(|row| row.try_get_by("waiting")).transpose()?.unwrap_or(0))
}

/// Whether anything on a channel may go out now.
pub(crate) async fn has_due_sendings<C: ConnectionTrait>(
    connection: &C,
    channel: Channel,
    (business, machine): (Timestamp, Moment),
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM sendings WHERE channel = $1 AND state = 'waiting' AND due_at <= $2
               AND claimed_until <= $2 AND not_before <= $3 LIMIT 1";
    let values: [Value; 3] =
        [channel.as_str().into(), machine.as_micros().into(), business.as_micros().into()];
    Ok(connection.query_one_raw(statement(connection, sql, values)).await?.is_some())
}

/// The first instant after `now` at which something is due on a channel.
pub(crate) async fn next_sending<C: ConnectionTrait>(
    connection: &C,
    channel: Channel,
    now: Moment,
) -> Result<Option<Moment>, StoreError> {
    let sql = "SELECT due_at FROM sendings WHERE channel = $1 AND state = 'waiting' AND due_at > $2
               ORDER BY due_at LIMIT 1";
    let values: [Value; 2] = [channel.as_str().into(), now.as_micros().into()];
    let row = connection.query_one_raw(statement(connection, sql, values)).await?;
    row.map(|row| Ok(Moment::from_micros(row.try_get_by("due_at")?))).transpose()
}

fn for_update(tx: &DatabaseTransaction) -> &'static str {
    match Backend::from(tx.get_database_backend()) {
        Backend::Sqlite => "",
        Backend::Postgres => "FOR UPDATE",
    }
}

/// A state as columns.
struct Written {
    state: &'static str,
    due: i64,
    round: Round,
    ended: Option<i64>,
}

fn written(state: SendingState) -> Written {
    let ended =
        |state, at: Moment| Written { state, due: 0, round: Round::default(), ended: Some(at.as_micros()) };
    match state {
        SendingState::Waiting { round, due } => {
            Written { state: WAITING, due: due.as_micros(), round, ended: None }
        }
        SendingState::Sent { at } => ended(SENT, at),
        SendingState::Refused { at } => ended(REFUSED, at),
        SendingState::GivenUp { at } => ended(GIVEN_UP, at),
        SendingState::Recalled { at } => ended(RECALLED, at),
    }
}

fn read(row: &QueryResult) -> Result<StoredSending, StoreError> {
    let text = |column: &str| row.try_get_by::<String, _>(column);
    let ended: Option<i64> = row.try_get_by("ended_at")?;
    let ended = ended
        .map(Moment::from_micros)
        .ok_or_else(|| StoreError::corrupt("state of a sending", "it has no end"));
    let state = match text("state")?.as_str() {
        WAITING => {
            let began: Option<i64> = row.try_get_by("began_at")?;
            let attempts = u32::try_from(row.try_get_by::<i64, _>("attempts")?).unwrap_or(u32::MAX);
            let round = Round { began: began.map(Moment::from_micros), attempts };
            SendingState::Waiting { round, due: Moment::from_micros(row.try_get_by("due_at")?) }
        }
        SENT => SendingState::Sent { at: ended? },
        REFUSED => SendingState::Refused { at: ended? },
        GIVEN_UP => SendingState::GivenUp { at: ended? },
        RECALLED => SendingState::Recalled { at: ended? },
        other => return Err(StoreError::corrupt("state of a sending", other)),
    };
    let ending: Option<String> = row.try_get_by("ending")?;
    Ok(StoredSending {
        message: text("message")?,
        channel: text("channel")?.parse().map_err(|why| StoreError::corrupt("channel", why))?,
        purpose: text("purpose")?.parse().map_err(|why| StoreError::corrupt("purpose", why))?,
        recipient: text("recipient")?,
        urgent: row.try_get_by("urgent")?,
        not_before: Timestamp::from_micros(row.try_get_by("not_before")?),
        state,
        tried: row.try_get_by("tried")?,
        broke_off: row.try_get_by("broke_off")?,
        ending: ending
            .map(|word| word.parse().map_err(|why| StoreError::corrupt("ending of a sending", why)))
            .transpose()?,
        outcome: text("outcome")?,
        claim: row.try_get_by("claim")?,
        claimed_until: Moment::from_micros(row.try_get_by("claimed_until")?),
    })
}
