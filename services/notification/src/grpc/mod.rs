//! The gRPC edge: decode, authorise, call, encode.

mod arrivals;
mod burden;
mod convert;
mod division_preview;
mod inbox;
mod inbox_list;
mod preference;

pub(crate) use burden::BurdenServer;
pub(crate) use division_preview::DivisionPreviews;
pub(crate) use inbox::InboxServer;
pub(crate) use preference::PreferenceServer;
