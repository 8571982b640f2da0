//! A scratch directory whose server and files do not outlive their owner.
//!
//! A destructor is not enough: a test may be killed, and a `static` is never
//! dropped. So a small shell process watches a pipe this process holds open. The
//! pipe closes when the value is dropped and when this process ends in any way,
//! `SIGKILL` included; the guard then stops the server and removes the directory.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Error;

/// File in the directory that names the process to stop; absent while none runs.
const PID_FILE: &str = "server.pid";

/// `$1` is the directory, `$2` the signal that ends the server. It gets five
/// seconds; sessions of a killed PostgreSQL may write files for a moment longer.
const SCRIPT: &str = r#"
cat >/dev/null
tries=0
if pid=$(cat "$1/server.pid" 2>/dev/null); then
    kill -s "$2" "$pid" 2>/dev/null
    while kill -s 0 "$pid" 2>/dev/null && [ "$tries" -lt 100 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    kill -s KILL "$pid" 2>/dev/null
fi
until rm -rf "$1" 2>/dev/null || [ "$tries" -ge 200 ]; do
    sleep 0.05
    tries=$((tries + 1))
done
"#;

/// An empty directory of its own, removed with its server at the end.
#[derive(Debug)]
pub(crate) struct Scratch {
    directory: PathBuf,
    guard: Child,
}

impl Scratch {
    /// Makes the directory `xietong-{what}-…` under the system's temporary folder.
    /// The signal, for example `TERM`, is how the guard asks the server to end.
    pub(crate) fn new(what: &str, signal: &str) -> Result<Self, Error> {
        let directory = tempfile::Builder::new()
            .prefix(&format!("xietong-{what}-"))
            .tempdir()
            .map_err(Error::io("making a scratch directory"))?
            .keep();
        let guard = Command::new("sh")
            .args(["-c", SCRIPT, "guard"])
            .arg(&directory)
            .arg(signal)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of reach of a Ctrl-C and of a test runner that kills a process group.
            .process_group(0)
            .spawn()
            .map_err(Error::io("starting the guard of a scratch directory"))?;
        Ok(Self { directory, guard })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.directory
    }

    /// From here on the guard stops this process as well.
    pub(crate) fn watch(&self, pid: u32) -> Result<(), Error> {
        fs::write(self.directory.join(PID_FILE), pid.to_string())
            .map_err(Error::io("noting the server's process"))
    }

    /// No process runs any more; its number may soon belong to another one.
    pub(crate) fn unwatch(&self) -> Result<(), Error> {
        match fs::remove_file(self.directory.join(PID_FILE)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::Io { doing: "forgetting the server's process", source: error })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Lets the guard do its work: it ends the server and removes the directory.
    pub(crate) fn release(&mut self) {
        drop(self.guard.stdin.take());
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.release();
        // A destructor cannot report; the guard's only job left is to remove files.
        let _ended = self.guard.wait();
    }
}
