//! [`StagesDue`]: what follows when a stage of an assignment is due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use domain_calendar::Timestamp;
use domain_supervision::{Task, TaskEvent, fire, postponed};
use sea_orm::DatabaseTransaction;
use xietong_events::{Append, EventLog};
use xietong_mesh::{ServiceName, Transactions};
use xietong_timers::{FireError, Timer, TimerHandler, schedule};

use crate::app::{DueStage, catch_up, drafts, timer, timers_after};
use crate::record::Record;
use crate::regulation::{Regulation, Regulations};
use crate::store;

/// Fires the deadline timers: a reminder while little time is left, urging for missed steps,
/// overdue for a missed settle date. Whether anything follows is the domain's decision; a
/// timer whose task moved on finds nothing to do.
pub(crate) struct StagesDue {
    log: EventLog,
    transactions: Transactions,
    regulations: Arc<Regulations>,
}

/// A task on its way through a batch of timers.
struct Touched {
    before: Task,
    after: Record,
    events: Vec<TaskEvent>,
}

impl StagesDue {
    /// Writes to `log`, as this service, on the ground of the rules.
    pub(crate) fn new(log: EventLog, transactions: Transactions, regulations: Arc<Regulations>) -> Self {
        StagesDue { log, transactions, regulations }
    }

    /// Lets each stage take effect on its task, in order.
    fn take_effect(
        regulation: &Regulation,
        records: BTreeMap<String, Record>,
        due: &[DueStage],
        now: Timestamp,
    ) -> Result<(Vec<Touched>, Vec<Timer>), FireError> {
        let (mut touched, mut later) = (BTreeMap::new(), Vec::new());
        for (name, mut after) in records {
            let before = after.task.clone();
            let events = catch_up(&mut after, regulation, now).map_err(FireError::new)?;
            touched.insert(name, Touched { before, after, events });
        }
        for stage in due {
            let Some(task) = touched.get_mut(&stage.task) else {
                tracing::warn!(task = stage.task, "a timer is for a task that does not exist");
                continue;
            };
            let assignment = task.after.task.assignment(&stage.assignment).map_err(FireError::new)?;
            let context = regulation.context(&task.after.task, now);
            let events = fire(&task.after.task, assignment, stage.kind, &context);
            // Nobody is told now of what is ripe: the timer comes again when somebody is.
            if events.is_empty()
                && let Some(again) = postponed(&task.after.task, assignment, stage.kind, &context)
            {
                later.push(timer(&stage.task, &stage.assignment, again).map_err(FireError::new)?);
            }
            task.after.apply(&events).map_err(FireError::new)?;
            task.events.extend(events);
        }
        Ok((touched.into_values().filter(|task| !task.events.is_empty()).collect(), later))
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
        let regulation = self.regulations.knowing(tx, records.values()).await?;
        let (touched, mut follow) = Self::take_effect(&regulation, records, &due, now)?;

        let changes: Vec<_> = touched.iter().map(|one| (&one.before, &one.after)).collect();
        store::save_all(tx, &changes, &regulation, now).await?;
        let mut appends = Vec::with_capacity(touched.len());
        for Touched { before, after, events } in &touched {
            follow.extend(timers_after(before, after, &regulation).map_err(FireError::new)?);
            let drafts = drafts(events).map_err(FireError::new)?;
            appends.push(Append { aggregate: before.name.clone(), expected_version: before.version, drafts });
        }
        let ground = regulation.ground(touched.iter().map(|one| &one.before));
        let act = self.transactions.own_act(ServiceName::Supervision.as_str(), &ground, None);
        self.log.append(tx, &act, &appends).await?;
        Ok(schedule(tx, &follow).await?)
    }
}
