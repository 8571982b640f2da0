//! Absences are registered, begin, and end; they are extended, corrected or cancelled.

use domain_calendar::Timestamp;
use domain_roster::{Absence, Interval, Mandate, Registration, RosterEvent, Stated, mandate_ground};
use xietong_events::Append;
use xietong_mesh::{Call, Error, Transaction};
use xietong_timers::cancel;

use super::acts::tell_with_end;
use super::{App, Edit, Register, record};
use crate::access;
use crate::error::refusal;
use crate::jobs::TimerKind;
use crate::store::acts::{self, Tally};
use crate::store::body::Told;

/// What is done to an absence that is registered.
pub(crate) enum AbsenceAct {
    /// The official is back now (销假).
    End,
    /// The official does not leave after all.
    Cancel,
    /// The official comes back later.
    Extend {
        /// First instant back.
        end_time: Timestamp,
        /// What the mayor decided of it.
        stated: Stated,
    },
    /// The official, who is back, acknowledges what was done for him.
    Acknowledge,
    /// Its times were recorded wrongly.
    Correct {
        /// When it really is.
        times: Interval,
        /// What the mayor decided of it.
        stated: Stated,
        /// Why it is corrected.
        reason: String,
    },
}

impl AbsenceAct {
    fn states_mayors_decision(&self) -> bool {
        match self {
            AbsenceAct::Extend { stated, .. } | AbsenceAct::Correct { stated, .. } => !stated.is_empty(),
            AbsenceAct::End | AbsenceAct::Cancel | AbsenceAct::Acknowledge => false,
        }
    }
}

/// An absence as it is kept.
pub(crate) struct Kept {
    pub(crate) absence: Absence,
    pub(crate) tally: Tally,
    pub(crate) etag: String,
    /// Business time of the write.
    pub(crate) now: Timestamp,
}

/// Changes with the absence, and with every act that is heard of: whoever acknowledges with it
/// acknowledges nothing that he has not seen.
pub(crate) fn etag(register: &Register, name: &str, tally: Tally) -> String {
    match tally.acts {
        0 => register.etag(name),
        acts => format!("{}.{acts}", register.etag(name)),
    }
}

/// Whether a text says anything.
pub(crate) fn is_stated(text: &Option<String>) -> bool {
    text.as_deref().is_some_and(|text| !text.trim().is_empty())
}

impl App {
    /// Registers an absence and schedules its start and its end.
    pub(crate) async fn create_absence(
        &self,
        transaction: &Transaction,
        registration: Registration,
    ) -> Result<Kept, Error> {
        let mut edit = self.edit(transaction).await?;
        let name = registration.name.clone();
        let created = Absence::create(edit.book(), registration, edit.now()).map_err(refusal)?;
        record(&mut edit, transaction, &[created]).await?;
        schedule(&edit, transaction, &name).await?;
        stored(&edit, &name).await
    }

    /// Ends, cancels, extends, corrects or acknowledges an absence. With an etag it must match.
    pub(crate) async fn change_absence(
        &self,
        call: &Call,
        transaction: &Transaction,
        name: &str,
        etag: &str,
        act: AbsenceAct,
    ) -> Result<Kept, Error> {
        hold(transaction, name).await?;
        let mut edit = self.edit(transaction).await?;
        let scope = call.scope()?;
        let absence = edit.book().absence(name).ok_or_else(|| access::missing(&scope, name))?.clone();
        match &act {
            AbsenceAct::Acknowledge => {
                let mandate = access::to_digest(&scope, edit.book(), &absence, edit.now())?.cloned();
                if let Some(mandate) = mandate {
                    self.enter_for(&mut edit, &mandate).await?;
                }
            }
            AbsenceAct::End | AbsenceAct::Cancel | AbsenceAct::Extend { .. } | AbsenceAct::Correct { .. } => {
                access::keep_away(call, edit.book(), &absence.official, edit.now())?;
            }
        }
        if act.states_mayors_decision() {
            access::state_mayors_decision(call, edit.book(), edit.now())?;
        }
        let tally = acts::tally(edit.tx(), name).await?;
        if !etag.is_empty() && etag != self::etag(edit.register(), name, tally) {
            return Err(Error::aborted_etag(name));
        }
        if let AbsenceAct::Acknowledge = act {
            acts::save(edit.tx(), name, Tally { acknowledged: tally.acts, ..tally }).await?;
        }
        let mut events = decide(&absence, &edit, tally, act)?;
        tell_with_end(edit.tx(), &mut events).await?;
        record(&mut edit, transaction, &events).await?;
        schedule(&edit, transaction, name).await?;
        stored(&edit, name).await
    }
}

impl App {
    /// Stamps a write that is entered in a leader's name, under a mandate.
    async fn enter_for(&self, edit: &mut Edit<'_>, mandate: &Mandate) -> Result<(), Error> {
        let person = edit.book().view(edit.now(), Timestamp::MAX).person(&mandate.leader);
        let position = self.log.last_position_on(edit.tx()).await?;
        edit.act_for(&mandate.leader, mandate_ground(position, &person.display_name, mandate));
        Ok(())
    }
}

fn decide(
    absence: &Absence,
    edit: &Edit<'_>,
    tally: Tally,
    act: AbsenceAct,
) -> Result<Vec<RosterEvent>, Error> {
    let (book, now) = (edit.book(), edit.now());
    match act {
        AbsenceAct::End => {
            let ended = absence.end(book, now).map_err(refusal)?;
            Ok(begun(absence, edit).into_iter().chain([ended]).collect())
        }
        AbsenceAct::Cancel => Ok(vec![absence.cancel(now).map_err(refusal)?]),
        AbsenceAct::Extend { end_time, stated } => {
            Ok(vec![absence.extend(book, end_time, stated, now).map_err(refusal)?])
        }
        AbsenceAct::Acknowledge => Ok(vec![absence.acknowledge(tally.acts, now).map_err(refusal)?]),
        AbsenceAct::Correct { times, stated, reason } => {
            Ok(vec![absence.correct(book, times, stated, &reason, now).map_err(refusal)?])
        }
    }
}

/// The timer at an absence's start.
pub(crate) async fn start(edit: &mut Edit<'_>, name: &str) -> Result<Option<Append>, Error> {
    let events: Vec<RosterEvent> =
        edit.book().absence(name).and_then(|absence| begun(absence, edit)).into_iter().collect();
    edit.record(&events).await
}

/// The timer at an absence's end. Should it come before the one at the start has had its effect,
/// that one's event is recorded first.
pub(crate) async fn finish(edit: &mut Edit<'_>, name: &str) -> Result<Option<Append>, Error> {
    let finished = edit
        .book()
        .absence(name)
        .filter(|_| edit.register().told(name) < Told::Ended)
        .and_then(|absence| Some((absence, absence.finish(edit.book(), edit.now())?)));
    let mut events: Vec<RosterEvent> = match finished {
        Some((absence, ended)) => begun(absence, edit).into_iter().chain([ended]).collect(),
        None => Vec::new(),
    };
    tell_with_end(edit.tx(), &mut events).await?;
    edit.record(&events).await
}

/// The event that an absence began, unless that was told already or its time has not come.
fn begun(absence: &Absence, edit: &Edit<'_>) -> Option<RosterEvent> {
    let untold = edit.register().told(&absence.name) < Told::Begun;
    untold.then(|| absence.begin(edit.book(), edit.now())).flatten()
}

/// Takes an absence's timers for the rest of the transaction, whether they are there or not.
/// Timers that fire hold their rows and then take the head: in the same order here, neither can
/// wait for the other. A refusal rolls this back.
async fn hold(transaction: &Transaction, name: &str) -> Result<(), Error> {
    let kinds = [TimerKind::AbsenceStarts, TimerKind::AbsenceEnds];
    transaction.schedule(&kinds.map(|kind| kind.timer(name, Timestamp::MAX))).await
}

/// Schedules what is still to be told of an absence for when it happens, or at once when it has;
/// and nothing else.
async fn schedule(edit: &Edit<'_>, transaction: &Transaction, name: &str) -> Result<(), Error> {
    let known = edit.book().absence(name).and_then(|absence| absence.interval(Timestamp::MAX));
    let told = edit.register().told(name);
    let moments = [
        (TimerKind::AbsenceStarts, known.filter(|_| told < Told::Begun).map(|known| known.start)),
        (TimerKind::AbsenceEnds, known.filter(|_| told < Told::Ended).map(|known| known.end)),
    ];
    for (kind, due_at) in moments {
        match due_at {
            Some(due_at) => transaction.schedule(&[kind.timer(name, due_at)]).await?,
            None => cancel(transaction.tx(), kind.as_str(), name).await?,
        }
    }
    Ok(())
}

async fn stored(edit: &Edit<'_>, name: &str) -> Result<Kept, Error> {
    let absence = edit.book().absence(name).cloned().ok_or_else(|| Error::not_found(name))?;
    let tally = acts::tally(edit.tx(), name).await?;
    Ok(Kept { etag: etag(edit.register(), name, tally), tally, absence, now: edit.now() })
}
