//! [`Pool`]: connections that are kept for the next letter.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::client::AsyncSmtpConnection;
use xietong_timers::MachineTime;

/// A server need not keep one that says nothing for longer (RFC 5321, 4.5.3.2.7, has 5 minutes).
const IDLE: Duration = Duration::from_secs(60);

/// Connections that nothing is sent on.
pub(crate) struct Pool {
    most: usize,
    kept: Mutex<Vec<(AsyncSmtpConnection, MachineTime)>>,
}

impl Pool {
    pub(crate) fn new(most: usize) -> Self {
        Pool { most, kept: Mutex::new(Vec::new()) }
    }

    /// The one that was used last. The server may have ended it since.
    pub(crate) fn take(&self, now: MachineTime) -> Option<AsyncSmtpConnection> {
        let mut kept = self.locked();
        kept.retain(|(_, since)| now.since(*since) < IDLE);
        kept.pop().map(|(connection, _)| connection)
    }

    /// Keeps one on which a letter has ended.
    pub(crate) fn keep(&self, connection: AsyncSmtpConnection, now: MachineTime) {
        let mut kept = self.locked();
        if !connection.has_broken() && kept.len() < self.most {
            kept.push((connection, now));
        }
    }

    fn locked(&self) -> MutexGuard<'_, Vec<(AsyncSmtpConnection, MachineTime)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
