//! Duty rosters and their shifts.

use domain_calendar::Timestamp;
use domain_roster::{Book, DutyRoster, DutyShift, DutySwap, DutyTeam, Interval};
use xietong_mesh::Error;
use xietong_mesh::convert::{decode_time, encode_time};
use xietong_mesh::input::{ENTRIES, TEXT, at_most, names, optional, present, required, text};
use xietong_proto::roster as proto;

/// Teams that take turns.
const MOST_TEAMS: usize = 100;

pub(in crate::grpc) fn decode_duty_roster(
    name: String,
    roster: proto::DutyRoster,
) -> Result<DutyRoster, Error> {
    let time = |field: &str, time| decode_time(field, &present(field, time)?);
    let handovers = at_most("duty_roster.handover_times", roster.handover_times, ENTRIES)?;
    let teams = at_most("duty_roster.teams", roster.teams, MOST_TEAMS)?;
    Ok(DutyRoster {
        name,
        display_name: required("duty_roster.display_name", roster.display_name)?,
        unit: text("duty_roster.unit", roster.unit, xietong_mesh::input::LINE)?,
        start_time: time("duty_roster.start_time", roster.start_time)?,
        end_time: time("duty_roster.end_time", roster.end_time)?,
        handovers: handovers.iter().map(|text| decode_handover(text)).collect::<Result<_, _>>()?,
        teams: teams
            .into_iter()
            .map(|team| decode_team("duty_roster.teams", team))
            .collect::<Result<_, _>>()?,
        first_team: usize::try_from(roster.first_team).unwrap_or(usize::MAX),
    })
}

pub(in crate::grpc) fn decode_swap(request: &proto::SwapDutyShiftRequest) -> Result<DutySwap, Error> {
    let start = present("shift_start_time", request.shift_start_time)?;
    let start = decode_time("shift_start_time", &start)?;
    Ok(DutySwap {
        duty_roster: required("name", request.name.clone())?,
        shift_start_time: start,
        team: decode_team("team", request.team.clone().unwrap_or_default())?,
        ground: text("ground", request.ground.clone(), TEXT)?,
        // When the roster learns of it is not the caller's to say.
        recorded_at: start,
    })
}

/// Minutes after midnight of a time of day as `HH:MM`.
fn decode_handover(text: &str) -> Result<u16, Error> {
    let digits =
        |part: &str| (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit())).then_some(());
    let read = |(hours, minutes): (&str, &str)| {
        digits(hours).and(digits(minutes))?;
        let (hours, minutes) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
        (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
    };
    text.split_once(':').and_then(read).ok_or_else(|| {
        let english = "must be times of the day as HH:MM";
        Error::invalid("duty_roster.handover_times", english, "交接班时间应写作“时:分”，如08:00")
    })
}

fn decode_team(field: &str, team: proto::DutyTeam) -> Result<DutyTeam, Error> {
    Ok(DutyTeam { leader: optional(field, team.leader)?, members: names(field, team.members)? })
}

pub(in crate::grpc) fn encode_duty_roster(roster: &DutyRoster, etag: String) -> proto::DutyRoster {
    let encode_team = |team: &DutyTeam| proto::DutyTeam {
        leader: team.leader.clone().unwrap_or_default(),
        members: team.members.clone(),
    };
    proto::DutyRoster {
        name: roster.name.clone(),
        display_name: roster.display_name.clone(),
        unit: roster.unit.clone(),
        start_time: Some(encode_time(roster.start_time)),
        end_time: Some(encode_time(roster.end_time)),
        handover_times: roster
            .handovers
            .iter()
            .map(|minute| format!("{:02}:{:02}", minute / 60, minute % 60))
            .collect(),
        teams: roster.teams.iter().map(encode_team).collect(),
        first_team: u32::try_from(roster.first_team).unwrap_or(u32::MAX),
        etag,
    }
}

pub(in crate::grpc) fn encode_shift(shift: &DutyShift, book: &Book, known_at: Timestamp) -> proto::DutyShift {
    let person = |official: &String| {
        let person = book.view(shift.start_time, known_at).person(official);
        let away = shift.away.iter().any(|(who, _)| who == official);
        proto::DutyPerson { official: person.official, display_name: person.display_name, away }
    };
    let interval = |gap: &Interval| proto::DutyInterval {
        start_time: Some(encode_time(gap.start)),
        end_time: Some(encode_time(gap.end)),
    };
    proto::DutyShift {
        start_time: Some(encode_time(shift.start_time)),
        end_time: Some(encode_time(shift.end_time)),
        leader: shift.team.leader.as_ref().map(person),
        members: shift.team.members.iter().map(person).collect(),
        swap_ground: shift.swapped.clone().unwrap_or_default(),
        gaps: shift.gaps.iter().map(interval).collect(),
        shift_start_time: Some(encode_time(shift.shift_start_time)),
    }
}
