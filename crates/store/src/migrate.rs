//! Schema changes, written as SQL that both back ends read.

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbErr, TransactionTrait};
use sea_orm_migration::MigratorTraitSelf;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use crate::{Backend, CrashPoint, CrashPoints, Db, StoreError, statement};

/// Arbitrary, but the same in every replica: two of them must not migrate at once.
const MIGRATION_LOCK: i64 = 5_071_301;

/// One step of a schema. Steps are applied once, in order of the list they are in, each
/// in a transaction of its own, and are never edited once released.
///
/// `{blob}` stands for the binary type, `{serial}` for an ascending row number as primary
/// key, and `{json}` for the type a text is cast to so that `->>` reads a member of it. A statement
/// that begins with `{sqlite}` or `{postgres}` is for that back end alone.
#[derive(Debug, Clone, Copy)]
pub struct SqlMigration {
    /// Unique within a database, for example `events_0001_log`.
    pub name: &'static str,
    /// The statements, in order.
    pub statements: &'static [&'static str],
}

impl SqlMigration {
    fn sql(self, index: usize, backend: Backend) -> Option<String> {
        let (blob, serial, json) = match backend {
            Backend::Sqlite => ("BLOB", "INTEGER PRIMARY KEY AUTOINCREMENT", "TEXT"),
            Backend::Postgres => ("BYTEA", "BIGSERIAL PRIMARY KEY", "JSON"),
        };
        let text = self.statements.get(index)?;
        let text = match (text.strip_prefix("{sqlite}"), text.strip_prefix("{postgres}")) {
            (Some(text), _) => (backend == Backend::Sqlite).then_some(text),
            (_, Some(text)) => (backend == Backend::Postgres).then_some(text),
            (None, None) => Some(*text),
        }?;
        Some(text.replace("{blob}", blob).replace("{serial}", serial).replace("{json}", json))
    }
}

/// Brings the database to the newest schema. Replicas may call it at the same time: one
/// does the work, the others wait for it.
pub async fn migrate(db: &Db, steps: &[SqlMigration]) -> Result<(), StoreError> {
    let migrator = Migrator { steps: steps.to_vec(), crash: db.crash().clone() };
    match db.backend() {
        Backend::Sqlite => migrator.up(db.writer(), None).await?,
        Backend::Postgres => {
            let lock = db.writer().begin().await?;
            // It only holds the lock while another connection works, however long that takes.
            lock.execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = 0").await?;
            lock.execute_raw(statement(&lock, "SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK.into()]))
                .await?;
            migrator.up(db.writer(), None).await?;
            lock.commit().await?;
        }
    }
    Ok(())
}

struct Migrator {
    steps: Vec<SqlMigration>,
    crash: CrashPoints,
}

impl MigratorTraitSelf for Migrator {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        self.steps
            .iter()
            .map(|step| {
                Box::new(Step { migration: *step, crash: self.crash.clone() }) as Box<dyn MigrationTrait>
            })
            .collect()
    }
}

struct Step {
    migration: SqlMigration,
    crash: CrashPoints,
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.migration.name
    }
}

#[async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let backend = Backend::from(connection.get_database_backend());
        let half = self.migration.statements.len() / 2;
        for index in 0..self.migration.statements.len() {
            if index == half {
                self.crash.reach(CrashPoint::MidMigration);
            }
            if let Some(sql) = self.migration.sql(index, backend) {
                connection.execute_unprepared(&sql).await?;
            }
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::ConnectionTrait;

    use super::{SqlMigration, migrate};
    use crate::{CrashPoints, Db, statement};

    const FIRST: SqlMigration = SqlMigration {
        name: "test_0001",
        statements: &[
            "CREATE TABLE promise (row_number {serial}, seal {blob})",
            "CREATE INDEX i ON promise (seal)",
        ],
    };
    const BROKEN: SqlMigration =
        SqlMigration { name: "test_0002", statements: &["CREATE TABLE half (a BIGINT)", "CREATE NONSENSE"] };

    async fn scratch() -> (tempfile::TempDir, Db) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("scratch.db").display());
        let db = Db::connect(&url, 1, CrashPoints::default()).await.unwrap();
        (folder, db)
    }

    async fn tables(db: &Db, name: &str) -> usize {
        let query = statement(db.reader(), "SELECT name FROM sqlite_master WHERE name = $1", [name.into()]);
        db.reader().query_all_raw(query).await.unwrap().len()
    }

    #[tokio::test]
    async fn a_migration_is_applied_once() {
        let (_folder, db) = scratch().await;
        migrate(&db, &[FIRST]).await.unwrap();
        migrate(&db, &[FIRST]).await.unwrap();
        assert_eq!(tables(&db, "promise").await, 1);
    }

    #[tokio::test]
    async fn a_statement_for_the_other_back_end_is_passed_over() {
        let (_folder, db) = scratch().await;
        let own = SqlMigration {
            name: "test_0003",
            statements: &[
                "{sqlite}CREATE TABLE here (a BIGINT)",
                "{postgres}CREATE TABLE there (a BIGINT[])",
            ],
        };
        migrate(&db, &[own]).await.unwrap();
        assert_eq!((tables(&db, "here").await, tables(&db, "there").await), (1, 0));
    }

    #[tokio::test]
    async fn a_migration_that_fails_leaves_nothing_behind() {
        let (_folder, db) = scratch().await;
        assert!(migrate(&db, &[FIRST, BROKEN]).await.is_err());
        assert_eq!(tables(&db, "promise").await, 1);
        assert_eq!(tables(&db, "half").await, 0);
    }
}
