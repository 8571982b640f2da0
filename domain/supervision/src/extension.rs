//! 延期: a unit asks for a later last day, and the leader in charge decides.
//!
//! While a request waits the settle clock is held, as it is for a submission: nothing more is
//! reached and nobody is reminded. Granted, the assignment has a last day of its own; the
//! task's stays. Refused, or withdrawn by submitting, the wait is charged to whoever was to
//! decide: the settle date moves by it, so that asking costs the unit no time.

use std::time::Duration;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use time::Date;

use crate::assignment::{Action, Assignment};
use crate::charge::{ChargeKind, ChargedPause, ChargedTo};
use crate::deadline::clocks;
use crate::decide::{Context, happened, said};
use crate::error::{NotEmpty, SupervisionError};
use crate::event::{AssignmentChange, TaskEvent};
use crate::milestone::Shift;
use crate::rule::end_of;
use crate::task::Task;

/// An extension that is asked for and not decided yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExtensionRequest {
    /// The last day asked for, Asia/Shanghai.
    #[serde(with = "crate::date_text::whole")]
    pub last_day: Date,
    /// Why.
    pub reason: String,
    /// When it was asked for: what the light had reached by then, it keeps.
    pub requested_at: Timestamp,
}

/// The last day that an assignment was granted for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Extended {
    /// The last day, Asia/Shanghai.
    #[serde(with = "crate::date_text::whole")]
    pub last_day: Date,
    /// When it was granted: a short matter that becomes a long one by it owes no report for the
    /// cycles before.
    pub granted_at: Timestamp,
    /// When the last grant was given that came after the matter had been due: nothing was asked for
    /// between the two, so that no report is owed for the cycles before it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cycles_from: Option<Timestamp>,
    /// What others had kept the unit waiting by then ([`Assignment::waited`]). The day was
    /// chosen knowing of it, so only what comes after moves the settle date further.
    pub waited_before: Duration,
}

/// The request of a unit, before its settle date has passed, for a later one.
pub(crate) fn request(
    task: &Task,
    assignment: &Assignment,
    last_day: Date,
    reason: &str,
    context: &Context<'_>,
) -> Result<Vec<TaskEvent>, SupervisionError> {
    assignment.state.after(Action::RequestExtension)?;
    let reason = said(reason, NotEmpty::ExtensionReason)?;
    task.check_clock_runs()?;
    assignment.check_free()?;
    let due = clocks(task, assignment, context.rule, context.calendar).due.settle;
    if let Some(due) = due.filter(|due| *due <= context.now) {
        return Err(SupervisionError::PastDue { due });
    }
    check_later(last_day, due)?;
    let change = AssignmentChange::ExtensionRequested { last_day, reason };
    Ok(vec![happened(task, assignment, change, context)])
}

/// The leader's answer to the request that waits.
pub(crate) fn answer(
    task: &Task,
    assignment: &Assignment,
    grant: bool,
    note: &str,
    context: &Context<'_>,
) -> Result<Vec<TaskEvent>, SupervisionError> {
    assignment.state.after(Action::DecideExtension)?;
    let Some(ExtensionRequest { last_day, .. }) = assignment.extension_request else {
        return Err(SupervisionError::NoExtensionRequest);
    };
    let waited = assignment.request_waited(context.now).unwrap_or_default();
    let change = if grant {
        let due = clocks(task, assignment, context.rule, context.calendar).due.settle;
        // A revision, another rule or a calendar may have given more meanwhile than was asked for.
        check_later(last_day, due)?;
        let moved = due.map(|due| end_of(last_day).since(due)).unwrap_or_default();
        let if_refused = due.map_or(Timestamp::MIN, |due| due.saturating_add(waited));
        let charged = if_refused.since(end_of(last_day));
        AssignmentChange::ExtensionGranted { last_day, note: note.trim().to_owned(), waited, charged, moved }
    } else {
        let note = said(note, NotEmpty::ExtensionRefusalNote)?;
        AssignmentChange::ExtensionRefused { last_day, note, waited }
    };
    Ok(vec![happened(task, assignment, change, context)])
}

/// Only a later day is asked for, and granted.
fn check_later(last_day: Date, due: Option<Timestamp>) -> Result<(), SupervisionError> {
    match due.filter(|due| end_of(last_day) <= *due) {
        Some(due) => Err(SupervisionError::NotLater { last_day, due }),
        None => Ok(()),
    }
}

impl Assignment {
    /// How long the request that is pending has waited at an instant.
    pub(crate) fn request_waited(&self, now: Timestamp) -> Option<Duration> {
        self.extension_request.as_ref().map(|pending| now.since(pending.requested_at))
    }

    /// Time that was lost waiting for the answer: the unit gets it back.
    pub(crate) fn charge_decider(&mut self, moved: Duration, until: Timestamp) {
        let from = self.extension_request.take().map_or(until, |request| request.requested_at);
        let (kind, to) = (ChargeKind::Extension, ChargedTo::Decider);
        self.charge(ChargedPause { kind, to, from, until, moved });
    }

    /// The request was granted: the settle date moves, and each milestone that was not missed when
    /// it was asked for by as much.
    pub(crate) fn extend(&mut self, last_day: Date, moved: Duration, granted_at: Timestamp) {
        let since = self.extension_request.as_ref().map_or(granted_at, |request| request.requested_at);
        if !moved.is_zero() {
            self.shifts.push(Shift { since, by: moved });
        }
        let was_due = end_of(last_day).saturating_sub(moved);
        let cycles_from = if was_due <= granted_at {
            Some(granted_at)
        } else {
            self.extended.and_then(|before| before.cycles_from)
        };
        self.extended = Some(Extended { last_day, granted_at, cycles_from, waited_before: self.waited() });
    }
}
