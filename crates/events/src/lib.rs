//! One append-only event log per service: outbox, timeline, audit trail and change feed.
//!
//! An event is written in the transaction of its effect ([`EventLog::append`]). One
//! [`Sequencer`] per database gives committed events a dense position, so that a late
//! commit is never skipped. The [`Bus`] is a fast path that may lose, repeat and reorder.
//! A [`Consumer`] applies position after position, keeps its cursor in its own database in
//! the transaction of its effects, and fetches whatever the bus lost from the producer.

mod bus;
mod consumer;
mod cursor;
mod event;
mod log;
mod sequencer;

pub use bus::{Batch, Bus, BusError, Subscription};
pub use consumer::{ApplyError, Consumer, ConsumerParts, EventHandler, EventSource, LogPage, SourceError};
pub use event::{Act, ChainError, Digest, Draft, Event, verify_chain};
pub use log::{Append, Epoch, EventLog};
pub use sequencer::Sequencer;

use xietong_store::SqlMigration;

/// The tables of the log and of the consumers.
pub const MIGRATIONS: &[SqlMigration] = &[
    SqlMigration {
        name: "events_0001_log",
        statements: &[
            "CREATE TABLE events (
                entry {serial},
                id TEXT NOT NULL,
                position BIGINT,
                aggregate TEXT NOT NULL,
                version BIGINT NOT NULL,
                type TEXT NOT NULL,
                actor TEXT NOT NULL,
                acting_for TEXT,
                ground TEXT,
                occurred_at BIGINT NOT NULL,
                recorded_at BIGINT NOT NULL,
                traceparent TEXT,
                causation_id TEXT,
                payload TEXT NOT NULL,
                prev_hash {blob} NOT NULL,
                hash {blob} NOT NULL
            )",
            "CREATE UNIQUE INDEX events_aggregate ON events (aggregate, version)",
            "CREATE UNIQUE INDEX events_position ON events (position) WHERE position IS NOT NULL",
            "CREATE INDEX events_unsequenced ON events (entry) WHERE position IS NULL",
            "CREATE TABLE event_epochs (
                ordinal BIGINT PRIMARY KEY,
                epoch TEXT NOT NULL UNIQUE,
                after_position BIGINT NOT NULL
            )",
        ],
    },
    SqlMigration {
        name: "events_0002_cursors",
        statements: &["CREATE TABLE consumer_cursors (
            consumer TEXT NOT NULL,
            producer TEXT NOT NULL,
            epoch TEXT NOT NULL,
            position BIGINT NOT NULL,
            holder TEXT NOT NULL,
            lease_until BIGINT NOT NULL,
            PRIMARY KEY (consumer, producer)
        )"],
    },
];
