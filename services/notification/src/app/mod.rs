//! Use cases: taking events in, climbing and summing up, reading and signing, telling other systems.

mod desk;
mod endpoint;
mod feed;
mod inbox;
mod intake;
mod known_roster;
mod outbox;
mod owner;
mod preference;
mod recall;
mod upward;
mod webhook;
mod webhook_metrics;

pub(crate) use desk::Desk;
pub(crate) use endpoint::{
    change, disable, enable, moment, register, remove, replay_one, replay_range, rotate_secret, to_change,
};
pub(crate) use feed::{FEED_CONSUMER, FeedIntake, feed_scope};
pub(crate) use inbox::{Mark, mark, read_all};
pub(crate) use intake::{RosterIntake, SupervisionIntake, WorkgroupIntake};
pub(crate) use owner::owners_scope;
pub(crate) use preference::change_preference;
pub(crate) use upward::Upward;
pub(crate) use webhook::{Message, NoTls, Spared, Webhooks};
