//! [`JointMatter`] (事项): tasks that ask for the same thing, linked across documents and leads.
//!
//! One report of a unit can answer all tasks of a matter. A task is in at most one: that a task is
//! linked is known to the task itself ([`Task::matter`](crate::Task)), and who linked it, when and
//! why to the matter.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::decide::said;
use crate::error::{NotEmpty, SupervisionError};
use crate::payload::{PayloadError, read};

/// Type of the event that a matter was entered; its aggregate is `matters/{id}`.
pub const MATTER_CREATED: &str = "supervision.matter.created";
/// Type of the event that tasks were linked to a matter.
pub const MATTER_LINKED: &str = "supervision.matter.linked";
/// Type of the event that tasks were taken out of a matter.
pub const MATTER_UNLINKED: &str = "supervision.matter.unlinked";

/// Most tasks of a matter.
pub const MOST_LINKED: usize = 200;

/// Tasks that are one matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JointMatter {
    /// Resource name, `matters/{id}`.
    pub name: String,
    /// One line. Whoever may see one of its tasks reads it.
    pub title: String,
    /// Its tasks, in the order they were linked.
    pub links: Vec<Link>,
    /// Subject of the account that entered it.
    pub created_by: String,
    /// When it was entered.
    pub created_at: Timestamp,
    /// Number of events applied so far: what a save compares and sets.
    pub version: i64,
}

/// A task that is linked to a matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// `tasks/{id}`.
    pub task: String,
    /// Subject of the account that linked it.
    pub linked_by: String,
    /// When.
    pub linked_at: Timestamp,
    /// Why.
    pub ground: String,
}

/// What happened to a matter. The aggregate is its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JointMatterEvent {
    /// `matters/{id}`.
    pub matter: String,
    /// Its title.
    pub title: String,
    /// Who did it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub change: JointMatterChange,
}

/// What happened to a matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum JointMatterChange {
    /// It was entered, with its first tasks.
    Created {
        /// `tasks/{id}`, in order.
        tasks: Vec<String>,
        /// Why they are one.
        ground: String,
    },
    /// Tasks were linked to it.
    Linked {
        /// `tasks/{id}`, in order.
        tasks: Vec<String>,
        /// Why.
        ground: String,
    },
    /// Tasks were taken out of it.
    Unlinked {
        /// `tasks/{id}`, in order.
        tasks: Vec<String>,
        /// Why.
        ground: String,
    },
}

impl JointMatter {
    /// Enters a matter of these tasks.
    ///
    /// # Errors
    /// When it has no title, no task or no ground, or more tasks than [`MOST_LINKED`].
    pub fn create(
        (name, title): (&str, &str),
        tasks: &[String],
        (by, ground): (&str, &str),
        now: Timestamp,
    ) -> Result<(JointMatter, JointMatterEvent), SupervisionError> {
        let title = said(title, NotEmpty::MatterTitle)?;
        let ground = said(ground, NotEmpty::LinkGround)?;
        let mut matter = JointMatter {
            name: name.to_owned(),
            title,
            links: Vec::new(),
            created_by: by.to_owned(),
            created_at: now,
            version: 0,
        };
        let tasks = matter.not_linked_yet(tasks)?;
        if tasks.is_empty() {
            return Err(SupervisionError::Empty(NotEmpty::LinkedTask));
        }
        let event = matter.event(by, now, JointMatterChange::Created { tasks, ground });
        matter.apply(&event);
        Ok((matter, event))
    }

    /// Links tasks; those that are linked already stay as they are. None when all of them are.
    ///
    /// # Errors
    /// When there is no task or no ground, or it would have more tasks than [`MOST_LINKED`].
    pub fn link(
        &self,
        tasks: &[String],
        (by, ground): (&str, &str),
        now: Timestamp,
    ) -> Result<Option<JointMatterEvent>, SupervisionError> {
        let ground = said(ground, NotEmpty::LinkGround)?;
        if tasks.is_empty() {
            return Err(SupervisionError::Empty(NotEmpty::LinkedTask));
        }
        let tasks = self.not_linked_yet(tasks)?;
        Ok((!tasks.is_empty()).then(|| self.event(by, now, JointMatterChange::Linked { tasks, ground })))
    }

    /// Takes tasks out.
    ///
    /// # Errors
    /// When there is no task or no ground, or one of them is not linked.
    pub fn unlink(
        &self,
        tasks: &[String],
        (by, ground): (&str, &str),
        now: Timestamp,
    ) -> Result<JointMatterEvent, SupervisionError> {
        let ground = said(ground, NotEmpty::UnlinkGround)?;
        if tasks.is_empty() {
            return Err(SupervisionError::Empty(NotEmpty::LinkedTask));
        }
        if let Some(task) = tasks.iter().find(|task| !self.holds(task)) {
            return Err(SupervisionError::NotInMatter { task: task.clone() });
        }
        let tasks = each_once(tasks.iter());
        Ok(self.event(by, now, JointMatterChange::Unlinked { tasks, ground }))
    }

    /// Takes in an event: the only way a matter changes.
    pub fn apply(&mut self, event: &JointMatterEvent) {
        match &event.change {
            JointMatterChange::Created { tasks, ground } | JointMatterChange::Linked { tasks, ground } => {
                self.links.extend(tasks.iter().map(|task| Link {
                    task: task.clone(),
                    linked_by: event.by.clone(),
                    linked_at: event.at,
                    ground: ground.clone(),
                }));
            }
            JointMatterChange::Unlinked { tasks, ground: _ } => {
                self.links.retain(|link| !tasks.contains(&link.task));
            }
        }
        self.version += 1;
    }

    /// Whether a task is linked to it.
    pub fn holds(&self, task: &str) -> bool {
        self.links.iter().any(|link| link.task == task)
    }

    fn not_linked_yet(&self, tasks: &[String]) -> Result<Vec<String>, SupervisionError> {
        let new = each_once(tasks.iter().filter(|task| !self.holds(task)));
        if self.links.len() + new.len() > MOST_LINKED {
            return Err(SupervisionError::TooManyLinked { most: MOST_LINKED });
        }
        Ok(new)
    }

    fn event(&self, by: &str, at: Timestamp, change: JointMatterChange) -> JointMatterEvent {
        let (matter, title, by) = (self.name.clone(), self.title.clone(), by.to_owned());
        JointMatterEvent { matter, title, by, at, change }
    }
}

impl JointMatterEvent {
    /// The type it is recorded under.
    pub fn event_type(&self) -> &'static str {
        match self.change {
            JointMatterChange::Created { .. } => MATTER_CREATED,
            JointMatterChange::Linked { .. } => MATTER_LINKED,
            JointMatterChange::Unlinked { .. } => MATTER_UNLINKED,
        }
    }

    /// The tasks it is about, and why.
    pub fn told(&self) -> (&[String], &str) {
        match &self.change {
            JointMatterChange::Created { tasks, ground }
            | JointMatterChange::Linked { tasks, ground }
            | JointMatterChange::Unlinked { tasks, ground } => (tasks, ground),
        }
    }

    /// The JSON that stands in the log.
    pub fn to_payload(&self) -> Result<Value, PayloadError> {
        serde_json::to_value(self)
            .map_err(|source| PayloadError::Malformed { event_type: self.event_type().to_owned(), source })
    }

    /// Reads a payload; none when it is of another type.
    pub fn from_payload(event_type: &str, payload: &Value) -> Result<Option<Self>, PayloadError> {
        [MATTER_CREATED, MATTER_LINKED, MATTER_UNLINKED]
            .contains(&event_type)
            .then(|| read(event_type, payload))
            .transpose()
    }
}

/// The names in their order, none twice.
fn each_once<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    names.filter(|name| seen.insert(name.as_str())).cloned().collect()
}
