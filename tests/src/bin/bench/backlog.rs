//! Events that are recorded faster than anybody acts: remarks like one that was made.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use xietong_events::{Act, Append, Draft, EventLog};
use xietong_mesh::ServiceName;
use xietong_store::{Db, statement};
use xietong_tests::city::SUPERVISOR;
use xietong_timers::{Clock, MachineClock};

use crate::mesh::Mesh;

/// The type of a remark's event.
pub(crate) const REMARK: &str = "supervision.comment.made";

const TIMEOUT: Duration = Duration::from_secs(600);
const LOOK: Duration = Duration::from_millis(20);
/// Events that are recorded in one transaction.
const BATCH: usize = 500;

/// Records remarks in supervision's log.
pub(crate) struct Backlog {
    log: EventLog,
    db: Db,
    remark: Value,
}

impl Backlog {
    /// After a remark that was made.
    pub(crate) async fn open(mesh: &Mesh) -> anyhow::Result<Self> {
        let db = mesh.databases.of(ServiceName::Supervision)?.clone();
        let sql = "SELECT payload FROM events WHERE type = $1 LIMIT 1";
        let row = db.reader().query_one_raw(statement(db.reader(), sql, [REMARK.into()])).await?;
        let payload: String = row.context("a remark in the log")?.try_get_by("payload")?;
        let log = EventLog::open(ServiceName::Supervision.as_str(), db.clone()).await?;
        Ok(Backlog { log, db, remark: serde_json::from_str(&payload)? })
    }

    /// Records a remark to all of these units.
    pub(crate) async fn to_all(&self, units: &[String]) -> anyhow::Result<()> {
        self.record(&[self.remark(units)?]).await
    }

    /// Records so many remarks, each to one of these units in turn. Returns when each has its position.
    pub(crate) async fn to_each(&self, units: &[String], count: usize) -> anyhow::Result<()> {
        ensure!(!units.is_empty(), "no unit is there to be told");
        let appends =
            (0..count).map(|number| self.remark(std::slice::from_ref(&units[number % units.len()])));
        let appends: Vec<Append> = appends.collect::<Result<_, _>>()?;
        for batch in appends.chunks(BATCH) {
            self.record(batch).await?;
        }
        self.sequenced().await
    }

    fn remark(&self, units: &[String]) -> anyhow::Result<Append> {
        let mut remark = self.remark.clone();
        *remark.pointer_mut("/comment/units").context("whom a remark names")? = json!(units);
        let draft = Draft { event_type: REMARK.to_owned(), payload: remark.to_string() };
        let aggregate = format!("tasks/{}", MachineClock::system().new_id());
        Ok(Append { aggregate, expected_version: 0, drafts: vec![draft] })
    }

    async fn record(&self, appends: &[Append]) -> anyhow::Result<()> {
        let act = Act {
            actor: SUPERVISOR.to_owned(),
            acting_for: None,
            ground: None,
            occurred_at: Clock::real().now(),
            traceparent: None,
            causation_id: None,
        };
        let tx = self.db.begin().await?;
        self.log.append(&tx, &act, appends).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Waits until every event has its position.
    async fn sequenced(&self) -> anyhow::Result<()> {
        let begun = Instant::now();
        let reader = self.db.reader();
        let sql = "SELECT 1 AS waiting FROM events WHERE position IS NULL LIMIT 1";
        while reader.query_one_raw(statement(reader, sql, [])).await?.is_some() {
            ensure!(begun.elapsed() < TIMEOUT, "events are not sequenced after {TIMEOUT:?}");
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }
}
