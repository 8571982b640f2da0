//! The gateway as a gRPC client of the services, and as a door for gRPC clients.

pub(crate) mod codec;
mod cut;
pub(crate) mod passthrough;
pub(crate) mod timeout;
pub(crate) mod upstream;
