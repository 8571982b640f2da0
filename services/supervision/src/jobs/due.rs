//! [`Due`]: gives each timer of this service to what it is for.

use async_trait::async_trait;
use domain_calendar::Timestamp;
use sea_orm::DatabaseTransaction;
use xietong_timers::{FireError, Timer, TimerHandler};

use super::{InstructionsDue, StagesDue};
use crate::app::INSTRUCTION_DUE;

/// Every timer of this service: stages first, then instructions, of one batch and one transaction.
pub(crate) struct Due {
    stages: StagesDue,
    instructions: InstructionsDue,
}

impl Due {
    /// Timers of stages and of instructions.
    pub(crate) fn new(stages: StagesDue, instructions: InstructionsDue) -> Self {
        Due { stages, instructions }
    }
}

#[async_trait]
impl TimerHandler for Due {
    async fn fire(
        &self,
        tx: &DatabaseTransaction,
        timers: &[Timer],
        now: Timestamp,
    ) -> Result<(), FireError> {
        let (instructions, stages): (Vec<&Timer>, Vec<&Timer>) =
            timers.iter().partition(|timer| timer.kind == INSTRUCTION_DUE);
        if !stages.is_empty() {
            let stages: Vec<Timer> = stages.into_iter().cloned().collect();
            self.stages.fire(tx, &stages, now).await?;
        }
        self.instructions.fire(tx, &instructions, now).await
    }
}
