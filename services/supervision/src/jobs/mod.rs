//! What the service does by itself.

mod stages_due;

pub(crate) use stages_due::StagesDue;
