//! Pauses of an assignment's clock as the API has them.

use domain_supervision::{ChargeKind, ChargedPause, ChargedTo, Misdirection, Suspension, Wait};
use prost_types::Duration as ProtoDuration;
use xietong_mesh::convert::encode_time;
use xietong_proto::supervision as proto;

use super::content::due_time;

/// Most pauses that are over that an assignment shows.
const MOST_PAUSES: usize = 5;

pub(super) fn encode_misdirection(one: &Misdirection) -> proto::Misdirection {
    proto::Misdirection { reason: one.reason.clone(), return_time: Some(encode_time(one.returned_at)) }
}

pub(super) fn encode_suspension(one: &Suspension) -> proto::Suspension {
    proto::Suspension {
        ground: one.ground.clone(),
        review_time: due_time(one.review_date),
        start_time: Some(encode_time(one.since)),
    }
}

pub(super) fn encode_wait(one: &Wait) -> proto::Wait {
    proto::Wait {
        unit: one.on.clone(),
        need: one.need.clone(),
        request_time: Some(encode_time(one.requested_at)),
        accept_due_time: Some(encode_time(one.accept_before)),
        hold_time: one.held_at.map(encode_time),
    }
}

/// The latest of them, in order.
pub(super) fn latest(all: &[ChargedPause]) -> Vec<proto::ChargedPause> {
    let first = all.len().saturating_sub(MOST_PAUSES);
    all.iter().skip(first).map(encode_charged).collect()
}

pub(super) fn encode_charged(one: &ChargedPause) -> proto::ChargedPause {
    let kind = match one.kind {
        ChargeKind::Verification => proto::ChargeKind::Verification,
        ChargeKind::Extension => proto::ChargeKind::Extension,
        ChargeKind::Return => proto::ChargeKind::Return,
        ChargeKind::Misdirection => proto::ChargeKind::Misdirection,
        ChargeKind::Suspension => proto::ChargeKind::Suspension,
        ChargeKind::Waiting => proto::ChargeKind::Waiting,
    };
    let (charged_to, unit) = match &one.to {
        ChargedTo::Verifier => (proto::ChargedTo::Verifier, ""),
        ChargedTo::Decider => (proto::ChargedTo::Decider, ""),
        ChargedTo::Supervisor => (proto::ChargedTo::Supervisor, ""),
        ChargedTo::Unit(unit) => (proto::ChargedTo::Unit, unit.as_str()),
        ChargedTo::Nobody => (proto::ChargedTo::Nobody, ""),
    };
    proto::ChargedPause {
        kind: kind.into(),
        charged_to: charged_to.into(),
        unit: unit.to_owned(),
        start_time: Some(encode_time(one.from)),
        end_time: Some(encode_time(one.until)),
        // What no duration of the API can say is longer than any calendar.
        moved: ProtoDuration::try_from(one.moved).ok(),
    }
}
