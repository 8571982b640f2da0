//! [`FiguresDue`]: what follows when the figure of a target is due.

use domain_calendar::Timestamp;
use domain_supervision::ask_for_figures;
use sea_orm::DatabaseTransaction;
use xietong_timers::{FireError, Timer, schedule};

use super::OneTask;
use crate::app::{DueFigures, figures_timers};
use crate::store;

/// Asks the source units of a task once for the figures that nobody has given, on the ground of the
/// task's targets.
pub(crate) struct FiguresDue(pub(crate) OneTask);

impl FiguresDue {
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
            let mut begun = self.0.begin(tx, before, now).await?;
            let task = &begun.record().task;
            let asked = ask_for_figures(task, &begun.context());
            if asked.is_empty() {
                // Nobody is asked at night: a timer that comes late comes again in the morning.
                let again = figures_timers(task, &begun.regulation, now).map_err(FireError::new)?;
                schedule(tx, &again).await?;
                continue;
            }
            begun.apply(asked)?;
            self.0.keep(tx, begun, &due.task).await?;
        }
        Ok(())
    }
}
