//! [`Group`]: a body that coordinates departments, and its [`Seat`]s.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::WorkgroupError;
use crate::names::{check_group_name, check_official, check_present, check_unit};

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
    /// Whether several seats may be the head's. The flood headquarters of 临政办发〔2023〕13号
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
}

impl Seat {
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
    /// For example 临政办函〔2023〕17号; empty when it was founded without a document.
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
    /// Its seats, in order.
    #[serde(default)]
    pub seats: Vec<Seat>,
}

impl Group {
    /// Refuses a group that could not be founded so. Checks what can be checked on the group
    /// alone; whether units and officials exist is the roster's to say when seats are read.
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
        self.check_seats()
    }

    fn check_seats(&self) -> Result<(), WorkgroupError> {
        for (second, seat) in self.seats.iter().enumerate() {
            seat.check(second)?;
            let earlier = self.seats.iter().take(second);
            let same = |other: &Seat| other.role == seat.role && other.holder == seat.holder;
            if let Some(first) = earlier.enumerate().find(|(_, other)| same(other)).map(|(index, _)| index) {
                return Err(WorkgroupError::SeatTwice { first, second });
            }
        }
        let count = self.seats.iter().filter(|seat| seat.role == SeatRole::Head).count();
        if count > 1 && !self.kind.may_have_several_heads() {
            return Err(WorkgroupError::SeveralHeads { count });
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn seat(role: SeatRole, holder: SeatHolder) -> Seat {
        Seat { role, holder, held_for_field: None }
    }

    /// The leading group for green energy of 临政办函〔2023〕17号, in part.
    pub(crate) fn green_energy() -> Group {
        Group {
            name: "groups/green-energy".into(),
            display_name: "临汾市绿色能源输配项目建设领导小组".into(),
            kind: GroupKind::LeadingGroup,
            founding_document: "临政办函〔2023〕17号".into(),
            purpose: "统筹推进绿色能源输配项目建设".into(),
            start_time: at("2023-05-06T00:00+08:00"),
            wind_up: WindUp::Condition("项目建成投运后自行撤销".into()),
            office_unit: Some("units/energy".into()),
            seats: vec![
                seat(SeatRole::Head, SeatHolder::Post("市政府分管发展改革工作的副市长".into())),
                seat(SeatRole::Member, SeatHolder::Unit("units/water".into())),
                seat(SeatRole::Member, SeatHolder::OpenClass("各施工单位项目负责人".into())),
            ],
        }
    }

    #[test]
    fn a_group_is_wound_up_on_a_condition_or_at_the_end_of_a_term() {
        let end = at("2024-05-06T00:00+08:00");
        assert_eq!(WindUp::from_entry("", None), Err(WorkgroupError::NoWindUp));
        assert_eq!(WindUp::from_entry("  ", Some(end)), Ok(WindUp::Term(end)));
        assert_eq!(WindUp::from_entry("建成", None), Ok(WindUp::Condition("建成".into())));
        assert_eq!(WindUp::from_entry("建成", Some(end)), Err(WorkgroupError::TwoWindUps));
    }

    #[test]
    fn a_term_that_ends_as_it_begins_is_refused() {
        let start = green_energy().start_time;
        let later = Timestamp::from_micros(start.as_micros() + 1);
        assert_eq!(Group { wind_up: WindUp::Term(later), ..green_energy() }.check(), Ok(()));
        assert_eq!(
            Group { wind_up: WindUp::Term(start), ..green_energy() }.check(),
            Err(WorkgroupError::TermEmpty { start, end: start })
        );
    }

    #[test]
    fn only_a_headquarters_has_two_heads() {
        let mut group = green_energy();
        group.seats.push(seat(SeatRole::Head, SeatHolder::Post("分管水利工作的副市长".into())));
        assert_eq!(group.check(), Err(WorkgroupError::SeveralHeads { count: 2 }));
        assert_eq!(Group { kind: GroupKind::Headquarters, ..group }.check(), Ok(()));
    }

    #[test]
    fn a_seat_is_not_given_twice_to_one_holder() {
        let mut group = green_energy();
        group.seats.push(seat(SeatRole::OfficeHead, SeatHolder::Unit("units/water".into())));
        assert_eq!(group.check(), Ok(()), "another role is another seat");
        group.seats.push(seat(SeatRole::Member, SeatHolder::Unit("units/water".into())));
        assert_eq!(group.check(), Err(WorkgroupError::SeatTwice { first: 1, second: 4 }));
    }

    #[test]
    fn malformed_groups_are_refused_with_the_field() {
        let nameless = Group { display_name: " ".into(), ..green_energy() };
        assert!(
            matches!(nameless.check(), Err(WorkgroupError::Missing { field, .. }) if field == "display_name")
        );
        let holders = [
            (SeatHolder::Official("units/water".into()), "seats[3].official"),
            (SeatHolder::Post(" ".into()), "seats[3].post"),
            (SeatHolder::Unit("units/水利".into()), "seats[3].unit"),
            (SeatHolder::OpenClass(String::new()), "seats[3].open_class"),
        ];
        for (holder, expected) in holders {
            let mut group = green_energy();
            group.seats.push(seat(SeatRole::Liaison, holder));
            let refusal = group.check().unwrap_err();
            let (WorkgroupError::Missing { field, .. } | WorkgroupError::NameMalformed { field, .. }) =
                &refusal
            else {
                panic!("{refusal}")
            };
            assert_eq!(field, expected);
            assert!(!refusal.chinese().is_empty());
        }
        let office = Group { office_unit: Some("water".into()), ..green_energy() };
        assert!(
            matches!(office.check(), Err(WorkgroupError::NameMalformed { field, .. }) if field == "office_unit")
        );
    }
}
