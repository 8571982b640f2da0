//! Timers as data: what must be looked at later ([`timers_for`]), and what follows then
//! ([`fire`]).
//!
//! A fact comes about at its instant, at whatever hour: a settle date that is missed. Whatever
//! only tells somebody, the reminder and the urging, waits for the next working moment of its
//! instant ([`domain_calendar::Calendar::next_working_moment`]), so that nobody is written to at
//! night or on a rest day, unless it is urgent; what has become moot by then is never told. The
//! lights do not wait.

use domain_calendar::{Calendar, Timestamp};
use serde::{Deserialize, Serialize};

use crate::assignment::{Assignment, Stage};
use crate::deadline::{Clocks, clocks as clocks_of, start};
use crate::decide::{Context, happened};
use crate::event::{AssignmentChange, TaskEvent};
use crate::milestone::{MilestoneChange, OpenMilestone, open_milestones};
use crate::rule::Rule;
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
    /// Whether little time is left to reach the next milestone.
    MilestoneYellow,
    /// Whether a milestone was reached.
    MilestoneDue,
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
    /// Unique per assignment, kind and instant: placing it twice is placing it once. A clock
    /// that moves gets new timers; the old ones find nothing to do.
    pub key: String,
}

impl TimerKind {
    /// Every kind.
    pub const ALL: [TimerKind; 7] = [
        Self::SignDue,
        Self::DeployDue,
        Self::ReportDue,
        Self::MilestoneYellow,
        Self::MilestoneDue,
        Self::Yellow,
        Self::SettleDue,
    ];

    /// The word in timer keys, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignDue => "signDue",
            Self::DeployDue => "deployDue",
            Self::ReportDue => "reportDue",
            Self::MilestoneYellow => "milestoneYellow",
            Self::MilestoneDue => "milestoneDue",
            Self::Yellow => "yellow",
            Self::SettleDue => "settleDue",
        }
    }
}

/// The timers an assignment needs now. Ask again after every change of the task and place
/// what is new; nothing need be taken back.
pub fn timers_for(
    task: &Task,
    assignment: &Assignment,
    rule: &Rule,
    calendar: &Calendar,
) -> Vec<PlannedTimer> {
    let clocks = clocks_of(task, assignment, rule, calendar);
    let look = Look::at(task, assignment, &clocks, (rule, calendar));
    TimerKind::ALL.into_iter().filter_map(|kind| Some(look.timer(kind, look.moment(kind)?))).collect()
}

/// What follows when a timer of an assignment fires: nothing if it is too early, if the
/// assignment moved on, or if the same due time was dealt with before; and nothing yet if
/// somebody would be told when nobody is ([`postponed`]).
pub fn fire(task: &Task, assignment: &Assignment, kind: TimerKind, context: &Context<'_>) -> Vec<TaskEvent> {
    let clocks = clocks_of(task, assignment, context.rule, context.calendar);
    let look = Look::at(task, assignment, &clocks, (context.rule, context.calendar));
    let ripe = |kind| look.moment(kind).is_some_and(|moment| moment <= context.now);
    if !ripe(kind) || !look.may_happen(kind, context.now) {
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
            let ripe: Vec<_> = steps.into_iter().filter(|(kind, _)| ripe(*kind)).collect();
            let again = ripe.iter().filter(|(kind, _)| look.dealt_with(*kind)).map(|(_, stage)| *stage);
            let again = again.collect();
            AssignmentChange::Urged { stages: ripe.into_iter().map(|(_, stage)| stage).collect(), again }
        }
        // After the settle date a reminder that it is near would be nonsense.
        TimerKind::Yellow if clocks.red_at.is_some_and(|red_at| red_at <= context.now) => return Vec::new(),
        TimerKind::Yellow => AssignmentChange::Reminded,
        TimerKind::SettleDue => AssignmentChange::Overdue,
        TimerKind::MilestoneYellow => match look.to_remind().next() {
            Some(next) if next.due > context.now => {
                AssignmentChange::Milestone(MilestoneChange::Reminded { milestone: next.clause() })
            }
            Some(_) | None => return Vec::new(),
        },
        TimerKind::MilestoneDue => {
            let missed = look.to_miss().filter(|one| one.due <= context.now);
            let milestones = missed.map(|one| one.clause()).collect();
            AssignmentChange::Milestone(MilestoneChange::Missed { milestones })
        }
    };
    vec![happened(task, assignment, change, context)]
}

/// When to look again at what is ripe, but would be told at night or on a rest day: a timer that
/// comes late finds that, and so does one that was placed by another calendar.
pub fn postponed(
    task: &Task,
    assignment: &Assignment,
    kind: TimerKind,
    context: &Context<'_>,
) -> Option<PlannedTimer> {
    let clocks = clocks_of(task, assignment, context.rule, context.calendar);
    let look = Look::at(task, assignment, &clocks, (context.rule, context.calendar));
    let moment = look.moment(kind)?;
    if look.may_happen(kind, context.now) && moment <= context.now {
        return None;
    }
    let again = match kind {
        TimerKind::SettleDue | TimerKind::MilestoneDue => moment,
        TimerKind::SignDue
        | TimerKind::DeployDue
        | TimerKind::ReportDue
        | TimerKind::MilestoneYellow
        | TimerKind::Yellow => look.told_at(moment.max(context.now)),
    };
    Some(look.timer(kind, again))
}

/// An assignment whose timers are looked at.
struct Look<'a> {
    task: &'a Task,
    assignment: &'a Assignment,
    clocks: &'a Clocks,
    rule: &'a Rule,
    calendar: &'a Calendar,
    /// Those that its clock runs for.
    milestones: Vec<OpenMilestone<'a>>,
}

impl<'a> Look<'a> {
    fn at(
        task: &'a Task,
        assignment: &'a Assignment,
        clocks: &'a Clocks,
        (rule, calendar): (&'a Rule, &'a Calendar),
    ) -> Self {
        let milestones = match (clocks.owed.milestone, start(task, assignment, rule, calendar)) {
            (Some(_), Some(start)) => {
                let settle = clocks.due.settle.unwrap_or(Timestamp::MAX);
                open_milestones(task, assignment, start, settle)
            }
            (None, _) | (_, None) => Vec::new(),
        };
        Look { task, assignment, clocks, rule, calendar, milestones }
    }

    fn timer(&self, kind: TimerKind, due_at: Timestamp) -> PlannedTimer {
        let key = format!("{}/{}/{}", self.assignment.name, kind.as_str(), due_at.as_micros());
        PlannedTimer { kind, due_at, key }
    }

    /// When a timer of a kind may take effect; none when there is nothing for it to do.
    fn moment(&self, kind: TimerKind) -> Option<Timestamp> {
        let ladder = &self.rule.ladder;
        match kind {
            TimerKind::SettleDue => self.owed(kind),
            TimerKind::MilestoneDue => self.due(kind),
            TimerKind::MilestoneYellow => {
                let moment = self.told_at(self.due(kind).filter(|_| ladder.remind_at_yellow)?);
                self.to_remind().next().filter(|next| moment < next.due).map(|_| moment)
            }
            TimerKind::Yellow => {
                let moment = self.told_at(self.owed(kind).filter(|_| ladder.remind_at_yellow)?);
                // When people are back, the end has come.
                self.clocks.red_at.is_none_or(|red_at| moment < red_at).then_some(moment)
            }
            TimerKind::SignDue | TimerKind::DeployDue | TimerKind::ReportDue => {
                let urged_at = self.assignment.last_urged_at();
                let cooled = urged_at.map_or(Timestamp::MIN, |at| at.saturating_add(ladder.cool_down()));
                let due = match self.owed(kind) {
                    Some(due) => Some(due).filter(|_| ladder.most_urgings > 0),
                    None => self.due(kind).filter(|_| self.urged(kind) < ladder.most_urgings),
                }?;
                Some(self.told_at(due.max(cooled)))
            }
        }
    }

    /// The next moment at which somebody may be told.
    fn told_at(&self, at: Timestamp) -> Timestamp {
        if self.task.is_urgent() { at } else { self.calendar.next_working_moment(at) }
    }

    /// Whether a timer of a kind may take effect at an instant at all: a fact may at every one.
    fn may_happen(&self, kind: TimerKind, at: Timestamp) -> bool {
        match kind {
            TimerKind::SettleDue | TimerKind::MilestoneDue => true,
            TimerKind::SignDue
            | TimerKind::DeployDue
            | TimerKind::ReportDue
            | TimerKind::MilestoneYellow
            | TimerKind::Yellow => self.told_at(at) == at,
        }
    }

    /// The due time of a kind that is still owed and was not dealt with.
    fn owed(&self, kind: TimerKind) -> Option<Timestamp> {
        self.due(kind).filter(|_| !self.dealt_with(kind))
    }

    /// The due time of a kind that is still owed.
    fn due(&self, kind: TimerKind) -> Option<Timestamp> {
        let owed = &self.clocks.owed;
        match kind {
            TimerKind::SignDue => owed.sign,
            TimerKind::DeployDue => owed.deploy,
            TimerKind::ReportDue => owed.report,
            // Only while the end itself is still ahead: neither for a held clock, which keeps its
            // yellow for the light, nor once the missed end has been dealt with.
            TimerKind::Yellow => self.owed(TimerKind::SettleDue).and(self.clocks.yellow_at),
            TimerKind::SettleDue => owed.settle,
            TimerKind::MilestoneYellow => self.to_remind().next().and(self.clocks.milestone_yellow_at),
            TimerKind::MilestoneDue => self.to_miss().next().map(|one| one.due),
        }
    }

    /// The next milestone, if the unit was not reminded of it: only the next has a yellow.
    fn to_remind(&self) -> impl Iterator<Item = &OpenMilestone<'_>> {
        self.milestones.iter().take(1).filter(|one| !one.was_reminded() && !one.was_told_missed())
    }

    /// The milestones whose end nobody was told of, by when they are due.
    fn to_miss(&self) -> impl Iterator<Item = &OpenMilestone<'_>> {
        self.milestones.iter().filter(|one| !one.was_told_missed())
    }

    fn dealt_with(&self, kind: TimerKind) -> bool {
        let fired = self.assignment.fired.get(&kind);
        self.due(kind).is_some_and(|due| fired.is_some_and(|fired| *fired >= due))
    }

    /// How often a timer has urged of the step that is owed now.
    fn urged(&self, kind: TimerKind) -> u32 {
        self.assignment.urgings.get(&kind).copied().unwrap_or(1)
    }
}
