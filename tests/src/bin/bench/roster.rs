//! `bench roster`: who answers, from a copy in memory and over gRPC, on a large roster with years
//! of history, and how long such a copy takes to make.

mod copy;
mod local;
mod remote;

use std::time::Duration;

use clap::Args;
use xietong_tests::roster::Size;

use crate::report::{Aim, Figure, Report};

/// Nanoseconds an answer should take at most, without its steps and with them.
const WITHOUT_STEPS: f64 = 1_000.0;
const WITH_STEPS: f64 = 10_000.0;
/// The history that the aims are for; the others show what its length costs.
const YEARS: u32 = 10;

/// How to measure it.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Runs of each.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Milliseconds a run of one kind of question takes in memory.
    #[arg(long, default_value_t = 20)]
    milliseconds: u64,
    /// Seconds a run over gRPC takes; 0 leaves gRPC out.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Requests at a time over gRPC.
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// Units, each with a head.
    #[arg(long, default_value_t = 10_000)]
    units: usize,
    /// Leaders.
    #[arg(long, default_value_t = 100)]
    leaders: usize,
}

pub(crate) async fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    let mut report = Report::new("roster");
    report.setting("runs", arguments.runs);
    report.setting("milliseconds", arguments.milliseconds);
    report.setting("seconds", arguments.seconds);
    report.setting("clients", arguments.clients);
    report.setting("units", arguments.units);
    report.setting("leaders", arguments.leaders);
    let size = |years| Size { units: arguments.units, leaders: arguments.leaders, years };
    let run = Duration::from_millis(arguments.milliseconds);
    for years in [1, YEARS, 2 * YEARS] {
        for measured in local::measure(size(years), arguments.runs, run)? {
            let aim = if measured.with_steps { WITH_STEPS } else { WITHOUT_STEPS };
            let figure = Figure::new(measured.name, "ns", measured.nanoseconds);
            report.add(if years == YEARS { figure.with_aim(Aim::AtMost(aim)) } else { figure });
        }
    }
    if arguments.seconds > 0 {
        let run = Duration::from_secs(arguments.seconds);
        remote::measure(&mut report, size(YEARS), arguments.runs, run, arguments.clients).await?;
    }
    Ok(report)
}
