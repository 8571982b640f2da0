//! Timers as data: what must be looked at later ([`timers_for`]), and what follows then
//! ([`fire`]).

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::assignment::{Assignment, Stage};
use crate::deadline::Clocks;
use crate::deadline::clocks as clocks_of;
use crate::decide::{Context, happened};
use crate::event::{AssignmentChange, TaskEvent};
use crate::task::Task;

/// What a timer looks at when it fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TimerKind {
    /// Whether it was signed for.
    SignDue,
    /// Whether it was deployed.
    DeployDue,
    /// Whether progress was reported.
    ReportDue,
    /// Whether little time is left to settle it.
    Yellow,
    /// Whether it was settled.
    SettleDue,
}

/// A timer to place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedTimer {
    /// What it looks at.
    pub kind: TimerKind,
    /// When it may fire, never before.
    pub due_at: Timestamp,
    /// Unique per assignment, kind and due time: placing it twice is placing it once. A
    /// clock that moves gets new timers; the old ones find nothing to do.
    pub key: String,
}

impl TimerKind {
    /// Every kind.
    pub const ALL: [TimerKind; 5] =
        [Self::SignDue, Self::DeployDue, Self::ReportDue, Self::Yellow, Self::SettleDue];

    /// The word in timer keys, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignDue => "signDue",
            Self::DeployDue => "deployDue",
            Self::ReportDue => "reportDue",
            Self::Yellow => "yellow",
            Self::SettleDue => "settleDue",
        }
    }
}

/// The timers an assignment needs now. Ask again after every change of the task and place
/// what is new; nothing need be taken back.
pub fn timers_for(assignment: &Assignment, clocks: &Clocks) -> Vec<PlannedTimer> {
    TimerKind::ALL
        .into_iter()
        .filter_map(|kind| {
            let due_at = waiting(assignment, clocks, kind)?;
            let key = format!("{}/{}/{}", assignment.name, kind.as_str(), due_at.as_micros());
            Some(PlannedTimer { kind, due_at, key })
        })
        .collect()
}

/// What follows when a timer of an assignment fires: nothing if it is too early, if the
/// assignment moved on, or if the same due time was dealt with before.
pub fn fire(task: &Task, assignment: &Assignment, kind: TimerKind, context: &Context<'_>) -> Vec<TaskEvent> {
    let clocks = clocks_of(task, assignment, context.rule, context.calendar);
    let ripe = |kind| waiting(assignment, &clocks, kind).is_some_and(|due| due <= context.now);
    if !ripe(kind) {
        return Vec::new();
    }
    let change = match kind {
        // A unit that did nothing on the first day missed two steps at one instant: it is
        // urged once for both.
        TimerKind::SignDue | TimerKind::DeployDue | TimerKind::ReportDue => {
            let steps = [
                (TimerKind::SignDue, Stage::Sign),
                (TimerKind::DeployDue, Stage::Deploy),
                (TimerKind::ReportDue, Stage::Report),
            ];
            let stages = steps.into_iter().filter(|(kind, _)| ripe(*kind)).map(|(_, stage)| stage).collect();
            AssignmentChange::Urged { stages }
        }
        // After the settle date a reminder that it is near would be nonsense.
        TimerKind::Yellow if clocks.red_at.is_some_and(|red_at| red_at <= context.now) => return Vec::new(),
        TimerKind::Yellow => AssignmentChange::Reminded,
        TimerKind::SettleDue => AssignmentChange::Overdue,
    };
    vec![happened(task, assignment, change, context)]
}

/// The due time of a kind that is still owed and was not dealt with.
fn waiting(assignment: &Assignment, clocks: &Clocks, kind: TimerKind) -> Option<Timestamp> {
    let due = match kind {
        TimerKind::SignDue => clocks.owed.sign,
        TimerKind::DeployDue => clocks.owed.deploy,
        TimerKind::ReportDue => clocks.owed.report,
        // Only while the end itself is still ahead: neither for a held clock, which keeps its
        // yellow for the light, nor once the missed end has been dealt with.
        TimerKind::Yellow => waiting(assignment, clocks, TimerKind::SettleDue).and(clocks.yellow_at),
        TimerKind::SettleDue => clocks.owed.settle,
    }?;
    let dealt_with = assignment.fired.get(&kind).is_some_and(|fired| *fired >= due);
    (!dealt_with).then_some(due)
}
