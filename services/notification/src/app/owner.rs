//! Whose endpoint it is, as the roster knows him now: what he may read is what it is sent.

use domain_calendar::Timestamp;
use domain_roster::{Book, Role as RosterRole};
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Principal, RosterView};

use super::feed_scope;
use crate::store::FeedScope;

/// What the owner of an endpoint may read of the feed at an instant. `None` when nobody has his
/// subject, or his account is disabled or has no role: his endpoints then stand still, and go on
/// where they stopped.
pub(crate) fn owners_scope(roster: &RosterView, subject: &str, now: Timestamp) -> Option<FeedScope> {
    let principal = principal(&roster.book, subject, now)?;
    Some(feed_scope(&principal, roster, now))
}

fn principal(book: &Book, subject: &str, now: Timestamp) -> Option<Principal> {
    let account = book.account_of_subject(subject)?;
    let grants: Vec<Grant> = account
        .roles_at(now)
        .map(|binding| Grant {
            role: role(binding.role),
            units: binding.units.iter().cloned().collect(),
            groups: binding.groups.iter().cloned().collect(),
        })
        .collect();
    (!grants.is_empty()).then(|| Principal::account(subject, account.official.clone(), grants))
}

/// The officials of those who administer at an instant.
pub(crate) fn administrators(book: &Book, now: Timestamp) -> Vec<String> {
    let administers = |account: &&domain_roster::Account| {
        account.roles_at(now).any(|binding| binding.role == RosterRole::Administrator)
    };
    book.accounts().filter(administers).filter_map(|account| account.official.clone()).collect()
}

fn role(role: RosterRole) -> Role {
    match role {
        RosterRole::Supervisor => Role::Supervisor,
        RosterRole::UnitClerk => Role::UnitClerk,
        RosterRole::UnitApprover => Role::UnitApprover,
        RosterRole::Liaison => Role::Liaison,
        RosterRole::Leader => Role::Leader,
        RosterRole::Secretary => Role::Secretary,
        RosterRole::AssistingDeputySecretaryGeneral => Role::AssistingDeputySecretaryGeneral,
        RosterRole::GroupOffice => Role::GroupOffice,
        RosterRole::Inspector => Role::Inspector,
        RosterRole::Auditor => Role::Auditor,
        RosterRole::Administrator => Role::Administrator,
        RosterRole::SystemClient => Role::SystemClient,
    }
}
