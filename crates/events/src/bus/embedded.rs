//! The bus within one process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Batch, Listener, Subscription};

type Listeners = HashMap<String, Vec<Listener>>;

/// Hands batches to the listeners of the same process; a full listener loses them.
#[derive(Debug, Clone, Default)]
pub struct EmbeddedBus(Arc<Mutex<Listeners>>);

impl EmbeddedBus {
    pub(super) fn publish(&self, batch: Arc<Batch>) {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listeners) = listeners.get_mut(&batch.producer) {
            listeners.retain(|listener| !listener.is_gone());
            for listener in listeners {
                listener.hand(batch.clone());
            }
        }
    }

    pub(super) fn subscribe(&self, producer: &str) -> Subscription {
        let (listener, batches, arrived) = Listener::pair();
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.entry(producer.to_owned()).or_default().push(listener);
        Subscription::new(batches, arrived, None)
    }
}
