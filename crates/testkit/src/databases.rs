//! Looking into the databases of a mesh, as only a test may.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use sea_orm::ConnectionTrait;
use xietong_events::EventLog;
use xietong_mesh::ServiceName;
use xietong_store::{CrashPoints, Db, statement};

use crate::history::Log;
use crate::wait::wait_for;

/// Enough to read with.
const CONNECTIONS: u32 = 2;
const PAGE: u32 = 1_000;

/// The databases of a mesh.
pub struct Databases(BTreeMap<ServiceName, Db>);

impl Databases {
    /// Connects to the databases at these URLs.
    ///
    /// # Errors
    /// When one cannot be reached.
    pub async fn open(urls: &BTreeMap<ServiceName, String>) -> anyhow::Result<Self> {
        let mut databases = BTreeMap::new();
        for (service, url) in urls {
            let db = Db::connect(url, CONNECTIONS, CrashPoints::default()).await;
            databases.insert(*service, db.with_context(|| format!("the database of {service}"))?);
        }
        Ok(Databases(databases))
    }

    /// The database of a service.
    ///
    /// # Errors
    /// When it has none.
    pub fn of(&self, service: ServiceName) -> anyhow::Result<&Db> {
        self.0.get(&service).with_context(|| format!("{service} has no database"))
    }

    /// Every event of a service.
    ///
    /// # Errors
    /// When the database cannot be read, or holds events that are not sequenced: wait until
    /// the mesh has settled.
    pub async fn log(&self, service: ServiceName) -> anyhow::Result<Log> {
        let db = self.of(service)?;
        let log = EventLog::open(service.as_str(), db.clone()).await?;
        let mut events = Vec::new();
        let mut after = 0;
        loop {
            let page = log.read(after, PAGE).await?;
            let Some(last) = page.events.last() else { break };
            after = last.position;
            events.extend(page.events);
        }
        let unsequenced = self.number(service, UNSEQUENCED).await?;
        ensure!(unsequenced == 0, "{unsequenced} events of {service} are not sequenced");
        Ok(Log { producer: service, events })
    }

    /// Waits until every event is sequenced and applied by everybody who follows it.
    ///
    /// # Errors
    /// When that does not come about within `bound`.
    pub async fn settle(&self, bound: Duration) -> anyhow::Result<()> {
        // What is applied last may be an event itself, which a single look could miss.
        let mut quiet = None;
        let looking = async || match self.stand().await {
            Ok(stand) if stand.behind == 0 => quiet.replace(stand.clone()) == Some(stand),
            // A database that is away is not settled.
            Ok(_) | Err(_) => {
                quiet = None;
                false
            }
        };
        wait_for("the mesh to settle", bound, looking).await?;
        Ok(())
    }

    /// How far everybody is.
    async fn stand(&self) -> anyhow::Result<Stand> {
        let mut heads = BTreeMap::new();
        let mut behind = 0;
        for service in self.0.keys() {
            behind += self.number(*service, UNSEQUENCED).await?;
            heads.insert(service.as_str().to_owned(), self.number(*service, HEAD).await?);
        }
        for db in self.0.values() {
            let reader = db.reader();
            let sql = "SELECT producer, position FROM consumer_cursors";
            for row in reader.query_all_raw(statement(reader, sql, [])).await? {
                let producer: String = row.try_get_by("producer")?;
                let position: i64 = row.try_get_by("position")?;
                behind += heads.get(&producer).map_or(0, |head| head - position);
            }
        }
        Ok(Stand { heads, behind })
    }

    async fn number(&self, service: ServiceName, sql: &str) -> anyhow::Result<i64> {
        let reader = self.of(service)?.reader();
        let row = reader.query_one_raw(statement(reader, sql, [])).await?.context("no row")?;
        Ok(row.try_get_by("value")?)
    }
}

const UNSEQUENCED: &str = "SELECT COUNT(*) AS value FROM events WHERE position IS NULL";
const HEAD: &str = "SELECT COALESCE(MAX(position), 0) AS value FROM events";

#[derive(Debug, Clone, PartialEq, Eq)]
struct Stand {
    heads: BTreeMap<String, i64>,
    behind: i64,
}
