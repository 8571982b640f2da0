//! Use cases: taking events in, climbing and summing up, reading and signing, telling other systems
//! and officials where they are.

mod channel;
mod channel_meter;
mod channel_post;
mod city_words;
mod contact;
mod desk;
mod endpoint;
mod feed;
mod inbox;
mod intake;
mod known_roster;
mod messenger;
mod outbox;
mod owner;
mod preference;
mod recall;
mod template;
mod upward;
mod webhook;
mod webhook_metrics;

pub use channel::ChannelError;
pub(crate) use channel::{Channels, Way};
pub(crate) use contact::{Addresses, change_contact};
pub(crate) use desk::Desk;
pub(crate) use endpoint::{
    change, disable, enable, moment, register, remove, replay_one, replay_range, rotate_secret, to_change,
};
pub(crate) use feed::{FEED_CONSUMER, FeedIntake, feed_scope};
pub(crate) use inbox::{Mark, mark, read_all};
pub(crate) use intake::{RosterIntake, SupervisionIntake, WorkgroupIntake};
pub use messenger::MessengerError;
pub(crate) use owner::owners_scope;
pub(crate) use preference::change_preference;
pub(crate) use template::{WantedVersion, add_version};
pub(crate) use upward::Upward;
pub(crate) use webhook::{Message, NoTls, Spared, Webhooks};
