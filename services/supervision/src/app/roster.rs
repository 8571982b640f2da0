//! Asking the roster itself, where the copy of it may not know enough.

use std::time::Duration;

use tokio::time::timeout;
use xietong_mesh::{Error, RosterCopy, RosterView};
use xietong_timers::{MachineClock, Worker};

/// A roster that does not answer within this time is not available.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the roster once, for two seconds at most, and gives what the copy then knows. Whether
/// that is current, [`RosterView::is_stale`] says.
pub(super) async fn ask(copy: &RosterCopy) -> RosterView {
    match timeout(PATIENCE, copy.turn()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the roster could not be asked"),
        Err(_) => tracing::warn!("the roster did not answer in time"),
    }
    copy.view()
}

/// The roster to act by: the copy, and when that is stale the roster itself.
///
/// # Errors
/// UNAVAILABLE when neither is known to be current: nobody acts on authority that may have
/// ended.
pub(super) async fn current(copy: &RosterCopy) -> Result<RosterView, Error> {
    let view = copy.view();
    if !is_stale(&view) {
        return Ok(view);
    }
    let view = ask(copy).await;
    if is_stale(&view) { Err(Error::unavailable("the roster")) } else { Ok(view) }
}

/// Whether the roster may say otherwise by now.
pub(super) fn is_stale(view: &RosterView) -> bool {
    view.is_stale(MachineClock::system().now())
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use xietong_events::{Bus, EventSource, LogPage, SourceError};
    use xietong_mesh::{Code, ServiceName};

    use super::*;

    /// A roster of nothing, or one that is down.
    pub(in crate::app) struct Source {
        down: bool,
        asked: AtomicUsize,
    }

    #[async_trait::async_trait]
    impl EventSource for Source {
        async fn read(&self, _after: i64, _limit: u32) -> Result<LogPage, SourceError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            if self.down {
                return Err(SourceError { producer: "roster".to_owned(), why: "down".to_owned() });
            }
            Ok(LogPage { epochs: vec![], last_position: 0, pending: false, events: vec![] })
        }
    }

    /// A copy that has heard of nothing yet, and the roster it follows.
    pub(in crate::app) fn copy(down: bool) -> (RosterCopy, Arc<Source>) {
        let source = Arc::new(Source { down, asked: AtomicUsize::new(0) });
        (RosterCopy::new(ServiceName::Supervision, source.clone(), &Bus::embedded()), source)
    }

    #[tokio::test]
    async fn a_stale_copy_asks_the_roster_once() {
        let (copy, source) = copy(false);
        assert!(!is_stale(&current(&copy).await.unwrap()));
        assert_eq!(source.asked.load(Ordering::Relaxed), 1);
        current(&copy).await.unwrap();
        assert_eq!(source.asked.load(Ordering::Relaxed), 1, "it is current now");
    }

    #[tokio::test]
    async fn nobody_acts_by_a_roster_that_cannot_be_asked() {
        let (copy, source) = copy(true);
        assert_eq!(current(&copy).await.unwrap_err().code(), Code::Unavailable);
        assert_eq!(source.asked.load(Ordering::Relaxed), 1);
    }
}
