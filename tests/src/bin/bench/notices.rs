//! `bench notices`: how fast what happens reaches inboxes. Events a second at most, while a backlog is
//! worked off; from asking to the reader's stream at half of that; a notice to ten thousand people.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;
use sea_orm::ConnectionTrait;
use serde_json::json;
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Principal, ServiceName};
use xietong_proto::notification::StreamInboxRequest;
use xietong_proto::notification::inbox_service_client::InboxServiceClient;
use xietong_store::statement;
use xietong_tests::caller::Caller;
use xietong_tests::city::Unit;

use crate::backlog::Backlog;
use crate::mesh::Mesh;
use crate::remarks::{Made, Remarks, number_in, percentile};
use crate::report::{Figure, Report};

const TIMEOUT: Duration = Duration::from_secs(600);
const LOOK: Duration = Duration::from_millis(20);
/// Rows of a table that the directory is founded by.
const ROWS: usize = 5_000;

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
    let remarks = Remarks::open(&mut mesh).await?;
    mesh.databases.settle(TIMEOUT).await?;

    let backlog = Backlog::open(&mesh).await?;
    let peak = worked_off(&backlog, &mut mesh, arguments.events).await?;
    eprintln!("bench: {peak:.0} events a second into inboxes");
    report.add(Figure::new("events into inboxes, at most", "events/s", vec![peak]));

    let (rate, took) = timed(&remarks, &mut mesh, arguments, peak / 2.0).await?;
    report.add(Figure::new("remarks a second while they were timed", "events/s", vec![rate]));
    for (name, share) in [("p50", 0.50), ("p99", 0.99)] {
        let took = percentile(&took, share).as_secs_f64() * 1_000.0;
        report.add(Figure::new(format!("from asking to the reader's stream, {name}"), "ms", vec![took]));
    }

    eprintln!("bench: founding {} units", arguments.recipients);
    let begun = Instant::now();
    let people = found_units(&mesh, arguments.recipients).await?;
    mesh.databases.settle(TIMEOUT).await?;
    eprintln!("bench: founded in {:.0} s", begun.elapsed().as_secs_f64());
    let seconds = told(&backlog, &mesh, &people).await?;
    report.add(Figure::new("a notice until it is in every inbox", "s", vec![seconds]));
    Ok(report)
}

/// Makes remarks, at most so many a second, and times each until the reader's stream has it. How many
/// a second they were, and what each took.
async fn timed(
    remarks: &Remarks,
    mesh: &mut Mesh,
    arguments: &Arguments,
    at_most: f64,
) -> anyhow::Result<(f64, Vec<Duration>)> {
    let Unit { liaison, .. } = mesh.city.units.first().context("a unit")?.clone();
    let principal = Principal::account("liaison", Some(liaison.clone()), vec![Grant::of(Role::Liaison)]);
    let reader = Caller::new(principal, mesh.cluster.gateway_signer()?);
    let mut client = InboxServiceClient::new(mesh.connect(ServiceName::Notification).await?);
    let resume_after = last_number(mesh, &liaison).await?;
    let request = StreamInboxRequest { resume_after, ..StreamInboxRequest::default() };
    let mut stream = client.stream_inbox(reader.request(request, TIMEOUT)?).await?.into_inner();
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
    let speaking = remarks.make_many(arguments.remarks, arguments.clients, at_most);
    let (made, arrived) = tokio::join!(speaking, tokio::time::timeout(TIMEOUT, hearing));
    let Made { asked, seconds } = made?;
    let arrived = arrived.context("not every remark arrived")??;
    let mut took = Vec::with_capacity(arguments.remarks);
    for (number, since) in asked {
        let arrived = arrived.get(&number).context("a remark that arrived")?;
        took.push(arrived.saturating_duration_since(since));
    }
    took.sort_unstable();
    Ok((arguments.remarks as f64 / seconds, took))
}

async fn last_number(mesh: &Mesh, official: &str) -> anyhow::Result<i64> {
    let db = mesh.databases.of(ServiceName::Notification)?.reader();
    let sql = "SELECT last_number FROM inboxes WHERE official = $1";
    let row = db.query_one_raw(statement(db, sql, [official.into()])).await?;
    Ok(row.map(|row| row.try_get_by("last_number")).transpose()?.unwrap_or(0))
}

/// Records events while nobody reads them, then lets them be read: how many a second become messages.
async fn worked_off(backlog: &Backlog, mesh: &mut Mesh, events: usize) -> anyhow::Result<f64> {
    let units: Vec<String> = mesh.city.units.iter().map(|unit| unit.name.clone()).collect();
    let before = messages(mesh).await?;
    mesh.cluster.pause(ServiceName::Notification).await?;
    backlog.to_each(&units, events).await?;
    mesh.cluster.resume(ServiceName::Notification).await?;
    let seconds = until_there(mesh, before + i64::try_from(events)?).await?;
    Ok(events as f64 / seconds)
}

/// Tells all of these units of one event: how long until each has it.
async fn told(backlog: &Backlog, mesh: &Mesh, units: &[String]) -> anyhow::Result<f64> {
    let before = messages(mesh).await?;
    backlog.to_all(units).await?;
    until_there(mesh, before + i64::try_from(units.len())?).await
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

/// Founds units, each with a liaison, by tables: one call for each unit would copy the whole roster
/// each time, since a write decides on a copy of its own.
async fn found_units(mesh: &Mesh, count: usize) -> anyhow::Result<Vec<String>> {
    let numbers: Vec<usize> = (1..=count).collect();
    for (part, numbers) in numbers.chunks(ROWS).enumerate() {
        let units = numbers.iter().map(|number| format!("many-{number},第{number}村,市政府部门\n"));
        let liaisons = numbers
            .iter()
            .map(|number| format!("many-{number},第{number}村联络员,联络员,many-{number},联络员\n"));
        for (table, heading, rows) in [
            ("DIRECTORY_TABLE_UNITS", "标识,名称,类别\n", units.collect::<String>()),
            ("DIRECTORY_TABLE_OFFICIALS", "标识,姓名,职务类别,单位,职务\n", liaisons.collect()),
        ] {
            let request = json!({
                "table": table,
                "csv": format!("{heading}{rows}"),
                "requestId": format!("many/{table}/{part}"),
            });
            let found = mesh.administrator.call("ExchangeService/ImportDirectory", request);
            found.await.with_context(|| table.to_owned())?;
        }
    }
    Ok(numbers.iter().map(|number| format!("units/many-{number}")).collect())
}
