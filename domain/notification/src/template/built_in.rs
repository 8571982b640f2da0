//! [`NoticeData::built_in_words`]: what is told where a city has no words of its own, or where they
//! fail. The files of `templates/` say the same, byte for byte.

use super::compiled::Words;
use super::data::{ListedItem, Milestone, NoticeData};

impl NoticeData {
    /// The built-in words. They cannot fail.
    pub fn built_in_words(&self) -> Words {
        match self {
            Self::Assignment { task, unit, role, limits } => {
                let limits: Vec<_> =
                    limits.iter().map(|limit| format!("{}{}", limit.before, limit.step)).collect();
                let limits =
                    if limits.is_empty() { "按台账推进".to_owned() } else { limits.join("，") };
                let body = format!("{unit}为{}的{role}。{limits}。请及时签收。", task.task);
                words("交办", &task.task, body)
            }
            Self::AssignmentLeader { task, unit, settle_before } => {
                let body = format!("您分管的{unit}牵头办理{}，{}。", task.task, settle_by(settle_before));
                words("交办", &task.task, body)
            }
            Self::Document { document, unit, count, items } => Words {
                title: format!("交办：{document}，共{count}项"),
                body: format!("{document}交{unit}办理{count}项：\n{}\n请及时签收。", lines(items)),
            },
            Self::DocumentLeader { document, unit, count, led, items } => Words {
                title: format!("交办：{document}，共{count}项"),
                body: format!("您分管的{unit}牵头办理{document}{led}项：\n{}", lines(items)),
            },
            Self::Reminder { task, unit: _, settle_before } => {
                let body = format!("{}临近办结时限，{}。", task.task, settle_by(settle_before));
                words("提醒", &task.task, body)
            }
            Self::Urging { task, unit: _, steps } => {
                let body = format!("{}尚未{}，已超过规定时限，请立即办理。", task.task, steps.join("、"));
                words("催办", &task.task, body)
            }
            Self::SupervisorUrging { task, unit: _, settle_before, ground } => {
                let body = format!("请抓紧办理{}，{}：{ground}", task.task, settle_by(settle_before));
                words("催办", &task.task, body)
            }
            Self::RedLight { task, unit: _, settle_before } => {
                let limit = settle_by(settle_before);
                let body = format!("{}已逾期，{limit}。请抓紧办理并签收本通知。", task.task);
                words("红灯", &task.task, body)
            }
            Self::RedLightOverseer { task, unit, settle_before } => {
                let body = format!("{unit}办理{}已逾期，{}。", task.task, settle_by(settle_before));
                words("红灯", &task.task, body)
            }
            Self::MilestoneReminder { task, unit: _, last_day, milestone } => {
                let body = format!("{}临近节点时限：{last_day}前{milestone}。", task.task);
                words("提醒", &task.task, body)
            }
            Self::MilestoneRedLight { task, unit: _, milestones } => {
                let missed = missed(milestones);
                let body = format!("{}的节点已逾期：{missed}。请抓紧办理并签收本通知。", task.task);
                words("红灯", &task.task, body)
            }
            Self::MilestoneRedLightOverseer { task, unit, milestones } => {
                let body = format!("{unit}办理{}的节点已逾期：{}。", task.task, missed(milestones));
                words("红灯", &task.task, body)
            }
            Self::StruckOff { task, unit, completed } => {
                let body = match completed {
                    None => format!("{}已由牵头单位办结，{unit}承担的工作随任务销号。", task.task),
                    Some(completed) => {
                        format!("{}经核验通过，{unit}承担的工作已于{completed}办结，现予销号。", task.task)
                    }
                };
                words("销号", &task.task, body)
            }
            Self::TaskStruckOff { task, completed } => {
                words("销号", &task.task, format!("{}已于{completed}办结，现予销号。", task.task))
            }
            Self::Withdrawn { task, ground } => {
                words("撤销", &task.task, format!("{}已撤销，不再办理。理由：{ground}", task.task))
            }
            Self::SentBack { task, unit: _, note } => {
                let body = format!("{}的办结申请未通过核验，退回返工：{note}", task.task);
                words("退回", &task.task, body)
            }
        }
    }
}

fn words(what: &str, task: &str, body: String) -> Words {
    Words { title: format!("{what}：{task}"), body }
}

fn settle_by(before: &Option<String>) -> String {
    match before {
        Some(before) => format!("办结时限为{before}"),
        None => "按台账推进".to_owned(),
    }
}

fn missed(milestones: &[Milestone]) -> String {
    let clauses = milestones.iter().map(|one| format!("{}前{}", one.last_day, one.text));
    clauses.collect::<Vec<_>>().join("；")
}

fn lines(items: &[ListedItem]) -> String {
    items.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// One item as the list has it. A restricted one is called by its number alone.
fn line(item: &ListedItem) -> String {
    let title = match &item.title {
        Some(title) => format!("《{title}》"),
        None => "（限定单位）".to_owned(),
    };
    let limit = item.settle_before.as_ref().map_or(String::new(), |before| format!("，{before}办结"));
    format!("{}{title}（台账第{}号，{}{limit}）", item.label, item.number, item.role)
}
