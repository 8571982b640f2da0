//! Divisions of work are recorded, or tried out, and take effect.

use domain_roster::{Book, Changes, Division, RosterEvent, admit_division, changes, took_effect};
use xietong_events::Append;
use xietong_mesh::{Call, Error, Transaction};

use super::preview::{Preview, preview};
use super::{App, Edit, record};
use crate::error::refusal;
use crate::jobs::TimerKind;

/// A division that was recorded, or would be.
pub(crate) struct Recorded {
    pub(crate) division: Division,
    pub(crate) changes: Changes,
    pub(crate) etag: String,
}

impl App {
    /// Records a division and schedules the moment it takes effect; one of the past is due at
    /// once.
    pub(crate) async fn create_division(
        &self,
        transaction: &Transaction,
        division: Division,
    ) -> Result<Recorded, Error> {
        let mut edit = self.edit(transaction).await?;
        let division = Division { record_time: edit.now(), ..division };
        admit_division(edit.book(), &division).map_err(refusal)?;
        record(&mut edit, transaction, &[RosterEvent::DivisionCreated(division.clone())]).await?;
        let effect = TimerKind::DivisionTakesEffect.timer(&division.name, division.effective_time);
        transaction.schedule(&[effect]).await?;
        let changes = changing_hands(edit.book(), &division);
        let etag = edit.register().etag(&division.name);
        Ok(Recorded { division, changes, etag })
    }

    /// Says what a division would change, here and in the other services, and stores nothing.
    pub(crate) async fn try_division(
        &self,
        call: &Call,
        division: Division,
    ) -> Result<(Recorded, Preview), Error> {
        let now = self.now();
        let division = Division { record_time: now, ..division };
        let mut book = self.current().await?.book.clone();
        admit_division(&book, &division).map_err(refusal)?;
        book.apply(&RosterEvent::DivisionCreated(division.clone()), now).map_err(refusal)?;
        let changes = changing_hands(&book, &division);
        let preview = preview(&self.peers, call, division.clone(), &changes).await?;
        Ok((Recorded { division, changes, etag: String::new() }, preview))
    }
}

/// The timer of a division: it takes effect.
pub(crate) async fn take_effect(edit: &mut Edit<'_>, division: &str) -> Result<Option<Append>, Error> {
    let event = took_effect(edit.book(), division, edit.now());
    edit.record(event.as_slice()).await
}

/// What changes hands with a division that is in the book.
fn changing_hands(book: &Book, division: &Division) -> Changes {
    changes(book, book.division_before(&division.name), division)
}
