//! The roster, two replicas of supervision and the gateway, with a city whose work is divided.

use std::time::Duration;

use anyhow::Context;
use sea_orm::ConnectionTrait;
use serde_json::json;
use tonic::transport::{Channel, Endpoint};
use xietong_mesh::ServiceName;
use xietong_store::{CrashPoints, Db, statement};
use xietong_testkit::api::Protocol;
use xietong_testkit::cluster::{ADMINISTRATOR, Cluster, Member};
use xietong_testkit::servers;
use xietong_testkit::wait::wait_for;
use xietong_tests::city::City;

const UNITS: usize = 60;
pub(super) const LEADERS: usize = 8;
const CONNECTIONS: u32 = 4;
const SETTLES_WITHIN: Duration = Duration::from_secs(1_800);

const REPLICAS: [Member; 2] = [
    Member { service: ServiceName::Supervision, replica: 0 },
    Member { service: ServiceName::Supervision, replica: 1 },
];

/// What runs, and supervision's database.
pub(super) struct LedgerMesh {
    pub(super) cluster: Cluster,
    pub(super) city: City,
    pub(super) db: Db,
}

impl LedgerMesh {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let mut cluster = Cluster::prepare(&servers::postgres()?, &servers::redis_database().await?).await?;
        let members =
            [ServiceName::Roster, ServiceName::Gateway].map(Member::from).into_iter().chain(REPLICAS);
        for member in members {
            cluster.start(member, None)?;
            cluster.wait_ready(member).await?;
        }
        let administrator = cluster.api(Protocol::Grpc, ADMINISTRATOR).await?;
        let city = City::found(&administrator, UNITS).await?;
        // The liaisons of the first units divide the work among them as its leaders.
        let portfolios: Vec<_> = (0..LEADERS)
            .map(|leader| {
                let units: Vec<_> = city.units.iter().skip(leader).step_by(LEADERS).collect();
                let duties: Vec<_> = units
                    .iter()
                    .map(|unit| json!({"unit": unit.name, "relation": "RELATION_DIRECTS"}))
                    .collect();
                json!({"official": leader_of(&city, leader), "units": duties})
            })
            .collect();
        let division = json!({
            "documentNumber": "临政办发〔2024〕1号",
            "title": "分工",
            "effectiveTime": "2024-01-01T00:00:00+08:00",
            "portfolios": portfolios,
        });
        let request = json!({"division": division, "requestId": "bench/division"});
        administrator.call("RosterService/CreateDivision", request).await.context("the division")?;
        let db = cluster.database_url(ServiceName::Supervision)?;
        let db = Db::connect(db, CONNECTIONS, CrashPoints::default()).await?;
        Ok(LedgerMesh { cluster, city, db })
    }

    /// `officials/{id}` of a leader.
    pub(super) fn leader(&self, number: usize) -> &str {
        leader_of(&self.city, number)
    }

    /// A connection to each replica.
    pub(super) async fn replicas(&mut self) -> anyhow::Result<Vec<Channel>> {
        let mut channels = Vec::new();
        for member in REPLICAS {
            let url = format!("http://{}", self.cluster.address(member)?);
            channels.push(Endpoint::from_shared(url)?.tcp_nodelay(true).connect().await?);
        }
        Ok(channels)
    }

    /// Waits until what was written is in order and the database has tidied up behind it.
    pub(super) async fn rest(&self) -> anyhow::Result<()> {
        let unsequenced =
            "SELECT COUNT(*) AS value FROM (SELECT 1 FROM events WHERE position IS NULL LIMIT 1) AS one";
        wait_for("the log to be in order", SETTLES_WITHIN, async || {
            self.number(unsequenced).await.is_ok_and(|count| count == 0)
        })
        .await?;
        self.execute("VACUUM ANALYZE").await?;
        self.execute("CHECKPOINT").await
    }

    pub(super) async fn number(&self, sql: &str) -> anyhow::Result<i64> {
        let reader = self.db.reader();
        let row = reader.query_one_raw(statement(reader, sql, [])).await?.context("no row")?;
        Ok(row.try_get_by("value")?)
    }

    pub(super) async fn execute(&self, sql: &str) -> anyhow::Result<()> {
        self.db.writer().execute_unprepared(sql).await?;
        Ok(())
    }
}

fn leader_of(city: &City, number: usize) -> &str {
    city.units.get(number).map_or("", |unit| unit.liaison.as_str())
}
