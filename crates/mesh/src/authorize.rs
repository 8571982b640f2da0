//! May this principal do this to that, and which rows may it list.
//!
//! One answer for both: a principal and an action give a [`Scope`]; a record is permitted
//! if the scope permits it, and a list returns the rows that the scope permits.

#[cfg(test)]
mod listing;
mod resource;
mod scope;

use std::collections::BTreeSet;

use crate::error::Error;
use crate::matrix::{Access, row_of};
use crate::principal::{Principal, Role};

pub use resource::{Resource, Visibility};
pub use scope::Scope;

/// How far a role reaches in an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every record.
    All,
    /// Records of the units that the grant names.
    Units,
    /// Records of the units that the principal's official answers for now.
    Portfolio,
    /// Records of the units that the principal's official has a mandate for, for this action and
    /// now.
    Mandate,
    /// Records of the groups that the grant names.
    Groups,
    /// The principal's own records.
    SelfOnly,
}

/// The records on which the principal may perform the action.
///
/// # Errors
/// PERMISSION_DENIED when no grant of the principal reaches anything.
pub fn scope(principal: &Principal, action: &str) -> Result<Scope, Error> {
    let row = row_of(action).ok_or_else(|| Error::permission_denied(action))?;
    let mut scope = Scope {
        action: row.action,
        reading: row.access == Access::Read,
        all: false,
        units: BTreeSet::new(),
        portfolio_of: None,
        mandate_of: None,
        portfolio: BTreeSet::new(),
        groups: BTreeSet::new(),
        own: false,
        subject: principal.subject.clone(),
        official: principal.official.clone(),
        sees_restricted: false,
        named_units: BTreeSet::new(),
        named_groups: BTreeSet::new(),
    };
    let mut reached = false;
    for grant in &principal.grants {
        for reach in row.reaches(grant.role) {
            reached = true;
            scope.named_units.extend(grant.units.iter().cloned());
            scope.named_groups.extend(grant.groups.iter().cloned());
            match reach {
                Reach::All => {
                    scope.all = true;
                    scope.sees_restricted |= sees_restricted(grant.role);
                }
                Reach::Units => scope.units.extend(grant.units.iter().cloned()),
                Reach::Portfolio => scope.portfolio_of = principal.official.clone(),
                Reach::Mandate => scope.mandate_of = principal.official.clone(),
                Reach::Groups => scope.groups.extend(grant.groups.iter().cloned()),
                Reach::SelfOnly => scope.own = true,
            }
        }
    }
    if reached { Ok(scope) } else { Err(Error::permission_denied(action)) }
}

/// Whether the principal may perform the action on the record. Where the action reaches
/// portfolios, resolve the [`scope`] and ask it instead.
///
/// # Errors
/// PERMISSION_DENIED.
pub fn authorize(principal: &Principal, action: &str, resource: &Resource) -> Result<(), Error> {
    scope(principal, action)?.authorize(resource)
}

/// The roles whose reach over all records includes restricted ones.
fn sees_restricted(role: Role) -> bool {
    match role {
        Role::Supervisor | Role::Auditor | Role::Administrator | Role::System => true,
        Role::UnitClerk
        | Role::UnitApprover
        | Role::Liaison
        | Role::Leader
        | Role::Secretary
        | Role::AssistingDeputySecretaryGeneral
        | Role::GroupOffice
        | Role::Inspector
        | Role::SystemClient => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::matrix::MATRIX;
    use crate::principal::Grant;
    use crate::service_name::ServiceName;

    const GET: &str = "supervision.tasks.get";
    const SIGN: &str = "supervision.assignments.sign";
    const VERIFY: &str = "supervision.assignments.verify";

    fn clerk(unit: &str) -> Principal {
        Principal::account("clerk", None, vec![Grant::of(Role::UnitClerk).in_unit(unit)])
    }

    fn holding(role: Role) -> Principal {
        Principal::account("someone", Some("officials/1".to_owned()), vec![Grant::of(role)])
    }

    fn task_of(unit: &str) -> Resource {
        Resource::new().of_units([unit])
    }

    fn nobody() -> [String; 0] {
        []
    }

    #[test]
    fn a_clerk_reaches_the_units_of_the_account_only() {
        let clerk = clerk("units/a");
        assert!(authorize(&clerk, SIGN, &task_of("units/a")).is_ok());
        let refused = authorize(&clerk, SIGN, &task_of("units/b")).unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        assert!(authorize(&clerk, VERIFY, &task_of("units/a")).is_err());
    }

    #[test]
    fn a_leader_reaches_the_portfolio_once_it_is_resolved() {
        let scope = scope(&holding(Role::Leader), VERIFY).unwrap();
        assert_eq!(scope.portfolio_of.as_deref(), Some("officials/1"));
        assert!(!scope.permits(&task_of("units/a")));
        let scope = scope.with_portfolio(["units/a".to_owned()]);
        assert!(scope.permits(&task_of("units/a")));
        assert!(!scope.permits(&task_of("units/b")));
    }

    #[test]
    fn a_portfolio_is_not_lent_to_whoever_has_none() {
        let scope = scope(&clerk("units/a"), GET).unwrap().with_portfolio(["units/b".to_owned()]);
        assert!(!scope.permits(&task_of("units/b")));
    }

    #[test]
    fn a_public_record_is_read_by_all_and_changed_by_its_units() {
        let record = task_of("units/a").visible_to(Visibility::Public, nobody());
        assert!(authorize(&clerk("units/b"), GET, &record).is_ok());
        assert!(authorize(&clerk("units/b"), SIGN, &record).is_err());
        assert!(authorize(&holding(Role::GroupOffice), GET, &record).is_err(), "no row, no reading");
    }

    #[test]
    fn a_restricted_record_is_seen_by_its_units_and_the_overseers() {
        let record = task_of("units/a").visible_to(Visibility::Restricted, ["units/c"]);
        for unit in ["units/a", "units/c"] {
            assert!(authorize(&clerk(unit), GET, &record).is_ok(), "{unit}");
        }
        assert!(authorize(&clerk("units/b"), GET, &record).is_err());
        assert!(authorize(&clerk("units/c"), SIGN, &record).is_err(), "seeing is not doing");
        for role in [Role::Supervisor, Role::Auditor, Role::Administrator] {
            assert!(authorize(&holding(role), GET, &record).is_ok());
        }
        assert!(authorize(&Principal::system(ServiceName::Workgroup), GET, &record).is_ok());
        let leader = scope(&holding(Role::Leader), GET).unwrap().with_portfolio(["units/a".to_owned()]);
        assert!(!leader.permits(&record));
    }

    #[test]
    fn reach_over_all_does_not_show_what_is_restricted() {
        const GROUP: &str = "workgroup.groups.get";
        let record = Resource::new().of_groups(["groups/1"]).visible_to(Visibility::Restricted, ["units/a"]);
        assert!(authorize(&clerk("units/b"), GROUP, &record).is_err());
        assert!(authorize(&clerk("units/a"), GROUP, &record).is_ok());
        let office = Principal::account("o", None, vec![Grant::of(Role::GroupOffice).in_group("groups/1")]);
        assert!(authorize(&office, GROUP, &record).is_ok());
    }

    #[test]
    fn an_inbox_is_its_owners() {
        const INBOX: &str = "notification.inbox.get";
        let owner = holding(Role::Leader);
        assert!(authorize(&owner, INBOX, &Resource::new().of_official("officials/1")).is_ok());
        assert!(authorize(&owner, INBOX, &Resource::new().created_by("someone")).is_ok());
        assert!(authorize(&owner, INBOX, &Resource::new().of_official("officials/2")).is_err());
        assert!(authorize(&holding(Role::Supervisor), INBOX, &task_of("units/a")).is_err());
    }

    #[test]
    fn what_is_missing_looks_like_what_is_not_yours() {
        let refused = scope(&clerk("units/a"), GET).unwrap().missing("tasks/1");
        assert_eq!(refused.code(), Code::PermissionDenied);
        assert_eq!(refused, authorize(&clerk("units/a"), GET, &task_of("units/b")).unwrap_err());
        let missing = scope(&holding(Role::Supervisor), GET).unwrap().missing("tasks/1");
        assert_eq!(missing.code(), Code::NotFound);
    }

    #[test]
    fn without_a_grant_or_a_row_nothing_is_permitted() {
        let nobody = Principal::account("nobody", None, Vec::new());
        for row in MATRIX {
            assert!(scope(&nobody, row.action).is_err());
        }
        assert!(scope(&holding(Role::Administrator), "no.such.action").is_err());
    }
}
