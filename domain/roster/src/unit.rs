//! Units (单位): the organisations that can hold work.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::RosterError;
use crate::interval::holds;
use crate::names::{check_name, check_optional_name, check_present, normalise, split_signboard};

/// What sort of organisation a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum UnitKind {
    /// 市政府部门 and its office.
    #[serde(rename = "UNIT_KIND_DEPARTMENT")]
    Department,
    /// 县（市、区）人民政府.
    #[serde(rename = "UNIT_KIND_COUNTY")]
    County,
    /// 开发区.
    #[serde(rename = "UNIT_KIND_DEVELOPMENT_ZONE")]
    DevelopmentZone,
    /// 国有企业.
    #[serde(rename = "UNIT_KIND_STATE_COMPANY")]
    StateCompany,
    /// 中央、省驻临单位, for example the power company.
    #[serde(rename = "UNIT_KIND_VERTICAL_AGENCY")]
    VerticalAgency,
    /// 党委部门.
    #[serde(rename = "UNIT_KIND_PARTY")]
    Party,
    /// 人民团体.
    #[serde(rename = "UNIT_KIND_MASS_ORGANISATION")]
    MassOrganisation,
    /// 直属事业单位.
    #[serde(rename = "UNIT_KIND_INSTITUTION")]
    Institution,
    /// 市人民政府 itself, where city leaders hold their posts.
    #[serde(rename = "UNIT_KIND_GOVERNMENT")]
    Government,
}

impl UnitKind {
    /// Every kind, as the API orders them.
    pub(crate) const ALL: [UnitKind; 9] = [
        UnitKind::Department,
        UnitKind::County,
        UnitKind::DevelopmentZone,
        UnitKind::StateCompany,
        UnitKind::VerticalAgency,
        UnitKind::Party,
        UnitKind::MassOrganisation,
        UnitKind::Institution,
        UnitKind::Government,
    ];

    /// What officials call it.
    pub fn chinese(self) -> &'static str {
        match self {
            UnitKind::Department => "市政府部门",
            UnitKind::County => "县（市、区）",
            UnitKind::DevelopmentZone => "开发区",
            UnitKind::StateCompany => "国有企业",
            UnitKind::VerticalAgency => "中央、省驻临单位",
            UnitKind::Party => "党委部门",
            UnitKind::MassOrganisation => "人民团体",
            UnitKind::Institution => "直属事业单位",
            UnitKind::Government => "市人民政府",
        }
    }
}

/// An organisation that can hold work (单位).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unit {
    /// `units/{slug}`.
    pub name: String,
    /// Full name, for example 市工业和信息化局; may carry a second signboard in brackets.
    pub display_name: String,
    /// Short names (简称) that stand for this unit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Second signboards (加挂牌子).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signboards: Vec<String>,
    /// What sort of organisation it is.
    pub kind: UnitKind,
    /// The unit it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// GB/T 2260 code, for counties.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub division_code: Option<String>,
    /// The unit that took over its work when it ceased (并入), `units/{slug}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
    /// When it was founded; unset: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Timestamp>,
    /// When it ceased; unset: it has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Timestamp>,
}

impl Unit {
    /// Checks what can be checked on the unit alone: names, its parent, its code and its times.
    pub fn check(&self) -> Result<(), RosterError> {
        check_name("units", &self.name)?;
        check_present("display_name", &self.display_name)?;
        self.aliases.iter().try_for_each(|alias| check_present("aliases", alias))?;
        self.signboards.iter().try_for_each(|signboard| check_present("signboards", signboard))?;
        check_optional_name("units", self.parent.as_deref())?;
        check_optional_name("units", self.successor.as_deref())?;
        if self.successor.is_some() && self.end_time.is_none() {
            return Err(RosterError::SuccessorOfLiving { unit: self.name.clone() });
        }
        if [&self.parent, &self.successor].contains(&&Some(self.name.clone())) {
            return Err(RosterError::OwnParent { unit: self.name.clone() });
        }
        if let Some(code) = &self.division_code
            && !(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return Err(RosterError::DivisionCodeMalformed { code: code.clone() });
        }
        check_period(self.start_time, self.end_time)
    }

    /// Whether the unit exists at an instant.
    pub fn exists_at(&self, at: Timestamp) -> bool {
        holds(self.start_time, self.end_time, at)
    }

    /// Every name the unit is written with, as entered.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.display_name).chain(&self.aliases).chain(&self.signboards).map(String::as_str)
    }

    /// The keys it is found by: each of its names normalised, and the parts of a name that
    /// carries a second signboard in brackets.
    pub(crate) fn keys(&self) -> impl Iterator<Item = String> {
        self.names().flat_map(|name| {
            let own = normalise(name);
            let parts = split_signboard(&own)
                .map(|(name, signboard)| [name.to_owned(), normalise(name), normalise(signboard)]);
            std::iter::once(own).chain(parts.into_iter().flatten())
        })
    }
}

/// Refuses a period that ends before or as it begins.
pub(crate) fn check_period(start: Option<Timestamp>, end: Option<Timestamp>) -> Result<(), RosterError> {
    match start.zip(end) {
        Some((start, end)) if end <= start => Err(RosterError::PeriodEmpty { start, end }),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;

    use super::{Unit, UnitKind};
    use crate::error::RosterError;
    use crate::names::normalise;

    fn unit() -> Unit {
        Unit {
            name: "units/planning".into(),
            display_name: "市规划和自然资源局（市林业局）".into(),
            aliases: vec!["市自然资源局".into()],
            signboards: vec![],
            kind: UnitKind::Department,
            parent: None,
            division_code: None,
            successor: None,
            start_time: None,
            end_time: None,
        }
    }

    #[test]
    fn a_unit_is_called_by_each_of_its_names() {
        for name in ["临汾市规划和自然资源局", "市林业局", "市规划和自然资源局(市林业局)", "市自然资源局"]
        {
            assert!(unit().keys().any(|key| key == normalise(name)), "{name}");
        }
        assert!(unit().keys().all(|key| key != normalise("市规划局")));
    }

    #[test]
    fn a_malformed_unit_is_refused() {
        assert_eq!(unit().check(), Ok(()));
        let own_parent = Unit { parent: Some("units/planning".into()), ..unit() };
        assert_eq!(own_parent.check(), Err(RosterError::OwnParent { unit: "units/planning".into() }));
        let code = Unit { division_code: Some("14100".into()), ..unit() };
        assert_eq!(code.check(), Err(RosterError::DivisionCodeMalformed { code: "14100".into() }));
        let nameless = Unit { display_name: " ".into(), ..unit() };
        assert_eq!(nameless.check(), Err(RosterError::Missing { field: "display_name" }));
        let at = Timestamp::from_micros(7);
        let empty = Unit { start_time: Some(at), end_time: Some(at), ..unit() };
        assert_eq!(empty.check(), Err(RosterError::PeriodEmpty { start: at, end: at }));
    }

    #[test]
    fn the_json_is_the_one_of_the_api() {
        let json = serde_json::to_value(unit()).unwrap();
        assert_eq!(json["displayName"], "市规划和自然资源局（市林业局）");
        assert_eq!(json["kind"], "UNIT_KIND_DEPARTMENT");
        assert_eq!(json.get("parent"), None);
    }
}
