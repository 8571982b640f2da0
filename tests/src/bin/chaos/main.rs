//! Failure scenarios over real processes: `chaos NAME`, run by `cargo xtask chaos NAME`.
//!
//! The verdict is one JSON document on standard output; what is going on is said on
//! standard error. It ends with 1 when anything was lost, doubled or otherwise wrong.

mod kills;
mod load;
mod tally;
mod trouble;
mod verdict;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Failure scenarios.
#[derive(Debug, Parser)]
#[command(name = "chaos")]
struct Arguments {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Debug, Subcommand)]
enum Scenario {
    /// Kills services again and again under load, and loses Redis and PostgreSQL on the way.
    Kills(kills::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments.scenario) {
        Ok(verdict) => {
            println!("{verdict}");
            if verdict.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("chaos: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(scenario: &Scenario) -> anyhow::Result<verdict::Verdict> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match scenario {
            Scenario::Kills(arguments) => kills::run(arguments).await,
        }
    })
}
