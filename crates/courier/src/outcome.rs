//! [`Outcome`]: what came of an attempt.

use std::time::Duration;

use domain_webhook::{AddressRefusal, Meaning};

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered.
    Answered(Answer),
    /// None of its addresses may be connected to; nothing was sent.
    Refused(AddressRefusal),
    /// It took too long. The receiver may have the request.
    TimedOut(Phase),
    /// No answer could be had. The receiver may have the request.
    Unreachable(Unreachable),
}

/// What a receiver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The wait it asked for.
    pub retry_after: Option<Duration>,
    /// The beginning of the body, for the log. Bytes that are no text are replaced.
    pub excerpt: String,
}

/// Where an attempt was when its time was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before there was a connection, TLS included.
    Connecting,
    /// Before the head of an answer.
    Answering,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// The name has no address.
    #[error("cannot resolve the name: {detail}")]
    Unresolved {
        /// For the log.
        detail: String,
    },
    /// Nobody listens there.
    #[error("cannot connect: {detail}")]
    Unconnected {
        /// For the log.
        detail: String,
    },
    /// Its certificate is not trusted, or it speaks no TLS.
    #[error("no TLS that can be trusted: {detail}")]
    Untrusted {
        /// For the log.
        detail: String,
    },
    /// The connection ended before an answer, or what came is not HTTP.
    #[error("no answer: {detail}")]
    Broken {
        /// For the log.
        detail: String,
    },
}

impl Unreachable {
    /// Whether the receiver may have the request although it did not answer.
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Unreachable::Broken { .. } => true,
            Unreachable::Unresolved { .. }
            | Unreachable::Unconnected { .. }
            | Unreachable::Untrusted { .. } => false,
        }
    }
}

impl Outcome {
    /// What it means for the delivery and its endpoint.
    pub fn meaning(&self) -> Meaning {
        match self {
            Outcome::Answered(answer) => Meaning::of(answer.status, answer.retry_after),
            Outcome::Refused(_) | Outcome::TimedOut(_) | Outcome::Unreachable(_) => Meaning::UNANSWERED,
        }
    }

    /// What its owner reads in the log of deliveries.
    pub fn chinese(&self) -> String {
        match self {
            Outcome::Answered(answer) => format!("对方返回状态码{}", answer.status),
            Outcome::Refused(refusal) => refusal.chinese(),
            Outcome::TimedOut(Phase::Connecting) => "连接对方超时".to_owned(),
            Outcome::TimedOut(Phase::Answering) => "对方超时未答复".to_owned(),
            Outcome::Unreachable(Unreachable::Unresolved { .. }) => "域名无法解析".to_owned(),
            Outcome::Unreachable(Unreachable::Unconnected { .. }) => "无法连接对方".to_owned(),
            Outcome::Unreachable(Unreachable::Untrusted { .. }) => "对方证书不受信任".to_owned(),
            Outcome::Unreachable(Unreachable::Broken { .. }) => "对方未答复即断开".to_owned(),
        }
    }
}
