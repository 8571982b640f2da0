//! Founding groups, and whose they are.

use domain_workgroup::{Group, WorkgroupEvent};
use sea_orm::ConnectionTrait;
use xietong_mesh::{Call, Code, Error, Resource, Transaction};

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

/// Why a group cannot be founded beside one that exists. Everyone who may found groups may
/// read all of them, so the existing one is named.
fn in_the_way(group: &Group, existing: &str) -> Error {
    if existing == group.name {
        return Error::already_exists(existing);
    }
    let Group { founding_document, display_name, .. } = group;
    let english = format!("{founding_document} has founded {display_name} already, as {existing}");
    let chinese = format!("{founding_document}已成立“{display_name}”（{existing}），不能重复成立");
    Error::new(Code::AlreadyExists, "GROUP_ALREADY_FOUNDED", english, chinese)
        .with_metadata("resource", existing)
}

/// Founds a group that has been checked.
pub(crate) async fn found(transaction: &Transaction, group: Group) -> Result<Stored<Group>, Error> {
    if let Some(existing) = groups::insert(transaction.tx(), &group).await? {
        return Err(in_the_way(&group, &existing));
    }
    let founded = draft(&WorkgroupEvent::GroupFounded(group.clone()))?;
    transaction.append(&group.name, 0, vec![founded]).await?;
    Ok(Stored { record: group, version: 1 })
}
