//! Webhooks to other systems: what is sent, where to, when, and in what order; pure.
//!
//! - [`Secret`], [`Keyring`] and [`verify`] are the signatures of Standard Webhooks 1.0.0, with a
//!   second one by SM3 for receivers that need it.
//! - [`cloud_event`] writes an event as the body of a request, [`EventFilter`] says which are sent.
//! - [`Target`] and [`AddressPolicy`] say where requests may go: never into the mesh's own network.
//! - [`Meaning`] is what an answer says, [`Schedule`] when the next attempt is due,
//!   [`DeliveryState`] the life of one delivery and [`EndpointState`] that of an endpoint.
//! - [`Lanes`] shares a fixed number of requests among endpoints, so that none holds up the others.
//!
//! Nothing here reads a clock or a source of random numbers: both are given. Instants are machine
//! time ([`Moment`]), for deliveries are no business of the city's calendar.

mod address;
mod answer;
mod cloud_event;
mod delivery;
mod endpoint;
mod filter;
mod keyring;
mod lanes;
mod moment;
mod schedule;
mod secret;
mod signature;
mod target;

pub use address::{AddressKind, AddressPolicy, AddressRefusal, NetworkError, Scheme, address_kind};
pub use answer::{Meaning, retry_after};
pub use cloud_event::{CloudEvent, MEDIA_TYPE, cloud_event};
pub use delivery::{DeliveryEvent, DeliveryState, Round};
pub use endpoint::{Change, DisabledBy, EndpointEvent, EndpointRules, EndpointState, Outage};
pub use filter::{EventFilter, EventFilterError};
pub use keyring::{Keyring, KeyringError, Retiring};
pub use lanes::{Finish, Lanes, Limits, Ticket};
pub use moment::Moment;
pub use schedule::{Jitter, Schedule};
pub use secret::{Secret, SecretError};
pub use signature::{
    Algorithm, ID_HEADER, MessageId, MessageIdError, Received, SIGNATURE_HEADER, SM3_SIGNATURE_HEADER,
    SignedHeaders, TIMESTAMP_HEADER, VerificationError, verify,
};
pub use target::{Target, TargetError};
