//! [`Due`]: gives each timer of this service to what it is for.

use async_trait::async_trait;
use domain_calendar::Timestamp;
use sea_orm::DatabaseTransaction;
use xietong_timers::{FireError, Timer, TimerHandler};

use super::{BulletinsDue, FiguresDue, InstructionsDue, StagesDue};
use crate::app::{BULLETIN_DUE, FIGURES_DUE, INSTRUCTION_DUE};

/// Every timer of this service: stages first, then instructions, figures and bulletins, of one batch
/// and one transaction.
pub(crate) struct Due {
    stages: StagesDue,
    instructions: InstructionsDue,
    figures: FiguresDue,
    bulletins: BulletinsDue,
}

impl Due {
    /// Timers of stages, of instructions, of figures and of bulletins.
    pub(crate) fn new(
        stages: StagesDue,
        instructions: InstructionsDue,
        figures: FiguresDue,
        bulletins: BulletinsDue,
    ) -> Self {
        Due { stages, instructions, figures, bulletins }
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
        let (instructions, others): (Vec<&Timer>, Vec<&Timer>) =
            timers.iter().partition(|timer| timer.kind == INSTRUCTION_DUE);
        let (figures, others): (Vec<&Timer>, Vec<&Timer>) =
            others.into_iter().partition(|timer| timer.kind == FIGURES_DUE);
        let (bulletins, stages): (Vec<&Timer>, Vec<&Timer>) =
            others.into_iter().partition(|timer| timer.kind == BULLETIN_DUE);
        if !stages.is_empty() {
            let stages: Vec<Timer> = stages.into_iter().cloned().collect();
            self.stages.fire(tx, &stages, now).await?;
        }
        self.instructions.fire(tx, &instructions, now).await?;
        self.figures.fire(tx, &figures, now).await?;
        self.bulletins.fire(tx, &bulletins, now).await
    }
}
