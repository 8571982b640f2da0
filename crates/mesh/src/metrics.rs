//! What is measured, as Prometheus reads it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::service_name::ServiceName;

/// OpenTelemetry's name for how long calls take that a server answers, in seconds.
/// Prometheus shows it as `rpc_server_call_duration_seconds`.
pub const RPC_SERVER_CALL_DURATION: &str = "rpc.server.call.duration";

/// Upper bounds in seconds: OpenTelemetry's, with two below for calls on a local network.
const CALL_BUCKETS: [f64; 16] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// What calls are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    rpc_system_name: &'static str,
    rpc_method: Arc<str>,
    rpc_response_status_code: &'static str,
}

#[derive(Clone, Copy)]
struct CallHistogram;

impl MetricConstructor<Histogram> for CallHistogram {
    fn new_metric(&self) -> Histogram {
        Histogram::new(CALL_BUCKETS)
    }
}

/// The metrics of one service. Cheap to clone; clones share the values.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    server_calls: Family<CallLabels, Histogram, CallHistogram>,
}

impl Metrics {
    /// The metrics of this service; each carries its name as the label `service_name`.
    pub fn new(service: ServiceName) -> Self {
        let label = ("service_name".into(), service.as_str().into());
        let mut registry = Registry::with_labels(std::iter::once(label));
        let server_calls = Family::new_with_constructor(CallHistogram);
        registry.register_with_unit(
            RPC_SERVER_CALL_DURATION.replace('.', "_"),
            "How long calls took",
            Unit::Seconds,
            server_calls.clone(),
        );
        Self { registry: Arc::new(Mutex::new(registry)), server_calls }
    }

    /// Lets a service add metrics of its own.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Everything in the OpenMetrics text format.
    pub fn render(&self) -> String {
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut page = String::new();
        if text::encode(&mut page, &registry).is_err() {
            // Writing to a string fails only if a metric of ours refuses to be written.
            tracing::error!("the metrics could not be written");
        }
        page
    }

    /// Counts one answered call. `method` is `package.Service/Method`.
    pub(crate) fn record_server_call(&self, method: Arc<str>, status: &'static str, duration: Duration) {
        let labels =
            CallLabels { rpc_system_name: "grpc", rpc_method: method, rpc_response_status_code: status };
        self.server_calls.get_or_create(&labels).observe(duration.as_secs_f64());
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Metrics")
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;

    use super::*;

    #[test]
    fn calls_are_counted_by_method_and_status() {
        let metrics = Metrics::new(ServiceName::Roster);
        metrics.record_server_call("a.B/C".into(), "OK", Duration::from_millis(3));
        metrics.record_server_call("a.B/C".into(), "NOT_FOUND", Duration::from_millis(3));
        let page = metrics.render();
        assert!(page.contains("# UNIT rpc_server_call_duration_seconds seconds"), "{page}");
        let counted = page.lines().any(|line| {
            line.starts_with("rpc_server_call_duration_seconds_count{")
                && line.contains("service_name=\"roster\"")
                && line.contains("rpc_method=\"a.B/C\"")
                && line.contains("rpc_response_status_code=\"NOT_FOUND\"")
                && line.ends_with("} 1")
        });
        assert!(counted, "{page}");
    }

    #[test]
    fn a_service_adds_its_own() {
        let metrics = Metrics::new(ServiceName::Roster);
        let restarts: Counter = Counter::default();
        metrics.register(|registry| registry.register("restarts", "Restarts", restarts.clone()));
        restarts.inc();
        assert!(metrics.render().contains("restarts_total{service_name=\"roster\"} 1"));
    }
}
