//! Wakes the open streams of this process when messages arrive in any replica.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::broadcast::{self, Receiver, Sender, error::RecvError};
use xietong_events::{Bus, Subscription};
use xietong_mesh::ServiceName;
use xietong_timers::{Progress, Worker, WorkerError};

use crate::store::official_of;

/// Covers every wake-up that is lost: they are only hints.
const POLL: Duration = Duration::from_secs(5);
/// Wake-ups a stream may fall behind before it is told only that it did.
const BACKLOG: usize = 64;

/// Listens to this service's own events on the bus.
pub(crate) struct WakeUp {
    name: String,
    subscription: Subscription,
    calls: Calls,
}

/// Where streams listen. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Calls(Sender<Arc<BTreeSet<String>>>);

/// One stream's ear.
pub(crate) struct Listening {
    official: String,
    woken: Receiver<Arc<BTreeSet<String>>>,
}

impl WakeUp {
    pub(crate) fn new(bus: &Bus) -> Self {
        let service = ServiceName::Notification.as_str();
        WakeUp {
            name: format!("{service}/wake-up"),
            subscription: bus.subscribe(service),
            calls: Calls(broadcast::channel(BACKLOG).0),
        }
    }

    /// Where streams can listen.
    pub(crate) fn calls(&self) -> Calls {
        self.calls.clone()
    }
}

impl Calls {
    /// Hears of whatever is recorded in the inbox of an official from now on.
    pub(crate) fn listen(&self, official: &str) -> Listening {
        Listening { official: official.to_owned(), woken: self.0.subscribe() }
    }
}

impl Listening {
    /// Returns when there may be something new, at the latest after five seconds.
    pub(crate) async fn wait(&mut self) {
        // A timeout is the poll, not a failure.
        let _elapsed = tokio::time::timeout(POLL, self.called()).await;
    }

    async fn called(&mut self) {
        loop {
            match self.woken.recv().await {
                Ok(officials) if officials.contains(&self.official) => return,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return,
                // Nobody calls any more: the poll does it all.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

#[async_trait]
impl Worker for WakeUp {
    fn name(&self) -> &str {
        &self.name
    }

    async fn turn(&self) -> Result<Progress, WorkerError> {
        let batches = self.subscription.take();
        let officials: BTreeSet<String> = batches
            .iter()
            .flat_map(|batch| &batch.events)
            .filter_map(|event| official_of(&event.aggregate))
            .collect();
        if !officials.is_empty() {
            // Nobody listening is no failure.
            let _listeners = self.calls.0.send(Arc::new(officials));
        }
        Ok(Progress::Idle)
    }

    async fn wait(&self) {
        self.subscription.wait(POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use domain_calendar::Timestamp;
    use tokio::time::timeout;
    use xietong_events::{Batch, Bus, Digest, Event};
    use xietong_timers::{MachineTime, Worker};

    use super::{POLL, WakeUp};

    fn recorded_in(aggregate: &str) -> Arc<Batch> {
        let event = Event {
            id: "1".into(),
            position: 1,
            aggregate: aggregate.into(),
            version: 1,
            event_type: "notification.message.sent".into(),
            actor: "system/notification".into(),
            acting_for: None,
            ground: None,
            occurred_at: Timestamp::from_micros(1),
            recorded_at: MachineTime::from_micros(1),
            traceparent: None,
            causation_id: None,
            payload: "{}".into(),
            prev_hash: Digest::default(),
            hash: Digest::default(),
        };
        Arc::new(Batch { producer: "notification".into(), epoch: "e".into(), events: vec![event] })
    }

    #[tokio::test]
    async fn a_stream_is_woken_by_its_own_inbox_before_the_poll_and_by_no_other() {
        let bus = Bus::embedded();
        let wake_up = WakeUp::new(&bus);
        let (mut one, mut other) =
            (wake_up.calls().listen("officials/one"), wake_up.calls().listen("officials/other"));
        bus.publish(recorded_in("inboxes/one")).await;
        wake_up.turn().await.unwrap();
        timeout(POLL / 2, one.called()).await.expect("woken");
        timeout(Duration::from_millis(1), other.called()).await.expect_err("not called");
    }
}
