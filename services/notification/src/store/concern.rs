//! Which tasks messages are of, what they ask of units, and how that ends.
//!
//! A message has rows here when it asks something, or when its subject is not the one task it tells
//! of. It is recalled when the last thing it asks has ended; what was signed for is not.

use std::collections::{BTreeMap, BTreeSet};

use domain_calendar::Timestamp;
use domain_notification::{Ended, Ending, NoticeKind};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use xietong_store::{Parameters, ROWS, SqlMigration, StoreError, places, statement};

use super::texts;

/// `position` is that of the event that asked: an event that is applied again ends nothing that was
/// asked after it. What stood open before is taken from the ladders, and from what is unread, where the
/// unit of a reader is the unit that was asked.
pub(super) const RECALL: SqlMigration = SqlMigration {
    name: "notification_0204_recall",
    statements: &[
        "ALTER TABLE messages ADD COLUMN recalled_at BIGINT",
        "ALTER TABLE messages ADD COLUMN recalled_by TEXT",
        "DROP INDEX messages_open",
        "CREATE INDEX messages_open ON messages (recipient, number) WHERE recalled_at IS NULL AND
            ((read_at IS NULL AND archived_at IS NULL) OR (requires_acknowledgement AND acknowledged_at IS NULL))",
        "CREATE INDEX messages_subject ON messages (subject)",
        "CREATE TABLE message_tasks (
            message TEXT NOT NULL,
            task TEXT NOT NULL,
            subject TEXT NOT NULL,
            unit TEXT NOT NULL,
            kind TEXT NOT NULL,
            outlasts BOOLEAN NOT NULL,
            position BIGINT NOT NULL,
            ended_at BIGINT,
            PRIMARY KEY (message, task, unit, kind)
        )",
        "CREATE INDEX message_tasks_task ON message_tasks (task)",
        "CREATE INDEX message_tasks_subject ON message_tasks (subject)",
        "INSERT INTO message_tasks (message, task, subject, unit, kind, outlasts, position)
            SELECT DISTINCT message, COALESCE(task, subject), subject, unit, kind, FALSE, 0
            FROM ladders JOIN ladder_messages ON ladder_messages.ladder = ladders.id
            LEFT JOIN ladder_tasks ON ladder_tasks.ladder = ladders.id WHERE ended_at IS NULL",
        "INSERT INTO message_tasks (message, task, subject, unit, kind, outlasts, position)
            SELECT id, subject, subject, unit, kind, FALSE, 0 FROM messages
            WHERE kind IN ('reminder', 'urging', 'light') AND read_at IS NULL AND NOT requires_acknowledgement
            AND subject LIKE 'tasks/%' AND subject NOT LIKE 'tasks/%/%'",
    ],
};

/// One task of a message, and what the message asks of a unit for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Concern {
    /// `tasks/{id}`.
    pub(crate) task: String,
    /// The record the message is about: the task, a document of several, an instruction on it.
    pub(crate) subject: String,
    /// The unit that is asked; empty when it is none.
    pub(crate) unit: String,
    /// The kind of notice that asks.
    pub(crate) kind: NoticeKind,
    /// It is asked for after the task was settled, too.
    pub(crate) outlasts: bool,
    /// Position of the event that asked, in its producer's log.
    pub(crate) position: i64,
    /// When that ended, or when it was told, if it asks nothing.
    pub(crate) ended_at: Option<Timestamp>,
}

/// An event that ends what was asked before it.
#[derive(Debug, Clone)]
pub(crate) struct EndedAt {
    /// What it ends.
    pub(crate) ended: Ended,
    /// Its position in its producer's log.
    pub(crate) position: i64,
}

/// A message that asks nothing any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recall {
    pub(crate) id: String,
    pub(crate) recipient: String,
    pub(crate) number: i64,
    /// How the last thing it asked ended.
    pub(crate) ending: Ending,
    /// It was signed for before: it stays as it is, but what other channels still ask is taken back.
    pub(crate) signed: bool,
}

impl Concern {
    /// Whether it is open, and an event ends it.
    pub(crate) fn is_ended_by(&self, at: &EndedAt) -> bool {
        let EndedAt { ended, position } = at;
        self.ended_at.is_none()
            && self.position < *position
            && (self.task == ended.task || self.subject == ended.task)
            && ended.ends(&self.unit, self.kind, self.outlasts)
    }
}

/// Stores the tasks of messages: `(message, concern)`.
pub(crate) async fn insert_concerns(
    tx: &DatabaseTransaction,
    concerns: &[(String, Concern)],
) -> Result<(), StoreError> {
    const WIDTH: usize = 8;
    for chunk in concerns.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO message_tasks (message, task, subject, unit, kind, outlasts, position, ended_at)
             VALUES {} ON CONFLICT (message, task, unit, kind) DO NOTHING",
            places(chunk.len(), WIDTH)
        );
        let values = chunk.iter().flat_map(|(message, one)| -> [Value; WIDTH] {
            [
                message.as_str().into(),
                one.task.as_str().into(),
                one.subject.as_str().into(),
                one.unit.as_str().into(),
                one.kind.as_str().into(),
                one.outlasts.into(),
                one.position.into(),
                one.ended_at.map(Timestamp::as_micros).into(),
            ]
        });
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// Lets messages that climbed ask what the messages of their ladder ask of its unit:
/// `(message, ladder)`.
pub(crate) async fn copy_concerns(
    tx: &DatabaseTransaction,
    climbed: &[(&str, &str)],
) -> Result<(), StoreError> {
    let sql = "INSERT INTO message_tasks (message, task, subject, unit, kind, outlasts, position, ended_at)
               SELECT DISTINCT $1, task, message_tasks.subject, message_tasks.unit, message_tasks.kind, outlasts,
                   position, message_tasks.ended_at
               FROM ladders JOIN ladder_messages ON ladder = ladders.id
               JOIN message_tasks ON message_tasks.message = ladder_messages.message
                   AND message_tasks.unit = ladders.unit AND message_tasks.kind = ladders.kind
               WHERE ladders.id = $2 AND ladder_messages.message <> $1
               ON CONFLICT (message, task, unit, kind) DO NOTHING";
    for (message, ladder) in climbed {
        tx.execute_raw(statement(tx, sql, texts([*message, *ladder]))).await?;
    }
    Ok(())
}

/// Whoever has messages that ask something for these tasks or instructions, by task or instruction.
pub(crate) async fn asked(
    tx: &DatabaseTransaction,
    records: &BTreeSet<&str>,
) -> Result<BTreeMap<String, BTreeSet<String>>, StoreError> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let records: Vec<&str> = records.iter().copied().collect();
    for chunk in records.chunks(ROWS) {
        let wanted = places(chunk.len(), 1);
        let by = |column: &str| {
            format!(
                "SELECT wanted.column1 AS record, recipient FROM (VALUES {wanted}) AS wanted
                 JOIN message_tasks ON message_tasks.{column} = wanted.column1 AND ended_at IS NULL
                 JOIN messages ON id = message"
            )
        };
        let sql = format!("{} UNION {}", by("task"), by("subject"));
        for row in tx.query_all_raw(statement(tx, &sql, texts(chunk.iter().copied()))).await? {
            found.entry(row.try_get_by("record")?).or_default().insert(row.try_get_by("recipient")?);
        }
    }
    Ok(found)
}

/// Ends what an event ends, and says which messages asked it.
pub(crate) async fn end_asks(
    tx: &DatabaseTransaction,
    at: &EndedAt,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let EndedAt { ended, position } = at;
    let mut parameters = Parameters::default();
    let now = parameters.bind(now.as_micros());
    let record = parameters.bind(ended.task.as_str());
    let position = parameters.bind(*position);
    let kinds = parameters.bind_all(ended.kinds().map(NoticeKind::as_str));
    let unit = match &ended.unit {
        Some(unit) => format!(" AND unit = {}", parameters.bind(unit.as_str())),
        None => String::new(),
    };
    let settled = if ended.ending.ends_for_good() { "" } else { " AND NOT outlasts" };
    let sql = format!(
        "UPDATE message_tasks SET ended_at = {now} WHERE (task = {record} OR subject = {record})
         AND ended_at IS NULL AND position < {position} AND kind IN ({kinds}){unit}{settled} RETURNING message"
    );
    let rows = tx.query_all_raw(statement(tx, &sql, parameters.into_values())).await?;
    rows.iter().map(|row| Ok(row.try_get_by("message")?)).collect()
}

/// Those of these messages that ask nothing any more, in order of recipient and number. Whoever calls
/// holds their inboxes.
pub(crate) async fn to_recall(
    tx: &DatabaseTransaction,
    touched: &BTreeMap<String, Ending>,
) -> Result<Vec<Recall>, StoreError> {
    let ids: Vec<&String> = touched.keys().collect();
    let mut found = Vec::new();
    for chunk in ids.chunks(ROWS) {
        let mut parameters = Parameters::default();
        let ids = parameters.bind_all(chunk.iter().map(|id| id.as_str()));
        let sql = format!(
            "SELECT id, recipient, number, acknowledged_at IS NOT NULL AS signed
             FROM messages WHERE id IN ({ids}) AND recalled_at IS NULL
             AND NOT EXISTS (SELECT 1 FROM message_tasks WHERE message = id AND ended_at IS NULL)"
        );
        for row in tx.query_all_raw(statement(tx, &sql, parameters.into_values())).await? {
            let id: String = row.try_get_by("id")?;
            let Some(ending) = touched.get(&id).copied() else { continue };
            let (recipient, number) = (row.try_get_by("recipient")?, row.try_get_by("number")?);
            found.push(Recall { id, recipient, number, ending, signed: row.try_get_by("signed")? });
        }
    }
    found.sort_by(|one, other| (&one.recipient, one.number).cmp(&(&other.recipient, other.number)));
    Ok(found)
}

/// Recalls messages, each as the change of this number.
pub(crate) async fn recall(
    tx: &DatabaseTransaction,
    recalled: &[(Recall, i64)],
    now: Timestamp,
) -> Result<(), StoreError> {
    const WIDTH: usize = 3;
    for chunk in recalled.chunks(ROWS) {
        let sql = format!(
            "UPDATE messages SET recalled_at = ${}, recalled_by = recalled.column2,
                 change = CAST(recalled.column3 AS BIGINT)
             FROM (VALUES {}) AS recalled WHERE id = recalled.column1",
            chunk.len() * WIDTH + 1,
            places(chunk.len(), WIDTH)
        );
        // Texts, since a list of values has no types of its own.
        let values = chunk.iter().flat_map(|(one, change)| -> [Value; WIDTH] {
            [one.id.as_str().into(), one.ending.as_str().into(), change.to_string().into()]
        });
        let values: Vec<Value> = values.chain([now.as_micros().into()]).collect();
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// Everybody who was sent a message of a task.
pub(crate) async fn told_of(tx: &DatabaseTransaction, task: &str) -> Result<BTreeSet<String>, StoreError> {
    let sql = "SELECT recipient FROM messages WHERE subject = $1
               UNION SELECT recipient FROM messages JOIN message_tasks ON message = id WHERE task = $1";
    let rows = tx.query_all_raw(statement(tx, sql, texts([task]))).await?;
    rows.iter().map(|row| Ok(row.try_get_by("recipient")?)).collect()
}
