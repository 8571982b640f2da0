//! One process of a cluster.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::process::{Child, Command};

use super::Member;
use super::ports::free_port;
use crate::wait::wait_for_value;

const LINES_SHOWN: usize = 40;

pub(super) struct Node {
    member: Member,
    port: u16,
    admin_port: u16,
    folder: PathBuf,
    /// How often it was started; each run has a log of its own.
    runs: u32,
    process: Option<Child>,
    http: reqwest::Client,
}

impl Node {
    pub(super) fn new(member: Member, folder: &Path) -> anyhow::Result<Self> {
        Ok(Node {
            member,
            port: free_port()?,
            admin_port: free_port()?,
            folder: folder.to_path_buf(),
            runs: 0,
            process: None,
            http: reqwest::Client::new(),
        })
    }

    pub(super) fn listen(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(super) fn admin_listen(&self) -> String {
        format!("127.0.0.1:{}", self.admin_port)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.listen())
    }

    pub(super) fn runs(&self) -> bool {
        self.process.is_some()
    }

    pub(super) fn process_id(&self) -> Option<u32> {
        self.process.as_ref().and_then(Child::id)
    }

    pub(super) fn start(&mut self, program: &Path, config: &str) -> anyhow::Result<()> {
        ensure!(self.ended().is_some(), "{} runs already", self.name());
        self.runs += 1;
        let file = self.folder.join(format!("{}.toml", self.name()));
        fs::write(&file, config).with_context(|| format!("writing {}", file.display()))?;
        let log = File::create(self.log_file()).context("making a log")?;
        let process = Command::new(program)
            .args(["serve", self.member.service.as_str(), "--config"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("making a log")?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        self.process = Some(process);
        Ok(())
    }

    /// How the process ended; `None` while it runs. One that was never started has ended
    /// without a status.
    pub(super) fn ended(&mut self) -> Option<Option<ExitStatus>> {
        match &mut self.process {
            None => Some(None),
            Some(process) => process.try_wait().ok().flatten().map(|status| {
                self.process = None;
                Some(status)
            }),
        }
    }

    pub(super) async fn wait_ready(&mut self, bound: Duration) -> anyhow::Result<()> {
        let url = format!("http://{}/readyz", self.admin_listen());
        let what = format!("{} to be ready", self.name());
        let ended = wait_for_value(&what, bound, async || {
            if let Some(status) = self.ended() {
                return Some(Some(status));
            }
            let ready = self.http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success());
            ready.then_some(None)
        });
        match ended.await.with_context(|| self.end_of_log())? {
            None => Ok(()),
            Some(status) => bail!("{} ended with {status:?}\n{}", self.name(), self.end_of_log()),
        }
    }

    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        let name = self.name();
        let mut process = self.process.take().with_context(|| format!("{name} does not run"))?;
        process.kill().await.with_context(|| format!("killing {name}"))
    }

    pub(super) async fn wait_ended(&mut self, bound: Duration) -> anyhow::Result<ExitStatus> {
        let name = self.name();
        let process = self.process.as_mut().with_context(|| format!("{name} does not run"))?;
        let status = tokio::time::timeout(bound, process.wait()).await;
        let status = status.with_context(|| format!("{name} has not ended within {bound:?}"))??;
        self.process = None;
        Ok(status)
    }

    pub(super) async fn signal(&mut self, signal: &str) -> anyhow::Result<()> {
        let process = self.process.as_ref().and_then(Child::id);
        let process = process.with_context(|| format!("{} does not run", self.name()))?;
        send_signal(process, signal).await.with_context(|| self.name())
    }

    pub(super) fn log_text(&self) -> anyhow::Result<String> {
        let log = fs::read(self.log_file()).with_context(|| format!("the log of {}", self.name()))?;
        Ok(String::from_utf8_lossy(&log).into_owned())
    }

    pub(super) fn print_end_of_log(&self) {
        eprintln!("{}", self.end_of_log());
    }

    fn end_of_log(&self) -> String {
        let text = self.log_text().unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let end = lines.get(lines.len().saturating_sub(LINES_SHOWN)..).unwrap_or_default();
        format!("--- end of the log of {}, run {} ---\n{}", self.name(), self.runs, end.join("\n"))
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join(format!("{}-run-{}.log", self.name(), self.runs))
    }

    fn name(&self) -> String {
        let Member { service, replica } = self.member;
        if replica == 0 { service.to_string() } else { format!("{service}-{replica}") }
    }
}

/// Sends a signal, for example `STOP`, to a process of this machine. The standard library
/// can only kill.
///
/// # Errors
/// When there is no such process.
pub async fn send_signal(process: u32, signal: &str) -> anyhow::Result<()> {
    let mut command = Command::new("sh");
    command.args(["-c", r#"kill -s "$1" "$2""#, "kill", signal, &process.to_string()]);
    let status = command.status().await.context("starting sh")?;
    ensure!(status.success(), "process {process} could not be sent {signal}");
    Ok(())
}
