//! Between the API's messages and the domain's records.

pub(super) mod absence;
pub(super) mod acting;
pub(super) mod answer;
pub(super) mod calendar;
pub(super) mod coverage;
pub(super) mod directory;
pub(super) mod division;
pub(super) mod duty;
pub(super) mod handover;
mod kinds;
pub(super) mod patch;
pub(super) mod stand_in_list;
