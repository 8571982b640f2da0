//! What is told of what happened: typed events of the producers become notices.

mod document;
mod handover;
mod inspection;
mod roster;
mod supervision;
mod workgroup;

pub use document::of_document;
pub use handover::of_handover;
pub use inspection::of_inspection;
pub use roster::of_roster;
pub use supervision::{Ended, Matter, ended_by, of_task};
pub use workgroup::of_workgroup;
