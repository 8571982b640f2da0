//! Where webhooks may go, and how many at once.

use std::time::Duration;

use domain_webhook::AddressPolicy;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// More requests at once than this are more files than a process may have open.
const MOST_AT_ONCE: u32 = 10_000;
/// An attempt may take no longer, in seconds.
const LONGEST_SECONDS: u64 = 300;

/// Where webhooks may go, and how many at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhooksConfig {
    /// Networks beside the public addresses, such as `10.20.0.0/16`: the government intranet's,
    /// never the mesh's own. None unless set.
    pub allowed_networks: Vec<String>,
    /// Requests that a process has under way at once, to all endpoints.
    pub concurrency: u32,
    /// How long connecting may take, in seconds, TLS included.
    pub connect_seconds: u64,
    /// How long the head of an answer may take, in seconds from the beginning.
    pub answer_seconds: u64,
    /// How long an attempt may take in all, in seconds.
    pub whole_seconds: u64,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        WebhooksConfig {
            allowed_networks: Vec::new(),
            concurrency: 64,
            connect_seconds: 5,
            answer_seconds: 20,
            whole_seconds: 30,
        }
    }
}

impl WebhooksConfig {
    /// Which addresses may be connected to.
    ///
    /// # Errors
    /// At the first network that is none.
    pub fn policy(&self) -> Result<AddressPolicy, ConfigError> {
        AddressPolicy::new(&self.allowed_networks)
            .map_err(|error| ConfigError(format!("webhooks.allowed_networks: {error}")))
    }

    /// How long connecting, an answer and an attempt may take.
    pub fn timeouts(&self) -> [Duration; 3] {
        [self.connect_seconds, self.answer_seconds, self.whole_seconds].map(Duration::from_secs)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |what: String| Err(ConfigError(what));
        self.policy()?;
        if !(4..=MOST_AT_ONCE).contains(&self.concurrency) {
            return wrong(format!("webhooks.concurrency: must be from 4 to {MOST_AT_ONCE}"));
        }
        for (name, seconds) in [
            ("connect_seconds", self.connect_seconds),
            ("answer_seconds", self.answer_seconds),
            ("whole_seconds", self.whole_seconds),
        ] {
            if !(1..=LONGEST_SECONDS).contains(&seconds) {
                return wrong(format!("webhooks.{name}: must be from 1 to {LONGEST_SECONDS}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::WebhooksConfig;

    fn refused(change: impl FnOnce(&mut WebhooksConfig)) -> String {
        let mut config = WebhooksConfig::default();
        change(&mut config);
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn nothing_but_public_addresses_may_be_sent_to_unless_it_is_listed() {
        let config = WebhooksConfig::default();
        assert!(config.check().is_ok());
        assert!(!config.policy().unwrap().lists_any());
    }

    #[test]
    fn the_first_bad_value_is_named() {
        let networks = |network: &str| refused(|config| config.allowed_networks = vec![network.to_owned()]);
        for network in ["intranet", "10.20.0.1/16", "0.0.0.0/0"] {
            assert!(networks(network).starts_with("webhooks.allowed_networks: "), "{network}");
        }
        assert!(refused(|config| config.concurrency = 1).starts_with("webhooks.concurrency: "));
        assert!(refused(|config| config.answer_seconds = 0).starts_with("webhooks.answer_seconds: "));
    }
}
