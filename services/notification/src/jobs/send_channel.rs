//! Sends what is due on a channel. Any replica does: it claims sendings under a lease, and whatever one
//! that died had claimed is another's when the lease ends.
//!
//! A turn claims, starts attempts and does not wait for them: no clock is held up by a mail server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain_webhook::Moment;
use tokio::task::JoinSet;
use xietong_mesh::ServiceName;
use xietong_store::StoreError;
use xietong_timers::{Progress, Worker, WorkerError};

use crate::app::{Channels, Way, moment};
use crate::store::{StoredSending, end_sending_claims, next_sending};

/// How often it is looked for what was written, here or by another replica.
const POLL: Duration = Duration::from_millis(500);

/// Sends what is due on one channel.
pub(crate) struct SendByChannel {
    name: String,
    channels: Arc<Channels>,
    way: Arc<Way>,
    /// Gone with this value, and every attempt under way with it.
    under_way: Mutex<JoinSet<()>>,
    again: Mutex<Option<Moment>>,
}

impl SendByChannel {
    pub(crate) fn new(channels: Arc<Channels>, way: Arc<Way>) -> Self {
        let name = format!("{}/channel-{}", ServiceName::Notification.as_str(), way.channel);
        SendByChannel { name, channels, way, under_way: Mutex::new(JoinSet::new()), again: Mutex::new(None) }
    }

    async fn round(&self) -> Result<(), StoreError> {
        let room = self.way.rules.concurrency.saturating_sub(self.still_under_way());
        let mut again = None;
        if room > 0 {
            let claimed = self.channels.claim(&self.way, room).await?;
            again = claimed.again;
            let mut under_way = locked(&self.under_way);
            for sending in claimed.sendings {
                under_way.spawn(run(self.channels.clone(), self.way.clone(), sending));
            }
        }
        let now = moment(self.channels.machine);
        let next = next_sending(self.channels.db.reader(), self.way.channel, now).await?;
        *locked(&self.again) = again.into_iter().chain(next).min();
        Ok(())
    }

    fn still_under_way(&self) -> usize {
        let mut under_way = locked(&self.under_way);
        while under_way.try_join_next().is_some() {}
        under_way.len()
    }
}

async fn run(channels: Arc<Channels>, way: Arc<Way>, sending: StoredSending) {
    let began = moment(channels.machine);
    let settled = async {
        let tried = channels.attempt(&way, &sending).await?;
        channels.meter.tried(way.channel, tried.verdict, moment(channels.machine).since(began));
        channels.settle(&way, &sending, &tried).await
    };
    if let Err(error) = settled.await {
        // The lease ends by itself, and it is sent again under the same name.
        tracing::warn!(channel = %way.channel, message = sending.message, %error, "an attempt is not on record");
    }
    way.to_send.poke();
}

fn locked<Inner>(mutex: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Worker for SendByChannel {
    fn name(&self) -> &str {
        &self.name
    }

    /// Always idle: what it started is waited for by nobody.
    async fn turn(&self) -> Result<Progress, WorkerError> {
        self.round().await.map_err(WorkerError::new)?;
        Ok(Progress::Idle)
    }

    async fn wait(&self) {
        let again = *locked(&self.again);
        let now = moment(self.channels.machine);
        let until = again.map_or(POLL, |again| again.since(now)).clamp(Duration::from_millis(1), POLL);
        self.way.to_send.wait(until).await;
    }

    async fn take_over(&self) -> Result<(), WorkerError> {
        end_sending_claims(&self.channels.db, self.way.channel).await.map_err(WorkerError::new)
    }
}
