//! The project's own commands: `cargo xtask test | ci | bench | chaos | proto`.
//!
//! They need Rust alone: what else a command uses is installed first when this
//! is Debian and the user is root, and named in one line otherwise. Everything
//! they say goes to standard error; standard output belongs to what they run.

mod beside_servers;
mod checks;
mod install;
mod purity;
mod report;
mod servers;

mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::report::Report;
use crate::workspace::Workspace;

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs every test against a private PostgreSQL and Redis.
    ///
    /// Arguments after `--` go to `cargo nextest run` (`cargo test` where nextest
    /// is not installed): `cargo xtask test -- -p domain-calendar` builds and
    /// tests one crate, `cargo xtask test -- -E 'package(xietong-events)'` runs
    /// one crate's tests out of the whole build.
    Test {
        /// For the test runner.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Everything a change must pass: format, lints, dependencies, protos, tests.
    Ci,
    /// Runs a benchmark in release mode; its result is JSON on standard output.
    Bench {
        /// Which benchmark.
        name: String,
        /// For the benchmark.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Runs a failure scenario over real processes in release mode.
    Chaos {
        /// Which scenario.
        name: String,
        /// For the scenario.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Works on the protos.
    #[command(subcommand)]
    Proto(Proto),
}

#[derive(Debug, Subcommand)]
enum Proto {
    /// Checks their style, and that they keep what `proto/released.binpb` promises.
    Check,
    /// Makes the protos as they are the promise that later ones are held to:
    /// writes `proto/released.binpb`. It takes an entry in the changelog.
    Release,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let workspace = Workspace::find();
    let mut report = Report::default();
    match arguments.command {
        Command::Test { arguments } => beside_servers::run_tests(&workspace, &mut report, &arguments),
        Command::Ci => {
            checks::run_all(&workspace, &mut report);
            beside_servers::run_tests(&workspace, &mut report, &[]);
        }
        Command::Bench { name, arguments } => {
            beside_servers::run_release(&workspace, &mut report, "bench", &name, &arguments);
        }
        Command::Chaos { name, arguments } => {
            beside_servers::run_release(&workspace, &mut report, "chaos", &name, &arguments);
        }
        Command::Proto(Proto::Check) => checks::protos(&workspace, &mut report),
        Command::Proto(Proto::Release) => checks::proto_release(&workspace, &mut report),
    }
    report.finish()
}
