//! What the service does, a file each aggregate: load, decide by the domain, save, and write
//! the event in the same transaction.

pub(crate) mod charge;
pub(crate) mod decision;
pub(crate) mod group;
pub(crate) mod meeting;

use domain_workgroup::WorkgroupEvent;
use xietong_events::Draft;

use crate::error::Failure;

/// An event as the log takes it.
fn draft(event: &WorkgroupEvent) -> Result<Draft, Failure> {
    Ok(Draft { event_type: event.event_type().to_owned(), payload: event.to_payload()? })
}
