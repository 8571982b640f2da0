//! Groups and their seats. See [`super`].

use domain_calendar::Timestamp;
use domain_workgroup::{
    Duty, Group, GroupKind, HeldSeat, Mechanism, Seat, SeatHolder, SeatRole, Subgroup, WindUp, WorkgroupError,
};
use xietong_mesh::Error;
use xietong_mesh::convert::{decode_optional_time, encode_time, optional};
use xietong_mesh::input::{LINE, TEXT, present, text};
use xietong_proto::workgroup as proto;
use xietong_timers::MachineClock;

use super::etag;
use crate::app::charge::Charged;
use crate::error::refused;
use crate::store::Stored;

/// The group a request founds; it exists from `now` unless it says from when.
pub(in crate::grpc) fn decode(request: proto::CreateGroupRequest, now: Timestamp) -> Result<Group, Error> {
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
    let decoded = Group {
        name: format!("groups/{id}"),
        display_name: text("group.display_name", group.display_name, LINE)?,
        kind: decode_kind(group.kind)?,
        founding_document: text("group.founding_document", group.founding_document, LINE)?,
        purpose: text("group.purpose", group.purpose, TEXT)?,
        start_time: decode_optional_time("group.start_time", group.start_time.as_ref())?.unwrap_or(now),
        wind_up: WindUp::from_entry(&end_condition, end_time).map_err(told)?,
        office_unit: optional(text("group.office_unit", group.office_unit, LINE)?),
        seats: each(group.seats, decode_seat)?,
        subgroups: each(group.subgroups, decode_subgroup)?,
        duties: each(group.duties, decode_duty)?,
        mechanisms: each(group.mechanisms, decode_mechanism)?,
    };
    decoded.check().map_err(told)?;
    Ok(decoded)
}

/// Whom the duties of a request charge, before the request is decoded.
pub(in crate::grpc) fn charged(request: &proto::CreateGroupRequest) -> impl Iterator<Item = Charged<'_>> {
    let duties = request.group.iter().flat_map(|group| &group.duties).enumerate();
    duties.flat_map(|(index, duty)| {
        let unit = Some(duty.unit.as_str()).filter(|name| !name.is_empty());
        let official = Some(duty.official.as_str()).filter(|name| !name.is_empty());
        let unit = unit.map(|name| Charged::Unit(index, name));
        unit.into_iter().chain(official.map(|name| Charged::Official(index, name)))
    })
}

/// Each entry of a list, decoded with its index. How many there may be, the domain says.
fn each<M, T>(list: Vec<M>, decode: impl Fn(usize, M) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    list.into_iter().enumerate().map(|(index, entry)| decode(index, entry)).collect()
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
    let subgroup = optional(text(&field("subgroup"), seat.subgroup, LINE)?);
    Ok(Seat { role, holder, held_for_field, subgroup })
}

fn decode_subgroup(index: usize, subgroup: proto::Subgroup) -> Result<Subgroup, Error> {
    let name = text(&format!("group.subgroups[{index}].name"), subgroup.name, LINE)?;
    Ok(Subgroup { name })
}

fn decode_duty(index: usize, duty: proto::Duty) -> Result<Duty, Error> {
    let field = |name: &str| format!("group.duties[{index}].{name}");
    let number = u32::try_from(duty.number)
        .map_err(|_| Error::invalid(field("number"), "must not be negative", "序号不能为负数"))?;
    Ok(Duty {
        number: Some(number).filter(|number| *number != 0),
        text: text(&field("text"), duty.text, TEXT)?,
        subgroup: optional(text(&field("subgroup"), duty.subgroup, LINE)?),
        unit: optional(text(&field("unit"), duty.unit, LINE)?),
        official: optional(text(&field("official"), duty.official, LINE)?),
    })
}

fn decode_mechanism(index: usize, mechanism: proto::Mechanism) -> Result<Mechanism, Error> {
    let field = |name: &str| format!("group.mechanisms[{index}].{name}");
    Ok(Mechanism {
        name: text(&field("name"), mechanism.name, LINE)?,
        text: text(&field("text"), mechanism.text, TEXT)?,
    })
}

/// A group as the API has it.
pub(in crate::grpc) fn encode(stored: Stored<Group>) -> proto::Group {
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
        subgroups: group.subgroups.into_iter().map(|Subgroup { name }| proto::Subgroup { name }).collect(),
        duties: group.duties.into_iter().map(encode_duty).collect(),
        mechanisms: group.mechanisms.into_iter().map(encode_mechanism).collect(),
    }
}

pub(in crate::grpc) fn encode_seat(seat: Seat) -> proto::Seat {
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
        subgroup: seat.subgroup.unwrap_or_default(),
    }
}

fn encode_duty(duty: Duty) -> proto::Duty {
    proto::Duty {
        // It was one of these numbers when it was decoded.
        number: duty.number.and_then(|number| i32::try_from(number).ok()).unwrap_or_default(),
        text: duty.text,
        subgroup: duty.subgroup.unwrap_or_default(),
        unit: duty.unit.unwrap_or_default(),
        official: duty.official.unwrap_or_default(),
    }
}

fn encode_mechanism(mechanism: Mechanism) -> proto::Mechanism {
    proto::Mechanism { name: mechanism.name, text: mechanism.text }
}

/// A seat with its holder as the API has it.
pub(in crate::grpc) fn encode_held_seat(held: HeldSeat) -> proto::HeldSeat {
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
