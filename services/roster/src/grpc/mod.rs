//! The roster's RPCs: decode, authorise, call the use case, encode.

mod absences;
mod calendar;
mod convert;
mod directory;
mod duty;
mod listing;
mod revise;
mod roster;
mod stand_in_lists;

pub(crate) use calendar::CalendarHandlers;
pub(crate) use directory::DirectoryHandlers;
pub(crate) use duty::DutyHandlers;
pub(crate) use roster::RosterHandlers;
