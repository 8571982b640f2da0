//! [`Behaviour`]: what a receiver does once a request has come.

use std::time::Duration;

/// What a receiver does once a request has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// Answers as HTTP has it, and keeps the connection.
    Answer {
        /// Any number of three digits.
        status: u16,
        /// Beside the body's length.
        headers: Vec<(&'static str, String)>,
        /// Of the answer.
        body: Vec<u8>,
    },
    /// The same, after a time.
    AnswerAfter {
        /// It says nothing for so long.
        wait: Duration,
        /// Then this.
        status: u16,
    },
    /// Says nothing and keeps the connection.
    Hang,
    /// Ends the connection without a word.
    Close,
    /// Begins a body and ends the connection before its end.
    CloseMidBody {
        /// Of the answer.
        status: u16,
    },
    /// Sends a body without end, a byte at a time.
    DripBody {
        /// Of the answer.
        status: u16,
        /// Between two bytes.
        every: Duration,
    },
    /// Sends the head of an answer without end, a byte at a time.
    DripHead {
        /// Between two bytes.
        every: Duration,
    },
    /// Sends headers without end as fast as they are taken.
    EndlessHead,
    /// Sends a body without end as fast as it is taken.
    EndlessBody {
        /// Of the answer.
        status: u16,
    },
    /// Sends something that is not HTTP.
    Nonsense,
}

impl Behaviour {
    /// Answers with a status and nothing else.
    pub fn status(status: u16) -> Self {
        Behaviour::Answer { status, headers: Vec::new(), body: Vec::new() }
    }

    /// Answers with a status and `Retry-After`.
    pub fn retry_after(status: u16, value: &str) -> Self {
        Behaviour::Answer { status, headers: vec![("retry-after", value.to_owned())], body: Vec::new() }
    }

    /// Sends the caller elsewhere.
    pub fn redirect(status: u16, location: &str) -> Self {
        Behaviour::Answer { status, headers: vec![("location", location.to_owned())], body: Vec::new() }
    }

    /// Whether whoever sent the request is told that it was taken.
    pub(super) fn takes(&self) -> bool {
        match self {
            Behaviour::Answer { status, .. }
            | Behaviour::AnswerAfter { status, .. }
            | Behaviour::CloseMidBody { status }
            | Behaviour::DripBody { status, .. }
            | Behaviour::EndlessBody { status } => (200..300).contains(status),
            Behaviour::Hang
            | Behaviour::Close
            | Behaviour::DripHead { .. }
            | Behaviour::EndlessHead
            | Behaviour::Nonsense => false,
        }
    }

    /// Answers with a status and a body.
    pub fn body(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Behaviour::Answer { status, headers: Vec::new(), body: body.into() }
    }
}
