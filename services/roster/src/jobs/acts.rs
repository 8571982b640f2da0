//! Follows the other services' logs for what is done for officials who are away.

use async_trait::async_trait;
use domain_notification::NotificationEvent;
use domain_roster::Book;
use domain_supervision::{BulletinEvent, PAPER_ISSUED, TaskEvent, describe_act};
use sea_orm::DatabaseTransaction;
use serde_json::Value;
use xietong_events::{ApplyError, Event, EventHandler};
use xietong_mesh::ServiceName;

use crate::app::{App, Edit, Heard, hear};

/// Hears of acts in one service's log.
pub(crate) struct ActsLog {
    app: App,
    producer: ServiceName,
}

impl ActsLog {
    /// What the roster follows.
    pub(crate) const PRODUCERS: [ServiceName; 3] =
        [ServiceName::Supervision, ServiceName::Workgroup, ServiceName::Notification];

    pub(crate) fn new(app: App, producer: ServiceName) -> Self {
        ActsLog { app, producer }
    }

    async fn take_in(&self, tx: &DatabaseTransaction, events: &[&Event]) -> Result<(), ApplyError> {
        let begun = Edit::begin(&self.app.registers, tx, || self.app.now()).await;
        let mut edit = begun.map_err(ApplyError::new)?;
        let mut heard = Vec::new();
        for event in events {
            if let Some(description) = self.describe(event, edit.book())? {
                heard.push(Heard { producer: self.producer.as_str(), event, description });
            }
        }
        for append in hear(&mut edit, tx, &heard).await.map_err(ApplyError::new)? {
            let act = self.app.own_act(&edit, &append.aggregate, events.last().copied());
            self.app.log.append(tx, &act, &[append]).await?;
        }
        Ok(())
    }

    /// What was done, in Chinese; none when it follows from another act or merely takes note.
    fn describe(&self, event: &Event, book: &Book) -> Result<Option<String>, ApplyError> {
        let kind = event.event_type.as_str();
        match self.producer {
            ServiceName::Supervision => {
                let payload: Value = serde_json::from_str(&event.payload).map_err(ApplyError::new)?;
                let called = |name: &str| {
                    let unit = book.unit(name).map(|known| known.display_name.as_str());
                    let official = || book.official(name).map(|known| known.display_name.as_str());
                    unit.or_else(official).unwrap_or(name).to_owned()
                };
                if let Some(event) = TaskEvent::from_payload(kind, &payload).map_err(ApplyError::new)? {
                    return Ok(describe_act(&event, &called));
                }
                // What a paper that is stamped was issued with says it.
                if kind == PAPER_ISSUED {
                    return Ok(None);
                }
                let bulletin = BulletinEvent::from_payload(kind, &payload).map_err(ApplyError::new)?;
                Ok(Some(bulletin.map_or_else(|| other(event), |event| event.describe(&called))))
            }
            ServiceName::Notification => {
                let known = NotificationEvent::from_payload(kind, &event.payload).map_err(ApplyError::new)?;
                Ok(match known {
                    // The log of notices leaves out what they say.
                    Some(NotificationEvent::Acknowledged(_)) => Some("签收一条通知".to_owned()),
                    Some(
                        NotificationEvent::Sent(_)
                        | NotificationEvent::Climbed(_)
                        | NotificationEvent::DigestSent(_)
                        | NotificationEvent::Read(_)
                        | NotificationEvent::ReadTogether(_)
                        | NotificationEvent::Archived(_)
                        | NotificationEvent::Unarchived(_)
                        | NotificationEvent::Recalled(_)
                        | NotificationEvent::PreferencesChanged(_)
                        | NotificationEvent::ContactChanged(_)
                        | NotificationEvent::Unaddressed(_)
                        // Nobody words notices for somebody else.
                        | NotificationEvent::TemplateWorded(_)
                        | NotificationEvent::TemplateFailed(_)
                        // Nobody keeps an endpoint for somebody else.
                        | NotificationEvent::EndpointRegistered(_)
                        | NotificationEvent::EndpointChanged(_)
                        | NotificationEvent::SecretRotated(_)
                        | NotificationEvent::EndpointDisabled(_)
                        | NotificationEvent::EndpointEnabled(_)
                        | NotificationEvent::EndpointRemoved(_),
                    ) => None,
                    None => Some(other(event)),
                })
            }
            ServiceName::Workgroup | ServiceName::Roster | ServiceName::Gateway => Ok(Some(other(event))),
        }
    }
}

/// What this version does not know how to say.
fn other(event: &Event) -> String {
    format!("办理一项事务（{}）", event.aggregate)
}

#[async_trait]
impl EventHandler for ActsLog {
    async fn apply(&self, tx: &DatabaseTransaction, events: &[Event]) -> Result<(), ApplyError> {
        let done: Vec<&Event> = events.iter().filter(|event| event.acting_for.is_some()).collect();
        // Few events are: the head is not held for the others.
        if done.is_empty() { Ok(()) } else { self.take_in(tx, &done).await }
    }
}
