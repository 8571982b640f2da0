//! `xietong up` as a process of its own: one that can be killed, and that has let go of its
//! files when it has ended.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use xietong_testkit::cluster::{program, send_signal};

use crate::world::SOON;

/// A running program. It is killed when dropped.
pub(crate) struct Program(Child);

impl Program {
    /// Starts it on a folder.
    pub(crate) fn up(data: &Path, sample: &str) -> Program {
        let child = Command::new(program().unwrap())
            .args(["up", "--http", "127.0.0.1:0", "--sample", sample, "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Program(child)
    }

    /// The URL of the line that says that it is ready.
    pub(crate) async fn ready(&mut self) -> String {
        let mut lines = BufReader::new(self.0.stdout.take().unwrap()).lines();
        loop {
            let line = lines.next_line().await.unwrap().expect("it says that it is ready");
            if let Some(url) = line.strip_prefix("ready ") {
                return url.to_owned();
            }
        }
    }

    /// Tells it to end.
    pub(crate) async fn terminate(&self) {
        send_signal(self.0.id().unwrap(), "TERM").await.unwrap();
    }

    /// Returns when it has ended of itself.
    pub(crate) async fn ended(&mut self, within: Duration) -> ExitStatus {
        tokio::time::timeout(within, self.0.wait()).await.expect("it ends").unwrap()
    }

    /// Fills a folder, and lets go of it.
    pub(crate) async fn fill(data: &Path, sample: &str) {
        let mut program = Program::up(data, sample);
        program.ready().await;
        program.terminate().await;
        let status = program.ended(SOON).await;
        assert!(status.success(), "{status}");
    }

    /// Ends it with no warning.
    pub(crate) async fn kill(mut self) {
        self.0.kill().await.unwrap();
    }
}
