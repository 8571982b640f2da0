//! [`Channels`]: one attempt at a sending, and what comes of it for the sending and its channel.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain_channel::{
    Admission, BreakerEvent, Purpose, Reached, SendingEvent, SendingState, TakenBack, Text, Told, Verdict,
};
use domain_notification::{Channel, NoticeKind};
use domain_webhook::Moment;
use xietong_mailer::{Handed, Letter, Mailer, MailerError};
use xietong_mesh::Foundation;
use xietong_store::{Db, StoreError};
use xietong_timers::{Clock, MachineClock, Poke};

use super::channel_meter::ChannelMeter;
use super::endpoint::{jitter, moment};
use super::messenger::{Messenger, MessengerError, Occasion};
use crate::settings::{ChannelRules, ChannelSettings};
use crate::store::{
    Patience, StoredMessage, StoredSending, any_message, channel_standing, claim_sendings, contact,
    drop_follow_ups, has_due_sendings, locked_channel, locked_sending, save_channel, save_sending,
};

/// Longest outcome that is kept, in characters.
const OUTCOME: usize = 300;

/// What everything that sends by e-mail and by message shares.
pub(crate) struct Channels {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) machine: MachineClock,
    pub(crate) meter: ChannelMeter,
    /// Those that are set up.
    pub(crate) ways: Vec<Arc<Way>>,
}

/// One channel that is set up.
pub(crate) struct Way {
    pub(crate) channel: Channel,
    pub(crate) rules: ChannelRules,
    /// Wakes whoever sends.
    pub(crate) to_send: Poke,
    carrier: Carrier,
}

enum Carrier {
    Email(Box<Mailer>),
    Message(Box<Messenger>),
}

/// What of the channels whoever writes messages must know.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChannelPlan {
    /// The channels that are set up, and the kinds that go out on each.
    pub(crate) kinds: BTreeMap<Channel, BTreeSet<NoticeKind>>,
    /// Those behind which another system keeps to-dos, which are closed.
    pub(crate) closing: BTreeSet<Channel>,
}

/// Channels that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// E-mail cannot be sent by its settings.
    #[error("channels.email: {0}")]
    Email(#[from] MailerError),
    /// Messages cannot be sent by their settings.
    #[error("channels.message: {0}")]
    Message(#[from] MessengerError),
}

/// What was claimed, and when to look again.
pub(crate) struct Claimed {
    pub(crate) sendings: Vec<StoredSending>,
    /// When there is room for more, as far as the breaker and the rate are concerned.
    pub(crate) again: Option<Moment>,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tried {
    pub(crate) verdict: Verdict,
    /// In Chinese.
    pub(crate) outcome: String,
    /// The channel itself was used, and is judged by it.
    pub(crate) used: bool,
}

impl Tried {
    /// Nothing could be sent at all.
    fn unsent(outcome: &str) -> Self {
        Tried { verdict: Verdict::Refused, outcome: outcome.to_owned(), used: false }
    }
}

impl Channels {
    pub(crate) fn new(foundation: &Foundation, settings: ChannelSettings) -> Result<Self, ChannelError> {
        let machine = MachineClock::system();
        let mut ways = Vec::new();
        if let Some(email) = settings.email {
            let carrier = Carrier::Email(Box::new(Mailer::new(email.mailer, machine)?));
            ways.push(Way { channel: Channel::Email, rules: email.rules, to_send: Poke::new(), carrier });
        }
        if let Some(message) = settings.message {
            let rules = message.rules.clone();
            let carrier = Carrier::Message(Box::new(Messenger::new(message, machine)?));
            ways.push(Way { channel: Channel::Message, rules, to_send: Poke::new(), carrier });
        }
        Ok(Channels {
            db: foundation.db.clone(),
            clock: foundation.clock.clone(),
            machine,
            meter: ChannelMeter::default(),
            ways: ways.into_iter().map(Arc::new).collect(),
        })
    }

    /// What whoever writes messages must know.
    pub(crate) fn plan(&self) -> ChannelPlan {
        let kinds = self.ways.iter().map(|way| (way.channel, way.rules.kinds.clone())).collect();
        let closes = |way: &&Arc<Way>| match &way.carrier {
            Carrier::Email(_) => false,
            Carrier::Message(messenger) => messenger.closes(),
        };
        ChannelPlan { kinds, closing: self.ways.iter().filter(closes).map(|way| way.channel).collect() }
    }

    /// Claims what may go out now: as much as there is room for here, as the rate and the breaker let
    /// all replicas send together.
    pub(crate) async fn claim(&self, way: &Way, room: usize) -> Result<Claimed, StoreError> {
        let now = moment(self.machine);
        // Mostly there is nothing, and nobody is kept from writing.
        if !has_due_sendings(self.db.reader(), way.channel, (self.clock.now(), now)).await? {
            return Ok(Claimed { sendings: Vec::new(), again: None });
        }
        let tx = self.db.begin().await?;
        let Some(mut standing) = locked_channel(&tx, way.channel, Patience::Skip).await? else {
            tx.rollback().await?;
            return Ok(Claimed { sendings: Vec::new(), again: None });
        };
        let available = standing.bucket.available(way.rules.rate, now);
        let (most, again) = match standing.breaker.admission(now) {
            Admission::All if available == 0 => (0, Some(standing.bucket.next(way.rules.rate, now))),
            Admission::All => (available.min(u32::try_from(room).unwrap_or(u32::MAX)), None),
            Admission::One => (available.min(1), None),
            Admission::None { until } => (0, Some(until)),
        };
        if most == 0 {
            tx.rollback().await?;
            return Ok(Claimed { sendings: Vec::new(), again });
        }
        let claim = (self.machine.new_id().to_string(), now.plus(way.rules.lease));
        let sendings =
            claim_sendings(&tx, way.channel, most, (&claim.0, claim.1), (self.clock.now(), now)).await?;
        if sendings.is_empty() {
            tx.rollback().await?;
            return Ok(Claimed { sendings, again });
        }
        let taken = u32::try_from(sendings.len()).unwrap_or(u32::MAX);
        standing.bucket = standing.bucket.after(taken, way.rules.rate, now);
        standing.breaker = standing.breaker.after(BreakerEvent::Admitted { at: now }, &way.rules.breaker);
        save_channel(&tx, way.channel, standing).await?;
        tx.commit().await?;
        Ok(Claimed { sendings, again })
    }

    /// Makes one attempt.
    pub(crate) async fn attempt(&self, way: &Way, sending: &StoredSending) -> Result<Tried, StoreError> {
        let reader = self.db.reader();
        let Some(message) = any_message(reader, &sending.message).await? else {
            return Ok(Tried::unsent("通知已不存在"));
        };
        // Recalled since it was claimed.
        if sending.purpose == Purpose::Notice && message.receipt.recalled_at.is_some() {
            return Ok(Tried::unsent("通知已撤回"));
        }
        let contact = contact(reader, &sending.recipient).await?.unwrap_or_default().contact;
        let Some(reached) = contact.reached(way.channel) else {
            return Ok(Tried::unsent("收件人没有可用的联系方式"));
        };
        let text = text(&message, sending);
        // A follow-up has a name of its own; what is closed is what was sent.
        let id = match sending.purpose {
            Purpose::Notice | Purpose::Close => sending.message.clone(),
            Purpose::FollowUp => format!("{}.over", sending.message),
        };
        match (&way.carrier, reached) {
            (Carrier::Email(mailer), Reached::Email(address)) => {
                let follows = match sending.purpose {
                    Purpose::Notice => None,
                    Purpose::FollowUp | Purpose::Close => Some(sending.message.as_str()),
                };
                let (to, subject, body) = (address.expose(), text.subject.as_str(), text.body.as_str());
                let handed = mailer.send(Letter { to, id: &id, follows, subject, body }).await;
                Ok(Tried { verdict: verdict(&handed), outcome: handed.chinese(), used: true })
            }
            (Carrier::Message(messenger), Reached::Mobile(mobile)) => {
                let occasion =
                    Occasion { key: &id, purpose: sending.purpose, message: &message, text: &text };
                let (verdict, outcome) = messenger.send(occasion, mobile, moment(self.machine)).await;
                Ok(Tried { verdict, outcome: outcome.replace(mobile.expose(), &mobile.masked()), used: true })
            }
            (Carrier::Email(_), Reached::Mobile(_)) | (Carrier::Message(_), Reached::Email(_)) => {
                Ok(Tried::unsent("收件人没有可用的联系方式"))
            }
        }
    }

    /// Writes down what came of an attempt: for the sending whoever has it by now, and for the channel.
    pub(crate) async fn settle(
        &self,
        way: &Way,
        sending: &StoredSending,
        tried: &Tried,
    ) -> Result<(), StoreError> {
        let now = moment(self.machine);
        let tx = self.db.begin().await?;
        if tried.used {
            let worked = tried.verdict.channel_works();
            let event = if worked { BreakerEvent::Worked } else { BreakerEvent::Failed { at: now } };
            // Mostly a channel stays as it is, and need not be waited for.
            let seen = channel_standing(&tx, way.channel).await?;
            if seen.is_some_and(|seen| seen.breaker.after(event, &way.rules.breaker) != seen.breaker)
                && let Some(mut standing) = locked_channel(&tx, way.channel, Patience::Wait).await?
            {
                standing.breaker = standing.breaker.after(event, &way.rules.breaker);
                tracing::info!(channel = %way.channel, breaker = ?standing.breaker, "a channel stands differently");
                save_channel(&tx, way.channel, standing).await?;
            }
        }
        let key = (sending.message.as_str(), sending.channel, sending.purpose);
        if let Some(mut stored) = locked_sending(&tx, key).await? {
            let event = SendingEvent::Attempted { verdict: tried.verdict, at: now, jitter: jitter() };
            stored.state = stored.state.after(event, &way.rules.schedule);
            stored.tried += 1;
            stored.broke_off |= matches!(tried.verdict, Verdict::Failed { may_have_arrived: true, .. });
            stored.outcome = tried.outcome.chars().take(OUTCOME).collect();
            stored.claim = stored.claim.filter(|holder| Some(holder) != sending.claim.as_ref());
            save_sending(&tx, &stored).await?;
            let never_arrived = matches!(stored.state, SendingState::Recalled { .. }) && !stored.broke_off;
            if never_arrived && stored.purpose == Purpose::Notice {
                drop_follow_ups(&tx, &stored.message, stored.channel, now).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }
}

fn text(message: &StoredMessage, sending: &StoredSending) -> Text {
    let over = match sending.purpose {
        Purpose::Notice => None,
        Purpose::FollowUp | Purpose::Close => sending.ending.or(message.recalled_by),
    };
    match over {
        Some(ending) => TakenBack { title: &message.title, number: message.number, ending }.text(),
        None => Told {
            kind: message.kind,
            title: &message.title,
            body: &message.body,
            number: message.number,
            capacity: &message.capacity,
            to_sign: message.receipt.requires_acknowledgement,
        }
        .text(),
    }
}

fn verdict(handed: &Handed) -> Verdict {
    match handed {
        Handed::Accepted => Verdict::Accepted,
        Handed::Refused { .. } => Verdict::Refused,
        Handed::Postponed { .. } => Verdict::Postponed { retry_after: None },
        Handed::Failed { .. } => {
            Verdict::Failed { retry_after: None, may_have_arrived: handed.may_have_arrived() }
        }
    }
}
