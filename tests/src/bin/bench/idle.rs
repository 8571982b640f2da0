//! `bench idle`: how soon the one-process mode is ready, and what it holds when nobody asks
//! it anything.

use std::env;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use xietong_tests::process::Process;

use crate::report::{Aim, Figure, Report};

/// How long it must use no processor to count as idle.
const QUIET: Duration = Duration::from_millis(500);
/// Gives up waiting for that.
const QUIET_WITHIN: Duration = Duration::from_secs(20);
const MEBIBYTE: f64 = 1_048_576.0;

/// How to measure it.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Starts of each kind.
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

/// One kind of start, and what its runs found.
struct Kind {
    name: &'static str,
    sample: &'static str,
    ready: Vec<f64>,
    again: Vec<f64>,
    resident: Vec<f64>,
    cpu: Vec<f64>,
}

impl Kind {
    fn of(name: &'static str, sample: &'static str) -> Self {
        Kind { name, sample, ready: Vec::new(), again: Vec::new(), resident: Vec::new(), cpu: Vec::new() }
    }
}

pub(crate) async fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    let program = env::var("XIETONG_PROGRAM").context("XIETONG_PROGRAM names no program")?;
    let mut kinds = [Kind::of("empty", "none"), Kind::of("sample", "full")];
    for run in 1..=arguments.runs {
        for kind in &mut kinds {
            eprintln!("bench: {} {run} of {}", kind.name, arguments.runs);
            let folder = tempfile::tempdir()?;
            let first = Started::start(&program, folder.path(), kind.sample).await?;
            kind.ready.push(first.ready_after.as_secs_f64());
            first.wait_until_quiet().await?;
            kind.resident.push(megabytes(first.process.resident_bytes()?));
            kind.cpu.push(first.process.cpu()?.as_secs_f64());
            first.end().await?;
            let again = Started::start(&program, folder.path(), kind.sample).await?;
            kind.again.push(again.ready_after.as_secs_f64());
            again.end().await?;
        }
    }
    let mut report = Report::new("idle");
    report.setting("runs", arguments.runs);
    for kind in kinds {
        let name = |what: &str| format!("{}: {what}", kind.name);
        let ready = Figure::new(name("ready on an empty folder"), "s", kind.ready);
        // Living through the sample's history is done once, and takes as long as it takes.
        report.add(if kind.sample == "none" { ready.with_aim(Aim::AtMost(0.5)) } else { ready });
        report
            .add(Figure::new(name("ready on its folder again"), "s", kind.again).with_aim(Aim::AtMost(0.5)));
        report
            .add(Figure::new(name("resident when idle"), "MiB", kind.resident).with_aim(Aim::AtMost(100.0)));
        report.add(Figure::new(name("processor until idle"), "s", kind.cpu));
    }
    Ok(report)
}

/// A `xietong up` that is ready.
struct Started {
    child: Child,
    process: Process,
    ready_after: Duration,
}

impl Started {
    async fn start(program: &str, folder: &Path, sample: &str) -> anyhow::Result<Self> {
        let started = Instant::now();
        let mut child = Command::new(program)
            .args(["up", "--http", "127.0.0.1:0", "--sample", sample, "--data"])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {program}"))?;
        let process = Process::of(child.id().context("it ended at once")?);
        let output = child.stdout.take().context("it has no output")?;
        let mut lines = BufReader::new(output).lines();
        loop {
            match lines.next_line().await? {
                Some(line) if line.starts_with("ready http://") => break,
                Some(_) => {}
                None => bail!("it ended before it was ready"),
            }
        }
        Ok(Started { ready_after: started.elapsed(), child, process })
    }

    /// Returns when it has used no processor for a while.
    async fn wait_until_quiet(&self) -> anyhow::Result<()> {
        let started = Instant::now();
        let mut before = self.process.cpu()?;
        while started.elapsed() < QUIET_WITHIN {
            tokio::time::sleep(QUIET).await;
            let now = self.process.cpu()?;
            // One tick of the counter: its workers look for work now and then.
            if now.saturating_sub(before) <= Duration::from_millis(10) {
                return Ok(());
            }
            before = now;
        }
        bail!("it is still busy {QUIET_WITHIN:?} after it was ready")
    }

    async fn end(mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("ending it")
    }
}

#[expect(clippy::cast_precision_loss, reason = "no process holds anything near 2^52 bytes")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / MEBIBYTE
}
