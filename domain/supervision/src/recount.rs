//! Due times that are counted anew: because a calendar was published ([`recount`]), or because
//! running tasks are put under another version of the rule ([`rebase`]).

use std::time::Duration;

use domain_calendar::{Calendar, Timestamp};
use serde::{Deserialize, Serialize};

use crate::assignment::{Assignment, AssignmentState, Stage};
use crate::deadline::{ClockPhase, Clocks, DueTimes, clocks, owed_if_running};
use crate::decide::{Context, facts};
use crate::event::{AssignmentChange, AssignmentEvent, AssignmentFacts, TaskChange, TaskEvent, TaskFacts};
use crate::overdue::worked_until;
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

/// Due times that had not passed when a calendar was published by which they would have: nobody is
/// late by a day that only became known when it was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// They, as they were.
    pub due: DueTimes,
    /// When the calendar was published.
    pub at: Timestamp,
    /// What others had kept the unit waiting by then, which is in them.
    pub waited_before: Duration,
}

/// A record for every assignment whose due times are others by the calendar of the context than
/// they were by the one before, or are certain now and were not, or the other way round. What is
/// settled or withdrawn stays as it is, and what would have passed stays due when it was.
pub fn recount(task: &Task, before: &Calendar, context: &Context<'_>) -> Vec<TaskEvent> {
    let recounted = |assignment: &Assignment| {
        let old = clocks(task, assignment, context.rule, before);
        let new = clocks(task, assignment, context.rule, context.calendar);
        let kept = kept(assignment, (&old.due, &new.due), context.now);
        let suspended = assignment.suspension.is_some() && !kept.are_none();
        let same = old.due == new.due && old.provisional == new.provisional;
        if same || !(runs(&new) || suspended) {
            return None;
        }
        let mut after = assignment.clone();
        let change = AssignmentChange::DeadlineRecomputed {
            before: old.due,
            calendar_version: context.calendar.version(),
            provisional: new.provisional,
            kept,
        };
        after.apply(&change, context.now);
        Some(TaskEvent::Assignment(AssignmentEvent {
            task: TaskFacts::of(task),
            assignment: facts(task, &after, context),
            at: context.now,
            // Nobody has done or left anything by this.
            late: Vec::new(),
            change,
        }))
    };
    task.assignments.iter().filter_map(recounted).collect()
}

/// The due times that have passed by a new calendar and had not by the old one, as they were by that;
/// with those that were kept before.
fn kept(assignment: &Assignment, (old, new): (&DueTimes, &DueTimes), now: Timestamp) -> DueTimes {
    let Some(until) = worked_until(assignment, now) else { return DueTimes::NONE };
    let kept = |old: Option<Timestamp>, new: Option<Timestamp>, until: Timestamp| {
        let would_pass = new.is_some_and(|new| new <= until);
        old.filter(|old| would_pass && *old > until)
    };
    let kept = DueTimes {
        sign: kept(old.sign, new.sign, now),
        deploy: kept(old.deploy, new.deploy, now),
        report: kept(old.report, new.report, now),
        // Its day is named.
        milestone: None,
        settle: kept(old.settle, new.settle, until),
    };
    if kept.are_none() {
        return kept;
    }
    let still = assignment.kept.as_ref().map(|one| one.due).unwrap_or_default();
    DueTimes {
        sign: kept.sign.or(still.sign),
        deploy: kept.deploy.or(still.deploy),
        report: kept.report.or(still.report),
        milestone: None,
        settle: kept.settle.or(still.settle.and(new.settle)),
    }
}

/// Puts a task under another rule from now on. `context` has the rule it runs by. It never makes
/// a unit late that was not, whether its clock runs or stands still: cycles that ended are closed,
/// and a stage that would have been due by now, or before the clock stood still, keeps the whole
/// task where it is. What is struck off is judged by what held then.
pub fn rebase(task: &Task, to: &Rule, ground: &str, context: &Context<'_>) -> Rebasing {
    match task.state {
        TaskState::Issued => {}
        TaskState::Draft | TaskState::StruckOff | TaskState::Withdrawn => return Rebasing::Nothing,
    }
    if to.version == context.rule.version {
        return Rebasing::Nothing;
    }
    let before: Vec<AssignmentFacts> = task.assignments.iter().map(|one| facts(task, one, context)).collect();
    let mut rebased = task.clone();
    rebased.take_rebase(to.version, &before, context.now);
    let by_new = Context { rule: to, ..*context };
    let mut late: Vec<Stage> = Vec::new();
    for (one, after) in task.assignments.iter().zip(&rebased.assignments) {
        let missed = missed(task, one, context);
        late.extend(
            self::missed(&rebased, after, &by_new).into_iter().filter(|stage| !missed.contains(stage)),
        );
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
        before,
        assignments: rebased.assignments.iter().map(|one| facts(&rebased, one, &by_new)).collect(),
    };
    Rebasing::Rebased(Box::new(TaskEvent::on_task(TaskFacts::of(task), context.now, change)))
}

/// The stages that an assignment has missed: by now those it owes, and before its clock stood still
/// those it would owe if it ran again. What is over owes nothing.
fn missed(task: &Task, one: &Assignment, context: &Context<'_>) -> Vec<Stage> {
    let Context { rule, calendar, now } = *context;
    let clocks = clocks(task, one, rule, calendar);
    let mut missed = clocks.owed.missed_at(now);
    match (clocks.phase, worked_until(one, now)) {
        (ClockPhase::Closed, _) | (_, None) => {}
        (ClockPhase::Off | ClockPhase::Running | ClockPhase::Held, Some(until)) => {
            missed.extend(owed_if_running(task, one, rule, calendar).missed_at(until));
            // Of work that was under way before it was entered no step is owed, but its light is red.
            missed.extend(clocks.due.settle.filter(|due| *due <= until).map(|_| Stage::Settle));
        }
    }
    missed
}

impl Task {
    /// Its clocks run by another version of the rule; `before` are its assignments as they were.
    pub(crate) fn take_rebase(&mut self, to: u32, before: &[AssignmentFacts], at: Timestamp) {
        let from = self.rule_version;
        self.rule_version = Some(to);
        self.rebased_at = Some(at);
        for one in &mut self.assignments {
            // The new rule is no calendar: it refuses to make anybody late by itself.
            one.kept = None;
            if one.state == AssignmentState::StruckOff {
                let then = before.iter().find(|facts| facts.name == one.name).map(|facts| facts.due);
                if let Some(then) = then.filter(|_| one.closed_due.is_none()) {
                    one.close(then, from);
                }
            }
        }
    }
}

impl Assignment {
    /// These stay due when they were.
    pub(crate) fn keep(&mut self, due: DueTimes, at: Timestamp) {
        self.kept = Some(Kept { due, at, waited_before: self.waited() });
    }
}

fn runs(clocks: &Clocks) -> bool {
    match clocks.phase {
        ClockPhase::Running | ClockPhase::Held => true,
        ClockPhase::Off | ClockPhase::Closed => false,
    }
}
