//! [`FiguresDue`]: what follows when the figure of a target is due.

use std::sync::Arc;

use domain_calendar::Timestamp;
use domain_supervision::ask_for_figures;
use sea_orm::DatabaseTransaction;
use xietong_events::{Append, EventLog};
use xietong_mesh::{ServiceName, Transactions};
use xietong_timers::{FireError, Timer, schedule};

use crate::app::{DueFigures, catch_up, drafts, figures_timers, timers_after};
use crate::regulation::Regulations;
use crate::store;

/// Asks the source units of a task once for the figures that nobody has given.
pub(crate) struct FiguresDue {
    log: EventLog,
    transactions: Transactions,
    regulations: Arc<Regulations>,
}

impl FiguresDue {
    /// Writes to `log`, as this service, on the ground of the task's targets.
    pub(crate) fn new(log: EventLog, transactions: Transactions, regulations: Arc<Regulations>) -> Self {
        FiguresDue { log, transactions, regulations }
    }

    /// Lets the timers of figures take effect, each with its task.
    pub(crate) async fn fire(
        &self,
        tx: &DatabaseTransaction,
        timers: &[&Timer],
        now: Timestamp,
    ) -> Result<(), FireError> {
        for timer in timers {
            let due: DueFigures = serde_json::from_str(&timer.payload).map_err(FireError::new)?;
            let Some(before) = store::find(tx, &due.task).await? else {
                tracing::warn!(task = due.task, "a timer is for a task that does not exist");
                continue;
            };
            let regulation = self.regulations.knowing(tx, [&before]).await?;
            let mut after = before.clone();
            let mut events = catch_up(&mut after, &regulation, now).map_err(FireError::new)?;
            let asked = ask_for_figures(&after.task, &regulation.context(&after.task, now));
            if asked.is_empty() {
                // Nobody is asked at night: a timer that comes late comes again in the morning.
                let again = figures_timers(&after.task, &regulation, now).map_err(FireError::new)?;
                schedule(tx, &again).await?;
                continue;
            }
            after.apply(&asked).map_err(FireError::new)?;
            events.extend(asked);
            store::save(tx, &before.task, &after, &regulation, now).await?;
            let drafts = drafts(&events).map_err(FireError::new)?;
            let aggregate = before.task.name.clone();
            let append = Append { aggregate, expected_version: before.task.version, drafts };
            let act = self.transactions.own_act(ServiceName::Supervision.as_str(), &due.task, None);
            self.log.append(tx, &act, &[append]).await?;
            let follow = timers_after(&before.task, &after, &regulation).map_err(FireError::new)?;
            schedule(tx, &follow).await?;
        }
        Ok(())
    }
}
