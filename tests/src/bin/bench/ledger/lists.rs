//! Reading the ledger, at a steady rate: what a page takes, from when it was to be asked for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tonic::transport::Channel;
use xietong_mesh::Principal;
use xietong_mesh::principal::{Grant, Role};
use xietong_proto::supervision::task_service_client::TaskServiceClient;
use xietong_proto::supervision::{Light, ListTasksRequest};
use xietong_tests::caller::Caller;
use xietong_tests::city::SUPERVISOR;

use super::mesh::{LEADERS, LedgerMesh};
use crate::report::Figure;

const TIMEOUT: Duration = Duration::from_secs(30);

/// What is asked for: a page of fifty of …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// … all.
    All,
    /// … the red tasks.
    Red,
    /// … the yellow tasks.
    Yellow,
    /// … a unit's tasks.
    Unit,
    /// … a unit's red tasks.
    UnitsRed,
    /// … the tasks that a leader answers for.
    Leader,
    /// … the red tasks that a leader answers for.
    LeadersRed,
    /// … what a unit's clerk may see.
    Clerk,
}

impl Kind {
    const ALL: [Kind; 8] = [
        Kind::All,
        Kind::Red,
        Kind::Yellow,
        Kind::Unit,
        Kind::UnitsRed,
        Kind::Leader,
        Kind::LeadersRed,
        Kind::Clerk,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::All => "all tasks",
            Kind::Red => "red tasks",
            Kind::Yellow => "yellow tasks",
            Kind::Unit => "a unit's tasks",
            Kind::UnitsRed => "a unit's red tasks",
            Kind::Leader => "a leader's tasks",
            Kind::LeadersRed => "a leader's red tasks",
            Kind::Clerk => "tasks that a unit's clerk may see",
        }
    }
}

/// How long the answers took, in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Latencies(Vec<f64>);

impl Latencies {
    pub(super) fn p99(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let at = (sorted.len() * 99).div_ceil(100).saturating_sub(1);
        sorted.get(at).copied().unwrap_or_default()
    }

    pub(super) fn figure(&self, name: String) -> Figure {
        Figure::new(name, "ms", vec![self.p99()])
    }
}

/// By what was asked for.
pub(super) type Read = BTreeMap<Kind, Latencies>;

/// Asks for pages of every kind in turn, of both replicas in turn, so many a second.
pub(super) struct Reading {
    replicas: Vec<TaskServiceClient<Channel>>,
    supervisor: Arc<Caller>,
    clerk: Arc<Caller>,
    units: Vec<String>,
    leaders: Vec<String>,
}

impl Reading {
    pub(super) async fn new(mesh: &mut LedgerMesh) -> anyhow::Result<Self> {
        let units: Vec<String> = mesh.city.units.iter().map(|unit| unit.name.clone()).collect();
        let first = units.first().context("a city without units")?;
        let clerk = Principal::account("clerk-1", None, vec![Grant::of(Role::UnitClerk).in_unit(first)]);
        let supervisor = Principal::account(SUPERVISOR, None, vec![Grant::of(Role::Supervisor)]);
        Ok(Reading {
            replicas: mesh.replicas().await?.into_iter().map(TaskServiceClient::new).collect(),
            supervisor: Arc::new(Caller::new(supervisor, mesh.cluster.gateway_signer()?)),
            clerk: Arc::new(Caller::new(clerk, mesh.cluster.gateway_signer()?)),
            leaders: (0..LEADERS).map(|number| mesh.leader(number).to_owned()).collect(),
            units,
        })
    }

    /// Until `done` is, asked at every look.
    pub(super) async fn read(
        self,
        a_second: u32,
        mut done: impl FnMut(Instant) -> bool,
    ) -> anyhow::Result<Read> {
        let mut read = Read::new();
        let mut under_way = JoinSet::new();
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / a_second.max(1));
        // What is late is asked for at once: a server that stalls is not spared what came meanwhile.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut number = 0_usize;
        loop {
            let asked_at = ticks.tick().await.into_std();
            if done(asked_at) {
                break;
            }
            let kind = Kind::ALL.get(number % Kind::ALL.len()).copied().context("a kind")?;
            let round = number / Kind::ALL.len();
            let replica = self.replicas.get(round % self.replicas.len().max(1)).context("a replica")?.clone();
            let (request, caller) = self.asked(kind, round);
            under_way.spawn(ask(replica, caller.request(request, TIMEOUT)?, kind, asked_at));
            number += 1;
            while let Some(finished) = under_way.try_join_next() {
                let (kind, took) = finished??;
                read.entry(kind).or_default().0.push(took);
            }
        }
        while let Some(finished) = under_way.join_next().await {
            let (kind, took) = finished??;
            read.entry(kind).or_default().0.push(took);
        }
        ensure!(read.len() == Kind::ALL.len(), "too short to ask for a page of every kind");
        Ok(read)
    }

    fn asked(&self, kind: Kind, round: usize) -> (ListTasksRequest, &Arc<Caller>) {
        let unit = || self.units.get(round % self.units.len().max(1)).cloned().unwrap_or_default();
        let leader = || self.leaders.get(round % self.leaders.len().max(1)).cloned().unwrap_or_default();
        let of = |unit: String, leader: String, light: Light| ListTasksRequest {
            unit,
            leader,
            light: light.into(),
            ..ListTasksRequest::default()
        };
        let none = String::new;
        match kind {
            Kind::All => (ListTasksRequest::default(), &self.supervisor),
            Kind::Red => (of(none(), none(), Light::Red), &self.supervisor),
            Kind::Yellow => (of(none(), none(), Light::Yellow), &self.supervisor),
            Kind::Unit => (of(unit(), none(), Light::Unspecified), &self.supervisor),
            Kind::UnitsRed => (of(unit(), none(), Light::Red), &self.supervisor),
            Kind::Leader => (of(none(), leader(), Light::Unspecified), &self.supervisor),
            Kind::LeadersRed => (of(none(), leader(), Light::Red), &self.supervisor),
            Kind::Clerk => (ListTasksRequest::default(), &self.clerk),
        }
    }
}

/// Reads for a while, after everything was read once without counting.
pub(super) async fn read_for(
    mesh: &mut LedgerMesh,
    a_second: u32,
    duration: Duration,
) -> anyhow::Result<Read> {
    let started = Instant::now();
    Reading::new(mesh).await?.read(a_second, |now| now - started > Duration::from_secs(3)).await?;
    let started = Instant::now();
    Reading::new(mesh).await?.read(a_second, |now| now.saturating_duration_since(started) > duration).await
}

async fn ask(
    mut replica: TaskServiceClient<Channel>,
    request: tonic::Request<ListTasksRequest>,
    kind: Kind,
    asked_at: Instant,
) -> anyhow::Result<(Kind, f64)> {
    replica.list_tasks(request).await.with_context(|| kind.name())?;
    Ok((kind, asked_at.elapsed().as_secs_f64() * 1e3))
}
