//! [`Event`], what is recorded, and the hash chain that shows nobody rewrote it.

use std::fmt;

use domain_calendar::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use xietong_timers::MachineTime;

/// One record of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// UUIDv7: the event's identity, never its order.
    pub id: String,
    /// Place in the producer's log, dense from 1; 0 until sequenced.
    pub position: i64,
    /// Resource name of the aggregate, for example `tasks/0190…`.
    pub aggregate: String,
    /// Version of the aggregate that this event made, dense from 1.
    pub version: i64,
    /// For example `supervision.task.issued`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Subject of the principal that acted.
    pub actor: String,
    /// Official acted for, when standing in.
    pub acting_for: Option<String>,
    /// On what ground: a document number, a rule, an aggregate.
    pub ground: Option<String>,
    /// Business time of the act.
    pub occurred_at: Timestamp,
    /// Machine time of the record.
    #[serde(with = "micros")]
    pub recorded_at: MachineTime,
    /// W3C trace context of the call that caused it.
    pub traceparent: Option<String>,
    /// Id of the event that caused this one.
    pub causation_id: Option<String>,
    /// The event's own data as JSON.
    pub payload: String,
    /// Hash of the aggregate's previous event; empty for its first.
    pub prev_hash: Digest,
    /// SHA-256 over every field but `position`, the previous hash included.
    pub hash: Digest,
}

/// What an aggregate has to say; the log adds who, when and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// For example `supervision.task.issued`.
    pub event_type: String,
    /// The event's own data as JSON.
    pub payload: String,
}

/// Who acts, for whom, when and why: the same for every event of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Subject of the principal.
    pub actor: String,
    /// Official acted for, when standing in.
    pub acting_for: Option<String>,
    /// On what ground.
    pub ground: Option<String>,
    /// Business time.
    pub occurred_at: Timestamp,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// Id of the event that caused it.
    pub causation_id: Option<String>,
}

/// A SHA-256 digest, or nothing before the first event of an aggregate.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Digest(Vec<u8>);

impl Digest {
    /// From stored bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Digest(bytes)
    }

    /// The bytes: 32, or none.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        text.as_bytes()
            .chunks(2)
            .map(|pair| match pair {
                [high, low] => digit(*high).zip(digit(*low)).map(|(high, low)| high * 16 + low),
                _ => None,
            })
            .collect::<Option<Vec<u8>>>()
            .map(Digest)
            .ok_or_else(|| serde::de::Error::custom("not a hexadecimal digest"))
    }
}

mod micros {
    use serde::{Deserialize, Deserializer, Serializer};
    use xietong_timers::MachineTime;

    pub(super) fn serialize<S: Serializer>(time: &MachineTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(time.as_micros())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<MachineTime, D::Error> {
        i64::deserialize(deserializer).map(MachineTime::from_micros)
    }
}

impl Event {
    /// The hash that this event must carry.
    ///
    /// Each field goes in with its length before it, so that no two events share an
    /// encoding; an absent field differs from an empty one.
    pub fn expected_hash(&self) -> Digest {
        let mut hasher = Sha256::new();
        let mut field = |bytes: Option<&[u8]>| match bytes {
            Some(bytes) => {
                hasher.update((bytes.len() as u64 + 1).to_be_bytes());
                hasher.update(bytes);
            }
            None => hasher.update(0_u64.to_be_bytes()),
        };
        field(Some(self.prev_hash.as_bytes()));
        field(Some(self.id.as_bytes()));
        field(Some(self.aggregate.as_bytes()));
        field(Some(&self.version.to_be_bytes()));
        field(Some(self.event_type.as_bytes()));
        field(Some(self.actor.as_bytes()));
        field(self.acting_for.as_deref().map(str::as_bytes));
        field(self.ground.as_deref().map(str::as_bytes));
        field(Some(&self.occurred_at.as_micros().to_be_bytes()));
        field(Some(&self.recorded_at.as_micros().to_be_bytes()));
        field(self.traceparent.as_deref().map(str::as_bytes));
        field(self.causation_id.as_deref().map(str::as_bytes));
        field(Some(self.payload.as_bytes()));
        Digest(hasher.finalize().to_vec())
    }
}

/// Where a chain breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// Versions are not dense from 1.
    #[error("{aggregate}: version {expected} is missing")]
    Gap {
        /// The aggregate.
        aggregate: String,
        /// The version that should have come.
        expected: i64,
    },
    /// An event does not name the hash of the one before it.
    #[error("{aggregate} version {version}: the previous event is not the one it was chained to")]
    Unlinked {
        /// The aggregate.
        aggregate: String,
        /// The event's version.
        version: i64,
    },
    /// An event's content is not what was hashed.
    #[error("{aggregate} version {version}: the record was changed")]
    Changed {
        /// The aggregate.
        aggregate: String,
        /// The event's version.
        version: i64,
    },
}

/// Verifies the chain of one aggregate, whose events are given in order of version.
pub fn verify_chain<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<(), ChainError> {
    let mut previous: Option<&Event> = None;
    for event in events {
        let expected = previous.map_or(1, |event| event.version + 1);
        let (aggregate, version) = (event.aggregate.clone(), event.version);
        if version != expected {
            return Err(ChainError::Gap { aggregate, expected });
        }
        if event.prev_hash != previous.map(|event| event.hash.clone()).unwrap_or_default() {
            return Err(ChainError::Unlinked { aggregate, version });
        }
        if event.hash != event.expected_hash() {
            return Err(ChainError::Changed { aggregate, version });
        }
        previous = Some(event);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;
    use xietong_timers::MachineTime;

    use super::{ChainError, Digest, Event, verify_chain};

    fn chain(length: i64) -> Vec<Event> {
        let mut events: Vec<Event> = Vec::new();
        for version in 1..=length {
            let mut event = Event {
                id: format!("id-{version}"),
                position: version,
                aggregate: "tasks/1".into(),
                version,
                event_type: "supervision.task.issued".into(),
                actor: "supervisor".into(),
                acting_for: None,
                ground: Some(String::new()),
                occurred_at: Timestamp::from_micros(version),
                recorded_at: MachineTime::from_micros(version),
                traceparent: None,
                causation_id: None,
                payload: "{}".into(),
                prev_hash: events.last().map(|event| event.hash.clone()).unwrap_or_default(),
                hash: Digest::default(),
            };
            event.hash = event.expected_hash();
            events.push(event);
        }
        events
    }

    #[test]
    fn an_untouched_chain_verifies_and_survives_json() {
        let events = chain(5);
        assert_eq!(verify_chain(&events), Ok(()));
        let text = serde_json::to_string(&events).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Event>>(&text).unwrap(), events);
    }

    #[test]
    fn every_tampering_is_found() {
        let mut dropped = chain(5);
        dropped.remove(2);
        assert!(matches!(verify_chain(&dropped), Err(ChainError::Gap { expected: 3, .. })));

        let mut changed = chain(5);
        changed[1].ground = None;
        assert!(matches!(verify_chain(&changed), Err(ChainError::Changed { version: 2, .. })));

        let mut rewritten = chain(5);
        rewritten[1].payload = "{\"x\":1}".into();
        rewritten[1].hash = rewritten[1].expected_hash();
        assert!(matches!(verify_chain(&rewritten), Err(ChainError::Unlinked { version: 3, .. })));
    }
}
