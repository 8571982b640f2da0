//! What the service does: load, decide by the domain, save with the events in one
//! transaction.

mod archive;
mod authority;
mod bulletins;
mod change;
mod comments;
mod create;
mod delegations;
mod duplicates;
mod explain;
mod family;
mod inspections;
mod instructions;
mod ledger;
mod matter_report;
mod matters;
mod papers;
mod read;
mod recount;
mod revise;
mod roster;
mod rules;
mod score_rules;
mod scoreboard;
mod sign;
mod timers;
mod unit_drafts;

pub(crate) use archive::Archive;
pub(crate) use bulletins::{AskedOfBulletin, BulletinView, Drafting, recorded, version_tag};
pub(crate) use change::{Asked, Change, Target};
pub(crate) use create::{Entering, Entry, How};
pub(crate) use delegations::{DelegationVerb, ToDelegate};
pub(crate) use inspections::{AskedOfInspection, ShownInspection, etag_of};
pub(crate) use instructions::{ToInstruct, Written, instruction_etag};
pub(crate) use ledger::{Counts, GroupBy, Summary, SummaryRow, unit_name};
pub(crate) use matter_report::ForMatter;
pub(crate) use matters::{MatterChange, SeenMatter, SeenProposal, etag as matter_etag};
pub(crate) use papers::{BULLETIN_TITLE, IssuedPaper, Particulars};
pub(crate) use read::{ListQuery, Listing};
pub(crate) use recount::{catch_up, timers_after};
pub(crate) use revise::Revision;
pub(crate) use rules::{Preview, left_out_because};
pub(crate) use score_rules::{ScorePreview, Scored};
pub(crate) use scoreboard::{Scoreboard, ScoredLine, Scoring};
pub(crate) use sign::{Answered, MOST_SIGNED, ToSign, ToUrge, ToVerify};
pub(crate) use timers::{
    BULLETIN_DUE, DueBulletin, DueFigures, DueInstruction, DueStage, FIGURES_DUE, INSTRUCTION_DUE,
    figures_timers, instruction_timer, timer,
};
pub(crate) use unit_drafts::{DraftVerb, ReleaseSetting};

use std::sync::Arc;

use domain_calendar::Timestamp;
use domain_supervision::TaskEvent;
use xietong_events::{Draft, EventLog};
use xietong_mesh::{Error, RosterCopy, RosterView};
use xietong_store::Db;
use xietong_timers::Clock;

use crate::error::unreadable;
use crate::regulation::{Regulation, Regulations};

/// The service's use cases and what they work with. Cloning is cheap.
#[derive(Clone)]
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
    pub(crate) regulations: Arc<Regulations>,
}

impl Supervision {
    /// Now, in business time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What clocks run by, as it was last read: it knows what every task runs by that was read
    /// before.
    pub(crate) fn regulation(&self) -> Arc<Regulation> {
        self.regulations.view()
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
