//! The words of notices: versions of templates, and what messages tell as fields.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use domain_notification::{TemplateKind, TemplateText};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use xietong_store::{ROWS, SqlMigration, StoreError, places, statement};

use super::texts;

/// A row of `templates` is the number of the version that is used, 0 for the built-in one, and of the
/// template's events. A version without texts is the built-in one. `message_words` is what a message of
/// a template tells, as JSON.
pub(super) const TEMPLATES: SqlMigration = SqlMigration {
    name: "notification_0206_templates",
    statements: &[
        "CREATE TABLE templates (
            name TEXT PRIMARY KEY,
            version BIGINT NOT NULL,
            events BIGINT NOT NULL
        )",
        "CREATE TABLE template_versions (
            template TEXT NOT NULL,
            version BIGINT NOT NULL,
            title TEXT,
            body TEXT,
            reverts_to BIGINT,
            author TEXT NOT NULL,
            ground TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            failed_at BIGINT,
            PRIMARY KEY (template, version)
        )",
        "CREATE TABLE message_words (
            message TEXT PRIMARY KEY,
            data TEXT NOT NULL
        )",
    ],
};

/// A version that a city added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredVersion {
    /// Of which template.
    pub(crate) template: TemplateKind,
    /// From 1.
    pub(crate) version: i64,
    /// Its words; none: the built-in ones.
    pub(crate) text: Option<TemplateText>,
    /// The version that it went back to.
    pub(crate) reverts_to: Option<i64>,
    /// Subject of the account that added it.
    pub(crate) author: String,
    /// Why.
    pub(crate) ground: String,
    /// When.
    pub(crate) created_at: Timestamp,
    /// When it first failed to word a notice.
    pub(crate) failed_at: Option<Timestamp>,
}

/// Where a template stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// The version that is used; 0: the built-in one.
    pub(crate) version: i64,
    /// How many events it has.
    pub(crate) events: i64,
}

/// The versions that are used, of those templates that a city worded. Templates this program does not know are
/// left out.
pub(crate) async fn versions_in_use<C: ConnectionTrait>(
    connection: &C,
) -> Result<BTreeMap<TemplateKind, i64>, StoreError> {
    let sql = "SELECT name, version FROM templates WHERE version > 0";
    let rows = connection.query_all_raw(statement(connection, sql, [])).await?;
    let mut found = BTreeMap::new();
    for row in rows {
        let name: String = row.try_get_by("name")?;
        if let Ok(kind) = name.parse() {
            found.insert(kind, row.try_get_by("version")?);
        }
    }
    Ok(found)
}

/// A version; version 0 is none.
pub(crate) async fn template_version<C: ConnectionTrait>(
    connection: &C,
    template: TemplateKind,
    version: i64,
) -> Result<Option<StoredVersion>, StoreError> {
    let sql = "SELECT * FROM template_versions WHERE template = $1 AND version = $2";
    let values: [Value; 2] = [template.as_str().into(), version.into()];
    let row = connection.query_one_raw(statement(connection, sql, values)).await?;
    row.as_ref().map(|row| read(template, row)).transpose()
}

/// Versions below a number, the newest first.
pub(crate) async fn template_versions_before<C: ConnectionTrait>(
    connection: &C,
    template: TemplateKind,
    before: i64,
    limit: u64,
) -> Result<Vec<StoredVersion>, StoreError> {
    let sql = "SELECT * FROM template_versions WHERE template = $1 AND version < $2
               ORDER BY version DESC LIMIT $3";
    let values: [Value; 3] = [template.as_str().into(), before.into(), limit.into()];
    let rows = connection.query_all_raw(statement(connection, sql, values)).await?;
    rows.iter().map(|row| read(template, row)).collect()
}

/// Where a template stands, which is held until the transaction ends.
pub(crate) async fn held_template(
    tx: &DatabaseTransaction,
    template: TemplateKind,
) -> Result<Head, StoreError> {
    // An update that changes nothing holds the row on both back ends.
    let sql = "INSERT INTO templates (name, version, events) VALUES ($1, 0, 0)
               ON CONFLICT (name) DO UPDATE SET events = templates.events RETURNING version, events";
    let row = tx.query_one_raw(statement(tx, sql, texts([template.as_str()]))).await?;
    let row = row.ok_or_else(|| StoreError::corrupt("template", "its row was not returned"))?;
    Ok(Head { version: row.try_get_by("version")?, events: row.try_get_by("events")? })
}

/// Moves a template that is held.
pub(crate) async fn move_template(
    tx: &DatabaseTransaction,
    template: TemplateKind,
    to: Head,
) -> Result<(), StoreError> {
    let sql = "UPDATE templates SET version = $2, events = $3 WHERE name = $1";
    let values: [Value; 3] = [template.as_str().into(), to.version.into(), to.events.into()];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// Adds a version.
pub(crate) async fn insert_version(
    tx: &DatabaseTransaction,
    version: &StoredVersion,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO template_versions
               (template, version, title, body, reverts_to, author, ground, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let text = version.text.as_ref();
    let values: [Value; 8] = [
        version.template.as_str().into(),
        version.version.into(),
        text.map(|text| text.title.clone()).into(),
        text.map(|text| text.body.clone()).into(),
        version.reverts_to.into(),
        version.author.as_str().into(),
        version.ground.as_str().into(),
        version.created_at.as_micros().into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// Notes that a version failed. Whether it is the first time.
pub(crate) async fn mark_failed(
    tx: &DatabaseTransaction,
    template: TemplateKind,
    version: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sql = "UPDATE template_versions SET failed_at = $3
               WHERE template = $1 AND version = $2 AND failed_at IS NULL";
    let values: [Value; 3] = [template.as_str().into(), version.into(), now.as_micros().into()];
    Ok(tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() == 1)
}

/// Keeps what messages tell: id and JSON of each.
pub(crate) async fn insert_words(
    tx: &DatabaseTransaction,
    words: &[(String, String)],
) -> Result<(), StoreError> {
    for chunk in words.chunks(ROWS) {
        let sql = format!("INSERT INTO message_words (message, data) VALUES {}", places(chunk.len(), 2));
        let values = texts(chunk.iter().flat_map(|(message, data)| [message.as_str(), data.as_str()]));
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// What a message tells, as JSON; none when no template has it.
pub(crate) async fn words_of<C: ConnectionTrait>(
    connection: &C,
    message: &str,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT data FROM message_words WHERE message = $1";
    let row = connection.query_one_raw(statement(connection, sql, texts([message]))).await?;
    row.map(|row| Ok(row.try_get_by("data")?)).transpose()
}

fn read(template: TemplateKind, row: &QueryResult) -> Result<StoredVersion, StoreError> {
    let (title, body): (Option<String>, Option<String>) = (row.try_get_by("title")?, row.try_get_by("body")?);
    let failed_at: Option<i64> = row.try_get_by("failed_at")?;
    Ok(StoredVersion {
        template,
        version: row.try_get_by("version")?,
        text: title.zip(body).map(|(title, body)| TemplateText { title, body }),
        reverts_to: row.try_get_by("reverts_to")?,
        author: row.try_get_by("author")?,
        ground: row.try_get_by("ground")?,
        created_at: Timestamp::from_micros(row.try_get_by("created_at")?),
        failed_at: failed_at.map(Timestamp::from_micros),
    })
}
