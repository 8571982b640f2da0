//! The gRPC edge: decode, authorise, call, encode.

mod arrivals;
mod convert;
mod convert_feed;
mod division_preview;
mod feed;
mod feed_stream;
mod inbox;

pub(crate) use division_preview::DivisionPreviews;
pub(crate) use feed::FeedServer;
pub(crate) use inbox::InboxServer;
