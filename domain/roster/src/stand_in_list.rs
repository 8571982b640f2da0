//! [`StandInList`]: the AB list that a unit keeps of its own people (单位内部AB角).

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::book::Book;
use crate::division::{StandInPair, check_pairs, stand_in_of};
use crate::error::RosterError;
use crate::names::check_name;

/// Who stands in for whom inside a unit, as one immutable version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StandInList {
    /// `standInLists/{id}`.
    pub name: String,
    /// `units/{slug}`.
    pub unit: String,
    /// From when it holds, until the unit's next one.
    pub effective_time: Timestamp,
    /// The document it is in; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub document_number: String,
    /// Pairs of people of the unit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<StandInPair>,
    /// When the roster learned of it.
    pub recorded_at: Timestamp,
}

impl StandInList {
    /// Whom the list names for an official.
    pub fn stand_in(&self, official: &str) -> Option<&str> {
        stand_in_of(&self.pairs, official)
    }
}

/// Whether a list can be recorded: well-formed, its name free, its unit and people known, and
/// each of them with a post in the unit when it takes effect.
pub fn admit_stand_in_list(book: &Book, list: &StandInList) -> Result<(), RosterError> {
    check_name("standInLists", &list.name)?;
    check_name("units", &list.unit)?;
    check_pairs(&list.pairs)?;
    if book.unit(&list.unit).is_none() {
        return Err(RosterError::UnitUnknown { text: list.unit.clone() });
    }
    if book.stand_in_lists().any(|one| one.name == list.name) {
        return Err(RosterError::NameTaken { name: list.name.clone() });
    }
    let people = list.pairs.iter().flat_map(|pair| [&pair.official, &pair.stand_in]);
    for person in people {
        let Some(official) = book.official(person) else {
            return Err(RosterError::OfficialUnknown { text: person.clone() });
        };
        if !official
            .posts
            .iter()
            .any(|post| post.unit.as_deref() == Some(list.unit.as_str()) && post.held_at(list.effective_time))
        {
            return Err(RosterError::NotOfUnit { official: person.clone(), unit: list.unit.clone() });
        }
    }
    Ok(())
}
