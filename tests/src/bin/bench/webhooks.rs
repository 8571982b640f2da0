//! `bench webhooks`: deliveries a second to endpoints that take them, from asking to the receiver at
//! half of that, and what an endpoint that takes everything feels of three that do not: one hangs, one
//! fails, one sends elsewhere.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use xietong_mesh::ServiceName;
use xietong_store::statement;
use xietong_testkit::receiver::{Behaviour, ReceivedRequest, Receiver};
use xietong_timers::MachineClock;

use crate::backlog::{Backlog, REMARK};
use crate::mesh::Mesh;
use crate::remarks::{Made, Remarks, number_in, percentile};
use crate::report::{Aim, Figure, Report};

const TIMEOUT: Duration = Duration::from_secs(300);
/// The p99 of a fast endpoint beside bad ones, in times of what it is alone.
const MOST: f64 = 2.0;

/// How to measure it.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Events of the backlog, each of which is sent to every fast endpoint.
    #[arg(long, default_value_t = 5_000)]
    events: usize,
    /// Remarks whose way is timed, each time.
    #[arg(long, default_value_t = 2_000)]
    remarks: usize,
    /// Endpoints that take everything at once.
    #[arg(long, default_value_t = 4)]
    endpoints: usize,
    /// Requests to an endpoint at a time.
    #[arg(long, default_value_t = 16)]
    concurrency: u32,
    /// Who makes remarks at a time.
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// How often a fast endpoint is measured alone and beside bad ones, in turn.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

pub(crate) async fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    let mut report = Report::new("webhooks");
    report.setting("events", arguments.events);
    report.setting("remarks", arguments.remarks);
    report.setting("endpoints", arguments.endpoints);
    report.setting("concurrency", arguments.concurrency);
    report.setting("clients", arguments.clients);
    report.setting("rounds", arguments.rounds);
    let mut mesh = Mesh::start().await?;
    let remarks = Remarks::open(&mut mesh).await?;
    let bench = Bench { mesh, remarks, concurrency: arguments.concurrency };
    bench.mesh.databases.settle(TIMEOUT).await?;

    let (peak, fast) = bench.peak(arguments).await?;
    eprintln!("bench: {peak:.0} deliveries a second");
    report.add(Figure::new("deliveries to endpoints that take them, at most", "deliveries/s", vec![peak]));

    let endpoints = arguments.endpoints.max(1) as f64;
    let load = Load { count: arguments.remarks, clients: arguments.clients, rate: peak / 2.0 / endpoints };
    let timed = bench.timed(&fast, load).await?;
    let rate = timed.rate * endpoints;
    report.add(Figure::new("deliveries a second while they were timed", "deliveries/s", vec![rate]));
    for (name, share) in [("p50", 0.50), ("p99", 0.99)] {
        let took = percentile(&timed.took, share).as_secs_f64() * 1_000.0;
        report.add(Figure::new(format!("from asking to the receiver, {name}"), "ms", vec![took]));
    }

    let mut fast = fast.into_iter();
    let one = [fast.next().context("a fast endpoint")?];
    for other in fast {
        bench.remove(&other).await?;
    }
    let (mut alone, mut beside, mut misbehaved) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        let without = bench.p99(&one, load).await?;
        let bad = bench.bad().await?;
        let with = bench.p99(&one, load).await?;
        misbehaved.push(bad.iter().map(|hook| hook.receiver.requests().len()).sum::<usize>() as f64);
        for hook in &bad {
            bench.remove(hook).await?;
        }
        eprintln!("bench: p99 {without:.1} ms alone, {with:.1} ms beside bad ones");
        alone.push(without);
        beside.push(with);
    }
    let ratios = alone.iter().zip(&beside).map(|(alone, beside)| beside / alone).collect();
    report.add(Figure::new("p99 to one endpoint alone", "ms", alone));
    report.add(Figure::new("p99 beside three that hang, fail and send elsewhere", "ms", beside));
    report.add(Figure::new("requests to those three", "requests", misbehaved));
    report.add(Figure::new("beside bad ones, in times of alone", "1", ratios).with_aim(Aim::AtMost(MOST)));
    Ok(report)
}

/// A mesh, and who makes remarks in it.
struct Bench {
    mesh: Mesh,
    remarks: Remarks,
    concurrency: u32,
}

/// An endpoint, and who receives what it is sent.
struct Hook {
    name: String,
    receiver: Receiver,
}

/// Remarks to make.
#[derive(Clone, Copy)]
struct Load {
    count: usize,
    clients: usize,
    /// A second, at most.
    rate: f64,
}

/// What the way to receivers took.
struct Timed {
    /// Remarks a second.
    rate: f64,
    /// Of each remark to each receiver, sorted.
    took: Vec<Duration>,
}

impl Bench {
    /// Deliveries a second of a backlog that stands in the feed already, and the endpoints that took
    /// them.
    async fn peak(&self, arguments: &Arguments) -> anyhow::Result<(f64, Vec<Hook>)> {
        let before = self.head().await?;
        let units: Vec<String> = self.mesh.city.units.iter().map(|unit| unit.name.clone()).collect();
        Backlog::open(&self.mesh).await?.to_each(&units, arguments.events).await?;
        self.mesh.databases.settle(TIMEOUT).await?;
        let begun = Instant::now();
        let mut hooks = Vec::new();
        for _ in 0..arguments.endpoints {
            hooks.push(self.register(Behaviour::status(204), Some(before)).await?);
        }
        let mut last = begun;
        for hook in &hooks {
            let requests = hook.wait_for(arguments.events).await?;
            last = requests.iter().map(|request| request.arrived).fold(last, Instant::max);
        }
        let deliveries = (arguments.events * arguments.endpoints) as f64;
        Ok((deliveries / last.duration_since(begun).as_secs_f64(), hooks))
    }

    /// Makes remarks and times each until every receiver has it.
    async fn timed(&self, hooks: &[Hook], load: Load) -> anyhow::Result<Timed> {
        let before: Vec<usize> = hooks.iter().map(|hook| hook.receiver.requests().len()).collect();
        let Made { asked, seconds } = self.remarks.make_many(load.count, load.clients, load.rate).await?;
        let mut took = Vec::with_capacity(load.count * hooks.len());
        for (hook, before) in hooks.iter().zip(before) {
            let requests = hook.wait_for(before + load.count).await?;
            let mut arrived: HashMap<usize, Instant> = HashMap::new();
            for request in requests.iter().skip(before) {
                let number = number_in(&String::from_utf8_lossy(&request.body)).context("a remark")?;
                arrived.entry(number).or_insert(request.arrived);
            }
            for (number, since) in &asked {
                let arrived = arrived.get(number).with_context(|| format!("remark {number} is lost"))?;
                took.push(arrived.saturating_duration_since(*since));
            }
        }
        took.sort_unstable();
        Ok(Timed { rate: load.count as f64 / seconds, took })
    }

    /// In milliseconds.
    async fn p99(&self, hooks: &[Hook], load: Load) -> anyhow::Result<f64> {
        Ok(percentile(&self.timed(hooks, load).await?.took, 0.99).as_secs_f64() * 1_000.0)
    }

    /// Three endpoints that take nothing.
    async fn bad(&self) -> anyhow::Result<Vec<Hook>> {
        let mut bad = Vec::new();
        for behaviour in
            [Behaviour::Hang, Behaviour::status(500), Behaviour::redirect(302, "http://127.0.0.1:1/")]
        {
            bad.push(self.register(behaviour, None).await?);
        }
        Ok(bad)
    }

    /// Registers an endpoint of remarks: of those after a position of the feed, or of those to come.
    async fn register(&self, behaviour: Behaviour, after: Option<i64>) -> anyhow::Result<Hook> {
        let receiver = Receiver::start().await?;
        receiver.behave(behaviour);
        let endpoint = json!({
            "url": receiver.url("/hook"),
            "displayName": "办公系统",
            "eventFilters": [REMARK],
            "concurrency": self.concurrency,
        });
        let mut request = json!({"endpoint": endpoint, "requestId": request_id()});
        if let (Some(after), Some(fields)) = (after, request.as_object_mut()) {
            fields.insert("after".to_owned(), after.into());
        }
        let made: Value = self.mesh.administrator.call("EndpointService/CreateEndpoint", request).await?;
        Ok(Hook { name: made["name"].as_str().context("a name")?.to_owned(), receiver })
    }

    async fn remove(&self, hook: &Hook) -> anyhow::Result<()> {
        let request = json!({"name": hook.name, "requestId": request_id()});
        self.mesh.administrator.call("EndpointService/DeleteEndpoint", request).await?;
        Ok(())
    }

    /// The last position of the feed.
    async fn head(&self) -> anyhow::Result<i64> {
        let db = self.mesh.databases.of(ServiceName::Notification)?.reader();
        let sql = "SELECT COALESCE(MAX(position), 0) AS head FROM feed";
        let row = db.query_one_raw(statement(db, sql, [])).await?;
        Ok(row.context("a feed")?.try_get_by("head")?)
    }
}

impl Hook {
    async fn wait_for(&self, count: usize) -> anyhow::Result<Vec<ReceivedRequest>> {
        let requests = self.receiver.wait_for(count, TIMEOUT).await;
        ensure!(requests.len() >= count, "{} of {count} webhooks came", requests.len());
        Ok(requests)
    }
}

fn request_id() -> String {
    MachineClock::system().new_id().to_string()
}
