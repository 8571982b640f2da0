//! Sends one signed request to another system, and never into the mesh's own network.
//!
//! - [`Courier::send`] makes one attempt at a webhook, [`Courier::post`] at a request of another
//!   form, and says what came of it as an [`Outcome`]. It neither
//!   retries nor stores: when to try again is `domain/webhook`'s to say and the service's to keep.
//! - [`Resolver`] turns names into addresses. Whatever it answers, and whatever the URL says, each
//!   address is judged by `domain_webhook::AddressPolicy` where it is connected to and nowhere
//!   else, so that a name that changes its address gains nothing.
//!
//! Redirects are not followed, no proxy is taken from the environment, and of an answer's body the
//! first bytes are kept for the log.

mod connector;
mod courier;
mod failure;
mod outcome;
mod resolver;
mod roots;

pub use courier::{Courier, CourierSettings, Parcel, Post, Timeouts};
pub use outcome::{Answer, Outcome, Phase, Unreachable};
pub use resolver::{Resolver, SystemResolver};
pub use roots::{Roots, trusted_roots};
pub use rustls::pki_types::CertificateDer;
