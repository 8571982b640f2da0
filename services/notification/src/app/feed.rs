//! The change feed: what the other services recorded, in one order, for whoever may see it.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use domain_calendar::Timestamp;
use domain_notification::{FeedKind, feed_entry};
use domain_roster::{mandates_for, stands_in_for, units_of_leader, units_of_mandate};
use sea_orm::DatabaseTransaction;
use xietong_events::{ApplyError, Event, EventHandler};
use xietong_mesh::{Principal, RosterView, Scope, ServiceName};

use crate::store::{FeedScope, append_to_feed};

/// The name of the consumers that write the feed. They are apart from those that fill the
/// inboxes: their cursors begin at the start of each log, so that the feed of a mesh that is older
/// than it is holds everything, and nobody who fills an inbox waits for the feed's one counter.
pub(crate) const FEED_CONSUMER: &str = "notification/feed";

/// A breath in which more may come: each transaction takes the counter, and a page is as good
/// some milliseconds later.
const GATHER: Duration = Duration::from_millis(50);

/// Enters one producer's events into the feed.
pub(crate) struct FeedIntake {
    producer: ServiceName,
}

impl FeedIntake {
    pub(crate) fn new(producer: ServiceName) -> Self {
        FeedIntake { producer }
    }
}

#[async_trait]
impl EventHandler for FeedIntake {
    async fn apply(&self, tx: &DatabaseTransaction, events: &[Event]) -> Result<(), ApplyError> {
        let entry = |event: &Event| feed_entry(&event.event_type, &event.aggregate, &event.payload);
        let entries: Vec<_> =
            events.iter().filter_map(|event| entry(event).map(|entry| (event, entry))).collect();
        for (event, _) in entries.iter().filter(|(_, entry)| entry.kind == FeedKind::Unknown) {
            tracing::warn!(
                producer = self.producer.as_str(),
                position = event.position,
                event_type = event.event_type,
                "an event that cannot be read is in the feed for administration alone"
            );
        }
        append_to_feed(tx, self.producer.as_str(), entries).await?;
        Ok(())
    }

    fn gather(&self) -> Duration {
        GATHER
    }
}

/// What a principal may read of the feed at an instant, with the portfolios and mandates that the
/// copy of the roster knows: what he might read in the services themselves.
pub(crate) fn feed_scope(principal: &Principal, roster: &RosterView, now: Timestamp) -> FeedScope {
    FeedScope::of(principal, |scope| resolved(scope, roster, now))
}

fn resolved(scope: Scope, roster: &RosterView, now: Timestamp) -> Scope {
    let book = &roster.book;
    let led: BTreeSet<String> = scope
        .portfolio_of
        .iter()
        .flat_map(|leader| {
            let absent = stands_in_for(book, leader, now, Timestamp::MAX).into_values().flatten();
            absent.chain(units_of_leader(book, leader, now, Timestamp::MAX))
        })
        .collect();
    let mandates = scope.mandate_of.iter().flat_map(|holder| mandates_for(book, holder, scope.action, now));
    let mandated: BTreeSet<String> =
        mandates.flat_map(|mandate| units_of_mandate(book, mandate, now)).collect();
    scope.with_portfolio(led).with_mandated(mandated)
}
