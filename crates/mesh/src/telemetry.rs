//! Logs and traces.
//!
//! Logs go to standard error. Traces go to an OTLP collector when one is configured;
//! without one, spans still get ids, so that events and errors can be traced afterwards.

mod json;

use std::io::IsTerminal;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde::{Deserialize, Serialize};
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer, fmt};

use json::JsonLines;

/// How long the last spans may take to reach the collector.
const FLUSH: Duration = Duration::from_secs(5);

/// Libraries the spans of which are not exported: exporting causes them.
const NOT_EXPORTED: [&str; 5] = ["h2", "hyper", "hyper_util", "tonic", "tower"];

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, with the ids of the trace.
    Json,
}

/// What is logged and traced, and where to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// URL of an OTLP/gRPC collector, for example `http://127.0.0.1:4317`.
    pub otlp_endpoint: Option<String>,
    /// What is logged, for example `info,xietong_mesh=debug`.
    pub log: String,
    /// How a log line looks.
    pub format: LogFormat,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self { otlp_endpoint: None, log: "info".to_owned(), format: LogFormat::Text }
    }
}

/// Logs and traces cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is malformed.
    #[error("telemetry.log: `{filter}` is no log filter")]
    Filter {
        /// As configured.
        filter: String,
        /// What is wrong with it.
        #[source]
        source: ParseError,
    },
    /// The collector's address is not usable.
    #[error("telemetry.otlp_endpoint is not usable")]
    Exporter(#[from] ExporterBuildError),
    /// It was set up before.
    #[error("logs and traces are set up already")]
    Twice(#[from] TryInitError),
}

/// Sends spans until it is shut down.
#[derive(Debug)]
pub struct Telemetry {
    provider: SdkTracerProvider,
}

impl Telemetry {
    /// Sets up logs and traces for the whole process; once. `name` is the process in
    /// traces, for example `xietong-roster`. Call it inside a runtime.
    ///
    /// # Errors
    /// When the configuration is wrong, or it was called before.
    pub fn init(name: &'static str, config: &TelemetryConfig) -> Result<Self, TelemetryError> {
        let filter = log_filter(&config.log)?;
        let provider = provider(name, config)?;
        let exported = Targets::new()
            .with_default(LevelFilter::INFO)
            .with_targets(NOT_EXPORTED.map(|library| (library, LevelFilter::OFF)));
        let traces = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("xietong"))
            // Nobody reads these, and they are a good part of what a span costs.
            .with_tracked_inactivity(false)
            .with_threads(false)
            .with_location(false)
            // Its contexts are asked of the spans, never of the thread.
            .with_context_activation(false)
            .with_filter(exported);
        // Colours are for people: a file or a collector gets the plain text.
        let lines = fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr);
        let lines = match config.format {
            LogFormat::Text => lines.with_filter(filter).boxed(),
            LogFormat::Json => lines.event_format(JsonLines).with_filter(filter).boxed(),
        };
        // Traces first: the lines show the ids that they give.
        tracing_subscriber::registry().with(traces).with(lines).try_init()?;
        Ok(Self { provider })
    }

    /// Sends what is left and ends. Takes a few seconds at most.
    pub async fn shutdown(self) {
        // The library blocks its thread until the collector has answered.
        let ended = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(FLUSH)).await;
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the last spans may be lost"),
            Err(error) => tracing::warn!(%error, "the last spans may be lost"),
        }
    }
}

/// Reads a log filter.
///
/// # Errors
/// When it is malformed.
pub(crate) fn log_filter(filter: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::try_new(filter).map_err(|source| TelemetryError::Filter { filter: filter.to_owned(), source })
}

fn provider(name: &'static str, config: &TelemetryConfig) -> Result<SdkTracerProvider, TelemetryError> {
    let resource = Resource::builder().with_service_name(name).build();
    let builder = SdkTracerProvider::builder().with_resource(resource);
    Ok(match &config.otlp_endpoint {
        Some(endpoint) => {
            let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
            builder.with_batch_exporter(exporter).build()
        }
        None => builder.build(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_filter_is_one_clear_line() {
        let error = log_filter("info,xietong=loud").unwrap_err();
        assert_eq!(error.to_string(), "telemetry.log: `info,xietong=loud` is no log filter");
    }

    #[tokio::test]
    async fn a_dead_collector_does_not_hold_up_the_end() {
        let config = TelemetryConfig {
            // A port of the discard service: nothing listens there.
            otlp_endpoint: Some("http://127.0.0.1:9".to_owned()),
            ..TelemetryConfig::default()
        };
        let telemetry = Telemetry { provider: provider("test", &config).unwrap() };
        let ended = tokio::time::timeout(FLUSH * 2, telemetry.shutdown()).await;
        assert!(ended.is_ok());
    }
}
