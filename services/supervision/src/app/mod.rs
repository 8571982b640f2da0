//! What the service does: load, decide by the domain, save with the events in one
//! transaction.

mod authority;
mod change;
mod create;
mod read;
mod revise;
mod roster;
mod sign;
mod timers;

pub(crate) use change::{Asked, Change, Target};
pub(crate) use create::{Entering, Entry};
pub(crate) use read::ListQuery;
pub(crate) use revise::Revision;
pub(crate) use sign::{Answered, MOST_SIGNED, ToSign, ToUrge};
pub(crate) use timers::{DueStage, added as added_timers};

use std::sync::Arc;

use domain_calendar::Timestamp;
use domain_supervision::TaskEvent;
use xietong_events::{Draft, EventLog};
use xietong_mesh::{Error, RosterCopy, RosterView};
use xietong_store::Db;
use xietong_timers::Clock;

use crate::error::unreadable;
use crate::regulation::Regulation;

/// The service's use cases and what they work with.
pub(crate) struct Supervision {
    /// Its database.
    pub(crate) db: Db,
    /// Business time.
    pub(crate) clock: Clock,
    /// Its event log.
    pub(crate) log: EventLog,
    /// Its copy of the roster.
    pub(crate) roster: Arc<RosterCopy>,
    /// What clocks run by.
    pub(crate) regulation: Arc<Regulation>,
}

impl Supervision {
    /// Now, in business time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The roster as this service knows it. UNAVAILABLE until the copy has held everything
    /// once: half a roster gives wrong answers.
    pub(crate) fn roster(&self) -> Result<RosterView, Error> {
        if self.roster.is_complete() {
            Ok(self.roster.view())
        } else {
            Err(Error::unavailable("the copy of the roster"))
        }
    }
}

/// Events as the log takes them.
pub(crate) fn drafts(events: &[TaskEvent]) -> Result<Vec<Draft>, Error> {
    events
        .iter()
        .map(|event| {
            let payload = event.to_payload().map_err(unreadable)?.to_string();
            Ok(Draft { event_type: event.event_type().to_owned(), payload })
        })
        .collect()
}
