//! [`WebhookSettings`] and [`ChannelSettings`]: where things may go, how many at once, and how often
//! they are tried.

use std::collections::BTreeSet;
use std::time::Duration;

use domain_channel::{BreakerRules, Rate, Seal, Template, schedule};
use domain_notification::NoticeKind;
use domain_webhook::{AddressPolicy, EndpointRules, Schedule};
use xietong_courier::{CertificateDer, Timeouts};
use xietong_mailer::MailerSettings;

/// How officials are reached outside the inbox. Nothing is sent by what is not set.
#[derive(Debug, Clone, Default)]
pub struct ChannelSettings {
    /// E-mail.
    pub email: Option<EmailSettings>,
    /// SMS or government messaging.
    pub message: Option<MessageSettings>,
}

/// How e-mail is sent.
#[derive(Debug, Clone)]
pub struct EmailSettings {
    /// The server.
    pub mailer: MailerSettings,
    /// What goes out, and how fast.
    pub rules: ChannelRules,
}

/// How messages are sent by HTTP.
#[derive(Debug, Clone)]
pub struct MessageSettings {
    /// Where each message is posted.
    pub url: String,
    /// Where the to-do that the other system made of a message is closed; none where it makes none,
    /// and is sent a short message instead.
    pub close_url: Option<String>,
    /// Where requests may go.
    pub policy: AddressPolicy,
    /// How long an attempt may take.
    pub timeouts: Timeouts,
    /// How a body is written.
    pub template: Template,
    /// Sent with every request.
    pub headers: Vec<(String, String)>,
    /// The header that holds the key by which the other system tells a repetition.
    pub key_header: String,
    /// How a request is signed.
    pub seal: Option<SealHeaders>,
    /// The statuses by which the other system says that it has a message; 2xx when empty.
    pub sent: Vec<u16>,
    /// What goes out, and how fast.
    pub rules: ChannelRules,
}

/// A signature and where it stands.
#[derive(Debug, Clone)]
pub struct SealHeaders {
    /// What signs.
    pub seal: Seal,
    /// The header of the signature.
    pub header: String,
    /// The header of the time that is signed with the body, in seconds since 1970.
    pub timestamp_header: String,
}

/// What goes out on a channel, how fast, and when it is tried again.
#[derive(Debug, Clone)]
pub struct ChannelRules {
    /// The kinds that go out; what is urgent does in any case.
    pub kinds: BTreeSet<NoticeKind>,
    /// How many over all replicas.
    pub rate: Rate,
    /// When the channel is given a rest.
    pub breaker: BreakerRules,
    /// When a sending is tried again.
    pub schedule: Schedule,
    /// Attempts that this process has under way at once.
    pub concurrency: usize,
    /// How long a replica may keep a sending to itself. Longer than an attempt may take.
    pub lease: Duration,
}

impl ChannelRules {
    /// With the rules that every channel goes by, where an attempt takes `whole` at most.
    pub fn new(kinds: impl IntoIterator<Item = NoticeKind>, rate: Rate, whole: Duration) -> Self {
        let lease = whole * 2 + Duration::from_secs(10);
        ChannelRules {
            kinds: kinds.into_iter().collect(),
            rate,
            breaker: BreakerRules { probe: lease, ..BreakerRules::default() },
            schedule: schedule(),
            concurrency: 4,
            lease,
        }
    }
}

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
