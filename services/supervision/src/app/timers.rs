//! The timers of a task as the timer table has them.

use std::collections::BTreeSet;

use domain_calendar::{Calendar, Timestamp};
use domain_supervision::{FigureTimer, Instruction, PlannedTimer, Task, TimerKind, figure_timers};
use serde::{Deserialize, Serialize};
use xietong_mesh::Error;
use xietong_timers::Timer;

use crate::regulation::Regulation;

/// The timer of a stage of an assignment.
pub(crate) const STAGE_DUE: &str = "supervision.stage_due";
/// The timer of an instruction that says by when.
pub(crate) const INSTRUCTION_DUE: &str = "supervision.instruction_due";
/// The timer of the end of a bulletin's check.
pub(crate) const BULLETIN_DUE: &str = "supervision.bulletin_due";

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

/// The timer of the figures of a task's targets.
pub(crate) const FIGURES_DUE: &str = "supervision.figures_due";

/// What the timer of figures carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DueFigures {
    /// `tasks/{id}`.
    pub(crate) task: String,
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

/// What the timer of a bulletin carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DueBulletin {
    /// `bulletins/{id}`.
    pub(crate) bulletin: String,
}

/// The timer of the end of a bulletin's check.
pub(crate) fn of_bulletin(name: &str, due_at: Timestamp) -> Result<Timer, Error> {
    Ok(Timer {
        kind: BULLETIN_DUE.to_owned(),
        key: name.to_owned(),
        due_at,
        payload: serde_json::to_string(&DueBulletin { bulletin: name.to_owned() })
            .map_err(Error::internal)?,
    })
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
    let stages = regulation.timers(task);
    let mut timers: Vec<Timer> = stages
        .map(|(assignment, planned)| timer(&task.name, &assignment.name, planned))
        .collect::<Result<_, _>>()?;
    for planned in figure_timers(task, regulation.calendar()) {
        timers.push(of_figures(&task.name, planned)?);
    }
    Ok(timers)
}

/// The timers of figures that are asked for after an instant.
pub(crate) fn figures_timers(
    task: &Task,
    regulation: &Regulation,
    now: Timestamp,
) -> Result<Vec<Timer>, Error> {
    let calendar = regulation.calendar();
    let later = |one: FigureTimer| {
        let due_at = if one.due_at > now { one.due_at } else { calendar.next_working_moment(now) };
        FigureTimer { key: format!("{}/figures/{}", task.name, due_at.as_micros()), due_at }
    };
    let again = figure_timers(task, calendar).into_iter().map(later).filter(|one| one.due_at > now);
    again.map(|one| of_figures(&task.name, one)).collect()
}

/// A planned timer of figures, as the timer table has it.
fn of_figures(task: &str, planned: FigureTimer) -> Result<Timer, Error> {
    Ok(Timer {
        kind: FIGURES_DUE.to_owned(),
        key: planned.key,
        due_at: planned.due_at,
        payload: serde_json::to_string(&DueFigures { task: task.to_owned() }).map_err(Error::internal)?,
    })
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
    let stages = regulation.timers(before).map(|(_, planned)| planned.key);
    let figures = figure_timers(before, regulation.calendar()).into_iter().map(|planned| planned.key);
    let placed: BTreeSet<String> = stages.chain(figures).collect();
    let mut timers = of(after, regulation)?;
    timers.retain(|timer| !placed.contains(&timer.key));
    Ok(timers)
}
