//! The notification service between producers that only have logs, on both back ends.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions, not in what they share")]

mod bulletin;
mod burden;
mod channel;
mod channel_faults;
mod channel_message;
mod channel_recall;
mod city;
mod climbing;
mod concurrent;
mod contact;
mod delivery;
mod document;
mod endpoint;
mod feed;
mod feed_scope;
mod handover;
mod held;
mod inbox;
mod inbox_list;
mod instruction;
mod matter;
mod preference;
mod recall;
mod stream;
mod template;
mod webhook;
mod webhook_faults;
mod webhook_metrics;
mod webhook_python;
mod webhook_replicas;
mod webhook_trust;

/// Runs one test on SQLite and on PostgreSQL.
macro_rules! on_both_back_ends {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::city::Backend::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::city::Backend::Postgres).await;
            })+
        }
    };
}
pub(crate) use on_both_back_ends;
