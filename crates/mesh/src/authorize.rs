//! May this principal do this to that, and which rows may it list.
//!
//! One answer for both: a principal and an action give a [`Scope`]; a record is permitted
//! if the scope permits it, and a list returns the rows that the scope permits.

use std::collections::BTreeSet;

use crate::error::Error;
use crate::matrix::{Access, row_of};
use crate::principal::{Principal, Role};

/// How far a role reaches in an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every record.
    All,
    /// Records of the units that the grant names.
    Units,
    /// Records of the units that the principal's official answers for now.
    Portfolio,
    /// Records of the groups that the grant names.
    Groups,
    /// The principal's own records.
    SelfOnly,
}

/// Who may see a record beyond the people who work on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    /// Whoever may perform a reading action at all may read it.
    Public,
    /// Whoever's grants reach it.
    #[default]
    Internal,
    /// Of those, only whose grants name one of its units or groups, and the roles that see
    /// everything.
    Restricted,
}

impl Visibility {
    /// What the proto says; unspecified is taken as internal.
    pub fn from_proto(visibility: xietong_proto::common::Visibility) -> Self {
        match visibility {
            xietong_proto::common::Visibility::Public => Self::Public,
            xietong_proto::common::Visibility::Unspecified | xietong_proto::common::Visibility::Internal => {
                Self::Internal
            }
            xietong_proto::common::Visibility::Restricted => Self::Restricted,
        }
    }

    /// As the proto says it.
    pub fn to_proto(self) -> xietong_proto::common::Visibility {
        match self {
            Self::Public => xietong_proto::common::Visibility::Public,
            Self::Internal => xietong_proto::common::Visibility::Internal,
            Self::Restricted => xietong_proto::common::Visibility::Restricted,
        }
    }
}

/// What permission depends on in a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// Units whose record it is, as `units/{slug}`. For an act on one assignment: its unit.
    pub units: Vec<String>,
    /// Groups whose record it is, as `groups/{id}`.
    pub groups: Vec<String>,
    /// Officials whose own record it is, as `officials/{id}`.
    pub officials: Vec<String>,
    /// Subject whose own record it is.
    pub creator: Option<String>,
    /// Who may see it.
    pub visibility: Visibility,
    /// For a restricted record: further units that may see it.
    pub restricted_units: Vec<String>,
}

impl Resource {
    /// A record of nobody in particular, such as an entry of the directory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds units whose record it is.
    #[must_use]
    pub fn of_units(mut self, units: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.units.extend(units.into_iter().map(Into::into));
        self
    }

    /// Adds groups whose record it is.
    #[must_use]
    pub fn of_groups(mut self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.groups.extend(groups.into_iter().map(Into::into));
        self
    }

    /// Adds an official whose own record it is.
    #[must_use]
    pub fn of_official(mut self, official: impl Into<String>) -> Self {
        self.officials.push(official.into());
        self
    }

    /// Names the subject whose own record it is.
    #[must_use]
    pub fn created_by(mut self, subject: impl Into<String>) -> Self {
        self.creator = Some(subject.into());
        self
    }

    /// Sets who may see it, and the further units that may if that is restricted.
    #[must_use]
    pub fn visible_to(
        mut self,
        visibility: Visibility,
        restricted_units: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.visibility = visibility;
        self.restricted_units.extend(restricted_units.into_iter().map(Into::into));
        self
    }
}

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
    /// Units of that portfolio.
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
    pub fn missing(&self, resource: impl std::fmt::Display) -> Error {
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
    use proptest::prelude::*;

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
        let record =
            Resource::new().of_groups(["groups/1"]).visible_to(Visibility::Restricted, ["units/a"]);
        assert!(authorize(&clerk("units/b"), GROUP, &record).is_err());
        assert!(authorize(&clerk("units/a"), GROUP, &record).is_ok());
        let office =
            Principal::account("o", None, vec![Grant::of(Role::GroupOffice).in_group("groups/1")]);
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

    fn names(kind: &'static str) -> impl Strategy<Value = BTreeSet<String>> {
        prop::collection::btree_set((0..4_u8).prop_map(move |n| format!("{kind}/{n}")), 0..3)
    }

    fn any_role() -> impl Strategy<Value = Role> {
        prop::sample::select([&Role::OF_ACCOUNTS[..], &[Role::System]].concat())
    }

    prop_compose! {
        fn any_principal()(
            grants in prop::collection::vec((any_role(), names("units"), names("groups")), 0..4),
            official in prop::option::of(0..3_u8),
            subject in 0..3_u8,
        ) -> Principal {
            Principal::account(
                format!("subject-{subject}"),
                official.map(|n| format!("officials/{n}")),
                grants.into_iter().map(|(role, units, groups)| Grant { role, units, groups }).collect(),
            )
        }
    }

    prop_compose! {
        fn any_resource()(
            units in names("units"),
            groups in names("groups"),
            official in prop::option::of(0..3_u8),
            creator in prop::option::of(0..3_u8),
            visibility in prop::sample::select(vec![
                Visibility::Public, Visibility::Internal, Visibility::Restricted,
            ]),
            restricted_units in names("units"),
        ) -> Resource {
            Resource {
                units: units.into_iter().collect(),
                groups: groups.into_iter().collect(),
                officials: official.map(|n| format!("officials/{n}")).into_iter().collect(),
                creator: creator.map(|n| format!("subject-{n}")),
                visibility,
                restricted_units: restricted_units.into_iter().collect(),
            }
        }
    }

    /// The rules said once more, grant by grant and without a scope.
    fn permitted_by_the_rules(
        principal: &Principal,
        action: &str,
        portfolio: &BTreeSet<String>,
        resource: &Resource,
    ) -> bool {
        let row = row_of(action).unwrap();
        let pairs: Vec<(&Grant, Reach)> = principal
            .grants
            .iter()
            .flat_map(|grant| row.reaches(grant.role).map(move |reach| (grant, reach)))
            .collect();
        let mine = principal.official.as_ref().is_some_and(|me| resource.officials.contains(me))
            || resource.creator.as_ref() == Some(&principal.subject);
        let restricted = resource.visibility == Visibility::Restricted;
        let mut reachable_units = resource.units.clone();
        if restricted && row.access == Access::Read {
            reachable_units.extend(resource.restricted_units.clone());
        }
        let reached = pairs.iter().any(|(grant, reach)| match reach {
            Reach::All => true,
            Reach::Units => reachable_units.iter().any(|unit| grant.units.contains(unit)),
            Reach::Portfolio => {
                principal.official.is_some() && reachable_units.iter().any(|unit| portfolio.contains(unit))
            }
            Reach::Groups => resource.groups.iter().any(|group| grant.groups.contains(group)),
            Reach::SelfOnly => mine,
        });
        let open = row.access == Access::Read && resource.visibility == Visibility::Public;
        let seen = !restricted
            || pairs.iter().any(|(grant, reach)| {
                (*reach == Reach::All && sees_restricted(grant.role))
                    || (*reach == Reach::SelfOnly && mine)
                    || resource.units.iter().any(|unit| grant.units.contains(unit))
                    || resource.restricted_units.iter().any(|unit| grant.units.contains(unit))
                    || resource.groups.iter().any(|group| grant.groups.contains(group))
            });
        !pairs.is_empty() && (reached || open) && seen
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_list_by_scope_returns_exactly_the_permitted_rows(
            principal in any_principal(),
            row in prop::sample::select((0..MATRIX.len()).collect::<Vec<_>>()),
            portfolio in names("units"),
            records in prop::collection::vec(any_resource(), 0..8),
        ) {
            let action = MATRIX[row].action;
            let listed: Vec<&Resource> = match scope(&principal, action) {
                Ok(scope) => {
                    let scope = scope.with_portfolio(portfolio.iter().cloned());
                    records.iter().filter(|record| scope.permits(record)).collect()
                }
                Err(_) => Vec::new(),
            };
            let permitted: Vec<&Resource> = records
                .iter()
                .filter(|record| permitted_by_the_rules(&principal, action, &portfolio, record))
                .collect();
            prop_assert_eq!(listed, permitted);
        }
    }
}
