//! Full-text search: what of each task is searched (`task_texts`), and an index of the characters
//! in it and their neighbours that names every text which may contain what is looked for. The text
//! then decides, in the same words on both back ends.
//!
//! It is written behind the events, by `jobs/searching.rs`: see `docs/adr/0005`.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use domain_supervision::{SearchTerms, grams};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, Value};
use xietong_store::{Backend, Parameters, ROWS, SqlMigration, StoreError, places, statement};

use super::matters::containing;

pub(super) const SEARCH: SqlMigration = SqlMigration {
    name: "supervision_0014_search",
    statements: &[
        "{sqlite}CREATE TABLE task_texts (ledger_number INTEGER PRIMARY KEY, words TEXT NOT NULL)",
        // Which rows have which gram, and nothing else: no text, no places in it.
        "{sqlite}CREATE VIRTUAL TABLE task_grams USING fts5 (
            grams, content = '', contentless_delete = 1, detail = 'none', tokenize = 'ascii'
        )",
        "{postgres}CREATE TABLE task_texts (
            ledger_number BIGINT PRIMARY KEY,
            words TEXT NOT NULL,
            grams INTEGER[] NOT NULL
        )",
        // Readers go through what is not merged yet one by one: it is kept short.
        "{postgres}CREATE INDEX task_texts_grams ON task_texts USING GIN (grams)
            WITH (gin_pending_list_limit = 256)",
    ],
};

/// Merged in portions of hundreds of tasks instead of a hundred, an index of the same characters
/// costs a quarter less to write; a reader of a full list takes 0.1 ms longer.
pub(super) const SEARCH_PORTIONS: SqlMigration = SqlMigration {
    name: "supervision_0017_search_portions",
    statements: &["{postgres}ALTER INDEX task_texts_grams SET (gin_pending_list_limit = 1024)"],
};

/// What is looked for, in a database of this kind.
#[derive(Debug, Clone)]
pub(crate) struct TextQuery {
    /// The terms.
    pub(crate) terms: SearchTerms,
    /// What the database is.
    pub(crate) backend: Backend,
}

/// The condition over `tasks` that all terms occur in what is searched of a task, or that it has
/// the ledger number that is looked for.
pub(super) fn condition(query: &TextQuery, parameters: &mut Parameters) -> String {
    let grams = query.terms.grams();
    let has_grams = match query.backend {
        Backend::Postgres => {
            let grams: Vec<String> = grams.iter().map(i32::to_string).collect();
            let grams = parameters.bind(format!("{{{}}}", grams.join(",")));
            format!("grams @> CAST({grams} AS INTEGER[])")
        }
        Backend::Sqlite => {
            let grams: Vec<String> = grams.iter().map(|gram| format!("\"{}\"", word(*gram))).collect();
            let grams = parameters.bind(grams.join(" "));
            format!("ledger_number IN (SELECT rowid FROM task_grams WHERE task_grams MATCH {grams})")
        }
    };
    let terms = query.terms.terms().map(|term| {
        let pattern = parameters.bind(containing(term));
        format!("words LIKE {pattern} ESCAPE '!'")
    });
    let conditions: Vec<String> = std::iter::once(has_grams).chain(terms).collect();
    let conditions = conditions.join(" AND ");
    let found = format!("ledger_number IN (SELECT ledger_number FROM task_texts WHERE {conditions})");
    match query.terms.ledger_number() {
        Some(number) => format!("({found} OR ledger_number = {})", parameters.bind(number)),
        None => found,
    }
}

/// Writes what is searched of tasks, by ledger number.
pub(crate) async fn keep_texts(
    tx: &DatabaseTransaction,
    texts: &BTreeMap<i64, String>,
) -> Result<(), StoreError> {
    let texts: Vec<(&i64, &String)> = texts.iter().collect();
    for chunk in texts.chunks(ROWS) {
        match Backend::from(tx.get_database_backend()) {
            Backend::Postgres => {
                let rows: Vec<String> = (0..chunk.len())
                    .map(|row| {
                        let (number, words, grams) = (row * 3 + 1, row * 3 + 2, row * 3 + 3);
                        format!("(CAST(${number} AS BIGINT), ${words}, CAST(${grams} AS INTEGER[]))")
                    })
                    .collect();
                let sql = format!(
                    "INSERT INTO task_texts (ledger_number, words, grams) VALUES {}
                     ON CONFLICT (ledger_number) DO UPDATE SET words = excluded.words, grams = excluded.grams",
                    rows.join(", ")
                );
                let values = chunk.iter().flat_map(|(number, words)| -> [Value; 3] {
                    let grams: Vec<String> = grams(words).iter().map(i32::to_string).collect();
                    [(**number).into(), words.as_str().into(), format!("{{{}}}", grams.join(",")).into()]
                });
                tx.execute_raw(statement(tx, &sql, values)).await?;
            }
            Backend::Sqlite => {
                let sql = format!(
                    "INSERT INTO task_texts (ledger_number, words) VALUES {}
                     ON CONFLICT (ledger_number) DO UPDATE SET words = excluded.words",
                    places(chunk.len(), 2)
                );
                let values = chunk
                    .iter()
                    .flat_map(|(number, words)| [Value::from(**number), Value::from(words.as_str())]);
                tx.execute_raw(statement(tx, &sql, values)).await?;
                let sql = format!(
                    "INSERT OR REPLACE INTO task_grams (rowid, grams) VALUES {}",
                    places(chunk.len(), 2)
                );
                let values = chunk.iter().flat_map(|(number, words)| -> [Value; 2] {
                    let grams: Vec<String> = grams(words).iter().map(|gram| word(*gram)).collect();
                    [(**number).into(), grams.join(" ").into()]
                });
                tx.execute_raw(statement(tx, &sql, values)).await?;
            }
        }
    }
    Ok(())
}

/// The payloads of events of these types of tasks, the newest of each task first.
pub(crate) async fn payloads_of(
    tx: &DatabaseTransaction,
    tasks: &[&str],
    types: &[&str],
) -> Result<Vec<(String, String)>, StoreError> {
    let mut found = Vec::new();
    for chunk in tasks.chunks(ROWS) {
        let mut parameters = Parameters::default();
        let tasks = parameters.bind_all(chunk.iter().copied());
        let types = parameters.bind_all(types.iter().copied());
        let sql = format!(
            "SELECT aggregate, payload FROM events WHERE aggregate IN ({tasks}) AND type IN ({types})
             ORDER BY aggregate, version DESC"
        );
        for row in tx.query_all_raw(statement(tx, &sql, parameters.into_values())).await? {
            found.push((row.try_get_by("aggregate")?, row.try_get_by("payload")?));
        }
    }
    Ok(found)
}

/// When the first of what is not searched yet happened; none when all is.
pub(crate) async fn unsearched_from(reader: &DatabaseConnection) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT MIN(occurred_at) AS since FROM (
                   SELECT occurred_at FROM (
                       SELECT occurred_at FROM events
                       WHERE position > COALESCE((SELECT position FROM consumer_cursors
                                                  WHERE consumer = $1 AND producer = $1), 0)
                       ORDER BY position LIMIT 1
                   ) AS sequenced
                   UNION ALL SELECT occurred_at FROM events WHERE position IS NULL
               ) AS waiting";
    let service = xietong_mesh::ServiceName::Supervision.as_str();
    let row = reader.query_one_raw(statement(reader, sql, [service.into()])).await?;
    let since: Option<i64> = row.map(|row| row.try_get_by("since")).transpose()?.flatten();
    Ok(since.map(Timestamp::from_micros))
}

/// A gram as a word of letters and digits.
fn word(gram: i32) -> String {
    format!("{gram:08x}")
}
