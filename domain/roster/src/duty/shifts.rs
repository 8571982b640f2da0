//! The shifts of a duty roster, and the times in which nobody keeps watch.

use std::time::Duration;

use domain_calendar::Timestamp;

use super::{DutyRoster, DutyTeam};
use crate::book::{Book, Version};
use crate::coverage::merged;
use crate::interval::Interval;

/// A shift, or what is left of one that others took while it ran: who keeps watch from when to
/// when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyShift {
    /// First instant of the whole shift, by which it is swapped.
    pub shift_start_time: Timestamp,
    /// First instant of it.
    pub start_time: Timestamp,
    /// First instant after it.
    pub end_time: Timestamp,
    /// Who is on duty, there or not.
    pub team: DutyTeam,
    /// On what ground others than those of the rule are on duty; none when they are not.
    pub swapped: Option<String>,
    /// When somebody of the team is away: `officials/{id}` and the time within the shift.
    pub away: Vec<(String, Interval)>,
    /// When nobody of the team is there.
    pub gaps: Vec<Interval>,
}

/// The shifts of a roster that have time in common with a window, whole and in order, as far as
/// they were known at an instant. One that others took while it ran is two.
pub fn duty_shifts(book: &Book, name: &str, window: Interval, known_at: Timestamp) -> Vec<DutyShift> {
    let whole = by_rule(book, name, window, known_at).into_iter();
    let kept = whole.flat_map(|(time, team)| kept(book, name, time, team, known_at));
    kept.filter(|shift| Interval { start: shift.start_time, end: shift.end_time }.overlap(window).is_some())
        .collect()
}

/// The shifts that have time in common with a window, with those who are on duty by rule.
pub(super) fn by_rule(
    book: &Book,
    name: &str,
    window: Interval,
    known_at: Timestamp,
) -> Vec<(Interval, DutyTeam)> {
    let mut versions: Vec<&Version<DutyRoster>> =
        book.duty_roster_versions(name).filter(|version| version.recorded_at <= known_at).collect();
    // Of several from one instant on, the one recorded last holds; sorting keeps their order.
    versions.sort_by_key(|version| version.effective_time);
    let mut shifts = Vec::new();
    for (place, version) in versions.iter().enumerate() {
        let from = version.effective_time.unwrap_or(Timestamp::MIN);
        let next = versions.get(place + 1).map_or(Timestamp::MAX, |next| next.effective_time.unwrap_or(from));
        let roster = &version.value;
        let held = Interval { start: from, end: next };
        let season = Interval { start: roster.start_time, end: roster.end_time };
        for (number, time) in season.overlap(held).into_iter().flat_map(|time| turns(roster, time)) {
            if time.overlap(window).is_some() {
                let turn = (roster.first_team + number) % roster.teams.len().max(1);
                shifts.push((time, roster.teams.get(turn).cloned().unwrap_or_default()));
            }
        }
    }
    shifts
}

/// The whole shift of a roster that begins at an instant, by all that is known.
pub(super) fn beginning_at(book: &Book, name: &str, start: Timestamp) -> Option<Interval> {
    let instant = Interval { start, end: start.saturating_add(Duration::from_micros(1)) };
    let found = by_rule(book, name, instant, Timestamp::MAX);
    found.into_iter().map(|(time, _)| time).find(|time| time.start == start)
}

/// A shift as it is, or was, kept: whoever takes one that runs takes the rest of it, and what was
/// kept until then was kept by those before.
fn kept(book: &Book, name: &str, time: Interval, team: DutyTeam, known_at: Timestamp) -> Vec<DutyShift> {
    let swaps = book.duty_swaps(name).iter();
    let swaps = swaps.filter(|swap| swap.recorded_at <= known_at && swap.shift_start_time == time.start);
    let mut kept = Vec::new();
    let (mut start, mut team, mut swapped) = (time.start, team, None);
    for swap in swaps {
        let from = swap.recorded_at.clamp(start, time.end);
        if start < from {
            kept.push(shift(book, time.start, Interval { start, end: from }, team, swapped, known_at));
        }
        (start, team, swapped) = (from, swap.team.clone(), Some(swap.ground.clone()));
    }
    if start < time.end {
        kept.push(shift(book, time.start, Interval { start, end: time.end }, team, swapped, known_at));
    }
    kept
}

/// When nobody of a roster keeps watch in a window, with those who should; as long as each lasts
/// within one shift.
pub fn duty_gaps(
    book: &Book,
    name: &str,
    window: Interval,
    known_at: Timestamp,
) -> Vec<(Interval, DutyTeam)> {
    let shifts = duty_shifts(book, name, window, known_at).into_iter();
    let gaps = shifts.flat_map(|shift| {
        let team = shift.team;
        shift.gaps.into_iter().map(move |gap| (gap, team.clone()))
    });
    gaps.filter_map(|(gap, team)| Some((gap.overlap(window)?, team))).collect()
}

/// The turns of a time, numbered from 0: from its start to the next handover, and so on.
fn turns(roster: &DutyRoster, time: Interval) -> Vec<(usize, Interval)> {
    let mut turns = Vec::new();
    let mut start = time.start;
    let mut midnight = Timestamp::start_of_day(start.day());
    while start < time.end && !roster.handovers.is_empty() {
        for minute in &roster.handovers {
            let handover = midnight.saturating_add(Duration::from_secs(u64::from(*minute) * 60));
            let end = handover.min(time.end);
            if start < end {
                turns.push((turns.len(), Interval { start, end }));
                start = end;
            }
        }
        midnight = midnight.saturating_add(Duration::from_secs(86_400));
    }
    turns
}

fn shift(
    book: &Book,
    shift_start_time: Timestamp,
    time: Interval,
    team: DutyTeam,
    swapped: Option<String>,
    known_at: Timestamp,
) -> DutyShift {
    let away: Vec<(String, Interval)> = team
        .people()
        .flat_map(|official| {
            let absences = book.absences_of(official);
            let times = absences.filter_map(move |absence| absence.interval(known_at)?.overlap(time));
            merged(times.collect()).into_iter().map(move |time| (official.to_owned(), time))
        })
        .collect();
    let mut gaps = vec![time];
    for official in team.people() {
        let own = away.iter().filter(|(who, _)| who == official);
        gaps = own.flat_map(|(_, when)| gaps.iter().filter_map(|gap| gap.overlap(*when))).collect();
    }
    DutyShift {
        shift_start_time,
        start_time: time.start,
        end_time: time.end,
        swapped,
        gaps: merged(gaps),
        team,
        away,
    }
}
