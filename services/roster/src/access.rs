//! What permission depends on in the roster's records.

use domain_roster::{Absence, Account, Book, Collective, Official, StandInList};
use xietong_mesh::{Error, Resource, Scope};

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
    of_away(book, &absence.official)
}

/// The absence that an official would have.
pub(crate) fn of_away(book: &Book, official: &str) -> Resource {
    let units = book.official(official).into_iter().flat_map(units_of);
    Resource::new().of_official(official).of_units(units)
}

/// What to answer about a record that is not there. Nothing of the roster is restricted, so
/// whoever reaches everything may know it.
pub(crate) fn missing(scope: &Scope, name: &str) -> Error {
    if scope.all { Error::not_found(name) } else { scope.missing(name) }
}

fn units_of(official: &Official) -> impl Iterator<Item = &str> {
    official.posts.iter().filter_map(|post| post.unit.as_deref())
}
