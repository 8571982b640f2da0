//! What is unanswered for, and the alarm for it.

use std::sync::Arc;

use domain_calendar::Timestamp;
use domain_roster::{Book, CoverageGap, Interval, alarm, coverage};
use sea_orm::DatabaseTransaction;
use xietong_mesh::Error;
use xietong_timers::{cancel, due, schedule};

use super::{App, Edit, Register};
use crate::jobs::TimerKind;

/// The key of the one timer that looks for gaps.
const WHOLE_CITY: &str = "coverage";

/// The gaps of a window, and what they were derived from.
pub(crate) struct Covered {
    pub(crate) gaps: Vec<CoverageGap>,
    pub(crate) register: Arc<Register>,
    /// Position of the roster's log; the answer rests on everything up to it.
    pub(crate) position: i64,
}

impl App {
    /// Every gap in a window, as far as it was known at an instant.
    pub(crate) async fn coverage(&self, window: Interval, known_at: Timestamp) -> Result<Covered, Error> {
        let position = self.log.last_position().await?;
        let register = self.current().await?;
        let gaps = coverage(&register.book, window, known_at);
        Ok(Covered { gaps, register, position })
    }

    /// Records what has to be told of gaps and schedules the next look at them, unless both
    /// was done; whether it had to.
    pub(crate) async fn keep_watch(&self, book: &Book) -> Result<bool, Error> {
        let found = alarm(book, self.now());
        let kind = TimerKind::CoverageIsDue.as_str();
        if found.events.is_empty() && due(self.db.reader(), kind, WHOLE_CITY).await? == found.next {
            return Ok(false);
        }
        let tx = self.db.begin().await?;
        // Timers that fire hold their rows and then take the head; so does this.
        schedule(&tx, &[TimerKind::CoverageIsDue.timer(WHOLE_CITY, Timestamp::MAX)]).await?;
        let mut edit = Edit::begin(&self.registers, &tx, || self.now()).await?;
        let next = self.tell_gaps(&tx, &mut edit).await?;
        look_again(&tx, next).await?;
        tx.commit().await?;
        self.log.committed().poke();
        Ok(true)
    }

    /// Records what has to be told of gaps; says when to look again.
    pub(crate) async fn tell_gaps(
        &self,
        tx: &DatabaseTransaction,
        edit: &mut Edit<'_>,
    ) -> Result<Option<Timestamp>, Error> {
        let alarm = alarm(edit.book(), edit.now());
        for events in &alarm.events {
            if let Some(append) = edit.record(events).await? {
                let act = self.own_act(edit, &append.aggregate, None);
                self.log.append(tx, &act, &[append]).await?;
            }
        }
        Ok(alarm.next)
    }
}

/// Schedules the next look at gaps. Only for whoever held the timer before the head.
pub(crate) async fn look_again(tx: &DatabaseTransaction, next: Option<Timestamp>) -> Result<(), Error> {
    match next {
        Some(due_at) => Ok(schedule(tx, &[TimerKind::CoverageIsDue.timer(WHOLE_CITY, due_at)]).await?),
        None => Ok(cancel(tx, TimerKind::CoverageIsDue.as_str(), WHOLE_CITY).await?),
    }
}
