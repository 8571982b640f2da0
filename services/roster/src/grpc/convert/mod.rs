//! Between the API's messages and the domain's records.

pub(super) mod directory;
mod kinds;
pub(super) mod roster;
