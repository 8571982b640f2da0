//! The roster's RPCs: decode, authorise, call the use case, encode.

mod convert;
mod directory;
mod listing;
mod roster;

pub(crate) use directory::DirectoryHandlers;
pub(crate) use roster::RosterHandlers;
