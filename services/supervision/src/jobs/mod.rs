//! What the service does by itself.

mod bulletins_due;
mod due;
mod handovers;
mod instructions_due;
mod recounts;
mod searching;
mod stages_due;

pub(crate) use bulletins_due::BulletinsDue;
pub(crate) use due::Due;
pub(crate) use handovers::Handovers;
pub(crate) use instructions_due::InstructionsDue;
pub(crate) use recounts::Recounts;
pub(crate) use searching::Searching;
pub(crate) use stages_due::StagesDue;
