//! [`WebhookSettings`]: where webhooks may go, how many at once, and how often they are tried.

use std::time::Duration;

use domain_webhook::{AddressPolicy, EndpointRules, Schedule};
use xietong_courier::{CertificateDer, Timeouts};

/// What sending webhooks goes by.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// Where requests may go.
    pub policy: AddressPolicy,
    /// How long an attempt may take.
    pub timeouts: Timeouts,
    /// Certificate authorities that are trusted beside the machine's, such as a government's own.
    pub authorities: Vec<CertificateDer<'static>>,
    /// Requests that this process has under way at once, to all endpoints.
    pub concurrency: usize,
    /// When a delivery is tried again.
    pub schedule: Schedule,
    /// When an endpoint is slowed, failing, disabled.
    pub rules: EndpointRules,
    /// How long a replica may keep a delivery to itself. Longer than an attempt may take: whatever
    /// a replica that died had claimed is sent by another one after it.
    pub lease: Duration,
}

impl WebhookSettings {
    /// With the rules that everybody goes by, trusting the machine's certificate authorities alone.
    pub fn new(policy: AddressPolicy, timeouts: Timeouts, concurrency: usize) -> Self {
        WebhookSettings {
            policy,
            timeouts,
            authorities: Vec::new(),
            concurrency,
            schedule: Schedule::default(),
            rules: EndpointRules::default(),
            lease: timeouts.whole * 2 + Duration::from_secs(10),
        }
    }
}

impl Default for WebhookSettings {
    /// To public addresses alone, 64 requests at once.
    fn default() -> Self {
        WebhookSettings::new(AddressPolicy::default(), Timeouts::default(), 64)
    }
}
