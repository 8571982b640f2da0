//! [`WebhookMetrics`]: how webhooks fare, for whoever watches the machines.

use std::sync::Arc;
use std::time::Duration;

use domain_webhook::{DeliveryState, Meaning};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Unit;
use xietong_mesh::service::Register;

use crate::store::{ENDPOINT_STANDINGS, EndpointCounts};

/// Upper bounds in seconds: from a receiver next door to the longest that an attempt may take.
const ATTEMPT_BUCKETS: [f64; 13] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Standing {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfEndpoint {
    endpoint: String,
}

#[derive(Clone, Copy)]
struct AttemptHistogram;

impl MetricConstructor<Histogram> for AttemptHistogram {
    fn new_metric(&self) -> Histogram {
        Histogram::new(ATTEMPT_BUCKETS)
    }
}

/// What is counted as it happens in this process, and what is counted in the database now and then.
/// Cheap to clone; clones share the values.
#[derive(Clone)]
pub(crate) struct WebhookMetrics {
    attempts: Family<Outcome, Histogram, AttemptHistogram>,
    ended: Family<Outcome, Counter>,
    endpoints: Family<Standing, Gauge>,
    waiting: Family<OfEndpoint, Gauge>,
    held: Family<OfEndpoint, Gauge>,
    dead_letters: Family<OfEndpoint, Gauge>,
}

impl WebhookMetrics {
    pub(crate) fn new() -> Self {
        WebhookMetrics {
            attempts: Family::new_with_constructor(AttemptHistogram),
            ended: Family::default(),
            endpoints: Family::default(),
            waiting: Family::default(),
            held: Family::default(),
            dead_letters: Family::default(),
        }
    }

    /// Adds what it shows to a registry.
    pub(crate) fn register(&self) -> Register {
        let metrics = self.clone();
        Arc::new(move |registry| {
            let WebhookMetrics { attempts, ended, endpoints, waiting, held, dead_letters } = metrics.clone();
            registry.register_with_unit(
                "webhook_attempt_duration",
                "How long attempts at webhooks took, by what came of them",
                Unit::Seconds,
                attempts,
            );
            registry.register(
                "webhook_deliveries_ended",
                "Webhooks that were delivered, or given up as dead letters",
                ended,
            );
            registry.register("webhook_endpoints", "Endpoints of webhooks, by where they stand", endpoints);
            registry.register("webhook_deliveries_waiting", "Webhooks that are to be sent", waiting);
            registry.register(
                "webhook_deliveries_held",
                "Webhooks that are kept while their endpoint is disabled",
                held,
            );
            registry.register(
                "webhook_dead_letters",
                "Webhooks that were given up and not replayed",
                dead_letters,
            );
        })
    }

    /// An attempt is on record, and this is what its delivery has become by it, if anything else.
    pub(crate) fn attempted(&self, meaning: Meaning, took: Duration, delivery: Option<DeliveryState>) {
        let outcome = match meaning {
            Meaning::Delivered => "delivered",
            Meaning::Gone => "gone",
            Meaning::Busy { .. } => "busy",
            Meaning::Failed { .. } => "failed",
        };
        self.attempts.get_or_create(&Outcome { outcome }).observe(took.as_secs_f64());
        let ended = match delivery {
            Some(DeliveryState::Delivered { .. }) => "delivered",
            Some(DeliveryState::DeadLetter { .. }) => "dead_letter",
            Some(DeliveryState::Waiting { .. } | DeliveryState::Held) | None => return,
        };
        self.ended.get_or_create(&Outcome { outcome: ended }).inc();
    }

    /// What the database holds now.
    pub(crate) fn counted(&self, endpoints: &[EndpointCounts]) {
        for family in [&self.waiting, &self.held, &self.dead_letters] {
            family.clear();
        }
        for state in ENDPOINT_STANDINGS {
            let standing = endpoints.iter().filter(|one| one.standing == state).count();
            let standing = i64::try_from(standing).unwrap_or(i64::MAX);
            self.endpoints.get_or_create(&Standing { state }).set(standing);
        }
        for one in endpoints {
            let labels = OfEndpoint { endpoint: one.endpoint.clone() };
            self.waiting.get_or_create(&labels).set(one.waiting);
            self.held.get_or_create(&labels).set(one.held);
            self.dead_letters.get_or_create(&labels).set(one.dead_letters);
        }
    }
}
