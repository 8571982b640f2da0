//! The bus within one process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::{BACKLOG, Batch, Subscription};

type Listeners = HashMap<String, Vec<mpsc::Sender<Arc<Batch>>>>;

/// Hands batches to the listeners of the same process; a full listener loses them.
#[derive(Debug, Clone, Default)]
pub struct EmbeddedBus(Arc<Mutex<Listeners>>);

impl EmbeddedBus {
    pub(super) fn publish(&self, batch: Arc<Batch>) {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listeners) = listeners.get_mut(&batch.producer) {
            listeners.retain(|listener| !listener.is_closed());
            for listener in listeners {
                // A full listener is behind and will fetch.
                let _full = listener.try_send(batch.clone());
            }
        }
    }

    pub(super) fn subscribe(&self, producer: &str) -> Subscription {
        let (sender, batches) = mpsc::channel(BACKLOG);
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.entry(producer.to_owned()).or_default().push(sender);
        Subscription { batches, waiting: None, _reader: None }
    }
}
