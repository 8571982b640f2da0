//! The tables of the service.
//!
//! Whoever writes takes rows in one order, so that nobody waits in a circle: ladders by id,
//! then inboxes by official, then the rest. Whoever writes the feed takes its counter and nothing of
//! these. Whoever takes an endpoint takes it before its deliveries, and both before inboxes. Sendings are
//! taken after the inbox of their message, or after the row of their channel, never after both. Whoever
//! sends takes templates last.

mod attempt;
mod burden;
mod channel;
mod concern;
mod contact;
mod delivery;
mod digest;
mod endpoint;
mod endpoint_counts;
mod feed;
mod feed_page;
mod feed_scope;
mod held;
mod inbox;
mod inbox_list;
mod ladder;
mod matter;
mod message;
mod preference;
mod sending;
mod template;

use sea_orm::Value;
use xietong_store::SqlMigration;

pub(crate) use attempt::{
    Replay, StoredAttempt, insert_attempt, insert_replay, last_attempts, move_replay, open_replays,
    positions_within,
};
pub(crate) use burden::{BurdenFilter, BurdenKey, BurdenRow, burden, burden_by_unit};
pub(crate) use channel::{channel_standing, locked_channel, save_channel};
pub(crate) use concern::{
    Concern, EndedAt, Recall, asked, copy_concerns, end_asks, insert_concerns, recall, to_recall, told_of,
};
pub(crate) use contact::{StoredContact, contact, contacts_of, save_contact};
pub(crate) use delivery::{
    Again, Claim, DELIVERY_STATES, StoredDelivery, claim_due, deliveries_before, end_claims, give_back,
    hold_deliveries, locked_delivery, make_out, next_due, release_deliveries, remove_delivery, save_delivery,
};
pub(crate) use digest::{PendingEntry, add_entries, drop_entries, take_entries};
pub(crate) use endpoint::{
    ENDPOINT_STANDINGS, EndpointWish, Patience, StoredEndpoint, endpoint, endpoints_after, endpoints_behind,
    endpoints_due, has_endpoints, insert_endpoint, locked_endpoint, move_endpoint, remove_endpoint,
    save_endpoint,
};
pub(crate) use endpoint_counts::{EndpointCounts, endpoint_counts};
pub(crate) use feed::append_to_feed;
pub(crate) use feed_page::{FeedFilter, StoredEntry, TypePattern, feed_after, feed_at, feed_head};
pub(crate) use feed_scope::FeedScope;
pub(crate) use held::{HeldRow, drop_held, hold, take_held};
pub(crate) use inbox::{Counters, Growth, aggregate_of, grow, official_of};
pub(crate) use inbox_list::{Archived, Counts, InboxFilter, Recalled, counts, messages_before};
pub(crate) use ladder::{
    LadderRow, climb, end_ladders, insert_ladders, ladders_of_message, link_messages, open_by_unit,
    open_ladders, standing, waited_for_last,
};
pub(crate) use matter::{load_matters, save_matters};
pub(crate) use message::{
    Burden, StoredMessage, any_message, arrived, insert_messages, message, messages_after, messages_changed,
    read_up_to, save_receipt, unread_up_to,
};

pub(crate) use preference::{
    StoredPreference, Waiting, preference, preferences_of, save_preference, take_waiting, wait,
};
pub(crate) use template::{
    Head, StoredVersion, held_template, insert_version, insert_words, mark_failed, move_template,
    template_version, template_versions_before, versions_in_use, words_of,
};

pub(crate) use sending::{
    StoredSending, claim_sendings, drop_follow_ups, end_sending_claims, has_due_sendings, insert_sendings,
    locked_notices, locked_sending, next_sending, save_sending, sendings_after, sendings_waiting,
};

/// Instants are business time in microseconds.
pub(crate) const MIGRATIONS: &[SqlMigration] = &[
    SqlMigration {
        name: "notification_0001_tables",
        statements: &[
            // `last_number` numbers the messages of an inbox, `version` its events.
            "CREATE TABLE inboxes (
            official TEXT PRIMARY KEY,
            last_number BIGINT NOT NULL,
            version BIGINT NOT NULL
        )",
            // `source` is what a message tells of: nobody is told twice of the same.
            "CREATE TABLE messages (
            id TEXT PRIMARY KEY,
            recipient TEXT NOT NULL,
            number BIGINT NOT NULL,
            source TEXT NOT NULL,
            kind TEXT NOT NULL,
            title TEXT NOT NULL,
            body TEXT NOT NULL,
            subject TEXT NOT NULL,
            capacity TEXT NOT NULL,
            acting_for TEXT,
            requires_acknowledgement BOOLEAN NOT NULL,
            sent_at BIGINT NOT NULL,
            read_at BIGINT,
            acknowledged_at BIGINT
        )",
            "CREATE UNIQUE INDEX messages_number ON messages (recipient, number)",
            "CREATE UNIQUE INDEX messages_source ON messages (source, recipient, kind)",
            "CREATE INDEX messages_unread ON messages (recipient, number) WHERE read_at IS NULL",
            // What is to be signed for: one ladder for each event and unit.
            "CREATE TABLE ladders (
            id TEXT PRIMARY KEY,
            subject TEXT NOT NULL,
            unit TEXT NOT NULL,
            decider TEXT NOT NULL,
            kind TEXT NOT NULL,
            rung TEXT NOT NULL,
            title TEXT NOT NULL,
            body TEXT NOT NULL,
            sent_at BIGINT NOT NULL,
            ended_at BIGINT
        )",
            "CREATE INDEX ladders_open ON ladders (subject, unit) WHERE ended_at IS NULL",
            "CREATE TABLE ladder_messages (
            message TEXT NOT NULL,
            ladder TEXT NOT NULL,
            PRIMARY KEY (message, ladder)
        )",
            "CREATE INDEX ladder_messages_ladder ON ladder_messages (ladder)",
            // What climbed to a leader and is not summed up yet.
            "CREATE TABLE digest_entries (
            official TEXT NOT NULL,
            due_at BIGINT NOT NULL,
            ladder TEXT NOT NULL,
            climbed_at BIGINT NOT NULL,
            PRIMARY KEY (official, due_at, ladder)
        )",
            // What must be remembered of issued tasks to tell of them.
            "CREATE TABLE matters (
            task TEXT PRIMARY KEY,
            lead_unit TEXT
        )",
        ],
    },
    SqlMigration {
        name: "notification_0002_documents",
        statements: &[
            // The tasks whose signing ends the ladder of a document.
            "CREATE TABLE ladder_tasks (
                task TEXT NOT NULL,
                ladder TEXT NOT NULL,
                PRIMARY KEY (task, ladder)
            )",
            "CREATE INDEX ladder_tasks_ladder ON ladder_tasks (ladder)",
        ],
    },
    SqlMigration {
        name: "notification_0003_held",
        statements: &[
            // What came about by itself at night or on a rest day, and is told when people work.
            "CREATE TABLE held_events (
                id TEXT PRIMARY KEY,
                producer TEXT NOT NULL,
                due_at BIGINT NOT NULL,
                subject TEXT NOT NULL,
                unit TEXT NOT NULL,
                kind TEXT NOT NULL,
                event TEXT NOT NULL
            )",
            "CREATE INDEX held_events_due ON held_events (due_at)",
            "CREATE INDEX held_events_subject ON held_events (subject)",
        ],
    },
    feed::FEED,
    inbox_list::ARCHIVE,
    preference::PREFERENCES,
    burden::CAUSES,
    concern::RECALL,
    endpoint::ENDPOINTS,
    template::TEMPLATES,
    sending::CHANNELS,
];

fn texts<'a>(values: impl IntoIterator<Item = &'a str>) -> Vec<Value> {
    values.into_iter().map(Value::from).collect()
}
