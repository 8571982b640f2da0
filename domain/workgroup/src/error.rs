//! [`WorkgroupError`]: what is refused, and how it is said to developers and to officials.

use domain_calendar::Timestamp;

use crate::decision::{DecisionAction, DecisionPhase};

/// Why something is refused. It changes nothing. `Display` is English, for logs and
/// developers; [`WorkgroupError::chinese`] is what an official reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkgroupError {
    /// A required text is empty.
    #[error("{field} is required")]
    Missing {
        /// Path of the field, as the API names it.
        field: String,
        /// What officials call it.
        label: &'static str,
    },
    /// A text is longer than a record can hold.
    #[error("{field} has more than {most} characters")]
    TooLong {
        /// Path of the field, as the API names it.
        field: String,
        /// What officials call it.
        label: &'static str,
        /// How many characters it may have.
        most: usize,
    },
    /// A list has more entries than a record can hold.
    #[error("{field} has more than {most} entries")]
    TooMany {
        /// The list, as the API names it.
        field: &'static str,
        /// What officials call its entries.
        label: &'static str,
        /// How many entries it may have.
        most: usize,
    },
    /// Not a resource name of the form.
    #[error("{field}: {value:?} is not a resource name of the form {pattern}")]
    NameMalformed {
        /// Path of the field, as the API names it.
        field: String,
        /// The form, for example `units/{unit}`.
        pattern: &'static str,
        /// What was given, cut at 200 characters.
        value: String,
    },
    /// Bodies without an end are what the rules forbid.
    #[error("a group needs either a term or a condition on which it is wound up")]
    NoWindUp,
    /// A group has a term or a condition, not both.
    #[error("a group has either a term or a condition on which it is wound up, not both")]
    TwoWindUps,
    /// The term ends before or as it begins.
    #[error("the term from {start} to {end} is empty")]
    TermEmpty {
        /// When the group is founded.
        start: Timestamp,
        /// When its term ends.
        end: Timestamp,
    },
    /// Two subgroups have one name, so that nobody knows whose a seat is.
    #[error("subgroups[{second}] is called as subgroups[{first}]")]
    SubgroupTwice {
        /// Index of one.
        first: usize,
        /// Index of the other.
        second: usize,
    },
    /// A seat or a duty is of a subgroup that the group does not have.
    #[error("{field}: the group has no subgroup {subgroup:?}")]
    UnknownSubgroup {
        /// Path of the field, as the API names it.
        field: String,
        /// What was given, cut at 200 characters.
        subgroup: String,
    },
    /// Only a command headquarters has more than one head (two 指挥长).
    #[error("{} has at most one head, not {count}", part(.subgroup.as_deref()))]
    SeveralHeads {
        /// The subgroup they were given for; none: the group itself.
        subgroup: Option<String>,
        /// How many were given.
        count: usize,
    },
    /// The same holder has the same seat twice.
    #[error("seats[{second}] repeats seats[{first}]")]
    SeatTwice {
        /// Index of one.
        first: usize,
        /// Index of the other.
        second: usize,
    },
    /// The instant asked about is before the group's founding.
    #[error("the group was founded at {founded}, after {at}")]
    NotYetFounded {
        /// When the group was founded.
        founded: Timestamp,
        /// The instant asked about.
        at: Timestamp,
    },
    /// A unit leads and cooperates, or is named twice.
    #[error("{unit} is named twice")]
    UnitTwice {
        /// `units/{slug}`.
        unit: String,
    },
    /// Supervision needs somebody who answers for the matter.
    #[error("a decision without a lead unit cannot be escalated")]
    NoLeadUnit,
    /// The state machine of the decision refuses.
    #[error("{action:?} is not possible while the decision is {phase:?}")]
    DecisionRefused {
        /// What was asked for.
        action: DecisionAction,
        /// Where the decision stands.
        phase: DecisionPhase,
    },
    /// A task claims to be what the decision became, and another one is.
    #[error("the decision became {recorded}, not {task}")]
    OtherTask {
        /// The task that claims it.
        task: String,
        /// The task that is recorded.
        recorded: String,
    },
}

/// The group, or a part of it.
fn part(subgroup: Option<&str>) -> String {
    subgroup.map_or_else(|| "a group of this kind".to_owned(), |name| format!("the subgroup {name:?}"))
}

impl WorkgroupError {
    /// The refusal as an official reads it.
    pub fn chinese(&self) -> String {
        match self {
            Self::Missing { label, .. } => format!("请填写{label}"),
            Self::TooLong { label, most, .. } => format!("{label}最长{most}个字"),
            Self::TooMany { label, most, .. } => format!("{label}最多{most}项"),
            Self::NameMalformed { pattern, value, .. } => {
                format!("“{value}”不是有效的名称，应为“{pattern}”的形式")
            }
            Self::NoWindUp => "议事协调机构应写明撤销条件或者期限".to_owned(),
            Self::TwoWindUps => "撤销条件与期限只能填写一项".to_owned(),
            Self::TermEmpty { .. } => "期限的结束时间应晚于成立时间".to_owned(),
            Self::SubgroupTwice { first, second } => {
                format!("第{}个工作组与第{}个工作组重名", second + 1, first + 1)
            }
            Self::UnknownSubgroup { subgroup, .. } => format!("该机构没有“{subgroup}”这个工作组"),
            Self::SeveralHeads { subgroup: None, count } => {
                format!("只能有一名组长，现填写了{count}名")
            }
            Self::SeveralHeads { subgroup: Some(subgroup), count } => {
                format!("“{subgroup}”只能有一名组长，现填写了{count}名")
            }
            Self::SeatTwice { first, second } => {
                format!("第{}个席位与第{}个席位重复", second + 1, first + 1)
            }
            Self::NotYetFounded { .. } => "所查询的时间早于该机构的成立时间".to_owned(),
            Self::UnitTwice { unit } => format!("同一单位（{unit}）在一项决定中只能出现一次"),
            Self::NoLeadUnit => "该决定没有牵头单位，不能纳入督办".to_owned(),
            Self::DecisionRefused { action, phase } => {
                format!("该决定{}，不能{}", phase.chinese(), action.chinese())
            }
            Self::OtherTask { task, recorded } => {
                format!("该决定已转为督办任务“{recorded}”，与“{task}”不符")
            }
        }
    }
}
