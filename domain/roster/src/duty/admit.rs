//! Whether a duty roster, a change of it or a swap can be recorded.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;

use super::{DutyRoster, DutyShift, DutySwap, DutyTeam, duty_shifts};
use crate::book::Book;
use crate::error::RosterError;
use crate::interval::Interval;
use crate::names::{check_name, check_present};

/// Longest season, in days.
const LONGEST_SEASON: u64 = 366;
const MINUTES_OF_A_DAY: u16 = 1_440;

/// Whether a duty roster can be recorded: well-formed, its name free, its unit and people known.
pub fn admit_duty_roster(book: &Book, roster: &DutyRoster) -> Result<(), RosterError> {
    if book.duty_roster(&roster.name).is_some() {
        return Err(RosterError::NameTaken { name: roster.name.clone() });
    }
    check(book, roster)
}

/// Whether a change can be recorded: as a new roster, and nothing of the past is another then.
pub fn admit_duty_change(
    book: &Book,
    roster: &DutyRoster,
    effective_time: Timestamp,
    now: Timestamp,
) -> Result<(), RosterError> {
    if effective_time < now {
        return Err(RosterError::DutyOver { end: effective_time });
    }
    check(book, roster)
}

/// Whether others can take a shift: it is one of the roster's, it is not over, and they are known.
pub fn admit_duty_swap(book: &Book, swap: &DutySwap, now: Timestamp) -> Result<(), RosterError> {
    check_present("ground", &swap.ground)?;
    check_team(book, &swap.team)?;
    let start = swap.shift_start_time;
    let instant = Interval { start, end: start.saturating_add(std::time::Duration::from_micros(1)) };
    let shifts = duty_shifts(book, &swap.duty_roster, instant, Timestamp::MAX);
    match shifts.first().filter(|shift| shift.start_time == start) {
        Some(DutyShift { end_time, .. }) if *end_time <= now => Err(RosterError::DutyOver { end: *end_time }),
        Some(_) => Ok(()),
        None => Err(RosterError::ShiftUnknown { start }),
    }
}

fn check(book: &Book, roster: &DutyRoster) -> Result<(), RosterError> {
    check_name("dutyRosters", &roster.name)?;
    check_present("display_name", &roster.display_name)?;
    check_name("units", &roster.unit)?;
    if book.unit(&roster.unit).is_none() {
        return Err(RosterError::UnitUnknown { text: roster.unit.clone() });
    }
    let (start, end) = (roster.start_time, roster.end_time);
    if end <= start {
        return Err(RosterError::PeriodEmpty { start, end });
    }
    if end.since(start).as_secs() > LONGEST_SEASON * 86_400 {
        return Err(RosterError::SeasonTooLong { longest_days: LONGEST_SEASON });
    }
    let rising = roster.handovers.iter().zip(roster.handovers.iter().skip(1)).all(|(one, next)| one < next);
    let within = roster.handovers.iter().all(|minute| *minute < MINUTES_OF_A_DAY);
    if roster.handovers.is_empty() || roster.handovers.len() > 24 || !rising || !within {
        return Err(RosterError::HandoversMalformed);
    }
    if roster.teams.is_empty() {
        return Err(RosterError::Missing { field: "teams" });
    }
    if roster.first_team >= roster.teams.len() {
        return Err(RosterError::FirstTeamUnknown { teams: roster.teams.len() });
    }
    for team in &roster.teams {
        if team.leader.is_none() {
            return Err(RosterError::Missing { field: "teams.leader" });
        }
        check_team(book, team)?;
    }
    Ok(())
}

fn check_team(book: &Book, team: &DutyTeam) -> Result<(), RosterError> {
    let mut seen = BTreeSet::new();
    for official in team.people() {
        check_name("officials", official)?;
        if book.official(official).is_none() {
            return Err(RosterError::OfficialUnknown { text: official.to_owned() });
        }
        if !seen.insert(official) {
            return Err(RosterError::OnDutyTwice { official: official.to_owned() });
        }
    }
    Ok(())
}
