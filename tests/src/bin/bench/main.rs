//! Benchmarks of real processes: `bench NAME`, run by `cargo xtask bench NAME`.
//!
//! The result is one JSON document on standard output; what is going on is said on
//! standard error. Whatever is compared is run in turn, so that what the machine does
//! meanwhile hits each alike.

mod backlog;
mod create;
mod driver;
mod footprint;
mod idle;
mod ledger;
mod load;
mod mesh;
mod notices;
mod remarks;
mod report;
mod resolve;
mod roster;
mod runs;
mod stream;
mod webhooks;
mod wording;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::report::Report;

/// Benchmarks of the mesh.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    #[command(subcommand)]
    name: Name,
}

#[derive(Debug, Subcommand)]
enum Name {
    /// Start-up and resident memory of the one-process mode.
    Idle(idle::Arguments),
    /// Durable task creations a second on PostgreSQL, against a driver that writes the same
    /// rows.
    Create(create::Arguments),
    /// Who answers: requests a second through the gateway and straight to the roster.
    Resolve(resolve::Arguments),
    /// Who answers on a large roster with years of history: from a copy in memory, and over gRPC.
    Roster(roster::Arguments),
    /// A ledger of a million open tasks with two replicas: lists, timers, and a burst of them.
    Ledger(ledger::Arguments),
    /// How fast what happens reaches inboxes.
    Notices(notices::Arguments),
    /// An inbox's stream, cut again and again while notices pour in.
    Stream(stream::Arguments),
    /// Webhooks to receivers in this process: how many a second, and beside some that take nothing.
    Webhooks(webhooks::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match measure(arguments.name) {
        Ok(report) => {
            println!("{report}");
            if report.meets_its_aims() { ExitCode::SUCCESS } else { ExitCode::from(2) }
        }
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(name: Name) -> anyhow::Result<Report> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match name {
            Name::Idle(arguments) => idle::measure(&arguments).await,
            Name::Create(arguments) => create::measure(&arguments).await,
            Name::Resolve(arguments) => resolve::measure(&arguments).await,
            Name::Roster(arguments) => roster::measure(&arguments).await,
            Name::Ledger(arguments) => ledger::measure(&arguments).await,
            Name::Notices(arguments) => notices::measure(&arguments).await,
            Name::Stream(arguments) => stream::measure(&arguments).await,
            Name::Webhooks(arguments) => webhooks::measure(&arguments).await,
        }
    })
}
