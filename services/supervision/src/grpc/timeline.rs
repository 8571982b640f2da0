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

/// What people call whoever has an account: the official, or else whose work the account does; the
/// system where a service acted by itself.
pub(super) fn person(subject: &str, roster: &Book) -> String {
    if subject.starts_with("system/") {
        return "系统".to_owned();
    }
    let Some(account) = roster.account_of_subject(subject) else { return subject.to_owned() };
    if let Some(known) = account.official.as_deref().and_then(|official| roster.official(official)) {
        return known.display_name.clone();
    }
    let units = account.roles.iter().flat_map(|role| &role.units);
    let unit = units.filter_map(|unit| roster.unit(unit)).next();
    unit.map_or_else(|| subject.to_owned(), |unit| format!("{}工作人员", unit.display_name))
}

/// The ground of an act without the place in the roster's log at which it was decided, and without
/// the resource names it may end in: the log says both.
pub(super) fn readable_ground(ground: &str) -> &str {
    let said = match ground.strip_prefix("名册记录第").and_then(|rest| rest.split_once("号：")) {
        Some((place, said)) if place.bytes().all(|byte| byte.is_ascii_digit()) => said,
        Some(_) | None => ground,
    };
    let named = ["，依据mandates/", "，授权mandates/", "，授权absences/", "，授权divisions/"];
    let end = named.into_iter().filter_map(|mark| said.find(mark)).min().unwrap_or(said.len());
    let said = said.get(..end).unwrap_or(said);
    // A resource name alone says nothing to a reader.
    if said.starts_with("tasks/") || said.starts_with("decisions/") || said.starts_with("groups/") {
        ""
    } else {
        said
    }
}

#[cfg(test)]
mod tests {
    use super::readable_ground;

    #[test]
    fn a_ground_is_read_without_the_names_of_records() {
        for (ground, read) in [
            ("名册记录第372号：分管领导", "分管领导"),
            ("名册记录第7号：秘书代崔元斌录入，依据mandates/one", "秘书代崔元斌录入"),
            ("13710督办规则第1版", "13710督办规则第1版"),
            ("tasks/1/instructions/2", ""),
            ("", ""),
        ] {
            assert_eq!(readable_ground(ground), read);
        }
    }
}
