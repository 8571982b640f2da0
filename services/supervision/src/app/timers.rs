//! The timers of a task as the timer table has them.

use std::collections::BTreeSet;

use domain_calendar::{Calendar, Timestamp};
use domain_supervision::{Instruction, PlannedTimer, Task, TimerKind};
use serde::{Deserialize, Serialize};
use xietong_mesh::Error;
use xietong_timers::Timer;

use crate::regulation::Regulation;

/// The timer of a stage of an assignment.
pub(crate) const STAGE_DUE: &str = "supervision.stage_due";
/// The timer of an instruction that says by when.
pub(crate) const INSTRUCTION_DUE: &str = "supervision.instruction_due";

/// What a timer carries: which stage of which assignment to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DueStage {
    /// `tasks/{id}`.
    pub(crate) task: String,
    /// `tasks/{t}/assignments/{a}`.
    pub(crate) assignment: String,
    /// What to look at.
    pub(crate) kind: TimerKind,
}

/// What the timer of an instruction carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DueInstruction {
    /// `tasks/{id}`.
    pub(crate) task: String,
    /// `tasks/{t}/instructions/{i}`.
    pub(crate) instruction: String,
}

/// The timer of an instruction on a task, if it says by when.
pub(crate) fn of_instruction(
    task: &Task,
    instruction: &Instruction,
    calendar: &Calendar,
) -> Result<Option<Timer>, Error> {
    let looked_at = instruction.looked_at(task, calendar);
    looked_at.map(|at| instruction_timer(&task.name, &instruction.name, at)).transpose()
}

/// A timer that looks at an instruction at an instant.
pub(crate) fn instruction_timer(task: &str, instruction: &str, due_at: Timestamp) -> Result<Timer, Error> {
    let due = DueInstruction { task: task.to_owned(), instruction: instruction.to_owned() };
    Ok(Timer {
        kind: INSTRUCTION_DUE.to_owned(),
        key: format!("{instruction}/{}", due_at.as_micros()),
        due_at,
        payload: serde_json::to_string(&due).map_err(Error::internal)?,
    })
}

/// Every timer the task needs now.
pub(crate) fn of(task: &Task, regulation: &Regulation) -> Result<Vec<Timer>, Error> {
    regulation
        .timers(task)
        .map(|(assignment, planned)| timer(&task.name, &assignment.name, planned))
        .collect()
}

/// A planned timer of an assignment, as the timer table has it.
pub(crate) fn timer(task: &str, assignment: &str, planned: PlannedTimer) -> Result<Timer, Error> {
    let due = DueStage { task: task.to_owned(), assignment: assignment.to_owned(), kind: planned.kind };
    Ok(Timer {
        kind: STAGE_DUE.to_owned(),
        key: planned.key,
        due_at: planned.due_at,
        payload: serde_json::to_string(&due).map_err(Error::internal)?,
    })
}

/// The timers that a change of a task made necessary. Those it made needless are left: they
/// find nothing to do.
pub(crate) fn added(before: &Task, after: &Task, regulation: &Regulation) -> Result<Vec<Timer>, Error> {
    let placed: BTreeSet<String> = regulation.timers(before).map(|(_, planned)| planned.key).collect();
    let mut timers = of(after, regulation)?;
    timers.retain(|timer| !placed.contains(&timer.key));
    Ok(timers)
}
