//! Who answers, asked over gRPC straight from a roster process, beside an empty call to the same
//! server.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use domain_roster::{Book, Version};
use sea_orm::ConnectionTrait;
use serde::Serialize;
use serde_json::{Value, json};
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Principal, ServiceName};
use xietong_proto::roster::ResolveRequest;
use xietong_proto::roster::roster_service_client::RosterServiceClient;
use xietong_store::{Db, statement};
use xietong_tests::caller::Caller;
use xietong_tests::city::SUPERVISOR;
use xietong_tests::random::Random;
use xietong_tests::roster::{Size, history, now, unit_name};

use super::copy;
use crate::mesh::Mesh;
use crate::report::{Figure, Report};
use crate::runs::{Runs, Watched, Worker, ratio, warm_up};

const TIMEOUT: Duration = Duration::from_secs(10);
const WARM_UP: Duration = Duration::from_secs(2);
const DAY: Duration = Duration::from_secs(86_400);
/// Rows written in one statement.
const ROWS: usize = 500;

/// Measures requests a second, latencies and the ratio to an empty call, and then copying it.
pub(crate) async fn measure(
    report: &mut Report,
    size: Size,
    runs: usize,
    run: Duration,
    clients: usize,
) -> anyhow::Result<()> {
    let mut mesh = Mesh::start().await?;
    load(mesh.databases.of(ServiceName::Roster)?, size).await?;
    let watched = Watched::this_process().and("roster", mesh.processes(&[ServiceName::Roster])?);
    let principal = Principal::account(SUPERVISOR, None, vec![Grant::of(Role::Supervisor)]);
    let caller = Arc::new(Caller::new(principal, mesh.cluster.gateway_signer()?));
    let (mut askers, mut callers) = (Vec::new(), Vec::new());
    let (of_answers, of_empty) = (Latencies::default(), Latencies::default());
    for seed in 0..clients {
        askers.push(Asker {
            roster: RosterServiceClient::new(mesh.connect(ServiceName::Roster).await?),
            caller: caller.clone(),
            random: Random::seeded(seed as u64),
            units: size.units,
            latencies: of_answers.clone(),
        });
        let health = HealthClient::new(mesh.connect(ServiceName::Roster).await?);
        callers.push(EmptyCaller { health, latencies: of_empty.clone() });
    }
    warm_up(askers.clone(), WARM_UP).await?;
    warm_up(callers.clone(), WARM_UP).await?;
    // The warm-up does not count.
    of_answers.take();
    of_empty.take();
    let (mut answers, mut empty) = (Runs::of("roster, gRPC: Resolve"), Runs::of("roster, gRPC: empty call"));
    for _ in 0..runs {
        answers.run(askers.clone(), run, &watched).await?;
        empty.run(callers.clone(), run, &watched).await?;
    }
    report.add(answers.figure("requests/s"));
    report.add(empty.figure("requests/s"));
    report.add(ratio("Resolve to an empty call", &answers, &empty));
    for (what, latencies) in [("Resolve", of_answers), ("empty call", of_empty)] {
        let mut sorted = latencies.take();
        sorted.sort_by(f64::total_cmp);
        for (name, thousandths) in [("median", 500), ("99 %", 990), ("99.9 %", 999)] {
            let place = sorted.len().saturating_sub(1) * thousandths / 1_000;
            let found = sorted.get(place).copied().unwrap_or_default();
            report.add(Figure::new(format!("latency of {what}, {name}"), "ms", vec![found]));
        }
    }
    copy::measure(report, &mut mesh, size, runs).await
}

/// Milliseconds of calls.
#[derive(Debug, Clone, Default)]
struct Latencies(Arc<Mutex<Vec<f64>>>);

impl Latencies {
    fn note(&self, started: Instant) {
        let milliseconds = started.elapsed().as_secs_f64() * 1e3;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(milliseconds);
    }

    fn take(&self) -> Vec<f64> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Clone)]
struct Asker {
    roster: RosterServiceClient<Channel>,
    caller: Arc<Caller>,
    random: Random,
    units: usize,
    latencies: Latencies,
}

impl Worker for Asker {
    async fn once(&mut self) -> anyhow::Result<()> {
        let number = usize::try_from(self.random.below(self.units as u64))?;
        let at = now().saturating_sub(DAY * 40).as_micros() / 1_000_000;
        let at = prost_types::Timestamp { seconds: at, nanos: 0 };
        let question = ResolveRequest { unit: unit_name(number), at: Some(at), ..ResolveRequest::default() };
        let started = Instant::now();
        let answer = self.roster.resolve(self.caller.request(question, TIMEOUT)?).await?.into_inner();
        self.latencies.note(started);
        answer.accountable.context("nobody answers").map(drop)
    }
}

#[derive(Clone)]
struct EmptyCaller {
    health: HealthClient<Channel>,
    latencies: Latencies,
}

impl Worker for EmptyCaller {
    async fn once(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        self.health.check(HealthCheckRequest::default()).await?;
        self.latencies.note(started);
        Ok(())
    }
}

/// Writes a roster into the tables of the service, past its RPCs: twenty thousand records are
/// there at once, and what is measured reads tables alone.
async fn load(db: &Db, size: Size) -> anyhow::Result<()> {
    let mut book = Book::new();
    for (event, recorded_at) in history(size) {
        book.apply(&event, recorded_at)?;
    }
    let tx = db.begin().await?;
    let sql = "UPDATE roster_head SET version = version + 1 RETURNING version";
    let head = tx.query_one_raw(statement(&tx, sql, [])).await?.context("no head")?;
    let revision: i64 = head.try_get_by("version")?;
    let mut rows: Vec<(&str, String, i64, i64, String)> = Vec::new();
    for unit in book.units() {
        let (version, recorded_at, body) = over_time(book.unit_versions(&unit.name))?;
        rows.push(("units", unit.name.clone(), version, recorded_at, body));
    }
    for official in book.officials() {
        let (version, recorded_at, body) = over_time(book.official_versions(&official.name))?;
        rows.push(("officials", official.name.clone(), version, recorded_at, body));
    }
    for division in book.divisions() {
        let body = serde_json::to_string(division)?;
        rows.push(("divisions", division.name.clone(), 1, division.record_time.as_micros(), body));
    }
    for absence in book.absences() {
        let mut body = serde_json::to_value(absence)?;
        if let Value::Object(fields) = &mut body {
            fields.insert("told".to_owned(), json!("ended"));
        }
        rows.push(("absences", absence.name.clone(), 1, absence.recorded_at.as_micros(), body.to_string()));
    }
    for table in ["units", "officials", "divisions", "absences"] {
        let own: Vec<_> = rows.iter().filter(|row| row.0 == table).collect();
        for several in own.chunks(ROWS) {
            let places: Vec<String> = (0..several.len())
                .map(|row| {
                    let first = row * 4;
                    format!(
                        "(${}, ${}, {revision}, {revision}, ${}, ${})",
                        first + 1,
                        first + 2,
                        first + 3,
                        first + 4
                    )
                })
                .collect();
            let sql = format!(
                "INSERT INTO {table} (name, version, created_revision, revision, recorded_at, body) VALUES {}",
                places.join(", ")
            );
            let values = several.iter().flat_map(|(_, name, version, recorded_at, body)| {
                [name.clone().into(), (*version).into(), (*recorded_at).into(), body.clone().into()]
            });
            tx.execute_raw(statement(&tx, &sql, values.collect::<Vec<sea_orm::Value>>())).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// The version, the time of recording and the JSON of a record with all that it became.
fn over_time<'a, T: Serialize + 'a>(
    mut versions: impl Iterator<Item = &'a Version<T>>,
) -> anyhow::Result<(i64, i64, String)> {
    let first = versions.next().context("a record without a version")?;
    let mut body = serde_json::to_value(&first.value)?;
    let mut changes = Vec::new();
    for version in versions {
        let mut change = serde_json::to_value(&version.value)?;
        if let Value::Object(fields) = &mut change {
            fields.insert("recordedAt".to_owned(), serde_json::to_value(version.recorded_at)?);
            if let Some(effective) = version.effective_time {
                fields.insert("effectiveTime".to_owned(), serde_json::to_value(effective)?);
            }
        }
        changes.push(change);
    }
    let version = i64::try_from(changes.len() + 1)?;
    if let (Value::Object(fields), false) = (&mut body, changes.is_empty()) {
        fields.insert("changes".to_owned(), Value::Array(changes));
    }
    Ok((version, first.recorded_at.as_micros(), body.to_string()))
}
