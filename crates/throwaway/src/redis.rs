//! A private Redis.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;
use crate::guard::Scratch;
use crate::programs;
use crate::server::{Program, Server};

/// Databases `0..DATABASES`, so that each test can have one of its own.
const DATABASES: u16 = 16_384;

/// A Redis of its own; stopped and removed when dropped.
#[derive(Debug)]
pub struct Redis {
    server: Server<Instance>,
}

impl Redis {
    /// Starts a Redis with an append-only file written every second.
    ///
    /// # Errors
    /// [`Error::Missing`] when Redis is not installed; otherwise what failed.
    pub fn start() -> Result<Self, Error> {
        let program = programs::redis_server()?;
        Ok(Self { server: Server::start(Instance { program }, Scratch::new("redis", "TERM")?)? })
    }

    /// Whether Redis is installed here.
    pub fn is_installed() -> bool {
        programs::redis_server().is_ok()
    }

    /// URL of database 0; others are reached by appending `/1` and so on, up to 16383.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.server.port())
    }

    /// Ends it as a power cut would: up to the last second of writes may be lost.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn kill(&mut self) -> Result<(), Error> {
        self.server.kill()
    }

    /// Starts it again on the same port after [`Redis::kill`], with what its
    /// append-only file holds. Does nothing while it runs.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn start_again(&mut self) -> Result<(), Error> {
        self.server.run()
    }

    /// [`Redis::kill`] and [`Redis::start_again`].
    ///
    /// # Errors
    /// Those of the two.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.kill()?;
        self.start_again()
    }

    /// Forgets everything in every database (`FLUSHALL`).
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses.
    pub fn flush_all(&self) -> Result<(), Error> {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server.port()))
            .map_err(Error::io("connecting to Redis"))?;
        let answer = exchange(&mut connection, "FLUSHALL\r\n").map_err(Error::io("talking to Redis"))?;
        if answer == "+OK" { Ok(()) } else { Err(Error::Refused { command: "FLUSHALL", answer }) }
    }
}

#[derive(Debug)]
struct Instance {
    program: PathBuf,
}

impl Program for Instance {
    const NAME: &'static str = "redis-server";

    fn command(&self, scratch: &Path, port: u16) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--databases", &DATABASES.to_string()])
            .args(["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""])
            .arg("--dir")
            .arg(scratch)
            .arg("--unixsocket")
            .arg(socket(scratch));
        command
    }

    fn is_ready(&self, scratch: &Path) -> bool {
        // Its socket is its own, whoever may have the port; while its file is being
        // read it answers LOADING.
        UnixStream::connect(socket(scratch))
            .and_then(|mut connection| exchange(&mut connection, "PING\r\n"))
            .is_ok_and(|answer| answer == "+PONG")
    }

    fn before_start(&self, _scratch: &Path) -> Result<(), Error> {
        // A killed Redis leaves nothing in the way: a new one replaces the socket.
        Ok(())
    }
}

fn socket(scratch: &Path) -> PathBuf {
    scratch.join("redis.sock")
}

/// Sends an inline command, returns the first line of the answer.
fn exchange<C>(connection: &mut C, command: &str) -> std::io::Result<String>
where
    C: std::io::Read + Write,
{
    connection.write_all(command.as_bytes())?;
    let mut answer = String::new();
    BufReader::new(connection).read_line(&mut answer)?;
    Ok(answer.trim_end().to_owned())
}
