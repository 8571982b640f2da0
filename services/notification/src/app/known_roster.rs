//! [`KnownRoster`]: the roster that recipients are resolved with, asked for with little patience.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain_roster::Book;
use xietong_events::Event;
use xietong_mesh::{RosterCopy, RosterView};
use xietong_timers::{MachineTime, Progress, Worker, WorkerError};

/// How long a message waits for the roster. It is asked inside a transaction, which on SQLite
/// is the only one that writes.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a roster that did not answer in time is not asked again: it costs one wait, not
/// one for each event.
const RESPITE: Duration = Duration::from_secs(5);

/// Recipients cannot be resolved yet. The events stay and are tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotYet {
    /// The copy has never held everything.
    #[error("the copy of the roster is not complete yet")]
    Incomplete,
    /// The copy does not hold the event that is to be told of, and the roster cannot be asked.
    #[error("the copy of the roster is at position {copy}, the event at {event}")]
    Behind {
        /// Where the copy is.
        copy: i64,
        /// Where the event is.
        event: i64,
    },
}

/// The copy of the roster, brought up to date when that is quickly done.
pub(crate) struct KnownRoster {
    copy: Arc<RosterCopy>,
    gave_up_at: Mutex<Option<Instant>>,
}

impl KnownRoster {
    pub(crate) fn new(copy: Arc<RosterCopy>) -> Self {
        KnownRoster { copy, gave_up_at: Mutex::new(None) }
    }

    /// The roster, holding whatever it recorded before `since`.
    ///
    /// Somebody may be registered as absent and be sent a task in the next breath: so a copy
    /// that was last confirmed earlier asks the roster first. A roster that cannot be reached,
    /// or does not answer within a second, holds up no message: what is known of it is then
    /// used. Only a copy that never held everything is not resolved with.
    pub(crate) async fn since(&self, since: MachineTime) -> Result<RosterView, NotYet> {
        self.ask(async {
            while self.copy.view().confirmed_at.is_none_or(|confirmed| confirmed < since) {
                if self.copy.turn().await? == Progress::Idle {
                    break;
                }
            }
            Ok(())
        })
        .await;
        let view = self.copy.view();
        if view.confirmed_at.is_some() { Ok(view) } else { Err(NotYet::Incomplete) }
    }

    /// The roster, holding an event of its own log.
    pub(crate) async fn holding(&self, event: &Event) -> Result<RosterView, NotYet> {
        // The clocks of two machines differ: that the copy was confirmed after the event was
        // recorded does not mean that it holds it.
        self.ask(async { self.copy.at_least(event.position).await.map(drop) }).await;
        let view = self.since(event.recorded_at).await?;
        if view.position < event.position {
            return Err(NotYet::Behind { copy: view.position, event: event.position });
        }
        Ok(view)
    }

    /// What the copy holds now, whether or not it is everything: its calendar is the one compiled
    /// in, and what was published since as far as it is known.
    pub(crate) fn book(&self) -> Arc<Book> {
        self.copy.view().book
    }

    /// Lets the copy ask the roster, unless it left a question unanswered just now. That it
    /// fails shows in the copy, which then is where it was.
    async fn ask(&self, asking: impl Future<Output = Result<(), WorkerError>>) {
        if is_respite(*self.gave_up_at.lock().unwrap_or_else(PoisonError::into_inner), Instant::now()) {
            return;
        }
        match tokio::time::timeout(PATIENCE, asking).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(%error, "the roster cannot be asked; resolving with what is known of it");
            }
            Err(_elapsed) => {
                *self.gave_up_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                tracing::warn!("the roster does not answer; resolving with what is known of it");
            }
        }
    }
}

/// True when the roster is not to be asked at `now`.
fn is_respite(gave_up_at: Option<Instant>, now: Instant) -> bool {
    gave_up_at.is_some_and(|gave_up| now.saturating_duration_since(gave_up) < RESPITE)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, Instant};

    use async_trait::async_trait;
    use domain_calendar::Timestamp;
    use xietong_events::{Bus, Digest, Epoch, Event, EventSource, LogPage, SourceError};
    use xietong_mesh::{RosterCopy, ServiceName};
    use xietong_timers::{MachineClock, MachineTime, Worker};

    use super::{KnownRoster, RESPITE, is_respite};

    /// A roster's log that counts its readers and may leave them without an answer.
    #[derive(Default)]
    struct Roster {
        events: Mutex<Vec<Event>>,
        reads: AtomicU32,
        hangs: AtomicBool,
    }

    #[async_trait]
    impl EventSource for Roster {
        async fn read(&self, after: i64, _limit: u32) -> Result<LogPage, SourceError> {
            self.reads.fetch_add(1, Ordering::SeqCst);
            if self.hangs.load(Ordering::SeqCst) {
                return std::future::pending().await;
            }
            let events = self.events.lock().unwrap();
            Ok(LogPage {
                epochs: vec![Epoch { name: "first".into(), after_position: 0 }],
                last_position: events.last().map_or(0, |event| event.position),
                pending: false,
                events: events.iter().filter(|event| event.position > after).cloned().collect(),
            })
        }
    }

    impl Roster {
        /// Records an event, of a kind that this reader does not know.
        fn record(&self, recorded_at: MachineTime) -> Event {
            let mut events = self.events.lock().unwrap();
            let position = events.last().map_or(1, |event| event.position + 1);
            let event = Event {
                id: position.to_string(),
                position,
                aggregate: "units/water".into(),
                version: position,
                event_type: "roster.unit.painted".into(),
                actor: "tester".into(),
                acting_for: None,
                ground: None,
                occurred_at: Timestamp::from_micros(recorded_at.as_micros()),
                recorded_at,
                traceparent: None,
                causation_id: None,
                payload: "{}".into(),
                prev_hash: Digest::from_bytes(vec![]),
                hash: Digest::from_bytes(vec![]),
            };
            events.push(event.clone());
            event
        }
    }

    fn now() -> MachineTime {
        MachineClock::system().now()
    }

    /// A roster with one event, and a copy that holds it.
    async fn known() -> (Arc<Roster>, KnownRoster) {
        let roster = Arc::new(Roster::default());
        roster.record(now());
        let copy = Arc::new(RosterCopy::new(ServiceName::Notification, roster.clone(), &Bus::embedded()));
        copy.turn().await.unwrap();
        (roster, KnownRoster::new(copy))
    }

    #[tokio::test]
    async fn a_roster_that_hangs_is_waited_for_once() {
        let (roster, known) = known().await;
        let read = roster.reads.load(Ordering::SeqCst);
        roster.hangs.store(true, Ordering::SeqCst);
        let resolved = async {
            for _ in 0..10 {
                assert_eq!(known.since(now()).await.unwrap().position, 1, "what is known is used");
            }
            let missed = roster.record(now());
            known.holding(&missed).await.unwrap_err()
        };
        let error = tokio::time::timeout(RESPITE, resolved).await.unwrap();
        assert!(error.to_string().contains("at position 1, the event at 2"), "{error}");
        assert_eq!(roster.reads.load(Ordering::SeqCst), read + 1);
    }

    #[tokio::test]
    async fn a_roster_that_never_answered_is_not_resolved_with() {
        let roster = Arc::new(Roster::default());
        roster.hangs.store(true, Ordering::SeqCst);
        let copy = RosterCopy::new(ServiceName::Notification, roster, &Bus::embedded());
        let error = KnownRoster::new(Arc::new(copy)).since(now()).await.unwrap_err();
        assert!(error.to_string().contains("not complete"), "{error}");
    }

    #[tokio::test]
    async fn a_copy_that_is_merely_behind_an_event_asks_for_it() {
        let (roster, known) = known().await;
        // The roster's clock is an hour slow: by it, the copy was confirmed after the event.
        let event = roster.record(now().minus(Duration::from_secs(3_600)));
        assert_eq!(known.holding(&event).await.unwrap().position, event.position);
    }

    #[test]
    fn a_roster_given_up_is_asked_again_after_the_respite() {
        let gave_up = Instant::now();
        assert!(!is_respite(None, gave_up));
        assert!(is_respite(Some(gave_up), gave_up));
        assert!(is_respite(Some(gave_up), gave_up + RESPITE - Duration::from_nanos(1)));
        assert!(!is_respite(Some(gave_up), gave_up + RESPITE));
    }
}
