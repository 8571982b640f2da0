//! Working groups (议事协调机构): seats that follow the post, meetings and decisions; pure.
//!
//! - [`Group`] is the body with its [`Seat`]s; [`held_seats`] says who holds them at an
//!   instant, by the roster, and [`seats_that_follow`] which of them a new division moves.
//! - [`Subgroup`]s, [`Duty`] by duty and [`Mechanism`]s are what else its founding notice says.
//! - [`Meeting`] is where a group decides.
//! - [`Decision`] is the state machine of what was decided: followed in the group, or
//!   escalated into a task of supervision whose striking-off comes back.
//! - [`WorkgroupEvent`] is what happened, as the event log keeps it.
//!
//! Nothing here reads a clock, a file or a network.

mod decision;
mod duty;
mod error;
mod event;
mod group;
mod meeting;
mod names;
mod seat;
mod succession;

pub use decision::{Decision, DecisionAction, DecisionChange, DecisionCommand, DecisionPhase, DecisionState};
pub use duty::{Duty, Mechanism, Subgroup};
pub use error::WorkgroupError;
pub use event::{
    DecisionEvent, DecisionFacts, EVENT_TYPES, GroupFacts, MeetingFacts, MeetingHeld, PayloadError,
    WorkgroupEvent,
};
pub use group::{Group, GroupKind, Seat, SeatHolder, SeatRole, WindUp};
pub use meeting::Meeting;
pub use names::{check_decision_name, check_group_name, check_meeting_name, group_of, meeting_of};
pub use seat::{HeldSeat, held_seats};
pub use succession::{SeatChange, seats_that_follow};
