//! What was done for an official who was away: heard, told at the return, acknowledged.
//!
//! Who hears of an act holds the head, as every write of the roster does: an absence either ends
//! before it is heard of, and then it is told on its own, or after, and then with the end.

use domain_calendar::Timestamp;
use domain_roster::{
    Absence, AbsenceActs, ActEntry, ActsTold, Book, RosterEvent, absence_of_authority, authority_in_ground,
};
use sea_orm::DatabaseTransaction;
use xietong_events::{Append, Event};
use xietong_mesh::Error;
use xietong_store::StoreError;

use super::Edit;
use crate::store::acts::{self, Act, Tally};
use crate::store::body::Told;

/// Acts that are named when their number is told.
const NAMED: u64 = 5;

/// An act for somebody, as its producer's log has it.
pub(crate) struct Heard<'a> {
    pub(crate) producer: &'a str,
    pub(crate) event: &'a Event,
    /// In Chinese.
    pub(crate) description: String,
}

/// Notes acts, and tells of those that came after the end of their absence was told. What is
/// returned has to be appended to the log.
pub(crate) async fn hear(
    edit: &mut Edit<'_>,
    tx: &DatabaseTransaction,
    heard: &[Heard<'_>],
) -> Result<Vec<Append>, Error> {
    let mut touched: Vec<String> = Vec::new();
    for one in heard {
        let Some(absence) = absence_of(edit.book(), one.event).map(|absence| absence.name.clone()) else {
            continue;
        };
        let tally = acts::tally(tx, &absence).await?;
        let number = tally.acts + 1;
        let account = edit.book().account_of_subject(&one.event.actor);
        let acting_official = account.and_then(|account| account.official.clone()).unwrap_or_default();
        let act = Act {
            absence: absence.clone(),
            number,
            producer: one.producer.to_owned(),
            event_id: one.event.id.clone(),
            position: one.event.position,
            event_type: one.event.event_type.clone(),
            subject: one.event.aggregate.clone(),
            actor: one.event.actor.clone(),
            acting_official,
            ground: one.event.ground.clone().unwrap_or_default(),
            occurred_at: one.event.occurred_at,
            description: one.description.clone(),
        };
        acts::insert(tx, &act).await?;
        acts::save(tx, &absence, Tally { acts: number, ..tally }).await?;
        if !touched.contains(&absence) {
            touched.push(absence);
        }
    }
    let mut appends = Vec::new();
    for name in touched {
        if edit.register().told(&name) < Told::Ended {
            continue;
        }
        let official = edit.book().absence(&name).map(|absence| absence.official.clone());
        if let (Some(official), Some(acts)) = (official, tell(tx, &name).await?) {
            let arrived = RosterEvent::AbsenceActsArrived(AbsenceActs { absence: name, official, acts });
            appends.extend(edit.record(&[arrived]).await?);
        }
    }
    Ok(appends)
}

/// The acts that the official has not been told of, who is told now; none when there are none.
async fn tell(tx: &DatabaseTransaction, absence: &str) -> Result<Option<ActsTold>, StoreError> {
    let tally = acts::tally(tx, absence).await?;
    if tally.acts <= tally.told {
        return Ok(None);
    }
    let first = acts::after(tx, absence, tally.told, NAMED).await?;
    acts::save(tx, absence, Tally { told: tally.acts, ..tally }).await?;
    let entry = |act: Act| ActEntry {
        acting: Some(act.acting_official).filter(|official| !official.is_empty()),
        occurred_at: act.occurred_at,
        description: act.description,
    };
    let entries = first.into_iter().map(entry).collect();
    Ok(Some(ActsTold { count: tally.acts - tally.told, entries }))
}

/// Lets the event that an absence ended say what was done meanwhile.
pub(crate) async fn tell_with_end(
    tx: &DatabaseTransaction,
    events: &mut [RosterEvent],
) -> Result<(), StoreError> {
    for event in events {
        if let RosterEvent::AbsenceEnded(ended) = event {
            ended.acts = tell(tx, &ended.absence).await?;
        }
    }
    Ok(())
}

/// The absence an act belongs to: that of the authority it was done by, whatever became known of
/// its end; else the one in which the official was away then. None when he was there: a secretary
/// entered it in his name.
fn absence_of<'a>(book: &'a Book, event: &Event) -> Option<&'a Absence> {
    let official = event.acting_for.as_deref()?;
    let authority = event.ground.as_deref().and_then(authority_in_ground);
    match authority.and_then(absence_of_authority) {
        Some(absence) => book.absences_of(official).find(|one| one.name == absence),
        None => book.absences_of(official).find(|one| {
            let known = one.interval(Timestamp::MAX);
            known.is_some_and(|known| known.contains(event.occurred_at))
        }),
    }
}
