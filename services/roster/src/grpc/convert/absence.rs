//! Absences and what is done to them.

use domain_calendar::Timestamp;
use domain_roster::{Absence, AbsenceState, Interval, Registration, Scope, Share, Stated};
use prost_types::Timestamp as ProtoTimestamp;
use xietong_mesh::Error;
use xietong_mesh::convert::{decode_time, encode_time};
use xietong_mesh::input::{ENTRIES, TEXT, at_most, names, optional, present, required, text};
use xietong_proto::roster as proto;

use super::kinds::encode_state;
use crate::app::{AbsenceAct, Kept};
use crate::store::acts::Tally;

pub(in crate::grpc) fn decode_absence(name: String, absence: proto::Absence) -> Result<Registration, Error> {
    let shares = at_most("absence.shares", absence.shares, ENTRIES)?;
    Ok(Registration {
        name,
        official: required("absence.official", absence.official)?,
        start_time: instant("absence.start_time", absence.start_time)?,
        end_time: instant("absence.end_time", absence.end_time)?,
        stand_in: optional("absence.stand_in", absence.stand_in)?,
        shares: shares.into_iter().map(decode_share).collect::<Result<_, _>>()?,
        excluded: Scope {
            units: names("absence.excluded_units", absence.excluded_units)?,
            fields: names("absence.excluded_fields", absence.excluded_fields)?,
        },
        reason: text("absence.reason", absence.reason, TEXT)?,
        approval: optional("absence.approval", absence.approval)?,
        reassignment: optional("absence.reassignment", absence.reassignment)?,
    })
}

fn decode_share(share: proto::StandInShare) -> Result<Share, Error> {
    Ok(Share {
        stand_in: required("absence.shares.stand_in", share.stand_in)?,
        scope: Scope {
            units: names("absence.shares.units", share.units)?,
            fields: names("absence.shares.fields", share.fields)?,
        },
    })
}

pub(in crate::grpc) fn decode_extension(request: &proto::ExtendAbsenceRequest) -> Result<AbsenceAct, Error> {
    Ok(AbsenceAct::Extend {
        end_time: instant("end_time", request.end_time)?,
        stated: stated(&request.approval, &request.reassignment)?,
    })
}

fn stated(approval: &str, reassignment: &str) -> Result<Stated, Error> {
    Ok(Stated {
        approval: optional("approval", approval.to_owned())?,
        reassignment: optional("reassignment", reassignment.to_owned())?,
    })
}

pub(in crate::grpc) fn decode_correction(
    request: &proto::CorrectAbsenceRequest,
) -> Result<AbsenceAct, Error> {
    let (start, end) = (instant("start_time", request.start_time)?, instant("end_time", request.end_time)?);
    Ok(AbsenceAct::Correct {
        times: Interval { start, end },
        stated: stated(&request.approval, &request.reassignment)?,
        reason: text("reason", request.reason.clone(), TEXT)?,
    })
}

fn instant(field: &str, time: Option<ProtoTimestamp>) -> Result<Timestamp, Error> {
    decode_time(field, &present(field, time)?)
}

/// Whether the official is back and has not acknowledged all that was done for him.
pub(in crate::grpc) fn is_unacknowledged(absence: &Absence, tally: Tally, now: Timestamp) -> bool {
    tally.acts > tally.acknowledged && absence.state(now) == AbsenceState::Ended
}

pub(in crate::grpc) fn encode_kept(kept: Kept) -> proto::Absence {
    encode_absence(&kept.absence, kept.tally, kept.etag, kept.now)
}

/// An absence as it stands at `now`, with the times that are known of it; one that was cancelled
/// shows those it was registered with.
pub(in crate::grpc) fn encode_absence(
    absence: &Absence,
    tally: Tally,
    etag: String,
    now: Timestamp,
) -> proto::Absence {
    let registered = Interval { start: absence.start_time, end: absence.end_time };
    let known = absence.interval(Timestamp::MAX).unwrap_or(registered);
    let encode_share = |share: &Share| proto::StandInShare {
        stand_in: share.stand_in.clone(),
        units: share.scope.units.clone(),
        fields: share.scope.fields.clone(),
    };
    proto::Absence {
        name: absence.name.clone(),
        official: absence.official.clone(),
        start_time: Some(encode_time(known.start)),
        end_time: Some(encode_time(known.end)),
        stand_in: absence.stand_in.clone().unwrap_or_default(),
        reason: absence.reason.clone(),
        approval: absence.last_approval().unwrap_or_default().to_owned(),
        state: encode_state(absence.state(now)),
        etag,
        shares: absence.shares.iter().map(encode_share).collect(),
        excluded_units: absence.excluded.units.clone(),
        excluded_fields: absence.excluded.fields.clone(),
        reassignment: absence.last_reassignment().unwrap_or_default().to_owned(),
        registered_end_time: Some(encode_time(absence.end_time)),
        acting_act_count: tally.acts,
        acknowledged_act_count: tally.acknowledged,
        acknowledge_time: absence.acknowledged().1.map(encode_time),
        unacknowledged: is_unacknowledged(absence, tally, now),
    }
}
