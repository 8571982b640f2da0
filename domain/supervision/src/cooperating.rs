//! Adding cooperating units to a task that is issued.

use crate::assignment::{Action, Assignment, Role};
use crate::decide::{Context, facts};
use crate::error::{NotEmpty, SupervisionError};
use crate::event::{TaskChange, TaskEvent, TaskFacts};
use crate::task::{AssignmentDraft, Task, TaskState};

/// Most units of a task in all.
pub const MOST_ASSIGNMENTS: usize = 200;

/// The event that gives more units a part in an issued task. Their clocks start with it.
pub(crate) fn add(
    task: &Task,
    units: &[String],
    ground: &str,
    context: &Context<'_>,
) -> Result<TaskEvent, SupervisionError> {
    match task.state {
        TaskState::Issued => {}
        state @ (TaskState::Draft | TaskState::StruckOff | TaskState::Withdrawn) => {
            return Err(SupervisionError::TaskRefused { action: Action::AddCooperating, state });
        }
    }
    if units.is_empty() {
        return Err(SupervisionError::Empty(NotEmpty::Unit));
    }
    if task.assignments.len() + units.len() > MOST_ASSIGNMENTS {
        return Err(SupervisionError::TooManyUnits { most: MOST_ASSIGNMENTS });
    }
    // Whoever is given a part when it was due already would be late before it could begin.
    if let Some(due_date) = task.last_day().filter(|due| *due < context.now.day()) {
        return Err(SupervisionError::DueBeforeIssue { due_date, issue_time: context.now });
    }
    let mut number = task.assignments.iter().filter_map(|one| one.number()).max().unwrap_or(0);
    let mut after = task.clone();
    let mut assignments = Vec::with_capacity(units.len());
    for unit in units {
        if after.assignments.iter().any(|one| one.unit == *unit) {
            return Err(SupervisionError::UnitTwice { unit: unit.clone() });
        }
        number += 1;
        let name = format!("{}/assignments/{number}", task.name);
        let draft = AssignmentDraft { name, unit: unit.clone(), role: Role::Cooperating };
        let mut added = Assignment::from_draft(&draft);
        added.state.after(Action::Issue)?;
        added.issue(context.now);
        after.assignments.push(added.clone());
        assignments.push(facts(&after, &added, context));
    }
    let change = TaskChange::CooperatingAdded { ground: ground.trim().to_owned(), assignments };
    Ok(TaskEvent::on_task(TaskFacts::of(task), context.now, change))
}

impl Assignment {
    /// Its number in its task, where its name ends with one.
    fn number(&self) -> Option<u64> {
        self.name.rsplit('/').next().and_then(|number| number.parse().ok())
    }
}
