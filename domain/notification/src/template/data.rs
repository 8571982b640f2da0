//! [`NoticeData`]: what a notice says, as named fields. What must not be repeated in an inbox, of a
//! restricted task for example, is not in it.

use serde::{Deserialize, Serialize};

use super::kind::TemplateKind;

/// What one notice says. In JSON, `template` is the word of its [`TemplateKind`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "template", rename_all = "kebab-case")]
pub enum NoticeData {
    /// See [`TemplateKind::Assignment`].
    Assignment {
        /// The task.
        #[serde(flatten)]
        task: TaskWords,
        /// The unit, as people call it.
        unit: String,
        /// Its part: 牵头单位, 配合单位, 责任单位.
        role: String,
        /// By when which step is due; empty when it is worked off by the ledger.
        limits: Vec<Limit>,
    },
    /// See [`TemplateKind::AssignmentLeader`].
    AssignmentLeader {
        /// The task.
        #[serde(flatten)]
        task: TaskWords,
        /// The unit that leads.
        unit: String,
        /// By when it is to be settled.
        settle_before: Option<String>,
    },
    /// See [`TemplateKind::Document`].
    Document {
        /// Its number.
        document: String,
        /// The unit.
        unit: String,
        /// How many tasks it gives the unit.
        count: usize,
        /// Each of them.
        items: Vec<ListedItem>,
    },
    /// See [`TemplateKind::DocumentLeader`].
    DocumentLeader {
        /// Its number.
        document: String,
        /// The unit.
        unit: String,
        /// How many tasks it gives the unit.
        count: usize,
        /// How many of them the unit leads.
        led: usize,
        /// Each that the unit leads.
        items: Vec<ListedItem>,
    },
    /// See [`TemplateKind::Reminder`].
    Reminder {
        /// The task.
        #[serde(flatten)]
        task: TaskWords,
        /// The unit.
        unit: String,
        /// By when it is to be settled.
        settle_before: Option<String>,
    },
    /// See [`TemplateKind::Urging`].
    Urging {
        /// The task.
        #[serde(flatten)]
        task: TaskWords,
        /// The unit.
        unit: String,
        /// What was not done in time: 签收, 部署, 反馈, 完成节点, 办结.
        steps: Vec<String>,
    },
    /// See [`TemplateKind::SupervisorUrging`].
    SupervisorUrging {
        /// The task.
        #[serde(flatten)]
        task: TaskWords,
        /// The unit.
        unit: String,
        /// By when it is to be settled.
        settle_before: Option<String>,
        /// Why.
        ground: String,
    },
    /// See [`TemplateKind::RedLight`].
    RedLight {
        /// The task.
        #[serde(flatten)]
        task: TaskWords,
        /// The unit.
        unit: String,
        /// By when it was to be settled.
        settle_before: Option<String>,
    },
    /// See [`TemplateKind::RedLightOverseer`].
    RedLightOverseer {
        /// The task.
        #[serde(flatten)]
        task: TaskWords,
        /// The unit.
        unit: String,
        /// By when it was to be settled.
        settle_before: Option<String>,
    },
    /// See [`TemplateKind::MilestoneReminder`].
    MilestoneReminder {
        /// The task.
        #[serde(flatten)]
        task: TaskWords,
        /// The unit.
        unit: String,
        /// The last day for it.
        last_day: String,
        /// What is to be reached.
        milestone: String,
    },
    /// See [`TemplateKind::MilestoneRedLight`].
    MilestoneRedLight {
        /// The task.
        #[serde(flatten)]
        task: TaskWords,
        /// The unit.
        unit: String,
        /// What was not reached.
        milestones: Vec<Milestone>,
    },
    /// See [`TemplateKind::MilestoneRedLightOverseer`].
    MilestoneRedLightOverseer {
        /// The task.
        #[serde(flatten)]
        task: TaskWords,
        /// The unit.
        unit: String,
        /// What was not reached.
        milestones: Vec<Milestone>,
    },
    /// See [`TemplateKind::StruckOff`].
    StruckOff {
        /// The task.
        #[serde(flatten)]
        task: TaskWords,
        /// The unit.
        unit: String,
        /// When it was done; none when it ends with what the lead unit did.
        completed: Option<String>,
    },
    /// See [`TemplateKind::TaskStruckOff`].
    TaskStruckOff {
        /// The task.
        #[serde(flatten)]
        task: TaskWords,
        /// When it was done.
        completed: String,
    },
    /// See [`TemplateKind::Withdrawn`].
    Withdrawn {
        /// The task.
        #[serde(flatten)]
        task: TaskWords,
        /// Why.
        ground: String,
    },
    /// See [`TemplateKind::SentBack`].
    SentBack {
        /// The task.
        #[serde(flatten)]
        task: TaskWords,
        /// The unit.
        unit: String,
        /// What is missing.
        note: String,
    },
}

/// A task as notices call it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskWords {
    /// Its number and title, or its number alone when it is restricted.
    pub task: String,
    /// Its ledger number.
    pub number: i64,
    /// Its title; none when it is restricted.
    pub title: Option<String>,
    /// It is urgent.
    pub urgent: bool,
}

/// By when a step is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// 签收, 部署, 反馈, 办结.
    pub step: String,
    /// As officials write it, for example 2023年6月1日24时前. Asia/Shanghai.
    pub before: String,
}

/// One task of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedItem {
    /// What the document calls it, for example 第147项.
    pub label: String,
    /// Its ledger number.
    pub number: i64,
    /// Its title; none when it is restricted.
    pub title: Option<String>,
    /// The unit's part in it.
    pub role: String,
    /// By when it is to be settled.
    pub settle_before: Option<String>,
}

/// Something to be reached on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Milestone {
    /// The last day for it, for example 2023年6月30日. Asia/Shanghai.
    pub last_day: String,
    /// What is to be reached.
    pub text: String,
}

impl NoticeData {
    /// The template that words it.
    pub const fn kind(&self) -> TemplateKind {
        match self {
            Self::Assignment { .. } => TemplateKind::Assignment,
            Self::AssignmentLeader { .. } => TemplateKind::AssignmentLeader,
            Self::Document { .. } => TemplateKind::Document,
            Self::DocumentLeader { .. } => TemplateKind::DocumentLeader,
            Self::Reminder { .. } => TemplateKind::Reminder,
            Self::Urging { .. } => TemplateKind::Urging,
            Self::SupervisorUrging { .. } => TemplateKind::SupervisorUrging,
            Self::RedLight { .. } => TemplateKind::RedLight,
            Self::RedLightOverseer { .. } => TemplateKind::RedLightOverseer,
            Self::MilestoneReminder { .. } => TemplateKind::MilestoneReminder,
            Self::MilestoneRedLight { .. } => TemplateKind::MilestoneRedLight,
            Self::MilestoneRedLightOverseer { .. } => TemplateKind::MilestoneRedLightOverseer,
            Self::StruckOff { .. } => TemplateKind::StruckOff,
            Self::TaskStruckOff { .. } => TemplateKind::TaskStruckOff,
            Self::Withdrawn { .. } => TemplateKind::Withdrawn,
            Self::SentBack { .. } => TemplateKind::SentBack,
        }
    }
}
