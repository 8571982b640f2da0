//! [`InstructionsDue`]: what follows when an instruction says by when, and that is now. Whoever is
//! not to be urged at this moment is looked at again.

use domain_calendar::Timestamp;
use sea_orm::DatabaseTransaction;
use xietong_timers::{FireError, Timer, schedule};

use super::OneTask;
use crate::app::{DueInstruction, instruction_timer};
use crate::store;

/// Urges once whoever has not signed for an instruction, or has reported nothing since, on the ground
/// of the instruction.
pub(crate) struct InstructionsDue(pub(crate) OneTask);

impl InstructionsDue {
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
            let mut begun = self.0.begin(tx, before, now).await?;
            let task = &begun.record().task;
            let urged = instruction.fire(task, &begun.context());
            if let Some(urged) = &urged {
                instruction.apply(urged);
            }
            if let Some(at) = instruction.postponed(task, &begun.context()) {
                let again = instruction_timer(&due.task, &due.instruction, at).map_err(FireError::new)?;
                schedule(tx, &[again]).await?;
            }
            let Some(urged) = urged else { continue };
            begun.apply(vec![urged])?;
            store::save_instruction(tx, &instruction).await?;
            self.0.keep(tx, begun, &due.instruction).await?;
        }
        Ok(())
    }
}
