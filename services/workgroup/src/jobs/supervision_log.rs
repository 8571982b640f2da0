//! Follows supervision's log for what became of the tasks that decisions were escalated to.

use std::time::Duration;

use async_trait::async_trait;
use domain_supervision::{TaskChange, TaskEvent};
use domain_workgroup::DecisionCommand;
use sea_orm::DatabaseTransaction;
use xietong_events::{ApplyError, Event, EventHandler, EventLog};
use xietong_mesh::{Foundation, ServiceName, Transactions};

use crate::app::decision::advance;
use crate::error::Failure;
use crate::store::decisions;

/// Of what is said of tasks, that which [`news`] is made of.
const ENDS: [&str; 2] = ["supervision.task.struck_off", "supervision.task.withdrawn"];

/// The end of a task stands in its group a moment later: of a busy ledger many events are gone
/// through at once.
const GATHER: Duration = Duration::from_millis(200);

/// Settles and withdraws decisions with their tasks.
pub(crate) struct SupervisionLog {
    log: EventLog,
    transactions: Transactions,
}

impl SupervisionLog {
    pub(crate) fn new(foundation: &Foundation) -> Self {
        SupervisionLog { log: foundation.log.clone(), transactions: foundation.transactions.clone() }
    }

    async fn take_in(&self, tx: &DatabaseTransaction, event: &Event) -> Result<(), ApplyError> {
        let Some((origin, command)) = news(event)? else { return Ok(()) };
        // An origin can be another service's record, or one of a group before a restore.
        let Some(decision) = decisions::find(tx, &origin).await? else { return Ok(()) };
        let service = ServiceName::Workgroup.as_str();
        let act = self.transactions.own_act(service, &event.aggregate, Some(event));
        match advance(tx, decision, &command, act.occurred_at).await {
            Ok((_, append)) => {
                self.log.append(tx, &act, append.as_slice()).await?;
                Ok(())
            }
            // It will not become possible by waiting, and must not hold up what follows.
            Err(Failure::Refused(refusal)) => {
                tracing::warn!(decision = origin, event = event.id, %refusal, "the task's end does not fit");
                Ok(())
            }
            Err(failure @ (Failure::Store(_) | Failure::Payload(_))) => Err(ApplyError::new(failure)),
        }
    }
}

#[async_trait]
impl EventHandler for SupervisionLog {
    async fn apply(&self, tx: &DatabaseTransaction, events: &[Event]) -> Result<(), ApplyError> {
        // Of a busy ledger next to none says anything of an end: the others are not even read.
        for event in events.iter().filter(|event| ENDS.contains(&event.event_type.as_str())) {
            self.take_in(tx, event).await?;
        }
        Ok(())
    }

    fn gather(&self) -> Duration {
        GATHER
    }
}

/// What an event means to the record its task was escalated from, and which record that is.
fn news(event: &Event) -> Result<Option<(String, DecisionCommand)>, ApplyError> {
    let payload = serde_json::from_str(&event.payload).map_err(ApplyError::new)?;
    let read = TaskEvent::from_payload(&event.event_type, &payload).map_err(ApplyError::new)?;
    let Some(TaskEvent::Task(happened)) = read else { return Ok(None) };
    let Some(origin) = happened.task.origin else { return Ok(None) };
    let task = happened.task.name;
    Ok(match happened.change {
        TaskChange::StruckOff { completed_at, .. } => {
            Some((origin, DecisionCommand::Settle { task, settle_time: completed_at }))
        }
        TaskChange::Withdrawn { ground, .. } => Some((origin, DecisionCommand::Withdraw { task, ground })),
        // What was decided was settled then; the task says what a recheck found since.
        TaskChange::Circumstance { .. }
        | TaskChange::Reopened { .. }
        | TaskChange::Created { .. }
        | TaskChange::Issued { .. }
        | TaskChange::Backfilled { .. }
        | TaskChange::Revised { .. }
        | TaskChange::Rebased { .. }
        | TaskChange::JoinedMatter { .. }
        | TaskChange::LeftMatter { .. }
        | TaskChange::Instructed { .. }
        | TaskChange::InstructionSigned { .. }
        | TaskChange::InstructionDue { .. }
        | TaskChange::Figure(_)
        | TaskChange::CooperatingAdded { .. } => None,
    })
}
