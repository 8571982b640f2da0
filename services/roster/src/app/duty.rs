//! Duty rosters are recorded, changed, and their shifts swapped.

use domain_calendar::Timestamp;
use domain_roster::{
    Changed, DutyRoster, DutySwap, RosterEvent, admit_duty_change, admit_duty_roster, admit_duty_swap,
};
use xietong_mesh::{Call, Error, Transaction};

use super::{App, Edit, record};
use crate::access;
use crate::error::refusal;

/// What is done to a duty roster.
pub(crate) enum DutyAct {
    /// It is another from an instant on, or from now; whether swaps may fall away with it.
    Change { roster: DutyRoster, effective_time: Option<Timestamp>, drops_swaps: bool },
    /// Others take one shift.
    Swap(DutySwap),
}

impl App {
    /// Records a duty roster; returns it with its etag.
    pub(crate) async fn create_duty_roster(
        &self,
        transaction: &Transaction,
        roster: DutyRoster,
    ) -> Result<(DutyRoster, String), Error> {
        let mut edit = self.edit(transaction).await?;
        admit_duty_roster(edit.book(), &roster).map_err(refusal)?;
        record(&mut edit, transaction, &[RosterEvent::DutyRosterCreated(roster.clone())]).await?;
        let etag = edit.register().etag(&roster.name);
        Ok((roster, etag))
    }

    /// Changes a duty roster, or swaps one of its shifts. With an etag it must match.
    pub(crate) async fn change_duty_roster(
        &self,
        call: &Call,
        transaction: &Transaction,
        name: &str,
        etag: &str,
        act: DutyAct,
    ) -> Result<(DutyRoster, String), Error> {
        let mut edit = self.edit(transaction).await?;
        let scope = call.scope()?;
        let roster = edit.book().duty_roster(name).ok_or_else(|| access::missing(&scope, name))?.clone();
        scope.authorize(&access::of_unit(&roster.unit))?;
        if !etag.is_empty() && etag != edit.register().etag(name) {
            return Err(Error::aborted_etag(name));
        }
        let event = decide(&edit, roster, act)?;
        record(&mut edit, transaction, &[event]).await?;
        let roster = edit.book().duty_roster(name).cloned().ok_or_else(|| Error::not_found(name))?;
        Ok((roster, edit.register().etag(name)))
    }
}

fn decide(edit: &Edit<'_>, roster: DutyRoster, act: DutyAct) -> Result<RosterEvent, Error> {
    let (book, now) = (edit.book(), edit.now());
    match act {
        DutyAct::Change { roster: value, effective_time, drops_swaps } => {
            let effective_time = effective_time.unwrap_or(now);
            let value = DutyRoster { name: roster.name, unit: roster.unit, ..value };
            admit_duty_change(book, &value, effective_time, drops_swaps, now).map_err(refusal)?;
            Ok(RosterEvent::DutyRosterChanged(Changed { value, effective_time }))
        }
        DutyAct::Swap(swap) => {
            let swap = DutySwap { recorded_at: now, ..swap };
            admit_duty_swap(book, &swap, now).map_err(refusal)?;
            Ok(RosterEvent::DutyShiftSwapped(swap))
        }
    }
}
