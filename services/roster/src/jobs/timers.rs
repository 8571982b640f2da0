//! Moments at which something in the roster comes about by itself.

use async_trait::async_trait;
use domain_calendar::Timestamp;
use sea_orm::DatabaseTransaction;
use xietong_timers::{FireError, Timer, TimerHandler};

use crate::app::{App, Edit, finish_absence, look_again, start_absence, take_effect};

/// What comes about. The timer's key is the resource name of the record it happens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimerKind {
    DivisionTakesEffect,
    AbsenceStarts,
    AbsenceEnds,
    /// A gap in coverage comes within reach, or others act from now on.
    CoverageIsDue,
}

impl TimerKind {
    const ALL: [TimerKind; 4] = [
        TimerKind::DivisionTakesEffect,
        TimerKind::AbsenceStarts,
        TimerKind::AbsenceEnds,
        TimerKind::CoverageIsDue,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            TimerKind::DivisionTakesEffect => "roster.division.take_effect",
            TimerKind::AbsenceStarts => "roster.absence.start",
            TimerKind::AbsenceEnds => "roster.absence.end",
            TimerKind::CoverageIsDue => "roster.coverage.due",
        }
    }

    /// The timer of a record; one of the past is due at once.
    pub(crate) fn timer(self, record: &str, due_at: Timestamp) -> Timer {
        Timer { kind: self.as_str().to_owned(), key: record.to_owned(), due_at, payload: "{}".to_owned() }
    }

    fn read(kind: &str) -> Result<Self, UnknownTimer> {
        TimerKind::ALL
            .into_iter()
            .find(|known| known.as_str() == kind)
            .ok_or_else(|| UnknownTimer { kind: kind.to_owned() })
    }
}

/// A timer that this version does not know: a newer one scheduled it, and will fire it.
#[derive(Debug, thiserror::Error)]
#[error("no timer of the roster is of kind {kind}")]
struct UnknownTimer {
    kind: String,
}

/// Fires the roster's timers.
pub(crate) struct RosterTimers {
    app: App,
}

impl RosterTimers {
    pub(crate) fn new(app: App) -> Self {
        RosterTimers { app }
    }
}

#[async_trait]
impl TimerHandler for RosterTimers {
    async fn fire(
        &self,
        tx: &DatabaseTransaction,
        timers: &[Timer],
        now: Timestamp,
    ) -> Result<(), FireError> {
        let mut edit = Edit::begin(&self.app.registers, tx, || now).await.map_err(FireError::new)?;
        // Told before an absence says that nobody acts.
        let next = self.app.tell(tx, &mut edit).await.map_err(FireError::new)?;
        for timer in timers {
            let append = match TimerKind::read(&timer.kind).map_err(FireError::new)? {
                TimerKind::DivisionTakesEffect => take_effect(&mut edit, &timer.key).await,
                TimerKind::AbsenceStarts => start_absence(&mut edit, &timer.key).await,
                TimerKind::AbsenceEnds => finish_absence(&mut edit, &timer.key).await,
                TimerKind::CoverageIsDue => look_again(tx, next).await.map(|()| None),
            };
            if let Some(append) = append.map_err(FireError::new)? {
                let act = self.app.own_act(&edit, &timer.key, None);
                self.app.log.append(tx, &act, &[append]).await?;
            }
        }
        Ok(())
    }
}
