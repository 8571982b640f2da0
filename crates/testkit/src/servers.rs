//! PostgreSQL and Redis for tests, and a place of its own in them for each test.
//!
//! `cargo xtask test` starts one of each for the whole run and says where they
//! are. A test process that is told nothing starts its own on first use, and they
//! end with the process. A test that kills or empties a server must not do so to
//! the shared one: it starts a [`Postgres`] or [`Redis`] of its own.

use std::env;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, ensure};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DbBackend, Statement};
pub use xietong_throwaway::{Postgres, Redis};

/// Where PostgreSQL is: a URL whose user may create databases.
const POSTGRES: &str = "XIETONG_TEST_POSTGRES";
/// Where Redis is, without a database number.
const REDIS: &str = "XIETONG_TEST_REDIS";

/// This process's own servers, when it was told of none. A guard ends them with
/// the process, since nothing drops a `static`.
static OWN_POSTGRES: Mutex<Option<Postgres>> = Mutex::new(None);
static OWN_REDIS: Mutex<Option<Redis>> = Mutex::new(None);

/// URL of the maintenance database of the shared PostgreSQL.
///
/// # Errors
/// When none is given and none can be started, for example because PostgreSQL is
/// not installed.
pub fn postgres() -> anyhow::Result<String> {
    if let Some(url) = given(POSTGRES) {
        return Ok(url);
    }
    let mut own = OWN_POSTGRES.lock().unwrap_or_else(PoisonError::into_inner);
    match &*own {
        Some(server) => Ok(server.url()),
        None => Ok(own.insert(Postgres::start()?).url()),
    }
}

/// URL of the shared Redis, without a database number.
///
/// # Errors
/// When none is given and none can be started, for example because Redis is not
/// installed.
pub fn redis() -> anyhow::Result<String> {
    if let Some(url) = given(REDIS) {
        return Ok(url);
    }
    let mut own = OWN_REDIS.lock().unwrap_or_else(PoisonError::into_inner);
    match &*own {
        Some(server) => Ok(server.url()),
        None => Ok(own.insert(Redis::start()?).url()),
    }
}

/// URL of a new, empty database in the shared PostgreSQL, called `prefix` and a
/// unique rest. It goes with the server.
///
/// # Errors
/// When `prefix` is not of lower-case letters, digits and `_` or is longer than
/// 30, or when there is no server.
pub async fn postgres_database(prefix: &str) -> anyhow::Result<String> {
    postgres_database_in(&postgres()?, prefix).await
}

/// The same in a PostgreSQL of the test's own.
///
/// # Errors
/// As [`postgres_database`].
pub async fn postgres_database_in(server: &str, prefix: &str) -> anyhow::Result<String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    ensure!(prefix.len() <= 30 && prefix.bytes().all(plain), "not a plain database name: {prefix}");

    let mut options = ConnectOptions::new(server);
    options.max_connections(1);
    let connection = Database::connect(options).await.context("connecting to PostgreSQL")?;
    let unique = Statement::from_string(
        DbBackend::Postgres,
        "SELECT replace(gen_random_uuid()::text, '-', '') AS value",
    );
    let row = connection.query_one_raw(unique).await?.context("PostgreSQL made no name")?;
    let name = format!("{prefix}_{}", row.try_get::<String>("", "value")?);
    connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.context("creating a database")?;
    connection.close().await?;

    let (base, _maintenance) = server.rsplit_once('/').context("a PostgreSQL URL names a database")?;
    Ok(format!("{base}/{name}"))
}

/// URL of an empty database of the shared Redis that no other test has.
///
/// # Errors
/// When there is no server, or all its databases are given away.
pub async fn redis_database() -> anyhow::Result<String> {
    let server = redis()?;
    let mut connection = redis::Client::open(server.as_str())?
        .get_multiplexed_async_connection()
        .await
        .context("connecting to Redis")?;
    // Counted in database 0, which no test gets.
    let number: u64 = redis::cmd("INCR").arg("xietong:databases").query_async(&mut connection).await?;
    Ok(format!("{server}/{number}"))
}

fn given(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|url| !url.is_empty())
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, Database};

    use super::{postgres_database, redis_database};

    #[tokio::test]
    async fn each_test_has_a_database_of_its_own() {
        let (one, other) =
            (postgres_database("test").await.unwrap(), postgres_database("test").await.unwrap());
        assert_ne!(one, other);
        for url in [one, other] {
            let connection = Database::connect(url).await.unwrap();
            connection.execute_unprepared("CREATE TABLE same_name (n int)").await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_prefix_cannot_carry_sql() {
        postgres_database("a; DROP TABLE b").await.unwrap_err();
    }

    #[tokio::test]
    async fn each_test_has_a_redis_database_of_its_own() {
        let (one, other) = (redis_database().await.unwrap(), redis_database().await.unwrap());
        assert_ne!(one, other);
        let mut one = redis::Client::open(one).unwrap().get_multiplexed_async_connection().await.unwrap();
        let mut other = redis::Client::open(other).unwrap().get_multiplexed_async_connection().await.unwrap();
        let () = redis::cmd("SET").arg("key").arg(1).query_async(&mut one).await.unwrap();
        let found: bool = redis::cmd("EXISTS").arg("key").query_async(&mut other).await.unwrap();
        assert!(!found);
    }
}
