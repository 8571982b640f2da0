//! [`Desk`]: what everything that sends messages shares.

use std::sync::Arc;

use domain_calendar::Timestamp;
use domain_notification::ClimbRule;
use xietong_events::{Act, Event, EventLog};
use xietong_mesh::{Foundation, RosterCopy, ServiceName, Transactions};
use xietong_timers::Clock;

use super::channel::ChannelPlan;
use super::city_words::TemplateShelf;
use super::known_roster::KnownRoster;

/// The log, the clock, the rules, the channels, the roster that recipients are resolved with, and the
/// words of the city.
pub(crate) struct Desk {
    pub(crate) log: EventLog,
    pub(crate) rule: ClimbRule,
    pub(crate) roster: KnownRoster,
    pub(crate) channels: ChannelPlan,
    pub(crate) templates: TemplateShelf,
    clock: Clock,
    transactions: Transactions,
}

impl Desk {
    pub(crate) fn new(foundation: &Foundation, copy: Arc<RosterCopy>, channels: ChannelPlan) -> Arc<Self> {
        Arc::new(Desk {
            log: foundation.log.clone(),
            rule: ClimbRule::default(),
            roster: KnownRoster::new(copy),
            channels,
            templates: TemplateShelf::default(),
            clock: foundation.clock.clone(),
            transactions: foundation.transactions.clone(),
        })
    }

    /// The moment of sending.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The service's own act at `now`, on a ground, caused by an event if there is one.
    pub(crate) fn act(&self, now: Timestamp, ground: &str, cause: Option<&Event>) -> Act {
        let act = self.transactions.own_act(ServiceName::Notification.as_str(), ground, cause);
        Act { occurred_at: now, ..act }
    }
}
