//! [`clocks`]: when each stage of an assignment is due, as a pure function of its facts,
//! the rule and the calendar.

use std::time::Duration;

use domain_calendar::{Calendar, Timestamp};
use serde::{Deserialize, Serialize};
use time::Date;

use crate::assignment::{Assignment, AssignmentState, Stage};
use crate::charge::moved;
use crate::light::StoredClock;
use crate::milestone::open_milestones;
use crate::rule::{Ends, ReportLimit, Rule, end_of, last_day_before};
use crate::task::Task;

const MICROS_PER_HOUR: u64 = 3_600_000_000;

/// The instant each stage must be done before (half-open); what is not asked is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DueTimes {
    /// 签收.
    pub sign: Option<Timestamp>,
    /// 部署.
    pub deploy: Option<Timestamp>,
    /// 反馈: the only report of a short matter, the next one of a long-term matter.
    pub report: Option<Timestamp>,
    /// 节点: the next one that the unit has not reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub milestone: Option<Timestamp>,
    /// 办结.
    pub settle: Option<Timestamp>,
}

/// What the clock of an assignment is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ClockPhase {
    /// No clock: a draft, suspended, withdrawn, or waiting for an event.
    Off,
    /// It runs against the unit.
    Running,
    /// The settle clock stands still while others decide, or do their part first: on a
    /// submission, an extension that is asked for, a return, or what another unit is waited for.
    /// Their time is not the unit's.
    Held,
    /// Struck off.
    Closed,
}

/// The clocks of one assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// Every due time, whether or not the stage has been done.
    pub due: DueTimes,
    /// The due times of the stages still owed. None unless the clock runs, but for the steps
    /// that a unit owes while it asks for an extension or waits for another unit, and those it
    /// had missed before it returned the matter.
    pub owed: DueTimes,
    /// When the time left to settle becomes short. While held, only if that was before the
    /// submission or the request.
    pub yellow_at: Option<Timestamp>,
    /// When the settle date is missed. While held, only if that was before the submission or
    /// the request.
    pub red_at: Option<Timestamp>,
    /// When the time left to reach the next milestone becomes short. While held, as `yellow_at`.
    pub milestone_yellow_at: Option<Timestamp>,
    /// When the next milestone is missed. While held, as `red_at`.
    pub milestone_red_at: Option<Timestamp>,
    /// Since when a binding target of the task is missed, of those that settle it: a fact and no
    /// time, so that nothing holds it.
    pub target_red_at: Option<Timestamp>,
    /// What the clock is doing.
    pub phase: ClockPhase,
    /// The due times reach into a year whose calendar is not published.
    pub provisional: bool,
}

impl DueTimes {
    /// Nothing is due.
    pub(crate) const NONE: DueTimes =
        DueTimes { sign: None, deploy: None, report: None, milestone: None, settle: None };

    pub(crate) fn are_none(&self) -> bool {
        *self == DueTimes::NONE
    }

    /// The stages with a due time at or before an instant.
    pub fn missed_at(&self, at: Timestamp) -> Vec<Stage> {
        [
            (Stage::Sign, self.sign),
            (Stage::Deploy, self.deploy),
            (Stage::Report, self.report),
            (Stage::Milestone, self.milestone),
            (Stage::Settle, self.settle),
        ]
        .into_iter()
        .filter(|(_, due)| due.is_some_and(|due| due <= at))
        .map(|(stage, _)| stage)
        .collect()
    }
}

impl Clocks {
    const OFF: Clocks = Clocks {
        due: DueTimes::NONE,
        owed: DueTimes::NONE,
        yellow_at: None,
        red_at: None,
        milestone_yellow_at: None,
        milestone_red_at: None,
        target_red_at: None,
        phase: ClockPhase::Off,
        provisional: false,
    };

    /// Those of an assignment that never had a clock: what is closed with its task is closed.
    fn off(assignment: &Assignment) -> Clocks {
        match assignment.state {
            AssignmentState::StruckOff => Clocks { phase: ClockPhase::Closed, ..Clocks::OFF },
            AssignmentState::Pending
            | AssignmentState::Assigned
            | AssignmentState::Signed
            | AssignmentState::Deployed
            | AssignmentState::InProgress
            | AssignmentState::Submitted
            | AssignmentState::Returned
            | AssignmentState::Suspended
            | AssignmentState::Withdrawn => Clocks::OFF,
        }
    }

    /// Whether the light is grey: no clock runs and none is held.
    pub fn paused(&self) -> bool {
        self.phase == ClockPhase::Off
    }

    /// When the first step still owed (sign, deploy, report) is or was missed.
    pub fn late_step_at(&self) -> Option<Timestamp> {
        [self.owed.sign, self.owed.deploy, self.owed.report].into_iter().flatten().min()
    }

    /// What is stored and indexed of these clocks. A missed step is yellow, so whichever
    /// comes first turns the light; a missed milestone is red, and so is a missed binding target.
    pub fn stored(&self) -> StoredClock {
        let yellow = [self.yellow_at, self.milestone_yellow_at, self.late_step_at()];
        StoredClock {
            yellow_at: yellow.into_iter().flatten().min(),
            red_at: [self.red_at, self.milestone_red_at, self.target_red_at].into_iter().flatten().min(),
            paused: self.paused(),
            closed: self.phase == ClockPhase::Closed,
        }
    }
}

/// The clocks of one assignment of a task. Depends on nothing but its arguments: not on
/// now, so it changes only when something happens or a rule or calendar is replaced.
pub fn clocks(task: &Task, assignment: &Assignment, rule: &Rule, calendar: &Calendar) -> Clocks {
    let Some(start) = start(task, assignment, rule, calendar) else { return Clocks::off(assignment) };
    let Promise { ends, settle, cycles_from, by } = promise(task, assignment, start, rule, calendar);
    let kept = assignment.kept.as_ref().map(|kept| kept.due).unwrap_or_default();
    let report = match ends.report {
        ReportLimit::Never => None,
        ReportLimit::Once(end) => Some(assignment.step_due(end)).max(kept.report),
        ReportLimit::Every(cycle) => {
            let resumed_at = assignment.steps_resumed_at();
            let due_meanwhile = assignment.resumed_after_due(settle, by.waited_before());
            let kept_at = assignment.kept.as_ref().map(|kept| kept.at);
            let counted_from = [
                cycles_from,
                assignment.sent_back_at,
                assignment.counted_from,
                task.rebased_at,
                resumed_at,
                due_meanwhile,
                kept_at,
            ];
            let counted_from = counted_from.into_iter().flatten().max();
            let ends = || {
                let days = cycle.last_days(start.day(), rule.day_kind, calendar);
                days.map(end_of).take_while(|end| *end < settle)
            };
            next_cycle_report(ends, assignment.last_report_at, counted_from)
        }
    };
    let open = open_milestones(task, assignment, start, settle);
    let next = open.first();
    let due = DueTimes {
        sign: Some(ends.sign).max(kept.sign),
        deploy: ends.deploy.map(|end| Some(assignment.step_due(end)).max(kept.deploy)).unwrap_or_default(),
        // Settling the matter answers for a report that would only be due with it or later.
        report: report.filter(|report| *report < settle),
        milestone: next.map(|one| one.due),
        settle: Some(settle),
    };
    let next_yellow = next.and_then(|one| {
        yellow_before_end(one.end.since(start), rule).map(|left| one.due.saturating_sub(left))
    });
    let yellow = yellow_before_end(ends.settle.since(start), rule).map(|left| settle.saturating_sub(left));
    let hold = hold(assignment);
    let phase = match assignment.state {
        AssignmentState::Pending | AssignmentState::Suspended | AssignmentState::Withdrawn => ClockPhase::Off,
        AssignmentState::StruckOff => ClockPhase::Closed,
        AssignmentState::Assigned
        | AssignmentState::Signed
        | AssignmentState::Deployed
        | AssignmentState::InProgress
        | AssignmentState::Submitted
        | AssignmentState::Returned => {
            if hold.is_some() {
                ClockPhase::Held
            } else {
                ClockPhase::Running
            }
        }
    };
    let all_owed = owed(&due, ends.report, assignment);
    let instants = [yellow, due.settle, next_yellow, due.milestone];
    let (owed, [yellow_at, red_at, milestone_yellow_at, milestone_red_at]) = match (phase, hold) {
        (ClockPhase::Off | ClockPhase::Closed, _) => (DueTimes::NONE, [None; 4]),
        (ClockPhase::Running, _) | (ClockPhase::Held, None) => (all_owed, instants),
        (ClockPhase::Held, Some(hold)) => {
            let reached = |at: &Timestamp| *at <= hold.since;
            let step = |due: Option<Timestamp>| due.filter(|due| hold.steps.go_on(*due, hold.since));
            let owed = DueTimes {
                sign: step(all_owed.sign),
                deploy: step(all_owed.deploy),
                report: step(all_owed.report),
                milestone: None,
                settle: None,
            };
            (owed, instants.map(|at| at.filter(reached)))
        }
    };
    let target_red_at = match phase {
        ClockPhase::Running | ClockPhase::Held if assignment.role == task.settling_role() => {
            task.target_missed_at()
        }
        ClockPhase::Running | ClockPhase::Held | ClockPhase::Off | ClockPhase::Closed => None,
    };
    let due = match (phase, assignment.closed_due) {
        // Whatever became of the task since, what is done is judged by what held then.
        (ClockPhase::Closed, Some(then)) => then,
        (ClockPhase::Closed | ClockPhase::Off | ClockPhase::Running | ClockPhase::Held, _) => due,
    };
    Clocks {
        due,
        owed,
        yellow_at,
        red_at,
        milestone_yellow_at,
        milestone_red_at,
        target_red_at,
        phase,
        provisional: ends.provisional,
    }
}

/// When the clock of an assignment started or will start; none before it is issued, and while the
/// task waits for an event.
pub(crate) fn start(
    task: &Task,
    assignment: &Assignment,
    rule: &Rule,
    calendar: &Calendar,
) -> Option<Timestamp> {
    let issued_at = assignment.assigned_at?;
    match (task.terms.occurred_at, task.happened) {
        // An emergency begins when it occurs, whenever it is entered; for whoever it is given to
        // later, it begins then.
        (Some(occurred_at), _) if task.issue_time.is_none_or(|at| at == issued_at) => Some(occurred_at),
        (Some(_), _) => Some(issued_at),
        (None, Some(happened)) => Some(rule.start(issued_at.max(happened.at), calendar)),
        (None, None) => task.awaited().is_none().then(|| rule.start(issued_at, calendar)),
    }
}

/// Since when the settle clock stands still, and what becomes of the steps meanwhile.
pub(crate) struct Hold {
    pub(crate) since: Timestamp,
    steps: Steps,
}

/// What becomes of the steps of a clock that is held.
enum Steps {
    /// They do not depend on the answer.
    GoOn,
    /// What was missed before stays missed, and nothing more is.
    AsTheyWere,
    /// There is nothing to do until the answer.
    NotOwed,
}

impl Steps {
    fn go_on(&self, due: Timestamp, since: Timestamp) -> bool {
        match self {
            Steps::GoOn => true,
            Steps::AsTheyWere => due <= since,
            Steps::NotOwed => false,
        }
    }
}

/// What holds the settle clock of an assignment that is under way, if anything does.
pub(crate) fn hold(assignment: &Assignment) -> Option<Hold> {
    match assignment.state {
        AssignmentState::Submitted => {
            assignment.submitted_at.map(|since| Hold { since, steps: Steps::NotOwed })
        }
        AssignmentState::Returned => {
            let returned = assignment.misdirection.as_ref();
            returned.map(|one| Hold { since: one.returned_at, steps: Steps::AsTheyWere })
        }
        AssignmentState::Assigned
        | AssignmentState::Signed
        | AssignmentState::Deployed
        | AssignmentState::InProgress => {
            let asked = assignment.extension_request.as_ref().map(|request| request.requested_at);
            let waiting = assignment.wait.as_ref().filter(|wait| wait.held_at.is_some());
            let since = asked.or(waiting.map(|wait| wait.requested_at))?;
            Some(Hold { since, steps: Steps::GoOn })
        }
        AssignmentState::Pending
        | AssignmentState::Suspended
        | AssignmentState::StruckOff
        | AssignmentState::Withdrawn => None,
    }
}

/// What a unit has promised, by the document, the rule or an extension.
pub(crate) struct Promise {
    pub(crate) ends: Ends,
    /// The end of the last day, and what others kept the unit waiting after it was set.
    pub(crate) settle: Timestamp,
    /// When it became a matter of cycles, if it was none when it was issued, or one again.
    pub(crate) cycles_from: Option<Timestamp>,
    /// What sets the last day beside the task and the rule.
    pub(crate) by: PromisedBy,
}

/// What sets the last day of a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PromisedBy {
    /// The document or the rule.
    Task,
    /// It was granted, when others had kept the unit waiting for so long.
    Granted(Duration),
    /// It was kept when a calendar was published, when others had kept the unit waiting for so long.
    Kept(Duration),
}

impl PromisedBy {
    /// What others had kept the unit waiting when the last day was set, which is in it.
    fn waited_before(self) -> Duration {
        match self {
            Self::Task => Duration::ZERO,
            Self::Granted(before) | Self::Kept(before) => before,
        }
    }
}

/// The latest of what the task asks for, what the unit was granted for itself, and what it kept when
/// a calendar was published: an extension takes nothing away from a date that is revised later.
pub(crate) fn promise(
    task: &Task,
    assignment: &Assignment,
    start: Timestamp,
    rule: &Rule,
    calendar: &Calendar,
) -> Promise {
    let by = |due_date: Option<Date>, waited: Duration, by: PromisedBy| {
        let ends = rule.ends(start, (task.grade, &task.terms), due_date, calendar);
        Promise { settle: moved(ends.settle, waited), ends, cycles_from: None, by }
    };
    let waited = assignment.waited();
    let asked = by(task.last_day(), waited, PromisedBy::Task);
    let granted = assignment.extended.map(|extended| {
        let before = extended.waited_before;
        let cycles_from = match asked.ends.report {
            ReportLimit::Once(_) => Some(extended.granted_at),
            ReportLimit::Every(_) | ReportLimit::Never => extended.cycles_from,
        };
        let by_grant = PromisedBy::Granted(before);
        let promise = by(Some(extended.last_day), waited.saturating_sub(before), by_grant);
        Promise { cycles_from, ..promise }
    });
    let promised = granted.filter(|granted| granted.settle > asked.settle).unwrap_or(asked);
    let kept = assignment.kept.as_ref().and_then(|kept| {
        let end = kept.due.settle?;
        let settle = moved(end, waited.saturating_sub(kept.waited_before));
        let ends = Ends { settle: end, settle_day: last_day_before(end), ..promised.ends };
        let (by, cycles_from) = (PromisedBy::Kept(kept.waited_before), promised.cycles_from);
        Some(Promise { ends, settle, cycles_from, by })
    });
    kept.filter(|kept| kept.settle > promised.settle).unwrap_or(promised)
}

/// The due times that an assignment would owe if its clock ran: by these it is seen whether another
/// rule or calendar would find it late.
pub(crate) fn owed_if_running(
    task: &Task,
    assignment: &Assignment,
    rule: &Rule,
    calendar: &Calendar,
) -> DueTimes {
    let Some(start) = start(task, assignment, rule, calendar) else { return DueTimes::NONE };
    let report = promise(task, assignment, start, rule, calendar).ends.report;
    owed(&clocks(task, assignment, rule, calendar).due, report, assignment)
}

/// The due times of the stages that are not done.
fn owed(due: &DueTimes, report: ReportLimit, assignment: &Assignment) -> DueTimes {
    let report_owed = match report {
        ReportLimit::Once(_) => assignment.last_report_at.is_none(),
        ReportLimit::Every(_) | ReportLimit::Never => true,
    };
    // What was due before the system knew of the work is not asked for now.
    let counts = |due: &Timestamp| assignment.counted_from.is_none_or(|from| *due > from);
    DueTimes {
        sign: due.sign.filter(|_| assignment.signed_at.is_none()).filter(counts),
        deploy: due.deploy.filter(|_| assignment.deployed_at.is_none()).filter(counts),
        report: due.report.filter(|_| report_owed).filter(counts),
        milestone: due.milestone,
        settle: due.settle.filter(counts),
    }
}

/// The end of the first cycle that is not reported on: the one after the cycle of the last
/// report. Cycles that ended before `counted_from` are not owed: a matter that lay with the
/// verifier owes nothing for the cycles it lay there, one that was under way before it was
/// entered or that became a matter of cycles by an extension nothing for those before.
///
/// `ends` are the ends of the cycles before the matter is due, in order.
fn next_cycle_report<I: Iterator<Item = Timestamp>>(
    ends: impl Fn() -> I,
    last_report: Option<Timestamp>,
    counted_from: Option<Timestamp>,
) -> Option<Timestamp> {
    let unreported = match last_report {
        None => ends().next(),
        Some(report) => ends().filter(|end| *end > report).nth(1),
    }?;
    let counts = |end: &Timestamp| counted_from.is_none_or(|from| *end > from);
    ends().filter(|end| *end >= unreported).find(counts)
}

pub(crate) fn yellow_before_end(total: Duration, rule: &Rule) -> Option<Duration> {
    let hours = |count: u32| Duration::from_micros(u64::from(count).saturating_mul(MICROS_PER_HOUR));
    let share = total.saturating_mul(rule.yellow_percent) / 100;
    (total >= hours(rule.no_yellow_below_hours)).then(|| share.max(hours(rule.yellow_at_least_hours)))
}

#[cfg(test)]
mod tests;
