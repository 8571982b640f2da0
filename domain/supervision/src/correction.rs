//! [`Corrections`]: what is left out of scores for good because an appeal was upheld. A score is
//! corrected, not rewritten: the line lists what was left out, and on what ground.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::score::{Line, Point};

/// A figure of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Figure {
    /// 按时办结.
    OnTime,
    /// 逾期.
    Late,
    /// 逾期天数.
    DaysOverdue,
    /// 退回返工.
    Returned,
    /// 环节逾期.
    LateSteps,
    /// 退回未准.
    ReturnsRefused,
    /// 重新办理.
    Reopened,
}

/// A point of a figure, by where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PointKey {
    /// `tasks/{t}/assignments/{a}`.
    pub assignment: String,
    /// The version of the task that the event made; none for what is open after its date.
    pub version: Option<i64>,
}

/// A point that is left out of a figure from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Correction {
    /// The figure.
    pub figure: Figure,
    /// The point.
    pub point: PointKey,
    /// On what ground.
    pub ground: String,
    /// `bulletins/{b}/appeals/{n}`.
    pub appeal: String,
}

/// What was left out of a line, or, where the assignment was reopened later, what stays in it and
/// holds no more: a score is corrected, not rewritten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Corrected {
    /// The figure.
    pub figure: Figure,
    /// What it had added.
    pub point: Point,
    /// On what ground.
    pub ground: String,
    /// `bulletins/{b}/appeals/{n}`; empty when it was reopened.
    pub appeal: String,
    /// The version of the task that reopening made; then the point stays in its figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened: Option<i64>,
}

/// Corrections, to be found by their assignment.
#[derive(Debug, Clone, Default)]
pub struct Corrections(BTreeMap<String, Vec<Correction>>);

impl Figure {
    /// Every figure, in the order of a line.
    pub const ALL: [Figure; 7] = [
        Self::OnTime,
        Self::Late,
        Self::DaysOverdue,
        Self::Returned,
        Self::LateSteps,
        Self::ReturnsRefused,
        Self::Reopened,
    ];

    /// What people call it.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::OnTime => "按时办结",
            Self::Late => "逾期",
            Self::DaysOverdue => "逾期天数",
            Self::Returned => "退回返工",
            Self::LateSteps => "环节逾期",
            Self::ReturnsRefused => "退回未准",
            Self::Reopened => "重新办理",
        }
    }
}

impl PointKey {
    /// Of a point.
    pub fn of(point: &Point) -> Self {
        PointKey { assignment: point.assignment.clone(), version: point.version }
    }

    /// Whether a point comes from there.
    pub fn names(&self, point: &Point) -> bool {
        self.assignment == point.assignment && self.version == point.version
    }
}

impl Correction {
    /// Whether it leaves a point of a figure out. What is not late has no days overdue either. A
    /// correction of what is open after its date is of the assignment's being late, also once it
    /// is settled.
    fn covers(&self, figure: Figure, point: &Point) -> bool {
        let same_figure =
            self.figure == figure || (self.figure == Figure::Late && figure == Figure::DaysOverdue);
        let same_event = match figure {
            Figure::Late | Figure::DaysOverdue => {
                self.point.version.is_none() || self.point.version == point.version
            }
            Figure::OnTime
            | Figure::Returned
            | Figure::LateSteps
            | Figure::ReturnsRefused
            | Figure::Reopened => self.point.version == point.version,
        };
        same_figure && self.point.assignment == point.assignment && same_event
    }
}

impl FromIterator<Correction> for Corrections {
    fn from_iter<I: IntoIterator<Item = Correction>>(corrections: I) -> Self {
        let mut found: BTreeMap<String, Vec<Correction>> = BTreeMap::new();
        for correction in corrections {
            found.entry(correction.point.assignment.clone()).or_default().push(correction);
        }
        Corrections(found)
    }
}

impl Corrections {
    /// The first correction that leaves a point out.
    fn of(&self, figure: Figure, point: &Point) -> Option<&Correction> {
        self.0.get(&point.assignment)?.iter().find(|correction| correction.covers(figure, point))
    }
}

impl Line {
    /// The points of a figure.
    pub fn figure(&self, figure: Figure) -> &[Point] {
        match figure {
            Figure::OnTime => &self.on_time,
            Figure::Late => &self.late,
            Figure::DaysOverdue => &self.days_overdue,
            Figure::Returned => &self.returned,
            Figure::LateSteps => &self.late_steps,
            Figure::ReturnsRefused => &self.returns_refused,
            Figure::Reopened => &self.reopened,
        }
    }

    fn figure_mut(&mut self, figure: Figure) -> &mut Vec<Point> {
        match figure {
            Figure::OnTime => &mut self.on_time,
            Figure::Late => &mut self.late,
            Figure::DaysOverdue => &mut self.days_overdue,
            Figure::Returned => &mut self.returned,
            Figure::LateSteps => &mut self.late_steps,
            Figure::ReturnsRefused => &mut self.returns_refused,
            Figure::Reopened => &mut self.reopened,
        }
    }

    /// Leaves out what was corrected, and lists it. Doing so again changes nothing.
    pub fn correct(&mut self, corrections: &Corrections) {
        if corrections.0.is_empty() {
            return;
        }
        for figure in Figure::ALL {
            let points = std::mem::take(self.figure_mut(figure));
            for point in points {
                match corrections.of(figure, &point) {
                    Some(Correction { ground, appeal, .. }) => {
                        let (ground, appeal) = (ground.clone(), appeal.clone());
                        self.corrected.push(Corrected { figure, point, ground, appeal, reopened: None });
                    }
                    None => self.figure_mut(figure).push(point),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::score::sum;

    const ONE: &str = "tasks/1/assignments/1";

    fn point(version: Option<i64>, value: u32) -> Point {
        Point { assignment: ONE.to_owned(), version, value }
    }

    fn correction(figure: Figure, version: Option<i64>) -> Correction {
        Correction {
            figure,
            point: PointKey { assignment: ONE.to_owned(), version },
            ground: "系统故障".to_owned(),
            appeal: "bulletins/1/appeals/1".to_owned(),
        }
    }

    /// Late, days overdue, late steps, and how many corrections.
    fn corrected(mut line: Line, corrections: Vec<Correction>) -> (usize, u64, u64, usize) {
        line.correct(&corrections.into_iter().collect());
        (line.late.len(), sum(&line.days_overdue), sum(&line.late_steps), line.corrected.len())
    }

    fn late(version: Option<i64>) -> Line {
        Line {
            late: vec![point(version, 1)],
            days_overdue: vec![point(version, 4)],
            late_steps: vec![point(Some(3), 2), point(Some(5), 1)],
            ..Line::default()
        }
    }

    #[test]
    fn what_is_not_late_has_no_days_overdue() {
        for version in [Some(7), None] {
            let found = corrected(late(version), vec![correction(Figure::Late, version)]);
            assert_eq!(found, (0, 0, 3, 2));
        }
        let days_alone = vec![correction(Figure::DaysOverdue, Some(7))];
        assert_eq!(corrected(late(Some(7)), days_alone), (1, 0, 3, 1));
    }

    #[test]
    fn a_correction_is_of_the_event_it_names() {
        assert_eq!(corrected(late(Some(7)), vec![correction(Figure::LateSteps, Some(3))]), (1, 4, 1, 1));
        assert_eq!(corrected(late(Some(7)), vec![correction(Figure::Late, Some(6))]), (1, 4, 3, 0));
        let other = Line {
            late: vec![Point { assignment: "tasks/2/assignments/1".to_owned(), ..point(None, 1) }],
            ..Line::default()
        };
        assert_eq!(corrected(other, vec![correction(Figure::Late, None)]), (1, 0, 0, 0));
    }

    #[test]
    fn what_was_corrected_while_it_was_open_stays_so_when_it_is_settled() {
        assert_eq!(corrected(late(Some(9)), vec![correction(Figure::Late, None)]), (0, 0, 3, 2));
    }

    proptest! {
        /// Whatever is left out is listed: nothing is lost, and correcting twice is correcting once.
        #[test]
        fn nothing_is_lost(
            points in prop::collection::vec((0_usize..7, prop::option::of(1_i64..5), 1_u32..9), 0..20),
            corrections in prop::collection::vec((0_usize..7, prop::option::of(1_i64..5)), 0..5),
        ) {
            let mut line = Line::default();
            for (figure, version, value) in &points {
                line.figure_mut(Figure::ALL[*figure]).push(point(*version, *value));
            }
            let corrections: Corrections = corrections
                .into_iter()
                .map(|(figure, version)| correction(Figure::ALL[figure], version))
                .collect();
            let total = |line: &Line| -> u64 { Figure::ALL.iter().map(|figure| sum(line.figure(*figure))).sum() };
            let before = total(&line);
            line.correct(&corrections);
            let left_out: u64 = line.corrected.iter().map(|one| u64::from(one.point.value)).sum();
            prop_assert_eq!(total(&line) + left_out, before);
            let once = line.clone();
            line.correct(&corrections);
            prop_assert_eq!(line, once);
        }
    }
}
