//! [`Desk`]: what everything that sends messages shares.

use std::sync::Arc;

use domain_calendar::{Calendar, Timestamp};
use domain_notification::ClimbRule;
use xietong_events::{Act, Event, EventLog};
use xietong_mesh::{Foundation, RosterCopy, RosterView, ServiceName, Transactions};
use xietong_timers::{Clock, MachineTime, Progress, Worker};

/// The log, the clock, the rules and the roster that recipients are resolved with.
pub(crate) struct Desk {
    pub(crate) log: EventLog,
    pub(crate) calendar: Calendar,
    pub(crate) rule: ClimbRule,
    clock: Clock,
    transactions: Transactions,
    roster: Arc<RosterCopy>,
}

/// Recipients cannot be resolved yet. The events stay and are tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotYet {
    /// The copy has never held everything.
    #[error("the copy of the roster is not complete yet")]
    Incomplete,
    /// The copy does not hold the event that is to be told of.
    #[error("the copy of the roster is at position {copy}, the event at {event}")]
    Behind {
        /// Where the copy is.
        copy: i64,
        /// Where the event is.
        event: i64,
    },
}

impl Desk {
    pub(crate) fn new(foundation: &Foundation, roster: Arc<RosterCopy>) -> Arc<Self> {
        Arc::new(Desk {
            log: foundation.log.clone(),
            calendar: Calendar::built_in(),
            rule: ClimbRule::default(),
            clock: foundation.clock.clone(),
            transactions: foundation.transactions.clone(),
            roster,
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

    /// The roster, holding whatever it recorded before `since`.
    ///
    /// Somebody may be registered as absent and be sent a task in the next breath: so a copy
    /// that was last confirmed earlier asks the roster first. A roster that cannot be reached
    /// holds up no message: what is known of it is then used. Only a copy that never held
    /// everything is not resolved with.
    pub(crate) async fn roster(&self, since: MachineTime) -> Result<RosterView, NotYet> {
        let current = |view: &RosterView| view.confirmed_at.is_some_and(|confirmed| confirmed >= since);
        let mut view = self.roster.view();
        while !current(&view) {
            match self.roster.turn().await {
                Ok(progress) => {
                    view = self.roster.view();
                    if progress == Progress::Idle {
                        break;
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "the roster cannot be asked; resolving with what is known of it");
                    break;
                }
            }
        }
        if view.confirmed_at.is_some() { Ok(view) } else { Err(NotYet::Incomplete) }
    }

    /// The roster, holding an event of its own log.
    pub(crate) async fn roster_holding(&self, event: &Event) -> Result<RosterView, NotYet> {
        let view = self.roster(event.recorded_at).await?;
        if view.position < event.position {
            return Err(NotYet::Behind { copy: view.position, event: event.position });
        }
        Ok(view)
    }
}
