//! Counts what waits to be sent by webhook, now and then, in every replica alike.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use xietong_mesh::ServiceName;
use xietong_timers::{Progress, Worker, WorkerError};

use crate::app::Webhooks;
use crate::store::endpoint_counts;

/// How old the figures may be.
const PERIOD: Duration = Duration::from_secs(15);

/// Counts what waits to be sent.
pub(crate) struct WebhookMeter {
    name: String,
    webhooks: Arc<Webhooks>,
}

impl WebhookMeter {
    pub(crate) fn new(webhooks: Arc<Webhooks>) -> Self {
        let name = format!("{}/webhook-meter", ServiceName::Notification.as_str());
        WebhookMeter { name, webhooks }
    }
}

#[async_trait]
impl Worker for WebhookMeter {
    fn name(&self) -> &str {
        &self.name
    }

    async fn turn(&self) -> Result<Progress, WorkerError> {
        let counts = endpoint_counts(self.webhooks.db.reader()).await.map_err(WorkerError::new)?;
        self.webhooks.metrics.counted(&counts);
        Ok(Progress::Idle)
    }

    async fn wait(&self) {
        tokio::time::sleep(PERIOD).await;
    }
}
