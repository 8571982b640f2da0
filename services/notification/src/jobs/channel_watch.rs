//! Shows how channels stand as metrics.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use xietong_mesh::ServiceName;
use xietong_timers::{Progress, Worker, WorkerError};

use crate::app::Channels;
use crate::store::{channel_standing, sendings_waiting};

/// How old the figures may be.
const PERIOD: Duration = Duration::from_secs(15);

/// Looks at each channel, now and then, in every replica alike.
pub(crate) struct ChannelWatch {
    name: String,
    channels: Arc<Channels>,
}

impl ChannelWatch {
    pub(crate) fn new(channels: Arc<Channels>) -> Self {
        ChannelWatch { name: format!("{}/channel-watch", ServiceName::Notification.as_str()), channels }
    }
}

#[async_trait]
impl Worker for ChannelWatch {
    fn name(&self) -> &str {
        &self.name
    }

    async fn turn(&self) -> Result<Progress, WorkerError> {
        let reader = self.channels.db.reader();
        for way in &self.channels.ways {
            let waiting = sendings_waiting(reader, way.channel).await.map_err(WorkerError::new)?;
            let standing = channel_standing(reader, way.channel).await.map_err(WorkerError::new)?;
            if let Some(standing) = standing {
                self.channels.meter.stands(way.channel, waiting, standing.breaker);
            }
        }
        Ok(Progress::Idle)
    }

    async fn wait(&self) {
        tokio::time::sleep(PERIOD).await;
    }
}
