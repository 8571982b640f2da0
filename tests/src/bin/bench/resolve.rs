//! `bench resolve`: who answers, asked through the gateway over REST and over gRPC, and
//! straight from the roster.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use serde_json::json;
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Principal, ServiceName};
use xietong_proto::roster::ResolveRequest;
use xietong_proto::roster::roster_service_client::RosterServiceClient;
use xietong_tests::caller::Caller;
use xietong_tests::city::SUPERVISOR;

use crate::mesh::Mesh;
use crate::report::Report;
use crate::runs::{Runs, Watched, Worker, ratio, warm_up};

const TIMEOUT: Duration = Duration::from_secs(10);
const WARM_UP: Duration = Duration::from_secs(1);

/// How to measure it.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Runs of each.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// How long a run takes.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Requests at a time.
    #[arg(long, default_value_t = 16)]
    clients: usize,
}

pub(crate) async fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    let mut report = Report::new("resolve");
    report.setting("runs", arguments.runs);
    report.setting("seconds", arguments.seconds);
    report.setting("clients", arguments.clients);
    let mut mesh = Mesh::start().await?;
    let unit = mesh.city.units.first().context("a city without units")?.name.clone();
    put_somebody_in_charge(&mesh, &unit).await?;

    let watched = Watched::this_process()
        .and("gateway", mesh.processes(&[ServiceName::Gateway])?)
        .and("roster", mesh.processes(&[ServiceName::Roster])?);
    let rest = rest_askers(&mesh, &unit, arguments.clients).await?;
    let grpc = grpc_askers(&mesh, &unit, arguments.clients).await?;
    let straight = straight_askers(&mut mesh, &unit, arguments.clients).await?;
    warm_up(rest.clone(), WARM_UP).await?;
    warm_up(grpc.clone(), WARM_UP).await?;
    warm_up(straight.clone(), WARM_UP).await?;

    let duration = Duration::from_secs(arguments.seconds);
    let mut over_rest = Runs::of("gateway, REST");
    let mut over_grpc = Runs::of("gateway, gRPC");
    let mut straight_away = Runs::of("roster, gRPC");
    for _ in 0..arguments.runs {
        over_rest.run(rest.clone(), duration, &watched).await?;
        over_grpc.run(grpc.clone(), duration, &watched).await?;
        straight_away.run(straight.clone(), duration, &watched).await?;
    }
    report.add(over_rest.figure("requests/s"));
    report.add(over_grpc.figure("requests/s"));
    report.add(straight_away.figure("requests/s"));
    report.add(ratio("gateway's REST to its gRPC", &over_rest, &over_grpc));
    report.add(ratio("gateway's gRPC to the roster's own", &over_grpc, &straight_away));
    Ok(report)
}

/// A division of work in which the liaison of the first unit is in charge of it.
async fn put_somebody_in_charge(mesh: &Mesh, unit: &str) -> anyhow::Result<()> {
    let official = &mesh.city.units.first().context("a city without units")?.liaison;
    let duty = json!({"unit": unit, "relation": "RELATION_DIRECTS"});
    let division = json!({
        "documentNumber": "临政办发〔2024〕1号",
        "title": "分工",
        "effectiveTime": "2024-01-01T00:00:00+08:00",
        "portfolios": [{"official": official, "units": [duty]}],
    });
    let request = json!({"division": division, "requestId": "bench/division"});
    mesh.administrator.call("RosterService/CreateDivision", request).await.context("the division")?;
    Ok(())
}

/// Asks over REST, each over a connection of its own.
#[derive(Clone)]
struct RestAsker {
    http: reqwest::Client,
    url: String,
    token: Arc<str>,
}

impl Worker for RestAsker {
    async fn once(&mut self) -> anyhow::Result<()> {
        let response = self.http.get(&self.url).bearer_auth(&self.token).send().await?;
        let status = response.status();
        let body = response.bytes().await?;
        ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
        Ok(())
    }
}

async fn rest_askers(mesh: &Mesh, unit: &str, count: usize) -> anyhow::Result<Vec<RestAsker>> {
    let url = format!("{}/v1/roster:resolve?unit={unit}", mesh.cluster.gateway()?);
    let token: Arc<str> = mesh.cluster.token(SUPERVISOR).await?.into();
    let asker = |_| RestAsker { http: reqwest::Client::new(), url: url.clone(), token: token.clone() };
    Ok((0..count).map(asker).collect())
}

/// Asks over gRPC with a bearer token.
#[derive(Clone)]
struct GrpcAsker {
    roster: RosterServiceClient<Channel>,
    bearer: MetadataValue<Ascii>,
    question: ResolveRequest,
}

impl Worker for GrpcAsker {
    async fn once(&mut self) -> anyhow::Result<()> {
        let mut request = Request::new(self.question.clone());
        request.set_timeout(TIMEOUT);
        request.metadata_mut().insert("authorization", self.bearer.clone());
        self.roster.resolve(request).await?;
        Ok(())
    }
}

async fn grpc_askers(mesh: &Mesh, unit: &str, count: usize) -> anyhow::Result<Vec<GrpcAsker>> {
    let bearer: MetadataValue<Ascii> = format!("Bearer {}", mesh.cluster.token(SUPERVISOR).await?).parse()?;
    let endpoint = Endpoint::from_shared(mesh.cluster.gateway()?)?.tcp_nodelay(true);
    let mut askers = Vec::with_capacity(count);
    for _ in 0..count {
        let roster = RosterServiceClient::new(endpoint.connect().await?);
        askers.push(GrpcAsker { roster, bearer: bearer.clone(), question: question(unit) });
    }
    Ok(askers)
}

/// Asks the roster itself, as the gateway does.
#[derive(Clone)]
struct StraightAsker {
    roster: RosterServiceClient<Channel>,
    caller: Arc<Caller>,
    question: ResolveRequest,
}

impl Worker for StraightAsker {
    async fn once(&mut self) -> anyhow::Result<()> {
        self.roster.resolve(self.caller.request(self.question.clone(), TIMEOUT)?).await?;
        Ok(())
    }
}

async fn straight_askers(mesh: &mut Mesh, unit: &str, count: usize) -> anyhow::Result<Vec<StraightAsker>> {
    let principal = Principal::account(SUPERVISOR, None, vec![Grant::of(Role::Supervisor)]);
    let caller = Arc::new(Caller::new(principal, mesh.cluster.gateway_signer()?));
    let mut askers = Vec::with_capacity(count);
    for _ in 0..count {
        let roster = RosterServiceClient::new(mesh.connect(ServiceName::Roster).await?);
        askers.push(StraightAsker { roster, caller: caller.clone(), question: question(unit) });
    }
    Ok(askers)
}

fn question(unit: &str) -> ResolveRequest {
    ResolveRequest { unit: unit.to_owned(), ..ResolveRequest::default() }
}
