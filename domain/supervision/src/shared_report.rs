//! One report answers all: a unit reports once for all it holds of one matter.
//!
//! Every task answered has an event of its own, so that each timeline shows the report and each
//! clock is answered; all of them carry the same [`SharedReport`]. Whoever must be reported to is
//! told once, by [`MatterReported`], instead of once a task. A task that only named units may know
//! is told of by itself, to those who may know it.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::assignment::{Assignment, AssignmentState};
use crate::event::{AssignmentFacts, TaskFacts};
use crate::payload::{PayloadError, read};
use crate::task::{Task, Visibility};

/// Type of the event that one report answered several tasks; its aggregate is `reports/{id}`.
pub const MATTER_REPORTED: &str = "supervision.matter.reported";

/// The report that an event belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SharedReport {
    /// The same in every event of the report, `reports/{id}`.
    pub report: String,
    /// `matters/{id}`.
    pub matter: String,
    /// What the matter is called.
    pub title: String,
    /// The assignment that was reported on, `tasks/{t}/assignments/{a}`. Figures of the report
    /// count there and nowhere else.
    pub reported_on: String,
    /// It is told with the others by [`MatterReported`], and not by this event.
    pub told_together: bool,
}

/// One report that answered several tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MatterReported {
    /// `reports/{id}`.
    pub report: String,
    /// `matters/{id}`.
    pub matter: String,
    /// What the matter is called.
    pub title: String,
    /// `units/{slug}`.
    pub unit: String,
    /// The progress.
    pub text: String,
    /// What it answers, the assignment that was reported on first.
    pub items: Vec<ReportedItem>,
    /// When.
    pub at: Timestamp,
}

/// One of the tasks that a report answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportedItem {
    /// The task.
    pub task: TaskFacts,
    /// What the unit holds of it.
    pub assignment: AssignmentFacts,
    /// A step had been missed when it was reported.
    pub late: bool,
    /// The first-named lead unit of the task; none when every responsible unit completes for
    /// itself.
    pub lead_unit: Option<String>,
}

/// Whether a report on one task of a matter can be carried over to another task of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answerable {
    /// It can be tried; the assignment itself may still refuse.
    Yes,
    /// There is nothing to answer: not issued, struck off or withdrawn.
    NotOpen,
    /// What is said of a task that only named units may know is not told to others.
    Restricted,
}

/// Whether a report on an assignment of `reported` can be carried over to `other` of another task.
pub fn answerable(reported: &Task, other: &Assignment) -> Answerable {
    match other.state {
        AssignmentState::Pending | AssignmentState::StruckOff | AssignmentState::Withdrawn => {
            Answerable::NotOpen
        }
        AssignmentState::Assigned
        | AssignmentState::Signed
        | AssignmentState::Deployed
        | AssignmentState::InProgress
        | AssignmentState::Submitted
        | AssignmentState::Returned
        | AssignmentState::Suspended => match reported.visibility {
            Visibility::Restricted => Answerable::Restricted,
            Visibility::Public | Visibility::Internal => Answerable::Yes,
        },
    }
}

impl MatterReported {
    /// The JSON that stands in the log.
    pub fn to_payload(&self) -> Result<Value, PayloadError> {
        serde_json::to_value(self)
            .map_err(|source| PayloadError::Malformed { event_type: MATTER_REPORTED.to_owned(), source })
    }

    /// Reads a payload; none when it is of another type.
    pub fn from_payload(event_type: &str, payload: &Value) -> Result<Option<Self>, PayloadError> {
        (event_type == MATTER_REPORTED).then(|| read(event_type, payload)).transpose()
    }
}
