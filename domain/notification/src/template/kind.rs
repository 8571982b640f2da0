//! [`TemplateKind`]: each text that a city may word, and how it is worded otherwise.

use std::fmt;
use std::str::FromStr;

use crate::notice::{NoticeKind, UnknownWord};

/// A text that is told. The kind of the notice is that of [`TemplateKind::notice`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TemplateKind {
    /// 交办: a unit is given a task.
    Assignment,
    /// 交办: the leader in charge of a lead unit hears of it.
    AssignmentLeader,
    /// 交办: a document gives a unit tasks.
    Document,
    /// 交办: the leader in charge hears what his unit leads of a document.
    DocumentLeader,
    /// 提醒: the settle date is near.
    Reminder,
    /// 催办: a step was not taken in time.
    Urging,
    /// 催办: a supervisor urges.
    SupervisorUrging,
    /// 红灯: a unit is late.
    RedLight,
    /// 红灯: those who oversee a late unit.
    RedLightOverseer,
    /// 提醒: a milestone is near.
    MilestoneReminder,
    /// 红灯: a unit missed milestones.
    MilestoneRedLight,
    /// 红灯: those who oversee a unit that missed milestones.
    MilestoneRedLightOverseer,
    /// 销号 of what one unit did.
    StruckOff,
    /// 销号 of a task.
    TaskStruckOff,
    /// 撤销.
    Withdrawn,
    /// 退回: what a unit did was not accepted.
    SentBack,
}

/// The source of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateText {
    /// Of the title, which is one line.
    pub title: String,
    /// Of the body.
    pub body: String,
}

impl TemplateKind {
    /// Every kind, in the order in which they are listed.
    pub const ALL: [TemplateKind; 16] = [
        Self::Assignment,
        Self::AssignmentLeader,
        Self::Document,
        Self::DocumentLeader,
        Self::Reminder,
        Self::Urging,
        Self::SupervisorUrging,
        Self::RedLight,
        Self::RedLightOverseer,
        Self::MilestoneReminder,
        Self::MilestoneRedLight,
        Self::MilestoneRedLightOverseer,
        Self::StruckOff,
        Self::TaskStruckOff,
        Self::Withdrawn,
        Self::SentBack,
    ];

    /// The word it is stored under, and the last part of its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assignment => "assignment",
            Self::AssignmentLeader => "assignment-leader",
            Self::Document => "document",
            Self::DocumentLeader => "document-leader",
            Self::Reminder => "reminder",
            Self::Urging => "urging",
            Self::SupervisorUrging => "supervisor-urging",
            Self::RedLight => "red-light",
            Self::RedLightOverseer => "red-light-overseer",
            Self::MilestoneReminder => "milestone-reminder",
            Self::MilestoneRedLight => "milestone-red-light",
            Self::MilestoneRedLightOverseer => "milestone-red-light-overseer",
            Self::StruckOff => "struck-off",
            Self::TaskStruckOff => "task-struck-off",
            Self::Withdrawn => "withdrawn",
            Self::SentBack => "sent-back",
        }
    }

    /// What officials call it.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Assignment => "交办通知（承办单位）",
            Self::AssignmentLeader => "交办通知（分管领导）",
            Self::Document => "文件交办通知（承办单位）",
            Self::DocumentLeader => "文件交办通知（分管领导）",
            Self::Reminder => "临近时限提醒",
            Self::Urging => "超期自动催办",
            Self::SupervisorUrging => "督查机构催办",
            Self::RedLight => "红灯通知（承办单位）",
            Self::RedLightOverseer => "红灯通知（督查机构、牵头单位）",
            Self::MilestoneReminder => "临近节点提醒",
            Self::MilestoneRedLight => "节点红灯通知（承办单位）",
            Self::MilestoneRedLightOverseer => "节点红灯通知（督查机构、牵头单位）",
            Self::StruckOff => "销号通知（承办单位）",
            Self::TaskStruckOff => "任务销号通知（督查机构、分管领导）",
            Self::Withdrawn => "撤销通知",
            Self::SentBack => "退回返工通知",
        }
    }

    /// The kind of the notices that are told in it.
    pub const fn notice(self) -> NoticeKind {
        match self {
            Self::Assignment | Self::AssignmentLeader | Self::Document | Self::DocumentLeader => {
                NoticeKind::Assignment
            }
            Self::Reminder | Self::MilestoneReminder => NoticeKind::Reminder,
            Self::Urging | Self::SupervisorUrging => NoticeKind::Urging,
            Self::RedLight
            | Self::RedLightOverseer
            | Self::MilestoneRedLight
            | Self::MilestoneRedLightOverseer => NoticeKind::Light,
            Self::StruckOff | Self::TaskStruckOff | Self::Withdrawn | Self::SentBack => NoticeKind::Outcome,
        }
    }

    /// The built-in version: the first line of its file is the title, the rest is the body.
    pub fn built_in(self) -> TemplateText {
        let file = self.file();
        let (title, body) = file.split_once('\n').unwrap_or((file, ""));
        TemplateText { title: title.to_owned(), body: body.trim_end_matches('\n').to_owned() }
    }

    const fn file(self) -> &'static str {
        match self {
            Self::Assignment => include_str!("../../templates/assignment.txt"),
            Self::AssignmentLeader => include_str!("../../templates/assignment-leader.txt"),
            Self::Document => include_str!("../../templates/document.txt"),
            Self::DocumentLeader => include_str!("../../templates/document-leader.txt"),
            Self::Reminder => include_str!("../../templates/reminder.txt"),
            Self::Urging => include_str!("../../templates/urging.txt"),
            Self::SupervisorUrging => include_str!("../../templates/supervisor-urging.txt"),
            Self::RedLight => include_str!("../../templates/red-light.txt"),
            Self::RedLightOverseer => include_str!("../../templates/red-light-overseer.txt"),
            Self::MilestoneReminder => include_str!("../../templates/milestone-reminder.txt"),
            Self::MilestoneRedLight => include_str!("../../templates/milestone-red-light.txt"),
            Self::MilestoneRedLightOverseer => {
                include_str!("../../templates/milestone-red-light-overseer.txt")
            }
            Self::StruckOff => include_str!("../../templates/struck-off.txt"),
            Self::TaskStruckOff => include_str!("../../templates/task-struck-off.txt"),
            Self::Withdrawn => include_str!("../../templates/withdrawn.txt"),
            Self::SentBack => include_str!("../../templates/sent-back.txt"),
        }
    }
}

impl fmt::Display for TemplateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TemplateKind {
    type Err = UnknownWord;

    /// Reads the word it is stored under.
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| UnknownWord::new(text))
    }
}
