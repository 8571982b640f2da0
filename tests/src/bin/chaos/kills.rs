//! `chaos kills`: five processes under load, killed again and again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use tokio::task::JoinSet;
use xietong_mesh::ServiceName;
use xietong_store::statement;
use xietong_testkit::api::Protocol;
use xietong_testkit::cluster::{ADMINISTRATOR, Cluster};
use xietong_testkit::databases::Databases;
use xietong_testkit::servers::{Postgres, Redis};
use xietong_testkit::wait::wait_for;
use xietong_tests::city::City;
use xietong_tests::random::Random;

use sea_orm::ConnectionTrait;

use crate::hooks::Hooks;
use crate::load::{Caller, Load};
use crate::trouble::Trouble;
use crate::verdict::{self, Verdict};

const UNITS: usize = 6;
/// How long the mesh may take until everything has had its consequences.
pub(crate) const SETTLES_WITHIN: Duration = Duration::from_secs(180);
/// An attempt at a webhook takes at most so long: what a process that was killed had claimed is
/// another's in twice that and ten seconds.
const WEBHOOK_SECONDS: u64 = 5;
/// A strike follows at most this long after those killed before were ready again.
const LONGEST_PEACE_MILLIS: u64 = 400;
/// Kills between two lines of progress.
const SAID_EVERY: u64 = 25;

/// How to run it.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Processes to kill.
    #[arg(long, default_value_t = 1_000)]
    count: u64,
    /// Brings the same choices back; a new one when it is left out.
    #[arg(long)]
    seed: Option<u64>,
    /// Callers at a time.
    #[arg(long, default_value_t = 6)]
    callers: usize,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<Verdict> {
    let seed = arguments.seed.unwrap_or_else(|| u64::from(std::process::id()));
    eprintln!("chaos: {} kills, seed {seed}", arguments.count);
    let started = Instant::now();
    let mut random = Random::seeded(seed);

    let (postgres, redis) = (Postgres::start()?, Redis::start()?);
    let mut cluster =
        Cluster::prepare(&postgres.url(), &redis.url()).await?.with_webhook_seconds(WEBHOOK_SECONDS);
    cluster.start_rest().await?;
    let city = City::found(&cluster.api(Protocol::Grpc, ADMINISTRATOR).await?, UNITS).await?;
    let load = Arc::new(Load::prepare(&cluster, city).await?);
    let hooks = Hooks::register(&cluster).await?;
    let mut callers = JoinSet::new();
    for _ in 0..arguments.callers {
        callers.spawn(Caller::new(load.clone(), &cluster, random.fork()).await?.run());
    }

    let mut trouble = Trouble::new(cluster, postgres, redis, random);
    let made = make(&mut trouble, arguments.count, &load, &hooks).await;
    load.stop();
    while let Some(ended) = callers.join_next().await {
        ended.context("a caller")?;
    }
    made?;

    eprintln!("chaos: {} kills, {}; settling", trouble.counts().kills(), load.tally());
    let databases = trouble.cluster().databases().await?;
    databases.settle(SETTLES_WITHIN).await?;
    wait_for_escalations(&databases).await?;
    databases.settle(SETTLES_WITHIN).await?;
    hooks.settle(&databases).await?;
    verdict::reach(seed, (&load, &hooks), &databases, trouble.counts(), started.elapsed()).await
}

/// So many kills, each among troubles of other kinds now and then.
async fn make(trouble: &mut Trouble, count: u64, load: &Load, hooks: &Hooks) -> anyhow::Result<()> {
    while trouble.counts().kills() < count {
        let before = trouble.counts().kills();
        let peace = trouble.random().below(LONGEST_PEACE_MILLIS);
        tokio::time::sleep(Duration::from_millis(peace)).await;
        hooks.disturb(trouble.random());
        trouble.strike().await?;
        let kills = trouble.counts().kills();
        if before / SAID_EVERY != kills / SAID_EVERY {
            eprintln!("chaos: {kills} kills, {}", load.tally());
        }
    }
    Ok(())
}

/// Waits until nobody is still asking for the task of a decision.
async fn wait_for_escalations(databases: &Databases) -> anyhow::Result<()> {
    let reader = databases.of(ServiceName::Workgroup)?.reader();
    let sql = "SELECT decision FROM escalations LIMIT 1";
    let none = async || matches!(reader.query_one_raw(statement(reader, sql, [])).await, Ok(None));
    wait_for("every decision to have its task", SETTLES_WITHIN, none).await?;
    Ok(())
}
