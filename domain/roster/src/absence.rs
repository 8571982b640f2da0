//! An official's time away (不在临汾期间), as one state machine.
//!
//! ```text
//!            cancel                    (its end comes)
//! cancelled <------ planned --> active ---------------> ended
//!                    (its start comes) -- end (销假) -->
//!                  extend: planned and active only; correct: whatever was not cancelled
//! ```
//!
//! Nothing stores the state: it follows from the times and from what was done. What was done is
//! kept with the instant it was recorded, so that a question asked "as known at" an earlier
//! instant still gets the interval as it was known then.

mod history;
mod register;

pub use history::AbsenceChange;
pub use register::{Registration, Stated};

use std::time::Duration;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::absence_event::{
    AbsenceAcknowledged, AbsenceCancelled, AbsenceCorrected, AbsenceEnded, AbsenceExtended, AbsenceStarted,
};
use crate::acting::acting_parts;
use crate::book::Book;
use crate::error::RosterError;
use crate::event::RosterEvent;
use crate::interval::Interval;
use crate::scope::Scope;
use crate::stand_in::acting_for;

/// Where an absence stands; computed from its times and what was done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AbsenceState {
    /// It has not begun.
    #[serde(rename = "ABSENCE_STATE_PLANNED")]
    Planned,
    /// The official is away.
    #[serde(rename = "ABSENCE_STATE_ACTIVE")]
    Active,
    /// It ended, at its end or early.
    #[serde(rename = "ABSENCE_STATE_ENDED")]
    Ended,
    /// It was cancelled before it began.
    #[serde(rename = "ABSENCE_STATE_CANCELLED")]
    Cancelled,
}

impl AbsenceState {
    /// What officials call it.
    pub fn chinese(self) -> &'static str {
        match self {
            AbsenceState::Planned => "尚未开始",
            AbsenceState::Active => "正在进行",
            AbsenceState::Ended => "已结束",
            AbsenceState::Cancelled => "已取消",
        }
    }
}

/// A part of an absent official's duties that one stand-in takes over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// `officials/{id}`.
    pub stand_in: String,
    /// Which part; never empty.
    #[serde(flatten)]
    pub scope: Scope,
}

/// A time an official is away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Absence {
    /// `absences/{id}`.
    pub name: String,
    /// `officials/{id}`.
    pub official: String,
    /// First instant away, as it was registered.
    pub start_time: Timestamp,
    /// First instant back, as it was registered.
    pub end_time: Timestamp,
    /// B named for this absence, for whatever no share takes over; unset: the pair's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stand_in: Option<String>,
    /// Parts of the duties that others take over for this absence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<Share>,
    /// What no stand-in takes over in this absence; it falls to the city's fallback.
    #[serde(default, skip_serializing_if = "Scope::is_empty")]
    pub excluded: Scope,
    /// Why, for example 赴省城开会.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Document or decision by which the mayor approved that A and B are away together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    /// Document that formally reassigned the duties, of an absence over the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reassignment: Option<String>,
    /// When it was registered.
    pub recorded_at: Timestamp,
    /// What was done to it since, in the order of recording.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<AbsenceChange>,
}

impl Absence {
    /// Ends an active absence: the official is back now (销假).
    pub fn end(&self, book: &Book, now: Timestamp) -> Result<RosterEvent, RosterError> {
        match self.state(now) {
            AbsenceState::Active => {
                let start_time = self.known().map_or(self.start_time, |known| known.start);
                Ok(RosterEvent::AbsenceEnded(AbsenceEnded {
                    absence: self.name.clone(),
                    official: self.official.clone(),
                    acting: acting_for(book, &self.official, now),
                    start_time,
                    end_time: now,
                    early: true,
                    acts: None,
                }))
            }
            state @ (AbsenceState::Planned | AbsenceState::Ended | AbsenceState::Cancelled) => {
                Err(RosterError::AbsenceNotActive { state })
            }
        }
    }

    /// Cancels a planned absence: the official does not leave after all.
    pub fn cancel(&self, now: Timestamp) -> Result<RosterEvent, RosterError> {
        match (self.state(now), self.known()) {
            (AbsenceState::Planned, Some(known)) => Ok(RosterEvent::AbsenceCancelled(AbsenceCancelled {
                absence: self.name.clone(),
                official: self.official.clone(),
                start_time: known.start,
                end_time: known.end,
            })),
            (
                state @ (AbsenceState::Planned
                | AbsenceState::Active
                | AbsenceState::Ended
                | AbsenceState::Cancelled),
                _,
            ) => Err(RosterError::AbsenceNotPlanned { state }),
        }
    }

    /// Corrects what was recorded of its times: it was wrong. What is asked "as known at" an
    /// earlier instant still gets the answer of then. What it adds to the time ahead is refused
    /// like a registration.
    pub fn correct(
        &self,
        book: &Book,
        times: Interval,
        stated: Stated,
        reason: &str,
        now: Timestamp,
    ) -> Result<RosterEvent, RosterError> {
        let state = self.state(now);
        if state == AbsenceState::Cancelled {
            return Err(RosterError::AbsenceOver { state });
        }
        if reason.trim().is_empty() {
            return Err(RosterError::Missing { field: "reason" });
        }
        if times.end <= times.start {
            return Err(RosterError::PeriodEmpty { start: times.start, end: times.end });
        }
        let stated = stated.trimmed();
        self.check_correction(book, times, &stated, now)?;
        Ok(RosterEvent::AbsenceCorrected(AbsenceCorrected {
            absence: self.name.clone(),
            official: self.official.clone(),
            start_time: times.start,
            end_time: times.end,
            reason: reason.trim().to_owned(),
            approval: stated.approval,
            reassignment: stated.reassignment,
        }))
    }

    /// Extends a planned or active absence: the official comes back later.
    pub fn extend(
        &self,
        book: &Book,
        end_time: Timestamp,
        stated: Stated,
        now: Timestamp,
    ) -> Result<RosterEvent, RosterError> {
        let state = self.state(now);
        let known = match (state, self.known()) {
            (AbsenceState::Planned | AbsenceState::Active, Some(known)) => known,
            (
                AbsenceState::Planned | AbsenceState::Active | AbsenceState::Ended | AbsenceState::Cancelled,
                _,
            ) => return Err(RosterError::AbsenceOver { state }),
        };
        if end_time <= known.end {
            return Err(RosterError::NotLater { end: known.end });
        }
        let stated = stated.trimmed();
        self.check_extension(book, known, end_time, &stated)?;
        Ok(RosterEvent::AbsenceExtended(AbsenceExtended {
            absence: self.name.clone(),
            official: self.official.clone(),
            start_time: known.start,
            end_time,
            previous_end_time: known.end,
            approval: stated.approval,
            reassignment: stated.reassignment,
        }))
    }

    /// The official, who is back, acknowledges what was done for him meanwhile: of `acts` in all.
    pub fn acknowledge(&self, acts: i64, now: Timestamp) -> Result<RosterEvent, RosterError> {
        match self.state(now) {
            AbsenceState::Ended if acts > self.acknowledged().0 => {
                Ok(RosterEvent::AbsenceAcknowledged(AbsenceAcknowledged {
                    absence: self.name.clone(),
                    official: self.official.clone(),
                    acts,
                }))
            }
            AbsenceState::Ended => Err(RosterError::NothingToAcknowledge),
            state @ (AbsenceState::Planned | AbsenceState::Active | AbsenceState::Cancelled) => {
                Err(RosterError::AbsenceNotEnded { state })
            }
        }
    }

    /// What follows when its start has come; nothing before it, or when it was cancelled.
    pub fn begin(&self, book: &Book, now: Timestamp) -> Option<RosterEvent> {
        let known = self.known()?;
        (known.start <= now).then(|| {
            RosterEvent::AbsenceStarted(AbsenceStarted {
                absence: self.name.clone(),
                official: self.official.clone(),
                acting: acting_for(book, &self.official, known.start),
                start_time: known.start,
                end_time: known.end,
                authorities: acting_parts(book, self, known.start),
            })
        })
    }

    /// What follows when its end has come; nothing before it, when it was cancelled, or when the
    /// official came back early, which was said then.
    pub fn finish(&self, book: &Book, now: Timestamp) -> Option<RosterEvent> {
        let known = self.known()?;
        (!self.ended_early() && known.end <= now).then(|| {
            let last_instant = known.end.saturating_sub(Duration::from_micros(1));
            RosterEvent::AbsenceEnded(AbsenceEnded {
                absence: self.name.clone(),
                official: self.official.clone(),
                acting: acting_for(book, &self.official, last_instant),
                start_time: known.start,
                end_time: known.end,
                early: false,
                acts: None,
            })
        })
    }

    /// Where it stands at an instant, by all that is known.
    pub fn state(&self, at: Timestamp) -> AbsenceState {
        match self.known() {
            None => AbsenceState::Cancelled,
            Some(known) if at < known.start => AbsenceState::Planned,
            Some(known) if at < known.end => AbsenceState::Active,
            Some(_) => AbsenceState::Ended,
        }
    }

    /// Its times by all that is known; none when it was cancelled.
    pub(crate) fn known(&self) -> Option<Interval> {
        self.interval(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::{Absence, AbsenceState};
    use crate::error::RosterError;
    use crate::event::RosterEvent;
    use crate::fixture::{Roster, at, registration};

    #[test]
    fn an_absence_is_planned_then_active_then_ended() {
        let mut roster = Roster::linfen();
        roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        let absence = roster.absence("one");
        for (instant, state) in [
            ("2023-06-09T23:59:59.999999+08:00", AbsenceState::Planned),
            ("2023-06-10T00:00+08:00", AbsenceState::Active),
            ("2023-06-11T23:59:59.999999+08:00", AbsenceState::Active),
            ("2023-06-12T00:00+08:00", AbsenceState::Ended),
        ] {
            assert_eq!(absence.state(at(instant)), state, "{instant}");
        }
    }

    #[test]
    fn only_an_active_absence_ends_and_only_a_planned_one_is_cancelled() {
        let mut roster = Roster::linfen();
        roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        let (before, during, after) =
            (at("2023-06-09T08:00+08:00"), at("2023-06-11T08:00+08:00"), at("2023-06-13T08:00+08:00"));
        let planned = roster.absence("one");
        let not_active = |state| Err(RosterError::AbsenceNotActive { state });
        let not_planned = |state| Err(RosterError::AbsenceNotPlanned { state });
        assert_eq!(planned.end(&roster.book, before), not_active(AbsenceState::Planned));
        assert_eq!(planned.cancel(during), not_planned(AbsenceState::Active));
        assert_eq!(planned.end(&roster.book, after), not_active(AbsenceState::Ended));
        assert_eq!(planned.cancel(after), not_planned(AbsenceState::Ended));

        let cancelled = planned.cancel(before).unwrap();
        roster.record(&cancelled, before);
        assert_eq!(roster.absence("one").state(during), AbsenceState::Cancelled);
        assert_eq!(roster.absence("one").cancel(before), not_planned(AbsenceState::Cancelled));
        assert_eq!(roster.absence("one").end(&roster.book, during), not_active(AbsenceState::Cancelled));
    }

    #[test]
    fn an_overlapping_absence_is_refused_until_the_official_is_back() {
        let mut roster = Roster::linfen();
        roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        let again = || registration("two", "cui-yuanbin", "2023-06-11T12:00+08:00", "2023-06-13T00:00+08:00");
        let now = at("2023-06-11T08:00+08:00");
        let refused = Absence::create(&roster.book, again(), now);
        assert!(
            matches!(&refused, Err(RosterError::AbsenceOverlaps { existing, .. }) if existing == "absences/one"),
            "{refused:?}"
        );
        let back = roster.absence("one").end(&roster.book, now).unwrap();
        roster.record(&back, now);
        assert!(Absence::create(&roster.book, again(), now).is_ok());
    }

    #[test]
    fn absences_that_touch_do_not_overlap() {
        let mut roster = Roster::linfen();
        roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        let next = registration("two", "cui-yuanbin", "2023-06-12T00:00+08:00", "2023-06-13T00:00+08:00");
        assert!(Absence::create(&roster.book, next, at("2023-06-01T08:00+08:00")).is_ok());
    }

    #[test]
    fn a_malformed_registration_is_refused() {
        let roster = Roster::linfen();
        let now = at("2023-06-01T08:00+08:00");
        let good = || registration("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        let create = |registration| Absence::create(&roster.book, registration, now).unwrap_err();
        let mut backwards = good();
        backwards.end_time = backwards.start_time;
        assert!(matches!(create(backwards), RosterError::PeriodEmpty { .. }));
        let mut own = good();
        own.stand_in = Some(own.official.clone());
        assert!(matches!(create(own), RosterError::OwnStandIn { .. }));
        let mut stranger = good();
        stranger.stand_in = Some("officials/nobody".into());
        assert_eq!(create(stranger), RosterError::OfficialUnknown { text: "officials/nobody".into() });
    }

    #[test]
    fn the_timers_say_who_acts_and_say_nothing_twice() {
        let mut roster = Roster::linfen();
        roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        let (start, middle, end) =
            (at("2023-06-10T00:00+08:00"), at("2023-06-11T09:00+08:00"), at("2023-06-12T00:00+08:00"));
        let absence = roster.absence("one");
        assert_eq!(absence.begin(&roster.book, at("2023-06-09T23:59:59.999999+08:00")), None);
        let Some(RosterEvent::AbsenceStarted(started)) = absence.begin(&roster.book, start) else {
            panic!("the absence has started");
        };
        assert_eq!(started.acting.as_deref(), Some("officials/hu-xiaogang"));
        assert_eq!((started.start_time, started.end_time), (start, end));
        let Some(RosterEvent::AbsenceEnded(ended)) = absence.finish(&roster.book, end) else {
            panic!("the absence has ended");
        };
        assert_eq!(ended.acting.as_deref(), Some("officials/hu-xiaogang"));
        assert!(!ended.early);

        let back = absence.end(&roster.book, middle).unwrap();
        roster.record(&back, middle);
        assert_eq!(roster.absence("one").finish(&roster.book, end), None);
    }
}
