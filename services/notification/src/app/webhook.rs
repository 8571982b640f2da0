//! [`Webhooks`]: one attempt at a delivery, and what comes of it for the delivery and its endpoint.

use std::sync::Arc;

use domain_calendar::Timestamp;
use domain_notification::{EndpointDisabled, NotificationEvent, endpoint_notice};
use domain_webhook::{
    Change, CloudEvent, DeliveryEvent, DisabledBy, EndpointEvent, MEDIA_TYPE, Meaning, MessageId, Moment,
    Target, cloud_event,
};
use sea_orm::DatabaseTransaction;
use serde_json::Value;
use xietong_courier::{Courier, CourierSettings, Outcome, Parcel, SystemResolver, trusted_roots};
use xietong_events::Append;
use xietong_mesh::{Foundation, RosterCopy, ServiceName};
use xietong_store::{CrashPoint, Db, StoreError};
use xietong_timers::{Clock, MachineClock, Poke};

use super::desk::Desk;
use super::endpoint::{facts, jitter, moment, reason};
use super::outbox::{Outbox, PostError, draft};
use super::owner::administrators;
use super::webhook_metrics::WebhookMetrics;
use crate::settings::WebhookSettings;
use crate::store::{
    Patience, StoredAttempt, StoredEndpoint, StoredEntry, endpoint, hold_deliveries, insert_attempt,
    locked_delivery, locked_endpoint, save_delivery, save_endpoint,
};

/// What everything that sends webhooks shares.
pub(crate) struct Webhooks {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) machine: MachineClock,
    pub(crate) copy: Arc<RosterCopy>,
    pub(crate) settings: WebhookSettings,
    /// Wakes whoever makes deliveries out.
    pub(crate) to_make_out: Poke,
    /// Wakes whoever sends.
    pub(crate) to_send: Poke,
    pub(crate) metrics: WebhookMetrics,
    courier: Courier,
    desk: Arc<Desk>,
}

/// Webhooks cannot be sent by this build.
#[derive(Debug, thiserror::Error)]
#[error("no TLS: {0}")]
pub(crate) struct NoTls(pub(crate) String);

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tried {
    pub(crate) meaning: Meaning,
    pub(crate) began: Moment,
    pub(crate) ended: Moment,
    pub(crate) status: Option<u16>,
    /// In Chinese.
    pub(crate) outcome: String,
    pub(crate) excerpt: String,
}

impl Tried {
    /// As the log of deliveries has it.
    pub(crate) fn attempt(&self, number: i64) -> StoredAttempt {
        StoredAttempt {
            number,
            began: self.began,
            took: self.ended.as_micros().saturating_sub(self.began.as_micros()),
            status: self.status,
            outcome: self.outcome.clone(),
            excerpt: self.excerpt.clone(),
        }
    }
}

/// Whether an endpoint is to be left alone for a while, or altogether.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spared {
    /// It takes what is sent.
    No,
    /// It is slowed, failing, disabled or gone.
    Yes,
}

/// A request to an endpoint.
pub(crate) struct Message {
    /// The `webhook-id`.
    pub(crate) id: String,
    /// A CloudEvent.
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// Of an entry of the feed: the same at each attempt, and for a replay.
    pub(crate) fn of(entry: &StoredEntry) -> Result<Self, StoreError> {
        let data: Value = serde_json::from_str(&entry.data)
            .map_err(|error| StoreError::corrupt("data of an entry of the feed", error))?;
        let body = cloud_event(&CloudEvent {
            id: &entry.id,
            producer: &entry.source,
            event_type: &entry.event_type,
            subject: &entry.subject,
            time: entry.occurred_at,
            sequence: entry.position,
            traceparent: entry.traceparent.as_deref().filter(|trace| !trace.is_empty()),
            data: &data,
        });
        Ok(Message { id: entry.id.clone(), body })
    }

    /// For trying an endpoint out.
    pub(crate) fn test(endpoint: &StoredEndpoint, now: Timestamp, machine: MachineClock) -> Self {
        let id = machine.new_id().to_string();
        let data = serde_json::json!({ "endpoint": endpoint.name() });
        let body = cloud_event(&CloudEvent {
            id: &id,
            producer: ServiceName::Notification.as_str(),
            event_type: "notification.endpoint.test",
            subject: &endpoint.name(),
            time: now,
            sequence: 0,
            traceparent: None,
            data: &data,
        });
        Message { id, body }
    }
}

impl Webhooks {
    pub(crate) fn new(
        foundation: &Foundation,
        copy: Arc<RosterCopy>,
        desk: Arc<Desk>,
        settings: WebhookSettings,
    ) -> Result<Arc<Self>, NoTls> {
        let machine = MachineClock::system();
        let roots = trusted_roots(settings.authorities.iter().cloned());
        for unread in &roots.unread {
            tracing::warn!(unread, "a certificate authority of this machine cannot be read");
        }
        let courier = Courier::new(CourierSettings {
            policy: settings.policy.clone(),
            timeouts: settings.timeouts,
            roots,
            resolver: Arc::new(SystemResolver),
            clock: machine,
        })
        .map_err(|error| NoTls(error.to_string()))?;
        Ok(Arc::new(Webhooks {
            db: foundation.db.clone(),
            clock: foundation.clock.clone(),
            machine,
            copy,
            settings,
            to_make_out: Poke::new(),
            to_send: Poke::new(),
            metrics: WebhookMetrics::new(),
            courier,
            desk,
        }))
    }

    /// Makes one attempt.
    pub(crate) async fn attempt(&self, endpoint: &StoredEndpoint, message: &Message) -> Tried {
        let began = moment(self.machine);
        let tried = |meaning, status, outcome, excerpt| Tried {
            meaning,
            began,
            ended: moment(self.machine),
            status,
            outcome,
            excerpt,
        };
        // What networks are listed may have changed since the endpoint was registered.
        let target = match Target::parse(&endpoint.wanted.url, &self.settings.policy) {
            Ok(target) => target,
            Err(refused) => return tried(Meaning::UNANSWERED, None, refused.chinese(), String::new()),
        };
        let Ok(id) = MessageId::parse(&message.id) else {
            return tried(Meaning::UNANSWERED, None, "事件编号无法作为消息编号".to_owned(), String::new());
        };
        let headers = endpoint.keyring.sign(&id, began, &message.body, endpoint.wanted.sm3);
        let parcel =
            Parcel { target: &target, headers: &headers, media_type: MEDIA_TYPE, body: &message.body };
        let outcome = self.courier.send(parcel).await;
        let (status, excerpt) = match &outcome {
            Outcome::Answered(answer) => (Some(answer.status), answer.excerpt.clone()),
            Outcome::Refused(_) | Outcome::TimedOut(_) | Outcome::Unreachable(_) => (None, String::new()),
        };
        tried(outcome.meaning(), status, outcome.chinese(), excerpt)
    }

    /// Writes down what came of an attempt: for the delivery whoever has it by now, and for the
    /// endpoint.
    pub(crate) async fn settle(
        &self,
        id: &str,
        position: i64,
        claim: &str,
        tried: &Tried,
    ) -> Result<Spared, PostError> {
        let tx = self.db.begin().await?;
        let Some(seen) = endpoint(&tx, id).await? else {
            tx.rollback().await.map_err(StoreError::from)?;
            return Ok(Spared::Yes);
        };
        let event = EndpointEvent::Attempted { meaning: tried.meaning, at: tried.ended };
        let (state, _) = seen.state.after(event, &self.settings.rules);
        let changed = state != seen.state;
        // Mostly an endpoint stays as it is, and need not be waited for.
        let locked = if changed { locked_endpoint(&tx, id, Patience::Wait).await? } else { None };
        let mut settled = None;
        if let Some(mut delivery) = locked_delivery(&tx, id, position).await? {
            let attempted =
                DeliveryEvent::Attempted { meaning: tried.meaning, at: tried.ended, jitter: jitter() };
            let before = delivery.state;
            delivery.state = before.after(attempted, &self.settings.schedule);
            settled = (delivery.state != before).then_some(delivery.state);
            delivery.tried += 1;
            delivery.claim = delivery.claim.filter(|holder| holder != claim);
            save_delivery(&tx, id, &delivery).await?;
            insert_attempt(&tx, id, position, &tried.attempt(delivery.tried)).await?;
            self.db.crash().reach(CrashPoint::MidSettling);
        }
        if let Some(endpoint) = locked {
            self.settle_endpoint(&tx, endpoint, event).await?;
        }
        tx.commit().await.map_err(StoreError::from)?;
        self.metrics.attempted(tried.meaning, tried.ended.since(tried.began), settled);
        if changed {
            self.desk.log.committed().poke();
        }
        Ok(if state.at_once(usize::MAX) == usize::MAX { Spared::No } else { Spared::Yes })
    }

    async fn settle_endpoint(
        &self,
        tx: &DatabaseTransaction,
        mut endpoint: StoredEndpoint,
        event: EndpointEvent,
    ) -> Result<(), PostError> {
        let (state, change) = endpoint.state.after(event, &self.settings.rules);
        if state == endpoint.state {
            return Ok(());
        }
        endpoint.state = state;
        match change {
            Some(Change::Disabled(by)) => return self.disabled(tx, endpoint, by).await,
            Some(change @ (Change::Slowed | Change::BeganFailing | Change::Recovered | Change::Enabled)) => {
                tracing::info!(endpoint = endpoint.id, ?change, "an endpoint of webhooks stands differently");
            }
            None => {}
        }
        Ok(save_endpoint(tx, &endpoint).await?)
    }

    /// What waits is kept, it is on record, and those who keep it are told.
    async fn disabled(
        &self,
        tx: &DatabaseTransaction,
        mut endpoint: StoredEndpoint,
        by: DisabledBy,
    ) -> Result<(), PostError> {
        let now = self.desk.now();
        let before = endpoint.version;
        endpoint.version += 1;
        endpoint.updated_at = now;
        save_endpoint(tx, &endpoint).await?;
        hold_deliveries(tx, &endpoint.id).await?;
        let name = endpoint.name();
        let reason = reason(by);
        let disabled =
            NotificationEvent::EndpointDisabled(EndpointDisabled { endpoint: name.clone(), reason, at: now });
        let append =
            Append { aggregate: name.clone(), expected_version: before, drafts: vec![draft(&disabled)?] };
        let act = self.desk.act(now, &name, None);
        let events = self.desk.log.append(tx, &act, std::slice::from_ref(&append)).await?;
        tracing::warn!(endpoint = endpoint.id, ?reason, "an endpoint of webhooks was disabled");
        let book = self.desk.roster.book();
        let notice = endpoint_notice(&facts(&endpoint), reason, administrators(&book, now));
        let mut outbox = Outbox::new(&self.desk, now);
        for (event, notice) in events.iter().zip(&notice) {
            outbox.tell(ServiceName::Notification.as_str(), event, std::slice::from_ref(notice), &book);
        }
        outbox.post(tx).await
    }
}
