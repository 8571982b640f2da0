//! Telling open streams to end.

use futures_util::stream::{Stream, StreamExt};
use tokio_util::sync::CancellationToken;

/// Begun once, when the service is told to end. Handlers that stream hold a clone and end
/// their streams when it begins. Cheap to clone; clones share the state.
#[derive(Clone, Debug, Default)]
pub struct Drain(CancellationToken);

impl Drain {
    /// Not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins. Doing so again has no effect.
    pub fn begin(&self) {
        self.0.cancel();
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until it begins.
    pub async fn begun(&self) {
        self.0.cancelled().await;
    }

    /// The stream, ended when the drain begins. What was polled before is delivered.
    pub fn ends<S: Stream>(&self, stream: S) -> impl Stream<Item = S::Item> + use<S> {
        stream.take_until(Box::pin(self.0.clone().cancelled_owned()))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_stream_ends_when_the_drain_begins() {
        let drain = Drain::new();
        let endless = drain.ends(stream::iter([1, 2]).chain(stream::pending()));
        let collected = tokio::spawn(endless.collect::<Vec<_>>());
        drain.begin();
        assert!(collected.await.unwrap().len() <= 2);
        assert!(drain.has_begun());
    }
}
