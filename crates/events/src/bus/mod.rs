//! The fast path from a sequencer to consumers. It may lose, repeat and reorder: whoever
//! listens must check positions and fetch what is missing.

mod embedded;
mod redis_streams;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use xietong_timers::Poke;

use crate::event::Event;

pub use redis_streams::BusError;

/// A run of sequenced events as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// The service whose log they are from.
    pub producer: String,
    /// The incarnation of that log.
    pub epoch: String,
    /// In order of position.
    pub events: Vec<Event>,
}

/// A bus: in-process, or Redis Streams. Cloning is cheap.
#[derive(Clone)]
pub enum Bus {
    /// Channels within one process.
    Embedded(embedded::EmbeddedBus),
    /// One stream a producer, trimmed freely.
    Redis(Arc<redis_streams::RedisBus>),
}

impl Bus {
    /// A bus within this process.
    pub fn embedded() -> Self {
        Bus::Embedded(embedded::EmbeddedBus::default())
    }

    /// A bus over the Redis at `url`. Nothing is connected yet, and a Redis that is away
    /// is no error: batches are lost until it is back, and consumers fetch them.
    pub fn redis(url: &str) -> Result<Self, BusError> {
        Ok(Bus::Redis(Arc::new(redis_streams::RedisBus::new(url)?)))
    }

    /// Hands a batch to whoever listens. Never fails: what is lost is fetched.
    pub async fn publish(&self, batch: Arc<Batch>) {
        match self {
            Bus::Embedded(bus) => bus.publish(batch),
            Bus::Redis(bus) => bus.publish(&batch).await,
        }
    }

    /// Listens to the batches of a producer that are published from now on.
    pub fn subscribe(&self, producer: &str) -> Subscription {
        match self {
            Bus::Embedded(bus) => bus.subscribe(producer),
            Bus::Redis(bus) => bus.subscribe(producer),
        }
    }
}

/// Batches of one producer as they arrive. Dropping it ends the listening.
pub struct Subscription {
    batches: Mutex<mpsc::Receiver<Arc<Batch>>>,
    arrived: Poke,
    /// Keeps the task that reads from Redis; none for the in-process bus.
    _reader: Option<AbortOnDrop>,
}

impl Subscription {
    fn new(batches: mpsc::Receiver<Arc<Batch>>, arrived: Poke, reader: Option<AbortOnDrop>) -> Self {
        Subscription { batches: Mutex::new(batches), arrived, _reader: reader }
    }

    /// Everything that has arrived.
    pub fn take(&self) -> Vec<Arc<Batch>> {
        let mut batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| batches.try_recv().ok()).collect()
    }

    /// Returns when something has arrived since the last wait, or after `bound`.
    pub async fn wait(&self, bound: Duration) {
        self.arrived.wait(bound).await;
    }
}

/// The sending side of a subscription.
#[derive(Debug, Clone)]
struct Listener {
    batches: mpsc::Sender<Arc<Batch>>,
    arrived: Poke,
}

impl Listener {
    fn pair() -> (Listener, mpsc::Receiver<Arc<Batch>>, Poke) {
        let (sender, batches) = mpsc::channel(BACKLOG);
        let arrived = Poke::new();
        (Listener { batches: sender, arrived: arrived.clone() }, batches, arrived)
    }

    /// Nobody listens any more.
    fn is_gone(&self) -> bool {
        self.batches.is_closed()
    }

    /// Hands a batch over. A listener that is full is behind, loses it and will fetch.
    fn hand(&self, batch: Arc<Batch>) {
        let _full = self.batches.try_send(batch);
        self.arrived.poke();
    }
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Batches a listener may fall behind before more are dropped (and fetched instead).
const BACKLOG: usize = 256;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{BACKLOG, Batch, Bus};

    fn batch(producer: &str) -> Arc<Batch> {
        Arc::new(Batch { producer: producer.into(), epoch: "e".into(), events: Vec::new() })
    }

    #[tokio::test]
    async fn a_listener_hears_its_producer_and_no_other() {
        let bus = Bus::embedded();
        let roster = bus.subscribe("roster");
        bus.publish(batch("supervision")).await;
        bus.publish(batch("roster")).await;
        roster.wait(Duration::from_secs(5)).await;
        let heard = roster.take();
        assert_eq!(heard.len(), 1);
        assert_eq!(heard[0].producer, "roster");
    }

    #[tokio::test]
    async fn a_listener_that_sleeps_loses_batches_and_nobody_waits_for_it() {
        let bus = Bus::embedded();
        let asleep = bus.subscribe("roster");
        for _ in 0..BACKLOG * 2 {
            bus.publish(batch("roster")).await;
        }
        assert_eq!(asleep.take().len(), BACKLOG);
    }
}
