//! `bench notices`: how fast what happens reaches inboxes. Events a second at most, while a backlog is
//! worked off; from asking to the reader's stream at half of that; a notice to ten thousand people.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Args;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use xietong_events::{Act, Append, Draft, EventLog};
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Principal, ServiceName};
use xietong_proto::notification::StreamInboxRequest;
use xietong_proto::notification::inbox_service_client::InboxServiceClient;
use xietong_proto::supervision::CreateCommentRequest;
use xietong_proto::supervision::comment_service_client::CommentServiceClient;
use xietong_store::{Db, statement};
use xietong_tests::caller::Caller;
use xietong_tests::city::{SUPERVISOR, Unit};
use xietong_timers::{Clock, MachineClock};

use crate::load::Creator;
use crate::mesh::Mesh;
use crate::report::{Figure, Report};

const TIMEOUT: Duration = Duration::from_secs(600);
const LOOK: Duration = Duration::from_millis(20);
/// Events that are recorded in one transaction.
const BATCH: usize = 500;
const REMARK: &str = "supervision.comment.made";

/// How to measure it.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Events of the backlog, each of which is told to one person.
    #[arg(long, default_value_t = 20_000)]
    events: usize,
    /// Remarks whose way is timed.
    #[arg(long, default_value_t = 2_000)]
    remarks: usize,
    /// People whom one notice reaches.
    #[arg(long, default_value_t = 10_000)]
    recipients: usize,
    /// Who makes remarks at a time.
    #[arg(long, default_value_t = 16)]
    clients: usize,
}

pub(crate) async fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    let mut report = Report::new("notices");
    report.setting("events", arguments.events);
    report.setting("remarks", arguments.remarks);
    report.setting("recipients", arguments.recipients);
    report.setting("clients", arguments.clients);
    let mut mesh = Mesh::start().await?;
    let mut creators = Creator::several(&mut mesh, 1, true).await?;
    let (task, _) = creators.first_mut().context("who enters the task")?.create().await?;
    let unit = mesh.city.units.first().context("a unit")?.clone();
    let remarks = Remarks {
        channel: mesh.connect(ServiceName::Supervision).await?,
        caller: Arc::new(Caller::new(
            Principal::account(SUPERVISOR, None, vec![Grant::of(Role::Supervisor)]),
            mesh.cluster.gateway_signer()?,
        )),
        task: task.name,
        unit: unit.name.clone(),
    };
    remarks.make("一次提示").await?;
    mesh.databases.settle(TIMEOUT).await?;

    let backlog = Backlog::open(&mesh).await?;
    let names: Vec<String> = mesh.city.units.iter().map(|unit| unit.name.clone()).collect();
    let peak = backlog.worked_off(&mut mesh, arguments.events, &names).await?;
    eprintln!("bench: {peak:.0} events a second into inboxes");
    report.add(Figure::new("events into inboxes, at most", "events/s", vec![peak]));

    let (rate, took) = remarks.timed(&mut mesh, &unit, arguments, peak / 2.0).await?;
    report.add(Figure::new("remarks a second while they were timed", "events/s", vec![rate]));
    for (name, share) in [("p50", 0.50), ("p99", 0.99)] {
        let took = percentile(&took, share).as_secs_f64() * 1_000.0;
        report.add(Figure::new(format!("from asking to the reader's stream, {name}"), "ms", vec![took]));
    }

    eprintln!("bench: founding {} units", arguments.recipients);
    let people = found_units(&mesh, arguments.recipients).await?;
    mesh.databases.settle(TIMEOUT).await?;
    let seconds = backlog.told(&mesh, &people).await?;
    report.add(Figure::new("a notice until it is in every inbox", "s", vec![seconds]));
    Ok(report)
}

/// Remarks that a supervisor makes on a task.
struct Remarks {
    channel: Channel,
    caller: Arc<Caller>,
    task: String,
    unit: String,
}

impl Remarks {
    async fn make(&self, text: &str) -> anyhow::Result<()> {
        let message = CreateCommentRequest {
            parent: self.task.clone(),
            text: text.to_owned(),
            units: vec![self.unit.clone()],
            request_id: MachineClock::system().new_id().to_string(),
        };
        let mut client = CommentServiceClient::new(self.channel.clone());
        client.create_comment(self.caller.request(message, TIMEOUT)?).await.context("a remark")?;
        Ok(())
    }

    /// Makes remarks, at most so many a second, and times each until the reader's stream has it. How
    /// many a second they were, and what each took.
    async fn timed(
        &self,
        mesh: &mut Mesh,
        unit: &Unit,
        arguments: &Arguments,
        at_most: f64,
    ) -> anyhow::Result<(f64, Vec<Duration>)> {
        let principal =
            Principal::account("liaison", Some(unit.liaison.clone()), vec![Grant::of(Role::Liaison)]);
        let reader = Caller::new(principal, mesh.cluster.gateway_signer()?);
        let mut client = InboxServiceClient::new(mesh.connect(ServiceName::Notification).await?);
        let resume_after = last_number(mesh, &unit.liaison).await?;
        let request = StreamInboxRequest { resume_after, ..StreamInboxRequest::default() };
        let mut stream = client.stream_inbox(reader.request(request, TIMEOUT)?).await?.into_inner();
        let (asked, mut asking) = mpsc::unbounded_channel::<(usize, Instant)>();
        let pause = Duration::from_secs_f64(1.0 / at_most.max(1.0));
        let begun = Instant::now();
        let speaking = async {
            let mut speaking = JoinSet::new();
            let this = Arc::new(Remarks {
                channel: self.channel.clone(),
                caller: self.caller.clone(),
                task: self.task.clone(),
                unit: self.unit.clone(),
            });
            for client in 0..arguments.clients {
                let (this, asked) = (this.clone(), asked.clone());
                let mine = (client..arguments.remarks).step_by(arguments.clients.max(1));
                speaking.spawn(async move {
                    for number in mine {
                        let due = begun + pause.saturating_mul(u32::try_from(number)?);
                        tokio::time::sleep_until(due.into()).await;
                        asked.send((number, Instant::now()))?;
                        this.make(&format!("第{number}次提示")).await?;
                    }
                    anyhow::Ok(())
                });
            }
            while let Some(ended) = speaking.join_next().await {
                ended??;
            }
            anyhow::Ok(begun.elapsed().as_secs_f64())
        };
        let hearing = async {
            let mut arrived: HashMap<usize, Instant> = HashMap::new();
            while arrived.len() < arguments.remarks {
                let arrival = stream.message().await?.context("the stream ended")?;
                let now = Instant::now();
                let body = arrival.message.map(|message| message.body).unwrap_or_default();
                if let Some(number) = number_in(&body) {
                    arrived.insert(number, now);
                }
            }
            anyhow::Ok(arrived)
        };
        let (seconds, arrived) = tokio::join!(speaking, tokio::time::timeout(TIMEOUT, hearing));
        let (seconds, arrived) = (seconds?, arrived.context("not every remark arrived")??);
        let mut took = Vec::with_capacity(arguments.remarks);
        while let Ok((number, since)) = asking.try_recv() {
            let arrived = arrived.get(&number).context("a remark that arrived")?;
            took.push(arrived.saturating_duration_since(since));
        }
        took.sort_unstable();
        Ok((arguments.remarks as f64 / seconds, took))
    }
}

/// The number in `第7次提示`.
fn number_in(body: &str) -> Option<usize> {
    body.split_once("次提示")?.0.rsplit_once('第')?.1.parse().ok()
}

fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
}

async fn last_number(mesh: &Mesh, official: &str) -> anyhow::Result<i64> {
    let db = mesh.databases.of(ServiceName::Notification)?.reader();
    let sql = "SELECT last_number FROM inboxes WHERE official = $1";
    let row = db.query_one_raw(statement(db, sql, [official.into()])).await?;
    Ok(row.map(|row| row.try_get_by("last_number")).transpose()?.unwrap_or(0))
}

/// Events that are recorded faster than anybody acts: remarks like one that was made.
struct Backlog {
    log: EventLog,
    db: Db,
    remark: Value,
}

impl Backlog {
    async fn open(mesh: &Mesh) -> anyhow::Result<Self> {
        let db = mesh.databases.of(ServiceName::Supervision)?.clone();
        let sql = "SELECT payload FROM events WHERE type = $1 LIMIT 1";
        let row = db.reader().query_one_raw(statement(db.reader(), sql, [REMARK.into()])).await?;
        let payload: String = row.context("a remark in the log")?.try_get_by("payload")?;
        let log = EventLog::open(ServiceName::Supervision.as_str(), db.clone()).await?;
        Ok(Backlog { log, db, remark: serde_json::from_str(&payload)? })
    }

    /// A remark to units.
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

    /// Records events while nobody reads them, then lets them be read: how many a second become
    /// messages.
    async fn worked_off(&self, mesh: &mut Mesh, events: usize, units: &[String]) -> anyhow::Result<f64> {
        ensure!(!units.is_empty(), "no unit is there to be told");
        let before = messages(mesh).await?;
        mesh.cluster.pause(ServiceName::Notification).await?;
        let appends =
            (0..events).map(|number| self.remark(std::slice::from_ref(&units[number % units.len()])));
        let appends: Vec<Append> = appends.collect::<Result<_, _>>()?;
        for batch in appends.chunks(BATCH) {
            self.record(batch).await?;
        }
        sequenced(&self.db).await?;
        mesh.cluster.resume(ServiceName::Notification).await?;
        let seconds = until_there(mesh, before + i64::try_from(events)?).await?;
        Ok(events as f64 / seconds)
    }

    /// Tells all of these units of one event: how long until each has it.
    async fn told(&self, mesh: &Mesh, units: &[String]) -> anyhow::Result<f64> {
        let before = messages(mesh).await?;
        let remark = self.remark(units)?;
        self.record(std::slice::from_ref(&remark)).await?;
        until_there(mesh, before + i64::try_from(units.len())?).await
    }
}

async fn messages(mesh: &Mesh) -> anyhow::Result<i64> {
    let db = mesh.databases.of(ServiceName::Notification)?.reader();
    let row = db.query_one_raw(statement(db, "SELECT COUNT(*) AS messages FROM messages", [])).await?;
    Ok(row.context("a count")?.try_get_by("messages")?)
}

/// Waits until there are as many messages, and says how long that was in seconds.
async fn until_there(mesh: &Mesh, expected: i64) -> anyhow::Result<f64> {
    let begun = Instant::now();
    loop {
        let there = messages(mesh).await?;
        if there >= expected {
            return Ok(begun.elapsed().as_secs_f64());
        }
        if begun.elapsed() > TIMEOUT {
            bail!("{there} of {expected} messages are there after {TIMEOUT:?}");
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Waits until every event has its position.
async fn sequenced(db: &Db) -> anyhow::Result<()> {
    let begun = Instant::now();
    let sql = "SELECT 1 AS waiting FROM events WHERE position IS NULL LIMIT 1";
    while db.reader().query_one_raw(statement(db.reader(), sql, [])).await?.is_some() {
        ensure!(begun.elapsed() < TIMEOUT, "events are not sequenced after {TIMEOUT:?}");
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Founds units, each with a liaison.
async fn found_units(mesh: &Mesh, count: usize) -> anyhow::Result<Vec<String>> {
    let mut units = Vec::with_capacity(count);
    for number in 1..=count {
        let slug = format!("many-{number}");
        let named = json!({"displayName": format!("第{number}村"), "kind": "UNIT_KIND_DEPARTMENT"});
        let request = json!({"unitId": slug, "unit": named, "requestId": format!("many/{number}")});
        mesh.administrator.call("DirectoryService/CreateUnit", request).await.context("a unit")?;
        let unit = format!("units/{slug}");
        let post = json!({"kind": "POST_KIND_LIAISON", "unit": unit, "title": "联络员"});
        let official = json!({"displayName": format!("第{number}村联络员"), "posts": [post]});
        let request = json!({"officialId": format!("many-{number}"), "official": official,
                             "requestId": format!("many/officials/{number}")});
        mesh.administrator.call("DirectoryService/CreateOfficial", request).await.context("an official")?;
        units.push(unit);
    }
    Ok(units)
}
