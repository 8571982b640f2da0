//! Messages.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use domain_notification::{NoticeKind, Receipt};
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
    /// Whether it was read and signed for.
    pub(crate) receipt: Receipt,
}

const COLUMNS: &str = "id, recipient, number, source, kind, title, body, subject, capacity, acting_for, \
     requires_acknowledgement, sent_at, read_at, acknowledged_at";

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
    const WIDTH: usize = 14;
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

/// Messages below a number, or all, the newest first.
pub(crate) async fn messages_before(
    reader: &DatabaseConnection,
    recipient: &str,
    before: Option<i64>,
    only_unread: bool,
    limit: u64,
) -> Result<Vec<StoredMessage>, StoreError> {
    let unread = if only_unread { "AND read_at IS NULL" } else { "" };
    let sql = format!(
        "SELECT {COLUMNS} FROM messages WHERE recipient = $1 AND number < $2 {unread} ORDER BY number DESC LIMIT $3"
    );
    let values: [Value; 3] = [recipient.into(), before.unwrap_or(i64::MAX).into(), limit.into()];
    reader.query_all_raw(statement(reader, &sql, values)).await?.iter().map(read).collect()
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

/// How many messages of an inbox are unread: counted, never kept.
pub(crate) async fn unread_count(reader: &DatabaseConnection, recipient: &str) -> Result<i64, StoreError> {
    let sql = "SELECT COUNT(*) AS unread FROM messages WHERE recipient = $1 AND read_at IS NULL";
    let row = reader.query_one_raw(statement(reader, sql, texts([recipient]))).await?;
    Ok(row.map(|row| row.try_get_by("unread")).transpose()?.unwrap_or(0))
}

/// Stores what became of a message. [`StoreError::Stale`] when somebody else was faster.
pub(crate) async fn save_receipt(
    tx: &DatabaseTransaction,
    before: &StoredMessage,
    receipt: Receipt,
) -> Result<(), StoreError> {
    let sql = "UPDATE messages SET read_at = $2, acknowledged_at = $3
               WHERE id = $1 AND (read_at IS NULL) = $4 AND (acknowledged_at IS NULL) = $5";
    let values: [Value; 5] = [
        before.id.as_str().into(),
        receipt.read_at.map(Timestamp::as_micros).into(),
        receipt.acknowledged_at.map(Timestamp::as_micros).into(),
        before.receipt.read_at.is_none().into(),
        before.receipt.acknowledged_at.is_none().into(),
    ];
    let result = tx.execute_raw(statement(tx, sql, values)).await?;
    if result.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::Stale(format!("message {}", before.id)))
    }
}

fn read(row: &QueryResult) -> Result<StoredMessage, StoreError> {
    let kind: String = row.try_get_by("kind")?;
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
        },
    })
}
