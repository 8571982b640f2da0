//! What a name stands for: one, none, or several to choose from.

use crate::error::{Candidate, RosterError};
use crate::official::Official;
use crate::unit::Unit;

/// What a name stands for; several candidates are reported and never guessed between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup<'a, T> {
    /// Exactly one.
    Found(&'a T),
    /// None.
    Unknown,
    /// Several, in order of resource name.
    Ambiguous(Vec<&'a T>),
}

impl<'a, T> Lookup<'a, T> {
    pub(crate) fn among(mut found: Vec<&'a T>) -> Self {
        match (found.pop(), found.is_empty()) {
            (None, _) => Lookup::Unknown,
            (Some(only), true) => Lookup::Found(only),
            (Some(last), false) => {
                found.push(last);
                Lookup::Ambiguous(found)
            }
        }
    }
}

impl<'a> Lookup<'a, Unit> {
    /// The one unit, or the refusal that names the candidates.
    pub fn require(self, text: &str) -> Result<&'a Unit, RosterError> {
        let text = text.to_owned();
        match self {
            Lookup::Found(unit) => Ok(unit),
            Lookup::Unknown => Err(RosterError::UnitUnknown { text }),
            Lookup::Ambiguous(units) => {
                let candidates = units.into_iter().map(|unit| candidate(&unit.name, &unit.display_name));
                Err(RosterError::UnitAmbiguous { text, candidates: candidates.collect() })
            }
        }
    }
}

impl<'a> Lookup<'a, Official> {
    /// The one official, or the refusal that names the candidates.
    pub fn require(self, text: &str) -> Result<&'a Official, RosterError> {
        let text = text.to_owned();
        match self {
            Lookup::Found(official) => Ok(official),
            Lookup::Unknown => Err(RosterError::OfficialUnknown { text }),
            Lookup::Ambiguous(officials) => {
                let candidates = officials.into_iter().map(|one| candidate(&one.name, &one.display_name));
                Err(RosterError::OfficialAmbiguous { text, candidates: candidates.collect() })
            }
        }
    }
}

fn candidate(name: &str, display_name: &str) -> Candidate {
    Candidate { name: name.to_owned(), display_name: display_name.to_owned() }
}
