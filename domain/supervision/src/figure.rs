//! Figures of targets (指标数据): what a target came to, as its source unit or the supervisor says.
//!
//! A figure may fall due after the matter is over (a year's growth is known in January), so it can be
//! given and corrected while the task is issued and after it is struck off. A binding target that is
//! missed turns the light of those that settle the task red, whether or not their clock is held: it
//! is a fact and no time. One that is striven for turns nothing. The source unit is asked once for
//! each of its figures when it is due.

use std::cmp::Ordering;

use domain_calendar::{Calendar, Timestamp};
use serde::{Deserialize, Serialize};
use time::Date;

use crate::assignment::Action;
use crate::content::{Direction, Target, is_decimal};
use crate::decide::{Context, facts, said};
use crate::error::{NotEmpty, SupervisionError};
use crate::event::{AssignmentFacts, TaskChange, TaskEvent, TaskFacts};
use crate::paper::chinese_day;
use crate::rule::end_of;
use crate::task::{Task, TaskState};

/// What a target came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Figure {
    /// A decimal number as text.
    pub value: String,
    /// The day as of which it holds, Asia/Shanghai.
    #[serde(with = "crate::date_text::whole")]
    pub as_of: Date,
    /// What is said of it; may be empty unless it corrects another.
    pub text: String,
    /// When it was given.
    pub given_at: Timestamp,
    /// Since when figures have missed the target, or met it, without a change.
    pub since: Timestamp,
}

/// What is known of a target beside what the task says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetStanding {
    /// Its place among the targets of the task, from one. A revision keeps it up to date.
    pub number: u32,
    /// What it came to, as was said last.
    #[serde(default)]
    pub figure: Option<Figure>,
    /// Its source unit was asked for its figure.
    #[serde(default)]
    pub asked: bool,
}

/// What is said of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GiveFigure {
    /// What is measured, as the target says it.
    pub measure: String,
    /// The target's place, from one, where several measure the same.
    pub number: Option<u32>,
    /// A decimal number as text.
    pub value: String,
    /// The day as of which it holds, Asia/Shanghai; not ahead.
    pub as_of: Date,
    /// Must not be empty where it corrects another.
    pub text: String,
}

/// What happened to the figures of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "figure", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FigureChange {
    /// 填报数据, or a correction of it.
    Given {
        /// The target's place then, from one.
        number: u32,
        /// The target as it stood.
        target: Box<Target>,
        /// What it came to.
        given: Box<Figure>,
        /// What was said before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous: Option<Figure>,
        /// It meets the target.
        met: bool,
        /// The assignments of those that settle the task.
        assignments: Vec<AssignmentFacts>,
    },
    /// 催报数据: a source unit is asked once for figures that are due.
    Asked {
        /// `units/{slug}`.
        unit: String,
        /// Of which targets, as they stood.
        targets: Vec<AskedTarget>,
    },
}

/// A target whose figure is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AskedTarget {
    /// Its place then, from one.
    pub number: u32,
    /// What is measured.
    pub measure: String,
    /// The last day for its figure, Asia/Shanghai.
    #[serde(with = "crate::date_text::whole")]
    pub figure_day: Date,
}

/// When somebody is to be asked for figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureTimer {
    /// When it may fire, never before.
    pub due_at: Timestamp,
    /// Unique per task and instant.
    pub key: String,
}

impl Target {
    /// Whether a figure meets it.
    pub fn is_met_by(&self, value: &str) -> bool {
        let order = compare(value, &self.value);
        match self.direction {
            Direction::AtLeast => order != Ordering::Less,
            Direction::AtMost => order != Ordering::Greater,
        }
    }
}

/// The event that follows when a figure is given, or why it is refused; none when the same was said
/// before.
pub(crate) fn give(
    task: &Task,
    asked: &GiveFigure,
    context: &Context<'_>,
) -> Result<Option<TaskEvent>, SupervisionError> {
    match task.state {
        TaskState::Issued | TaskState::StruckOff => {}
        state @ (TaskState::Draft | TaskState::Withdrawn) => {
            return Err(SupervisionError::TaskRefused { action: Action::GiveFigure, state });
        }
    }
    let (number, target) = task.target_measuring(&asked.measure, asked.number)?;
    let value = asked.value.trim().to_owned();
    if !is_decimal(&value) {
        return Err(SupervisionError::FigureNoNumber { value });
    }
    if asked.as_of > context.now.day() {
        return Err(SupervisionError::FigureAhead { day: asked.as_of });
    }
    let previous = task.figure(number).cloned();
    let text = match &previous {
        Some(before) if before.value == value && before.as_of == asked.as_of => return Ok(None),
        Some(_) => said(&asked.text, NotEmpty::FigureCorrection)?,
        None => asked.text.trim().to_owned(),
    };
    let met = target.is_met_by(&value);
    let since = match &previous {
        Some(before) if target.is_met_by(&before.value) == met => before.since,
        Some(_) | None => context.now,
    };
    let given = Box::new(Figure { value, as_of: asked.as_of, text, given_at: context.now, since });
    let assignments = task.settling_assignments().map(|one| facts(task, one, context)).collect();
    let change =
        FigureChange::Given { number, target: Box::new(target.clone()), given, previous, met, assignments };
    Ok(Some(TaskEvent::on_task(TaskFacts::of(task), context.now, TaskChange::Figure(change))))
}

/// When the source units of a task are to be asked for figures that nobody has given: in office hours,
/// unless the task is urgent.
pub fn figure_timers(task: &Task, calendar: &Calendar) -> Vec<FigureTimer> {
    let mut due: Vec<Timestamp> =
        task.wanted().map(|(_, _, day)| told_at(task, end_of(day), calendar)).collect();
    due.sort_unstable();
    due.dedup();
    let timer = |due_at: Timestamp| FigureTimer {
        due_at,
        key: format!("{}/figures/{}", task.name, due_at.as_micros()),
    };
    due.into_iter().map(timer).collect()
}

/// What follows when a timer of figures fires: each source unit is asked once for all of its figures
/// that are due. Nothing at night or on a rest day, unless the task is urgent.
pub fn ask_for_figures(task: &Task, context: &Context<'_>) -> Vec<TaskEvent> {
    if told_at(task, context.now, context.calendar) != context.now {
        return Vec::new();
    }
    let mut asked: Vec<(&str, Vec<AskedTarget>)> = Vec::new();
    for (number, target, figure_day) in task.wanted().filter(|(.., day)| end_of(*day) <= context.now) {
        let Some(unit) = target.source_unit.as_deref() else { continue };
        let one = AskedTarget { number, measure: target.measure.clone(), figure_day };
        match asked.iter_mut().find(|(known, _)| *known == unit) {
            Some((_, targets)) => targets.push(one),
            None => asked.push((unit, vec![one])),
        }
    }
    let event = |(unit, targets): (&str, Vec<AskedTarget>)| {
        let change = FigureChange::Asked { unit: unit.to_owned(), targets };
        TaskEvent::on_task(TaskFacts::of(task), context.now, TaskChange::Figure(change))
    };
    asked.into_iter().map(event).collect()
}

fn told_at(task: &Task, at: Timestamp, calendar: &Calendar) -> Timestamp {
    if task.is_urgent() { at } else { calendar.next_working_moment(at) }
}

impl FigureChange {
    /// The type it is recorded under.
    pub(crate) fn event_type(&self) -> &'static str {
        match self {
            Self::Given { previous: None, .. } => "supervision.task.figure_given",
            Self::Given { previous: Some(_), .. } => "supervision.task.figure_corrected",
            Self::Asked { .. } => "supervision.task.figures_asked",
        }
    }

    /// As officials read it. `called` says what people call a unit.
    pub(crate) fn describe(&self, called: &dyn Fn(&str) -> String) -> String {
        match self {
            Self::Given { target, given, previous, met, .. } => {
                let outcome = match (met, target.binding) {
                    (true, _) => "，达到目标",
                    (false, true) => "，未达到约束性目标",
                    (false, false) => "，未达到力争目标",
                };
                let (measure, unit) = (&target.measure, &target.unit);
                let now = format!("{}{unit}（截至{}）", given.value, chinese_day(given.as_of));
                let text = if given.text.is_empty() { String::new() } else { format!("：{}", given.text) };
                match previous {
                    None => format!("填报{measure}{now}{outcome}{text}"),
                    Some(before) => {
                        format!("更正{measure}：由{}{unit}改为{now}{outcome}{text}", before.value)
                    }
                }
            }
            Self::Asked { unit, targets } => {
                let measures: Vec<&str> = targets.iter().map(|one| one.measure.as_str()).collect();
                format!("请{}填报指标数据：{}", called(unit), measures.join("、"))
            }
        }
    }
}

impl Task {
    /// The target that is meant, with its place.
    pub fn target_measuring(
        &self,
        measure: &str,
        number: Option<u32>,
    ) -> Result<(u32, &Target), SupervisionError> {
        let measure = measure.trim();
        let mut meant = (1..).zip(&self.targets).filter(|(place, target)| {
            target.measure.trim() == measure && number.is_none_or(|number| number == *place)
        });
        match (meant.next(), meant.next()) {
            (Some(one), None) => Ok(one),
            (Some(_), Some(_)) => Err(SupervisionError::TargetUnclear { measure: measure.to_owned() }),
            (None, _) => Err(SupervisionError::NoTarget { measure: measure.to_owned() }),
        }
    }

    /// What the target at a place came to.
    pub fn figure(&self, number: u32) -> Option<&Figure> {
        self.standing(number).and_then(|one| one.figure.as_ref())
    }

    /// Since when a binding target is missed, by the figures that were given.
    pub fn target_missed_at(&self) -> Option<Timestamp> {
        let missed = |(number, target): (u32, &Target)| {
            let figure = self.figure(number).filter(|_| target.binding)?;
            (!target.is_met_by(&figure.value)).then_some(figure.since)
        };
        (1..).zip(&self.targets).filter_map(missed).min()
    }

    fn standing(&self, number: u32) -> Option<&TargetStanding> {
        self.target_standings.iter().find(|one| one.number == number)
    }

    /// The targets whose figures their source units are to be asked for, with the day.
    fn wanted(&self) -> impl Iterator<Item = (u32, &Target, Date)> {
        let asks = match self.state {
            TaskState::Issued | TaskState::StruckOff => true,
            TaskState::Draft | TaskState::Withdrawn => false,
        };
        (1..).zip(&self.targets).filter(move |_| asks).filter_map(|(number, target)| {
            let known = self.standing(number).is_some_and(|one| one.asked || one.figure.is_some());
            let day = target.figure_day.filter(|_| target.source_unit.is_some() && !known)?;
            Some((number, target, day))
        })
    }

    pub(crate) fn take_figure(&mut self, change: &FigureChange) {
        match change {
            FigureChange::Given { number, given, .. } => {
                self.standing_mut(*number).figure = Some((**given).clone());
            }
            FigureChange::Asked { unit: _, targets } => {
                for target in targets {
                    self.standing_mut(target.number).asked = true;
                }
            }
        }
    }

    fn standing_mut(&mut self, number: u32) -> &mut TargetStanding {
        let at = match self.target_standings.iter().position(|one| one.number == number) {
            Some(at) => at,
            None => {
                self.target_standings.push(TargetStanding { number, figure: None, asked: false });
                self.target_standings.len() - 1
            }
        };
        &mut self.target_standings[at]
    }

    /// Keeps what is known of targets that a revision moves to other places, or changes but for what
    /// they measure. Another source unit or day is asked anew.
    pub(crate) fn follow_targets(&mut self, after: &[Target]) {
        if self.targets == after {
            return;
        }
        for mut one in std::mem::take(&mut self.target_standings) {
            let Some(old) = (one.number as usize).checked_sub(1).and_then(|at| self.targets.get(at)) else {
                continue;
            };
            let once = |all: &[Target]| all.iter().filter(|new| new.measure == old.measure).count() == 1;
            let measured = || after.iter().position(|new| new.measure == old.measure);
            let same = after.iter().position(|new| new == old);
            let Some(at) = same.or_else(|| measured().filter(|_| once(&self.targets) && once(after))) else {
                continue;
            };
            let asks = |target: &Target| (target.source_unit.clone(), target.figure_day);
            one.asked &= asks(&after[at]) == asks(old);
            one.number = u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1);
            self.target_standings.push(one);
        }
    }
}

/// Compares decimal numbers as their texts have them, digit by digit: no figure is rounded.
fn compare(one: &str, other: &str) -> Ordering {
    let (one, other) = (parts(one), parts(other));
    let magnitude = || {
        let whole = |text: &str| text.trim_start_matches('0').to_owned();
        let (left, right) = (whole(one.1), whole(other.1));
        let wholes = left.len().cmp(&right.len()).then_with(|| left.cmp(&right));
        wholes.then_with(|| one.2.trim_end_matches('0').cmp(other.2.trim_end_matches('0')))
    };
    match (one.0, other.0) {
        (false, false) => magnitude(),
        (true, true) => magnitude().reverse(),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

/// Whether it is below zero, its whole part and its fraction.
fn parts(value: &str) -> (bool, &str, &str) {
    let (below, digits) = value.strip_prefix('-').map_or((false, value), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let zero = [whole, fraction].iter().all(|part| part.bytes().all(|digit| digit == b'0'));
    (below && !zero, whole, fraction)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_are_compared_as_they_are_written() {
        for (one, order, other) in [
            ("7.5", Ordering::Equal, "7.50"),
            ("7.49", Ordering::Less, "7.5"),
            ("10", Ordering::Greater, "9.99"),
            ("-1", Ordering::Less, "0.1"),
            ("-2", Ordering::Less, "-1.5"),
            ("-0.0", Ordering::Equal, "0"),
            ("007", Ordering::Equal, "7"),
            ("0.00000000000000000000000000000000001", Ordering::Greater, "0"),
        ] {
            assert_eq!(compare(one, other), order, "{one} and {other}");
            assert_eq!(compare(other, one), order.reverse(), "{other} and {one}");
        }
    }

    proptest! {
        #[test]
        fn thousandths_are_compared_as_whole_numbers_are(one in -9_999_i32..9_999, other in -9_999_i32..9_999) {
            let text = |number: i32| {
                let sign = if number < 0 { "-" } else { "" };
                format!("{sign}{}.{:03}", number.abs() / 1_000, number.abs() % 1_000)
            };
            prop_assert_eq!(compare(&text(one), &text(other)), one.cmp(&other));
        }
    }
}
