//! What is done to the mesh.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Serialize;
use xietong_mesh::ServiceName;
use xietong_testkit::cluster::Cluster;
use xietong_testkit::servers::{Postgres, Redis};
use xietong_tests::random::Random;

/// One strike in so many also empties Redis, kills it, or kills PostgreSQL.
const REDIS_FLUSHED: u64 = 15;
const REDIS_KILLED: u64 = 40;
const POSTGRES_KILLED: u64 = 60;
/// One strike in so many hits two services at once.
const TWO_AT_ONCE: u64 = 5;

/// Strikes at a mesh, and brings back what it struck.
pub(crate) struct Trouble {
    cluster: Cluster,
    postgres: Postgres,
    redis: Redis,
    random: Random,
    counts: Counts,
}

/// What was done.
#[derive(Debug, Default, Clone, Serialize)]
pub(crate) struct Counts {
    /// Kills of services.
    services: BTreeMap<ServiceName, u64>,
    redis_flushed: u64,
    redis_killed: u64,
    postgres_killed: u64,
}

impl Counts {
    /// Kills of services, all together.
    pub(crate) fn kills(&self) -> u64 {
        self.services.values().sum()
    }
}

impl Trouble {
    /// For a mesh that runs over these servers.
    pub(crate) fn new(cluster: Cluster, postgres: Postgres, redis: Redis, random: Random) -> Self {
        Trouble { cluster, postgres, redis, random, counts: Counts::default() }
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(crate) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    pub(crate) fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// Kills a service or two, and now and then a server with them; all run again when this
    /// returns, and the services are ready.
    pub(crate) async fn strike(&mut self) -> anyhow::Result<()> {
        let struck = self.choose();
        for service in &struck {
            self.cluster.kill(*service).await?;
            *self.counts.services.entry(*service).or_default() += 1;
        }
        // Their clients may wait meanwhile on other threads.
        tokio::task::block_in_place(|| self.strike_servers())?;
        for service in &struck {
            self.cluster.start(*service, None)?;
        }
        for service in ServiceName::ALL {
            self.cluster
                .wait_ready(service)
                .await
                .with_context(|| format!("after the kill of {struck:?}"))?;
        }
        Ok(())
    }

    fn choose(&mut self) -> Vec<ServiceName> {
        let mut struck: Vec<ServiceName> =
            self.random.choose(&ServiceName::ALL).copied().into_iter().collect();
        if self.random.one_in(TWO_AT_ONCE) {
            let other = self.random.choose(&ServiceName::ALL).copied();
            struck.extend(other.filter(|other| !struck.contains(other)));
        }
        struck
    }

    fn strike_servers(&mut self) -> anyhow::Result<()> {
        if self.random.one_in(REDIS_FLUSHED) {
            self.redis.flush_all()?;
            self.counts.redis_flushed += 1;
        }
        if self.random.one_in(REDIS_KILLED) {
            self.redis.restart()?;
            self.counts.redis_killed += 1;
        }
        if self.random.one_in(POSTGRES_KILLED) {
            self.postgres.restart()?;
            self.counts.postgres_killed += 1;
        }
        Ok(())
    }
}
