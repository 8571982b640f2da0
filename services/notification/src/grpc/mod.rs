//! The gRPC edge: decode, authorise, call, encode.

mod arrivals;
mod burden;
mod contact;
mod convert;
mod convert_endpoint;
mod convert_feed;
mod convert_template;
mod division_preview;
mod endpoint;
mod feed;
mod feed_stream;
mod inbox;
mod inbox_list;
mod preference;
mod sending;
mod template;

pub(crate) use burden::BurdenServer;
pub(crate) use contact::ContactServer;
pub(crate) use division_preview::DivisionPreviews;
pub(crate) use endpoint::EndpointServer;
pub(crate) use feed::FeedServer;
pub(crate) use inbox::InboxServer;
pub(crate) use preference::PreferenceServer;
pub(crate) use sending::SendingServer;
pub(crate) use template::TemplateServer;
