//! The gRPC edge: decode, authorise, call, encode.

mod arrivals;
mod convert;
mod inbox;

pub(crate) use inbox::InboxServer;
