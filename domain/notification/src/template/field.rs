//! [`Field`]: what a template may use, as a clerk is told.

use serde_json::Value;

use super::data::NoticeData;
use super::kind::TemplateKind;
use super::sample::Sample;

/// Something that a template may use. A field of what is listed in another one is written
/// `limits.step`: it is used inside `{% for limit in limits %}` as `limit.step`.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// As templates write it.
    pub name: &'static str,
    /// What it says, in Chinese.
    pub meaning: &'static str,
    /// It may be absent: to be used under `if`.
    pub optional: bool,
}

const fn field(name: &'static str, meaning: &'static str) -> Field {
    Field { name, meaning, optional: false }
}

const fn optional(name: &'static str, meaning: &'static str) -> Field {
    Field { name, meaning, optional: true }
}

const TASK: &[Field] = &[
    field("task", "任务的称呼：台账编号和标题；限定单位的任务只有编号"),
    field("number", "台账编号"),
    optional("title", "任务标题；限定单位的任务没有"),
    field("urgent", "是否紧急，只用于 if 判断"),
];
const UNIT: &[Field] = &[field("unit", "承办单位")];
const SETTLE: &[Field] = &[optional("settle_before", "办结时限；按台账推进的没有")];
const LIMITS: &[Field] = &[
    field("role", "承担的角色：牵头单位、配合单位或责任单位"),
    field("limits", "各步骤的时限，逐项列出；按台账推进的为空"),
    field("limits.step", "步骤：签收、部署、反馈或办结"),
    field("limits.before", "该步骤的时限"),
];
const DOCUMENT: &[Field] = &[field("document", "文号"), field("count", "交该单位办理的项数")];
const LED: &[Field] = &[field("led", "其中牵头的项数")];
const ITEMS: &[Field] = &[
    field("items", "各事项，逐项列出"),
    field("items.label", "文件中的项号"),
    field("items.number", "台账编号"),
    optional("items.title", "任务标题；限定单位的任务没有"),
    field("items.role", "承担的角色"),
    optional("items.settle_before", "办结时限；按台账推进的没有"),
];
const STEPS: &[Field] = &[field("steps", "逾期未办的步骤，用 join 连接或逐项列出")];
const GROUND: &[Field] = &[field("ground", "理由；限定单位的任务提示在系统内查看")];
const NOTE: &[Field] = &[field("note", "退回意见；限定单位的任务提示在系统内查看")];
const NEXT_MILESTONE: &[Field] = &[
    field("last_day", "节点时限，当日为止"),
    field("milestone", "节点内容；限定单位的任务提示在系统内查看"),
];
const MILESTONES: &[Field] = &[
    field("milestones", "逾期的节点，逐项列出"),
    field("milestones.last_day", "节点时限，当日为止"),
    field("milestones.text", "节点内容；限定单位的任务提示在系统内查看"),
];
const MAY_BE_COMPLETED: &[Field] = &[optional("completed", "办结时间；随牵头单位办结而销号的没有")];
const COMPLETED: &[Field] = &[field("completed", "办结时间")];

impl TemplateKind {
    /// What a template of this kind may use.
    pub fn fields(self) -> impl Iterator<Item = &'static Field> {
        let groups: &[&'static [Field]] = match self {
            Self::Assignment => &[TASK, UNIT, LIMITS],
            Self::AssignmentLeader | Self::Reminder | Self::RedLight | Self::RedLightOverseer => {
                &[TASK, UNIT, SETTLE]
            }
            Self::Document => &[DOCUMENT, UNIT, ITEMS],
            Self::DocumentLeader => &[DOCUMENT, UNIT, LED, ITEMS],
            Self::Urging => &[TASK, UNIT, STEPS],
            Self::SupervisorUrging => &[TASK, UNIT, SETTLE, GROUND],
            Self::MilestoneReminder => &[TASK, UNIT, NEXT_MILESTONE],
            Self::MilestoneRedLight | Self::MilestoneRedLightOverseer => &[TASK, UNIT, MILESTONES],
            Self::StruckOff => &[TASK, UNIT, MAY_BE_COMPLETED],
            Self::TaskStruckOff => &[TASK, COMPLETED],
            Self::Withdrawn => &[TASK, GROUND],
            Self::SentBack => &[TASK, UNIT, NOTE],
        };
        groups.iter().flat_map(|group| group.iter())
    }

    /// What a field says in the short sample; empty for what is listed, whose own fields say it.
    pub fn example(self, field: &Field) -> String {
        let samples = NoticeData::samples(self);
        let short = samples.into_iter().find(|(sample, _)| *sample == Sample::Short);
        let Some(fields) = short.and_then(|(_, data)| serde_json::to_value(data).ok()) else {
            return String::new();
        };
        let found = field.name.split('.').try_fold(&fields, |value, name| match value {
            Value::Array(list) => list.first()?.get(name),
            value => value.get(name),
        });
        match found {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(is)) => is.to_string(),
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("、"),
            Some(Value::Null | Value::Object(_)) | None => String::new(),
        }
    }
}
