//! [`clocks`]: when each stage of an assignment is due, as a pure function of its facts,
//! the rule and the calendar.

use std::time::Duration;

use domain_calendar::{Calendar, Timestamp};
use serde::{Deserialize, Serialize};
use time::Date;

use crate::assignment::{Assignment, AssignmentState, Stage};
use crate::charge::moved;
use crate::light::StoredClock;
use crate::rule::{Ends, ReportLimit, Rule, end_of};
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
    /// What the clock is doing.
    pub phase: ClockPhase,
    /// The due times reach into a year whose calendar is not published.
    pub provisional: bool,
}

impl DueTimes {
    /// The stages with a due time at or before an instant.
    pub fn missed_at(&self, at: Timestamp) -> Vec<Stage> {
        [
            (Stage::Sign, self.sign),
            (Stage::Deploy, self.deploy),
            (Stage::Report, self.report),
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
        due: DueTimes { sign: None, deploy: None, report: None, settle: None },
        owed: DueTimes { sign: None, deploy: None, report: None, settle: None },
        yellow_at: None,
        red_at: None,
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
    /// comes first turns the light.
    pub fn stored(&self) -> StoredClock {
        StoredClock {
            yellow_at: [self.yellow_at, self.late_step_at()].into_iter().flatten().min(),
            red_at: self.red_at,
            paused: self.paused(),
            closed: self.phase == ClockPhase::Closed,
        }
    }
}

/// The clocks of one assignment of a task. Depends on nothing but its arguments: not on
/// now, so it changes only when something happens or a rule or calendar is replaced.
pub fn clocks(task: &Task, assignment: &Assignment, rule: &Rule, calendar: &Calendar) -> Clocks {
    let Some(start) = start(task, assignment, rule, calendar) else { return Clocks::off(assignment) };
    let Promise { ends, settle, cycles_from, granted: _ } = promise(task, assignment, start, rule, calendar);
    let report = match ends.report {
        ReportLimit::Never => None,
        ReportLimit::Once(end) => Some(assignment.step_due(end)),
        ReportLimit::Every(cycle) => {
            let resumed_at = assignment.steps_resumed_at();
            let counted_from =
                [cycles_from, assignment.sent_back_at, assignment.counted_from, task.rebased_at, resumed_at];
            let counted_from = counted_from.into_iter().flatten().max();
            let ends = || {
                let days = cycle.last_days(start.day(), rule.day_kind, calendar);
                days.map(end_of).take_while(|end| *end < settle)
            };
            next_cycle_report(ends, assignment.last_report_at, counted_from)
        }
    };
    let due = DueTimes {
        sign: Some(ends.sign),
        deploy: ends.deploy.map(|end| assignment.step_due(end)),
        // Settling the matter answers for a report that would only be due with it or later.
        report: report.filter(|report| *report < settle),
        settle: Some(settle),
    };
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
    let (owed, yellow_at, red_at) = match (phase, hold) {
        (ClockPhase::Off | ClockPhase::Closed, _) => (DueTimes::default(), None, None),
        (ClockPhase::Running, _) | (ClockPhase::Held, None) => (all_owed, yellow, due.settle),
        (ClockPhase::Held, Some(hold)) => {
            let reached = |at: &Timestamp| *at <= hold.since;
            let step = |due: Option<Timestamp>| due.filter(|due| hold.steps.go_on(*due, hold.since));
            let owed = DueTimes {
                sign: step(all_owed.sign),
                deploy: step(all_owed.deploy),
                report: step(all_owed.report),
                settle: None,
            };
            (owed, yellow.filter(reached), due.settle.filter(reached))
        }
    };
    Clocks { due, owed, yellow_at, red_at, phase, provisional: ends.provisional }
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
    /// When it became a matter of cycles, if it was none when it was issued.
    pub(crate) cycles_from: Option<Timestamp>,
    /// The last day is one that was granted, and no longer that of the task or the rule.
    pub(crate) granted: bool,
}

/// The later of what the task asks for and what the unit was granted for itself: an extension
/// takes nothing away from a date that is revised later.
pub(crate) fn promise(
    task: &Task,
    assignment: &Assignment,
    start: Timestamp,
    rule: &Rule,
    calendar: &Calendar,
) -> Promise {
    let by = |due_date: Option<Date>, waited: Duration| {
        let ends = rule.ends(start, (task.grade, &task.terms), due_date, calendar);
        let settle = moved(ends.settle, waited);
        Promise { settle, ends, cycles_from: None, granted: false }
    };
    let asked = by(task.last_day(), assignment.waited());
    let granted = assignment.extended.map(|extended| {
        let waited = assignment.waited().saturating_sub(extended.waited_before);
        let cycles_from = match asked.ends.report {
            ReportLimit::Once(_) => Some(extended.granted_at),
            ReportLimit::Every(_) | ReportLimit::Never => None,
        };
        Promise { cycles_from, granted: true, ..by(Some(extended.last_day), waited) }
    });
    granted.filter(|granted| granted.settle > asked.settle).unwrap_or(asked)
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
mod tests {
    use super::*;
    use crate::assignment::Role;
    use crate::task::{AssignmentDraft, Grade, Source, TaskDraft, Visibility};

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    /// An issued task of one lead unit and its assignment.
    fn issued(grade: Grade, due_date: Option<Date>, when: &str) -> (Task, Assignment) {
        let task = Task::from_draft(&TaskDraft {
            name: "tasks/1".to_owned(),
            ledger_number: 1,
            title: "清洁取暖".to_owned(),
            text: String::new(),
            grade,
            source: Source::default(),
            visibility: Visibility::Internal,
            restricted_units: vec![],
            tags: vec![],
            created_by: "clerk".to_owned(),
            unclassified: true,
            origin: None,
            terms: crate::Terms::default(),
            parent: None,
            due_date,
            milestones: vec![],
            targets: vec![],
            open_points: vec![],
            attachments: vec![],
            assignments: vec![AssignmentDraft {
                name: "tasks/1/assignments/1".to_owned(),
                unit: "units/energy".to_owned(),
                role: Role::Lead,
            }],
        });
        let mut assignment = task.assignments[0].clone();
        assignment.assigned_at = Some(at(when));
        assignment.state = AssignmentState::Assigned;
        (task, assignment)
    }

    fn version_1(task: &Task, assignment: &Assignment) -> Clocks {
        clocks(task, assignment, &Rule::version_1(), &Calendar::built_in())
    }

    #[test]
    fn an_ordinary_matter_has_the_four_clocks_of_13710() {
        let (task, assignment) = issued(Grade::Ordinary, None, "2023-06-01T12:00+08:00");
        let clocks = version_1(&task, &assignment);
        assert_eq!(clocks.due.sign, Some(at("2023-06-02T00:00+08:00")));
        assert_eq!(clocks.due.deploy, Some(at("2023-06-02T00:00+08:00")));
        assert_eq!(clocks.due.report, Some(at("2023-06-05T00:00+08:00")));
        assert_eq!(clocks.due.settle, Some(at("2023-06-09T00:00+08:00")));
        // 7.5 days: a fifth of it is 36 hours.
        assert_eq!(clocks.yellow_at, Some(at("2023-06-07T12:00+08:00")));
        assert_eq!(clocks.red_at, clocks.due.settle);
    }

    #[test]
    fn yellow_is_never_shorter_than_a_day_and_absent_below_three() {
        let (task, assignment) =
            issued(Grade::Ordinary, Some(time::macros::date!(2023 - 06 - 03)), "2023-06-01T00:00+08:00");
        assert_eq!(version_1(&task, &assignment).yellow_at, Some(at("2023-06-03T00:00+08:00")));
        let (task, assignment) =
            issued(Grade::Ordinary, Some(time::macros::date!(2023 - 06 - 03)), "2023-06-01T00:00:01+08:00");
        assert_eq!(version_1(&task, &assignment).yellow_at, None);
    }

    #[test]
    fn a_report_due_no_earlier_than_the_end_is_not_asked_for() {
        let (task, assignment) =
            issued(Grade::Ordinary, Some(time::macros::date!(2023 - 06 - 04)), "2023-06-01T09:00+08:00");
        assert_eq!(version_1(&task, &assignment).due.report, None);
    }

    #[test]
    fn a_long_term_matter_reports_once_in_every_month() {
        let (task, mut assignment) = issued(Grade::LongTerm, None, "2023-09-10T09:00+08:00");
        let report_due = |assignment: &Assignment| version_1(&task, assignment).owed.report;
        assert_eq!(version_1(&task, &assignment).due.deploy, None);
        assert_eq!(report_due(&assignment), Some(at("2023-10-11T00:00+08:00")));
        assignment.last_report_at = Some(at("2023-09-30T09:00+08:00"));
        assert_eq!(report_due(&assignment), Some(at("2023-11-11T00:00+08:00")));
        assignment.last_report_at = Some(at("2023-10-11T00:00+08:00"));
        assert_eq!(report_due(&assignment), Some(at("2023-12-11T00:00+08:00")), "midnight is the next cycle");
        assignment.last_report_at = Some(at("2023-12-01T00:00+08:00"));
        assert_eq!(report_due(&assignment), None, "the matter ends before the next cycle does");
    }

    #[test]
    fn no_report_is_owed_for_cycles_spent_with_the_verifier() {
        let (task, mut assignment) = issued(Grade::LongTerm, None, "2023-03-10T09:00+08:00");
        assignment.last_report_at = Some(at("2023-04-01T09:00+08:00"));
        assignment.sent_back_at = Some(at("2023-07-01T09:00+08:00"));
        assert_eq!(version_1(&task, &assignment).owed.report, Some(at("2023-07-11T00:00+08:00")));
    }

    #[test]
    fn waiting_for_the_verifier_moves_the_settle_date_and_yellow_with_it() {
        let (task, mut assignment) = issued(Grade::Ordinary, None, "2023-06-01T12:00+08:00");
        assignment.verifier_wait = Duration::from_secs(2 * 86_400);
        let clocks = version_1(&task, &assignment);
        assert_eq!(clocks.due.settle, Some(at("2023-06-11T00:00+08:00")));
        assert_eq!(clocks.yellow_at, Some(at("2023-06-09T12:00+08:00")));
    }

    #[test]
    fn a_held_clock_keeps_what_it_had_reached_and_reaches_nothing_more() {
        let (task, mut assignment) = issued(Grade::Ordinary, None, "2023-06-01T12:00+08:00");
        assignment.state = AssignmentState::Submitted;
        assignment.submitted_at = Some(at("2023-06-08T12:00+08:00"));
        let clocks = version_1(&task, &assignment);
        assert_eq!(clocks.yellow_at, Some(at("2023-06-07T12:00+08:00")));
        assert_eq!(clocks.red_at, None);
        assert_eq!(clocks.owed, DueTimes::default());
    }

    #[test]
    fn a_missed_step_turns_the_stored_clock_yellow_first() {
        let (task, mut assignment) = issued(Grade::Ordinary, None, "2023-06-01T12:00+08:00");
        assert_eq!(version_1(&task, &assignment).stored().yellow_at, Some(at("2023-06-02T00:00+08:00")));
        assignment.signed_at = assignment.assigned_at;
        assignment.deployed_at = assignment.assigned_at;
        assert_eq!(version_1(&task, &assignment).stored().yellow_at, Some(at("2023-06-05T00:00+08:00")));
        assignment.last_report_at = assignment.assigned_at;
        assert_eq!(version_1(&task, &assignment).stored().yellow_at, Some(at("2023-06-07T12:00+08:00")));
    }
}
