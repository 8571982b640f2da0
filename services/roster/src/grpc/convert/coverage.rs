//! What is unanswered for.

use std::time::Duration;

use domain_calendar::Timestamp;
use domain_roster::{Book, CoverageGap, GapCause, HORIZON_DAYS, Interval};
use prost_types::Timestamp as ProtoTimestamp;
use xietong_mesh::Error;
use xietong_mesh::convert::{decode_optional_time, encode_time};
use xietong_proto::roster as proto;

/// Days that one question may ask about.
const MOST_DAYS: u64 = 366;

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

/// A window that a request asks about: from now when it does not say from when, for 30 days
/// when it does not say how long.
pub(in crate::grpc) fn decode_window(
    start_time: Option<&ProtoTimestamp>,
    end_time: Option<&ProtoTimestamp>,
    now: Timestamp,
) -> Result<Interval, Error> {
    let start = decode_optional_time("start_time", start_time)?.unwrap_or(now);
    let end = decode_optional_time("end_time", end_time)?;
    let end = end.unwrap_or(start.saturating_add(days(HORIZON_DAYS)));
    if end <= start {
        let english = "must be later than start_time";
        return Err(Error::invalid("end_time", english, "结束时间应晚于开始时间"));
    }
    if end.since(start) > days(MOST_DAYS) {
        return Err(Error::invalid(
            "end_time",
            format!("must be at most {MOST_DAYS} days after start_time"),
            format!("查询时段最长{MOST_DAYS}天"),
        ));
    }
    Ok(Interval { start, end })
}

pub(in crate::grpc) fn encode_gap(gap: &CoverageGap, book: &Book, known_at: Timestamp) -> proto::CoverageGap {
    use proto::CoverageGapKind as Kind;
    let person = |official: &str| {
        let person = book.view(gap.start_time, known_at).person(official);
        proto::Person { official: person.official, display_name: person.display_name }
    };
    let mut encoded = proto::CoverageGap {
        start_time: Some(encode_time(gap.start_time)),
        end_time: Some(encode_time(gap.end_time)),
        units: gap.units.clone(),
        fields: gap.fields.clone(),
        passed_over: gap.passed_over.iter().map(|official| person(official)).collect(),
        reason: gap.chinese(book),
        ..proto::CoverageGap::default()
    };
    let kind = match &gap.cause {
        GapCause::NoDivision => Kind::NoDivision,
        GapCause::NobodyInCharge { division } => {
            encoded.division.clone_from(division);
            Kind::NobodyInCharge
        }
        GapCause::LeaderAway { official } => {
            encoded.official = Some(person(official));
            Kind::LeaderAway
        }
        GapCause::DutyUnmanned { duty_roster } => {
            encoded.duty_roster.clone_from(duty_roster);
            Kind::DutyUnmanned
        }
        GapCause::PostVacant { unit, official } => {
            encoded.official = Some(person(official));
            encoded.post_unit.clone_from(unit);
            Kind::PostVacant
        }
    };
    encoded.set_kind(kind);
    encoded
}
