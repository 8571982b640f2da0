//! Whether a duty roster, a change of it or a swap can be recorded.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;

use super::shifts::beginning_at;
use super::{DutyRoster, DutySwap, DutyTeam};
use crate::book::Book;
use crate::error::RosterError;
use crate::event::{Changed, RosterEvent};
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

/// Whether a change can be recorded: as a new roster, nothing of the past is another then, and no
/// swap falls away that was agreed, unless `drops_swaps` says that they shall.
pub fn admit_duty_change(
    book: &Book,
    roster: &DutyRoster,
    effective_time: Timestamp,
    drops_swaps: bool,
    now: Timestamp,
) -> Result<(), RosterError> {
    if effective_time < now {
        return Err(RosterError::DutyOver { end: effective_time });
    }
    check(book, roster)?;
    let starts = if drops_swaps { Vec::new() } else { orphaned(book, roster, effective_time, now)? };
    if starts.is_empty() { Ok(()) } else { Err(RosterError::SwapsOrphaned { starts }) }
}

/// The swapped shifts that a change would end before their time, or leave none at all.
fn orphaned(
    book: &Book,
    roster: &DutyRoster,
    effective_time: Timestamp,
    now: Timestamp,
) -> Result<Vec<Timestamp>, RosterError> {
    let mut after = book.clone();
    let changed = Changed { value: roster.clone(), effective_time };
    after.apply(&RosterEvent::DutyRosterChanged(changed), now)?;
    let swapped: BTreeSet<Timestamp> =
        book.duty_swaps(&roster.name).iter().map(|swap| swap.shift_start_time).collect();
    let is_orphaned = |start: &Timestamp| {
        let Some(before) = beginning_at(book, &roster.name, *start) else { return false };
        let left = beginning_at(&after, &roster.name, *start);
        effective_time < before.end && left.is_none_or(|left| left.end < before.end)
    };
    Ok(swapped.into_iter().filter(is_orphaned).collect())
}

/// Whether others can take a shift, or the rest of one that runs: it is one of the roster's, it is
/// not over, and they are known.
pub fn admit_duty_swap(book: &Book, swap: &DutySwap, now: Timestamp) -> Result<(), RosterError> {
    check_present("ground", &swap.ground)?;
    check_team(book, &swap.team)?;
    let start = swap.shift_start_time;
    match beginning_at(book, &swap.duty_roster, start) {
        Some(time) if time.end <= now => Err(RosterError::DutyOver { end: time.end }),
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
