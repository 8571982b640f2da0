//! `bench create`: durable task creations a second through the supervision service's gRPC,
//! with all five services running, against a driver that writes the same rows in the same
//! transaction to the same PostgreSQL over as many connections.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use sea_orm::{ConnectionTrait, DatabaseConnection};
use xietong_events::Bus;
use xietong_mesh::drain::Drain;
use xietong_mesh::token::{Issuer, Signer, SigningKey, generate_keypair};
use xietong_mesh::{Ground, Peers, ServiceName};
use xietong_store::{CrashPoints, Db, statement};
use xietong_testkit::servers;
use xietong_testkit::wait::wait_for_value;
use xietong_tests::process::Process;
use xietong_timers::{Clock, MachineClock};

use crate::driver::Driver;
use crate::footprint::Footprint;
use crate::load::Creator;
use crate::mesh::Mesh;
use crate::report::{Aim, Report};
use crate::runs::{Runs, Watched, ratio, warm_up};

/// Connections of the service's pool to its database, which is its default, and the driver's.
const CONNECTIONS: u32 = 10;
const SETTLES_WITHIN: Duration = Duration::from_secs(120);
const WARM_UP: Duration = Duration::from_secs(2);

/// How to measure it.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Runs of each.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// How long a run takes.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Creations at a time, of the clients and of the driver.
    #[arg(long, default_value_t = 16)]
    clients: usize,
}

/// What is created.
struct Act {
    name: &'static str,
    issue: bool,
    /// What the report calls its rows.
    rows: &'static str,
    /// What the service is to reach of the driver's rate.
    aim: Option<Aim>,
}

const ACTS: [Act; 2] = [
    Act { name: "a draft", issue: false, rows: "rows_of_a_draft", aim: Some(Aim::AtLeast(0.5)) },
    // Its clocks start, so timers are written too. Its units are told of it as well, on the
    // same processors and in other databases, which the driver does not do: so it has no aim.
    Act { name: "a task issued at once", issue: true, rows: "rows_of_a_task_issued_at_once", aim: None },
];

pub(crate) async fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    let mut report = Report::new("create");
    report.setting("runs", arguments.runs);
    report.setting("seconds", arguments.seconds);
    report.setting("clients", arguments.clients);
    report.setting("connections", CONNECTIONS);
    let mut mesh = Mesh::start().await?;
    for act in &ACTS {
        compare(&mut mesh, act, arguments, &mut report).await?;
    }
    Ok(report)
}

async fn compare(
    mesh: &mut Mesh,
    act: &Act,
    arguments: &Arguments,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (task, request_id) = first_task(mesh, act.issue).await?;
    mesh.databases.settle(SETTLES_WITHIN).await?;
    let database = mesh.databases.of(ServiceName::Supervision)?.reader();
    let footprint = Footprint::read(database, &task, &request_id).await?;
    report.setting(act.rows, footprint.summary());

    let driven = Db::connect(&copy_of_the_schema().await?, CONNECTIONS, CrashPoints::default()).await?;
    let driver = Driver::new(driven.clone(), footprint.clone())?;
    let drivers = || vec![driver.clone(); arguments.clients];

    let postgres = first_process(database).await?;
    let others: Vec<_> =
        ServiceName::ALL.into_iter().filter(|name| *name != ServiceName::Supervision).collect();
    let watched = Watched::this_process()
        .and("supervision", mesh.processes(&[ServiceName::Supervision])?)
        .and("other_services", mesh.processes(&others)?)
        .and_with_children("postgres", postgres);

    warm_up(Creator::several(mesh, arguments.clients, act.issue).await?, WARM_UP).await?;
    warm_up(drivers(), WARM_UP).await?;
    let written = count_rows(&driven, &footprint).await?;
    let mut service = Runs::of(format!("{}: through the service", act.name));
    let mut bare = Runs::of(format!("{}: by the driver", act.name));
    let duration = Duration::from_secs(arguments.seconds);
    for _ in 0..arguments.runs {
        service.run(Creator::several(mesh, arguments.clients, act.issue).await?, duration, &watched).await?;
        // What follows from the creations must not slow the driver down.
        mesh.databases.settle(SETTLES_WITHIN).await?;
        bare.run(drivers(), duration, &watched).await?;
    }
    same_rows(&driven, &footprint, &written, bare.done()).await?;
    driven.close().await?;

    let compared = ratio(&format!("{}: service to driver", act.name), &service, &bare);
    report.add(service.figure("tasks/s"));
    report.add(bare.figure("tasks/s"));
    report.add(match act.aim {
        Some(aim) => compared.with_aim(aim),
        None => compared,
    });
    Ok(())
}

/// Enters the task whose rows the driver copies, once the roster's copy has its units.
async fn first_task(mesh: &mut Mesh, issue: bool) -> anyhow::Result<(String, String)> {
    let mut creator = Creator::several(mesh, 1, issue).await?.pop().context("a client")?;
    let entered =
        wait_for_value("the units to be known", SETTLES_WITHIN, async || creator.create().await.ok());
    let (task, request_id) = entered.await?;
    Ok((task.name, request_id))
}

/// A new database with the tables of the supervision service and nothing in them.
async fn copy_of_the_schema() -> anyhow::Result<String> {
    let url = servers::postgres_database("driver").await?;
    let name = ServiceName::Supervision;
    let key = SigningKey::from_pem(&generate_keypair()?.private_pem)?;
    let signer = Signer::new(Issuer::System(name), key, MachineClock::system());
    let ground = Ground {
        name,
        database_url: url.clone(),
        connections: 2,
        crash: CrashPoints::default(),
        clock: Clock::real(),
        bus: Bus::embedded(),
        peers: Peers::new(name, &BTreeMap::new(), signer)?,
        drain: Drain::new(),
    };
    // Put together, which brings the database to its newest schema, and never run.
    let service = xietong_supervision::build(ground).await?;
    service.db.close().await?;
    Ok(url)
}

/// The process of PostgreSQL that starts one for each session.
async fn first_process(database: &DatabaseConnection) -> anyhow::Result<Process> {
    let row = database.query_one_raw(statement(database, "SELECT pg_backend_pid() AS pid", [])).await?;
    let pid: i32 = row.context("no session")?.try_get_by("pid")?;
    Ok(Process::of(pid.try_into()?).parent()?)
}

/// How many rows each of the tables has.
async fn count_rows(db: &Db, footprint: &Footprint) -> anyhow::Result<Vec<i64>> {
    let database = db.reader();
    let mut counts = Vec::new();
    for rows in footprint.tables() {
        let sql = format!("SELECT COUNT(*) AS count FROM {}", rows.table);
        let row = database.query_one_raw(statement(database, &sql, [])).await?;
        counts.push(row.context("no count")?.try_get_by("count")?);
    }
    Ok(counts)
}

/// Checks that the driver wrote the rows it says it wrote.
async fn same_rows(db: &Db, footprint: &Footprint, before: &[i64], creations: u64) -> anyhow::Result<()> {
    let after = count_rows(db, footprint).await?;
    for ((rows, before), after) in footprint.tables().into_iter().zip(before).zip(&after) {
        let expected = i64::try_from(rows.rows.len())? * i64::try_from(creations)?;
        ensure!(
            after - before == expected,
            "the driver wrote {} rows to {}, not {expected}",
            after - before,
            rows.table
        );
    }
    Ok(())
}
