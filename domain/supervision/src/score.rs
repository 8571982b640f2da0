//! [`Board`]: how units keep their dates over a period.
//!
//! Results are scored, never how much somebody uses the system. A figure is a list of
//! [`Point`]s: each names the assignment it comes from, and the event if it comes from one.

use std::collections::{BTreeMap, BTreeSet};

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::assignment::{Assignment, AssignmentState, Stage};
use crate::correction::Corrected;
use crate::deadline::Clocks;
use crate::event::{AssignmentChange, AssignmentEvent};
use crate::overdue::{days_past, worked_until};
use crate::score_rule::ScoreRule;

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
    /// What was left out of these because an appeal was upheld.
    pub corrected: Vec<Corrected>,
}

/// The figures of units over a period, gathered one by one.
#[derive(Debug)]
pub struct Board {
    rule: ScoreRule,
    period: Period,
    lines: BTreeMap<String, Line>,
    judged: BTreeSet<String>,
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
        Board { rule, period, lines: BTreeMap::new(), judged: BTreeSet::new() }
    }

    /// Judges an assignment as it stands now, once: whether it was settled in the period and in
    /// time, or was late in it. `struck_off` is the event with which it was, if it was: the
    /// version of the task it made, and whether the assignment was only closed with the task.
    pub fn judge(
        &mut self,
        one: &Assignment,
        clocks: &Clocks,
        struck_off: Option<(i64, bool)>,
        now: Timestamp,
    ) {
        let Period { start, end } = self.period;
        let counts = |due: &Timestamp| one.counted_from.is_none_or(|from| *due > from);
        let (Some(due), Some(until)) = (clocks.due.settle.filter(counts), worked_until(one, now)) else {
            return;
        };
        if struck_off.is_some_and(|(_, with_task)| with_task) && !self.rule.closed_with_task {
            return;
        }
        // What was over before the period began, or has been with others ever since.
        if until < start || !self.judged.insert(one.name.clone()) {
            return;
        }
        let settled = one.state == AssignmentState::StruckOff && until < end;
        let overdue = due < end && due <= until;
        let point = |value| Point {
            assignment: one.name.clone(),
            version: struck_off.map(|(version, _)| version),
            value,
        };
        if overdue {
            let last = until.min(Timestamp::from_micros(end.as_micros() - 1));
            let line = self.line(&one.unit);
            line.late.push(point(1));
            line.days_overdue.push(point(days_past(due.max(start), last)));
        } else if settled {
            self.line(&one.unit).on_time.push(point(1));
        }
    }

    /// Takes in what happened, with the version of the task it made.
    pub fn happened(&mut self, event: &AssignmentEvent, version: i64) {
        if !(self.period.start..self.period.end).contains(&event.at) {
            return;
        }
        let AssignmentEvent { assignment, change, .. } = event;
        let point = |value| Point { assignment: assignment.name.clone(), version: Some(version), value };
        match change {
            AssignmentChange::SentBack { .. } => self.line(&assignment.unit).returned.push(point(1)),
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
        let struck_off = (one.state == AssignmentState::StruckOff).then_some((6, false));
        for _ in 0..2 {
            board.judge(&one, &clocks, struck_off, at("2023-06-20T09:00:00+08:00"));
        }
        let line = board.into_lines().remove("units/energy").unwrap_or_default();
        (line.on_time.len(), line.late.len(), sum(&line.days_overdue))
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
