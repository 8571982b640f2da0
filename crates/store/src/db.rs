//! [`Db`]: one handle for either back end.

use std::time::Duration;

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, Value,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};

use crate::{CrashPoints, StoreError};

/// PostgreSQL ends a session that leaves a transaction lying for this long. A process that
/// is stopped in a transaction would else hold its locks until it is continued, and no
/// replica could take over what it left.
const IDLE_IN_TRANSACTION: &str = "10s";

/// Which database is underneath.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file (or memory), one writer.
    Sqlite,
    /// A server.
    Postgres,
}

/// A connected database. Cloning is cheap; all clones share the pools.
///
/// SQLite has one writing connection, whose transactions begin IMMEDIATE, and a pool of
/// readers; commits are on disk (`synchronous = FULL`) when they return. PostgreSQL has
/// one pool for both.
#[derive(Debug, Clone)]
pub struct Db {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    backend: Backend,
    crash: CrashPoints,
}

impl Db {
    /// Connects to `sqlite://FILE`, `sqlite::memory:` or `postgres://…`. A missing SQLite
    /// file is created. `connections` bounds the PostgreSQL pool.
    pub async fn connect(url: &str, connections: u32, crash: CrashPoints) -> Result<Db, StoreError> {
        if url.starts_with("sqlite:") {
            Self::connect_sqlite(url, crash).await
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Self::connect_postgres(url, connections, crash).await
        } else {
            Err(StoreError::UnknownUrl)
        }
    }

    async fn connect_postgres(url: &str, connections: u32, crash: CrashPoints) -> Result<Db, StoreError> {
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(connections)
            .min_connections(1)
            .acquire_timeout(Duration::from_secs(5))
            .test_before_acquire(false)
            .sqlx_logging(false)
            .map_sqlx_postgres_opts(|postgres| {
                postgres.options([("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION)])
            });
        let pool = Database::connect(options).await?;
        Ok(Db { writer: pool.clone(), reader: pool, backend: Backend::Postgres, crash })
    }

    async fn connect_sqlite(url: &str, crash: CrashPoints) -> Result<Db, StoreError> {
        let writer = Database::connect(sqlite_options(url, 1)).await?;
        // A memory database lives in its one connection.
        let reader = if url.contains(":memory:") {
            writer.clone()
        } else {
            Database::connect(sqlite_options(url, 4)).await?
        };
        Ok(Db { writer, reader, backend: Backend::Sqlite, crash })
    }

    /// Which database is underneath.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The armed crash points of this process.
    pub fn crash(&self) -> &CrashPoints {
        &self.crash
    }

    /// Begins a writing transaction. Dropped without a commit it is rolled back.
    pub async fn begin(&self) -> Result<DatabaseTransaction, StoreError> {
        let options = TransactionOptions {
            isolation_level: None,
            access_mode: None,
            sqlite_transaction_mode: match self.backend {
                Backend::Sqlite => Some(SqliteTransactionMode::Immediate),
                Backend::Postgres => None,
            },
        };
        Ok(self.writer.begin_with_options(options).await?)
    }

    /// For reads outside a transaction. They see what was committed before they began.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// The writing connection, for single statements that need no transaction.
    pub fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Closes the pools once running statements are done.
    pub async fn close(self) -> Result<(), StoreError> {
        self.reader.close_by_ref().await?;
        self.writer.close_by_ref().await?;
        Ok(())
    }
}

/// A statement with `$1` placeholders, for whichever back end `connection` has.
pub fn statement<C, I>(connection: &C, sql: &str, values: I) -> Statement
where
    C: ConnectionTrait,
    I: IntoIterator<Item = Value>,
{
    Statement::from_sql_and_values(connection.get_database_backend(), sql, values)
}

impl From<DbBackend> for Backend {
    fn from(backend: DbBackend) -> Self {
        if backend == DbBackend::Postgres { Backend::Postgres } else { Backend::Sqlite }
    }
}

fn sqlite_options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(30))
                .foreign_keys(true)
        });
    options
}
