//! Collectives: standing sets of units that notices call by one name, as 各县（市、区）.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::RosterError;
use crate::names::{check_name, check_present, normalise};

/// Characters of a name.
const LONGEST_NAME: usize = 200;
/// Names beside the full one.
const MOST_ALIASES: usize = 100;
/// Members.
const MOST_UNITS: usize = 1_000;

/// A standing set of units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Collective {
    /// `collectives/{slug}`.
    pub name: String,
    /// Full name, for example 各县（市、区）.
    pub display_name: String,
    /// What else it is called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// The members, `units/{slug}`, in the order that the city lists them in.
    pub units: Vec<String>,
}

impl Collective {
    /// Checks what can be checked on the collective alone: its names, and that it has members,
    /// each once.
    pub fn check(&self) -> Result<(), RosterError> {
        check_name("collectives", &self.name)?;
        check_called("display_name", &self.display_name)?;
        check_count("aliases", self.aliases.len(), MOST_ALIASES)?;
        self.aliases.iter().try_for_each(|alias| check_called("aliases", alias))?;
        if self.units.is_empty() {
            return Err(RosterError::Missing { field: "units" });
        }
        check_count("units", self.units.len(), MOST_UNITS)?;
        let mut members = BTreeSet::new();
        for unit in &self.units {
            check_name("units", unit)?;
            if !members.insert(unit) {
                return Err(RosterError::MemberRepeated { unit: unit.clone() });
            }
        }
        Ok(())
    }

    /// Every name it is written with, as entered.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.display_name).chain(&self.aliases).map(String::as_str)
    }

    /// Whether a normalised name is one of this collective's. Its brackets belong to the name:
    /// they hold no second signboard.
    pub(crate) fn is_called(&self, key: &str) -> bool {
        self.names().any(|name| normalise(name) == key)
    }
}

fn check_called(field: &'static str, name: &str) -> Result<(), RosterError> {
    check_present(field, name)?;
    let characters = name.chars().count();
    if characters > LONGEST_NAME {
        return Err(RosterError::TextTooLong { field, characters, longest: LONGEST_NAME });
    }
    Ok(())
}

fn check_count(field: &'static str, entries: usize, most: usize) -> Result<(), RosterError> {
    if entries > most { Err(RosterError::TooManyEntries { field, entries, most }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::{Collective, LONGEST_NAME, MOST_ALIASES, MOST_UNITS};
    use crate::error::RosterError;
    use crate::fixture::collective;

    fn counties() -> Collective {
        collective("counties", "各县（市、区）", &["各县市区"], &["yaodu", "houma"])
    }

    #[test]
    fn a_malformed_collective_is_refused() {
        assert_eq!(counties().check(), Ok(()));
        let field = |refused: Result<(), RosterError>| match refused {
            Err(RosterError::Missing { field } | RosterError::TextTooLong { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        let long = "县".repeat(LONGEST_NAME + 1);
        for (broken, expected) in [
            (Collective { display_name: " ".into(), ..counties() }, "display_name"),
            (Collective { display_name: long.clone(), ..counties() }, "display_name"),
            (Collective { aliases: vec!["各县".into(), "\u{3000}".into()], ..counties() }, "aliases"),
            (Collective { aliases: vec![long], ..counties() }, "aliases"),
            (Collective { units: vec![], ..counties() }, "units"),
        ] {
            assert_eq!(field(broken.check()), expected);
        }
        let malformed = Collective { name: "collectives/Counties".into(), ..counties() };
        assert!(matches!(
            malformed.check(),
            Err(RosterError::NameMalformed { collection: "collectives", .. })
        ));
        let stranger = Collective { units: vec!["officials/yaodu".into()], ..counties() };
        assert!(matches!(stranger.check(), Err(RosterError::NameMalformed { collection: "units", .. })));
        let twice = collective("counties", "各县", &[], &["yaodu", "houma", "yaodu"]);
        assert_eq!(twice.check(), Err(RosterError::MemberRepeated { unit: "units/yaodu".into() }));
    }

    #[test]
    fn as_many_names_and_members_as_the_bounds_are_admitted_and_one_more_is_not() {
        let names = |count: usize| (0..count).map(|number| format!("称呼{number}")).collect();
        let units = |count: usize| (0..count).map(|number| format!("units/county-{number}")).collect();
        let of =
            |aliases, members| Collective { aliases: names(aliases), units: units(members), ..counties() };
        assert_eq!(of(MOST_ALIASES, MOST_UNITS).check(), Ok(()));
        let refused = |field, most| Err(RosterError::TooManyEntries { field, entries: most + 1, most });
        assert_eq!(of(MOST_ALIASES + 1, 1).check(), refused("aliases", MOST_ALIASES));
        assert_eq!(of(0, MOST_UNITS + 1).check(), refused("units", MOST_UNITS));
    }

    #[test]
    fn the_json_is_the_one_of_the_api() {
        let json = serde_json::to_value(counties()).unwrap();
        assert_eq!(json["displayName"], "各县（市、区）");
        assert_eq!(json["units"], serde_json::json!(["units/yaodu", "units/houma"]));
    }
}
