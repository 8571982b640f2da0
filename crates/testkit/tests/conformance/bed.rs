//! What a conformance test stands on: an empty database at the newest schema, and a bus.

use std::sync::Arc;

use domain_calendar::Timestamp;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use xietong_events::{Act, Append, Bus, Draft, EventLog, EventSource};
use xietong_store::{CrashPoints, Db, SqlMigration, migrate, statement};
use xietong_testkit::servers;

/// A table for the effects that tests look at.
const EFFECTS: SqlMigration = SqlMigration {
    name: "conformance_0001_effects",
    statements: &["CREATE TABLE effects (entry {serial}, what TEXT NOT NULL)"],
};

pub(crate) struct Bed {
    pub(crate) db: Db,
    pub(crate) bus: Bus,
    url: String,
    _folder: tempfile::TempDir,
}

impl Bed {
    pub(crate) async fn sqlite() -> Bed {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("bed.db").display());
        Self::lay(url, Bus::embedded(), folder).await
    }

    pub(crate) async fn postgres() -> Bed {
        let url = servers::postgres_database("conformance").await.unwrap();
        let bus = Bus::redis(&servers::redis_database().await.unwrap()).unwrap();
        Self::lay(url, bus, tempfile::tempdir().unwrap()).await
    }

    async fn lay(url: String, bus: Bus, folder: tempfile::TempDir) -> Bed {
        let db = Db::connect(&url, 80, CrashPoints::default()).await.unwrap();
        let steps =
            [xietong_events::MIGRATIONS, xietong_timers::MIGRATIONS, xietong_mesh::MIGRATIONS, &[EFFECTS]];
        migrate(&db, &steps.concat()).await.unwrap();
        Bed { db, bus, url, _folder: folder }
    }

    /// Another connection to the same database, as another replica has.
    pub(crate) async fn replica(&self) -> Db {
        Db::connect(&self.url, 5, CrashPoints::default()).await.unwrap()
    }

    pub(crate) async fn log(&self, producer: &str) -> EventLog {
        EventLog::open(producer, self.db.clone()).await.unwrap()
    }

    /// Everything noted by [`note`], in order of being written.
    pub(crate) async fn effects(&self) -> Vec<String> {
        let reader = self.db.reader();
        let rows = reader
            .query_all_raw(statement(reader, "SELECT what FROM effects ORDER BY entry", []))
            .await
            .unwrap();
        rows.iter().map(|row| row.try_get_by("what").unwrap()).collect()
    }
}

/// Writes an effect.
pub(crate) async fn note(tx: &DatabaseTransaction, what: &str) {
    tx.execute_raw(statement(tx, "INSERT INTO effects (what) VALUES ($1)", [what.into()])).await.unwrap();
}

pub(crate) fn act() -> Act {
    Act {
        actor: "tester".into(),
        acting_for: None,
        ground: None,
        occurred_at: Timestamp::from_micros(1),
        traceparent: None,
        causation_id: None,
    }
}

pub(crate) fn append(aggregate: &str, expected_version: i64, payloads: &[&str]) -> Append {
    let draft =
        |payload: &&str| Draft { event_type: "test.thing.happened".into(), payload: (*payload).into() };
    Append { aggregate: aggregate.into(), expected_version, drafts: payloads.iter().map(draft).collect() }
}

/// Commits one new aggregate with these events.
pub(crate) async fn commit(log: &EventLog, bed: &Bed, aggregate: &str, payloads: &[&str]) {
    let tx = bed.db.begin().await.unwrap();
    log.append(&tx, &act(), &[append(aggregate, 0, payloads)]).await.unwrap();
    tx.commit().await.unwrap();
    log.committed().poke();
}

/// Reads a log without an RPC in between.
pub(crate) fn source(log: &EventLog) -> Arc<dyn EventSource> {
    Arc::new(log.clone())
}

/// Declares each test once for each back end.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::bed::Bed::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::bed::Bed::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both;
