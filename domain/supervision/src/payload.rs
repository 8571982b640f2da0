//! Events as the log stores them: a type name and a JSON payload.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::event::{AssignmentChange, AssignmentEvent, TaskChange, TaskEvent, WholeTaskEvent};

/// Every type of a [`TaskEvent`], for consumers that subscribe by type.
pub const EVENT_TYPES: [&str; 54] = [
    "supervision.task.created",
    "supervision.task.issued",
    "supervision.task.backfilled",
    "supervision.task.revised",
    "supervision.task.rebased",
    "supervision.task.withdrawn",
    "supervision.task.struck_off",
    "supervision.task.reopened",
    "supervision.assignment.signed",
    "supervision.assignment.deployed",
    "supervision.assignment.reported",
    "supervision.assignment.submitted",
    "supervision.assignment.verified",
    "supervision.assignment.sent_back",
    "supervision.assignment.struck_off",
    "supervision.assignment.extension_requested",
    "supervision.assignment.extension_granted",
    "supervision.assignment.extension_refused",
    "supervision.assignment.deadline_recomputed",
    "supervision.assignment.returned",
    "supervision.assignment.return_refused",
    "supervision.assignment.reassigned",
    "supervision.assignment.suspended",
    "supervision.assignment.resumed",
    "supervision.assignment.wait_requested",
    "supervision.assignment.wait_held",
    "supervision.assignment.wait_refused",
    "supervision.assignment.wait_ended",
    "supervision.assignment.rechecked",
    "supervision.assignment.reopened",
    "supervision.assignment.pressed",
    "supervision.assignment.letter_sent",
    "supervision.assignment.interviewed",
    "supervision.assignment.publicly_noticed",
    "supervision.assignment.referred",
    "supervision.assignment.overdue",
    "supervision.assignment.reminded",
    "supervision.assignment.urged",
    "supervision.assignment.milestone_reached",
    "supervision.assignment.milestone_sent_back",
    "supervision.assignment.milestone_reminded",
    "supervision.assignment.milestone_missed",
    "supervision.task.joined_matter",
    "supervision.task.left_matter",
    "supervision.task.event_recorded",
    "supervision.task.occurrence_corrected",
    "supervision.task.designated",
    "supervision.task.instructed",
    "supervision.task.instruction_signed",
    "supervision.task.instruction_due",
    "supervision.task.cooperating_added",
    "supervision.task.figure_given",
    "supervision.task.figure_corrected",
    "supervision.task.figures_asked",
];

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

impl TaskEvent {
    /// The type name, one of [`EVENT_TYPES`].
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::Task(event) => match &event.change {
                TaskChange::Created { .. } => "supervision.task.created",
                TaskChange::Issued { .. } => "supervision.task.issued",
                TaskChange::Backfilled { .. } => "supervision.task.backfilled",
                TaskChange::Revised { .. } => "supervision.task.revised",
                TaskChange::Rebased { .. } => "supervision.task.rebased",
                TaskChange::Withdrawn { .. } => "supervision.task.withdrawn",
                TaskChange::StruckOff { .. } => "supervision.task.struck_off",
                TaskChange::Reopened { .. } => "supervision.task.reopened",
                TaskChange::JoinedMatter { .. } => "supervision.task.joined_matter",
                TaskChange::LeftMatter { .. } => "supervision.task.left_matter",
                TaskChange::Circumstance { circumstance, .. } => circumstance.event_type(),
                TaskChange::Instructed { .. } => "supervision.task.instructed",
                TaskChange::InstructionSigned { .. } => "supervision.task.instruction_signed",
                TaskChange::InstructionDue { .. } => "supervision.task.instruction_due",
                TaskChange::Figure(change) => change.event_type(),
                TaskChange::CooperatingAdded { .. } => "supervision.task.cooperating_added",
            },
            Self::Assignment(event) => match &event.change {
                AssignmentChange::Signed => "supervision.assignment.signed",
                AssignmentChange::Deployed { .. } => "supervision.assignment.deployed",
                AssignmentChange::Reported { .. } => "supervision.assignment.reported",
                AssignmentChange::Submitted { .. } => "supervision.assignment.submitted",
                AssignmentChange::Verified { .. } => "supervision.assignment.verified",
                AssignmentChange::SentBack { .. } => "supervision.assignment.sent_back",
                AssignmentChange::StruckOff { .. } => "supervision.assignment.struck_off",
                AssignmentChange::ExtensionRequested { .. } => "supervision.assignment.extension_requested",
                AssignmentChange::ExtensionGranted { .. } => "supervision.assignment.extension_granted",
                AssignmentChange::ExtensionRefused { .. } => "supervision.assignment.extension_refused",
                AssignmentChange::DeadlineRecomputed { .. } => "supervision.assignment.deadline_recomputed",
                AssignmentChange::Milestone(change) => change.event_type(),
                AssignmentChange::SideRoad(change) => change.event_type(),
                AssignmentChange::Pressed(used) => used.instrument.event_type(),
                AssignmentChange::Overdue => "supervision.assignment.overdue",
                AssignmentChange::Reminded => "supervision.assignment.reminded",
                AssignmentChange::Urged { .. } => "supervision.assignment.urged",
            },
        }
    }

    /// The payload: `{task, at, change: {kind, …}}`, and for an assignment also
    /// `{assignment, late}`.
    pub fn to_payload(&self) -> Result<Value, PayloadError> {
        serde_json::to_value(self)
            .map_err(|source| PayloadError::Malformed { event_type: self.event_type().to_owned(), source })
    }

    /// Reads a payload by its type. None for a type this version does not know, so that a
    /// newer producer does not stop an older consumer.
    pub fn from_payload(event_type: &str, payload: &Value) -> Result<Option<TaskEvent>, PayloadError> {
        if !EVENT_TYPES.contains(&event_type) {
            return Ok(None);
        }
        let event = if event_type.starts_with("supervision.task.") {
            TaskEvent::Task(read::<WholeTaskEvent>(event_type, payload)?)
        } else {
            TaskEvent::Assignment(read::<AssignmentEvent>(event_type, payload)?)
        };
        let found = event.event_type();
        if found != event_type {
            return Err(PayloadError::OtherType { recorded: event_type.to_owned(), found });
        }
        Ok(Some(event))
    }
}

pub(crate) fn read<T: DeserializeOwned>(event_type: &str, payload: &Value) -> Result<T, PayloadError> {
    T::deserialize(payload)
        .map_err(|source| PayloadError::Malformed { event_type: event_type.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn signed() -> Value {
        json!({
            "task": {
                "name": "tasks/1", "ledgerNumber": 147, "title": "绿色能源输配管网", "createdBy": "clerk",
                "visibility": "internal", "restrictedUnits": [], "origin": "groups/g/meetings/m/decisions/d",
            },
            "assignment": {
                "name": "tasks/1/assignments/1", "unit": "units/energy", "role": "lead",
                "due": {
                    "sign": "2023-06-02T00:00:00+08:00", "deploy": "2023-06-02T00:00:00+08:00",
                    "report": "2023-06-05T00:00:00+08:00", "settle": "2023-06-09T00:00:00+08:00",
                },
            },
            "at": "2023-06-02T09:00:00+08:00",
            "late": ["sign", "deploy"],
            "change": { "kind": "signed" },
        })
    }

    #[test]
    fn a_payload_is_read_and_written_in_the_same_form() {
        let event = TaskEvent::from_payload("supervision.assignment.signed", &signed()).unwrap().unwrap();
        assert_eq!(event.event_type(), "supervision.assignment.signed");
        assert_eq!(event.to_payload().unwrap(), signed());
    }

    #[test]
    fn an_unknown_type_is_passed_over() {
        assert!(matches!(TaskEvent::from_payload("supervision.task.archived", &signed()), Ok(None)));
    }

    #[test]
    fn a_payload_under_another_type_is_refused() {
        let other = TaskEvent::from_payload("supervision.assignment.deployed", &signed());
        assert!(matches!(other, Err(PayloadError::OtherType { found: "supervision.assignment.signed", .. })));
        let malformed = TaskEvent::from_payload("supervision.task.issued", &signed());
        assert!(matches!(malformed, Err(PayloadError::Malformed { .. })));
    }
}
