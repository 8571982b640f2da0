//! What can go wrong on the way to a connection, and finding it again in what the client says.

use std::error::Error;
use std::io;

use domain_webhook::AddressRefusal;

use crate::outcome::{Outcome, Phase, Unreachable};

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectFailure {
    /// None of its addresses may be connected to; the first one's reason.
    #[error(transparent)]
    Refused(#[from] AddressRefusal),
    /// The name has no address.
    #[error("cannot resolve the name: {0}")]
    Unresolved(io::Error),
    /// Nobody listens there.
    #[error("cannot connect: {0}")]
    Unconnected(io::Error),
    /// It took too long, TLS included.
    #[error("connecting took too long")]
    TimedOut,
    /// No target that was checked has such a URL.
    #[error("not a URL to connect to")]
    NoTarget,
}

/// What the client's error comes to.
pub(crate) fn outcome_of(error: &hyper_util::client::legacy::Error) -> Outcome {
    let connecting = error.is_connect();
    let error: &(dyn Error + 'static) = error;
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(failure) = error.downcast_ref::<ConnectFailure>() {
            return of_connecting(failure);
        }
        if let Some(error) = tls_error(error) {
            return Outcome::Unreachable(Unreachable::Untrusted { detail: error.to_string() });
        }
        cause = error.source();
    }
    let detail = deepest(error);
    // Everything else that connecting takes has a failure of its own: what is left is TLS.
    Outcome::Unreachable(if connecting {
        Unreachable::Untrusted { detail }
    } else {
        Unreachable::Broken { detail }
    })
}

fn of_connecting(failure: &ConnectFailure) -> Outcome {
    match failure {
        ConnectFailure::Refused(refusal) => Outcome::Refused(*refusal),
        ConnectFailure::Unresolved(error) => {
            Outcome::Unreachable(Unreachable::Unresolved { detail: error.to_string() })
        }
        ConnectFailure::Unconnected(error) => {
            Outcome::Unreachable(Unreachable::Unconnected { detail: error.to_string() })
        }
        ConnectFailure::TimedOut => Outcome::TimedOut(Phase::Connecting),
        ConnectFailure::NoTarget => {
            Outcome::Unreachable(Unreachable::Unconnected { detail: failure.to_string() })
        }
    }
}

/// An I/O error keeps what it wraps from its list of causes.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut error = error;
    loop {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        error = error.downcast_ref::<io::Error>()?.get_ref()?;
    }
}

/// The first cause says most: the others wrap it.
fn deepest(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}
