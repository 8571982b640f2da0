//! [`Content`]: what a task says, as far as a revision may change it.

use domain_attachment::Attachment;
use serde::{Deserialize, Serialize};
use time::Date;

use crate::error::{NotEmpty, SupervisionError};
use crate::task::{AssignmentDraft, Grade, Task};

/// A dated clause of a task: 节点.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Milestone {
    /// Its last day, Asia/Shanghai.
    #[serde(with = "crate::date_text::whole")]
    pub last_day: Date,
    /// What is to be reached by then.
    pub text: String,
    /// `units/{slug}` it is meant for; empty: all units of the task.
    #[serde(default)]
    pub units: Vec<String>,
}

/// Which way a target's value is to be passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// 不低于.
    AtLeast,
    /// 不高于.
    AtMost,
}

/// A quantified target: 量化指标.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// What is measured, for example 一般公共预算收入增速.
    pub measure: String,
    /// A decimal number as text, for example 7.5.
    pub value: String,
    /// For example % or 个.
    pub unit: String,
    /// Which way.
    pub direction: Direction,
    /// 约束性, or else 力争.
    pub binding: bool,
    /// The unit whose figure counts, `units/{slug}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_unit: Option<String>,
    /// The last day for its figure, Asia/Shanghai; it may lie after the task's own.
    #[serde(with = "crate::date_text", default, skip_serializing_if = "Option::is_none")]
    pub figure_day: Option<Date>,
}

/// Something that must be settled by a person before a draft can be issued: 待明确事项.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenPoint {
    /// The words of the document it is about, for example 有关县市区.
    pub text: String,
    /// What is open, in Chinese.
    pub why: String,
    /// Line of the document's text, counted from one.
    #[serde(default)]
    pub line: Option<u32>,
    /// `units/{slug}` it may mean.
    #[serde(default)]
    pub candidates: Vec<String>,
}

/// What a task says. A revision leaves another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// One line.
    pub title: String,
    /// The wording.
    pub text: String,
    /// Chooses the clock.
    pub grade: Grade,
    /// Tags to filter by.
    pub tags: Vec<String>,
    /// Last day, Asia/Shanghai, when one is named.
    #[serde(with = "crate::date_text", default)]
    pub due_date: Option<Date>,
    /// Its dated clauses.
    #[serde(default)]
    pub milestones: Vec<Milestone>,
    /// Its quantified targets.
    #[serde(default)]
    pub targets: Vec<Target>,
    /// What must be settled before it can be issued.
    #[serde(default)]
    pub open_points: Vec<OpenPoint>,
    /// The units concerned.
    pub assignments: Vec<AssignmentDraft>,
    /// The files of its source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The task that it is a part of, `tasks/{id}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

impl Content {
    /// What a task says now.
    pub fn of(task: &Task) -> Self {
        let assignment = |one: &crate::assignment::Assignment| AssignmentDraft {
            name: one.name.clone(),
            unit: one.unit.clone(),
            role: one.role,
        };
        Content {
            title: task.title.clone(),
            text: task.text.clone(),
            grade: task.grade,
            tags: task.tags.clone(),
            due_date: task.due_date,
            milestones: task.milestones.clone(),
            targets: task.targets.clone(),
            open_points: task.open_points.clone(),
            assignments: task.assignments.iter().map(assignment).collect(),
            attachments: task.attachments.clone(),
            parent: task.parent.clone(),
        }
    }

    /// Refuses what could not be entered.
    pub(crate) fn check(&self) -> Result<(), SupervisionError> {
        check(&self.title, &self.assignments, &self.open_points)?;
        check_parts(&self.milestones, &self.targets, &self.open_points)
    }
}

/// What holds for the milestones, targets and open points of any task.
pub(crate) fn check_parts(
    milestones: &[Milestone],
    targets: &[Target],
    open_points: &[OpenPoint],
) -> Result<(), SupervisionError> {
    let empty = |what| Err(SupervisionError::Empty(what));
    if milestones.iter().any(|one| one.text.trim().is_empty()) {
        return empty(NotEmpty::Milestone);
    }
    if targets.iter().any(|one| one.measure.trim().is_empty()) {
        return empty(NotEmpty::Measure);
    }
    if let Some(target) = targets.iter().find(|one| !is_decimal(&one.value)) {
        return Err(SupervisionError::NoNumber { value: target.value.clone() });
    }
    if open_points.iter().any(|one| one.text.trim().is_empty() || one.why.trim().is_empty()) {
        return empty(NotEmpty::OpenPoint);
    }
    Ok(())
}

/// What holds for the title and the units of any task. Units may be missing only while
/// something is open that may name them.
pub(crate) fn check(
    title: &str,
    assignments: &[AssignmentDraft],
    open_points: &[OpenPoint],
) -> Result<(), SupervisionError> {
    if title.trim().is_empty() {
        return Err(SupervisionError::Empty(NotEmpty::Title));
    }
    if open_points.is_empty() {
        check_whole(assignments.iter().map(|one| one.role))?;
    }
    let (mut units, mut names) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for one in assignments {
        if one.unit.trim().is_empty() {
            return Err(SupervisionError::Empty(NotEmpty::Unit));
        }
        if !units.insert(one.unit.as_str()) {
            return Err(SupervisionError::UnitTwice { unit: one.unit.clone() });
        }
        if !names.insert(one.name.as_str()) {
            return Err(SupervisionError::AssignmentNameTwice { name: one.name.clone() });
        }
    }
    Ok(())
}

/// Somebody must answer for a task that is issued.
pub(crate) fn check_whole(
    roles: impl IntoIterator<Item = crate::assignment::Role>,
) -> Result<(), SupervisionError> {
    let mut roles = roles.into_iter().peekable();
    if roles.peek().is_none() {
        return Err(SupervisionError::NoAssignment);
    }
    if roles.all(|role| role == crate::assignment::Role::Cooperating) {
        return Err(SupervisionError::OnlyCooperatingUnits);
    }
    Ok(())
}

/// An optional sign, digits, and at most one point among them.
pub(crate) fn is_decimal(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.len() <= 40 && all_digits(whole) && all_digits(part)
}

#[cfg(test)]
mod tests {
    use super::is_decimal;

    #[test]
    fn a_value_is_a_decimal_number() {
        for value in ["0", "7.5", "-0.25", "20000000000"] {
            assert!(is_decimal(value), "{value}");
        }
        for value in ["", "-", ".", "7.", ".5", "1e9", "七", "1.2.3", "+1", " 1"] {
            assert!(!is_decimal(value), "{value}");
        }
    }
}
