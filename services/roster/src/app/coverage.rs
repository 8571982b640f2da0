//! What is unanswered for, the alarm for it, and who acts as time goes on.

use std::sync::Arc;

use domain_calendar::Timestamp;
use domain_roster::{Alarm, CoverageGap, Interval, acting_change, alarm, coverage, next_acting_change};
use sea_orm::DatabaseTransaction;
use xietong_mesh::Error;
use xietong_timers::{cancel, due, schedule};

use super::{App, Edit, Register};
use crate::jobs::TimerKind;
use crate::store::body::Told;

/// The key of the one timer that looks for gaps, and for others who act.
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
        let known = register.clone();
        let gaps = aside(move || coverage(&known.book, window, known_at)).await?;
        Ok(Covered { gaps, register, position })
    }

    /// Records what has to be told of gaps and of who acts, and schedules the next look, unless
    /// both was done; whether it had to.
    pub(crate) async fn keep_watch(&self, register: &Arc<Register>) -> Result<bool, Error> {
        let found = look(register.clone(), self.now()).await?;
        let kind = TimerKind::CoverageIsDue.as_str();
        if found.events.is_empty() && due(self.db.reader(), kind, WHOLE_CITY).await? == found.next {
            return Ok(false);
        }
        let tx = self.db.begin().await?;
        // Timers that fire hold their rows and then take the head; so does this.
        schedule(&tx, &[TimerKind::CoverageIsDue.timer(WHOLE_CITY, Timestamp::MAX)]).await?;
        let mut edit = Edit::begin(&self.registers, &tx, || self.now()).await?;
        let next = self.tell(&tx, &mut edit).await?;
        look_again(&tx, next).await?;
        tx.commit().await?;
        self.log.committed().poke();
        Ok(true)
    }

    /// Records what has to be told of gaps and of who acts; says when to look again.
    pub(crate) async fn tell(
        &self,
        tx: &DatabaseTransaction,
        edit: &mut Edit<'_>,
    ) -> Result<Option<Timestamp>, Error> {
        let found = look(edit.shared(), edit.now()).await?;
        for events in &found.events {
            if let Some(append) = edit.record(events).await? {
                let act = self.own_act(edit, &append.aggregate, None);
                self.log.append(tx, &act, &[append]).await?;
            }
        }
        Ok(found.next)
    }
}

/// What has to be told now of gaps, and of who acts in the absences whose beginning was told.
async fn look(register: Arc<Register>, now: Timestamp) -> Result<Alarm, Error> {
    aside(move || {
        let book = &register.book;
        let mut found = alarm(book, now);
        let away = book.view(now, Timestamp::MAX).absentees();
        for absence in away.filter(|absence| register.told(&absence.name) == Told::Begun) {
            found.events.extend(acting_change(book, absence, now).map(|event| vec![event]));
            let next = next_acting_change(book, absence, now);
            found.next = found.next.into_iter().chain(next).min();
        }
        found
    })
    .await
}

/// Computes on a thread of its own: what takes long holds up no other call.
pub(crate) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

/// Schedules the next look at gaps. Only for whoever held the timer before the head.
pub(crate) async fn look_again(tx: &DatabaseTransaction, next: Option<Timestamp>) -> Result<(), Error> {
    match next {
        Some(due_at) => Ok(schedule(tx, &[TimerKind::CoverageIsDue.timer(WHOLE_CITY, due_at)]).await?),
        None => Ok(cancel(tx, TimerKind::CoverageIsDue.as_str(), WHOLE_CITY).await?),
    }
}
