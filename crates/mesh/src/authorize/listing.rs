//! A list by scope returns exactly the rows that the rules permit one by one.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Reach, Resource, Visibility, scope, sees_restricted};
use crate::matrix::{Access, MATRIX, row_of};
use crate::principal::{Grant, Principal, Role};

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
    (portfolio, mandated): (&BTreeSet<String>, &BTreeSet<String>),
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
        Reach::Mandate => {
            principal.official.is_some() && reachable_units.iter().any(|unit| mandated.contains(unit))
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
        mandated in names("units"),
        records in prop::collection::vec(any_resource(), 0..8),
    ) {
        let action = MATRIX[row].action;
        let listed: Vec<&Resource> = match scope(&principal, action) {
            Ok(scope) => {
                let scope = scope.with_portfolio(portfolio.iter().cloned());
                let scope = scope.with_mandated(mandated.iter().cloned());
                records.iter().filter(|record| scope.permits(record)).collect()
            }
            Err(_) => Vec::new(),
        };
        let permitted: Vec<&Resource> = records
            .iter()
            .filter(|record| permitted_by_the_rules(&principal, action, (&portfolio, &mandated), record))
            .collect();
        prop_assert_eq!(listed, permitted);
    }
}
