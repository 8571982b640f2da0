//! What can go wrong with a throw-away server.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

/// Why a throw-away server could not be started or steered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program is not installed; names it and the Debian package that has it.
    #[error("{program} is not installed; install the Debian package {package}")]
    Missing {
        /// The program looked for.
        program: &'static str,
        /// The Debian package that brings it.
        package: &'static str,
    },
    /// PostgreSQL refuses to run as root, and there is no other user to run it as.
    #[error("PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody")]
    NoUnprivilegedUser,
    /// A program could not be run, or a file could not be read or written.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// A program ended although it should not, or with a failure.
    #[error("{program} ended with {status}: {output}")]
    Ended {
        /// The program.
        program: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote.
        output: String,
    },
    /// A server did not become ready in time.
    #[error("{program} is not ready after {waited:?}: {output}")]
    NotReady {
        /// The program.
        program: &'static str,
        /// How long it was waited for.
        waited: Duration,
        /// The end of what it wrote.
        output: String,
    },
    /// No port of the range used here is free.
    #[error("no free port on 127.0.0.1")]
    NoFreePort,
    /// Redis answered a command with an error.
    #[error("redis refused {command}: {answer}")]
    Refused {
        /// The command sent.
        command: &'static str,
        /// Its answer, as received.
        answer: String,
    },
}

impl Error {
    /// For `map_err`: an I/O error with what was being done.
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::Io { doing, source }
    }
}
