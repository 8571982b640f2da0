//! [`WorkgroupEvent`]: what happened, as the event log keeps it. Each event says enough for
//! whoever must tell people about it without asking back.

use domain_calendar::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::decision::{Decision, DecisionChange};
use crate::group::{Group, Seat};
use crate::meeting::Meeting;

const GROUP_FOUNDED: &str = "workgroup.group.founded";
const MEETING_HELD: &str = "workgroup.meeting.held";
const DECISION_MADE: &str = "workgroup.decision.made";
const DECISION_ESCALATION_ASKED: &str = "workgroup.decision.escalation_asked";
const DECISION_ESCALATED: &str = "workgroup.decision.escalated";
const DECISION_SETTLED: &str = "workgroup.decision.settled";
const DECISION_WITHDRAWN: &str = "workgroup.decision.withdrawn";
const DECISION_REFUSED: &str = "workgroup.decision.refused";

/// Every event type of working groups, for consumers that subscribe by type.
pub const EVENT_TYPES: [&str; 8] = [
    GROUP_FOUNDED,
    MEETING_HELD,
    DECISION_MADE,
    DECISION_ESCALATION_ASKED,
    DECISION_ESCALATED,
    DECISION_SETTLED,
    DECISION_WITHDRAWN,
    DECISION_REFUSED,
];

/// One event of the working groups. The payload carries no tag of its own: the type stands
/// beside it in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum WorkgroupEvent {
    /// A group was founded.
    GroupFounded(Group),
    /// A meeting was held.
    MeetingHeld(MeetingHeld),
    /// Something happened to a decision.
    Decision(DecisionEvent),
}

/// A meeting was held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeetingHeld {
    /// The group that met.
    pub group: GroupFacts,
    /// The meeting.
    pub meeting: Meeting,
}

/// Something that happened to a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionEvent {
    /// The group that decided.
    pub group: GroupFacts,
    /// The meeting it decided at.
    pub meeting: MeetingFacts,
    /// What it decided.
    pub decision: DecisionFacts,
    /// When this happened.
    pub at: Timestamp,
    /// What happened.
    pub change: DecisionChange,
}

/// What a notice needs to know of a group, and to whom it can go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupFacts {
    /// `groups/{id}`.
    pub name: String,
    /// Its name.
    pub display_name: String,
    /// The unit its office is at, `units/{slug}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office_unit: Option<String>,
    /// Its seats, in order.
    pub seats: Vec<Seat>,
}

/// What a notice needs to know of a meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeetingFacts {
    /// `groups/{g}/meetings/{m}`.
    pub name: String,
    /// What it was about.
    pub title: String,
}

/// What a notice needs to know of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionFacts {
    /// `groups/{g}/meetings/{m}/decisions/{d}`.
    pub name: String,
    /// What was decided.
    pub text: String,
    /// `units/{slug}` that lead it.
    pub lead_units: Vec<String>,
    /// `units/{slug}` that cooperate.
    pub cooperating_units: Vec<String>,
    /// First instant after the last moment for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_time: Option<Timestamp>,
}

/// A payload that is not what its type says.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// The JSON does not have the form of the type.
    #[error("payload of {event_type} is malformed")]
    Malformed {
        /// The type it was recorded under.
        event_type: String,
        /// What the reader stumbled over.
        source: serde_json::Error,
    },
    /// The JSON is an event of another type.
    #[error("payload recorded as {recorded} is of type {found}")]
    OtherType {
        /// The type it was recorded under.
        recorded: String,
        /// The type it has.
        found: &'static str,
    },
}

impl WorkgroupEvent {
    /// Something that happened to a decision.
    pub fn of_decision(
        group: &Group,
        meeting: &Meeting,
        decision: &Decision,
        at: Timestamp,
        change: DecisionChange,
    ) -> Self {
        Self::Decision(DecisionEvent {
            group: GroupFacts::of(group),
            meeting: MeetingFacts { name: meeting.name.clone(), title: meeting.title.clone() },
            decision: DecisionFacts::of(decision),
            at,
            change,
        })
    }

    /// The type that stands in the log, one of [`EVENT_TYPES`].
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::GroupFounded(_) => GROUP_FOUNDED,
            Self::MeetingHeld(_) => MEETING_HELD,
            Self::Decision(event) => match event.change {
                DecisionChange::Made => DECISION_MADE,
                DecisionChange::EscalationAsked => DECISION_ESCALATION_ASKED,
                DecisionChange::Escalated { .. } => DECISION_ESCALATED,
                DecisionChange::Settled { .. } => DECISION_SETTLED,
                DecisionChange::Withdrawn { .. } => DECISION_WITHDRAWN,
                DecisionChange::Refused { .. } => DECISION_REFUSED,
            },
        }
    }

    /// The resource the event belongs to, for example `groups/g/meetings/m`.
    pub fn aggregate(&self) -> &str {
        match self {
            Self::GroupFounded(group) => &group.name,
            Self::MeetingHeld(event) => &event.meeting.name,
            Self::Decision(event) => &event.decision.name,
        }
    }

    /// The JSON that stands in the log: the group; `{group, meeting}`; or
    /// `{group, meeting, decision, at, change: {kind, …}}`. Times in RFC 3339.
    pub fn to_payload(&self) -> Result<String, PayloadError> {
        serde_json::to_string(self)
            .map_err(|source| PayloadError::Malformed { event_type: self.event_type().to_owned(), source })
    }

    /// Reads a payload by its type. Types this reader does not know give nothing, so that an
    /// old reader skips new events; fields it does not know are ignored.
    pub fn from_payload(event_type: &str, json: &str) -> Result<Option<Self>, PayloadError> {
        let event = match event_type {
            GROUP_FOUNDED => Self::GroupFounded(read(event_type, json)?),
            MEETING_HELD => Self::MeetingHeld(read(event_type, json)?),
            DECISION_MADE
            | DECISION_ESCALATION_ASKED
            | DECISION_ESCALATED
            | DECISION_SETTLED
            | DECISION_WITHDRAWN
            | DECISION_REFUSED => Self::Decision(read(event_type, json)?),
            _ => return Ok(None),
        };
        let found = event.event_type();
        if found == event_type {
            Ok(Some(event))
        } else {
            Err(PayloadError::OtherType { recorded: event_type.to_owned(), found })
        }
    }
}

fn read<T: DeserializeOwned>(event_type: &str, json: &str) -> Result<T, PayloadError> {
    serde_json::from_str(json)
        .map_err(|source| PayloadError::Malformed { event_type: event_type.to_owned(), source })
}

impl GroupFacts {
    /// What a notice needs to know of a group.
    pub fn of(group: &Group) -> Self {
        Self {
            name: group.name.clone(),
            display_name: group.display_name.clone(),
            office_unit: group.office_unit.clone(),
            seats: group.seats.clone(),
        }
    }
}

impl DecisionFacts {
    /// What a notice needs to know of a decision.
    pub fn of(decision: &Decision) -> Self {
        Self {
            name: decision.name.clone(),
            text: decision.text.clone(),
            lead_units: decision.lead_units.clone(),
            cooperating_units: decision.cooperating_units.clone(),
            due_time: decision.due_time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::tests::permits;
    use crate::group::tests::green_energy;
    use crate::meeting::tests::first_meeting;

    const AT: Timestamp = Timestamp::from_micros(1_686_000_000_000_000);

    fn of_decision(change: DecisionChange) -> WorkgroupEvent {
        WorkgroupEvent::of_decision(&green_energy(), &first_meeting(), &permits(), AT, change)
    }

    fn every_event() -> Vec<WorkgroupEvent> {
        let task = || "tasks/1".to_owned();
        vec![
            WorkgroupEvent::GroupFounded(green_energy()),
            WorkgroupEvent::MeetingHeld(MeetingHeld {
                group: GroupFacts::of(&green_energy()),
                meeting: first_meeting(),
            }),
            of_decision(DecisionChange::Made),
            of_decision(DecisionChange::EscalationAsked),
            of_decision(DecisionChange::Escalated { task: task() }),
            of_decision(DecisionChange::Settled { task: task(), settle_time: AT }),
            of_decision(DecisionChange::Withdrawn { task: task(), ground: "合并办理".into() }),
            of_decision(DecisionChange::Refused { reason: "没有该单位".into() }),
        ]
    }

    #[test]
    fn every_event_reads_back_as_it_was_written() {
        let events = every_event();
        assert_eq!(events.iter().map(WorkgroupEvent::event_type).collect::<Vec<_>>(), EVENT_TYPES);
        for event in events {
            let payload = event.to_payload().unwrap();
            let read = WorkgroupEvent::from_payload(event.event_type(), &payload).unwrap();
            assert_eq!(read.as_ref(), Some(&event), "{payload}");
        }
    }

    #[test]
    fn a_payload_says_enough_for_a_notice() {
        let payload = of_decision(DecisionChange::Escalated { task: "tasks/1".into() }).to_payload().unwrap();
        let json: serde_json::Value = serde_json::from_str(&payload).unwrap();
        assert_eq!(json["group"]["displayName"], "临汾市绿色能源输配项目建设领导小组");
        assert_eq!(json["group"]["seats"][0]["holder"]["post"], "市政府分管发展改革工作的副市长");
        assert_eq!(json["meeting"]["title"], "领导小组第一次会议");
        assert_eq!(json["decision"]["leadUnits"][0], "units/energy");
        assert_eq!(json["change"]["kind"], "escalated");
        assert_eq!(json["change"]["task"], "tasks/1");
    }

    #[test]
    fn unknown_types_are_skipped_and_wrong_ones_refused() {
        assert_eq!(WorkgroupEvent::from_payload("workgroup.group.dissolved", "{}").unwrap(), None);
        let made = of_decision(DecisionChange::Made).to_payload().unwrap();
        let other = WorkgroupEvent::from_payload(DECISION_ESCALATED, &made);
        assert!(matches!(other, Err(PayloadError::OtherType { found: DECISION_MADE, .. })));
        let malformed = WorkgroupEvent::from_payload(GROUP_FOUNDED, &made);
        assert!(matches!(malformed, Err(PayloadError::Malformed { .. })));
    }
}
