//! `bench create`: durable task creations a second through the supervision service's gRPC,
//! with all five services running, against a driver that writes the same rows in the same
//! transaction to the same PostgreSQL over as many connections.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use xietong_events::Bus;
use xietong_mesh::drain::Drain;
use xietong_mesh::token::{Issuer, Signer, SigningKey, generate_keypair};
use xietong_mesh::{Ground, Peers, ServiceName};
use xietong_store::{CrashPoints, Db, statement};
use xietong_testkit::servers;
use xietong_tests::process::Process;
use xietong_tests::settled::is_settled;
use xietong_testkit::wait::wait_for;
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
#[derive(Debug, Clone, Copy)]
struct Act {
    name: &'static str,
    issue: bool,
}

const ACTS: [Act; 2] = [
    Act { name: "a draft", issue: false },
    // Its clocks start, so timers are written too, and its units are told of it.
    Act { name: "a task issued in the same act", issue: true },
];

pub(crate) async fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    let mut report = Report::new("create");
    report.setting("runs", arguments.runs);
    report.setting("seconds", arguments.seconds);
    report.setting("clients", arguments.clients);
    report.setting("connections", CONNECTIONS);
    let mesh = Mesh::start().await?;
    for act in ACTS {
        compare(&mesh, act, arguments, &mut report).await?;
    }
    Ok(report)
}

async fn compare(mesh: &Mesh, act: Act, arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    let creators = |count| {
        Creator::several(count, &mesh.urls[&ServiceName::Supervision], &mesh.gateway, &mesh.city.units, act.issue)
    };
    let (request_id, task) = creators(1).await?.pop().context("a client")?.create().await?;
    let database = mesh.databases.get(&ServiceName::Supervision).context("a database")?;
    let footprint = Footprint::read(database, &task.name, &request_id).await?;
    report.setting(if act.issue { "rows_of_an_issued_task" } else { "rows_of_a_draft" }, footprint.summary());

    let url = copy_of_the_schema().await?;
    let driven = Db::connect(&url, CONNECTIONS, CrashPoints::default()).await?;
    let driver = Driver::new(driven.clone(), footprint.clone())?;
    let drivers = || vec![driver.clone(); arguments.clients];

    let postgres = first_process(database).await?;
    let supervision = Process::of(mesh.process(ServiceName::Supervision)?);
    let mut others = Vec::new();
    for service in ServiceName::ALL.into_iter().filter(|service| *service != ServiceName::Supervision) {
        others.push(Process::of(mesh.process(service)?));
    }
    let watched = Watched::this_process()
        .and("supervision", vec![supervision])
        .and("other_services", others)
        .and_with_children("postgres", postgres);

    warm_up(creators(arguments.clients).await?, WARM_UP).await?;
    warm_up(drivers(), WARM_UP).await?;
    let written = count_rows(driven.reader(), &footprint).await?;
    let mut service = Runs::of(format!("{}: through the service", act.name));
    let mut bare = Runs::of(format!("{}: by the driver", act.name));
    for _ in 0..arguments.runs {
        let duration = Duration::from_secs(arguments.seconds);
        service.run(creators(arguments.clients).await?, duration, &watched).await?;
        // What follows from the creations must not slow the driver down.
        settle(&mesh.databases).await?;
        bare.run(drivers(), duration, &watched).await?;
    }
    same_rows(driven.reader(), &footprint, &written, bare.done()).await?;

    report.add(service.figure("tasks/s"));
    report.add(bare.figure("tasks/s"));
    report.add(ratio(&format!("{}: service to driver", act.name), &service, &bare).with_aim(Aim::AtLeast(0.5)));
    driven.close().await?;
    Ok(())
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

async fn settle(databases: &BTreeMap<ServiceName, DatabaseConnection>) -> anyhow::Result<()> {
    wait_for("the mesh to settle", SETTLES_WITHIN, async || is_settled(databases).await.unwrap_or(false)).await?;
    Ok(())
}

/// The process of PostgreSQL that starts one for each session.
async fn first_process(database: &DatabaseConnection) -> anyhow::Result<Process> {
    let row = database.query_one_raw(statement(database, "SELECT pg_backend_pid() AS pid", [])).await?;
    let pid: i32 = row.context("no session")?.try_get_by("pid")?;
    Ok(Process::of(pid.try_into()?).parent()?)
}

/// How many rows each of the tables has.
async fn count_rows(database: &DatabaseConnection, footprint: &Footprint) -> anyhow::Result<Vec<i64>> {
    let mut counts = Vec::new();
    for rows in footprint.tables() {
        let sql = format!("SELECT COUNT(*) AS count FROM {}", rows.table);
        let row = database.query_one_raw(statement(database, &sql, [])).await?;
        counts.push(row.context("no count")?.try_get_by("count")?);
    }
    Ok(counts)
}

/// Checks that the driver wrote the rows it says it wrote.
async fn same_rows(
    database: &DatabaseConnection,
    footprint: &Footprint,
    before: &[i64],
    creations: u64,
) -> anyhow::Result<()> {
    let after = count_rows(database, footprint).await?;
    for ((rows, before), after) in footprint.tables().into_iter().zip(before).zip(&after) {
        let expected = i64::try_from(rows.rows.len())? * i64::try_from(creations)?;
        ensure!(after - before == expected, "the driver wrote {} rows to {}, not {expected}", after - before, rows.table);
    }
    Ok(())
}

/// A connection for looking at a database.
pub(crate) async fn look_into(url: &str) -> anyhow::Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Ok(Database::connect(options).await?)
}
