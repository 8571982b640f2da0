//! What is said beside the state machine of a task: instructions of leaders, remarks, drafts of units,
//! delegations. Each is one row, read whole from `body`; the row number is its place in lists.

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use xietong_store::{Parameters, SqlMigration, StoreError, statement};

use super::Portion;

/// The tables of this file, of `release_settings` and of `task_parents`.
pub(super) const WORD: SqlMigration = SqlMigration {
    name: "supervision_0016_word",
    statements: &[
        "CREATE TABLE instructions (
            number {serial},
            name TEXT NOT NULL,
            task TEXT NOT NULL,
            body TEXT NOT NULL
        )",
        "CREATE UNIQUE INDEX instructions_name ON instructions (name)",
        "CREATE INDEX instructions_task ON instructions (task, number)",
        "CREATE TABLE comments (
            number {serial},
            name TEXT NOT NULL,
            task TEXT NOT NULL,
            body TEXT NOT NULL
        )",
        "CREATE UNIQUE INDEX comments_name ON comments (name)",
        "CREATE INDEX comments_task ON comments (task, number)",
        "CREATE TABLE drafts (
            number {serial},
            name TEXT NOT NULL,
            unit TEXT NOT NULL,
            assignment TEXT NOT NULL,
            state TEXT NOT NULL,
            version BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
        "CREATE UNIQUE INDEX drafts_name ON drafts (name)",
        "CREATE INDEX drafts_unit ON drafts (unit, number)",
        "CREATE INDEX drafts_assignment ON drafts (assignment, number)",
        // A unit without a row requires no release.
        "CREATE TABLE release_settings (
            unit TEXT PRIMARY KEY,
            required BOOLEAN NOT NULL,
            version BIGINT NOT NULL
        )",
        // `unit`: to which it is passed down; none for a section.
        "CREATE TABLE delegations (
            number {serial},
            name TEXT NOT NULL,
            holder TEXT NOT NULL,
            unit TEXT,
            assignment TEXT NOT NULL,
            version BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
        "CREATE UNIQUE INDEX delegations_name ON delegations (name)",
        "CREATE INDEX delegations_holder ON delegations (holder, number)",
        "CREATE INDEX delegations_unit ON delegations (unit, number)",
        // The task that a task is a part of.
        "CREATE TABLE task_parents (ledger_number BIGINT PRIMARY KEY, parent TEXT NOT NULL)",
        "CREATE INDEX task_parents_parent ON task_parents (parent, ledger_number)",
    ],
};

/// A table of this file, and the columns that its lists ask for.
pub(super) struct Table {
    pub(super) table: &'static str,
    pub(super) columns: &'static [&'static str],
    /// What the body is called when it cannot be read.
    pub(super) what: &'static str,
}

impl Table {
    /// The record of this name.
    pub(super) async fn find<T: DeserializeOwned, C: ConnectionTrait>(
        &self,
        connection: &C,
        name: &str,
    ) -> Result<Option<T>, StoreError> {
        let sql = format!("SELECT body FROM {} WHERE name = $1", self.table);
        let row = connection.query_one_raw(statement(connection, &sql, [name.into()])).await?;
        row.map(|row| self.read(&row.try_get_by::<String, _>("body")?)).transpose()
    }

    /// Those whose columns have these values, the newest first, each with its number.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        reader: &DatabaseConnection,
        asked: &[(&str, Option<&str>)],
        portion: Portion,
    ) -> Result<Vec<(i64, T)>, StoreError> {
        let mut parameters = Parameters::default();
        let mut conditions =
            vec![format!("number < {}", parameters.bind(portion.before.unwrap_or(i64::MAX)))];
        for (column, value) in asked {
            if let Some(value) = value {
                conditions.push(format!("{column} = {}", parameters.bind(*value)));
            }
        }
        let limit = parameters.bind(portion.limit);
        let sql = format!(
            "SELECT number, body FROM {} WHERE {} ORDER BY number DESC LIMIT {limit}",
            self.table,
            conditions.join(" AND "),
        );
        let rows = reader.query_all_raw(statement(reader, &sql, parameters.into_values())).await?;
        rows.iter()
            .map(|row| Ok((row.try_get_by("number")?, self.read(&row.try_get_by::<String, _>("body")?)?)))
            .collect()
    }

    /// Writes a new record. `values` are those of the columns, in their order.
    pub(super) async fn insert<T: Serialize>(
        &self,
        tx: &DatabaseTransaction,
        name: &str,
        values: Vec<Value>,
        record: &T,
    ) -> Result<(), StoreError> {
        let mut parameters = Parameters::default();
        let mut places = vec![parameters.bind(name)];
        places.extend(values.into_iter().map(|value| parameters.bind(value)));
        places.push(parameters.bind(self.body(record)?));
        let columns: String = self.columns.iter().map(|column| format!("{column}, ")).collect();
        let sql = format!("INSERT INTO {} (name, {columns}body) VALUES ({})", self.table, places.join(", "));
        tx.execute_raw(statement(tx, &sql, parameters.into_values())).await?;
        Ok(())
    }

    /// Writes what a record became. `set` are the columns that changed with it. With a version,
    /// [`StoreError::Stale`] when somebody else changed it meanwhile.
    pub(super) async fn update<T: Serialize>(
        &self,
        tx: &DatabaseTransaction,
        name: &str,
        version: Option<(i64, i64)>,
        set: Vec<(&str, Value)>,
        record: &T,
    ) -> Result<(), StoreError> {
        let mut parameters = Parameters::default();
        let mut changes = vec![format!("body = {}", parameters.bind(self.body(record)?))];
        for (column, value) in set {
            changes.push(format!("{column} = {}", parameters.bind(value)));
        }
        let mut conditions = vec![format!("name = {}", parameters.bind(name))];
        if let Some((before, after)) = version {
            changes.push(format!("version = {}", parameters.bind(after)));
            conditions.push(format!("version = {}", parameters.bind(before)));
        }
        let sql =
            format!("UPDATE {} SET {} WHERE {}", self.table, changes.join(", "), conditions.join(" AND "));
        match tx.execute_raw(statement(tx, &sql, parameters.into_values())).await?.rows_affected() {
            0 => Err(StoreError::Stale(name.to_owned())),
            _ => Ok(()),
        }
    }

    pub(super) fn read<T: DeserializeOwned>(&self, body: &str) -> Result<T, StoreError> {
        serde_json::from_str(body).map_err(|error| StoreError::corrupt(self.what, error))
    }

    fn body<T: Serialize>(&self, record: &T) -> Result<String, StoreError> {
        serde_json::to_string(record).map_err(|error| StoreError::corrupt(self.what, error))
    }
}
