//! What is told of what happened: typed events of the producers become notices.

mod bulletin;
mod document;
mod handover;
mod inspection;
mod matter;
mod roster;
mod supervision;
mod word;
mod workgroup;

pub use bulletin::of_bulletin;
pub use document::of_document;
pub use handover::of_handover;
pub use inspection::of_inspection;
pub use matter::of_matter_report;
pub use roster::of_roster;
pub use supervision::{Matter, ended_by, of_task};
pub use word::{of_comment, of_delegation, of_draft};
pub use workgroup::of_workgroup;
