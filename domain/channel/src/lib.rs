//! Channels that reach officials where they are, e-mail and SMS or government messaging; pure.
//!
//! - [`Contact`] is where an official can be reached, [`EmailAddress`] and [`MobileNumber`] are what
//!   is accepted for it and how it is shown to others.
//! - [`not_before`] says whether a message also goes out on a channel, and from when on.
//! - [`Told`] and [`TakenBack`] are written as an e-mail or as a short text.
//! - [`SendingState`] is the life of one message on its way by one channel, [`Verdict`] what an
//!   attempt came to, [`answered`] what the answer of a receiver by HTTP comes to.
//! - [`Template`] and [`Seal`] write and sign what is sent to a messaging system by HTTP.
//! - [`Breaker`] gives a channel that fails a rest, [`Bucket`] keeps it within its rate.
//!
//! Nothing here reads a clock or a source of random numbers: both are given. When something may go
//! out is business time (`Timestamp`), when it is tried again is machine time (`Moment`).

mod address;
mod answer;
mod breaker;
mod contact;
mod hours;
mod rate;
mod seal;
mod sending;
mod template;
mod text;

pub use address::{AddressError, EmailAddress, MobileNumber};
pub use answer::answered;
pub use breaker::{Admission, Breaker, BreakerEvent, BreakerRules};
pub use contact::{By, Contact, Entry, Reached};
pub use hours::not_before;
pub use rate::{Bucket, Rate};
pub use seal::{Seal, SealAlgorithm, SealError};
pub use sending::{Purpose, SendingEvent, SendingState, Verdict, may_have_arrived, schedule};
pub use template::{Fields, Template, TemplateError};
pub use text::{SHORT, TakenBack, Text, Told, is_followed_up};
