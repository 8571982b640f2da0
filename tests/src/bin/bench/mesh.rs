//! Five processes over PostgreSQL and Redis, with a small city in them.

use anyhow::Context;
use tonic::transport::{Channel, Endpoint};
use xietong_mesh::ServiceName;
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::cluster::{ADMINISTRATOR, Cluster};
use xietong_testkit::databases::Databases;
use xietong_testkit::servers;
use xietong_tests::city::City;
use xietong_tests::process::Process;

const UNITS: usize = 20;

/// A mesh that is ready and settled.
pub(crate) struct Mesh {
    pub(crate) cluster: Cluster,
    pub(crate) databases: Databases,
    pub(crate) administrator: Api,
    pub(crate) city: City,
}

impl Mesh {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let cluster = Cluster::start_all(&servers::postgres()?, &servers::redis_database().await?).await?;
        let administrator = cluster.api(Protocol::Grpc, ADMINISTRATOR).await?;
        let city = City::found(&administrator, UNITS).await?;
        let databases = cluster.databases().await?;
        Ok(Mesh { cluster, databases, administrator, city })
    }

    /// The processes of services.
    pub(crate) fn processes(&mut self, services: &[ServiceName]) -> anyhow::Result<Vec<Process>> {
        let process = |service: &ServiceName| {
            let id = self.cluster.process_id(*service);
            id.map(Process::of).with_context(|| format!("{service} does not run"))
        };
        services.iter().map(process).collect()
    }

    /// A connection of its own straight to a service.
    pub(crate) async fn connect(&mut self, service: ServiceName) -> anyhow::Result<Channel> {
        let url = format!("http://{}", self.cluster.address(service)?);
        Ok(Endpoint::from_shared(url)?.tcp_nodelay(true).connect().await?)
    }
}
