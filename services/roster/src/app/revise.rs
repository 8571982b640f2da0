//! Units, collectives and officials become something else; what they were before stays.

use domain_calendar::Timestamp;
use domain_roster::{
    Changed, Collective, Official, RosterEvent, Unit, admit_collective_change, admit_official_change,
    admit_unit_change,
};
use xietong_mesh::{Call, Error, Transaction};

use super::{App, Edit, record};
use crate::access;
use crate::error::refusal;

/// Which record changes, and from when.
pub(crate) struct Revision {
    /// Resource name.
    pub(crate) name: String,
    /// Of the version that is to change; empty: of whichever there is.
    pub(crate) etag: String,
    /// From when it is so; unset: now.
    pub(crate) effective_time: Option<Timestamp>,
}

impl App {
    /// Changes a unit. `revise` makes what it becomes of what it is at that instant.
    pub(crate) async fn update_unit(
        &self,
        call: &Call,
        transaction: &Transaction,
        revision: &Revision,
        revise: impl FnOnce(&Unit) -> Result<Unit, Error> + Send,
    ) -> Result<(Unit, String), Error> {
        let mut edit = self.edit(transaction).await?;
        let (name, scope) = (revision.name.as_str(), call.scope()?);
        let effective_time = revision.effective_time.unwrap_or(edit.now());
        let view = edit.book().view(effective_time, Timestamp::MAX);
        let before = view.unit(name).ok_or_else(|| access::missing(&scope, name))?;
        scope.authorize(&access::of_unit(name))?;
        matches(&edit, revision)?;
        let changed = Changed { value: revise(before)?, effective_time };
        admit_unit_change(edit.book(), &changed).map_err(refusal)?;
        let unit = changed.value.clone();
        record(&mut edit, transaction, &[RosterEvent::UnitChanged(changed)]).await?;
        Ok((unit, edit.register().etag(name)))
    }

    /// Changes a collective in the same way.
    pub(crate) async fn update_collective(
        &self,
        call: &Call,
        transaction: &Transaction,
        revision: &Revision,
        revise: impl FnOnce(&Collective) -> Result<Collective, Error> + Send,
    ) -> Result<(Collective, String), Error> {
        let mut edit = self.edit(transaction).await?;
        let (name, scope) = (revision.name.as_str(), call.scope()?);
        let effective_time = revision.effective_time.unwrap_or(edit.now());
        let view = edit.book().view(effective_time, Timestamp::MAX);
        let before = view.collective(name).ok_or_else(|| access::missing(&scope, name))?;
        scope.authorize(&access::of_collective(before))?;
        matches(&edit, revision)?;
        let changed = Changed { value: revise(before)?, effective_time };
        scope.authorize(&access::of_collective(&changed.value))?;
        admit_collective_change(edit.book(), &changed).map_err(refusal)?;
        let collective = changed.value.clone();
        record(&mut edit, transaction, &[RosterEvent::CollectiveChanged(changed)]).await?;
        Ok((collective, edit.register().etag(name)))
    }

    /// Records an official anew. The posts themselves say from when to when they are held.
    pub(crate) async fn update_official(
        &self,
        call: &Call,
        transaction: &Transaction,
        revision: &Revision,
        revise: impl FnOnce(&Official) -> Result<Official, Error> + Send,
    ) -> Result<(Official, String), Error> {
        let mut edit = self.edit(transaction).await?;
        let (name, scope) = (revision.name.as_str(), call.scope()?);
        let before = edit.book().official(name).ok_or_else(|| access::missing(&scope, name))?;
        scope.authorize(&access::of_official(before))?;
        matches(&edit, revision)?;
        let official = revise(before)?;
        scope.authorize(&access::of_official(&official))?;
        admit_official_change(edit.book(), &official).map_err(refusal)?;
        record(&mut edit, transaction, &[RosterEvent::OfficialChanged(official.clone())]).await?;
        Ok((official, edit.register().etag(name)))
    }
}

fn matches(edit: &Edit<'_>, revision: &Revision) -> Result<(), Error> {
    if !revision.etag.is_empty() && revision.etag != edit.register().etag(&revision.name) {
        return Err(Error::aborted_etag(&revision.name));
    }
    Ok(())
}
