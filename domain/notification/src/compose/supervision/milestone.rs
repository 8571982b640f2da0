//! What is told of milestones: the unit is reminded and told what it missed, as of its settle date;
//! whoever oversees it hears what it reached and missed.

use domain_roster::Book;
use domain_supervision::{AssignmentEvent, Clause, MilestoneChange, TaskFacts};

use super::{Matter, in_charge_of, overseers, told};
use crate::audience::Audience;
use crate::notice::{Notice, NoticeKind};
use crate::wording::{called, day, quoted, unit};

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
            let body = format!("{heading}临近节点时限：{}。", clause(task, milestone));
            vec![told(task, NoticeKind::Reminder, "提醒", body, to_unit())]
        }
        MilestoneChange::Missed { milestones } => {
            let missed: Vec<String> = milestones.iter().map(|one| clause(task, one)).collect();
            let missed = missed.join("；");
            let to_sign = format!("{heading}的节点已逾期：{missed}。请抓紧办理并签收本通知。");
            let to_know = format!("{holder}办理{heading}的节点已逾期：{missed}。");
            vec![
                told(task, NoticeKind::Light, "红灯", to_sign, to_unit())
                    .requiring_signature(matter.ladder(assignment)),
                told(task, NoticeKind::Light, "红灯", to_know, overseers(task, assignment, matter)),
            ]
        }
    }
}

/// Its day and what is to be reached, as far as it may be quoted.
fn clause(task: &TaskFacts, milestone: &Clause) -> String {
    format!("{}前{}", day(milestone.last_day), quoted(task, &milestone.text))
}
