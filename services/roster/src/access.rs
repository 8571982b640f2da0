//! What permission depends on in the roster's records.

use domain_calendar::Timestamp;
use domain_roster::{
    Absence, Account, Book, Collective, Mandate, Official, Registration, RosterError, StandInList,
    mandates_for,
};
use xietong_mesh::{Call, Code, Error, Resource, Scope};

use crate::error::refusal;

/// A unit's entry is that unit's record.
pub(crate) fn of_unit(unit: &str) -> Resource {
    Resource::new().of_units([unit])
}

/// A collective's entry is a record of its members.
pub(crate) fn of_collective(collective: &Collective) -> Resource {
    Resource::new().of_units(&collective.units)
}

/// An official's entry is the official's own, and a record of the units a post is held in.
pub(crate) fn of_official(official: &Official) -> Resource {
    Resource::new().of_official(&official.name).of_units(units_of(official))
}

/// An account is a record of its official, of its subject and of the units it works for.
pub(crate) fn of_account(account: &Account) -> Resource {
    let units = account.roles.iter().flat_map(|binding| &binding.units);
    let groups = account.roles.iter().flat_map(|binding| &binding.groups);
    let resource = Resource::new().of_units(units).of_groups(groups).created_by(&account.subject);
    match &account.official {
        Some(official) => resource.of_official(official),
        None => resource,
    }
}

/// A division of work is the whole city's.
pub(crate) fn of_division() -> Resource {
    Resource::new()
}

/// A unit's own AB list is that unit's record.
pub(crate) fn of_stand_in_list(list: &StandInList) -> Resource {
    of_unit(&list.unit)
}

/// An absence is a record of whoever is away and of that official's units.
pub(crate) fn of_absence(book: &Book, absence: &Absence) -> Resource {
    let units = book.official(&absence.official).into_iter().flat_map(units_of);
    Resource::new().of_official(&absence.official).of_units(units)
}

/// Whether the caller may keep (register, extend, end, cancel) an official's absences. A unit does
/// so for those who hold a post in it now, not for those who ever did; whoever presides over the
/// whole does so for everybody.
///
/// # Errors
/// PERMISSION_DENIED.
pub(crate) fn keep_away(call: &Call, book: &Book, official: &str, now: Timestamp) -> Result<(), Error> {
    let scope = call.scope()?;
    let known = book.official(official);
    let posts = known.iter().flat_map(|known| &known.posts).filter(|post| post.held_at(now));
    let units = posts.filter_map(|post| post.unit.as_deref());
    if presides(&scope, book, now) {
        return Ok(());
    }
    scope.authorize(&Resource::new().of_official(official).of_units(units))
}

/// Whether the caller may state what only the mayor decides: that A and B are away together, and
/// that duties are formally reassigned. Administrators and supervisors record his decision, he
/// himself makes it; a unit or another leader cannot decide it for him.
///
/// # Errors
/// PERMISSION_DENIED (MAYOR_DECIDES).
pub(crate) fn state_mayors_decision(call: &Call, book: &Book, now: Timestamp) -> Result<(), Error> {
    let scope = call.scope()?;
    if scope.all || presides(&scope, book, now) {
        return Ok(());
    }
    Err(Error::new(
        Code::PermissionDenied,
        "MAYOR_DECIDES",
        "only an administrator, a supervisor or the mayor states an approval or a reassignment",
        "AB角同时不在岗的批准和职责的重新分配由市长决定，只能由管理员、督查人员或市长本人登记",
    ))
}

/// Whether the caller may say who stands in, and for what, in an absence. For whom the division
/// gives work to, the mayor names a stand-in (临政办发〔2023〕12号); in a unit, one of its own
/// people stands in, unless an administrator or a supervisor records another.
///
/// # Errors
/// PERMISSION_DENIED (MAYOR_DECIDES); FAILED_PRECONDITION (NOT_OF_UNIT).
pub(crate) fn name_stand_ins(
    call: &Call,
    book: &Book,
    registration: &Registration,
    now: Timestamp,
) -> Result<(), Error> {
    let shares = registration.shares.iter().map(|share| &share.stand_in);
    let stand_ins: Vec<&String> = registration.stand_in.iter().chain(shares).collect();
    let view = book.view(registration.start_time, Timestamp::MAX);
    let official = registration.official.as_str();
    if view.division().is_some_and(|division| division.portfolio(official).is_some()) {
        let none_is_named = stand_ins.is_empty() && registration.excluded.is_empty();
        return if none_is_named { Ok(()) } else { state_mayors_decision(call, book, now) };
    }
    let scope = call.scope()?;
    if scope.all || presides(&scope, book, now) {
        return Ok(());
    }
    let posts = |official: &str| {
        let posts = view.official(official).into_iter().flat_map(|known| &known.posts);
        posts.filter(|post| post.held_at(registration.start_time)).filter_map(|post| post.unit.as_deref())
    };
    let units: Vec<&str> = posts(official).collect();
    match stand_ins.into_iter().find(|stand_in| !posts(stand_in).any(|unit| units.contains(&unit))) {
        None => Ok(()),
        Some(stranger) => Err(refusal(RosterError::NotOfUnit {
            official: stranger.clone(),
            unit: units.first().copied().unwrap_or_default().to_owned(),
        })),
    }
}

/// Whether the caller, who reaches what is his own, presides over the whole (主持全面工作).
fn presides(scope: &Scope, book: &Book, now: Timestamp) -> bool {
    let presider = book.view(now, Timestamp::MAX).division().and_then(|division| division.presider());
    scope.own && presider.is_some() && presider == scope.official.as_deref()
}

/// The digest of an absence is that of whoever was away.
pub(crate) fn of_digest(absence: &Absence) -> Resource {
    Resource::new().of_official(&absence.official)
}

/// Under which mandate, if under any, the caller reads or acknowledges the digest of an absence;
/// none is needed for what is the caller's own, or everybody's.
///
/// # Errors
/// PERMISSION_DENIED.
pub(crate) fn to_digest<'a>(
    scope: &'a Scope,
    book: &'a Book,
    absence: &Absence,
    now: Timestamp,
) -> Result<Option<&'a Mandate>, Error> {
    if scope.permits(&of_digest(absence)) {
        return Ok(None);
    }
    let held = scope.mandate_of.iter().flat_map(|holder| mandates_for(book, holder, scope.action, now));
    // A digest is of all of the leader's duties, which a mandate for some units does not reach.
    let mut held = held.filter(|mandate| mandate.leader == absence.official && mandate.units.is_empty());
    held.next().map(Some).ok_or_else(|| Error::permission_denied(scope.action))
}

/// A mandate is that of the leader who gives it and of whoever holds it.
pub(crate) fn of_mandate(mandate: &Mandate) -> Resource {
    Resource::new().of_official(&mandate.leader).of_official(&mandate.holder)
}

/// What to answer about a record that is not there. Nothing of the roster is restricted, so
/// whoever reaches everything may know it.
pub(crate) fn missing(scope: &Scope, name: &str) -> Error {
    if scope.all { Error::not_found(name) } else { scope.missing(name) }
}

fn units_of(official: &Official) -> impl Iterator<Item = &str> {
    official.posts.iter().filter_map(|post| post.unit.as_deref())
}
