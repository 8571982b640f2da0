//! What happened to a task, as officials read it.

use domain_roster::Book;
use domain_supervision::{
    AssignmentChange, AssignmentEvent, AssignmentFacts, Content, Stage, TaskChange, TaskEvent, WholeTaskEvent,
};
use xietong_events::Event;
use xietong_mesh::Error;
use xietong_mesh::convert::encode_time;
use xietong_proto::supervision as proto;
use xietong_store::StoreError;

use crate::error::unreadable;

/// One event. Units are called by their names in the roster, or by their resource names while
/// it is not known.
pub(super) fn entry(event: Event, roster: &Book) -> Result<proto::TimelineEntry, Error> {
    let payload =
        serde_json::from_str(&event.payload).map_err(|error| StoreError::corrupt("event", error))?;
    let text = match TaskEvent::from_payload(&event.event_type, &payload).map_err(unreadable)? {
        Some(TaskEvent::Task(event)) => of_task(&event, roster),
        Some(TaskEvent::Assignment(event)) => of_assignment(&event, roster),
        // Written by a newer version of this service.
        None => "其他事项".to_owned(),
    };
    Ok(proto::TimelineEntry {
        r#type: event.event_type,
        time: Some(encode_time(event.occurred_at)),
        actor: event.actor,
        acting_for: event.acting_for.unwrap_or_default(),
        ground: event.ground.unwrap_or_default(),
        text,
        version: event.version,
    })
}

fn of_task(event: &WholeTaskEvent, roster: &Book) -> String {
    match &event.change {
        TaskChange::Created { draft } => format!("登记任务：{}", draft.title),
        TaskChange::Issued { assignments, .. } => format!("交办至{}", units(assignments, roster)),
        TaskChange::Backfilled { assignments, .. } => {
            let units = assignments.iter().map(|one| called(&one.facts.unit, roster));
            format!("补录在办任务，承办单位{}", listed(units))
        }
        TaskChange::Revised { before, after, ground, .. } => revised(before, after, ground),
        TaskChange::Withdrawn { ground, .. } => format!("撤销任务：{ground}"),
        TaskChange::StruckOff { .. } => "任务销号".to_owned(),
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
    ] {
        if differs {
            changes.push(format!("{what}有调整"));
        }
    }
    let ground = if ground.is_empty() { String::new() } else { format!("（依据：{ground}）") };
    format!("修订：{}{ground}", changes.join("；"))
}

fn of_assignment(event: &AssignmentEvent, roster: &Book) -> String {
    let unit = called(&event.assignment.unit, roster);
    match &event.change {
        AssignmentChange::Signed => format!("{unit}签收"),
        AssignmentChange::Deployed { plan } if plan.is_empty() => format!("{unit}部署"),
        AssignmentChange::Deployed { plan } => format!("{unit}部署：{plan}"),
        AssignmentChange::Reported { text } => format!("{unit}反馈进展：{text}"),
        AssignmentChange::Submitted { text, request_waited: None } => format!("{unit}申请办结：{text}"),
        AssignmentChange::Submitted { text, request_waited: Some(_) } => {
            format!("{unit}申请办结，延期申请随之撤回：{text}")
        }
        AssignmentChange::Verified { note, .. } if note.is_empty() => format!("核验通过{unit}的办理结果"),
        AssignmentChange::Verified { note, .. } => format!("核验通过{unit}的办理结果：{note}"),
        AssignmentChange::SentBack { note, .. } => format!("退回{unit}返工：{note}"),
        AssignmentChange::StruckOff { with_task: false, .. } => format!("{unit}销号"),
        AssignmentChange::StruckOff { with_task: true, .. } => format!("{unit}随任务销号"),
        AssignmentChange::ExtensionRequested { last_day, reason } => {
            format!("{unit}申请延期至{last_day}：{reason}")
        }
        AssignmentChange::ExtensionGranted { last_day, note, .. } if note.is_empty() => {
            format!("同意{unit}延期至{last_day}")
        }
        AssignmentChange::ExtensionGranted { last_day, note, .. } => {
            format!("同意{unit}延期至{last_day}：{note}")
        }
        AssignmentChange::ExtensionRefused { last_day, note, .. } => {
            format!("不同意{unit}延期至{last_day}：{note}")
        }
        AssignmentChange::Overdue => format!("{unit}逾期未办结"),
        AssignmentChange::Reminded => format!("提醒{unit}：办结期限将至"),
        AssignmentChange::Urged { stages } => {
            format!("催办{unit}：{}逾期", listed(stages.iter().map(|one| stage(*one))))
        }
    }
}

fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Sign => "签收",
        Stage::Deploy => "部署",
        Stage::Report => "反馈",
        Stage::Settle => "办结",
    }
}

fn units(assignments: &[AssignmentFacts], roster: &Book) -> String {
    listed(assignments.iter().map(|one| called(&one.unit, roster)))
}

fn called<'a>(unit: &'a str, roster: &'a Book) -> &'a str {
    roster.unit(unit).map_or(unit, |known| known.display_name.as_str())
}

fn listed<'a>(items: impl Iterator<Item = &'a str>) -> String {
    items.collect::<Vec<_>>().join("、")
}
