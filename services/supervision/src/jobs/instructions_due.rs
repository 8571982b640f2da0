//! [`InstructionsDue`]: what follows when an instruction says by when, and that is now. Whoever is
//! not to be urged at this moment is looked at again.

use std::sync::Arc;

use domain_calendar::Timestamp;
use sea_orm::DatabaseTransaction;
use xietong_events::{Append, EventLog};
use xietong_mesh::{ServiceName, Transactions};
use xietong_timers::{FireError, Timer, schedule};

use crate::app::{DueInstruction, catch_up, drafts, instruction_timer, timers_after};
use crate::regulation::Regulations;
use crate::store;

/// Urges once whoever has not signed for an instruction, or has reported nothing since.
pub(crate) struct InstructionsDue {
    log: EventLog,
    transactions: Transactions,
    regulations: Arc<Regulations>,
}

impl InstructionsDue {
    /// Writes to `log`, as this service, on the ground of the instruction.
    pub(crate) fn new(log: EventLog, transactions: Transactions, regulations: Arc<Regulations>) -> Self {
        InstructionsDue { log, transactions, regulations }
    }

    /// Lets the timers of instructions take effect, each with its task.
    pub(crate) async fn fire(
        &self,
        tx: &DatabaseTransaction,
        timers: &[&Timer],
        now: Timestamp,
    ) -> Result<(), FireError> {
        for timer in timers {
            let due: DueInstruction = serde_json::from_str(&timer.payload).map_err(FireError::new)?;
            let found =
                (store::find_instruction(tx, &due.instruction).await?, store::find(tx, &due.task).await?);
            let (Some(mut instruction), Some(before)) = found else {
                tracing::warn!(task = due.task, "a timer is for an instruction that does not exist");
                continue;
            };
            let regulation = self.regulations.knowing(tx, [&before]).await?;
            let mut after = before.clone();
            let mut events = catch_up(&mut after, &regulation, now).map_err(FireError::new)?;
            let context = regulation.context(&after.task, now);
            let urged = instruction.fire(&after.task, &context);
            if let Some(urged) = &urged {
                instruction.apply(urged);
            }
            if let Some(at) = instruction.postponed(&after.task, &context) {
                let again = instruction_timer(&due.task, &due.instruction, at).map_err(FireError::new)?;
                schedule(tx, &[again]).await?;
            }
            let Some(urged) = urged else { continue };
            after.apply(std::slice::from_ref(&urged)).map_err(FireError::new)?;
            events.push(urged);
            store::save(tx, &before.task, &after, &regulation, now).await?;
            store::save_instruction(tx, &instruction).await?;
            let drafts = drafts(&events).map_err(FireError::new)?;
            let aggregate = before.task.name.clone();
            let append = Append { aggregate, expected_version: before.task.version, drafts };
            let act = self.transactions.own_act(ServiceName::Supervision.as_str(), &due.instruction, None);
            self.log.append(tx, &act, &[append]).await?;
            let follow = timers_after(&before.task, &after, &regulation).map_err(FireError::new)?;
            schedule(tx, &follow).await?;
        }
        Ok(())
    }
}
