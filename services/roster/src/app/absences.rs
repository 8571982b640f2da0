//! Absences are registered, begin, and end or are cancelled.

use domain_roster::{Absence, Registration, RosterEvent};
use xietong_events::Append;
use xietong_mesh::{Call, Error, Transaction};
use xietong_timers::cancel;

use super::{App, Edit, record};
use crate::access;
use crate::error::refusal;
use crate::jobs::TimerKind;

impl App {
    /// Registers an absence and schedules its start and its end.
    pub(crate) async fn create_absence(
        &self,
        transaction: &Transaction,
        registration: Registration,
    ) -> Result<(Absence, String), Error> {
        let mut edit = self.edit(transaction).await?;
        let name = registration.name.clone();
        let (start, end) = (registration.start_time, registration.end_time);
        let created = Absence::create(edit.book(), registration, edit.now()).map_err(refusal)?;
        record(&mut edit, transaction, &[created]).await?;
        let timers = [TimerKind::AbsenceStarts.timer(&name, start), TimerKind::AbsenceEnds.timer(&name, end)];
        transaction.schedule(&timers).await?;
        stored(&edit, &name)
    }

    /// Ends an absence now (销假).
    pub(crate) async fn end_absence(
        &self,
        call: &Call,
        transaction: &Transaction,
        name: &str,
        etag: &str,
    ) -> Result<(Absence, String), Error> {
        self.close_absence(call, transaction, name, etag, |absence, edit| {
            let ended = absence.end(edit.book(), edit.now()).map_err(refusal)?;
            Ok(begun(absence, edit).into_iter().chain([ended]).collect())
        })
        .await
    }

    /// Cancels an absence that has not begun.
    pub(crate) async fn cancel_absence(
        &self,
        call: &Call,
        transaction: &Transaction,
        name: &str,
        etag: &str,
    ) -> Result<(Absence, String), Error> {
        self.close_absence(call, transaction, name, etag, |absence, edit| {
            Ok(vec![absence.cancel(edit.now()).map_err(refusal)?])
        })
        .await
    }

    async fn close_absence(
        &self,
        call: &Call,
        transaction: &Transaction,
        name: &str,
        etag: &str,
        decide: impl FnOnce(&Absence, &Edit<'_>) -> Result<Vec<RosterEvent>, Error> + Send,
    ) -> Result<(Absence, String), Error> {
        // Timers that fire hold their rows and then take the head: in the same order here,
        // neither can wait for the other. A refusal rolls this back.
        for kind in [TimerKind::AbsenceStarts, TimerKind::AbsenceEnds] {
            cancel(transaction.tx(), kind.as_str(), name).await?;
        }
        let mut edit = self.edit(transaction).await?;
        let scope = call.scope()?;
        let absence = edit.book().absence(name).ok_or_else(|| access::missing(&scope, name))?.clone();
        scope.authorize(&access::of_absence(edit.book(), &absence))?;
        if !etag.is_empty() && etag != edit.register().etag(name) {
            return Err(Error::aborted_etag(name));
        }
        let events = decide(&absence, &edit)?;
        record(&mut edit, transaction, &events).await?;
        stored(&edit, name)
    }
}

/// The timer at an absence's start.
pub(crate) async fn start(edit: &mut Edit<'_>, name: &str) -> Result<Option<Append>, Error> {
    let events: Vec<RosterEvent> =
        edit.book().absence(name).and_then(|absence| begun(absence, edit)).into_iter().collect();
    edit.record(&events).await
}

/// The timer at an absence's registered end. Should it come before the one at the start has had
/// its effect, that one's event is recorded first.
pub(crate) async fn finish(edit: &mut Edit<'_>, name: &str) -> Result<Option<Append>, Error> {
    let events: Vec<RosterEvent> = match edit.book().absence(name) {
        Some(absence) => match absence.finish(edit.book(), edit.now()) {
            Some(ended) => begun(absence, edit).into_iter().chain([ended]).collect(),
            None => Vec::new(),
        },
        None => Vec::new(),
    };
    edit.record(&events).await
}

/// The event that an absence began, unless it is recorded already or not yet time for it. The
/// first event of an absence is its registration; the next is that it began or was cancelled.
fn begun(absence: &Absence, edit: &Edit<'_>) -> Option<RosterEvent> {
    let only_registered = edit.register().version_of(&absence.name) == 1;
    only_registered.then(|| absence.begin(edit.book(), edit.now())).flatten()
}

fn stored(edit: &Edit<'_>, name: &str) -> Result<(Absence, String), Error> {
    let absence = edit.book().absence(name).cloned().ok_or_else(|| Error::not_found(name))?;
    Ok((absence, edit.register().etag(name)))
}
