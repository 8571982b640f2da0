//! An official's time away (不在临汾期间), as one state machine.
//!
//! ```text
//!            cancel                    (its end comes)
//! cancelled <------ planned --> active ---------------> ended
//!                    (its start comes) -- end (销假) -->
//! ```
//!
//! Nothing stores the state: it follows from the times and from what was done. What was done is
//! kept with the instant it was recorded, so that a question asked "as known at" an earlier
//! instant still gets the interval as it was known then.

use std::time::Duration;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::book::Book;
use crate::error::RosterError;
use crate::event::{AbsenceCancelled, AbsenceEnded, AbsenceStarted, RosterEvent};
use crate::gap::gaps;
use crate::interval::Interval;
use crate::names::{check_name, check_optional_name};
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

/// What was done to an absence after it was registered, and when the roster learned of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum AbsenceChange {
    /// The official came back before the registered end (销假).
    EndedEarly {
        /// First instant back.
        end_time: Timestamp,
        /// When it was recorded.
        recorded_at: Timestamp,
    },
    /// The official did not leave after all.
    Cancelled {
        /// When it was recorded.
        recorded_at: Timestamp,
    },
}

impl AbsenceChange {
    fn recorded_at(&self) -> Timestamp {
        match self {
            AbsenceChange::EndedEarly { recorded_at, .. } | AbsenceChange::Cancelled { recorded_at } => {
                *recorded_at
            }
        }
    }
}

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
    /// Why, for example 赴省城开会.
    pub reason: String,
    /// Document or decision by which the mayor approved that A and B are away together.
    pub approval: Option<String>,
}

/// A time an official is away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Absence {
    /// `absences/{id}`.
    pub name: String,
    /// `officials/{id}`.
    pub official: String,
    /// First instant away.
    pub start_time: Timestamp,
    /// First instant back, as registered; [`Absence::interval`] says what became of it.
    pub end_time: Timestamp,
    /// B named for this absence; unset: the pair's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stand_in: Option<String>,
    /// Why, for example 赴省城开会.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Document or decision by which the mayor approved that A and B are away together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    /// When the roster learned of it.
    pub recorded_at: Timestamp,
    /// What was done to it since, in the order of recording.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<AbsenceChange>,
}

impl Absence {
    /// Registers an absence, decided against everything the book knows.
    ///
    /// Refused: an empty period, unknown officials, standing in for oneself, a time that overlaps
    /// another absence of the same official, and, unless approved, a time in which an official
    /// and the stand-in who would act are both away; the error shows each gap.
    pub fn create(
        book: &Book,
        registration: Registration,
        now: Timestamp,
    ) -> Result<RosterEvent, RosterError> {
        let Registration { name, official, start_time, end_time, stand_in, reason, approval } = registration;
        check_name("absences", &name)?;
        check_name("officials", &official)?;
        check_optional_name("officials", stand_in.as_deref())?;
        if end_time <= start_time {
            return Err(RosterError::PeriodEmpty { start: start_time, end: end_time });
        }
        if stand_in.as_ref() == Some(&official) {
            return Err(RosterError::OwnStandIn { official });
        }
        for person in std::iter::once(&official).chain(&stand_in) {
            if book.official(person).is_none() {
                return Err(RosterError::OfficialUnknown { text: person.clone() });
            }
        }
        if book.absence(&name).is_some() {
            return Err(RosterError::NameTaken { name });
        }
        let period = Interval { start: start_time, end: end_time };
        for other in book.absences_of(&official) {
            if let Some(known) = other.interval(Timestamp::MAX)
                && known.overlap(period).is_some()
            {
                let (start, end) = (known.start, known.end);
                return Err(RosterError::AbsenceOverlaps {
                    official,
                    existing: other.name.clone(),
                    start,
                    end,
                });
            }
        }
        let approval = approval.filter(|text| !text.trim().is_empty());
        if approval.is_none() {
            let gaps = gaps(book, &official, stand_in.as_deref(), period);
            if !gaps.is_empty() {
                return Err(RosterError::AwayTogether { gaps });
            }
        }
        Ok(RosterEvent::AbsenceCreated(Absence {
            name,
            official,
            start_time,
            end_time,
            stand_in,
            reason,
            approval,
            recorded_at: now,
            changes: Vec::new(),
        }))
    }

    /// The official is back (销假): the absence ends now. Only an active one can.
    pub fn end(&self, book: &Book, now: Timestamp) -> Result<RosterEvent, RosterError> {
        match self.state(now) {
            AbsenceState::Active => Ok(RosterEvent::AbsenceEnded(AbsenceEnded {
                absence: self.name.clone(),
                official: self.official.clone(),
                acting: acting_for(book, &self.official, now),
                start_time: self.start_time,
                end_time: now,
                early: true,
            })),
            state @ (AbsenceState::Planned | AbsenceState::Ended | AbsenceState::Cancelled) => {
                Err(RosterError::AbsenceNotActive { state })
            }
        }
    }

    /// The official does not leave after all. Only a planned absence can be cancelled.
    pub fn cancel(&self, now: Timestamp) -> Result<RosterEvent, RosterError> {
        match self.state(now) {
            AbsenceState::Planned => Ok(RosterEvent::AbsenceCancelled(AbsenceCancelled {
                absence: self.name.clone(),
                official: self.official.clone(),
                start_time: self.start_time,
                end_time: self.end_time,
            })),
            state @ (AbsenceState::Active | AbsenceState::Ended | AbsenceState::Cancelled) => {
                Err(RosterError::AbsenceNotPlanned { state })
            }
        }
    }

    /// What the timer at the start says. Nothing before the start or once cancelled; late, but
    /// the same, if the timer fires late.
    pub fn begin(&self, book: &Book, now: Timestamp) -> Option<RosterEvent> {
        let known = self.interval(Timestamp::MAX)?;
        (known.start <= now).then(|| {
            RosterEvent::AbsenceStarted(AbsenceStarted {
                absence: self.name.clone(),
                official: self.official.clone(),
                acting: acting_for(book, &self.official, known.start),
                start_time: known.start,
                end_time: known.end,
            })
        })
    }

    /// What the timer at the registered end says. Nothing before the end, once cancelled, or
    /// when the official came back early and that was said already.
    pub fn finish(&self, book: &Book, now: Timestamp) -> Option<RosterEvent> {
        let known = self.interval(Timestamp::MAX)?;
        (known.end == self.end_time && known.end <= now).then(|| {
            let last_instant = known.end.saturating_sub(Duration::from_micros(1));
            RosterEvent::AbsenceEnded(AbsenceEnded {
                absence: self.name.clone(),
                official: self.official.clone(),
                acting: acting_for(book, &self.official, last_instant),
                start_time: known.start,
                end_time: known.end,
                early: false,
            })
        })
    }

    /// Where it stands at an instant, by all that is known.
    pub fn state(&self, at: Timestamp) -> AbsenceState {
        match self.interval(Timestamp::MAX) {
            None => AbsenceState::Cancelled,
            Some(known) if at < known.start => AbsenceState::Planned,
            Some(known) if at < known.end => AbsenceState::Active,
            Some(_) => AbsenceState::Ended,
        }
    }

    /// When the official is away, as far as known at an instant: nothing when it was not yet
    /// registered, or was known to be cancelled.
    pub fn interval(&self, known_at: Timestamp) -> Option<Interval> {
        let registered = Interval { start: self.start_time, end: self.end_time };
        let known = self.changes.iter().filter(|change| change.recorded_at() <= known_at);
        (self.recorded_at <= known_at)
            .then(|| {
                known.copied().try_fold(registered, |interval, change| match change {
                    AbsenceChange::EndedEarly { end_time, .. } => {
                        Some(Interval { end: end_time.min(interval.end), ..interval })
                    }
                    AbsenceChange::Cancelled { .. } => None,
                })
            })
            .flatten()
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
