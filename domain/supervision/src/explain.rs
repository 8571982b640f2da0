//! [`explain`]: why an assignment is due when it is due, in parts that add up to what
//! [`crate::clocks`] says.

use std::time::Duration;

use domain_calendar::{Calendar, DayStanding, Timestamp};
use time::Date;

use crate::assignment::{Assignment, Stage};
use crate::charge::{ChargedPause, moved};
use crate::content::Milestone;
use crate::deadline::{
    ClockPhase, Clocks, Promise, PromisedBy, clocks, hold, promise, start, yellow_before_end,
};
use crate::event::{AssignmentChange, TaskEvent};
use crate::milestone::open_milestones;
use crate::rule::{
    ClockStart, Cycle, DayKind, ReportLimit, Rule, Span, end_of, last_day_before, later_by_months,
};
use crate::side_road_event::SideRoad;
use crate::task::Task;

/// Why an assignment is due when it is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When its clock started.
    pub start: Timestamp,
    /// Days that were skipped until the clock started.
    pub before_start: Vec<Skipped>,
    /// The version of the rule.
    pub rule_version: u32,
    /// Which days the rule counts.
    pub day_kind: DayKind,
    /// At what moment its clocks start.
    pub clock_start: ClockStart,
    /// The version of the calendar.
    pub calendar_version: u32,
    /// The years that were counted through, with the number of each notice; none: it is not
    /// published, and the plain week was assumed. Empty when no day was counted by the calendar.
    pub years: Vec<(i32, Option<String>)>,
    /// Each stage that has a limit, the settle stage last.
    pub stages: Vec<StageLimit>,
    /// Each milestone that concerns the unit and counts for it, by when it is due; those it reached
    /// included.
    pub milestones: Vec<MilestoneLimit>,
    /// What others kept the unit waiting, in order.
    pub waits: Vec<ChargedWait>,
    /// The last days that were granted, in order, with when.
    pub extensions: Vec<(Timestamp, Date)>,
    /// How long the settle clock lasts from its start to the end of its last day; of this, yellow
    /// is a share.
    pub total: Duration,
    /// How long before the end yellow begins; none: the clock is too short for it.
    pub yellow_left: Option<Duration>,
    /// Since when the settle clock stands still, because others decide.
    pub held_since: Option<Timestamp>,
    /// When the emergency occurred: its clocks run from then.
    pub occurred_at: Option<Timestamp>,
    /// What the task waited for, and the day on which it happened.
    pub event: Option<(String, Date)>,
    /// What all this comes to.
    pub clocks: Clocks,
}

/// The limit of one stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageLimit {
    /// Which.
    pub stage: Stage,
    /// What sets its last day.
    pub basis: Basis,
    /// The last day, Asia/Shanghai.
    pub last_day: Date,
    /// Days that were not counted, or rolled over, in order.
    pub skipped: Vec<Skipped>,
    /// Days of a weekend that were counted because they are worked.
    pub made_up: Vec<Date>,
    /// How many days were counted; none where the limit is not in days.
    pub counted: Option<u32>,
    /// When the limit ends, waits left out.
    pub end: Timestamp,
    /// When it is due, waits included.
    pub due: Timestamp,
}

/// When a milestone is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MilestoneLimit {
    /// Its place among the milestones of the task, from one.
    pub number: u32,
    /// Its last day as the task says it, Asia/Shanghai.
    pub last_day: Date,
    /// What is to be reached.
    pub text: String,
    /// When it is due: the end of that day, with pauses and extensions that began before.
    pub due: Timestamp,
    /// When the time left to reach it becomes short; none: the clock is too short for it.
    pub yellow_at: Option<Timestamp>,
    /// When the unit reported it reached.
    pub reached_at: Option<Timestamp>,
    /// It is the next one: its clock enters the light.
    pub next: bool,
}

/// What sets the last day of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The rule.
    Within(Span),
    /// The end of a cycle of reports.
    Every(Cycle),
    /// The document names it.
    Named,
    /// No day is named, so it is the year's last.
    EndOfYear,
    /// It was granted.
    Granted,
    /// So long after the event that the task waited for.
    AfterEvent(Span),
    /// No day is named for the whole, so it is that of the last milestone.
    LastMilestone,
    /// It would have passed by a calendar that was published later, and stays as it was.
    Kept,
}

/// A day that was not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The day.
    pub day: Date,
    /// The holiday's name; none: a day of a weekend.
    pub holiday: Option<String>,
}

/// A time that a unit lost to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargedWait {
    /// What was waited for, who answers for it, and how much of it moved the settle date then.
    pub pause: ChargedPause,
    /// It moves the settle date as it is now; one before a later last day was granted does not,
    /// because that day was chosen knowing of it.
    pub counts: bool,
}

impl Explanation {
    /// When it is to be settled and when yellow begins, from the parts alone; a clock that is
    /// held reaches neither after [`Explanation::held_since`].
    pub fn add_up(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let settle = self.stages.iter().find(|one| one.stage == Stage::Settle);
        let waited = self.waits.iter().filter(|wait| wait.counts);
        let waited = waited.fold(Duration::ZERO, |sum, wait| sum.saturating_add(wait.pause.moved));
        let settle = settle.map(|limit| moved(limit.end, waited));
        let yellow = settle.zip(self.yellow_left).map(|(settle, left)| settle.saturating_sub(left));
        (settle, yellow)
    }
}

/// Why an assignment of a task is due when it is due; none when no clock of it ever started.
/// `log` is what happened to the task, in order; the rest is as for [`clocks`].
pub fn explain<'e>(
    task: &Task,
    assignment: &Assignment,
    log: impl IntoIterator<Item = &'e TaskEvent>,
    rule: &Rule,
    calendar: &Calendar,
) -> Option<Explanation> {
    let issued_at = assignment.assigned_at?;
    let start = start(task, assignment, rule, calendar)?;
    let clocks = clocks(task, assignment, rule, calendar);
    let promise = promise(task, assignment, start, rule, calendar);
    let (waits, extensions) = (waits(assignment, promise.by), extensions(assignment, log));
    let count = Count { start: start.day(), from: start, rule, calendar };
    let stages = stages(&count, task, &promise, &clocks);
    let by_calendar = rule.needs_calendar();
    let last = stages.iter().map(|one| one.last_day).fold(start.day(), Date::max);
    let years = (issued_at.day().year()..=last.year()).filter(|_| by_calendar);
    let total = promise.ends.settle.since(start);
    let held_since = match clocks.phase {
        ClockPhase::Held => hold(assignment).map(|hold| hold.since),
        ClockPhase::Off | ClockPhase::Running | ClockPhase::Closed => None,
    };
    Some(Explanation {
        issued_at,
        start,
        before_start: count.skipped(days(issued_at.day(), start.day()).filter(|day| *day < start.day())),
        rule_version: rule.version,
        day_kind: rule.day_kind,
        clock_start: rule.clock_start,
        calendar_version: calendar.version(),
        years: years
            .map(|year| (year, calendar.arrangement(year).map(|known| known.source.clone())))
            .collect(),
        stages,
        milestones: milestones(task, assignment, (start, promise.settle), rule),
        waits,
        extensions,
        total,
        yellow_left: yellow_before_end(total, rule),
        held_since,
        occurred_at: task.terms.occurred_at,
        event: task
            .terms
            .awaits
            .as_ref()
            .zip(task.happened)
            .map(|(awaited, happened)| (awaited.event.clone(), happened.on)),
        clocks,
    })
}

/// The milestones that count for an assignment, by when they are due.
fn milestones(
    task: &Task,
    assignment: &Assignment,
    (start, settle): (Timestamp, Timestamp),
    rule: &Rule,
) -> Vec<MilestoneLimit> {
    let open = open_milestones(task, assignment, start, settle);
    let next = open.first().map(|one| one.number);
    let limit = |(number, one): (u32, &Milestone)| {
        let end = end_of(one.last_day);
        let due = assignment.moved(end);
        let yellow = yellow_before_end(end.since(start), rule);
        MilestoneLimit {
            number,
            last_day: one.last_day,
            text: one.text.clone(),
            due,
            yellow_at: yellow.map(|left| due.saturating_sub(left)),
            reached_at: assignment.mark(number).and_then(|mark| mark.reached_at),
            next: next == Some(number),
        }
    };
    let counts = |number: u32| assignment.has_reached(number) || open.iter().any(|one| one.number == number);
    let concerned = task.milestones_of(assignment).filter(|(number, _)| counts(*number));
    let mut limits: Vec<_> = concerned.map(limit).collect();
    limits.sort_by_key(|one| (one.due, one.number));
    limits
}

/// What a limit is counted by.
struct Count<'a> {
    start: Date,
    from: Timestamp,
    rule: &'a Rule,
    calendar: &'a Calendar,
}

fn stages(count: &Count<'_>, task: &Task, promise: &Promise, clocks: &Clocks) -> Vec<StageLimit> {
    let limits = count.rule.limits_of(task.grade, task.terms.kind);
    let mut stages = vec![count.within(Stage::Sign, limits.sign, clocks.due.sign)];
    stages.push(count.within(Stage::Deploy, limits.deploy, clocks.due.deploy));
    stages.push(match promise.ends.report {
        ReportLimit::Never => None,
        ReportLimit::Once(_) => count.within(Stage::Report, limits.report, clocks.due.report),
        ReportLimit::Every(cycle) => clocks.due.report.map(|due| {
            let last_day = due.saturating_sub(Duration::from_micros(1)).day();
            StageLimit::on(Stage::Report, Basis::Every(cycle), last_day, due, due)
        }),
    });
    let by_event = task.terms.awaits.as_ref().map(|awaited| Basis::AfterEvent(awaited.latest));
    let by_task = task.due_date.map(|_| Basis::Named).or(by_event);
    let by_milestone = task.last_day().map(|_| Basis::LastMilestone);
    let named = match promise.by {
        PromisedBy::Granted(_) => Some(Basis::Granted),
        PromisedBy::Kept(_) => Some(Basis::Kept),
        PromisedBy::Task => by_task.or(by_milestone),
    };
    stages.push(match (named, limits.settle) {
        (None, Some(within)) => count.within(Stage::Settle, within, Some(promise.settle)),
        (basis, _) => Some(StageLimit::on(
            Stage::Settle,
            basis.unwrap_or(Basis::EndOfYear),
            promise.ends.settle_day,
            promise.ends.settle,
            promise.settle,
        )),
    });
    stages.into_iter().flatten().collect()
}

impl StageLimit {
    fn on(stage: Stage, basis: Basis, last_day: Date, end: Timestamp, due: Timestamp) -> Self {
        StageLimit { stage, basis, last_day, skipped: vec![], made_up: vec![], counted: None, end, due }
    }
}

impl Count<'_> {
    /// A limit of the rule, day by day; none where the stage is not asked.
    fn within(&self, stage: Stage, within: Span, due: Option<Timestamp>) -> Option<StageLimit> {
        let due = due?;
        let end = self.rule.end(self.from, within, self.calendar);
        let last_day = last_day_before(end);
        let mut limit = StageLimit::on(stage, Basis::Within(within), last_day, end, due);
        if matches!(within, Span::Minutes(_)) {
            return Some(limit);
        }
        // The days that were looked at: those of the limit without the first, or those that the
        // end was rolled over, and the day it came to.
        let looked_at = match within {
            Span::Days(0) | Span::Minutes(_) => self.start,
            Span::Days(_) => self.start.next_day().unwrap_or(Date::MAX),
            Span::Months(months) => later_by_months(self.start, months),
        };
        let looked_at = || days(looked_at, last_day);
        match self.rule.day_kind {
            DayKind::Natural => {}
            DayKind::Working => {
                limit.skipped = self.skipped(looked_at());
                let made_up = |day: &Date| self.calendar.standing(*day) == DayStanding::MakeUpDay;
                limit.made_up = looked_at().filter(made_up).collect();
            }
        }
        limit.counted = match within {
            Span::Days(0) => Some(0),
            Span::Days(_) => u32::try_from(looked_at().count().saturating_sub(limit.skipped.len())).ok(),
            Span::Months(_) | Span::Minutes(_) => None,
        };
        Some(limit)
    }

    fn skipped(&self, days: impl Iterator<Item = Date>) -> Vec<Skipped> {
        days.filter_map(|day| match self.calendar.standing(day) {
            DayStanding::Workday | DayStanding::MakeUpDay => None,
            DayStanding::RestDay => Some(Skipped { day, holiday: None }),
            DayStanding::Holiday(name) => Some(Skipped { day, holiday: Some(name.to_owned()) }),
        })
        .collect()
    }
}

/// What others kept the unit waiting. Where the day that was granted or kept last holds, what was
/// lost before it moves nothing more: it is in the day.
fn waits(assignment: &Assignment, by: PromisedBy) -> Vec<ChargedWait> {
    let mut before = match by {
        PromisedBy::Task => Duration::ZERO,
        PromisedBy::Granted(before) | PromisedBy::Kept(before) => before,
    };
    let charges = assignment.charges.iter().map(|charge| {
        let counts = before.is_zero();
        before = before.saturating_sub(charge.moved);
        ChargedWait { pause: charge.clone(), counts }
    });
    charges.collect()
}

/// The last days that an assignment was granted, by leave or with its reopening. Whoever it is
/// reassigned to begins anew.
fn extensions<'e>(
    assignment: &Assignment,
    log: impl IntoIterator<Item = &'e TaskEvent>,
) -> Vec<(Timestamp, Date)> {
    let mut extensions = Vec::new();
    for event in log {
        let TaskEvent::Assignment(event) = event else { continue };
        if event.assignment.name != assignment.name {
            continue;
        }
        match &event.change {
            AssignmentChange::ExtensionGranted { last_day, .. }
            | AssignmentChange::SideRoad(SideRoad::Reopened { last_day, .. }) => {
                extensions.push((event.at, *last_day));
            }
            AssignmentChange::SideRoad(SideRoad::Reassigned { .. }) => extensions.clear(),
            AssignmentChange::SideRoad(
                SideRoad::Returned { .. }
                | SideRoad::ReturnRefused { .. }
                | SideRoad::Suspended { .. }
                | SideRoad::Resumed { .. }
                | SideRoad::WaitRequested { .. }
                | SideRoad::WaitHeld { .. }
                | SideRoad::WaitRefused { .. }
                | SideRoad::WaitEnded { .. }
                | SideRoad::Rechecked { .. },
            )
            | AssignmentChange::Milestone(_)
            | AssignmentChange::Pressed(_)
            | AssignmentChange::Submitted { .. }
            | AssignmentChange::SentBack { .. }
            | AssignmentChange::ExtensionRefused { .. }
            | AssignmentChange::Signed
            | AssignmentChange::Deployed { .. }
            | AssignmentChange::Reported { .. }
            | AssignmentChange::Verified { .. }
            | AssignmentChange::StruckOff { .. }
            | AssignmentChange::ExtensionRequested { .. }
            | AssignmentChange::DeadlineRecomputed { .. }
            | AssignmentChange::Overdue
            | AssignmentChange::Reminded
            | AssignmentChange::Urged { .. } => {}
        }
    }
    extensions
}

/// Every day from the first to the last, both held.
fn days(first: Date, last: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(first), |day| day.next_day()).take_while(move |day| *day <= last)
}
