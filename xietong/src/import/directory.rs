//! [`KnownUnits`]: the names that a notice's units are looked up by.

use std::collections::BTreeMap;

use anyhow::Context;
use domain_calendar::Timestamp;
use domain_notice::{Directory as Names, Meaning};
use domain_roster::{Book, Lookup, RosterEvent, Unit, UnitKind, View, normalise};
use serde::Deserialize;

use crate::sample::{Collective, Directory};

/// The units and collectives of a city.
#[derive(Debug)]
pub(super) struct KnownUnits {
    book: Book,
    /// By each of their names, normalised.
    collectives: BTreeMap<String, String>,
    /// Names of counties, the development zone and collectives as they stand in sentences, the
    /// longest first.
    places: Vec<(String, String)>,
}

/// What of a `CreateUnitRequest` names a unit.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    unit_id: String,
    unit: EntryUnit,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryUnit {
    display_name: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    signboards: Vec<String>,
    kind: UnitKind,
}

impl KnownUnits {
    /// Those of a directory.
    pub(super) fn of(directory: &Directory) -> anyhow::Result<Self> {
        let at = Timestamp::from_micros(0);
        let (mut book, mut places) = (Book::new(), Vec::new());
        for value in &directory.units {
            let Entry { unit_id, unit } =
                Entry::deserialize(value).with_context(|| format!("the unit {}", value["unitId"]))?;
            let name = format!("units/{unit_id}");
            if matches!(unit.kind, UnitKind::County | UnitKind::DevelopmentZone) {
                let names = std::iter::once(&unit.display_name).chain(&unit.aliases);
                // 尧都 alone is in the names of streets and companies.
                places.extend(names.filter(|one| is_place(one)).map(|one| (one.clone(), name.clone())));
            }
            let unit = Unit {
                name,
                display_name: unit.display_name,
                aliases: unit.aliases,
                signboards: unit.signboards,
                kind: unit.kind,
                parent: None,
                division_code: None,
                start_time: None,
                end_time: None,
            };
            book.apply(&RosterEvent::UnitCreated(unit), at)?;
        }
        let mut collectives = BTreeMap::new();
        for Collective { collective_id, display_name, aliases, members: _ } in &directory.collectives {
            let name = format!("collectives/{collective_id}");
            for called in std::iter::once(display_name).chain(aliases) {
                collectives.insert(normalise(called), name.clone());
                places.push((half_width(called), name.clone()));
            }
        }
        places.sort_by_key(|(called, _)| std::cmp::Reverse(called.len()));
        Ok(KnownUnits { book, collectives, places })
    }

    fn view(&self) -> View<'_> {
        self.book.view(Timestamp::from_micros(0), Timestamp::MAX)
    }
}

/// Notices are read in half-width forms.
fn half_width(name: &str) -> String {
    name.replace('（', "(").replace('）', ")")
}

fn is_place(name: &str) -> bool {
    name.chars().count() >= 3 || name.ends_with('县')
}

impl Names for KnownUnits {
    fn find(&self, name: &str) -> Meaning {
        if let Some(collective) = self.collectives.get(&normalise(name)) {
            return Meaning::One(collective.clone());
        }
        let names = |units: Vec<&Unit>| units.into_iter().map(|unit| unit.name.clone()).collect();
        match self.view().lookup_unit(name) {
            Lookup::Found(unit) => Meaning::One(unit.name.clone()),
            Lookup::Ambiguous(units) => Meaning::Ambiguous(names(units)),
            Lookup::Unknown => Meaning::Unknown(names(self.view().similar_units(name))),
        }
    }

    fn mentioned(&self, text: &str) -> Vec<String> {
        let mut rest = text.to_owned();
        let mut found: Vec<(usize, String)> = Vec::new();
        for (called, unit) in &self.places {
            while let Some(at) = rest.find(called.as_str()) {
                // A shorter name inside a longer one is not a second mention.
                rest.replace_range(at..at + called.len(), &"\0".repeat(called.len()));
                if found.iter().all(|(_, one)| one != unit) {
                    found.push((at, unit.clone()));
                }
            }
        }
        found.sort();
        found.into_iter().map(|(_, unit)| unit).collect()
    }
}

#[cfg(test)]
mod tests {
    use domain_notice::{Directory as _, Meaning};

    use super::KnownUnits;

    fn city() -> KnownUnits {
        KnownUnits::of(&crate::sample::directory().unwrap()).unwrap()
    }

    #[test]
    fn every_name_of_a_unit_finds_it() {
        let city = city();
        for name in
            ["市工信局", "市工业和信息化局", "临汾市工业和信息化局", "市工业和信息化局(市民营经济发展促进局)"]
        {
            assert_eq!(city.find(name), Meaning::One("units/gongxinju".to_owned()), "{name}");
        }
        for name in ["各县市区", "各县(市、区)", "各县市区人民政府"] {
            assert!(
                matches!(city.find(name), Meaning::One(one) if one.starts_with("collectives/")),
                "{name}"
            );
        }
    }

    #[test]
    fn a_name_that_nobody_has_is_not_guessed_but_what_is_like_it_is_offered() {
        let Meaning::Unknown(candidates) = city().find("市水利水务局") else {
            panic!("it was guessed")
        };
        assert_eq!(candidates.first().map(String::as_str), Some("units/shuiliju"));
        let Meaning::Unknown(candidates) = city().find("市工讯局") else { panic!("it was guessed") };
        assert_eq!(candidates.first().map(String::as_str), Some("units/gongxinju"));
        assert_eq!(city().find("省海洋渔业厅"), Meaning::Unknown(vec![]));
    }

    #[test]
    fn places_in_a_sentence_are_found_once_and_in_order() {
        let found = city().mentioned("6月底前,完成侯马市、大宁县、吉县污水处理厂,侯马市率先,尧都路不算");
        assert_eq!(found, ["units/houma", "units/daning", "units/jixian"]);
    }
}
