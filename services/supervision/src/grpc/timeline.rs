//! What happened to a task, as officials read it.

use domain_roster::Book;
use domain_supervision::{TaskEvent, describe};
use xietong_events::Event;
use xietong_mesh::Error;
use xietong_mesh::convert::encode_time;
use xietong_proto::supervision as proto;
use xietong_store::StoreError;

use crate::error::unreadable;

/// One event. Units are called by their names in the roster, or by their resource names while
/// it is not known.
pub(super) fn entry(event: Event, roster: &Book) -> Result<proto::TimelineEntry, Error> {
    let payload =
        serde_json::from_str(&event.payload).map_err(|error| StoreError::corrupt("event", error))?;
    let called = |unit: &str| roster.unit(unit).map_or(unit, |known| &known.display_name).to_owned();
    let text = match TaskEvent::from_payload(&event.event_type, &payload).map_err(unreadable)? {
        Some(event) => describe(&event, &called),
        // Written by a newer version of this service.
        None => "其他事项".to_owned(),
    };
    Ok(proto::TimelineEntry {
        r#type: event.event_type,
        time: Some(encode_time(event.occurred_at)),
        actor: event.actor,
        acting_for: event.acting_for.unwrap_or_default(),
        ground: event.ground.unwrap_or_default(),
        text,
        version: event.version,
    })
}
