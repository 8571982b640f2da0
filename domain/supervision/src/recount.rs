//! Due times that are counted anew: because a calendar was published ([`recount`]), or because
//! running tasks are put under another version of the rule ([`rebase`]).

use domain_calendar::Calendar;

use crate::assignment::{Assignment, Stage};
use crate::deadline::{ClockPhase, Clocks, clocks};
use crate::decide::{Context, facts};
use crate::event::{AssignmentChange, AssignmentEvent, TaskChange, TaskEvent, TaskFacts};
use crate::rule::Rule;
use crate::task::{Task, TaskState};

/// What becomes of a task that is to be put under another rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rebasing {
    /// It has no running clock, or runs by that rule already.
    Nothing,
    /// A unit would be late at once, in these stages, without having done anything: the task
    /// keeps its rule.
    WouldBeLate(Vec<Stage>),
    /// It is put under the rule, with a record. Whether a due time is another, the record says.
    Rebased(Box<TaskEvent>),
}

/// A record for every assignment whose due times are others by the calendar of the context than
/// they were by the one before, or are certain now and were not, or the other way round. What is
/// settled or withdrawn stays as it is.
pub fn recount(task: &Task, before: &Calendar, context: &Context<'_>) -> Vec<TaskEvent> {
    let recounted = |assignment: &Assignment| {
        let old = clocks(task, assignment, context.rule, before);
        let new = clocks(task, assignment, context.rule, context.calendar);
        if !runs(&new) || (old.due == new.due && old.provisional == new.provisional) {
            return None;
        }
        let change = AssignmentChange::DeadlineRecomputed {
            before: old.due,
            calendar_version: context.calendar.version(),
            provisional: new.provisional,
        };
        Some(TaskEvent::Assignment(AssignmentEvent {
            task: TaskFacts::of(task),
            assignment: facts(task, assignment, context),
            at: context.now,
            // Nobody has done or left anything by this.
            late: Vec::new(),
            change,
        }))
    };
    task.assignments.iter().filter_map(recounted).collect()
}

/// Puts a task under another rule from now on. `context` has the rule it runs by. It never makes
/// a unit late that was not: cycles that ended are closed, and a stage that would have been due
/// by now keeps the whole task where it is.
pub fn rebase(task: &Task, to: &Rule, ground: &str, context: &Context<'_>) -> Rebasing {
    match task.state {
        TaskState::Issued => {}
        TaskState::Draft | TaskState::StruckOff | TaskState::Withdrawn => return Rebasing::Nothing,
    }
    if to.version == context.rule.version {
        return Rebasing::Nothing;
    }
    let mut rebased = task.clone();
    rebased.rule_version = Some(to.version);
    rebased.rebased_at = Some(context.now);
    let by_new = Context { rule: to, ..*context };
    let mut late: Vec<Stage> = Vec::new();
    for one in &task.assignments {
        let missed = clocks(task, one, context.rule, context.calendar).owed.missed_at(context.now);
        let owed = clocks(&rebased, one, to, context.calendar).owed;
        late.extend(owed.missed_at(context.now).into_iter().filter(|stage| !missed.contains(stage)));
    }
    if !late.is_empty() {
        late.sort_unstable();
        late.dedup();
        return Rebasing::WouldBeLate(late);
    }
    let change = TaskChange::Rebased {
        from: context.rule.version,
        to: to.version,
        ground: ground.to_owned(),
        before: task.assignments.iter().map(|one| facts(task, one, context)).collect(),
        assignments: task.assignments.iter().map(|one| facts(&rebased, one, &by_new)).collect(),
    };
    Rebasing::Rebased(Box::new(TaskEvent::on_task(TaskFacts::of(task), context.now, change)))
}

fn runs(clocks: &Clocks) -> bool {
    match clocks.phase {
        ClockPhase::Running | ClockPhase::Held => true,
        ClockPhase::Off | ClockPhase::Closed => false,
    }
}
