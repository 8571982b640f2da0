//! What the service does by itself.

mod bulletins_due;
mod due;
mod figures_due;
mod handovers;
mod instructions_due;
mod likeness_refill;
mod one_task;
mod recounts;
mod searching;
mod stages_due;

pub(crate) use bulletins_due::BulletinsDue;
pub(crate) use due::Due;
pub(crate) use figures_due::FiguresDue;
pub(crate) use handovers::Handovers;
pub(crate) use instructions_due::InstructionsDue;
pub(crate) use likeness_refill::LikenessRefill;
pub(crate) use one_task::OneTask;
pub(crate) use recounts::Recounts;
pub(crate) use searching::Searching;
pub(crate) use stages_due::StagesDue;
