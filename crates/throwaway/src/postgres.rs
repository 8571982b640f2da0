//! A private PostgreSQL.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::Error;
use crate::guard::Scratch;
use crate::programs::{self, User};
use crate::server::{Program, Server};

/// Enough for a whole mesh a test, and several tests at once.
const MAX_CONNECTIONS: u16 = 300;
/// How long the processes of a killed server may take to notice and end.
const GONE_WITHIN: Duration = Duration::from_secs(30);

/// A PostgreSQL cluster of its own; stopped and removed when dropped.
#[derive(Debug)]
pub struct Postgres {
    server: Server<Cluster>,
}

impl Postgres {
    /// Makes a cluster and starts it, as the user `postgres` when this process is root.
    ///
    /// # Errors
    /// [`Error::Missing`] when PostgreSQL is not installed; otherwise what failed.
    pub fn start() -> Result<Self, Error> {
        let programs = programs::postgres_folder()?;
        // QUIT is its immediate shutdown: nothing is kept, so nothing need be written.
        let scratch = Scratch::new("postgres", "QUIT")?;
        let user = programs::unprivileged_user(scratch.path())?;
        if let Some(user) = user {
            chown(scratch.path(), Some(user.uid), Some(user.gid))
                .map_err(Error::io("giving the scratch directory to PostgreSQL's user"))?;
        }
        let cluster = Cluster { programs, user };
        cluster.initialize(scratch.path())?;
        Ok(Self { server: Server::start(cluster, scratch)? })
    }

    /// Whether PostgreSQL is installed here.
    pub fn is_installed() -> bool {
        programs::postgres_folder().is_ok()
    }

    /// URL of the cluster's maintenance database, as its superuser.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.server.port())
    }

    /// Ends it as a power cut would; every connection breaks, what was committed stays.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn kill(&mut self) -> Result<(), Error> {
        self.server.kill()
    }

    /// Starts it again on the same port after [`Postgres::kill`], and waits for
    /// the end of its recovery. Does nothing while it runs.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn start_again(&mut self) -> Result<(), Error> {
        self.server.run()
    }

    /// [`Postgres::kill`] and [`Postgres::start_again`].
    ///
    /// # Errors
    /// Those of the two.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.kill()?;
        self.start_again()
    }
}

#[derive(Debug)]
struct Cluster {
    programs: PathBuf,
    user: Option<User>,
}

impl Cluster {
    fn command_as_user(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        // The current folder may be closed to PostgreSQL's user, which it complains of.
        command.current_dir("/");
        if let Some(user) = self.user {
            // As root, the standard library also gives up all supplementary groups.
            command.uid(user.uid).gid(user.gid);
        }
        command
    }

    fn initialize(&self, scratch: &Path) -> Result<(), Error> {
        let output = self
            .command_as_user("initdb")
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"])
            // The empty cluster need not survive a power cut; what is written later does.
            .arg("--no-sync")
            .arg("--pgdata")
            .arg(data(scratch))
            .output()
            .map_err(Error::io("running initdb"))?;
        if output.status.success() {
            return Ok(());
        }
        let output_text = String::from_utf8_lossy(&output.stderr).trim().replace('\n', " | ");
        Err(Error::Ended { program: "initdb", status: output.status, output: output_text })
    }
}

impl Program for Cluster {
    const NAME: &'static str = "postgres";

    fn command(&self, scratch: &Path, port: u16) -> Command {
        let mut command = self.command_as_user("postgres");
        command.arg("-D").arg(data(scratch));
        let settings = [
            format!("port={port}"),
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
            format!("max_connections={MAX_CONNECTIONS}"),
            // Said although they are the defaults: what tests prove depends on them.
            "fsync=on".to_owned(),
            "synchronous_commit=on".to_owned(),
            "full_page_writes=on".to_owned(),
            "timezone=UTC".to_owned(),
            "log_min_messages=warning".to_owned(),
        ];
        for setting in settings {
            command.arg("-c").arg(setting);
        }
        command
    }

    fn is_ready(&self, scratch: &Path) -> bool {
        // The eighth line of its lock file says how far it has come, and is its own.
        fs::read_to_string(data(scratch).join("postmaster.pid"))
            .is_ok_and(|file| file.lines().nth(7).is_some_and(|line| line.trim() == "ready"))
    }

    fn before_start(&self, scratch: &Path) -> Result<(), Error> {
        let lock_file = data(scratch).join("postmaster.pid");
        let Ok(text) = fs::read_to_string(&lock_file) else { return Ok(()) };
        // Sessions outlive a killed postmaster for a moment, and PostgreSQL will not
        // start beside them; they all hold its shared memory segment (line seven).
        let segment = text.lines().nth(6).and_then(|line| line.split_whitespace().nth(1)).unwrap_or_default();
        let since = Instant::now();
        while is_attached(segment) {
            if since.elapsed() > GONE_WITHIN {
                let output = "sessions of the killed server are still there".to_owned();
                return Err(Error::NotReady { program: Self::NAME, waited: GONE_WITHIN, output });
            }
            thread::sleep(Duration::from_millis(5));
        }
        // Its "ready" must not be taken for that of the next start.
        fs::remove_file(&lock_file).map_err(Error::io("removing the lock file of a killed server"))
    }
}

/// Whether any process still holds the System V segment with this identifier.
fn is_attached(segment: &str) -> bool {
    // Columns: key, shmid, perms, size, cpid, lpid, nattch, …
    fs::read_to_string("/proc/sysvipc/shm").is_ok_and(|table| {
        table.lines().skip(1).any(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            columns.get(1) == Some(&segment) && columns.get(6).is_some_and(|count| *count != "0")
        })
    })
}

fn data(scratch: &Path) -> PathBuf {
    scratch.join("data")
}
