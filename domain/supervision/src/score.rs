//! [`Board`]: how units keep their dates over a period.
//!
//! Results are scored, never how much somebody uses the system. A figure is a list of
//! [`Point`]s: each names the assignment it comes from, and the event if it comes from one.

use std::collections::{BTreeMap, BTreeSet};

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::assignment::{Assignment, AssignmentState, Stage};
use crate::correction::{Corrected, Figure};
use crate::deadline::Clocks;
use crate::event::{AssignmentChange, AssignmentEvent};
use crate::overdue::{days_past, worked_until};
use crate::score_rule::ScoreRule;
use crate::side_road_event::SideRoad;

/// Half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Period {
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

/// Where a part of a figure comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    /// `tasks/{t}/assignments/{a}`.
    pub assignment: String,
    /// The version of the task that the event made, where there is one: an assignment that is
    /// still open after its date has none.
    pub version: Option<i64>,
    /// How much it adds.
    pub value: u32,
}

/// The figures of one unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Line {
    /// Settled in the period and in time.
    pub on_time: Vec<Point>,
    /// Settled in the period and late, or open at its end and past the settle date.
    pub late: Vec<Point>,
    /// Days past the settle date that lie in the period.
    pub days_overdue: Vec<Point>,
    /// Sent back for rework (返工).
    pub returned: Vec<Point>,
    /// Steps that were missed.
    pub late_steps: Vec<Point>,
    /// Returned as misdirected (退回), and that was refused: a return that was accepted is no
    /// fault of the unit.
    pub returns_refused: Vec<Point>,
    /// Reopened after it was struck off (重新办理).
    pub reopened: Vec<Point>,
    /// What was left out of these because an appeal was upheld, and what stays in them though
    /// the assignment was reopened later.
    pub corrected: Vec<Corrected>,
}

/// The figures of units over a period, gathered one by one.
#[derive(Debug)]
pub struct Board {
    rule: ScoreRule,
    period: Period,
    lines: BTreeMap<String, Line>,
    /// By the assignment and the version that struck it off; open ones have none.
    judged: BTreeSet<(String, Option<i64>)>,
    /// What was settled in the period, by assignment: the unit then, the figure and the point.
    settled: BTreeMap<String, (String, Figure, Point)>,
}

/// What is judged: an assignment as it was struck off, or one that is open.
struct Judged<'a> {
    assignment: &'a str,
    unit: &'a str,
    due: Option<Timestamp>,
    counted_from: Option<Timestamp>,
    until: Timestamp,
    struck_off: Option<i64>,
}

impl Line {
    /// Assignments that were judged.
    pub fn judged(&self) -> usize {
        self.on_time.len() + self.late.len()
    }

    /// In time of all that were judged, in tenths of a per cent, rounded down; none when none
    /// was judged.
    pub fn on_time_rate(&self) -> Option<usize> {
        (self.on_time.len() * 1_000).checked_div(self.judged())
    }

    /// Takes in another unit's figures.
    pub fn add(&mut self, other: Line) {
        self.on_time.extend(other.on_time);
        self.late.extend(other.late);
        self.days_overdue.extend(other.days_overdue);
        self.returned.extend(other.returned);
        self.late_steps.extend(other.late_steps);
        self.returns_refused.extend(other.returns_refused);
        self.reopened.extend(other.reopened);
        self.corrected.extend(other.corrected);
    }
}

/// How much the points of a figure add up to.
pub fn sum(points: &[Point]) -> u64 {
    points.iter().map(|point| u64::from(point.value)).sum()
}

impl Board {
    /// An empty board.
    pub fn new(rule: ScoreRule, period: Period) -> Self {
        Board { rule, period, lines: BTreeMap::new(), judged: BTreeSet::new(), settled: BTreeMap::new() }
    }

    /// Judges an assignment that is open, once: whether it is late in the period.
    pub fn judge_open(&mut self, one: &Assignment, clocks: &Clocks, now: Timestamp) {
        let closed = one.state == AssignmentState::StruckOff;
        let Some(until) = worked_until(one, now).filter(|_| !closed) else { return };
        self.judge(&Judged {
            assignment: &one.name,
            unit: &one.unit,
            due: clocks.due.settle,
            counted_from: one.counted_from,
            until,
            struck_off: None,
        });
    }

    /// Judges an assignment by what the event says that struck it off, with the version of the
    /// task it made: whatever happened to it afterwards, that it was settled then, and whether in
    /// time, stays as it was. `counted_from`: since when its steps counted, for an event of before
    /// events said so.
    pub fn judge_struck_off(
        &mut self,
        event: &AssignmentEvent,
        version: i64,
        counted_from: Option<Timestamp>,
    ) {
        let AssignmentChange::StruckOff { completed_at, with_task, counted_from: said } = &event.change
        else {
            return;
        };
        if *with_task && !self.rule.closed_with_task {
            return;
        }
        self.judge(&Judged {
            assignment: &event.assignment.name,
            unit: &event.assignment.unit,
            due: event.assignment.due.settle,
            counted_from: said.or(counted_from),
            until: *completed_at,
            struck_off: Some(version),
        });
    }

    fn judge(&mut self, one: &Judged<'_>) {
        let Period { start, end } = self.period;
        let counts = |due: &Timestamp| one.counted_from.is_none_or(|from| *due > from);
        let Some(due) = one.due.filter(counts) else { return };
        // What was over before the period began, or has been with others ever since.
        if one.until < start || !self.judged.insert((one.assignment.to_owned(), one.struck_off)) {
            return;
        }
        let settled = one.struck_off.is_some() && one.until < end;
        let overdue = due < end && due <= one.until;
        let point = |value| Point { assignment: one.assignment.to_owned(), version: one.struck_off, value };
        let figure = if overdue {
            let last = one.until.min(Timestamp::from_micros(end.as_micros() - 1));
            let line = self.line(one.unit);
            line.late.push(point(1));
            line.days_overdue.push(point(days_past(due.max(start), last)));
            Figure::Late
        } else if settled {
            self.line(one.unit).on_time.push(point(1));
            Figure::OnTime
        } else {
            return;
        };
        if settled {
            self.settled.insert(one.assignment.to_owned(), (one.unit.to_owned(), figure, point(1)));
        }
    }

    /// Takes in that an assignment was reopened, whenever that was: where it was settled in the
    /// period the line says so, and keeps its point.
    fn reopened(&mut self, assignment: &str, ground: &str, version: i64) {
        if let Some((unit, figure, point)) = self.settled.remove(assignment) {
            self.line(&unit).corrected.push(Corrected {
                figure,
                point,
                ground: ground.to_owned(),
                appeal: String::new(),
                reopened: Some(version),
            });
        }
    }

    /// Takes in what happened, with the version of the task it made; in the order of time, each
    /// strike-off judged before what follows it.
    pub fn happened(&mut self, event: &AssignmentEvent, version: i64) {
        if let AssignmentChange::SideRoad(SideRoad::Reopened { ground, .. }) = &event.change {
            self.reopened(&event.assignment.name, ground, version);
        }
        if !(self.period.start..self.period.end).contains(&event.at) {
            return;
        }
        let AssignmentEvent { assignment, change, .. } = event;
        let point = |value| Point { assignment: assignment.name.clone(), version: Some(version), value };
        match change {
            AssignmentChange::SentBack { .. } => self.line(&assignment.unit).returned.push(point(1)),
            AssignmentChange::SideRoad(SideRoad::ReturnRefused { .. }) => {
                self.line(&assignment.unit).returns_refused.push(point(1));
            }
            AssignmentChange::SideRoad(SideRoad::Reopened { .. }) => {
                self.line(&assignment.unit).reopened.push(point(1));
            }
            AssignmentChange::Urged { stages, again } => {
                // A step counts once, however often it was urged of.
                let counts = |stage: &&Stage| self.rule.late_steps.contains(stage) && !again.contains(stage);
                let missed = stages.iter().filter(counts).count();
                if let Some(missed) = u32::try_from(missed).ok().filter(|missed| *missed > 0) {
                    self.line(&assignment.unit).late_steps.push(point(missed));
                }
            }
            AssignmentChange::Signed
            | AssignmentChange::Deployed { .. }
            | AssignmentChange::Reported { .. }
            | AssignmentChange::Submitted { .. }
            | AssignmentChange::Verified { .. }
            | AssignmentChange::StruckOff { .. }
            | AssignmentChange::ExtensionRequested { .. }
            | AssignmentChange::ExtensionGranted { .. }
            | AssignmentChange::ExtensionRefused { .. }
            | AssignmentChange::DeadlineRecomputed { .. }
            | AssignmentChange::Milestone(_)
            | AssignmentChange::SideRoad(_)
            | AssignmentChange::Pressed(_)
            | AssignmentChange::Overdue
            | AssignmentChange::Reminded => {}
        }
    }

    /// The figures of each unit that has any.
    pub fn into_lines(self) -> BTreeMap<String, Line> {
        self.lines
    }

    fn line(&mut self, unit: &str) -> &mut Line {
        self.lines.entry(unit.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain_calendar::Calendar;
    use proptest::prelude::*;

    use super::*;
    use crate::assignment::Role;
    use crate::event::{AssignmentFacts, TaskFacts};
    use crate::rule::Rule;
    use crate::task::{AssignmentDraft, Grade, Source, Task, TaskDraft, Visibility};

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    /// An assignment given on 1 June: it is due before 9 June.
    fn given() -> (Task, Assignment) {
        let mut task = Task::from_draft(&TaskDraft {
            name: "tasks/1".to_owned(),
            ledger_number: 1,
            title: "清洁取暖改造".to_owned(),
            text: String::new(),
            grade: Grade::Ordinary,
            source: Source::default(),
            visibility: Visibility::Internal,
            restricted_units: vec![],
            tags: vec![],
            created_by: "supervisor".to_owned(),
            unclassified: true,
            origin: None,
            terms: crate::Terms::default(),
            parent: None,
            due_date: None,
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
        task.assignments[0].issue(at("2023-06-01T09:00:00+08:00"));
        let assignment = task.assignments[0].clone();
        (task, assignment)
    }

    /// What a board of June, or a part of it, says of an assignment on the morning of 20 June.
    fn judged(change: impl FnOnce(&mut Assignment), start: &str, end: &str) -> (usize, usize, u64) {
        let (task, mut one) = given();
        change(&mut one);
        let clocks = crate::clocks(&task, &one, &Rule::version_1(), &Calendar::built_in());
        let period = Period { start: at(start), end: at(end) };
        let mut board = Board::new(ScoreRule::version_1(), period);
        for _ in 0..2 {
            match one.completed_at {
                Some(completed_at) => board.judge_struck_off(&struck_off(&task, &one, completed_at), 6, None),
                None => board.judge_open(&one, &clocks, at("2023-06-20T09:00:00+08:00")),
            }
        }
        let line = board.into_lines().remove("units/energy").unwrap_or_default();
        (line.on_time.len(), line.late.len(), sum(&line.days_overdue))
    }

    /// The event that struck an assignment off.
    fn struck_off(task: &Task, one: &Assignment, completed_at: Timestamp) -> AssignmentEvent {
        let due = crate::clocks(task, one, &Rule::version_1(), &Calendar::built_in()).due;
        let counted_from = one.counted_from;
        AssignmentEvent {
            task: TaskFacts::of(task),
            assignment: AssignmentFacts::of(one, due),
            at: completed_at,
            late: vec![],
            change: AssignmentChange::StruckOff { completed_at, with_task: false, counted_from },
        }
    }

    fn settled(when: &str) -> impl FnOnce(&mut Assignment) + use<> {
        let when = at(when);
        move |one| {
            one.state = AssignmentState::StruckOff;
            one.completed_at = Some(when);
        }
    }

    const MAY: &str = "2023-05-01T00:00:00+08:00";
    const JUNE: &str = "2023-06-01T00:00:00+08:00";
    const TENTH: &str = "2023-06-10T00:00:00+08:00";
    const NOW: &str = "2023-06-20T09:00:00+08:00";

    #[test]
    fn what_is_settled_is_judged_in_the_period_it_was_completed_in() {
        assert_eq!(judged(settled("2023-06-08T23:59:59+08:00"), JUNE, NOW), (1, 0, 0));
        assert_eq!(judged(settled("2023-06-08T23:59:59+08:00"), MAY, JUNE), (0, 0, 0));
        assert_eq!(judged(settled("2023-06-08T23:59:59+08:00"), TENTH, NOW), (0, 0, 0));
        assert_eq!(judged(settled("2023-06-09T00:00:00+08:00"), JUNE, NOW), (0, 1, 1));
        assert_eq!(judged(settled("2023-06-12T10:00:00+08:00"), JUNE, NOW), (0, 1, 4));
    }

    #[test]
    fn days_overdue_are_those_of_the_period() {
        assert_eq!(judged(settled("2023-06-12T10:00:00+08:00"), JUNE, TENTH), (0, 1, 1));
        assert_eq!(judged(settled("2023-06-12T10:00:00+08:00"), TENTH, NOW), (0, 1, 3));
        assert_eq!(judged(|_| (), JUNE, NOW), (0, 1, 12), "9 June to 20 June");
        assert_eq!(judged(|_| (), JUNE, "2023-06-09T00:00:00+08:00"), (0, 0, 0), "not due yet");
    }

    #[test]
    fn time_that_others_take_is_not_the_units() {
        let submitted = |one: &mut Assignment| {
            one.state = AssignmentState::Submitted;
            one.submitted_at = Some(at("2023-06-08T12:00:00+08:00"));
        };
        assert_eq!(judged(submitted, JUNE, NOW), (0, 0, 0), "it waits for its verifier");
        let waited = |one: &mut Assignment| {
            one.verifier_wait = Duration::from_secs(10 * 86_400);
            settled("2023-06-12T10:00:00+08:00")(one);
        };
        assert_eq!(judged(waited, JUNE, NOW), (1, 0, 0));
        let counted_from = |one: &mut Assignment| one.counted_from = Some(at(TENTH));
        assert_eq!(judged(counted_from, JUNE, NOW), (0, 0, 0), "it was due before it was entered");
        assert_eq!(judged(|one| one.state = AssignmentState::Withdrawn, JUNE, NOW), (0, 0, 0));
    }

    #[test]
    fn the_rate_is_of_what_was_judged() {
        let point = Point { assignment: "tasks/1/assignments/1".to_owned(), version: None, value: 1 };
        let line = |on_time, late| Line {
            on_time: vec![point.clone(); on_time],
            late: vec![point.clone(); late],
            ..Line::default()
        };
        assert_eq!(line(0, 0).on_time_rate(), None);
        assert_eq!(line(2, 1).on_time_rate(), Some(666));
        assert_eq!(line(0, 3).on_time_rate(), Some(0));
    }

    proptest! {
        /// However a time is cut into periods, the days overdue add up.
        #[test]
        fn days_overdue_of_adjoining_periods_add_up(done in 8_u64..19, hour in 0_u64..24, cut in 2_u64..19) {
            let day = |day: u64| at(JUNE).saturating_add(Duration::from_secs(day * 86_400));
            let done = day(done).saturating_add(Duration::from_secs(hour * 3_600)).to_string();
            let (cut, end) = (day(cut).to_string(), day(19).to_string());
            let whole = judged(settled(&done), JUNE, &end).2;
            let parts = judged(settled(&done), JUNE, &cut).2 + judged(settled(&done), &cut, &end).2;
            prop_assert_eq!(parts, whole);
        }
    }
}
