//! The roster's RPCs: decode, authorise, call the use case, encode.

mod absences;
mod convert;
mod directory;
mod exchange;
mod file;
mod listing;
mod revise;
mod roster;
mod stand_in_lists;

pub(crate) use directory::DirectoryHandlers;
pub(crate) use exchange::ExchangeHandlers;
pub(crate) use roster::RosterHandlers;
