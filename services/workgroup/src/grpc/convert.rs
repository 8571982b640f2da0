//! Between the API's records and the domain's. Decoding refuses what cannot be a record and
//! names the field as the request has it.

use domain_calendar::Timestamp;
use domain_workgroup::{
    Decision, DecisionState, Group, GroupKind, HeldSeat, Meeting, Seat, SeatHolder, SeatRole, WindUp,
    WorkgroupError,
};
use uuid::Uuid;
use xietong_mesh::Error;
use xietong_mesh::convert::{decode_optional_time, decode_time, encode_time, optional};
use xietong_mesh::input::{LINE, TEXT, at_most, present, text};
use xietong_proto::workgroup as proto;
use xietong_timers::MachineClock;

use crate::error::refused;
use crate::store::Stored;

const MOST_SEATS: usize = 500;
const MOST_UNITS: usize = 200;

/// A version as callers see it.
pub(super) fn etag(version: i64) -> String {
    format!("v{version}")
}

/// The group a request founds; it exists from `now` unless it says from when.
pub(super) fn decode_group(request: proto::CreateGroupRequest, now: Timestamp) -> Result<Group, Error> {
    let group = present("group", request.group)?;
    let id = match text("group_id", request.group_id, LINE)? {
        id if id.is_empty() => MachineClock::system().new_id().to_string(),
        id => id,
    };
    let told = |refusal: WorkgroupError| {
        refused(&refusal, |field| match field {
            "name" => "group_id".to_owned(),
            field => format!("group.{field}"),
        })
    };
    let end_time = decode_optional_time("group.end_time", group.end_time.as_ref())?;
    let end_condition = text("group.end_condition", group.end_condition, TEXT)?;
    let seats = at_most("group.seats", group.seats, MOST_SEATS)?;
    let seats = seats.into_iter().enumerate().map(|(index, seat)| decode_seat(index, seat));
    let decoded = Group {
        name: format!("groups/{id}"),
        display_name: text("group.display_name", group.display_name, LINE)?,
        kind: decode_kind(group.kind)?,
        founding_document: text("group.founding_document", group.founding_document, LINE)?,
        purpose: text("group.purpose", group.purpose, TEXT)?,
        start_time: decode_optional_time("group.start_time", group.start_time.as_ref())?.unwrap_or(now),
        wind_up: WindUp::from_entry(&end_condition, end_time).map_err(told)?,
        office_unit: optional(text("group.office_unit", group.office_unit, LINE)?),
        seats: seats.collect::<Result<_, _>>()?,
    };
    decoded.check().map_err(told)?;
    Ok(decoded)
}

fn decode_kind(kind: i32) -> Result<GroupKind, Error> {
    match proto::GroupKind::try_from(kind) {
        Ok(proto::GroupKind::LeadingGroup) => Ok(GroupKind::LeadingGroup),
        Ok(proto::GroupKind::TaskForce) => Ok(GroupKind::TaskForce),
        Ok(proto::GroupKind::PreparatoryCommittee) => Ok(GroupKind::PreparatoryCommittee),
        Ok(proto::GroupKind::Headquarters) => Ok(GroupKind::Headquarters),
        Ok(proto::GroupKind::Unspecified) | Err(_) => {
            Err(Error::invalid("group.kind", "must be a kind of group", "请选择机构类别"))
        }
    }
}

fn decode_seat(index: usize, seat: proto::Seat) -> Result<Seat, Error> {
    use proto::seat::Holder;
    let field = |name: &str| format!("group.seats[{index}].{name}");
    let role = match proto::SeatRole::try_from(seat.role) {
        Ok(proto::SeatRole::Head) => SeatRole::Head,
        Ok(proto::SeatRole::ExecutiveDeputy) => SeatRole::ExecutiveDeputy,
        Ok(proto::SeatRole::Deputy) => SeatRole::Deputy,
        Ok(proto::SeatRole::Member) => SeatRole::Member,
        Ok(proto::SeatRole::OfficeHead) => SeatRole::OfficeHead,
        Ok(proto::SeatRole::OfficeDeputy) => SeatRole::OfficeDeputy,
        Ok(proto::SeatRole::Liaison) => SeatRole::Liaison,
        Ok(proto::SeatRole::Unspecified) | Err(_) => {
            return Err(Error::invalid(field("role"), "must be a role", "请选择席位类别"));
        }
    };
    let holder = match seat.holder {
        Some(Holder::Official(name)) => SeatHolder::Official(text(&field("official"), name, LINE)?),
        Some(Holder::Post(post)) => SeatHolder::Post(text(&field("post"), post, LINE)?),
        Some(Holder::Unit(name)) => SeatHolder::Unit(text(&field("unit"), name, LINE)?),
        Some(Holder::OpenClass(class)) => SeatHolder::OpenClass(text(&field("open_class"), class, LINE)?),
        None => return present(&field("holder"), None),
    };
    let held_for_field = optional(text(&field("held_for_field"), seat.held_for_field, LINE)?);
    Ok(Seat { role, holder, held_for_field })
}

/// The meeting a request records, under a new identity.
pub(super) fn decode_meeting(request: proto::CreateMeetingRequest, id: Uuid) -> Result<Meeting, Error> {
    let meeting = present("meeting", request.meeting)?;
    let meet_time = present("meeting.meet_time", meeting.meet_time)?;
    let decoded = Meeting {
        name: format!("{}/meetings/{id}", text("parent", request.parent, LINE)?),
        title: text("meeting.title", meeting.title, LINE)?,
        meet_time: decode_time("meeting.meet_time", &meet_time)?,
        place: text("meeting.place", meeting.place, LINE)?,
    };
    decoded.check().map_err(|refusal| refused(&refusal, |field| child_path("meeting", field)))?;
    Ok(decoded)
}

/// The decision a request records, under a new identity.
pub(super) fn decode_decision(request: proto::CreateDecisionRequest, id: Uuid) -> Result<Decision, Error> {
    let decision = present("decision", request.decision)?;
    let decoded = Decision {
        name: format!("{}/decisions/{id}", text("parent", request.parent, LINE)?),
        text: text("decision.text", decision.text, TEXT)?,
        lead_units: at_most("decision.lead_units", decision.lead_units, MOST_UNITS)?,
        cooperating_units: at_most("decision.cooperating_units", decision.cooperating_units, MOST_UNITS)?,
        due_time: decode_optional_time("decision.due_time", decision.due_time.as_ref())?,
        state: DecisionState::Followed,
        version: 1,
    };
    decoded.check().map_err(|refusal| refused(&refusal, |field| child_path("decision", field)))?;
    Ok(decoded)
}

/// The name of a new child is made of its parent's: what is wrong with it was wrong there.
fn child_path(record: &str, field: &str) -> String {
    match field {
        "name" => "parent".to_owned(),
        field => format!("{record}.{field}"),
    }
}

/// A group as the API has it.
pub(super) fn encode_group(stored: Stored<Group>) -> proto::Group {
    let group = stored.record;
    let (end_condition, end_time) = match group.wind_up {
        WindUp::Condition(condition) => (condition, None),
        WindUp::Term(end) => (String::new(), Some(encode_time(end))),
    };
    let kind = match group.kind {
        GroupKind::LeadingGroup => proto::GroupKind::LeadingGroup,
        GroupKind::TaskForce => proto::GroupKind::TaskForce,
        GroupKind::PreparatoryCommittee => proto::GroupKind::PreparatoryCommittee,
        GroupKind::Headquarters => proto::GroupKind::Headquarters,
    };
    proto::Group {
        name: group.name,
        display_name: group.display_name,
        kind: kind.into(),
        founding_document: group.founding_document,
        purpose: group.purpose,
        end_condition,
        start_time: Some(encode_time(group.start_time)),
        end_time,
        office_unit: group.office_unit.unwrap_or_default(),
        seats: group.seats.into_iter().map(encode_seat).collect(),
        etag: etag(stored.version),
    }
}

fn encode_seat(seat: Seat) -> proto::Seat {
    use proto::seat::Holder;
    let role = match seat.role {
        SeatRole::Head => proto::SeatRole::Head,
        SeatRole::ExecutiveDeputy => proto::SeatRole::ExecutiveDeputy,
        SeatRole::Deputy => proto::SeatRole::Deputy,
        SeatRole::Member => proto::SeatRole::Member,
        SeatRole::OfficeHead => proto::SeatRole::OfficeHead,
        SeatRole::OfficeDeputy => proto::SeatRole::OfficeDeputy,
        SeatRole::Liaison => proto::SeatRole::Liaison,
    };
    let holder = match seat.holder {
        SeatHolder::Official(name) => Holder::Official(name),
        SeatHolder::Post(post) => Holder::Post(post),
        SeatHolder::Unit(name) => Holder::Unit(name),
        SeatHolder::OpenClass(class) => Holder::OpenClass(class),
    };
    proto::Seat {
        role: role.into(),
        holder: Some(holder),
        held_for_field: seat.held_for_field.unwrap_or_default(),
    }
}

/// A seat with its holder as the API has it.
pub(super) fn encode_held_seat(held: HeldSeat) -> proto::HeldSeat {
    let (official, display_name) =
        held.holder.map(|person| (person.official, person.display_name)).unwrap_or_default();
    proto::HeldSeat {
        seat: Some(encode_seat(held.seat)),
        official,
        display_name,
        acting: held.acting.map(|person| person.official).unwrap_or_default(),
        basis: held.basis,
    }
}

/// A meeting as the API has it.
pub(super) fn encode_meeting(stored: Stored<Meeting>) -> proto::Meeting {
    let meeting = stored.record;
    proto::Meeting {
        name: meeting.name,
        title: meeting.title,
        meet_time: Some(encode_time(meeting.meet_time)),
        place: meeting.place,
        etag: etag(stored.version),
    }
}

/// A decision as the API has it.
pub(super) fn encode_decision(decision: Decision) -> proto::Decision {
    let task = decision.state.task().unwrap_or_default().to_owned();
    let etag = etag(decision.version);
    let (state, refusal, settle_time) = match decision.state {
        DecisionState::Followed => (proto::DecisionState::Followed, String::new(), None),
        DecisionState::Escalating => (proto::DecisionState::Escalating, String::new(), None),
        DecisionState::Escalated { .. } => (proto::DecisionState::Escalated, String::new(), None),
        DecisionState::Settled { settle_time, .. } => {
            (proto::DecisionState::Settled, String::new(), Some(encode_time(settle_time)))
        }
        DecisionState::Withdrawn { .. } => (proto::DecisionState::Withdrawn, String::new(), None),
        DecisionState::Refused { reason } => (proto::DecisionState::Refused, reason, None),
    };
    proto::Decision {
        name: decision.name,
        text: decision.text,
        lead_units: decision.lead_units,
        cooperating_units: decision.cooperating_units,
        due_time: decision.due_time.map(encode_time),
        state: state.into(),
        task,
        refusal,
        settle_time,
        etag,
    }
}
