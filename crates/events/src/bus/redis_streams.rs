//! The bus over Redis Streams.
//!
//! Each producer has one stream, which every listener reads on its own (XREAD). There are
//! no consumer groups to lose: order, progress and fencing live in the consumer's own
//! database, so FLUSHALL, a restart or trimming cost nothing but a fetch.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::streams::{StreamMaxlen, StreamRangeReply, StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands, AsyncConnectionConfig, Client, RedisError};
use tokio::sync::Mutex;
use xietong_timers::{MachineClock, MachineTime};

use super::{AbortOnDrop, Batch, Listener, Subscription};

/// Streams are trimmed to about this many batches: listeners want the newest alone.
const KEPT: usize = 64;
/// After a failure nothing is sent for this long: a Redis that is away must not make
/// every batch wait for it.
const PAUSE: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_millis(500);
const BLOCK_MS: usize = 1_000;
/// A blocking read is answered within its second, or the connection is dead.
const READ_TIMEOUT: Duration = Duration::from_secs(4);

/// The Redis URL cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("not a Redis URL")]
pub struct BusError(#[source] RedisError);

/// Publishes to and reads from Redis.
pub struct RedisBus {
    client: Client,
    sending: Mutex<Sending>,
}

#[derive(Default)]
struct Sending {
    connection: Option<ConnectionManager>,
    paused_until: Option<MachineTime>,
}

impl RedisBus {
    pub(super) fn new(url: &str) -> Result<Self, BusError> {
        let client = Client::open(url).map_err(BusError)?;
        Ok(RedisBus { client, sending: Mutex::new(Sending::default()) })
    }

    pub(super) async fn publish(&self, batch: &Batch) {
        let mut sending = self.sending.lock().await;
        let now = MachineClock::system().now();
        if sending.paused_until.is_some_and(|until| now < until) {
            return;
        }
        match self.send(&mut sending, batch).await {
            Ok(()) => sending.paused_until = None,
            Err(error) => {
                if sending.paused_until.is_none() {
                    tracing::warn!(%error, "the bus is away; consumers fetch until it is back");
                }
                sending.connection = None;
                sending.paused_until = Some(now.plus(PAUSE));
            }
        }
    }

    async fn send(&self, sending: &mut Sending, batch: &Batch) -> Result<(), RedisError> {
        let payload = serde_json::to_string(batch)
            .map_err(|error| RedisError::from((redis::ErrorKind::Client, "batch", error.to_string())))?;
        let connection = match &mut sending.connection {
            Some(connection) => connection,
            None => {
                let config = ConnectionManagerConfig::new()
                    .set_connection_timeout(Some(TIMEOUT))
                    .set_response_timeout(Some(TIMEOUT))
                    .set_number_of_retries(0);
                sending
                    .connection
                    .insert(ConnectionManager::new_with_config(self.client.clone(), config).await?)
            }
        };
        let key = stream(&batch.producer);
        connection.xadd_maxlen(key, StreamMaxlen::Approx(KEPT), "*", &[("batch", payload)]).await
    }

    pub(super) fn subscribe(&self, producer: &str) -> Subscription {
        let (listener, batches, arrived) = Listener::pair();
        let reader = tokio::spawn(read(self.client.clone(), stream(producer), listener));
        Subscription::new(batches, arrived, Some(AbortOnDrop(reader)))
    }
}

fn stream(producer: &str) -> String {
    format!("xietong:events:{producer}")
}

/// Reads a stream for as long as anybody listens, over a connection of its own because
/// the read blocks.
async fn read(client: Client, key: String, listener: Listener) {
    let mut pause = Duration::from_millis(100);
    while !listener.is_gone() {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(READ_TIMEOUT));
        let connected = client.get_multiplexed_async_connection_with_config(&config).await;
        if let Ok(mut connection) = connected
            && let Ok(mut after) = newest(&mut connection, &key).await
        {
            pause = Duration::from_millis(100);
            while !listener.is_gone() {
                let options = StreamReadOptions::default().block(BLOCK_MS).count(64);
                let reply: Result<Option<StreamReadReply>, RedisError> =
                    connection.xread_options(&[&key], &[&after], &options).await;
                match reply {
                    Ok(reply) => deliver(reply.unwrap_or_default(), &mut after, &listener),
                    Err(error) => {
                        tracing::debug!(%error, key, "reading the bus failed");
                        break;
                    }
                }
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// Where a stream ends now. What was published before is fetched; what comes after it is
/// read for as long as the connection holds.
async fn newest(connection: &mut MultiplexedConnection, key: &str) -> Result<String, RedisError> {
    let newest: StreamRangeReply = connection.xrevrange_count(key, "+", "-", 1).await?;
    Ok(newest.ids.into_iter().next().map_or_else(|| "0".to_owned(), |entry| entry.id))
}

fn deliver(reply: StreamReadReply, after: &mut String, listener: &Listener) {
    for entry in reply.keys.into_iter().flat_map(|key| key.ids) {
        let batch = entry.get::<String>("batch").and_then(|text| serde_json::from_str(&text).ok());
        *after = entry.id;
        match batch {
            Some(batch) => listener.hand(Arc::new(batch)),
            None => tracing::warn!(entry = *after, "the bus carried something that is no batch"),
        }
    }
}
