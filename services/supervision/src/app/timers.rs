//! The timers of a task as the timer table has them.

use std::collections::BTreeSet;

use domain_supervision::{PlannedTimer, Task, TimerKind};
use serde::{Deserialize, Serialize};
use xietong_mesh::Error;
use xietong_timers::Timer;

use crate::regulation::Regulation;

/// The one kind of timer of this service.
const STAGE_DUE: &str = "supervision.stage_due";

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
