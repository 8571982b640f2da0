//! The supervision service behind its own gRPC server, on SQLite and on PostgreSQL, with a
//! roster log served by a server of its own.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod archive;
mod attachments;
mod bulletin;
mod circumstance;
mod city;
mod clock;
mod comment;
mod cooperation;
mod delegation;
mod documents;
mod duplicates;
mod explain;
mod extension;
mod family;
mod handover;
mod idempotency;
mod inspection;
mod instruction;
mod instrument;
mod ledger;
mod life;
mod lights;
mod list_by_light;
mod lists;
mod mandate;
mod matters;
mod milestone;
mod papers;
mod permission;
mod pressing;
mod refusals;
mod regulation;
mod roster;
mod roster_away;
mod score_rules;
mod scoreboard;
mod search;
mod side_road;
mod stages_due;
mod target;
mod unit_draft;

/// Runs each of these tests on both back ends.
macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $test() { super::$test(crate::city::Store::Sqlite).await })*
        }
        mod postgres {
            $(#[tokio::test] async fn $test() { super::$test(crate::city::Store::Postgres).await })*
        }
    };
}
pub(crate) use on_both;
