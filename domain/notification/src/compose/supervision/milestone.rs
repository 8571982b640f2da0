//! What is told of milestones: the unit is reminded and told what it missed, as of its settle date;
//! whoever oversees it hears what it reached and missed.

use domain_roster::Book;
use domain_supervision::{AssignmentEvent, Clause, MilestoneChange, TaskFacts};

use super::{Matter, in_charge_of, overseers, told, worded};
use crate::audience::Audience;
use crate::notice::{Notice, NoticeKind};
use crate::template::{Milestone, NoticeData};
use crate::wording::{called, day, quoted, task_words, unit};

pub(super) fn of_milestone(
    event: &AssignmentEvent,
    change: &MilestoneChange,
    matter: &Matter,
    book: &Book,
) -> Vec<Notice> {
    let (task, assignment) = (&event.task, &event.assignment);
    let (heading, holder) = (called(task), unit(book, &assignment.unit));
    let to_unit = || vec![Audience::UnitLiaison(assignment.unit.clone())];
    match change {
        MilestoneChange::Reached { milestone, text, .. } => {
            let late = if event.late.is_empty() { "" } else { "（逾期）" };
            let what = clause(task, milestone);
            let body = format!("{holder}报告{heading}的节点已完成{late}（{what}）：{}", quoted(task, text));
            let leader = match &task.designated {
                Some(designated) => Audience::Official(designated.clone()),
                None => in_charge_of(matter.decider(assignment)),
            };
            let audiences = overseers(task, assignment, matter).into_iter().chain([leader]).collect();
            vec![told(task, NoticeKind::Progress, "节点完成", body, audiences)]
        }
        MilestoneChange::SentBack { milestone, note, .. } => {
            let what = clause(task, milestone);
            let body = format!("{heading}的节点完成报告未通过（{what}）：{}", quoted(task, note));
            vec![told(task, NoticeKind::Outcome, "退回节点", body, to_unit())]
        }
        MilestoneChange::Reminded { milestone } => {
            let Milestone { last_day, text } = milestone_words(task, milestone);
            let (words, unit) = (task_words(task), holder.to_owned());
            let data = NoticeData::MilestoneReminder { task: words, unit, last_day, milestone: text };
            vec![worded(task, data, to_unit())]
        }
        MilestoneChange::Missed { milestones } => {
            let milestones: Vec<_> = milestones.iter().map(|one| milestone_words(task, one)).collect();
            let (words, unit) = (task_words(task), holder.to_owned());
            let to_sign = NoticeData::MilestoneRedLight {
                task: words.clone(),
                unit: unit.clone(),
                milestones: milestones.clone(),
            };
            let to_know = NoticeData::MilestoneRedLightOverseer { task: words, unit, milestones };
            vec![
                worded(task, to_sign, to_unit()).requiring_signature(matter.ladder(assignment)),
                worded(task, to_know, overseers(task, assignment, matter)),
            ]
        }
    }
}

/// Its day and what is to be reached, as far as it may be quoted.
fn clause(task: &TaskFacts, milestone: &Clause) -> String {
    let Milestone { last_day, text } = milestone_words(task, milestone);
    format!("{last_day}前{text}")
}

fn milestone_words(task: &TaskFacts, milestone: &Clause) -> Milestone {
    Milestone { last_day: day(milestone.last_day), text: quoted(task, &milestone.text) }
}
