//! Sub-tasks (子任务): a task may belong to another, three levels deep at most. A task is not struck off
//! while one of its sub-tasks is open.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::assignment::Assignment;
use crate::decide::AssignmentCommand;
use crate::error::SupervisionError;
use crate::side_road::SideRoadCommand;
use crate::task::{Task, TaskState, Visibility};

/// Most levels of tasks below one another.
pub const MOST_LEVELS: usize = 3;

/// What a sub-task must know of a task above it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Above {
    /// `tasks/{id}`.
    pub name: String,
    /// Where it stands.
    pub state: TaskState,
    /// Who may see it.
    pub visibility: Visibility,
    /// Its units, and those that may see it where it is restricted.
    pub seen_by: BTreeSet<String>,
}

impl Above {
    /// What a sub-task must know of this task.
    pub fn of(task: &Task) -> Self {
        let units = task.assignments.iter().map(|one| &one.unit).chain(&task.restricted_units);
        Above {
            name: task.name.clone(),
            state: task.state,
            visibility: task.visibility,
            seen_by: units.cloned().collect(),
        }
    }
}

/// Whether a task may belong to the first of `above`, which are the tasks above it from the nearest
/// on. `levels` are those of the task and what is below it: one where nothing is.
pub fn check_parent(task: &Task, above: &[Above], levels: usize) -> Result<(), SupervisionError> {
    let Some(parent) = above.first() else { return Ok(()) };
    if above.iter().any(|one| one.name == task.name) {
        return Err(SupervisionError::ParentBelow { parent: parent.name.clone() });
    }
    if above.len() + levels > MOST_LEVELS {
        return Err(SupervisionError::TooDeep { most: MOST_LEVELS });
    }
    match parent.state {
        TaskState::Draft | TaskState::Issued => {}
        state @ (TaskState::StruckOff | TaskState::Withdrawn) => {
            return Err(SupervisionError::ParentOver { state });
        }
    }
    let narrower = match (parent.visibility, task.visibility) {
        (Visibility::Public, Visibility::Public | Visibility::Internal | Visibility::Restricted)
        | (Visibility::Internal, Visibility::Internal | Visibility::Restricted) => true,
        (Visibility::Internal | Visibility::Restricted, Visibility::Public)
        | (Visibility::Restricted, Visibility::Internal) => false,
        (Visibility::Restricted, Visibility::Restricted) => {
            task.restricted_units.iter().all(|unit| parent.seen_by.contains(unit))
        }
    };
    if narrower { Ok(()) } else { Err(SupervisionError::WiderThanParent) }
}

/// Whether a command on an assignment would strike off a task that has `open` sub-tasks, or reopen a
/// task below one that is over.
pub fn check_family(
    task: &Task,
    held: &Assignment,
    command: &AssignmentCommand,
    open: u64,
    parent: Option<TaskState>,
) -> Result<(), SupervisionError> {
    match command {
        AssignmentCommand::Verify { accept: true, .. } if open > 0 && held.role == task.settling_role() => {
            Err(SupervisionError::SubTasksOpen { count: open })
        }
        AssignmentCommand::SideRoad(SideRoadCommand::Reopen { .. }) => match parent {
            Some(state @ (TaskState::StruckOff | TaskState::Withdrawn))
                if task.state == TaskState::StruckOff =>
            {
                Err(SupervisionError::ParentOver { state })
            }
            Some(TaskState::Draft | TaskState::Issued | TaskState::StruckOff | TaskState::Withdrawn)
            | None => Ok(()),
        },
        AssignmentCommand::Verify { .. }
        | AssignmentCommand::Sign
        | AssignmentCommand::Deploy { .. }
        | AssignmentCommand::Report { .. }
        | AssignmentCommand::ReportWithMatter { .. }
        | AssignmentCommand::Submit { .. }
        | AssignmentCommand::RequestExtension { .. }
        | AssignmentCommand::DecideExtension { .. }
        | AssignmentCommand::Milestone(_)
        | AssignmentCommand::SideRoad(_)
        | AssignmentCommand::Press(_) => Ok(()),
    }
}
