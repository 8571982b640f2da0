//! Use cases: taking events in, climbing and summing up, reading and signing.

mod desk;
mod feed;
mod inbox;
mod intake;
mod known_roster;
mod outbox;
mod preference;
mod recall;
mod upward;

pub(crate) use desk::Desk;
pub(crate) use feed::{FEED_CONSUMER, FeedIntake, feed_scope};
pub(crate) use inbox::{acknowledge, archive, read, read_all, unarchive};
pub(crate) use intake::{RosterIntake, SupervisionIntake, WorkgroupIntake};
pub(crate) use preference::change_preference;
pub(crate) use upward::Upward;
