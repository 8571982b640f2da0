//! [`Comment`]: a plain remark on a task. It asks nothing of anybody and starts no clock.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::decide::said;
use crate::error::{NotEmpty, SupervisionError};
use crate::event::TaskFacts;
use crate::payload::{PayloadError, read};
use crate::task::Task;

/// The type it is recorded under.
pub const COMMENT_MADE: &str = "supervision.comment.made";

/// A remark on a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comment {
    /// Resource name, `tasks/{t}/comments/{c}`.
    pub name: String,
    /// What it says; not empty.
    pub text: String,
    /// Units of the task that are told of it, `units/{slug}`; nobody else is.
    pub units: Vec<String>,
    /// Subject of the account that made it.
    pub author: String,
    /// When.
    pub made_at: Timestamp,
}

/// That a remark was made, for whoever tells those it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommentMade {
    /// The task.
    pub task: TaskFacts,
    /// The remark.
    pub comment: Comment,
}

impl CommentMade {
    /// A remark on a task, or why it is refused.
    pub fn on(task: &Task, comment: Comment) -> Result<Self, SupervisionError> {
        let text = said(&comment.text, NotEmpty::Comment)?;
        if let Some(unit) =
            comment.units.iter().find(|unit| task.assignments.iter().all(|one| one.unit != **unit))
        {
            return Err(SupervisionError::NotOfTask { unit: unit.clone() });
        }
        let mut units = comment.units;
        units.sort();
        units.dedup();
        Ok(CommentMade { task: TaskFacts::of(task), comment: Comment { text, units, ..comment } })
    }

    /// The JSON that stands in the log.
    pub fn to_payload(&self) -> Result<Value, PayloadError> {
        serde_json::to_value(self)
            .map_err(|source| PayloadError::Malformed { event_type: COMMENT_MADE.to_owned(), source })
    }

    /// Reads a payload; none when it is of another type.
    pub fn from_payload(event_type: &str, payload: &Value) -> Result<Option<Self>, PayloadError> {
        (event_type == COMMENT_MADE).then(|| read(event_type, payload)).transpose()
    }
}
