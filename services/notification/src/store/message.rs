//! Messages.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use domain_notification::{Ending, NoticeKind, Receipt};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, QueryResult, Value};
use xietong_store::{ROWS, StoreError, places, statement};

use super::texts;

/// One message in one inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredMessage {
    /// UUIDv7.
    pub(crate) id: String,
    /// `officials/{id}`.
    pub(crate) recipient: String,
    /// Dense in the inbox, from 1.
    pub(crate) number: i64,
    /// What it tells of: the id of an event, a step of a ladder, a window of digests.
    pub(crate) source: String,
    /// What it is about.
    pub(crate) kind: NoticeKind,
    /// One line, in Chinese.
    pub(crate) title: String,
    /// In Chinese.
    pub(crate) body: String,
    /// The record it is about.
    pub(crate) subject: String,
    /// In which capacity the recipient gets it.
    pub(crate) capacity: String,
    /// The official stood in for.
    pub(crate) acting_for: Option<String>,
    /// When sent.
    pub(crate) sent_at: Timestamp,
    /// Whether it was read, signed for, put away and recalled.
    pub(crate) receipt: Receipt,
    /// How what it asked ended, when it was recalled.
    pub(crate) recalled_by: Option<Ending>,
    /// Number of the last change of that in the inbox; 0 while there was none.
    pub(crate) change: i64,
    /// What brought it about.
    pub(crate) burden: Burden,
}

/// What a message counts for in the burden meter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Burden {
    /// The service whose record it tells of.
    pub(crate) producer: String,
    /// Type of the event it tells of.
    pub(crate) event_type: String,
    /// The unit that the recipient served when it was sent; empty when none.
    pub(crate) unit: String,
    /// How many messages it would have been, were they not told as one.
    pub(crate) told_as_one: i64,
}

pub(super) const COLUMNS: &str = "id, recipient, number, source, kind, title, body, subject, capacity, acting_for, \
     requires_acknowledgement, sent_at, read_at, acknowledged_at, archived_at, change, producer, event_type, unit, told_as_one, \
     recalled_at, recalled_by";

/// Which of these sources have reached whom already.
pub(crate) async fn arrived(
    tx: &DatabaseTransaction,
    sources: &[&str],
) -> Result<BTreeSet<(String, String)>, StoreError> {
    let mut found = BTreeSet::new();
    for chunk in sources.chunks(ROWS) {
        let sql = format!(
            "SELECT source, recipient FROM (VALUES {}) AS wanted JOIN messages ON source = wanted.column1",
            places(chunk.len(), 1)
        );
        for row in tx.query_all_raw(statement(tx, &sql, texts(chunk.iter().copied()))).await? {
            found.insert((row.try_get_by("source")?, row.try_get_by("recipient")?));
        }
    }
    Ok(found)
}

pub(crate) async fn insert_messages(
    tx: &DatabaseTransaction,
    messages: &[StoredMessage],
) -> Result<(), StoreError> {
    const WIDTH: usize = 22;
    for chunk in messages.chunks(ROWS) {
        let sql = format!("INSERT INTO messages ({COLUMNS}) VALUES {}", places(chunk.len(), WIDTH));
        let values = chunk.iter().flat_map(|one| -> [Value; WIDTH] {
            [
                one.id.as_str().into(),
                one.recipient.as_str().into(),
                one.number.into(),
                one.source.as_str().into(),
                one.kind.as_str().into(),
                one.title.as_str().into(),
                one.body.as_str().into(),
                one.subject.as_str().into(),
                one.capacity.as_str().into(),
                one.acting_for.clone().into(),
                one.receipt.requires_acknowledgement.into(),
                one.sent_at.as_micros().into(),
                one.receipt.read_at.map(Timestamp::as_micros).into(),
                one.receipt.acknowledged_at.map(Timestamp::as_micros).into(),
                one.receipt.archived_at.map(Timestamp::as_micros).into(),
                one.change.into(),
                one.burden.producer.as_str().into(),
                one.burden.event_type.as_str().into(),
                one.burden.unit.as_str().into(),
                one.burden.told_as_one.into(),
                one.receipt.recalled_at.map(Timestamp::as_micros).into(),
                one.recalled_by.map(Ending::as_str).into(),
            ]
        });
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// A message of an inbox. One of another inbox is none.
pub(crate) async fn message<C: ConnectionTrait>(
    connection: &C,
    recipient: &str,
    id: &str,
) -> Result<Option<StoredMessage>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM messages WHERE id = $1 AND recipient = $2");
    let row = connection.query_one_raw(statement(connection, &sql, texts([id, recipient]))).await?;
    row.as_ref().map(read).transpose()
}

/// A message, in whichever inbox it is.
pub(crate) async fn any_message<C: ConnectionTrait>(
    connection: &C,
    id: &str,
) -> Result<Option<StoredMessage>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM messages WHERE id = $1");
    let row = connection.query_one_raw(statement(connection, &sql, texts([id]))).await?;
    row.as_ref().map(read).transpose()
}

/// Messages above a number, the oldest first.
pub(crate) async fn messages_after(
    reader: &DatabaseConnection,
    recipient: &str,
    after: i64,
    limit: u64,
) -> Result<Vec<StoredMessage>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM messages WHERE recipient = $1 AND number > $2 ORDER BY number LIMIT $3"
    );
    let values: [Value; 3] = [recipient.into(), after.into(), limit.into()];
    reader.query_all_raw(statement(reader, &sql, values)).await?.iter().map(read).collect()
}

/// Messages up to a number whose state changed after a change, in the order of their last changes.
pub(crate) async fn messages_changed(
    reader: &DatabaseConnection,
    recipient: &str,
    up_to: i64,
    after: i64,
    limit: u64,
) -> Result<Vec<StoredMessage>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM messages WHERE recipient = $1 AND change > $2 AND change > 0 AND number <= $3
         ORDER BY change LIMIT $4"
    );
    let values: [Value; 4] = [recipient.into(), after.into(), up_to.into(), limit.into()];
    reader.query_all_raw(statement(reader, &sql, values)).await?.iter().map(read).collect()
}

/// Number, and official stood in for, of the unread messages up to a number that are not put away,
/// in order.
pub(crate) async fn unread_up_to(
    tx: &DatabaseTransaction,
    recipient: &str,
    up_to: i64,
) -> Result<Vec<(i64, Option<String>)>, StoreError> {
    let sql = "SELECT number, acting_for FROM messages
               WHERE recipient = $1 AND number <= $2 AND read_at IS NULL AND archived_at IS NULL
               AND recalled_at IS NULL ORDER BY number";
    let values: [Value; 2] = [recipient.into(), up_to.into()];
    let rows = tx.query_all_raw(statement(tx, sql, values)).await?;
    rows.iter().map(|row| Ok((row.try_get_by("number")?, row.try_get_by("acting_for")?))).collect()
}

/// Reads those messages; each is a change of its own, counted on from `last_change`. Whoever calls
/// holds the inbox, so they are those that [`unread_up_to`] found.
pub(crate) async fn read_up_to(
    tx: &DatabaseTransaction,
    recipient: &str,
    up_to: i64,
    now: Timestamp,
    last_change: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE messages SET read_at = $3, change = $4 + unread.place
               FROM (SELECT id AS unread_id, ROW_NUMBER() OVER (ORDER BY number) AS place FROM messages
                     WHERE recipient = $1 AND number <= $2 AND read_at IS NULL AND archived_at IS NULL
                     AND recalled_at IS NULL) AS unread
               WHERE id = unread.unread_id";
    let values: [Value; 4] = [recipient.into(), up_to.into(), now.as_micros().into(), last_change.into()];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// Stores what became of a message, as the change of this number. [`StoreError::Stale`] when somebody else was faster.
pub(crate) async fn save_receipt(
    tx: &DatabaseTransaction,
    before: &StoredMessage,
    receipt: Receipt,
    change: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE messages SET read_at = $2, acknowledged_at = $3, archived_at = $4, change = $5
               WHERE id = $1 AND change = $6";
    let values: [Value; 6] = [
        before.id.as_str().into(),
        receipt.read_at.map(Timestamp::as_micros).into(),
        receipt.acknowledged_at.map(Timestamp::as_micros).into(),
        receipt.archived_at.map(Timestamp::as_micros).into(),
        change.into(),
        before.change.into(),
    ];
    let result = tx.execute_raw(statement(tx, sql, values)).await?;
    if result.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::Stale(format!("message {}", before.id)))
    }
}

pub(super) fn read(row: &QueryResult) -> Result<StoredMessage, StoreError> {
    let kind: String = row.try_get_by("kind")?;
    let recalled_by: Option<String> = row.try_get_by("recalled_by")?;
    let instant = |column: &str| -> Result<Option<Timestamp>, StoreError> {
        Ok(row.try_get_by::<Option<i64>, _>(column)?.map(Timestamp::from_micros))
    };
    Ok(StoredMessage {
        id: row.try_get_by("id")?,
        recipient: row.try_get_by("recipient")?,
        number: row.try_get_by("number")?,
        source: row.try_get_by("source")?,
        kind: kind.parse().map_err(|why| StoreError::corrupt("kind of a message", why))?,
        title: row.try_get_by("title")?,
        body: row.try_get_by("body")?,
        subject: row.try_get_by("subject")?,
        capacity: row.try_get_by("capacity")?,
        acting_for: row.try_get_by("acting_for")?,
        sent_at: Timestamp::from_micros(row.try_get_by("sent_at")?),
        receipt: Receipt {
            requires_acknowledgement: row.try_get_by("requires_acknowledgement")?,
            read_at: instant("read_at")?,
            acknowledged_at: instant("acknowledged_at")?,
            archived_at: instant("archived_at")?,
            recalled_at: instant("recalled_at")?,
        },
        recalled_by: recalled_by
            .map(|word| word.parse().map_err(|why| StoreError::corrupt("recall of a message", why)))
            .transpose()?,
        change: row.try_get_by("change")?,
        burden: Burden {
            producer: row.try_get_by("producer")?,
            event_type: row.try_get_by("event_type")?,
            unit: row.try_get_by("unit")?,
            told_as_one: row.try_get_by("told_as_one")?,
        },
    })
}
