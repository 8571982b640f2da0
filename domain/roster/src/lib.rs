//! Who answers: units, collectives, officials, divisions of work (分工), AB pairs and absences.
//!
//! Pure: nothing here reads a clock, a file or a network. The roster service decides with it,
//! and every other service resolves locally with it over a copy of the roster.
//!
//! - [`Book`] is the roster in memory, built by applying [`RosterEvent`]s in log order.
//! - [`View`] is the book at one instant, as far as it was known at another.
//! - [`resolve()`] says who is accountable, who acts, and why.
//! - [`Absence`] is the state machine of an official's time away.
//! - [`duty_shifts()`] says who keeps watch when.
//! - [`calendar_entries`] says what a calendar program shows.
//! - [`coverage()`] says when something is unanswered for.
//!
//! Intervals are half-open. `known_at` is inclusive: what was recorded at that very
//! microsecond is known; `Timestamp::MAX` asks with all that is known.

mod absence;
mod absence_event;
mod account;
mod acting;
mod admission;
mod alarm;
mod belonging;
mod book;
mod calendar;
mod charge;
mod collective;
mod coverage;
mod division;
mod duty;
mod error;
mod event;
mod gap;
mod handover;
mod interval;
mod lookup;
mod mandate;
mod moments;
mod names;
mod official;
mod post;
mod published_calendar;
mod resolution;
mod resolve;
mod scope;
mod sheet;
mod stand_in;
mod stand_in_list;
mod trace;
mod unit;
mod view;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod properties;

pub use absence::{Absence, AbsenceChange, AbsenceState, Registration, Share, Stated};
pub use absence_event::{
    AbsenceAcknowledged, AbsenceActingChanged, AbsenceActs, AbsenceCancelled, AbsenceCorrected, AbsenceEnded,
    AbsenceExtended, AbsenceStarted, ActEntry, ActsTold,
};
pub use account::{Account, LARGEST_ACCOUNT, Role, RoleBinding, RoleNeed};
pub use acting::{
    ActingPart, Authority, absence_of_authority, acting_change, acting_ground, acting_parts, authorities,
    authorities_at, authority_in_ground, authority_over, next_acting_change,
};
pub use admission::{
    admit_account, admit_collective, admit_collective_change, admit_division, admit_official,
    admit_official_change, admit_unit, admit_unit_change,
};
pub use alarm::{Alarm, GapChanged, GapFacts, HORIZON_DAYS, alarm};
pub use belonging::{is_leader, units_served};
pub use book::{Book, Version};
pub use calendar::{CalendarEntry, Feed, calendar_entries};
pub use collective::Collective;
pub use coverage::{CoverageGap, GapCause, coverage};
pub use division::{
    ClassDuty, Division, Exclusion, Fallback, FieldDuty, Portfolio, Relation, StandInPair, UnitDuty,
};
pub use duty::{
    DutyRoster, DutyShift, DutySwap, DutyTeam, admit_duty_change, admit_duty_roster, admit_duty_swap,
    duty_gaps, duty_shifts,
};
pub use error::{Candidate, RosterError};
pub use event::{Changed, DivisionTookEffect, MandateRevoked, PayloadError, RosterEvent};
pub use gap::Gap;
pub use handover::{Changes, FieldHandover, Handover, changes, took_effect};
pub use interval::Interval;
pub use lookup::Lookup;
pub use mandate::{
    Mandate, MandateKind, admit_mandate, mandate_ground, mandate_in_ground, mandates_for, units_of_mandate,
};
pub use names::normalise;
pub use official::{Official, Post, PostKind};
pub use published_calendar::{PublishedCalendar, admit_calendar};
pub use resolution::{Outcome, Person, Resolution, Rule, Step};
pub use resolve::{Subject, Who, resolve, stands_in_for, units_of_leader, who};
pub use scope::Scope;
pub use sheet::{Sheet, SheetFault, SheetPlan, read_sheet, write_sheet};
pub use stand_in_list::{StandInList, admit_stand_in_list};
pub use unit::{Unit, UnitKind};
pub use view::View;
