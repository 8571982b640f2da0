//! [`StagesDue`]: what follows when a stage of an assignment is due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use domain_calendar::Timestamp;
use domain_supervision::{Task, TaskEvent, fire};
use sea_orm::DatabaseTransaction;
use xietong_events::{Append, EventLog};
use xietong_mesh::{ServiceName, Transactions};
use xietong_timers::{FireError, Timer, TimerHandler, schedule};

use crate::app::{DueStage, added_timers, drafts};
use crate::record::Record;
use crate::regulation::Regulation;
use crate::store;

/// Fires the deadline timers: a reminder while little time is left, urging for missed steps,
/// overdue for a missed settle date. Whether anything follows is the domain's decision; a
/// timer whose task moved on finds nothing to do.
pub(crate) struct StagesDue {
    log: EventLog,
    transactions: Transactions,
    regulation: Arc<Regulation>,
}

/// A task on its way through a batch of timers.
struct Touched {
    before: Task,
    after: Record,
    events: Vec<TaskEvent>,
}

impl StagesDue {
    /// Writes to `log`, as this service, on the ground of `regulation`.
    pub(crate) fn new(log: EventLog, transactions: Transactions, regulation: Arc<Regulation>) -> Self {
        StagesDue { log, transactions, regulation }
    }

    /// Lets each stage take effect on its task, in order.
    fn take_effect(
        &self,
        records: BTreeMap<String, Record>,
        due: &[DueStage],
        now: Timestamp,
    ) -> Result<Vec<Touched>, FireError> {
        let mut touched: BTreeMap<String, Touched> = records
            .into_iter()
            .map(|(name, record)| {
                (name, Touched { before: record.task.clone(), after: record, events: vec![] })
            })
            .collect();
        for stage in due {
            let Some(task) = touched.get_mut(&stage.task) else {
                tracing::warn!(task = stage.task, "a timer is for a task that does not exist");
                continue;
            };
            let assignment = task.after.task.assignment(&stage.assignment).map_err(FireError::new)?;
            let events = fire(&task.after.task, assignment, stage.kind, &self.regulation.context(now));
            task.after.apply(&events).map_err(FireError::new)?;
            task.events.extend(events);
        }
        Ok(touched.into_values().filter(|task| !task.events.is_empty()).collect())
    }
}

#[async_trait]
impl TimerHandler for StagesDue {
    async fn fire(
        &self,
        tx: &DatabaseTransaction,
        timers: &[Timer],
        now: Timestamp,
    ) -> Result<(), FireError> {
        let due: Vec<DueStage> = timers
            .iter()
            .map(|timer| serde_json::from_str(&timer.payload).map_err(FireError::new))
            .collect::<Result<_, _>>()?;
        let names: BTreeSet<&str> = due.iter().map(|stage| stage.task.as_str()).collect();
        let records = store::find_all(tx, &names.into_iter().collect::<Vec<_>>()).await?;
        let touched = self.take_effect(records, &due, now)?;

        let (mut appends, mut follow) = (Vec::with_capacity(touched.len()), Vec::new());
        for Touched { before, after, events } in &touched {
            store::save(tx, before, after, &self.regulation).await?;
            follow.extend(added_timers(before, &after.task, &self.regulation).map_err(FireError::new)?);
            let drafts = drafts(events).map_err(FireError::new)?;
            appends.push(Append { aggregate: before.name.clone(), expected_version: before.version, drafts });
        }
        let act =
            self.transactions.own_act(ServiceName::Supervision.as_str(), &self.regulation.ground(), None);
        self.log.append(tx, &act, &appends).await?;
        Ok(schedule(tx, &follow).await?)
    }
}
