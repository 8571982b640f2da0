//! What the service does by itself.

mod handovers;
mod recounts;
mod searching;
mod stages_due;

pub(crate) use handovers::Handovers;
pub(crate) use recounts::Recounts;
pub(crate) use searching::Searching;
pub(crate) use stages_due::StagesDue;
