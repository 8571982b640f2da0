//! [`Sample`]: data to try a template with before anybody is told in it. The matters are of the sample
//! city's kind, and invented.

use super::data::{Limit, ListedItem, Milestone, NoticeData, TaskWords};
use super::kind::TemplateKind;

/// A sample of a kind's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sample {
    /// An everyday one.
    Short,
    /// As long as it gets: the longest titles and texts, texts of several lines, long lists.
    Long,
    /// Everything that may be absent is.
    Bare,
}

/// Items of a long document.
const LONG_LIST: usize = 60;

impl Sample {
    /// Every sample.
    pub const ALL: [Sample; 3] = [Self::Short, Self::Long, Self::Bare];

    /// The word for it in English.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Long => "long",
            Self::Bare => "bare",
        }
    }

    /// What a clerk is told that it is.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Short => "一般情形",
            Self::Long => "内容最长",
            Self::Bare => "可缺的内容都缺",
        }
    }

    fn task(self) -> TaskWords {
        let (number, title) = match self {
            Self::Short => (147, Some("汾河流域堤防加固".to_owned())),
            Self::Long => (999_999, Some("加快推进城乡供水一体化".repeat(18))),
            Self::Bare => (3, None),
        };
        let task = match &title {
            Some(title) => format!("第{number}号《{title}》"),
            None => format!("第{number}号（限定单位）"),
        };
        TaskWords { task, number, title, urgent: self == Self::Long }
    }

    fn unit(self) -> String {
        match self {
            Self::Short | Self::Bare => "市水利局".to_owned(),
            Self::Long => "市城乡供水一体化工程建设协调推进专项工作领导小组办公室".to_owned(),
        }
    }

    fn text(self, short: &str) -> String {
        match self {
            Self::Short => short.to_owned(),
            Self::Long => "请对照责任清单逐项核对，说明进展、问题和下一步措施。\n".repeat(100),
            Self::Bare => "内容请在系统内查看".to_owned(),
        }
    }

    fn settle_before(self) -> Option<String> {
        match self {
            Self::Short => Some("2023年6月30日24时前".to_owned()),
            Self::Long => Some("2023年12月31日17时30分前".to_owned()),
            Self::Bare => None,
        }
    }

    fn limits(self) -> Vec<Limit> {
        let limit = |step: &str, before: &str| Limit { step: step.to_owned(), before: before.to_owned() };
        match self {
            Self::Short => vec![limit("签收", "2023年6月1日24时前"), limit("办结", "2023年6月30日24时前")],
            Self::Long => vec![
                limit("签收", "2023年12月11日17时30分前"),
                limit("部署", "2023年12月12日17时30分前"),
                limit("反馈", "2023年12月20日17时30分前"),
                limit("办结", "2023年12月31日17时30分前"),
            ],
            Self::Bare => vec![],
        }
    }

    fn items(self) -> Vec<ListedItem> {
        let item = |number: i64| ListedItem {
            label: format!("第{number}项"),
            number,
            title: self.task().title,
            role: "牵头单位".to_owned(),
            settle_before: self.settle_before(),
        };
        match self {
            Self::Short => vec![item(7), item(8)],
            Self::Long => (1..).take(LONG_LIST).map(item).collect(),
            Self::Bare => vec![item(1)],
        }
    }

    fn milestones(self) -> Vec<Milestone> {
        let milestone = |text| Milestone { last_day: "2023年6月30日".to_owned(), text: self.text(text) };
        match self {
            Self::Short => vec![milestone("完成工程量的60%"), milestone("完成主体施工")],
            Self::Long => (0..10).map(|_| milestone("")).collect(),
            Self::Bare => vec![milestone("")],
        }
    }

    fn data(self, kind: TemplateKind) -> NoticeData {
        let (task, unit, settle_before) = (self.task(), self.unit(), self.settle_before());
        let document = match self {
            Self::Short | Self::Bare => "临政办发〔2023〕8号".to_owned(),
            Self::Long => {
                "临汾市人民政府办公室关于印发重点工作任务分解方案的通知（临政办发〔2023〕108号）".to_owned()
            }
        };
        let items = self.items();
        let count = items.len();
        let completed = "2023年6月28日15时".to_owned();
        match kind {
            TemplateKind::Assignment => {
                NoticeData::Assignment { task, unit, role: "牵头单位".to_owned(), limits: self.limits() }
            }
            TemplateKind::AssignmentLeader => NoticeData::AssignmentLeader { task, unit, settle_before },
            TemplateKind::Document => NoticeData::Document { document, unit, count, items },
            TemplateKind::DocumentLeader => {
                NoticeData::DocumentLeader { document, unit, count: count + 1, led: count, items }
            }
            TemplateKind::Reminder => NoticeData::Reminder { task, unit, settle_before },
            TemplateKind::Urging => {
                let steps: &[&str] = match self {
                    Self::Short | Self::Bare => &["签收"],
                    Self::Long => &["签收", "部署", "反馈", "完成节点", "办结"],
                };
                let steps = steps.iter().map(|step| (*step).to_owned()).collect();
                NoticeData::Urging { task, unit, steps }
            }
            TemplateKind::SupervisorUrging => {
                let ground = self.text("逾期未反馈进展");
                NoticeData::SupervisorUrging { task, unit, settle_before, ground }
            }
            TemplateKind::RedLight => NoticeData::RedLight { task, unit, settle_before },
            TemplateKind::RedLightOverseer => NoticeData::RedLightOverseer { task, unit, settle_before },
            TemplateKind::MilestoneReminder => {
                let (last_day, milestone) = ("2023年6月30日".to_owned(), self.text("完成工程量的60%"));
                NoticeData::MilestoneReminder { task, unit, last_day, milestone }
            }
            TemplateKind::MilestoneRedLight => {
                NoticeData::MilestoneRedLight { task, unit, milestones: self.milestones() }
            }
            TemplateKind::MilestoneRedLightOverseer => {
                NoticeData::MilestoneRedLightOverseer { task, unit, milestones: self.milestones() }
            }
            TemplateKind::StruckOff => {
                let completed = Some(completed).filter(|_| self != Self::Bare);
                NoticeData::StruckOff { task, unit, completed }
            }
            TemplateKind::TaskStruckOff => NoticeData::TaskStruckOff { task, completed },
            TemplateKind::Withdrawn => NoticeData::Withdrawn { task, ground: self.text("与第12号重复") },
            TemplateKind::SentBack => {
                NoticeData::SentBack { task, unit, note: self.text("缺少验收材料") }
            }
        }
    }
}

impl NoticeData {
    /// What templates of a kind are tried with, each once.
    pub fn samples(kind: TemplateKind) -> Vec<(Sample, NoticeData)> {
        Sample::ALL.into_iter().map(|sample| (sample, sample.data(kind))).collect()
    }
}
