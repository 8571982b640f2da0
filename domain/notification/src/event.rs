//! [`NotificationEvent`]: what happened in an inbox, as the event log keeps it.
//!
//! Texts are left out: a log is read by more people than an inbox is.

use domain_calendar::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::climb::Rung;
use crate::endpoint::{EndpointDisabled, EndpointFacts, EndpointMarked, SecretRotated};
use crate::notice::NoticeKind;
use crate::preference::Preference;

const MESSAGE_SENT: &str = "notification.message.sent";
const MESSAGE_CLIMBED: &str = "notification.message.climbed";
const MESSAGE_READ: &str = "notification.message.read";
const MESSAGE_ACKNOWLEDGED: &str = "notification.message.acknowledged";
const MESSAGES_READ: &str = "notification.messages.read";
const MESSAGE_ARCHIVED: &str = "notification.message.archived";
const MESSAGE_UNARCHIVED: &str = "notification.message.unarchived";
const MESSAGE_RECALLED: &str = "notification.message.recalled";
const DIGEST_SENT: &str = "notification.digest.sent";
const PREFERENCES_CHANGED: &str = "notification.preferences.changed";
const CONTACT_CHANGED: &str = "notification.contact.changed";
const NOTICE_UNADDRESSED: &str = "notification.notice.unaddressed";
const TEMPLATE_WORDED: &str = "notification.template.worded";
const TEMPLATE_FAILED: &str = "notification.template.failed";
const ENDPOINT_REGISTERED: &str = "notification.endpoint.registered";
const ENDPOINT_CHANGED: &str = "notification.endpoint.changed";
const ENDPOINT_SECRET_ROTATED: &str = "notification.endpoint.secret_rotated";
const ENDPOINT_DISABLED: &str = "notification.endpoint.disabled";
const ENDPOINT_ENABLED: &str = "notification.endpoint.enabled";
const ENDPOINT_REMOVED: &str = "notification.endpoint.removed";

/// One event. The payload carries no tag: the type stands beside it in the log. Every
/// message enters its inbox with exactly one of the first three.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum NotificationEvent {
    /// A message entered an inbox.
    Sent(MessageFacts),
    /// A message that others did not sign for entered an inbox further up.
    Climbed(MessageClimbed),
    /// A summary entered an inbox.
    DigestSent(DigestSent),
    /// A message was read for the first time.
    Read(MessageMarked),
    /// A message was signed for.
    Acknowledged(MessageMarked),
    /// Several messages were read for the first time, in one act.
    ReadTogether(MessagesMarked),
    /// A message was put away.
    Archived(MessageMarked),
    /// A message was taken back out.
    Unarchived(MessageMarked),
    /// What messages asked is done or no longer wanted: all of an inbox that one batch ended.
    Recalled(MessagesMarked),
    /// An official wants to be told otherwise.
    PreferencesChanged(PreferencesChanged),
    /// An official is reached elsewhere on other channels.
    ContactChanged(ContactChanged),
    /// A notice that must be signed for reached nobody: an alarm.
    Unaddressed(Unaddressed),
    /// Notices are told in other words from now on.
    TemplateWorded(TemplateWorded),
    /// A template failed at sending, and the built-in words were sent: an alarm, once a version.
    TemplateFailed(TemplateFailed),
    /// Another system is told of events from now on.
    EndpointRegistered(EndpointFacts),
    /// It is told of others, or elsewhere.
    EndpointChanged(EndpointFacts),
    /// It has a new secret.
    SecretRotated(SecretRotated),
    /// It is told of nothing for now.
    EndpointDisabled(EndpointDisabled),
    /// It is told again.
    EndpointEnabled(EndpointMarked),
    /// It is gone.
    EndpointRemoved(EndpointMarked),
}

/// What the log says of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageFacts {
    /// `inbox/messages/{id}`.
    pub message: String,
    /// Its number in the inbox.
    pub number: i64,
    /// `officials/{id}`.
    pub recipient: String,
    /// What it is about.
    pub kind: NoticeKind,
    /// The record it is about.
    pub subject: String,
    /// In which capacity the recipient gets it.
    pub capacity: String,
    /// The official stood in for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<String>,
    /// It must be signed for.
    pub requires_acknowledgement: bool,
    /// What caused it: the id of an event, a step of a ladder, or a window of digests.
    pub source: String,
    /// It was filed in the archive without a sound, as the recipient prefers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub filed: bool,
}

/// A message that climbed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageClimbed {
    /// The message to whoever is above.
    pub message: MessageFacts,
    /// The unit that did not sign.
    pub unit: String,
    /// How far it is now.
    pub rung: Rung,
}

/// A summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestSent {
    /// The message.
    pub message: MessageFacts,
    /// How many things it lists.
    pub entries: usize,
}

/// A message was read, signed for, put away or taken back out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageMarked {
    /// `inbox/messages/{id}`.
    pub message: String,
    /// Its number in the inbox.
    pub number: i64,
    /// When.
    pub at: Timestamp,
}

/// How an official wants to be told from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreferencesChanged {
    /// `officials/{id}`.
    pub official: String,
    /// All of it.
    pub preferences: Preference,
    /// When.
    pub at: Timestamp,
}

/// Where an official is reached, without the addresses: a log is read by more people than may know
/// them, and nothing is ever taken out of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContactChanged {
    /// `officials/{id}`.
    pub official: String,
    /// The e-mail address is another one, or there is none any more.
    pub email_changed: bool,
    /// There is an e-mail address.
    pub has_email: bool,
    /// An administrator has confirmed it.
    pub email_verified: bool,
    /// The mobile number is another one, or there is none any more.
    pub mobile_changed: bool,
    /// There is a mobile number.
    pub has_mobile: bool,
    /// An administrator has confirmed it.
    pub mobile_verified: bool,
    /// When.
    pub at: Timestamp,
}

/// Messages that were read in one act, or recalled in one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessagesMarked {
    /// Their numbers in the inbox as runs, first and last included, rising.
    pub numbers: Vec<(i64, i64)>,
    /// How many they are.
    pub count: i64,
    /// When.
    pub at: Timestamp,
}

impl MessagesMarked {
    /// Of these numbers, which must rise.
    pub fn of(numbers: impl IntoIterator<Item = i64>, at: Timestamp) -> Self {
        let mut marked = MessagesMarked { numbers: Vec::new(), count: 0, at };
        for number in numbers {
            marked.count += 1;
            match marked.numbers.last_mut() {
                Some((_, last)) if *last + 1 == number => *last = number,
                _ => marked.numbers.push((number, number)),
            }
        }
        marked
    }
}

/// A notice that reached nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unaddressed {
    /// What it is about.
    pub kind: NoticeKind,
    /// The record it is about.
    pub subject: String,
    /// The unit that should have heard.
    pub unit: String,
    /// The id of the event that caused it.
    pub source: String,
}

/// A version of a template. Its text is in it: it says what is told, and of nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TemplateWorded {
    /// `templates/{t}`.
    pub template: String,
    /// Its number, from 1.
    pub version: i64,
    /// The source of its title; none: the built-in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The source of its body; none: the built-in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The version that it goes back to, 0 for the built-in one; none when it is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverts_to: Option<i64>,
    /// When.
    pub at: Timestamp,
}

/// A template that failed at sending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TemplateFailed {
    /// `templates/{t}`.
    pub template: String,
    /// The version that failed.
    pub version: i64,
    /// The id of the event that it failed to tell.
    pub source: String,
    /// What failed, in English.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// A payload that cannot be written or is not what its type says.
#[derive(Debug, thiserror::Error)]
#[error("payload of {event_type}: {source}")]
pub struct PayloadError {
    /// The event's type.
    pub event_type: String,
    /// What is wrong with the JSON.
    pub source: serde_json::Error,
}

impl NotificationEvent {
    /// The type that stands in the log.
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::Sent(_) => MESSAGE_SENT,
            Self::Climbed(_) => MESSAGE_CLIMBED,
            Self::DigestSent(_) => DIGEST_SENT,
            Self::Read(_) => MESSAGE_READ,
            Self::Acknowledged(_) => MESSAGE_ACKNOWLEDGED,
            Self::ReadTogether(_) => MESSAGES_READ,
            Self::Archived(_) => MESSAGE_ARCHIVED,
            Self::Unarchived(_) => MESSAGE_UNARCHIVED,
            Self::Recalled(_) => MESSAGE_RECALLED,
            Self::PreferencesChanged(_) => PREFERENCES_CHANGED,
            Self::ContactChanged(_) => CONTACT_CHANGED,
            Self::Unaddressed(_) => NOTICE_UNADDRESSED,
            Self::TemplateWorded(_) => TEMPLATE_WORDED,
            Self::TemplateFailed(_) => TEMPLATE_FAILED,
            Self::EndpointRegistered(_) => ENDPOINT_REGISTERED,
            Self::EndpointChanged(_) => ENDPOINT_CHANGED,
            Self::SecretRotated(_) => ENDPOINT_SECRET_ROTATED,
            Self::EndpointDisabled(_) => ENDPOINT_DISABLED,
            Self::EndpointEnabled(_) => ENDPOINT_ENABLED,
            Self::EndpointRemoved(_) => ENDPOINT_REMOVED,
        }
    }

    /// The JSON that stands in the log.
    pub fn to_payload(&self) -> Result<String, PayloadError> {
        serde_json::to_string(self)
            .map_err(|source| PayloadError { event_type: self.event_type().to_owned(), source })
    }

    /// Reads a payload by its type; types this version does not know give nothing.
    pub fn from_payload(event_type: &str, json: &str) -> Result<Option<Self>, PayloadError> {
        fn read<T: DeserializeOwned>(json: &str, event: fn(T) -> NotificationEvent) -> Read {
            serde_json::from_str(json).map(|value| Some(event(value)))
        }
        type Read = Result<Option<NotificationEvent>, serde_json::Error>;
        match event_type {
            MESSAGE_SENT => read(json, Self::Sent),
            MESSAGE_CLIMBED => read(json, Self::Climbed),
            DIGEST_SENT => read(json, Self::DigestSent),
            MESSAGE_READ => read(json, Self::Read),
            MESSAGE_ACKNOWLEDGED => read(json, Self::Acknowledged),
            MESSAGES_READ => read(json, Self::ReadTogether),
            MESSAGE_ARCHIVED => read(json, Self::Archived),
            MESSAGE_UNARCHIVED => read(json, Self::Unarchived),
            MESSAGE_RECALLED => read(json, Self::Recalled),
            PREFERENCES_CHANGED => read(json, Self::PreferencesChanged),
            CONTACT_CHANGED => read(json, Self::ContactChanged),
            NOTICE_UNADDRESSED => read(json, Self::Unaddressed),
            TEMPLATE_WORDED => read(json, Self::TemplateWorded),
            TEMPLATE_FAILED => read(json, Self::TemplateFailed),
            ENDPOINT_REGISTERED => read(json, Self::EndpointRegistered),
            ENDPOINT_CHANGED => read(json, Self::EndpointChanged),
            ENDPOINT_SECRET_ROTATED => read(json, Self::SecretRotated),
            ENDPOINT_DISABLED => read(json, Self::EndpointDisabled),
            ENDPOINT_ENABLED => read(json, Self::EndpointEnabled),
            ENDPOINT_REMOVED => read(json, Self::EndpointRemoved),
            _ => Ok(None),
        }
        .map_err(|source| PayloadError { event_type: event_type.to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        ContactChanged, DigestSent, MessageClimbed, MessageFacts, MessageMarked, MessagesMarked,
        NotificationEvent, Preference, PreferencesChanged, Rung, TemplateFailed, TemplateWorded, Unaddressed,
    };
    use crate::endpoint::{DisabledReason, EndpointDisabled, EndpointFacts, EndpointMarked, SecretRotated};
    use crate::fixture::at;
    use crate::notice::NoticeKind;

    fn facts() -> MessageFacts {
        MessageFacts {
            message: "inbox/messages/1".into(),
            number: 1,
            recipient: "officials/one".into(),
            kind: NoticeKind::Assignment,
            subject: "tasks/1".into(),
            capacity: "联络员".into(),
            acting_for: None,
            requires_acknowledgement: true,
            source: "event-1".into(),
            filed: false,
        }
    }

    fn endpoint() -> EndpointFacts {
        EndpointFacts {
            endpoint: "endpoints/1".into(),
            owner: "machine".into(),
            url: "https://oa.example/hook".into(),
            display_name: "办公系统".into(),
            description: String::new(),
            event_filters: vec!["supervision.*".into()],
            ordered: true,
            concurrency: 4,
            sm3_signature: false,
        }
    }

    fn kept() -> EndpointMarked {
        EndpointMarked { endpoint: "endpoints/1".into(), at: at("2023-06-05T10:00+08:00") }
    }

    #[test]
    fn numbers_that_follow_one_another_are_one_run() {
        let at = at("2023-06-05T10:00+08:00");
        let runs = |numbers: &[i64]| MessagesMarked::of(numbers.iter().copied(), at).numbers;
        assert_eq!(runs(&[]), []);
        assert_eq!(runs(&[3]), [(3, 3)]);
        assert_eq!(runs(&[1, 2, 3, 5, 7, 8]), [(1, 3), (5, 5), (7, 8)]);
    }

    #[test]
    fn every_event_reads_back_as_it_was_written() {
        let marked = || MessageMarked {
            message: "inbox/messages/1".into(),
            number: 1,
            at: at("2023-06-05T10:00+08:00"),
        };
        for event in [
            NotificationEvent::Sent(facts()),
            NotificationEvent::Climbed(MessageClimbed {
                message: facts(),
                unit: "units/water".into(),
                rung: Rung::Head,
            }),
            NotificationEvent::DigestSent(DigestSent { message: facts(), entries: 2 }),
            NotificationEvent::Read(marked()),
            NotificationEvent::Acknowledged(marked()),
            NotificationEvent::ReadTogether(MessagesMarked::of([1, 2, 4], at("2023-06-05T10:00+08:00"))),
            NotificationEvent::Archived(marked()),
            NotificationEvent::Unarchived(marked()),
            NotificationEvent::Recalled(MessagesMarked::of([2, 3], at("2023-06-05T10:00+08:00"))),
            NotificationEvent::Sent(MessageFacts { filed: true, ..facts() }),
            NotificationEvent::PreferencesChanged(PreferencesChanged {
                official: "officials/one".into(),
                preferences: Preference::default(),
                at: at("2023-06-05T10:00+08:00"),
            }),
            NotificationEvent::ContactChanged(ContactChanged {
                official: "officials/one".into(),
                email_changed: true,
                has_email: true,
                email_verified: false,
                mobile_changed: false,
                has_mobile: true,
                mobile_verified: true,
                at: at("2023-06-05T10:00+08:00"),
            }),
            NotificationEvent::Unaddressed(Unaddressed {
                kind: NoticeKind::Assignment,
                subject: "tasks/1".into(),
                unit: "units/water".into(),
                source: "event-1".into(),
            }),
            NotificationEvent::TemplateWorded(TemplateWorded {
                template: "templates/reminder".into(),
                version: 1,
                title: Some("提醒".into()),
                body: Some("请办理".into()),
                reverts_to: None,
                at: at("2023-06-05T10:00+08:00"),
            }),
            NotificationEvent::TemplateWorded(TemplateWorded {
                template: "templates/reminder".into(),
                version: 2,
                title: None,
                body: None,
                reverts_to: Some(0),
                at: at("2023-06-05T10:00+08:00"),
            }),
            NotificationEvent::TemplateFailed(TemplateFailed {
                template: "templates/reminder".into(),
                version: 1,
                source: "event-1".into(),
                reason: "the body costs too much".into(),
                at: at("2023-06-05T10:00+08:00"),
            }),
            NotificationEvent::EndpointRegistered(endpoint()),
            NotificationEvent::EndpointChanged(endpoint()),
            NotificationEvent::SecretRotated(SecretRotated {
                endpoint: "endpoints/1".into(),
                overlap_seconds: 86_400,
                at: at("2023-06-05T10:00+08:00"),
            }),
            NotificationEvent::EndpointDisabled(EndpointDisabled {
                endpoint: "endpoints/1".into(),
                reason: DisabledReason::Gone,
                at: at("2023-06-05T10:00+08:00"),
            }),
            NotificationEvent::EndpointEnabled(kept()),
            NotificationEvent::EndpointRemoved(kept()),
        ] {
            let payload = event.to_payload().unwrap();
            let read = NotificationEvent::from_payload(event.event_type(), &payload).unwrap();
            assert_eq!(read.as_ref(), Some(&event), "{payload}");
        }
        assert_eq!(NotificationEvent::from_payload("notification.message.eaten", "{}").unwrap(), None);
        assert!(NotificationEvent::from_payload("notification.message.sent", "{}").is_err());
    }
}
