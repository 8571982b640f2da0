//! One server process in its scratch directory: started, killed, started again.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Error;
use crate::guard::Scratch;

/// How long a server may take until it answers; crash recovery is part of it.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How often a server that is starting is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Ports are taken from below the range Linux gives to outgoing connections, so
/// that no client takes the port while its server is down.
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 12_000;
/// A port can be lost to another process between the look and the start.
const PORTS_TRIED: u8 = 5;

/// How to run one kind of server.
pub(crate) trait Program {
    /// The program's name in errors.
    const NAME: &'static str;
    /// The command that runs it in the foreground on `port`.
    fn command(&self, scratch: &Path, port: u16) -> Command;
    /// Whether it serves; asked until it does. Must not take another server that
    /// happens to have the port for this one.
    fn is_ready(&self, scratch: &Path) -> bool;
    /// Makes way for a start after the process was killed.
    fn before_start(&self, scratch: &Path) -> Result<(), Error>;
}

/// A server of one kind with its process, when it runs.
#[derive(Debug)]
pub(crate) struct Server<P: Program> {
    program: P,
    port: u16,
    process: Option<Child>,
    scratch: Scratch,
}

impl<P: Program> Server<P> {
    /// Starts on a free port and waits until it serves.
    pub(crate) fn start(program: P, scratch: Scratch) -> Result<Self, Error> {
        let mut server = Self { program, port: 0, process: None, scratch };
        let mut last = Error::NoFreePort;
        for _ in 0..PORTS_TRIED {
            server.port = free_port()?;
            match server.run() {
                Ok(()) => return Ok(server),
                Err(error @ Error::Ended { .. }) => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Runs it on its port, with the data it has; does nothing when it runs.
    pub(crate) fn run(&mut self) -> Result<(), Error> {
        if self.process.is_some() {
            return Ok(());
        }
        self.program.before_start(self.scratch.path())?;
        let log = File::create(self.log_file()).map_err(Error::io("making the server's log"))?;
        let errors = log.try_clone().map_err(Error::io("making the server's log"))?;
        let child = self
            .program
            .command(self.scratch.path(), self.port)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(Error::io("starting a server"))?;
        self.scratch.watch(child.id())?;
        let started = Instant::now();
        let child = self.process.insert(child);
        loop {
            if let Some(status) = child.try_wait().map_err(Error::io("looking at a server"))? {
                self.process = None;
                self.scratch.unwatch()?;
                return Err(Error::Ended { program: P::NAME, status, output: self.end_of_log() });
            }
            if self.program.is_ready(self.scratch.path()) {
                return Ok(());
            }
            if started.elapsed() > READY_WITHIN {
                let output = self.end_of_log();
                self.kill()?;
                return Err(Error::NotReady { program: P::NAME, waited: READY_WITHIN, output });
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Ends it as a power cut would (`SIGKILL`); its files stay.
    pub(crate) fn kill(&mut self) -> Result<(), Error> {
        if let Some(mut process) = self.process.take() {
            process.kill().map_err(Error::io("killing a server"))?;
            process.wait().map_err(Error::io("waiting for a killed server"))?;
        }
        self.scratch.unwatch()
    }

    fn log_file(&self) -> std::path::PathBuf {
        self.scratch.path().join("log")
    }

    fn end_of_log(&self) -> String {
        let text = fs::read(self.log_file()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(5)..].join(" | ")
    }
}

impl<P: Program> Drop for Server<P> {
    fn drop(&mut self) {
        self.scratch.release();
        if let Some(process) = &mut self.process {
            // The guard ends it and cannot see that it has before it is waited for.
            let _ended = process.wait();
        }
    }
}

fn free_port() -> Result<u16, Error> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Processes begin at different places, so they seldom meet.
    let place_of_process = (std::process::id() % u32::from(PORTS)) as u16;
    (0..PORTS)
        .map(|_| FIRST_PORT + (place_of_process + NEXT.fetch_add(1, Ordering::Relaxed) % PORTS) % PORTS)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .ok_or(Error::NoFreePort)
}
