//! What units pass down, and what is answered to them.

use domain_calendar::Timestamp;
use domain_supervision::{
    AssignmentCommand, Delegate, Delegation, DelegationAction, DelegationChange, Handing,
};
use xietong_events::Draft;
use xietong_mesh::{Call, Error, Resource, Transaction};
use xietong_timers::MachineClock;

use super::create::{List, NamedUnit, check_units, unknown_units};
use super::{Change, Supervision};
use crate::error::{command_refused, unreadable};
use crate::record::Record;
use crate::store::{self, DelegationFilter, Portion};

/// What a holder passes down.
#[derive(Debug)]
pub(crate) struct ToDelegate {
    /// Of which task, and which of its assignments.
    pub(crate) assignment: (String, String),
    /// To whom.
    pub(crate) to: Delegate,
    /// What is asked.
    pub(crate) ask: String,
    /// By when.
    pub(crate) due_at: Timestamp,
    /// The task's version; empty when the caller does not say.
    pub(crate) etag: String,
}

/// What is to become of a delegation.
#[derive(Debug)]
pub(crate) enum DelegationVerb {
    /// The delegate answers.
    Answer {
        /// What was done.
        text: String,
        /// Its part is done.
        done: bool,
    },
    /// The holder sends back what was said to be done.
    SendBack {
        /// What is missing.
        note: String,
    },
    /// The holder takes it back.
    Withdraw {
        /// Why.
        note: String,
    },
}

impl Supervision {
    /// Asks the roster if the delegate is a unit that the copy of it does not know, before the
    /// transaction begins, see [`super::roster`].
    pub(crate) async fn prepare_delegation(&self, asked: &ToDelegate) {
        let Delegate::Unit(unit) = &asked.to else { return };
        let named = NamedUnit { unit, place: "unit", list: List::Alone, at: 0 };
        if unknown_units(&self.roster.view(), vec![named], self.now()).next().is_some() {
            self.roster.ask().await;
        }
    }

    /// Passes an assignment down, after [`Supervision::prepare_delegation`].
    pub(crate) async fn delegate(
        &self,
        transaction: &Transaction,
        call: &Call,
        asked: &ToDelegate,
    ) -> Result<Delegation, Error> {
        let now = transaction.now();
        let (task, name) = &asked.assignment;
        let Some(record) = store::find(transaction.tx(), task).await? else {
            return Err(call.scope()?.missing(task));
        };
        let Ok(held) = record.task.assignment(name) else { return Err(call.scope()?.missing(name)) };
        call.authorize(&record.resource_of(held))?;
        if !asked.etag.is_empty() && asked.etag != record.etag() {
            return Err(Error::aborted_etag(task));
        }
        let parent = match &asked.to {
            Delegate::Unit(unit) => {
                let roster = self.roster()?;
                let named = NamedUnit { unit, place: "unit", list: List::Alone, at: 0 };
                check_units(&roster, vec![named], now)?;
                roster.book.unit(unit).and_then(|unit| unit.parent.clone())
            }
            Delegate::Section(_) => None,
        };
        let regulation = self.regulations.knowing(transaction.tx(), [&record]).await?;
        let handing = Handing {
            name: format!("delegations/{}", MachineClock::system().new_id()),
            to: asked.to.clone(),
            parent,
            ask: asked.ask.clone(),
            due_at: asked.due_at,
        };
        let context = regulation.context(&record.task, now);
        let given = Delegation::give(&record.task, held, handing, &context).map_err(command_refused)?;
        store::keep_delegation(transaction.tx(), &given).await?;
        self.tell_delegation(transaction, 0, &given, DelegationChange::Given).await?;
        Ok(given)
    }

    /// Does with a delegation what is asked.
    pub(crate) async fn on_delegation(
        &self,
        transaction: &Transaction,
        call: &Call,
        name: &str,
        verb: &DelegationVerb,
        etag: &str,
    ) -> Result<Delegation, Error> {
        let before = self.found_delegation(transaction, call, name).await?;
        // A section has no account of its own: its unit's staff answers for it.
        let by = match verb {
            DelegationVerb::Answer { .. } => before.delegate_unit().unwrap_or(&before.holder),
            DelegationVerb::SendBack { .. } | DelegationVerb::Withdraw { .. } => &before.holder,
        };
        call.authorize(&Resource::new().of_units([by]))?;
        if !etag.is_empty() && etag != before.etag() {
            return Err(Error::aborted_etag(name));
        }
        let (after, change) = match verb {
            DelegationVerb::Answer { text, done } => {
                let record = self.task_of_delegation(transaction, call, &before).await?;
                let held = record.task.assignment(&before.assignment).map_err(command_refused)?;
                let by = (call.principal.subject.as_str(), transaction.now());
                let change = if *done { DelegationChange::Finished } else { DelegationChange::Answered };
                (before.answered(held, text, *done, by), change)
            }
            DelegationVerb::SendBack { note } => {
                (before.turned(DelegationAction::SendBack, note), DelegationChange::SentBack)
            }
            DelegationVerb::Withdraw { note } => {
                (before.turned(DelegationAction::Withdraw, note), DelegationChange::Withdrawn)
            }
        };
        let after = after.map_err(command_refused)?;
        store::save_delegation(transaction.tx(), &before, &after).await?;
        self.tell_delegation(transaction, before.version, &after, change).await?;
        Ok(after)
    }

    /// Takes the latest answer into the holder's own report, and says which assignment that is.
    pub(crate) async fn adopt(
        &self,
        transaction: &mut Transaction,
        call: &Call,
        (name, words): (&str, &str),
        etag: &str,
    ) -> Result<(Record, String), Error> {
        let before = self.found_delegation(transaction, call, name).await?;
        call.authorize(&Resource::new().of_units([before.holder.as_str()]))?;
        if !etag.is_empty() && etag != before.etag() {
            return Err(Error::aborted_etag(name));
        }
        let record = self.task_of_delegation(transaction, call, &before).await?;
        let held = record.task.assignment(&before.assignment).map_err(command_refused)?;
        let (after, text) = before.adopted(held, words).map_err(command_refused)?;
        let command = AssignmentCommand::Report { text, attachments: Vec::new() };
        let assignment = before.assignment.clone();
        let change = Change::of_assignment(record.task.name, assignment.clone(), command, String::new());
        let record = self.change(transaction, call, &change).await?;
        store::save_delegation(transaction.tx(), &before, &after).await?;
        self.tell_delegation(transaction, before.version, &after, DelegationChange::Adopted).await?;
        Ok((record, assignment))
    }

    /// A delegation, for the holder and the delegate.
    pub(crate) async fn delegation(&self, call: &Call, name: &str) -> Result<Delegation, Error> {
        match store::find_delegation(self.db.reader(), name).await? {
            Some(found) => {
                call.authorize(&parties(&found))?;
                Ok(found)
            }
            None => Err(call.scope()?.missing(name)),
        }
    }

    /// A portion of the delegations of a holder, or of a delegate.
    pub(crate) async fn delegations(
        &self,
        call: &Call,
        filter: &DelegationFilter,
        portion: Portion,
    ) -> Result<Vec<(i64, Delegation)>, Error> {
        // Whoever works for one of the two sees what is between them.
        let units = filter.holder.iter().chain(&filter.unit);
        call.authorize(&Resource::new().of_units(units))?;
        Ok(store::delegations(self.db.reader(), filter, portion).await?)
    }

    async fn found_delegation(
        &self,
        transaction: &Transaction,
        call: &Call,
        name: &str,
    ) -> Result<Delegation, Error> {
        match store::find_delegation(transaction.tx(), name).await? {
            Some(found) => Ok(found),
            None => Err(call.scope()?.missing(name)),
        }
    }

    async fn task_of_delegation(
        &self,
        transaction: &Transaction,
        call: &Call,
        of: &Delegation,
    ) -> Result<Record, Error> {
        let found = store::find(transaction.tx(), &of.task.name).await?;
        found.map_or_else(|| Err(call.scope()?.missing(&of.task.name)), Ok)
    }

    async fn tell_delegation(
        &self,
        transaction: &Transaction,
        before: i64,
        after: &Delegation,
        change: DelegationChange,
    ) -> Result<(), Error> {
        let event = after.event(change, transaction.now());
        let payload = event.to_payload().map_err(unreadable)?.to_string();
        let draft = Draft { event_type: event.event_type().to_owned(), payload };
        transaction.append(&after.name, before, vec![draft]).await?;
        Ok(())
    }
}

fn parties(of: &Delegation) -> Resource {
    Resource::new().of_units(std::iter::once(of.holder.as_str()).chain(of.delegate_unit()))
}
