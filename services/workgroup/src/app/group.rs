//! Founding groups, and whose they are.

use domain_workgroup::{Group, WorkgroupEvent};
use sea_orm::ConnectionTrait;
use xietong_mesh::{Call, Error, Resource, Transaction};

use super::draft;
use crate::store::{Stored, groups};

/// What permission on a group, its meetings and its decisions depends on: they are the
/// group's and its office's.
pub(crate) fn resource(group: &Group) -> Resource {
    Resource::new().of_groups([group.name.clone()]).of_units(group.office_unit.clone())
}

/// A group that the caller may perform the call's action on.
pub(crate) async fn permitted<C: ConnectionTrait>(
    connection: &C,
    call: &Call,
    name: &str,
) -> Result<Stored<Group>, Error> {
    let scope = call.scope()?;
    match groups::find(connection, name).await? {
        Some(group) => scope.authorize(&resource(&group.record)).map(|()| group),
        None => Err(scope.missing(name)),
    }
}

/// Founds a group that has been checked.
pub(crate) async fn found(transaction: &Transaction, group: Group) -> Result<Stored<Group>, Error> {
    if !groups::insert(transaction.tx(), &group).await? {
        return Err(Error::already_exists(&group.name));
    }
    let founded = draft(&WorkgroupEvent::GroupFounded(group.clone()))?;
    transaction.append(&group.name, 0, vec![founded]).await?;
    Ok(Stored { record: group, version: 1 })
}
