//! [`Recounts`]: counts due times anew when a calendar was published.

use std::time::Duration;

use async_trait::async_trait;
use xietong_events::{Append, Bus, Subscription};
use xietong_mesh::{ServiceName, Transactions};
use xietong_timers::{Progress, Worker, WorkerError, schedule};

use crate::app::{Supervision, catch_up, drafts, timers_after};
use crate::store;

/// Covers every batch that the bus loses: they are only hints. A version of the rule that
/// another replica recorded is known here by then.
const POLL: Duration = Duration::from_secs(1);
/// Tasks in one transaction.
const BATCH: u64 = 200;

/// Every running task whose due times depend on the calendar is looked at once after each
/// publication, and written to with the version of the calendar; where a due time is another,
/// or is certain now, there is a record, the stored clocks are others and timers are placed.
/// Whoever changes a task first does the same ([`catch_up`]), so it does not matter when this
/// comes to it, nor how many replicas do this.
pub(crate) struct Recounts {
    name: String,
    app: Supervision,
    transactions: Transactions,
    subscription: Subscription,
}

impl Recounts {
    /// Works for `app`, woken by the roster's batches on `bus`.
    pub(crate) fn new(app: Supervision, transactions: Transactions, bus: &Bus) -> Self {
        Recounts {
            name: format!("{}/recounts", ServiceName::Supervision.as_str()),
            app,
            transactions,
            subscription: bus.subscribe(ServiceName::Roster.as_str()),
        }
    }
}

#[async_trait]
impl Worker for Recounts {
    fn name(&self) -> &str {
        &self.name
    }

    async fn turn(&self) -> Result<Progress, WorkerError> {
        let app = &self.app;
        let reader = app.db.reader();
        let regulation = app.regulations.current(reader).await.map_err(WorkerError::new)?;
        let version = regulation.calendar().version();
        let names = store::names_behind(reader, version, BATCH).await.map_err(WorkerError::new)?;
        if names.is_empty() {
            return Ok(Progress::Idle);
        }
        let act = self.transactions.own_act(
            ServiceName::Supervision.as_str(),
            &format!("工作日历第{version}版"),
            None,
        );
        let tx = app.db.begin().await.map_err(WorkerError::new)?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let records = store::find_all(&tx, &names).await.map_err(WorkerError::new)?;
        let (mut saved, mut appends, mut due) = (Vec::new(), Vec::new(), Vec::new());
        for mut record in records.into_values().filter(|record| regulation.is_behind(record)) {
            let before = record.task.clone();
            let events = catch_up(&mut record, &regulation, act.occurred_at).map_err(WorkerError::new)?;
            if !events.is_empty() {
                due.extend(timers_after(&before, &record, &regulation).map_err(WorkerError::new)?);
                let drafts = drafts(&events).map_err(WorkerError::new)?;
                appends.push(Append {
                    aggregate: before.name.clone(),
                    expected_version: before.version,
                    drafts,
                });
            }
            saved.push((before, record));
        }
        let saved: Vec<_> = saved.iter().map(|(before, after)| (before, after)).collect();
        store::save_all(&tx, &saved, &regulation, act.occurred_at).await.map_err(WorkerError::new)?;
        app.log.append(&tx, &act, &appends).await.map_err(WorkerError::new)?;
        schedule(&tx, &due).await.map_err(WorkerError::new)?;
        tx.commit().await.map_err(WorkerError::new)?;
        app.log.committed().poke();
        Ok(Progress::Worked)
    }

    async fn wait(&self) {
        self.subscription.wait(POLL).await;
        // Batches are only a hint here: the tables are read anyway.
        drop(self.subscription.take());
    }
}
