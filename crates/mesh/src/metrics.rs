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
    beside: Arc<Mutex<Vec<Metrics>>>,
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
        Self { registry: Arc::new(Mutex::new(registry)), beside: Arc::default(), server_calls }
    }

    /// Lets a service add metrics of its own.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// From here on the page also shows what another service of the same process measures. That one
    /// must not show this one in turn.
    pub fn show_beside(&self, other: Metrics) {
        self.beside.lock().unwrap_or_else(PoisonError::into_inner).push(other);
    }

    /// Everything in the OpenMetrics text format.
    pub fn render(&self) -> String {
        let beside = self.beside.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if beside.is_empty() {
            return self.page();
        }
        merged(std::iter::once(self.page()).chain(beside.iter().map(Metrics::render)))
    }

    fn page(&self) -> String {
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

/// Pages as one: the format has each metric described once, with all its samples after it.
fn merged(pages: impl IntoIterator<Item = String>) -> String {
    const END: &str = "# EOF";
    let mut families: Vec<(String, Vec<String>)> = Vec::new();
    for page in pages {
        // Those that an earlier page has described.
        let described = families.len();
        let mut at = None;
        for line in page.lines().filter(|line| *line != END) {
            let about = line.strip_prefix("# ").and_then(|about| about.split(' ').nth(1));
            if let Some(name) = about {
                let place = families.iter().position(|(family, _)| family == name);
                let place = place.unwrap_or_else(|| {
                    families.push((name.to_owned(), Vec::new()));
                    families.len() - 1
                });
                at = Some(place);
                if place < described {
                    continue;
                }
            }
            if let Some((_, lines)) = at.and_then(|place| families.get_mut(place)) {
                lines.push(line.to_owned());
            }
        }
    }
    let lines = families.into_iter().flat_map(|(_, lines)| lines);
    lines.chain([END.to_owned()]).map(|line| line + "\n").collect()
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
    fn services_of_one_process_are_shown_on_one_page_that_describes_each_metric_once() {
        let (front, behind) = (Metrics::new(ServiceName::Gateway), Metrics::new(ServiceName::Roster));
        let restarts: Counter = Counter::default();
        behind.register(|registry| registry.register("restarts", "Restarts", restarts.clone()));
        restarts.inc();
        for metrics in [&front, &behind] {
            metrics.record_server_call("a.B/C".into(), "OK", Duration::from_millis(3));
        }
        front.show_beside(behind);
        let page = front.render();
        let count = |found: &dyn Fn(&str) -> bool| page.lines().filter(|line| found(line)).count();
        assert_eq!(count(&|line| line.starts_with("# TYPE rpc_server_call_duration_seconds ")), 1, "{page}");
        assert_eq!(count(&|line| line.starts_with("rpc_server_call_duration_seconds_count{")), 2, "{page}");
        assert_eq!(count(&|line| line == "restarts_total{service_name=\"roster\"} 1"), 1, "{page}");
        assert_eq!(count(&|line| line == "# EOF"), 1, "{page}");
        let lines: Vec<&str> = page.lines().collect();
        let of_calls = |line: &&str| line.contains("rpc_server_call_duration_seconds");
        let first = lines.iter().position(of_calls).unwrap();
        let together = lines.iter().skip(first).take_while(|line| of_calls(line)).count();
        assert_eq!(together, count(&|line| of_calls(&line)), "samples stand with what describes them");
        assert!(page.ends_with("# EOF\n"));
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
