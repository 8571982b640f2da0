//! Asking the roster itself, where the copy of it may not know enough.
//!
//! That takes as long as the roster lets it: it is done before a transaction begins, which
//! holds SQLite's one writer, or a connection of few, and the row of its request id. What is
//! decided inside the transaction is decided by what the copy knows then.

use xietong_mesh::{Error, RosterCopy, RosterView};
use xietong_timers::MachineClock;

/// Asks the roster when the copy of it is stale.
pub(super) async fn refresh(copy: &RosterCopy) {
    if is_stale(&copy.view()) {
        copy.ask().await;
    }
}

/// The roster to act by.
///
/// # Errors
/// UNAVAILABLE when the copy is not known to be current: nobody acts on authority that may
/// have ended.
pub(super) fn current(copy: &RosterCopy) -> Result<RosterView, Error> {
    let view = copy.view();
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
    use std::time::Duration;

    use xietong_events::{Bus, EventSource, LogPage, SourceError};
    use xietong_mesh::{Code, ServiceName};

    use super::*;

    /// How a roster is that has nothing in it.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub(in crate::app) enum State {
        Up,
        Down,
        Hanging,
    }

    /// A roster of nothing.
    pub(in crate::app) struct Source {
        state: State,
        asked: AtomicUsize,
    }

    #[async_trait::async_trait]
    impl EventSource for Source {
        async fn read(&self, _after: i64, _limit: u32) -> Result<LogPage, SourceError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            match self.state {
                State::Up => {}
                State::Down => {
                    return Err(SourceError { producer: "roster".to_owned(), why: "down".to_owned() });
                }
                State::Hanging => std::future::pending().await,
            }
            Ok(LogPage { epochs: vec![], last_position: 0, pending: false, events: vec![] })
        }
    }

    /// A copy that has heard of nothing yet, and the roster it follows.
    pub(in crate::app) fn copy(state: State) -> (RosterCopy, Arc<Source>) {
        let source = Arc::new(Source { state, asked: AtomicUsize::new(0) });
        (RosterCopy::new(ServiceName::Supervision, source.clone(), &Bus::embedded()), source)
    }

    #[tokio::test]
    async fn a_stale_copy_asks_the_roster_once() {
        let (copy, source) = copy(State::Up);
        refresh(&copy).await;
        current(&copy).unwrap();
        assert_eq!(source.asked.load(Ordering::Relaxed), 1);
        refresh(&copy).await;
        assert_eq!(source.asked.load(Ordering::Relaxed), 1, "it is current now");
    }

    #[tokio::test]
    async fn nobody_acts_by_a_roster_that_cannot_be_asked() {
        let (copy, source) = copy(State::Down);
        refresh(&copy).await;
        assert_eq!(current(&copy).unwrap_err().code(), Code::Unavailable);
        assert_eq!(source.asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_roster_that_hangs_is_given_up() {
        let (copy, source) = copy(State::Hanging);
        copy.ask_within(Duration::from_millis(10)).await;
        assert!(is_stale(&copy.view()));
        assert_eq!(source.asked.load(Ordering::Relaxed), 1);
    }
}
