//! What happened to a task, as officials read it.

use domain_roster::{Book, mandate_in_ground};
use domain_supervision::{TaskEvent, describe};
use xietong_events::Event;
use xietong_mesh::Error;
use xietong_mesh::attachments::Grants;
use xietong_mesh::convert::encode_time;
use xietong_proto::supervision as proto;
use xietong_store::StoreError;

use super::files;
use crate::error::unreadable;

/// One event, with a grant for each file that it brought if its reader is to be given them. Units
/// and officials are called by their names in the roster, or by their resource names while it is
/// not known.
pub(super) fn entry(
    event: Event,
    roster: &Book,
    grants: Option<&Grants>,
) -> Result<proto::TimelineEntry, Error> {
    let payload =
        serde_json::from_str(&event.payload).map_err(|error| StoreError::corrupt("event", error))?;
    let called = |name: &str| {
        let unit = roster.unit(name).map(|known| known.display_name.as_str());
        let official = || roster.official(name).map(|known| known.display_name.as_str());
        unit.or_else(official).unwrap_or(name).to_owned()
    };
    let (text, attachments) =
        match TaskEvent::from_payload(&event.event_type, &payload).map_err(unreadable)? {
            Some(event) => (
                describe(&event, &called),
                match grants {
                    Some(grants) => files::granted(event.attachments(), grants)?,
                    None => files::encode(event.attachments()),
                },
            ),
            // Written by a newer version of this service.
            None => ("其他事项".to_owned(), Vec::new()),
        };
    let entered = event.ground.as_deref().is_some_and(|ground| mandate_in_ground(ground).is_some());
    let entered_by = if entered { person(&event.actor, roster) } else { String::new() };
    Ok(proto::TimelineEntry {
        entered_by,
        r#type: event.event_type,
        time: Some(encode_time(event.occurred_at)),
        actor: event.actor,
        acting_for: event.acting_for.unwrap_or_default(),
        ground: event.ground.unwrap_or_default(),
        text,
        version: event.version,
        attachments,
    })
}

/// What people call whoever has an account.
fn person(subject: &str, roster: &Book) -> String {
    let official = roster.account_of_subject(subject).and_then(|account| account.official.as_deref());
    let known = official.and_then(|official| roster.official(official));
    known.map_or(subject, |known| &known.display_name).to_owned()
}
