//! [`OneTask`]: how a timer takes effect on one task.

use std::sync::Arc;

use domain_calendar::Timestamp;
use domain_supervision::{Context, TaskEvent};
use sea_orm::DatabaseTransaction;
use xietong_events::{Append, EventLog};
use xietong_mesh::{ServiceName, Transactions};
use xietong_timers::{FireError, schedule};

use crate::app::{catch_up, drafts, timers_after};
use crate::record::Record;
use crate::regulation::{Regulation, Regulations};
use crate::store;

/// Writes what timers do to one task each, as this service.
#[derive(Clone)]
pub(crate) struct OneTask {
    log: EventLog,
    transactions: Transactions,
    regulations: Arc<Regulations>,
}

/// A task on its way through a timer.
pub(super) struct Begun {
    before: Record,
    after: Record,
    events: Vec<TaskEvent>,
    now: Timestamp,
    pub(super) regulation: Arc<Regulation>,
}

impl OneTask {
    pub(crate) fn new(log: EventLog, transactions: Transactions, regulations: Arc<Regulations>) -> Self {
        OneTask { log, transactions, regulations }
    }

    /// Begins with what a task has yet to hear of its rule and calendar.
    pub(super) async fn begin(
        &self,
        tx: &DatabaseTransaction,
        before: Record,
        now: Timestamp,
    ) -> Result<Begun, FireError> {
        let regulation = self.regulations.knowing(tx, [&before]).await?;
        let mut after = before.clone();
        let events = catch_up(&mut after, &regulation, now).map_err(FireError::new)?;
        Ok(Begun { before, after, events, now, regulation })
    }

    /// Writes the task, its events on a ground, and the timers that follow.
    pub(super) async fn keep(
        &self,
        tx: &DatabaseTransaction,
        begun: Begun,
        ground: &str,
    ) -> Result<(), FireError> {
        let Begun { before, after, events, now, regulation } = begun;
        store::save(tx, &before.task, &after, &regulation, now).await?;
        let drafts = drafts(&events).map_err(FireError::new)?;
        let aggregate = before.task.name.clone();
        let append = Append { aggregate, expected_version: before.task.version, drafts };
        let act = self.transactions.own_act(ServiceName::Supervision.as_str(), ground, None);
        self.log.append(tx, &act, &[append]).await?;
        let follow = timers_after(&before.task, &after, &regulation).map_err(FireError::new)?;
        Ok(schedule(tx, &follow).await?)
    }
}

impl Begun {
    /// The task as it is by now.
    pub(super) fn record(&self) -> &Record {
        &self.after
    }

    /// What is decided of it with.
    pub(super) fn context(&self) -> Context<'_> {
        self.regulation.context(&self.after.task, self.now)
    }

    /// Takes what was decided.
    pub(super) fn apply(&mut self, events: Vec<TaskEvent>) -> Result<(), FireError> {
        self.after.apply(&events).map_err(FireError::new)?;
        self.events.extend(events);
        Ok(())
    }
}
