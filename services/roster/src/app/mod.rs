//! Use cases: load, decide, save with the event, in one transaction.

mod absences;
mod acts;
mod calendars;
mod coverage;
mod directory;
mod divisions;
mod duty;
mod edit;
mod exchange;
mod mandates;
mod preview;
mod register;
mod resolve;
mod revise;
mod seed;
mod stand_in_lists;

use std::sync::Arc;

use domain_calendar::Timestamp;
use domain_roster::RosterEvent;
use prost::{Message, Name};
use sea_orm::DatabaseConnection;
use xietong_events::{Act, Event, EventLog};
use xietong_mesh::{Attempt, Call, Error, Foundation, Peers, ServiceName, Transaction, Transactions};
use xietong_store::Db;
use xietong_timers::Clock;

pub(crate) use absences::{
    AbsenceAct, Kept, etag as absence_etag, finish as finish_absence, is_stated, start as start_absence,
};
pub(crate) use acts::{Heard, hear};
pub(crate) use coverage::{aside, look_again};
pub(crate) use divisions::{Recorded, take_effect};
pub(crate) use duty::DutyAct;
pub(crate) use edit::Edit;
pub(crate) use exchange::Import;
pub(crate) use preview::Preview;
pub(crate) use register::{Register, Registers};
pub(crate) use resolve::{Answer, Question};
pub(crate) use revise::Revision;

/// What every use case works with. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) transactions: Transactions,
    pub(crate) log: EventLog,
    pub(crate) registers: Arc<Registers>,
    peers: Peers,
    clock: Clock,
    db: Db,
}

impl App {
    pub(crate) fn new(foundation: &Foundation) -> Self {
        App {
            transactions: foundation.transactions.clone(),
            log: foundation.log.clone(),
            registers: Arc::new(Registers::new(foundation.db.clone())),
            peers: foundation.peers.clone(),
            clock: foundation.clock.clone(),
            db: foundation.db.clone(),
        }
    }

    /// Begins the transaction of a command.
    pub(crate) async fn begin<M, R>(
        &self,
        call: &Call,
        request: &M,
        request_id: &str,
    ) -> Result<Attempt<R>, Error>
    where
        M: Message + Name,
        R: Message + Default,
    {
        self.transactions.begin(call, request, request_id).await
    }

    /// The roster with everything that was committed before.
    pub(crate) async fn current(&self) -> Result<Arc<Register>, Error> {
        Ok(self.registers.current().await?)
    }

    /// For what is not in the register.
    pub(crate) fn reader(&self) -> &DatabaseConnection {
        self.db.reader()
    }

    /// Business time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The act of a timer or a consumer in a write. `ground` names the aggregate, `cause` the
    /// event that led to it.
    pub(crate) fn own_act(&self, edit: &Edit<'_>, ground: &str, cause: Option<&Event>) -> Act {
        let act = self.transactions.own_act(ServiceName::Roster.as_str(), ground, cause);
        Act { occurred_at: edit.now(), ..act }
    }

    async fn edit<'t>(&self, transaction: &'t Transaction) -> Result<Edit<'t>, Error> {
        Edit::begin(&self.registers, transaction.tx(), || self.now()).await
    }
}

/// Records the events of one aggregate: its row, and the log.
async fn record(edit: &mut Edit<'_>, transaction: &Transaction, events: &[RosterEvent]) -> Result<(), Error> {
    let append = edit.record(events).await?;
    transaction.append_stamped(edit.stamp(), append.as_slice()).await?;
    Ok(())
}
