//! Registering an absence, and what must hold for its times.

use std::collections::BTreeSet;
use std::time::Duration;

use domain_calendar::Timestamp;

use super::{Absence, Share};
use crate::book::Book;
use crate::error::RosterError;
use crate::event::RosterEvent;
use crate::gap::{Cover, gaps};
use crate::interval::Interval;
use crate::names::{check_name, check_optional_name};
use crate::scope::Scope;

const SECONDS_A_DAY: u64 = 86_400;

/// A request to register an absence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The name it will have, `absences/{id}`.
    pub name: String,
    /// Who will be away, `officials/{id}`.
    pub official: String,
    /// First instant away.
    pub start_time: Timestamp,
    /// First instant back.
    pub end_time: Timestamp,
    /// B named for this absence; unset: the pair's.
    pub stand_in: Option<String>,
    /// Parts of the duties that others take over.
    pub shares: Vec<Share>,
    /// What no stand-in takes over.
    pub excluded: Scope,
    /// Why, for example 赴省城开会.
    pub reason: String,
    /// Document or decision by which the mayor approved that A and B are away together.
    pub approval: Option<String>,
    /// Document that formally reassigned the duties, for an absence over the limit.
    pub reassignment: Option<String>,
}

/// What only the mayor decides of an absence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stated {
    /// Document or decision by which he approved that A and B are away together.
    pub approval: Option<String>,
    /// Document that formally reassigned the duties, for an absence over the limit.
    pub reassignment: Option<String>,
}

impl Stated {
    /// Whether anything is stated.
    pub fn is_empty(&self) -> bool {
        self.clone().trimmed() == Stated::default()
    }

    /// Without what says nothing.
    pub(super) fn trimmed(self) -> Self {
        let stated = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        Stated { approval: stated(self.approval), reassignment: stated(self.reassignment) }
    }
}

impl Absence {
    /// Registers an absence. Refused when it overlaps another of the same official, when A and B
    /// would be away together without the mayor's approval, and when it is longer than the city
    /// lets a stand-in act without a formal reassignment.
    pub fn create(
        book: &Book,
        registration: Registration,
        now: Timestamp,
    ) -> Result<RosterEvent, RosterError> {
        registration.check(book)?;
        let stated = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let absence = Absence {
            name: registration.name,
            official: registration.official,
            start_time: registration.start_time,
            end_time: registration.end_time,
            stand_in: registration.stand_in,
            shares: registration.shares,
            excluded: registration.excluded,
            reason: registration.reason,
            approval: stated(registration.approval),
            reassignment: stated(registration.reassignment),
            recorded_at: now,
            changes: Vec::new(),
        };
        let period = Interval { start: absence.start_time, end: absence.end_time };
        absence.no_other_overlaps(book, period)?;
        absence.within_limit(book, period, &Stated::default())?;
        absence.covered(book, period, absence.approval.as_deref())?;
        Ok(RosterEvent::AbsenceCreated(absence))
    }

    /// Refuses times that overlap those of another absence of the same official.
    pub(super) fn no_other_overlaps(&self, book: &Book, period: Interval) -> Result<(), RosterError> {
        for other in book.absences_of(&self.official).filter(|other| other.name != self.name) {
            if let Some(known) = other.known()
                && known.overlap(period).is_some()
            {
                return Err(RosterError::AbsenceOverlaps {
                    official: self.official.clone(),
                    existing: other.name.clone(),
                    start: known.start,
                    end: known.end,
                });
            }
        }
        Ok(())
    }

    pub(super) fn check_extension(
        &self,
        book: &Book,
        known: Interval,
        end_time: Timestamp,
        stated: &Stated,
    ) -> Result<(), RosterError> {
        let whole = Interval { start: known.start, end: end_time };
        self.no_other_overlaps(book, whole)?;
        self.within_limit(book, whole, stated)?;
        self.covered(book, Interval { start: known.end, end: end_time }, stated.approval.as_deref())
    }

    /// What is over is as it was, and needs nobody's approval any more; what is added to the time
    /// ahead does.
    pub(super) fn check_correction(
        &self,
        book: &Book,
        times: Interval,
        stated: &Stated,
        now: Timestamp,
    ) -> Result<(), RosterError> {
        self.no_other_overlaps(book, times)?;
        if times.end <= now {
            return Ok(());
        }
        let known = self.known().unwrap_or(Interval { start: times.end, end: times.end });
        if times.end.since(times.start) > known.end.since(known.start) {
            self.within_limit(book, times, stated)?;
        }
        let added = [
            Interval { start: times.start.max(now), end: times.end.min(known.start) },
            Interval { start: times.start.max(now).max(known.end), end: times.end },
        ];
        let mut added = added.into_iter().filter(|part| part.start < part.end);
        added.try_for_each(|part| self.covered(book, part, stated.approval.as_deref()))
    }

    fn within_limit(&self, book: &Book, period: Interval, stated: &Stated) -> Result<(), RosterError> {
        let reassignment = stated.reassignment.as_deref().or(self.last_reassignment());
        within_limit(book, &self.official, &self.name, period, reassignment)
    }

    /// Refuses a time in which A and B would be away together, unless the mayor approved.
    fn covered(&self, book: &Book, period: Interval, approval: Option<&str>) -> Result<(), RosterError> {
        if approval.is_some_and(|text| !text.trim().is_empty()) {
            return Ok(());
        }
        let gaps = gaps(book, &Cover::of(self), period);
        if gaps.is_empty() { Ok(()) } else { Err(RosterError::AwayTogether { gaps }) }
    }
}

impl Registration {
    fn check(&self, book: &Book) -> Result<(), RosterError> {
        check_name("absences", &self.name)?;
        check_name("officials", &self.official)?;
        check_optional_name("officials", self.stand_in.as_deref())?;
        if self.end_time <= self.start_time {
            return Err(RosterError::PeriodEmpty { start: self.start_time, end: self.end_time });
        }
        self.excluded.check()?;
        let mut shared = BTreeSet::new();
        for share in &self.shares {
            check_name("officials", &share.stand_in)?;
            share.scope.check()?;
            if share.scope.is_empty() {
                return Err(RosterError::Missing { field: "shares.units" });
            }
            for part in share.scope.units.iter().chain(&share.scope.fields) {
                if !shared.insert(part) {
                    return Err(RosterError::SharedTwice { part: part.clone() });
                }
            }
        }
        let stand_ins = || self.stand_in.iter().chain(self.shares.iter().map(|share| &share.stand_in));
        if stand_ins().any(|stand_in| *stand_in == self.official) {
            return Err(RosterError::OwnStandIn { official: self.official.clone() });
        }
        for person in std::iter::once(&self.official).chain(stand_ins()) {
            if book.official(person).is_none() {
                return Err(RosterError::OfficialUnknown { text: person.clone() });
            }
        }
        let parts = self.shares.iter().map(|share| &share.scope).chain([&self.excluded]);
        for unit in parts.flat_map(|scope| &scope.units) {
            if book.unit(unit).is_none() {
                return Err(RosterError::UnitUnknown { text: unit.clone() });
            }
        }
        if book.absence(&self.name).is_some() {
            return Err(RosterError::NameTaken { name: self.name.clone() });
        }
        Ok(())
    }
}

/// Refuses an absence of a leader that is longer than the division in force at its start lets a
/// stand-in act, unless the duties were formally reassigned. Absences that follow one another
/// without a day between count as one.
fn within_limit(
    book: &Book,
    official: &str,
    own: &str,
    period: Interval,
    reassignment: Option<&str>,
) -> Result<(), RosterError> {
    if reassignment.is_some_and(|text| !text.trim().is_empty()) {
        return Ok(());
    }
    let division = book.view(period.start, Timestamp::MAX).division();
    let limit = division
        .filter(|division| division.portfolio(official).is_some())
        .and_then(|division| division.absence_limit_days);
    let Some(limit_days) = limit else { return Ok(()) };
    let whole = in_one(book, official, own, period);
    let too_long = whole.end.since(whole.start).as_secs() > u64::from(limit_days) * SECONDS_A_DAY;
    if too_long { Err(RosterError::ReassignmentNeeded { limit_days }) } else { Ok(()) }
}

/// A time away with the other absences of the official that it touches, or that are less than a
/// day from it.
fn in_one(book: &Book, official: &str, own: &str, period: Interval) -> Interval {
    let day = Duration::from_secs(SECONDS_A_DAY);
    let mut others: Vec<Interval> = book
        .absences_of(official)
        .filter(|other| other.name != own)
        .filter_map(|other| other.known().filter(|known| known.start < known.end))
        .collect();
    others.sort_by_key(|other| other.start);
    let mut whole = period;
    for other in others.iter().rev().filter(|other| other.end <= period.start) {
        if whole.start.since(other.end) < day {
            whole.start = other.start;
        }
    }
    for other in others.iter().filter(|other| other.start >= period.end) {
        if other.start.since(whole.end) < day {
            whole.end = other.end;
        }
    }
    whole
}
