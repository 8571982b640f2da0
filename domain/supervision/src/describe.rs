//! What happened to a task, as officials read it.

use domain_attachment::Attachment;

use crate::content::Content;
use crate::event::{
    AssignmentChange, AssignmentEvent, AssignmentFacts, TaskChange, TaskEvent, TaskFacts, WholeTaskEvent,
};
use crate::figure::FigureChange;
use crate::limit_text::limit_before;
use crate::milestone::MilestoneChange;
use crate::paper::chinese_day;
use crate::task::Visibility;

/// What people call a unit or an official, given its resource name.
type Called<'a> = &'a dyn Fn(&str) -> String;

/// One event, in Chinese, of the task that it stands under. `called` says what people call a unit or
/// an official.
pub fn describe(event: &TaskEvent, called: Called<'_>) -> String {
    match event {
        TaskEvent::Task(event) => of_task(event, called),
        TaskEvent::Assignment(event) => of_assignment(event, called),
    }
}

/// One event as an act that stands among acts on other tasks; none of what merely follows from
/// another act (a striking-off) or comes about by itself. Of a task that only named units may know
/// it says no more than where it stands on the ledger.
pub fn describe_act(event: &TaskEvent, called: Called<'_>) -> Option<String> {
    let is_act = match event {
        TaskEvent::Task(event) => match event.change {
            // The reopening of the assignment says it.
            TaskChange::StruckOff { .. }
            | TaskChange::Reopened { .. }
            | TaskChange::Figure(FigureChange::Asked { .. })
            | TaskChange::InstructionDue { .. } => false,
            TaskChange::Created { .. }
            | TaskChange::Issued { .. }
            | TaskChange::Backfilled { .. }
            | TaskChange::Revised { .. }
            | TaskChange::Rebased { .. }
            | TaskChange::Circumstance { .. }
            | TaskChange::Withdrawn { .. }
            | TaskChange::JoinedMatter { .. }
            | TaskChange::LeftMatter { .. }
            | TaskChange::Instructed { .. }
            | TaskChange::InstructionSigned { .. }
            | TaskChange::Figure(FigureChange::Given { .. })
            | TaskChange::CooperatingAdded { .. } => true,
        },
        TaskEvent::Assignment(event) => match event.change {
            AssignmentChange::Milestone(
                MilestoneChange::Reminded { .. } | MilestoneChange::Missed { .. },
            )
            | AssignmentChange::StruckOff { .. }
            | AssignmentChange::DeadlineRecomputed { .. }
            | AssignmentChange::Overdue
            | AssignmentChange::Reminded
            | AssignmentChange::Urged { .. } => false,
            AssignmentChange::Milestone(
                MilestoneChange::Reached { .. } | MilestoneChange::SentBack { .. },
            )
            | AssignmentChange::Signed
            | AssignmentChange::Deployed { .. }
            | AssignmentChange::Reported { .. }
            | AssignmentChange::Submitted { .. }
            | AssignmentChange::Verified { .. }
            | AssignmentChange::SentBack { .. }
            | AssignmentChange::ExtensionRequested { .. }
            | AssignmentChange::ExtensionGranted { .. }
            | AssignmentChange::ExtensionRefused { .. }
            | AssignmentChange::SideRoad(_)
            | AssignmentChange::Pressed(_) => true,
        },
    };
    let TaskFacts { title, ledger_number, visibility, .. } = event.task();
    is_act.then(|| match visibility {
        Visibility::Restricted => format!("办理限定知悉范围的事项（台账第{ledger_number}号）"),
        Visibility::Public | Visibility::Internal => {
            format!("《{title}》（台账第{ledger_number}号）：{}", describe(event, called))
        }
    })
}

fn of_task(event: &WholeTaskEvent, called: Called<'_>) -> String {
    match &event.change {
        TaskChange::Created { draft, known } if known.is_empty() => format!("登记任务：{}", draft.title),
        TaskChange::Created { draft, known } => {
            let known = listed(known.iter().map(|one| format!("第{}号", one.ledger_number)));
            format!("登记任务：{}（已知与台账{known}相近，确认另行登记）", draft.title)
        }
        TaskChange::Issued { assignments, .. } => format!("交办至{}", units(assignments, called)),
        TaskChange::Backfilled { assignments, .. } => {
            let units = assignments.iter().map(|one| called(&one.facts.unit));
            format!("补录在办任务，承办单位{}", listed(units))
        }
        TaskChange::Revised { before, after, ground, .. } => revised(before, after, ground),
        TaskChange::Rebased { from, to, ground, .. } => {
            format!("计时规则由第{from}版改为第{to}版（依据：{ground}）")
        }
        TaskChange::Withdrawn { ground, .. } => format!("撤销任务：{ground}"),
        TaskChange::StruckOff { .. } => "任务销号".to_owned(),
        TaskChange::Reopened { ground, .. } => format!("任务重新办理：{ground}"),
        TaskChange::JoinedMatter { title, ground, .. } => format!("并入事项《{title}》：{ground}"),
        TaskChange::LeftMatter { title, ground, .. } => format!("移出事项《{title}》：{ground}"),
        TaskChange::Circumstance { circumstance, .. } => circumstance.describe(),
        TaskChange::Figure(change) => change.describe(called),
        TaskChange::Instructed { instruction, .. } => {
            let addressees = listed(instruction.addressees().map(called));
            let by = instruction.due_at.map_or_else(String::new, |due| format!("（{}）", limit_before(due)));
            format!("{}批示{addressees}{by}：{}", called(&instruction.leader), instruction.text)
        }
        TaskChange::InstructionSigned { signed, .. } => {
            format!("{}签收批示", listed(signed.iter().map(|one| called(one))))
        }
        TaskChange::InstructionDue { owing, leader, .. } => {
            let owing = listed(owing.iter().map(|one| called(one)));
            format!("催办{owing}：{}批示的办理时限已到", called(leader))
        }
        TaskChange::CooperatingAdded { ground, assignments } if ground.is_empty() => {
            format!("增加配合单位{}", units(assignments, called))
        }
        TaskChange::CooperatingAdded { ground, assignments } => {
            format!("增加配合单位{}：{ground}", units(assignments, called))
        }
    }
}

/// What a revision changed, with what it was before.
fn revised(before: &Content, after: &Content, ground: &str) -> String {
    let mut changes = Vec::new();
    for (what, old, new) in [("名称", &before.title, &after.title), ("内容", &before.text, &after.text)] {
        if old != new {
            changes.push(format!("{what}由“{old}”改为“{new}”"));
        }
    }
    if before.due_date != after.due_date {
        let day = |day: Option<time::Date>| day.map_or_else(|| "按规则".to_owned(), |day| day.to_string());
        changes.push(format!("期限由{}改为{}", day(before.due_date), day(after.due_date)));
    }
    for (what, differs) in [
        ("类别", before.grade != after.grade),
        ("标签", before.tags != after.tags),
        ("节点", before.milestones != after.milestones),
        ("指标", before.targets != after.targets),
        ("待明确事项", before.open_points != after.open_points),
        ("承办单位", before.assignments != after.assignments),
        ("附件", before.attachments != after.attachments),
        ("上级任务", before.parent != after.parent),
    ] {
        if differs {
            changes.push(format!("{what}有调整"));
        }
    }
    let ground = if ground.is_empty() { String::new() } else { format!("（依据：{ground}）") };
    format!("修订：{}{ground}", changes.join("；"))
}

fn of_assignment(event: &AssignmentEvent, called: Called<'_>) -> String {
    let unit = called(&event.assignment.unit);
    match &event.change {
        AssignmentChange::Signed => format!("{unit}签收"),
        AssignmentChange::Deployed { plan } if plan.is_empty() => format!("{unit}部署"),
        AssignmentChange::Deployed { plan } => format!("{unit}部署：{plan}"),
        AssignmentChange::Reported { text, shared: None, attachments } => {
            format!("{unit}反馈进展：{text}{}", with(attachments))
        }
        AssignmentChange::Reported { text, shared: Some(shared), attachments } => format!(
            "{unit}反馈进展（一次反馈，同时答复事项《{}》的各项任务）：{text}{}",
            shared.title,
            with(attachments)
        ),
        AssignmentChange::Submitted { text, request_waited: None, attachments } => {
            format!("{unit}申请办结：{text}{}", with(attachments))
        }
        AssignmentChange::Submitted { text, request_waited: Some(_), attachments } => {
            format!("{unit}申请办结，延期申请随之撤回：{text}{}", with(attachments))
        }
        AssignmentChange::Verified { note, .. } if note.is_empty() => format!("核验通过{unit}的办理结果"),
        AssignmentChange::Verified { note, .. } => format!("核验通过{unit}的办理结果：{note}"),
        AssignmentChange::SentBack { note, .. } => format!("退回{unit}返工：{note}"),
        AssignmentChange::StruckOff { with_task: false, .. } => format!("{unit}销号"),
        AssignmentChange::StruckOff { with_task: true, .. } => format!("{unit}随任务销号"),
        AssignmentChange::ExtensionRequested { last_day, reason } => {
            format!("{unit}申请延期至{}：{reason}", chinese_day(*last_day))
        }
        AssignmentChange::ExtensionGranted { last_day, note, .. } if note.is_empty() => {
            format!("同意{unit}延期至{}", chinese_day(*last_day))
        }
        AssignmentChange::ExtensionGranted { last_day, note, .. } => {
            format!("同意{unit}延期至{}：{note}", chinese_day(*last_day))
        }
        AssignmentChange::ExtensionRefused { last_day, note, .. } => {
            format!("不同意{unit}延期至{}：{note}", chinese_day(*last_day))
        }
        AssignmentChange::DeadlineRecomputed { calendar_version, .. } => {
            format!("按第{calendar_version}版工作日历重新核定{unit}的办理时限")
        }
        AssignmentChange::Milestone(change) => change.describe(&unit),
        AssignmentChange::SideRoad(change) => change.describe(&unit, called),
        AssignmentChange::Pressed(used) => used.describe(&unit),
        AssignmentChange::Overdue => format!("{unit}逾期未办结"),
        AssignmentChange::Reminded => format!("提醒{unit}：办结期限将至"),
        AssignmentChange::Urged { stages, .. } => {
            format!("催办{unit}：{}逾期", listed(stages.iter().map(|stage| stage.chinese())))
        }
    }
}

/// How many files came with it; nothing when none did.
fn with(attachments: &[Attachment]) -> String {
    if attachments.is_empty() { String::new() } else { format!("（附件{}个）", attachments.len()) }
}

fn units(assignments: &[AssignmentFacts], called: Called<'_>) -> String {
    listed(assignments.iter().map(|one| called(&one.unit)))
}

fn listed<T: Into<String>>(items: impl Iterator<Item = T>) -> String {
    items.map(Into::into).collect::<Vec<String>>().join("、")
}
