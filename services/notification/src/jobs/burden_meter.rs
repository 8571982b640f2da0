//! Shows the burden of this week as metrics, by unit and kind. Persons are left to the API: who hears how
//! much is nobody's who only watches machines.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use xietong_mesh::service::Register;
use xietong_mesh::{Foundation, ServiceName};
use xietong_store::Db;
use xietong_timers::{Clock, Progress, Worker, WorkerError};

use crate::store::{BurdenKey, burden_by_unit};

/// How old the figures may be.
const PERIOD: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    unit: String,
    kind: &'static str,
}

/// Counts this week's messages, now and then, in every replica alike.
pub(crate) struct BurdenMeter {
    name: String,
    db: Db,
    clock: Clock,
    gauges: Gauges,
}

#[derive(Clone, Default)]
struct Gauges {
    notices: Family<Labels, Gauge>,
    asks: Family<Labels, Gauge>,
    avoided: Family<Labels, Gauge>,
}

impl BurdenMeter {
    pub(crate) fn new(foundation: &Foundation) -> Self {
        BurdenMeter {
            name: format!("{}/burden-meter", ServiceName::Notification.as_str()),
            db: foundation.db.clone(),
            clock: foundation.clock.clone(),
            gauges: Gauges::default(),
        }
    }

    /// Adds what it shows to a registry.
    pub(crate) fn register(&self) -> Register {
        let gauges = self.gauges.clone();
        Arc::new(move |registry| {
            let Gauges { notices, asks, avoided } = gauges.clone();
            registry.register("burden_notices", "Messages of this ISO week", notices);
            registry.register("burden_asks", "Messages of this ISO week that must be signed for", asks);
            registry.register(
                "burden_duplicates_avoided",
                "Messages of this ISO week that were spared, since several were told as one",
                avoided,
            );
        })
    }
}

#[async_trait]
impl Worker for BurdenMeter {
    fn name(&self) -> &str {
        &self.name
    }

    async fn turn(&self) -> Result<Progress, WorkerError> {
        let week = BurdenKey::week_of(self.clock.now()).begins();
        let counted = burden_by_unit(self.db.reader(), week).await.map_err(WorkerError::new)?;
        let Gauges { notices, asks, avoided } = &self.gauges;
        for family in [notices, asks, avoided] {
            family.clear();
        }
        for one in counted {
            let labels = Labels { unit: one.unit, kind: one.kind.as_str() };
            notices.get_or_create(&labels).set(one.notices);
            asks.get_or_create(&labels).set(one.asks);
            avoided.get_or_create(&labels).set(one.avoided);
        }
        Ok(Progress::Idle)
    }

    async fn wait(&self) {
        tokio::time::sleep(PERIOD).await;
    }
}
