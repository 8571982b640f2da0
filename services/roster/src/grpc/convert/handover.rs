//! What changes hands with a division.

use domain_roster::{Changes, FieldHandover, Handover};
use xietong_proto::roster as proto;
use xietong_proto::workgroup;
use xietong_proto::workgroup::seat::Holder;

use super::division::encode_division;
use crate::app::{Preview, Recorded};

/// A division that was recorded.
pub(in crate::grpc) fn encode_recorded(recorded: Recorded) -> proto::CreateDivisionResponse {
    encode_tried(recorded, Preview::default())
}

/// A division that was tried out, with what the other services hold of what changes hands.
pub(in crate::grpc) fn encode_tried(recorded: Recorded, preview: Preview) -> proto::CreateDivisionResponse {
    let Changes { units, fields } = recorded.changes;
    let units = units.into_iter().map(|handover| encode_unit(handover, &preview));
    let passing = units.chain(fields.into_iter().map(encode_field));
    let (first_stated, passing): (_, Vec<_>) = passing.partition(|handover| handover.from.is_empty());
    let is_dropped = |handover: &proto::Handover| handover.to.is_empty() && !handover.field.is_empty();
    let (no_longer_stated, handovers) = passing.into_iter().partition(is_dropped);
    proto::CreateDivisionResponse {
        division: Some(encode_division(&recorded.division, recorded.etag)),
        handovers,
        first_stated,
        no_longer_stated,
        seats: preview.seats.into_iter().map(encode_seat).collect(),
        unavailable: preview.unavailable.into_iter().map(|service| service.as_str().to_owned()).collect(),
    }
}

fn encode_unit(handover: Handover, preview: &Preview) -> proto::Handover {
    let tasks = preview.tasks.get(&handover.unit);
    let pending_notice_count = preview.notices.get(&handover.unit).copied().unwrap_or_default();
    proto::Handover {
        from: handover.from.unwrap_or_default(),
        to: handover.to.unwrap_or_default(),
        field: String::new(),
        open_task_count: tasks.map_or(0, |tasks| tasks.open_task_count),
        open_tasks: tasks.map(|tasks| tasks.open_tasks.clone()).unwrap_or_default(),
        pending_notice_count,
        unit: handover.unit,
    }
}

fn encode_field(handover: FieldHandover) -> proto::Handover {
    proto::Handover {
        field: handover.field,
        from: handover.from.unwrap_or_default(),
        to: handover.to.unwrap_or_default(),
        ..proto::Handover::default()
    }
}

fn encode_seat(change: workgroup::SeatChange) -> proto::SeatHandover {
    let seat = change.seat.unwrap_or_default();
    let held_by = match seat.holder {
        Some(Holder::Post(post)) => post,
        Some(Holder::Official(_) | Holder::Unit(_) | Holder::OpenClass(_)) | None => seat.held_for_field,
    };
    proto::SeatHandover {
        group: change.group,
        group_display_name: change.group_display_name,
        held_by,
        from: change.from,
        to: change.to,
        proposed: change.proposed,
    }
}
