//! Between the API's records and the domain's. Decoding refuses what cannot be a record and
//! names the field as the request has it.

pub(super) mod group;

use domain_workgroup::{Decision, DecisionState, Meeting};
use uuid::Uuid;
use xietong_mesh::Error;
use xietong_mesh::convert::{decode_optional_time, decode_time, encode_time};
use xietong_mesh::input::{LINE, TEXT, at_most, present, text};
use xietong_proto::workgroup as proto;

use crate::error::refused;
use crate::store::Stored;

const MOST_UNITS: usize = 200;

/// A version as callers see it.
pub(super) fn etag(version: i64) -> String {
    format!("v{version}")
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
