//! Milestones (节点): the dated clauses of a task, as each unit meets them.
//!
//! A milestone concerns the units it names; one that names none, those that settle the task. The
//! next one that a unit has not reached has a clock beside the settle clock: yellow by the same
//! thresholds, red when it is missed. Its instant moves with the settle date: by what others kept
//! the unit waiting from before it, suspensions included, and by as much as an extension that was
//! asked for before it gave. The unit reports it reached, which is a report of progress, too; the
//! supervisor may send that back, and then it is as if it had not been reported.

use std::time::Duration;

use domain_attachment::Attachment;
use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use time::Date;

use crate::assignment::{Assignment, AssignmentState, Stage};
use crate::content::Milestone;
use crate::decide::{Context, happened, proof, said};
use crate::error::{NotEmpty, SupervisionError};
use crate::event::{AssignmentChange, TaskEvent};
use crate::paper::chinese_day;
use crate::rule::end_of;
use crate::task::Task;

/// What is known of a milestone for one assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MilestoneMark {
    /// Its place among the milestones of the task, from one. A revision keeps it up to date.
    pub number: u32,
    /// When the unit reported it reached; none: it did not, or that was sent back.
    #[serde(default)]
    pub reached_at: Option<Timestamp>,
    /// The unit was reminded that little time is left.
    #[serde(default)]
    pub reminded: bool,
    /// It was told that it is missed: once, whatever becomes of it.
    #[serde(default)]
    pub missed: bool,
}

/// By how much an extension moved the settle date, and since when it had been asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shift {
    /// What was due by then does not move.
    pub since: Timestamp,
    /// By how much.
    pub by: Duration,
}

/// Which milestone is meant, in the words of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedMilestone {
    /// Its last day as the task says it, Asia/Shanghai.
    #[serde(with = "crate::date_text::whole")]
    pub last_day: Date,
    /// What is to be reached; may be empty where the day names one alone.
    pub clause: String,
}

/// A milestone as it stood when something happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Clause {
    /// Its place among the milestones of the task then, from one.
    pub number: u32,
    /// Its last day as the task said it, Asia/Shanghai.
    #[serde(with = "crate::date_text::whole")]
    pub last_day: Date,
    /// What is to be reached.
    pub text: String,
}

/// What can be asked about a milestone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MilestoneCommand {
    /// 报告节点完成, by the unit.
    Reach {
        /// Which.
        which: NamedMilestone,
        /// What was done; must not be empty.
        text: String,
        /// Evidence; may be empty.
        attachments: Vec<Attachment>,
    },
    /// 退回节点, by the supervisor.
    SendBack {
        /// Which.
        which: NamedMilestone,
        /// Why it is not reached; must not be empty.
        note: String,
    },
}

/// What happened to milestones of an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum MilestoneChange {
    /// 节点完成, as the unit reports.
    Reached {
        /// Which.
        milestone: Clause,
        /// What was done.
        text: String,
        /// Evidence.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<Attachment>,
    },
    /// 退回: it counts as not reached.
    SentBack {
        /// Which.
        milestone: Clause,
        /// Why.
        note: String,
        /// Its day was over then: the unit is told that it is missed, and not reminded of it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        past: bool,
    },
    /// 提醒: little time is left. Sent once for one milestone.
    Reminded {
        /// Which.
        milestone: Clause,
    },
    /// 节点逾期. Told once for one milestone.
    Missed {
        /// Which.
        milestones: Vec<Clause>,
    },
}

/// A milestone that a unit has not reached and that counts for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenMilestone<'a> {
    pub(crate) number: u32,
    pub(crate) milestone: &'a Milestone,
    /// The end of its last day, as the task says it.
    pub(crate) end: Timestamp,
    /// What that has moved to.
    pub(crate) due: Timestamp,
    mark: Option<&'a MilestoneMark>,
}

impl OpenMilestone<'_> {
    pub(crate) fn clause(&self) -> Clause {
        Clause { number: self.number, last_day: self.milestone.last_day, text: self.milestone.text.clone() }
    }

    pub(crate) fn was_reminded(&self) -> bool {
        self.mark.is_some_and(|mark| mark.reminded)
    }

    pub(crate) fn was_told_missed(&self) -> bool {
        self.mark.is_some_and(|mark| mark.missed)
    }
}

/// The milestones that an assignment has not reached, by when they are due. Settling the matter
/// answers for those that are only due with it or later; those that were due before the clock
/// started, or before the system knew of the work, are not asked for.
pub(crate) fn open_milestones<'a>(
    task: &'a Task,
    assignment: &'a Assignment,
    start: Timestamp,
    settle: Timestamp,
) -> Vec<OpenMilestone<'a>> {
    if assignment.milestones_done {
        return Vec::new();
    }
    let open = |(number, milestone): (u32, &'a Milestone)| {
        let mark = assignment.mark(number);
        let end = end_of(milestone.last_day);
        let due = assignment.moved(end);
        let counts = end > start && due < settle && assignment.counted_from.is_none_or(|from| due > from);
        let is_open = mark.is_none_or(|mark| mark.reached_at.is_none());
        (counts && is_open).then_some(OpenMilestone { number, milestone, end, due, mark })
    };
    let mut open: Vec<_> = task.milestones_of(assignment).filter_map(open).collect();
    open.sort_by_key(|one| (one.due, one.number));
    open
}

/// The events that follow, or why it is refused.
pub(crate) fn decide(
    task: &Task,
    assignment: &Assignment,
    command: &MilestoneCommand,
    context: &Context<'_>,
) -> Result<Vec<TaskEvent>, SupervisionError> {
    assignment.state.after(command.action())?;
    let change = match command {
        MilestoneCommand::Reach { which, text, attachments } => {
            let milestone = task.named_milestone(assignment, which)?;
            if assignment.has_reached(milestone.number) {
                return Err(SupervisionError::MilestoneReached { clause: milestone.text });
            }
            let text = said(text, NotEmpty::Report)?;
            // It is a report of progress, too.
            let attachments = proof(task, Stage::Report, attachments, context)?;
            MilestoneChange::Reached { milestone, text, attachments }
        }
        MilestoneCommand::SendBack { which, note } => {
            let milestone = task.named_milestone(assignment, which)?;
            if !assignment.has_reached(milestone.number) {
                return Err(SupervisionError::MilestoneNotReached { clause: milestone.text });
            }
            let past = assignment.moved(end_of(milestone.last_day)) <= context.now;
            MilestoneChange::SentBack { milestone, note: said(note, NotEmpty::MilestoneNote)?, past }
        }
    };
    Ok(vec![happened(task, assignment, AssignmentChange::Milestone(change), context)])
}

impl MilestoneCommand {
    /// The action it is, which the state machine answers.
    pub fn action(&self) -> crate::assignment::Action {
        match self {
            Self::Reach { .. } => crate::assignment::Action::ReachMilestone,
            Self::SendBack { .. } => crate::assignment::Action::SendBackMilestone,
        }
    }
}

impl MilestoneChange {
    /// The type it is recorded under.
    pub(crate) fn event_type(&self) -> &'static str {
        match self {
            Self::Reached { .. } => "supervision.assignment.milestone_reached",
            Self::SentBack { .. } => "supervision.assignment.milestone_sent_back",
            Self::Reminded { .. } => "supervision.assignment.milestone_reminded",
            Self::Missed { .. } => "supervision.assignment.milestone_missed",
        }
    }

    /// The files that it brought.
    pub(crate) fn attachments(&self) -> &[Attachment] {
        match self {
            Self::Reached { attachments, .. } => attachments,
            Self::SentBack { .. } | Self::Reminded { .. } | Self::Missed { .. } => &[],
        }
    }

    /// As officials read it. `unit` is what people call the holder.
    pub(crate) fn describe(&self, unit: &str) -> String {
        match self {
            Self::Reached { milestone, text, attachments } => {
                let files = match attachments.len() {
                    0 => String::new(),
                    count => format!("（附件{count}个）"),
                };
                format!("{unit}报告节点完成（{}）：{text}{files}", milestone.chinese())
            }
            Self::SentBack { milestone, note, past: _ } => {
                format!("退回{unit}的节点完成报告（{}）：{note}", milestone.chinese())
            }
            Self::Reminded { milestone } => format!("提醒{unit}：节点期限将至（{}）", milestone.chinese()),
            Self::Missed { milestones } => {
                let told: Vec<String> = milestones.iter().map(Clause::chinese).collect();
                format!("{unit}节点逾期（{}）", told.join("；"))
            }
        }
    }
}

impl Clause {
    /// Its day and what is to be reached.
    pub fn chinese(&self) -> String {
        format!("{}前{}", chinese_day(self.last_day), self.text)
    }
}

impl Task {
    /// The milestones that concern an assignment, with their places, from one.
    pub fn milestones_of<'a>(
        &'a self,
        assignment: &'a Assignment,
    ) -> impl Iterator<Item = (u32, &'a Milestone)> {
        let settles = assignment.role == self.settling_role();
        let concerned = move |milestone: &Milestone| {
            if milestone.units.is_empty() { settles } else { assignment.is_named_in(&milestone.units) }
        };
        (1..).zip(&self.milestones).filter(move |(_, milestone)| concerned(milestone))
    }

    /// The one that is meant, of those that concern the assignment.
    fn named_milestone(
        &self,
        assignment: &Assignment,
        which: &NamedMilestone,
    ) -> Result<Clause, SupervisionError> {
        let clause = which.clause.trim();
        let mut meant = self.milestones_of(assignment).filter(|(_, milestone)| {
            milestone.last_day == which.last_day && (clause.is_empty() || milestone.text.trim() == clause)
        });
        match (meant.next(), meant.next()) {
            (Some((number, Milestone { last_day, text, units: _ })), None) => {
                Ok(Clause { number, last_day: *last_day, text: text.clone() })
            }
            (Some(_), Some(_)) => Err(SupervisionError::MilestoneUnclear { last_day: which.last_day }),
            (None, _) => Err(SupervisionError::NoMilestone { last_day: which.last_day }),
        }
    }
}

impl Assignment {
    /// Whether the holder, or a unit whose part it took over, is one of these.
    fn is_named_in(&self, units: &[String]) -> bool {
        units.iter().any(|unit| *unit == self.unit || self.formerly_of.contains(unit))
    }

    /// What is known of the milestone at a place.
    pub fn mark(&self, number: u32) -> Option<&MilestoneMark> {
        self.milestones.iter().find(|mark| mark.number == number)
    }

    /// Whether the unit has reached the milestone at a place.
    pub fn has_reached(&self, number: u32) -> bool {
        self.mark(number).is_some_and(|mark| mark.reached_at.is_some())
    }

    /// What an instant that a document names has moved to: by each pause and each extension that
    /// began before it had come.
    pub(crate) fn moved(&self, end: Timestamp) -> Timestamp {
        let pauses = self.charges.iter().map(|one| (one.from, one.moved));
        let mut moves: Vec<_> = pauses.chain(self.shifts.iter().map(|one| (one.since, one.by))).collect();
        moves.sort_unstable();
        moves.into_iter().fold(end, |due, (since, by)| if since < due { due.saturating_add(by) } else { due })
    }

    pub(crate) fn take_milestone(&mut self, change: &MilestoneChange, at: Timestamp) {
        match change {
            MilestoneChange::Reached { milestone, .. } => {
                self.state = AssignmentState::InProgress;
                self.last_report_at = Some(at);
                self.mark_mut(milestone.number).reached_at = Some(at);
            }
            MilestoneChange::SentBack { milestone, note: _, past } => {
                let mark = self.mark_mut(milestone.number);
                mark.reached_at = None;
                mark.reminded |= *past;
            }
            MilestoneChange::Reminded { milestone } => self.mark_mut(milestone.number).reminded = true,
            MilestoneChange::Missed { milestones } => {
                for milestone in milestones {
                    self.mark_mut(milestone.number).missed = true;
                }
            }
        }
    }

    fn mark_mut(&mut self, number: u32) -> &mut MilestoneMark {
        let at = match self.milestones.iter().position(|mark| mark.number == number) {
            Some(at) => at,
            None => {
                let mark = MilestoneMark { number, reached_at: None, reminded: false, missed: false };
                self.milestones.push(mark);
                self.milestones.len() - 1
            }
        };
        &mut self.milestones[at]
    }

    /// Keeps what is known of milestones that a revision moves to other places, or words otherwise.
    /// One that got another day is told of anew; what was reached stays reached.
    pub(crate) fn follow_revision(&mut self, before: &[Milestone], after: &[Milestone]) {
        if before == after {
            return;
        }
        let marks = std::mem::take(&mut self.milestones);
        for mark in marks {
            let Some(old) = (mark.number as usize).checked_sub(1).and_then(|at| before.get(at)) else {
                continue;
            };
            let Some(at) = successor(old, before, after) else { continue };
            let same_day = after[at].last_day == old.last_day;
            let number = u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1);
            self.milestones.push(MilestoneMark {
                number,
                reached_at: mark.reached_at,
                reminded: mark.reminded && same_day,
                missed: mark.missed && same_day,
            });
        }
    }
}

/// Where a milestone stands after a revision: the same, or the same words on the same day, or the
/// same words where they are said once.
fn successor(old: &Milestone, before: &[Milestone], after: &[Milestone]) -> Option<usize> {
    let once = |all: &[Milestone]| all.iter().filter(|one| one.text == old.text).count() == 1;
    let same = after.iter().position(|one| one == old);
    let dated = || after.iter().position(|one| (one.last_day, &one.text) == (old.last_day, &old.text));
    let worded = || after.iter().position(|one| one.text == old.text).filter(|_| once(before) && once(after));
    same.or_else(dated).or_else(worded)
}
