//! Failure scenarios over real processes: `chaos NAME`, run by `cargo xtask chaos NAME`.
//!
//! The verdict is one JSON document on standard output; what is going on is said on
//! standard error. It ends with 1 when anything was lost, doubled or otherwise wrong.

mod hooks;
mod kills;
mod load;
mod tally;
mod trouble;
mod verdict;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xietong_testkit::cluster::program;

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
    /// Kills the importer and the server while a notice of 195 items is imported, again and
    /// again, and makes the same import once more.
    Import {
        /// How many kills, spread evenly over the time an import takes.
        #[arg(long, default_value_t = 100)]
        count: usize,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments.scenario) {
        Ok(is_clean) => {
            if is_clean {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("chaos: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints what came of it, and says whether nothing went wrong.
fn run(scenario: &Scenario) -> anyhow::Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match scenario {
            Scenario::Kills(arguments) => {
                let verdict = kills::run(arguments).await?;
                println!("{verdict}");
                Ok(verdict.is_clean())
            }
            Scenario::Import { count } => {
                let swept = xietong_tests::import::sweep(&program()?, *count).await?;
                println!("{}", serde_json::to_string(&swept)?);
                Ok(true)
            }
        }
    })
}
