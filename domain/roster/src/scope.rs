//! [`Scope`]: a part of a leader's duties, and [`Matter`]: what is asked about.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::charge::field_key;
use crate::error::RosterError;
use crate::names::{check_name, check_present};
use crate::unit::Unit;
use crate::view::View;

/// A part of what a leader is in charge of: units, with all that belong to them, and fields of
/// work.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Scope {
    /// `units/{slug}`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<String>,
    /// Fields of work, for example 公安.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

impl Scope {
    /// Whether it names nothing.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty() && self.fields.is_empty()
    }

    pub(crate) fn check(&self) -> Result<(), RosterError> {
        self.units.iter().try_for_each(|unit| check_name("units", unit))?;
        self.fields.iter().try_for_each(|field| check_present("fields", field))
    }

    /// Whether a matter is in it. The whole of somebody's duties is in no part of them.
    pub(crate) fn covers(&self, matter: &Matter<'_>) -> bool {
        match matter {
            Matter::Whole => false,
            Matter::Unit(view, unit) => {
                let mut inside = false;
                if !self.units.is_empty() {
                    view.climb(unit, |link| {
                        inside = self.units.contains(&link.name);
                        !inside
                    });
                }
                inside
            }
            Matter::Field(key) => self.fields.iter().map(|field| field_key(field)).any(|own| {
                !own.is_empty()
                    && !key.is_empty()
                    && (own.contains(key.as_ref()) || key.contains(own.as_ref()))
            }),
        }
    }

    /// The part as officials read it.
    pub(crate) fn chinese(&self, view: View<'_>) -> String {
        let units = self.units.iter().map(|unit| view.unit_label(unit).to_owned());
        let fields = self.fields.iter().map(|field| format!("{field}工作"));
        units.chain(fields).collect::<Vec<_>>().join("、")
    }
}

/// What somebody acts in: it decides which part of an absent leader's duties is meant.
#[derive(Debug, Clone)]
pub(crate) enum Matter<'a> {
    /// All of somebody's duties.
    Whole,
    /// What concerns a unit.
    Unit(View<'a>, &'a Unit),
    /// A field of work, by its key.
    Field(Cow<'a, str>),
}

impl<'a> Matter<'a> {
    /// A field as people write it.
    pub(crate) fn field(text: &'a str) -> Self {
        Matter::Field(field_key(text))
    }
}
