//! [`Group`]: a body that coordinates departments, and its [`Seat`]s. What else its founding
//! notice says is in [`crate::duty`].

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::duty::{Duty, Mechanism, Subgroup};
use crate::error::WorkgroupError;
use crate::names::{check_group_name, check_official, check_present, check_unit, shortened};

const MOST_SUBGROUPS: usize = 50;
const MOST_SEATS: usize = 500;
const MOST_DUTIES: usize = 300;
const MOST_MECHANISMS: usize = 30;

/// What sort of body a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GroupKind {
    /// 领导小组.
    LeadingGroup,
    /// 工作专班.
    TaskForce,
    /// 筹委会.
    PreparatoryCommittee,
    /// 指挥部.
    Headquarters,
}

impl GroupKind {
    /// Whether several seats of one part may be the head's. The flood headquarters of 临政办发〔2023〕13号
    /// has two commanders (指挥长); every other body answers to one person.
    fn may_have_several_heads(self) -> bool {
        match self {
            Self::Headquarters => true,
            Self::LeadingGroup | Self::TaskForce | Self::PreparatoryCommittee => false,
        }
    }
}

/// What a seat is in its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SeatRole {
    /// 组长, 总指挥, 指挥长.
    Head,
    /// 常务副组长.
    ExecutiveDeputy,
    /// 副组长.
    Deputy,
    /// 成员.
    Member,
    /// 办公室主任.
    OfficeHead,
    /// 办公室副主任.
    OfficeDeputy,
    /// 联络员.
    Liaison,
}

/// Who holds a seat.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SeatHolder {
    /// A named official, `officials/{id}`.
    Official(String),
    /// Whoever holds a post, for example 市政府分管水利工作的副市长.
    Post(String),
    /// A member unit, `units/{slug}`.
    Unit(String),
    /// A class that the group's office fills, for example 各施工单位项目负责人.
    OpenClass(String),
}

/// A seat (席位).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seat {
    /// What the seat is.
    pub role: SeatRole,
    /// Who holds it.
    pub holder: SeatHolder,
    /// The field a city leader's seat is held for, for example 水利. When a division gives
    /// the field to somebody else, that person is proposed, never put in silently.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_for_field: Option<String>,
    /// Name of the subgroup the seat is in; none: the group itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subgroup: Option<String>,
}

impl Seat {
    /// Whether the seat is in the group itself: the head of a subgroup does not head the group.
    pub fn is_of_the_group_itself(&self) -> bool {
        self.subgroup.is_none()
    }

    fn check(&self, index: usize) -> Result<(), WorkgroupError> {
        let field = |name: &str| format!("seats[{index}].{name}");
        match &self.holder {
            SeatHolder::Official(official) => check_official(&field("official"), official),
            SeatHolder::Post(post) => check_present(&field("post"), "席位的职务", post),
            SeatHolder::Unit(unit) => check_unit(&field("unit"), unit),
            SeatHolder::OpenClass(class) => check_present(&field("open_class"), "席位的人员类别", class),
        }
    }
}

/// When a group is wound up. The rules on such bodies ask for one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WindUp {
    /// On a condition in words, for example 项目建成投运后自行撤销.
    Condition(String),
    /// At the end of its term; this instant is the first without it.
    Term(Timestamp),
}

impl WindUp {
    /// From what was entered: exactly one of the two.
    pub fn from_entry(condition: &str, term: Option<Timestamp>) -> Result<Self, WorkgroupError> {
        match (condition.trim().is_empty(), term) {
            (true, None) => Err(WorkgroupError::NoWindUp),
            (true, Some(end)) => Ok(Self::Term(end)),
            (false, None) => Ok(Self::Condition(condition.to_owned())),
            (false, Some(_)) => Err(WorkgroupError::TwoWindUps),
        }
    }
}

/// A working group (议事协调机构).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// `groups/{id}`.
    pub name: String,
    /// Its name.
    pub display_name: String,
    /// What sort of body it is.
    pub kind: GroupKind,
    /// For example 临政办函〔2023〕17号; empty when it was founded without a document. A
    /// document founds one group of a name, which whoever keeps the groups ensures.
    #[serde(default)]
    pub founding_document: String,
    /// What it is for; may be empty.
    #[serde(default)]
    pub purpose: String,
    /// From when it exists.
    pub start_time: Timestamp,
    /// When it is wound up.
    pub wind_up: WindUp,
    /// The unit its office is at, `units/{slug}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office_unit: Option<String>,
    /// Its seats and those of its subgroups, in order.
    #[serde(default)]
    pub seats: Vec<Seat>,
    /// Its parts, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subgroups: Vec<Subgroup>,
    /// What it and its parts, members and officers are charged with, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duties: Vec<Duty>,
    /// How it works, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mechanisms: Vec<Mechanism>,
}

impl Group {
    /// Refuses a group that could not be founded so. Checks what can be checked on the group
    /// alone. Whether those who hold its seats exist is the roster's to say when seats are
    /// read; whether those whom its duties charge do, when it is founded.
    pub fn check(&self) -> Result<(), WorkgroupError> {
        check_group_name("name", &self.name)?;
        check_present("display_name", "机构名称", &self.display_name)?;
        if let Some(unit) = &self.office_unit {
            check_unit("office_unit", unit)?;
        }
        match &self.wind_up {
            WindUp::Condition(condition) => check_present("end_condition", "撤销条件", condition)?,
            WindUp::Term(end) if *end <= self.start_time => {
                return Err(WorkgroupError::TermEmpty { start: self.start_time, end: *end });
            }
            WindUp::Term(_) => {}
        }
        self.check_subgroups()?;
        self.check_seats()?;
        self.check_duties()?;
        at_most("mechanisms", "工作机制", &self.mechanisms, MOST_MECHANISMS)?;
        self.mechanisms.iter().enumerate().try_for_each(|(index, mechanism)| mechanism.check(index))
    }

    fn check_subgroups(&self) -> Result<(), WorkgroupError> {
        at_most("subgroups", "工作组", &self.subgroups, MOST_SUBGROUPS)?;
        for (second, subgroup) in self.subgroups.iter().enumerate() {
            subgroup.check(second)?;
            let mut earlier = self.subgroups.iter().take(second);
            if let Some(first) = earlier.position(|other| other.name == subgroup.name) {
                return Err(WorkgroupError::SubgroupTwice { first, second });
            }
        }
        Ok(())
    }

    fn check_seats(&self) -> Result<(), WorkgroupError> {
        at_most("seats", "席位", &self.seats, MOST_SEATS)?;
        for (second, seat) in self.seats.iter().enumerate() {
            seat.check(second)?;
            self.check_subgroup(|| format!("seats[{second}].subgroup"), seat.subgroup.as_deref())?;
            let same = |other: &Seat| {
                (other.role, &other.holder, &other.subgroup) == (seat.role, &seat.holder, &seat.subgroup)
            };
            if let Some(first) = self.seats.iter().take(second).position(same) {
                return Err(WorkgroupError::SeatTwice { first, second });
            }
        }
        if self.kind.may_have_several_heads() {
            return Ok(());
        }
        let parts = self.subgroups.iter().map(|subgroup| Some(&subgroup.name));
        parts.chain([None]).try_for_each(|part| self.check_heads(part))
    }

    /// Refuses a second head of a part: of a subgroup, or of the group itself.
    fn check_heads(&self, part: Option<&String>) -> Result<(), WorkgroupError> {
        let heads = |seat: &&Seat| seat.role == SeatRole::Head && seat.subgroup.as_ref() == part;
        let count = self.seats.iter().filter(heads).count();
        if count > 1 {
            return Err(WorkgroupError::SeveralHeads { subgroup: part.cloned(), count });
        }
        Ok(())
    }

    fn check_duties(&self) -> Result<(), WorkgroupError> {
        at_most("duties", "职责", &self.duties, MOST_DUTIES)?;
        for (index, duty) in self.duties.iter().enumerate() {
            duty.check(index)?;
            self.check_subgroup(|| format!("duties[{index}].subgroup"), duty.subgroup.as_deref())?;
        }
        Ok(())
    }

    /// Refuses a part that the group does not have.
    fn check_subgroup(
        &self,
        field: impl FnOnce() -> String,
        subgroup: Option<&str>,
    ) -> Result<(), WorkgroupError> {
        match subgroup {
            Some(name) if self.subgroups.iter().all(|known| known.name != name) => {
                Err(WorkgroupError::UnknownSubgroup { field: field(), subgroup: shortened(name) })
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn at_most<T>(
    field: &'static str,
    label: &'static str,
    list: &[T],
    most: usize,
) -> Result<(), WorkgroupError> {
    if list.len() > most {
        return Err(WorkgroupError::TooMany { field, label, most });
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
