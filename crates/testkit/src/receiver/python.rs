//! [`PythonReceiver`]: another language's library of Standard Webhooks, as `docs/webhooks` uses it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use domain_webhook::Secret;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Names the Python that has the library; `cargo xtask test` sets it.
const PYTHON: &str = "XIETONG_WEBHOOKS_PYTHON";
/// Where `cargo xtask test` puts it.
const INSTALLED: &str = "target/tools/standardwebhooks-1.1.0/bin/python";

/// The example receiver of `docs/webhooks`, running. It verifies with the library for Python, and is
/// gone with its value.
#[derive(Debug)]
pub struct PythonReceiver {
    url: String,
    lines: Lines<BufReader<ChildStdout>>,
    limit: Duration,
    _process: Child,
}

impl PythonReceiver {
    /// Starts it with the secret that it knows. It may take `limit` for whatever it says.
    ///
    /// # Errors
    /// When the library is not installed, or it does not start.
    pub async fn start(secret: &Secret, limit: Duration) -> anyhow::Result<Self> {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let python = std::env::var_os(PYTHON).map_or_else(|| project.join(INSTALLED), PathBuf::from);
        ensure!(python.exists(), "{} is missing; `cargo xtask test` installs it", python.display());
        let mut process = Command::new(python)
            .arg(project.join("docs/webhooks/receiver.py"))
            .arg("0")
            .env("WEBHOOK_SECRET", secret.reveal())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("starting Python")?;
        let output = process.stdout.take().context("what Python says")?;
        let lines = BufReader::new(output).lines();
        let mut receiver = PythonReceiver { url: String::new(), lines, limit, _process: process };
        receiver.url = receiver.line().await?;
        Ok(receiver)
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The next line that it says: after the first one, each is a message that it has verified and
    /// had not seen before.
    ///
    /// # Errors
    /// When it says nothing in time, or has ended.
    pub async fn line(&mut self) -> anyhow::Result<String> {
        let line = tokio::time::timeout(self.limit, self.lines.next_line()).await;
        line.context("Python says nothing")??.context("Python has ended")
    }
}
