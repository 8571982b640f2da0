//! A division of work (分工): what each city leader is in charge of, and who stands in for whom.

use std::collections::{BTreeMap, BTreeSet};

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::charge::field_key;
use crate::error::RosterError;
use crate::names::{check_name, check_optional_name, check_present};
use crate::scope::Scope;

/// How a leader stands to a unit or field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Relation {
    /// 主持.
    #[serde(rename = "RELATION_PRESIDES")]
    Presides,
    /// 主管, 分管, 负责.
    #[serde(rename = "RELATION_DIRECTS")]
    Directs,
    /// 协助分管.
    #[serde(rename = "RELATION_ASSISTS_DIRECTING")]
    AssistsDirecting,
    /// 联系.
    #[serde(rename = "RELATION_LIAISES")]
    Liaises,
    /// 协助联系.
    #[serde(rename = "RELATION_ASSISTS_LIAISING")]
    AssistsLiaising,
}

impl Relation {
    /// The relations that put a leader in charge, strongest first; assisting (协助) never does.
    pub(crate) const IN_CHARGE: [Relation; 3] = [Relation::Directs, Relation::Presides, Relation::Liaises];

    /// What officials call it.
    pub fn chinese(self) -> &'static str {
        match self {
            Relation::Presides => "主持",
            Relation::Directs => "分管",
            Relation::AssistsDirecting => "协助分管",
            Relation::Liaises => "联系",
            Relation::AssistsLiaising => "协助联系",
        }
    }

    /// Whether it merely assists whoever is in charge.
    pub fn assists(self) -> bool {
        match self {
            Relation::AssistsDirecting | Relation::AssistsLiaising => true,
            Relation::Presides | Relation::Directs | Relation::Liaises => false,
        }
    }
}

/// A field of work in a portfolio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldDuty {
    /// For example 水利.
    pub field: String,
    /// How the leader stands to it.
    pub relation: Relation,
}

/// A unit in a portfolio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnitDuty {
    /// `units/{slug}`.
    pub unit: String,
    /// How the leader stands to it.
    pub relation: Relation,
}

/// A class of units that is no single unit, for example 银行、保险、证券等驻临分支机构.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassDuty {
    /// As the notice has it.
    pub text: String,
    /// How the leader stands to it.
    pub relation: Relation,
}

/// What one leader is in charge of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Portfolio {
    /// `officials/{id}`.
    pub official: String,
    /// The leader presides over the whole (主持全面工作).
    #[serde(default)]
    pub presides: bool,
    /// Fields of work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldDuty>,
    /// Units.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<UnitDuty>,
    /// Classes that are no single unit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassDuty>,
}

impl Portfolio {
    /// Fields and classes: whatever is in charge of a text and not of a unit.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, Relation)> {
        let fields = self.fields.iter().map(|duty| (duty.field.as_str(), duty.relation));
        fields.chain(self.classes.iter().map(|duty| (duty.text.as_str(), duty.relation)))
    }
}

/// Who stands in for whom (AB角).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StandInPair {
    /// A, `officials/{id}`.
    pub official: String,
    /// B, `officials/{id}`.
    pub stand_in: String,
    /// A stands in for B as well (互为AB角).
    #[serde(default)]
    pub mutual: bool,
}

/// What the city has decided for when no pair gives an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fallback {
    /// Officials asked in this order, each skipped when absent.
    pub officials: Vec<String>,
    /// The rule that says so, named in every answer that uses it.
    pub basis: String,
}

/// Duties of a leader that are not delegated to a stand-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exclusion {
    /// `officials/{id}`.
    pub official: String,
    /// Which duties; never empty.
    #[serde(flatten)]
    pub scope: Scope,
    /// The rule that says so, named in every answer that it changes.
    pub basis: String,
}

/// A whole division of work as one immutable version. It holds from its effective time until
/// another takes effect; nothing ever changes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Division {
    /// `divisions/{id}`.
    pub name: String,
    /// For example 临政办发〔2023〕12号.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub document_number: String,
    /// Title of the notice.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// From when it holds.
    pub effective_time: Timestamp,
    /// The notice is known only in part: answers that fall through say so.
    #[serde(default)]
    pub partial: bool,
    /// One a leader.
    #[serde(default)]
    pub portfolios: Vec<Portfolio>,
    /// AB pairs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<StandInPair>,
    /// Third stand-ins (C角).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub third_stand_ins: Vec<StandInPair>,
    /// The fallback, if the city has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
    /// Duties that no stand-in takes over; they fall to the fallback.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<Exclusion>,
    /// An absence longer than this many days needs a formal reassignment; unset: none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absence_limit_days: Option<u32>,
    /// The division that this one corrects, `divisions/{id}`, of the same day: as far as the
    /// correction is known, the other never held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<String>,
    /// When the roster learned of it.
    pub record_time: Timestamp,
}

impl Division {
    /// Checks what can be checked on the division alone: that every question it answers has one
    /// answer. Whether its units and officials exist is [`crate::admit_division`]'s question.
    pub fn check(&self) -> Result<(), RosterError> {
        check_name("divisions", &self.name)?;
        if self.portfolios.is_empty() {
            return Err(RosterError::Missing { field: "portfolios" });
        }
        self.check_portfolios()?;
        check_pairs(&self.pairs)?;
        check_pairs(&self.third_stand_ins)?;
        self.check_exclusions()?;
        check_optional_name("divisions", self.corrects.as_deref())?;
        self.check_fallback()
    }

    /// What answers call it: its number, else its title, else its resource name.
    pub fn label(&self) -> &str {
        [&self.document_number, &self.title]
            .into_iter()
            .find(|text| !text.trim().is_empty())
            .unwrap_or(&self.name)
    }

    /// What a leader is in charge of.
    pub fn portfolio(&self, official: &str) -> Option<&Portfolio> {
        self.portfolios.iter().find(|portfolio| portfolio.official == official)
    }

    /// Who presides over the whole (主持全面工作).
    pub fn presider(&self) -> Option<&str> {
        self.portfolios
            .iter()
            .find(|portfolio| portfolio.presides)
            .map(|portfolio| portfolio.official.as_str())
    }

    /// The standing B (AB角) of an official.
    pub fn standing_b(&self, official: &str) -> Option<&str> {
        stand_in_of(&self.pairs, official)
    }

    /// The third stand-in (C角) of an official.
    pub fn third_stand_in(&self, official: &str) -> Option<&str> {
        stand_in_of(&self.third_stand_ins, official)
    }

    /// Every unit duty with its leader, in the notice's order.
    pub(crate) fn unit_duties(&self) -> impl Iterator<Item = (&str, &UnitDuty)> {
        self.portfolios
            .iter()
            .flat_map(|portfolio| portfolio.units.iter().map(|duty| (portfolio.official.as_str(), duty)))
    }

    /// Every official the division names.
    pub(crate) fn officials(&self) -> BTreeSet<&str> {
        let leaders = self.portfolios.iter().map(|portfolio| portfolio.official.as_str());
        let pairs = self.pairs.iter().chain(&self.third_stand_ins);
        let paired = pairs.flat_map(|pair| [pair.official.as_str(), pair.stand_in.as_str()]);
        let fallback =
            self.fallback.iter().flat_map(|fallback| fallback.officials.iter().map(String::as_str));
        let excluding = self.exclusions.iter().map(|exclusion| exclusion.official.as_str());
        leaders.chain(paired).chain(fallback).chain(excluding).collect()
    }

    fn check_portfolios(&self) -> Result<(), RosterError> {
        let mut leaders = BTreeSet::new();
        let mut presider: Option<&str> = None;
        let mut in_charge: BTreeMap<(Relation, String), &str> = BTreeMap::new();
        for portfolio in &self.portfolios {
            let official = portfolio.official.as_str();
            check_name("officials", official)?;
            if !leaders.insert(official) {
                return Err(RosterError::PortfolioRepeated { official: official.to_owned() });
            }
            if portfolio.presides
                && let Some(first) = presider.replace(official)
            {
                return Err(RosterError::PresiderContested {
                    first: first.to_owned(),
                    second: official.to_owned(),
                });
            }
            portfolio.units.iter().try_for_each(|duty| check_name("units", &duty.unit))?;
            portfolio.texts().try_for_each(|(text, _)| check_present("fields", text))?;
            let units = portfolio.units.iter().map(|duty| (duty.relation, duty.unit.clone()));
            let texts = portfolio.texts().map(|(text, relation)| (relation, field_key(text).into_owned()));
            for duty in units.chain(texts).filter(|(relation, _)| !relation.assists()) {
                if let Some(first) = in_charge.get(&duty)
                    && *first != official
                {
                    return Err(RosterError::DutyContested {
                        duty: duty.1,
                        first: (*first).to_owned(),
                        second: official.to_owned(),
                    });
                }
                in_charge.insert(duty, official);
            }
        }
        Ok(())
    }

    fn check_exclusions(&self) -> Result<(), RosterError> {
        if self.absence_limit_days == Some(0) {
            return Err(RosterError::Missing { field: "absence_limit_days" });
        }
        for exclusion in &self.exclusions {
            check_name("officials", &exclusion.official)?;
            exclusion.scope.check()?;
            check_present("exclusions.basis", &exclusion.basis)?;
            if exclusion.scope.is_empty() {
                return Err(RosterError::Missing { field: "exclusions.units" });
            }
        }
        Ok(())
    }

    fn check_fallback(&self) -> Result<(), RosterError> {
        let Some(fallback) = &self.fallback else { return Ok(()) };
        check_present("fallback.basis", &fallback.basis)?;
        if fallback.officials.is_empty() {
            return Err(RosterError::Missing { field: "fallback.officials" });
        }
        let mut seen = BTreeSet::new();
        for official in &fallback.officials {
            check_name("officials", official)?;
            if !seen.insert(official) {
                return Err(RosterError::FallbackRepeated { official: official.clone() });
            }
        }
        Ok(())
    }
}

/// Whom the pairs name for an official: B of A, and A of B where the pair is mutual.
pub(crate) fn stand_in_of<'d>(pairs: &'d [StandInPair], official: &str) -> Option<&'d str> {
    pairs.iter().find_map(|pair| {
        if pair.official == official {
            Some(pair.stand_in.as_str())
        } else if pair.mutual && pair.stand_in == official {
            Some(pair.official.as_str())
        } else {
            None
        }
    })
}

/// Nobody stands in for himself, and nobody has two of the same rank.
pub(crate) fn check_pairs(pairs: &[StandInPair]) -> Result<(), RosterError> {
    let mut covered = BTreeSet::new();
    for pair in pairs {
        check_name("officials", &pair.official)?;
        check_name("officials", &pair.stand_in)?;
        if pair.official == pair.stand_in {
            return Err(RosterError::OwnStandIn { official: pair.official.clone() });
        }
        let back = pair.mutual.then_some(&pair.stand_in);
        for official in std::iter::once(&pair.official).chain(back) {
            if !covered.insert(official) {
                return Err(RosterError::StandInContested { official: official.clone() });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Division, Fallback, Relation, StandInPair, UnitDuty};
    use crate::error::RosterError;
    use crate::fixture::{division_12, pair};

    fn changed(change: impl FnOnce(&mut Division)) -> Result<(), RosterError> {
        let mut division = division_12();
        change(&mut division);
        division.check()
    }

    #[test]
    fn the_notice_is_accepted() {
        assert_eq!(changed(|_| ()), Ok(()));
    }

    #[test]
    fn a_leader_with_two_portfolios_is_refused() {
        let refused = changed(|division| division.portfolios.push(division.portfolios[1].clone()));
        assert_eq!(refused, Err(RosterError::PortfolioRepeated { official: "officials/wang-yuan".into() }));
    }

    #[test]
    fn two_who_preside_over_the_whole_are_refused() {
        let refused = changed(|division| division.portfolios[1].presides = true);
        assert_eq!(
            refused,
            Err(RosterError::PresiderContested {
                first: "officials/wang-yanfeng".into(),
                second: "officials/wang-yuan".into()
            })
        );
    }

    #[test]
    fn a_unit_directed_by_two_leaders_is_refused() {
        let refused = changed(|division| {
            let duty = UnitDuty { unit: "units/health".into(), relation: Relation::Directs };
            division.portfolios[1].units.push(duty);
        });
        assert!(
            matches!(refused, Err(RosterError::DutyContested { duty, .. }) if duty == "units/health"),
            "two directors"
        );
    }

    #[test]
    fn assisting_contests_nothing() {
        let accepted = changed(|division| {
            let duty = UnitDuty { unit: "units/health".into(), relation: Relation::AssistsDirecting };
            division.portfolios[1].units.push(duty);
        });
        assert_eq!(accepted, Ok(()));
    }

    #[test]
    fn a_pair_with_oneself_is_refused() {
        let refused = changed(|division| division.pairs.push(pair("zhang-xiliang", "zhang-xiliang")));
        assert_eq!(refused, Err(RosterError::OwnStandIn { official: "officials/zhang-xiliang".into() }));
    }

    #[test]
    fn a_second_standing_b_is_refused_even_through_a_mutual_pair() {
        let refused = changed(|division| {
            let second = StandInPair { mutual: false, ..pair("hu-xiaogang", "wang-yun") };
            division.pairs.push(second);
        });
        assert_eq!(refused, Err(RosterError::StandInContested { official: "officials/hu-xiaogang".into() }));
    }

    #[test]
    fn a_fallback_must_name_its_rule() {
        let refused = changed(|division| {
            let officials = vec!["officials/wang-yuan".into()];
            division.fallback = Some(Fallback { officials, basis: String::new() });
        });
        assert_eq!(refused, Err(RosterError::Missing { field: "fallback.basis" }));
    }
}
