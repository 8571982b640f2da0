//! The roster's RPCs: decode, authorise, call the use case, encode.

mod absences;
mod acting;
mod calendar;
mod convert;
mod directory;
mod duty;
mod exchange;
mod file;
mod listing;
mod mandates;
mod revise;
mod roster;
mod stand_in_lists;
mod year_calendars;

pub(crate) use acting::ActingHandlers;
pub(crate) use calendar::CalendarHandlers;
pub(crate) use directory::DirectoryHandlers;
pub(crate) use duty::DutyHandlers;
pub(crate) use exchange::ExchangeHandlers;
pub(crate) use mandates::MandateHandlers;
pub(crate) use roster::RosterHandlers;
pub(crate) use year_calendars::YearCalendarHandlers;
