//! `bench ledger`: a ledger of a million open tasks on PostgreSQL with two replicas of the
//! supervision service: how long lists take, what a look for due timers costs, and how long a
//! hundred thousand timers that are due in one second take to be worked off.

mod bulk;
mod burst;
mod fill;
mod lists;
mod mesh;
mod tick;

use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;

use crate::report::{Aim, Figure, Report};
use mesh::LedgerMesh;

/// Milliseconds that a page of the ledger takes at most, of a hundred asked for in a row.
const PAGE_WITHIN: f64 = 20.0;
/// How much longer it may take while timers are worked off.
const SLOWER_AT_MOST: f64 = 2.0;
/// How much more a look for due timers may cost on the large ledger than on the small one.
const FLAT: f64 = 2.0;

/// How to measure it.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Open tasks on the small ledger.
    #[arg(long, default_value_t = 10_000)]
    few: u32,
    /// Open tasks on the large ledger.
    #[arg(long, default_value_t = 1_000_000)]
    tasks: u32,
    /// Timers that are due in one second.
    #[arg(long, default_value_t = 100_000)]
    due: u32,
    /// Seconds that lists are read for while nothing else goes on.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Lists asked for a second, of both replicas together.
    #[arg(long, default_value_t = 40)]
    reads: u32,
}

pub(crate) async fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    ensure!(arguments.few >= 1_000 && arguments.tasks >= arguments.few, "a ledger has a thousand tasks");
    ensure!(
        2 * arguments.due <= arguments.tasks,
        "half of the tasks may fall due, the driver has the others"
    );
    let mut report = Report::new("ledger");
    report.setting("few", arguments.few);
    report.setting("tasks", arguments.tasks);
    report.setting("due", arguments.due);
    report.setting("reads_a_second", arguments.reads);
    report.setting("replicas", 2);

    let mut mesh = LedgerMesh::start().await?;
    let fill = fill::Filling::new(&mut mesh, arguments.due).await?;
    fill.up_to(arguments.few).await?;
    mesh.rest().await?;
    let small = tick::measure(&mesh).await?;
    let filled = fill.up_to(arguments.tasks).await?;
    mesh.rest().await?;
    let large = tick::measure(&mesh).await?;
    report.add(Figure::new("work under way entered", "tasks/s", vec![filled]));
    report.add(small.figure("a look for due timers, few tasks"));
    report.add(large.figure("a look for due timers, all tasks"));
    let ratio = Figure::new("the same, all tasks to few", "1", vec![large.median() / small.median()]);
    report.add(ratio.with_aim(Aim::AtMost(FLAT)));

    burst::prepare(&mesh, arguments.due).await?;
    let quiet = lists::read_for(&mut mesh, arguments.reads, Duration::from_secs(arguments.seconds)).await?;
    for (kind, latencies) in &quiet {
        let figure = latencies.figure(format!("{}: p99, quiet", kind.name()));
        report.add(figure.with_aim(Aim::AtMost(PAGE_WITHIN)));
    }

    let work = burst::work_off(&mut mesh, arguments.due, arguments.reads).await?;
    report.add(Figure::new("timers worked off", "s", vec![work.seconds]));
    report.add(Figure::new("timers worked off", "timers/s", vec![f64::from(arguments.due) / work.seconds]));
    for (kind, busy) in &work.reads {
        report.add(busy.figure(format!("{}: p99, while they are worked off", kind.name())));
        let quiet = quiet.get(kind).context("it was read before")?;
        let ratio = busy.p99() / quiet.p99();
        let figure = Figure::new(format!("{}: p99, busy to quiet", kind.name()), "1", vec![ratio]);
        report.add(figure.with_aim(Aim::AtMost(SLOWER_AT_MOST)));
    }
    let driven = bulk::write(&mesh, arguments.due).await?;
    report.add(Figure::new("the same rows by multi-row statements", "s", vec![driven]));
    report.add(Figure::new("timers worked off, to multi-row statements", "1", vec![work.seconds / driven]));

    mesh.rest().await?;
    for (kind, latencies) in
        lists::read_for(&mut mesh, arguments.reads, Duration::from_secs(arguments.seconds)).await?
    {
        let figure = latencies.figure(format!("{}: p99, with the overdue", kind.name()));
        report.add(figure.with_aim(Aim::AtMost(PAGE_WITHIN)));
    }
    Ok(report)
}
