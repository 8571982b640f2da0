//! What can be asked of the command, and starting it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain_calendar::Timestamp;
use xietong_mesh::ServiceName;

use crate::{import, keys, serve, simulate, token, up};

/// Xietong (协同): a city government's promises, followed until they are struck off.
#[derive(Debug, Parser)]
#[command(name = "xietong", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    up: UpArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the whole mesh in one process, on SQLite (the default command).
    Up(UpArgs),
    /// Runs one service of the mesh.
    Serve(ServeArgs),
    /// Prints a bearer token for a subject, signed by the local issuer of a folder.
    Token(TokenArgs),
    /// Reads government notices and enters what they say at a server: tasks, divisions of work,
    /// groups. Shows what it understood of them, and, with line numbers, what it did not.
    Import(ImportArgs),
    /// Makes the keys of services that run apart: a pair for each service, and the local
    /// issuer's.
    Keys(KeysArgs),
    /// Lives through a year of the sample city on a simulated clock and prints the lights of each
    /// month and a scoreboard of its units.
    Simulate(simulate::SimulateArgs),
}

/// Arguments of `xietong up`.
#[derive(Debug, Clone, Args)]
pub struct UpArgs {
    /// Where everything is kept.
    #[arg(long, value_name = "DIR", default_value = "./xietong-data")]
    pub data: PathBuf,
    /// Where the gateway listens.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub http: SocketAddr,
    /// What a new data folder is filled with.
    #[arg(long, value_enum, default_value_t = Sample::Full)]
    pub sample: Sample,
    /// Starts a new folder's simulated clock at this instant (RFC 3339). A stored clock goes
    /// on where it stood. Without this and `--real-clock`, a sample has a simulated clock that
    /// starts at 2023-06-01T09:00+08:00 and `--sample none` a real one.
    #[arg(long, value_name = "RFC3339", value_parser = instant, conflicts_with = "real_clock")]
    pub sim_clock: Option<Timestamp>,
    /// Business time is the machine's time.
    #[arg(long)]
    pub real_clock: bool,
}

/// What a new data folder is filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sample {
    /// Nothing but the administrator's account.
    None,
    /// Everything but the tasks: units, officials, accounts, the divisions of work, the groups.
    Directory,
    /// All of it: the yearly plan's 195 tasks too, and what the units made of them.
    Full,
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// supervision, roster, workgroup, notification or gateway.
    #[arg(value_parser = service)]
    service: ServiceName,
    /// A TOML file; environment variables (XIETONG_…) override it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Prints the configuration in force, without its secrets, and ends.
    #[arg(long)]
    print_config: bool,
}

#[derive(Debug, Args)]
struct TokenArgs {
    /// The subject of an account, for example `shuiliju-jingban`.
    subject: String,
    /// The folder whose issuer signs: of `xietong up`, or of `xietong keys`.
    #[arg(long, value_name = "DIR", default_value = "./xietong-data")]
    data: PathBuf,
    /// For how many hours it is valid.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=720))]
    hours: u64,
}

/// Arguments of `xietong import`.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// Text extracted from notices, in UTF-8.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Changes nothing: reads, and resolves units against a directory. No server is needed.
    #[arg(long)]
    pub dry_run: bool,
    /// Prints a JSON object a notice, a line each, instead of text.
    #[arg(long)]
    pub json: bool,
    /// Of a dry run: the units to resolve against, in the form of the sample city's; by default
    /// that city's. An import resolves against the server's.
    #[arg(long, value_name = "FILE", requires = "dry_run")]
    pub directory: Option<PathBuf>,
    /// Imports although something is not resolved: those items arrive as drafts that name what
    /// is missing. Without it nothing is imported then.
    #[arg(long)]
    pub allow_unresolved: bool,
    /// The items are under way: they are entered with their dates, nobody is told of them, and
    /// nothing from before the import is counted late.
    #[arg(long)]
    pub backfill: bool,
    /// Revises, on record, tasks that differ from what the notice says. Without it the
    /// difference is only reported.
    #[arg(long)]
    pub revise: bool,
    /// Enters items although they ask the same of a unit as open tasks of other documents do.
    /// Without it they are named and nothing at all is imported.
    #[arg(long)]
    pub confirm_duplicates: bool,
    /// The server's address, for example http://127.0.0.1:8080; by default that of the local
    /// data folder.
    #[arg(long, value_name = "URL", env = "XIETONG_SERVER")]
    pub server: Option<String>,
    /// The bearer token to call it with; by default that of the local data folder.
    #[arg(long, value_name = "TOKEN", env = "XIETONG_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// At the local data folder: the subject of the supervisor who enters tasks; needed when
    /// there are several.
    #[arg(long = "as", value_name = "SUBJECT", conflicts_with = "token")]
    pub supervisor: Option<String>,
    /// The local data folder, of `xietong up`.
    #[arg(long, value_name = "DIR", default_value = "./xietong-data")]
    pub data: PathBuf,
}

#[derive(Debug, Args)]
struct KeysArgs {
    /// Where they are written. Keys that are there already are never overwritten.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|error| error.to_string())
}

fn service(text: &str) -> Result<ServiceName, String> {
    ServiceName::ALL
        .into_iter()
        .find(|service| service.as_str() == text)
        .ok_or_else(|| "expected supervision, roster, workgroup, notification or gateway".to_owned())
}

/// Does what was asked. Returns when it is done, or when the process was told to stop.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        None => up::run(cli.up),
        Some(Command::Up(arguments)) => up::run(arguments),
        Some(Command::Serve(arguments)) => {
            serve::run(arguments.service, arguments.config.as_deref(), arguments.print_config)
        }
        Some(Command::Token(arguments)) => {
            let lifetime = Duration::from_secs(arguments.hours * 3_600);
            println!("{}", token::local(&arguments.data, &arguments.subject, lifetime)?);
            Ok(())
        }
        Some(Command::Import(arguments)) => import::run(&arguments),
        Some(Command::Simulate(arguments)) => simulate::run(&arguments),
        Some(Command::Keys(arguments)) => {
            for file in keys::write_files(&arguments.folder)? {
                println!("{}", file.display());
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Cli, Command, Sample};

    #[test]
    fn the_command_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_a_subcommand_the_whole_mesh_is_meant() {
        let cli = Cli::parse_from(["xietong", "--sample", "none"]);
        assert!(cli.command.is_none());
        assert_eq!(cli.up.sample, Sample::None);
    }

    #[test]
    fn a_clock_cannot_be_both() {
        let both = ["xietong", "up", "--real-clock", "--sim-clock", "2023-06-01T09:00+08:00"];
        assert!(Cli::try_parse_from(both).is_err());
        let nonsense = ["xietong", "up", "--sim-clock", "tomorrow"];
        assert!(Cli::try_parse_from(nonsense).is_err());
        let one = ["xietong", "up", "--sim-clock", "2023-06-01T09:00+08:00"];
        assert!(matches!(Cli::parse_from(one).command, Some(Command::Up(_))));
    }
}
