//! [`ChannelMeter`]: what is measured of the channels.

use std::sync::Arc;
use std::time::Duration;

use domain_channel::{Breaker, Verdict};
use domain_notification::Channel;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use xietong_mesh::service::Register;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfChannel {
    channel: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOutcome {
    channel: &'static str,
    outcome: &'static str,
}

/// What is measured of the channels. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct ChannelMeter {
    attempts: Family<OfOutcome, Counter>,
    took: Family<OfChannel, Histogram, fn() -> Histogram>,
    waiting: Family<OfChannel, Gauge>,
    breaker: Family<OfChannel, Gauge>,
}

impl Default for ChannelMeter {
    fn default() -> Self {
        // From 10 ms to 80 s.
        let histogram: fn() -> Histogram = || Histogram::new(exponential_buckets(0.01, 2.0, 14));
        ChannelMeter {
            attempts: Family::default(),
            took: Family::new_with_constructor(histogram),
            waiting: Family::default(),
            breaker: Family::default(),
        }
    }
}

impl ChannelMeter {
    /// Adds what it shows to a registry.
    pub(crate) fn register(&self) -> Register {
        let meter = self.clone();
        Arc::new(move |registry| {
            let ChannelMeter { attempts, took, waiting, breaker } = meter.clone();
            registry.register(
                "channel_attempts",
                "Attempts at sending on a channel, by what came of them",
                attempts,
            );
            registry.register("channel_attempt_seconds", "How long an attempt at sending took", took);
            registry.register("channel_waiting", "Messages that wait to be sent on a channel", waiting);
            registry.register(
                "channel_breaker",
                "Whether a channel is used: 0 it is, 1 it is tried with one message, 2 it rests",
                breaker,
            );
        })
    }

    /// An attempt ended.
    pub(crate) fn tried(&self, channel: Channel, verdict: Verdict, took: Duration) {
        let outcome = match verdict {
            Verdict::Accepted => "sent",
            Verdict::Refused => "refused",
            Verdict::Postponed { .. } => "postponed",
            Verdict::Failed { .. } => "failed",
        };
        let channel = channel.as_str();
        self.attempts.get_or_create(&OfOutcome { channel, outcome }).inc();
        self.took.get_or_create(&OfChannel { channel }).observe(took.as_secs_f64());
    }

    /// How a channel stands.
    pub(crate) fn stands(&self, channel: Channel, waiting: i64, breaker: Breaker) {
        let labels = OfChannel { channel: channel.as_str() };
        self.waiting.get_or_create(&labels).set(waiting);
        self.breaker.get_or_create(&labels).set(match breaker {
            Breaker::Closed { .. } => 0,
            Breaker::HalfOpen { .. } => 1,
            Breaker::Open { .. } => 2,
        });
    }
}
