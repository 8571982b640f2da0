//! The records on which a principal may perform an action.

use std::collections::BTreeSet;
use std::fmt;

use crate::authorize::{Resource, Visibility};
use crate::error::Error;

/// The records on which a principal may perform an action.
///
/// A record is permitted when it is within reach **and** may be seen:
///
/// - within reach: `all`, or one of its units is in `units` or `portfolio`, or one of its
///   groups is in `groups`, or `own` and it belongs to `official` or `subject`; and, when
///   `reading`, also if it is public, or restricted with one of its `restricted_units` in
///   `units` or `portfolio`;
/// - may be seen: it is not restricted, or `sees_restricted`, or one of its units or
///   `restricted_units` is in `named_units`, or one of its groups in `named_groups`, or
///   `own` and it belongs to `official` or `subject`.
///
/// A list query says the same in SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The action asked about.
    pub action: &'static str,
    /// The action changes nothing.
    pub reading: bool,
    /// Every record is within reach.
    pub all: bool,
    /// Records of these units are within reach.
    pub units: BTreeSet<String>,
    /// The official the portfolio of which is within reach. Whoever asks resolves it to
    /// units now and adds them with [`with_portfolio`](Self::with_portfolio); until then
    /// nothing of it is permitted.
    pub portfolio_of: Option<String>,
    /// The official whose mandates for this action are within reach. Whoever asks resolves
    /// them to units now and adds them with [`with_mandated`](Self::with_mandated).
    pub mandate_of: Option<String>,
    /// Units of that portfolio, and of those mandates.
    pub portfolio: BTreeSet<String>,
    /// Records of these groups are within reach.
    pub groups: BTreeSet<String>,
    /// The principal's own records are within reach.
    pub own: bool,
    /// The principal's subject.
    pub subject: String,
    /// The principal's official.
    pub official: Option<String>,
    /// Restricted records may be seen whoever they name.
    pub sees_restricted: bool,
    /// Restricted records that name one of these units may be seen.
    pub named_units: BTreeSet<String>,
    /// Restricted records of one of these groups may be seen.
    pub named_groups: BTreeSet<String>,
}

impl Scope {
    /// Adds the units that [`portfolio_of`](Self::portfolio_of) answers for now. Does
    /// nothing when no portfolio is within reach.
    #[must_use]
    pub fn with_portfolio(mut self, units: impl IntoIterator<Item = String>) -> Self {
        if self.portfolio_of.is_some() {
            self.portfolio.extend(units);
        }
        self
    }

    /// Adds the units that mandates of [`mandate_of`](Self::mandate_of) are about now. Does
    /// nothing when no mandate is within reach.
    #[must_use]
    pub fn with_mandated(mut self, units: impl IntoIterator<Item = String>) -> Self {
        if self.mandate_of.is_some() {
            self.portfolio.extend(units);
        }
        self
    }

    /// Whether the action may be performed on the record.
    pub fn permits(&self, resource: &Resource) -> bool {
        self.reaches(resource) && self.may_see(resource)
    }

    /// [`permits`](Self::permits) as a result.
    ///
    /// # Errors
    /// PERMISSION_DENIED, which says nothing about the record.
    pub fn authorize(&self, resource: &Resource) -> Result<(), Error> {
        if self.permits(resource) { Ok(()) } else { Err(Error::permission_denied(self.action)) }
    }

    /// What to answer about a record that does not exist: NOT_FOUND to those who may see
    /// every record, PERMISSION_DENIED to everybody else, as for one that is not theirs. So
    /// the answer never tells which of the two it is.
    pub fn missing(&self, resource: impl fmt::Display) -> Error {
        if self.all && self.sees_restricted {
            Error::not_found(resource)
        } else {
            Error::permission_denied(self.action)
        }
    }

    fn reaches(&self, resource: &Resource) -> bool {
        let has_unit = |units: &[String]| {
            units.iter().any(|unit| self.units.contains(unit) || self.portfolio.contains(unit))
        };
        let open_to_readers = match resource.visibility {
            Visibility::Public => true,
            Visibility::Internal => false,
            Visibility::Restricted => has_unit(&resource.restricted_units),
        };
        self.all
            || has_unit(&resource.units)
            || resource.groups.iter().any(|group| self.groups.contains(group))
            || self.owns(resource)
            || (self.reading && open_to_readers)
    }

    fn may_see(&self, resource: &Resource) -> bool {
        match resource.visibility {
            Visibility::Public | Visibility::Internal => true,
            Visibility::Restricted => {
                let mut units = resource.units.iter().chain(&resource.restricted_units);
                self.sees_restricted
                    || units.any(|unit| self.named_units.contains(unit))
                    || resource.groups.iter().any(|group| self.named_groups.contains(group))
                    || self.owns(resource)
            }
        }
    }

    fn owns(&self, resource: &Resource) -> bool {
        let official = self.official.as_ref();
        self.own
            && (official.is_some_and(|official| resource.officials.contains(official))
                || resource.creator.as_ref() == Some(&self.subject))
    }
}
