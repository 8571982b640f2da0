//! [`Messenger`]: SMS and government messaging, by whichever HTTP a city's system speaks.

use std::sync::Arc;

use domain_channel::{Fields, MobileNumber, Purpose, Text, Verdict, answered};
use domain_webhook::{Moment, Target, TargetError};
use xietong_courier::{Courier, CourierSettings, Outcome, Phase, Post, SystemResolver, trusted_roots};
use xietong_timers::MachineClock;

use crate::settings::{MessageSettings, SealHeaders};
use crate::store::StoredMessage;

/// Posts messages to one system.
pub(crate) struct Messenger {
    settings: MessageSettings,
    target: Target,
    close: Option<Target>,
    courier: Courier,
}

/// Messages that cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum MessengerError {
    /// Nothing may be sent there.
    #[error("url: {0}")]
    Url(TargetError),
    /// Nothing may be sent there.
    #[error("close_url: {0}")]
    CloseUrl(TargetError),
    /// This build has no TLS.
    #[error("no TLS: {0}")]
    NoTls(String),
}

/// What is sent, and what for.
#[derive(Clone, Copy)]
pub(crate) struct Occasion<'a> {
    /// By which the other system tells a repetition, and what is closed.
    pub(crate) key: &'a str,
    pub(crate) purpose: Purpose,
    pub(crate) message: &'a StoredMessage,
    pub(crate) text: &'a Text,
}

impl Messenger {
    pub(crate) fn new(settings: MessageSettings, clock: MachineClock) -> Result<Self, MessengerError> {
        let target = Target::parse(&settings.url, &settings.policy).map_err(MessengerError::Url)?;
        let close = settings.close_url.as_deref().map(|url| Target::parse(url, &settings.policy));
        let close = close.transpose().map_err(MessengerError::CloseUrl)?;
        let courier = Courier::new(CourierSettings {
            policy: settings.policy.clone(),
            timeouts: settings.timeouts,
            roots: trusted_roots([]),
            resolver: Arc::new(SystemResolver),
            clock,
        })
        .map_err(|error| MessengerError::NoTls(error.to_string()))?;
        Ok(Messenger { settings, target, close, courier })
    }

    /// Whether the other system keeps to-dos, which are closed.
    pub(crate) fn closes(&self) -> bool {
        self.close.is_some()
    }

    /// Makes one attempt; what it came to, and the same in Chinese.
    pub(crate) async fn send(
        &self,
        occasion: Occasion<'_>,
        mobile: &MobileNumber,
        now: Moment,
    ) -> (Verdict, String) {
        let Occasion { key, purpose, message, text } = occasion;
        let target = match (purpose, &self.close) {
            (Purpose::Close, Some(close)) => close,
            // Who keeps no to-dos any more has nothing to close.
            (Purpose::Close, None) => return (Verdict::Refused, "对方系统不再支持办结待办".to_owned()),
            (Purpose::Notice | Purpose::FollowUp, _) => &self.target,
        };
        let fields = Fields {
            key,
            purpose: purpose.as_str(),
            to: mobile.expose(),
            official: message.recipient.trim_start_matches("officials/"),
            kind: message.kind.as_str(),
            title: &message.title,
            body: &text.body,
            text: &text.short,
            number: message.number,
        };
        let body = match self.settings.template.write(&fields) {
            Ok(body) => body,
            Err(error) => {
                tracing::warn!(%error, "a message cannot be written by its template");
                let failed = Verdict::Failed { retry_after: None, may_have_arrived: false };
                return (failed, "消息模板无法生成内容".to_owned());
            }
        };
        let mut headers = self.settings.headers.clone();
        headers.push((self.settings.key_header.clone(), key.to_owned()));
        if let Some(SealHeaders { seal, header, timestamp_header }) = &self.settings.seal {
            let timestamp = now.as_seconds().to_string();
            headers.push((header.clone(), seal.sign(&timestamp, body.as_bytes())));
            headers.push((timestamp_header.clone(), timestamp));
        }
        let media_type = self.settings.template.media_type();
        let post = Post { target, headers: &headers, media_type, body: body.as_bytes() };
        let outcome = self.courier.post(post).await;
        (self.verdict(&outcome), outcome.chinese())
    }

    fn verdict(&self, outcome: &Outcome) -> Verdict {
        let failed = |may_have_arrived| Verdict::Failed { retry_after: None, may_have_arrived };
        match outcome {
            Outcome::Answered(answer) => answered(answer.status, answer.retry_after, &self.settings.sent),
            Outcome::Refused(_) | Outcome::TimedOut(Phase::Connecting) => failed(false),
            Outcome::TimedOut(Phase::Answering) => failed(true),
            Outcome::Unreachable(why) => failed(why.may_have_arrived()),
        }
    }
}
