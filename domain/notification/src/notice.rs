//! [`Notice`]: what is to be told, before anybody is looked up.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::audience::Audience;
use crate::template::{NoticeData, Words};

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// 交办.
    Assignment,
    /// 进展: a unit signed, deployed, reported or submitted.
    Progress,
    /// 提醒.
    Reminder,
    /// 催办.
    Urging,
    /// 红灯, 黄灯.
    Light,
    /// 决定.
    Decision,
    /// 销号, 撤销, 退回.
    Outcome,
    /// 交接: a division took effect, somebody stands in.
    Handover,
    /// 升级: an unsigned notice that climbed.
    Climbed,
    /// 汇总.
    Digest,
    /// 批示.
    Instruction,
}

/// A stored word that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown word {0:?}")]
pub struct UnknownWord(String);

impl UnknownWord {
    /// Of this word.
    pub fn new(text: &str) -> Self {
        UnknownWord(text.to_owned())
    }
}

/// How far a notice climbs when nobody signs for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ladder {
    /// The unit that must sign, `units/{slug}`: its liaison first, then its head.
    pub unit: String,
    /// The unit whose leader in charge is told last: the unit itself, or the first lead unit
    /// of the task for those who only cooperate or carry out.
    pub decider: String,
}

/// What is to be told, to whom, and whether it must be signed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What it is about.
    pub kind: NoticeKind,
    /// One line, in Chinese.
    pub title: String,
    /// In Chinese.
    pub body: String,
    /// The record it is about, for example `tasks/{id}`.
    pub subject: String,
    /// Who is told.
    pub audiences: Vec<Audience>,
    /// It must be signed for (签收), and climbs this ladder until it is.
    pub ladder: Option<Ladder>,
    /// It waits for nobody's hours.
    pub urgent: bool,
    /// How many things it tells of, each of which would else be a notice: the items of a document.
    pub items: usize,
    /// The tasks it tells of, `tasks/{id}`; empty when its subject says it, or it is of none.
    pub tasks: BTreeSet<String>,
    /// The unit whose part it is about; none: that of each audience, if it is a unit's.
    pub unit: Option<String>,
    /// What it asks is asked for until the task is withdrawn, also after it was settled.
    pub outlasts: bool,
    /// What it says as fields, where a city may word it; its title and body are the built-in words then.
    pub data: Option<NoticeData>,
}

impl NoticeKind {
    /// Every kind, in the order of the API.
    pub const ALL: [NoticeKind; 11] = [
        Self::Assignment,
        Self::Progress,
        Self::Reminder,
        Self::Urging,
        Self::Light,
        Self::Decision,
        Self::Outcome,
        Self::Handover,
        Self::Climbed,
        Self::Digest,
        Self::Instruction,
    ];

    /// The word it is stored under, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assignment => "assignment",
            Self::Progress => "progress",
            Self::Reminder => "reminder",
            Self::Urging => "urging",
            Self::Light => "light",
            Self::Decision => "decision",
            Self::Outcome => "outcome",
            Self::Handover => "handover",
            Self::Climbed => "climbed",
            Self::Digest => "digest",
            Self::Instruction => "instruction",
        }
    }

    /// What officials call it.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Assignment => "交办",
            Self::Progress => "进展",
            Self::Reminder => "提醒",
            Self::Urging => "催办",
            Self::Light => "亮灯",
            Self::Decision => "决定",
            Self::Outcome => "办理结果",
            Self::Handover => "交接",
            Self::Climbed => "升级",
            Self::Digest => "汇总",
            Self::Instruction => "批示",
        }
    }
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for NoticeKind {
    type Err = UnknownWord;

    /// Reads the word it is stored under.
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| UnknownWord::new(text))
    }
}

impl Notice {
    /// Whether it must be signed for.
    pub fn requires_acknowledgement(&self) -> bool {
        self.ladder.is_some()
    }

    /// A notice that is only read.
    pub(crate) fn new(
        kind: NoticeKind,
        subject: &str,
        title: String,
        body: String,
        audiences: Vec<Audience>,
    ) -> Self {
        let subject = subject.to_owned();
        Notice {
            kind,
            title,
            body,
            subject,
            audiences,
            ladder: None,
            urgent: false,
            items: 1,
            tasks: BTreeSet::new(),
            unit: None,
            outlasts: false,
            data: None,
        }
    }

    /// A notice that is only read, in the built-in words.
    pub(crate) fn of_data(subject: &str, data: NoticeData, audiences: Vec<Audience>) -> Self {
        let Words { title, body } = data.built_in_words();
        let notice = Notice::new(data.kind().notice(), subject, title, body, audiences);
        Notice { data: Some(data), ..notice }
    }

    /// The same, in other words.
    #[must_use]
    pub fn in_words(self, words: Words) -> Self {
        Notice { title: words.title, body: words.body, ..self }
    }

    /// The same, of several things at once.
    pub(crate) fn of_items(mut self, items: usize) -> Self {
        self.items = items;
        self
    }

    /// The same, of these tasks.
    pub(crate) fn of_tasks<'a>(mut self, tasks: impl IntoIterator<Item = &'a str>) -> Self {
        self.tasks = tasks.into_iter().map(str::to_owned).collect();
        self
    }

    /// The same, about one unit's part.
    pub(crate) fn about_unit(mut self, unit: &str) -> Self {
        self.unit = Some(unit.to_owned());
        self
    }

    /// The same, asked for after the task was settled, too.
    pub(crate) fn outlasting(mut self) -> Self {
        self.outlasts = true;
        self
    }

    /// The same, of something that may be urgent.
    pub(crate) fn urgent_if(mut self, urgent: bool) -> Self {
        self.urgent = urgent;
        self
    }

    /// The same, to be signed for.
    pub(crate) fn requiring_signature(mut self, ladder: Ladder) -> Self {
        self.ladder = Some(ladder);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::NoticeKind;

    #[test]
    fn every_kind_is_read_back_and_is_its_json() {
        for kind in NoticeKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert!("teatime".parse::<NoticeKind>().is_err());
    }
}
