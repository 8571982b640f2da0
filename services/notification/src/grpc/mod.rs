//! The gRPC edge: decode, authorise, call, encode.

mod arrivals;
mod convert;
mod division_preview;
mod inbox;
mod inbox_list;

pub(crate) use division_preview::DivisionPreviews;
pub(crate) use inbox::InboxServer;
