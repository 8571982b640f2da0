//! [`FeedScope`]: which entries of the change feed somebody may read.

use std::collections::{BTreeMap, BTreeSet};

use domain_notification::{FeedAudience, FeedKind};
use domain_supervision::Visibility;
use xietong_mesh::authorize::{Resource, Visibility as Seen};
use xietong_mesh::{Principal, Scope, authorize};

/// What somebody may read of each kind, as the service whose record it is would let him: a kind
/// without a scope is not his to read at all.
#[derive(Debug, Clone)]
pub(crate) struct FeedScope(BTreeMap<FeedKind, Scope>);

impl FeedScope {
    /// What a principal's grants reach. `resolved` adds the units of portfolios and mandates to a
    /// scope.
    pub(crate) fn of(principal: &Principal, resolved: impl Fn(Scope) -> Scope) -> Self {
        let scope = |kind: FeedKind| {
            let scope = authorize::scope(principal, kind.action()).ok()?;
            Some((kind, resolved(scope)))
        };
        FeedScope(FeedKind::ALL.into_iter().filter_map(scope).collect())
    }

    /// Whether an entry may be read.
    pub(crate) fn permits(&self, kind: FeedKind, audience: &FeedAudience) -> bool {
        self.0.get(&kind).is_some_and(|scope| scope.permits(&resource(audience)))
    }

    /// Whether what may be read follows from the roster.
    pub(crate) fn depends_on_roster(&self) -> bool {
        self.0.values().any(|scope| scope.portfolio_of.is_some() || scope.mandate_of.is_some())
    }

    /// The kinds of which something may be within reach.
    pub(super) fn kinds(&self) -> impl Iterator<Item = FeedKind> {
        self.0.keys().copied()
    }

    /// The kinds of which every record is within reach.
    pub(super) fn whole_kinds(&self) -> impl Iterator<Item = FeedKind> {
        self.0.iter().filter(|(_, scope)| scope.all).map(|(kind, _)| *kind)
    }

    /// The units whose records are within reach, of the kinds of which not every record is.
    pub(super) fn units(&self) -> BTreeSet<&str> {
        let scopes = self.0.values().filter(|scope| !scope.all);
        scopes.flat_map(|scope| scope.units.union(&scope.portfolio)).map(String::as_str).collect()
    }
}

/// What permission depends on in a record. It names neither groups nor people: no action of a
/// [`FeedKind`] reaches records by them, which a test holds.
pub(super) fn resource(audience: &FeedAudience) -> Resource {
    let visibility = match audience.visibility {
        Visibility::Public => Seen::Public,
        Visibility::Internal => Seen::Internal,
        Visibility::Restricted => Seen::Restricted,
    };
    Resource::new()
        .of_units(audience.held.values().cloned())
        .visible_to(visibility, audience.shown.iter().cloned())
}

#[cfg(test)]
mod tests {
    use domain_notification::FeedKind;
    use xietong_mesh::authorize::Reach;
    use xietong_mesh::matrix::{Access, row_of};
    use xietong_mesh::principal::Role;

    #[test]
    fn every_kind_is_read_by_an_action_that_reaches_nothing_by_groups_or_people() {
        for kind in FeedKind::ALL {
            let row = row_of(kind.action()).unwrap();
            assert_eq!(row.access, Access::Read, "{kind:?}");
            for role in Role::OF_ACCOUNTS {
                for reach in row.reaches(role) {
                    assert!(
                        matches!(reach, Reach::All | Reach::Units | Reach::Portfolio | Reach::Mandate),
                        "{kind:?} reaches {reach:?}"
                    );
                }
            }
        }
    }
}
