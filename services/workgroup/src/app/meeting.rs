//! Recording meetings.

use domain_workgroup::{Group, GroupFacts, Meeting, MeetingHeld, WorkgroupEvent};
use sea_orm::ConnectionTrait;
use xietong_mesh::{Call, Error, Transaction};

use super::{draft, group};
use crate::store::{Stored, meetings};

/// A meeting of a group that the caller may perform the call's action on, with the group.
pub(crate) async fn permitted<C: ConnectionTrait>(
    connection: &C,
    call: &Call,
    name: &str,
) -> Result<(Group, Stored<Meeting>), Error> {
    let group = group::permitted(connection, call, domain_workgroup::group_of(name)).await?;
    let meeting = meetings::find(connection, name).await?.ok_or_else(|| Error::not_found(name))?;
    Ok((group.record, meeting))
}

/// Records a meeting that has been checked.
pub(crate) async fn record(
    transaction: &Transaction,
    group: &Group,
    meeting: Meeting,
) -> Result<Stored<Meeting>, Error> {
    meetings::insert(transaction.tx(), &meeting).await?;
    let event = MeetingHeld { group: GroupFacts::of(group), meeting: meeting.clone() };
    let held = draft(&WorkgroupEvent::MeetingHeld(event))?;
    transaction.append(&meeting.name, 0, vec![held]).await?;
    Ok(Stored { record: meeting, version: 1 })
}
