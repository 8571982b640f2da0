//! The unit's word: what clerks draft, and its approver releases.

use domain_supervision::{AssignmentCommand, Command, DraftAction, DraftState, Said, Task, UnitDraft};
use xietong_events::{Append, Draft};
use xietong_mesh::principal::Role;
use xietong_mesh::{Call, Error, Resource, Transaction};
use xietong_timers::MachineClock;

use super::{Asked, Change, Supervision};
use crate::error::{command_refused, unreadable};
use crate::store::{self, Portion};

/// A unit's setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReleaseSetting {
    /// `units/{slug}`.
    pub(crate) unit: String,
    /// Its approver must release what its clerks say.
    pub(crate) required: bool,
    /// Zero when it was never set.
    pub(crate) version: i64,
}

impl ReleaseSetting {
    /// Changes with every change.
    pub(crate) fn etag(&self) -> String {
        format!("v{}", self.version)
    }
}

/// What is to become of a draft, by whoever may say so.
#[derive(Debug)]
pub(crate) enum DraftVerb {
    /// It is said now.
    Release,
    /// It is to be drafted otherwise.
    SendBack {
        /// How.
        note: String,
    },
    /// Whoever drafted it wants it no more.
    Withdraw,
}

impl Change {
    /// What it says in a unit's name, where an approver may have to release it, and on which
    /// assignment.
    pub(super) fn said(&self) -> Option<(&str, Said)> {
        match &self.asked {
            Asked::Command(Command::Assignment { name, command }) => {
                Said::of(command).map(|said| (name.as_str(), said))
            }
            Asked::Command(
                Command::Issue { .. }
                | Command::Revise { .. }
                | Command::Withdraw { .. }
                | Command::Instruct(_)
                | Command::AddCooperating { .. }
                | Command::JoinMatter { .. }
                | Command::LeaveMatter { .. }
                | Command::GiveFigure(_)
                | Command::Circumstance(_),
            )
            | Asked::Press { .. }
            | Asked::Revise { .. } => None,
        }
    }
}

impl Supervision {
    /// Keeps what a caller says as a draft where the unit's approver must release it and the caller is
    /// none; none where it is the unit's word already.
    pub(super) async fn draft_instead(
        &self,
        transaction: &Transaction,
        call: &Call,
        task: &Task,
        change: &Change,
    ) -> Result<Option<UnitDraft>, Error> {
        let Some((name, said)) = change.said() else { return Ok(None) };
        let held = task.assignment(name).map_err(command_refused)?;
        let unit = said.speaker(held, |unit| works_for(call, unit));
        if approves(call, unit) || !store::release_setting(transaction.tx(), unit).await?.0 {
            return Ok(None);
        }
        let now = transaction.now();
        for before in store::open_drafts(transaction.tx(), name).await? {
            if before.unit == unit && before.said.is_of_the_kind_of(&said) {
                let by = (call.principal.subject.as_str(), now);
                let replaced = before.after(DraftAction::Replace, "", by).map_err(command_refused)?;
                store::save_draft(transaction.tx(), &before, &replaced).await?;
                self.tell(transaction, task.ledger_number, before.version, &replaced).await?;
            }
        }
        let id = format!("drafts/{}", MachineClock::system().new_id());
        let draft = UnitDraft::new(id, (&task.name, name), unit, said, (&call.principal.subject, now));
        store::keep_draft(transaction.tx(), &draft).await?;
        transaction.hold(&draft.name, draft.said.attachments()).await?;
        self.tell(transaction, task.ledger_number, 0, &draft).await?;
        Ok(Some(draft))
    }

    /// Refuses what a caller says for a unit, and what is not drafted, where the unit's approver must
    /// release it and the caller is none.
    pub(super) async fn require_approver(
        &self,
        transaction: &Transaction,
        call: &Call,
        unit: &str,
    ) -> Result<(), Error> {
        if approves(call, unit) || !store::release_setting(transaction.tx(), unit).await?.0 {
            return Ok(());
        }
        let english = format!("{unit} says this by its approver");
        let chinese = "本单位对外答复须经审核，请由审核人办理";
        Err(Error::failed_precondition("NEEDS_APPROVER", english, chinese))
    }

    /// Does with a draft what is asked. Released, it is said as if by the approver now; when that is not
    /// possible any more, it is refused and the draft stays.
    pub(crate) async fn on_draft(
        &self,
        transaction: &mut Transaction,
        call: &Call,
        name: &str,
        verb: &DraftVerb,
        etag: &str,
    ) -> Result<UnitDraft, Error> {
        let now = transaction.now();
        let before = match store::find_draft(transaction.tx(), name).await? {
            Some(draft) => draft,
            None => return Err(call.scope()?.missing(name)),
        };
        call.authorize(&Resource::new().of_units([before.unit.as_str()]))?;
        if matches!(verb, DraftVerb::Withdraw) && before.drafter != call.principal.subject {
            return Err(Error::permission_denied(call.action));
        }
        if !etag.is_empty() && etag != before.etag() {
            return Err(Error::aborted_etag(name));
        }
        let (action, note) = match verb {
            DraftVerb::Release => (DraftAction::Release, ""),
            DraftVerb::SendBack { note } => (DraftAction::SendBack, note.as_str()),
            DraftVerb::Withdraw => (DraftAction::Withdraw, ""),
        };
        let by = (call.principal.subject.as_str(), now);
        let after = before.after(action, note, by).map_err(command_refused)?;
        let ledger_number = match verb {
            DraftVerb::Release => self.say(transaction, call, &after).await?,
            DraftVerb::SendBack { .. } | DraftVerb::Withdraw => {
                let task = store::find(transaction.tx(), &before.task).await?;
                task.map_or(0, |record| record.task.ledger_number)
            }
        };
        store::save_draft(transaction.tx(), &before, &after).await?;
        self.tell(transaction, ledger_number, before.version, &after).await?;
        Ok(after)
    }

    /// Says what a draft says, in the name of its unit, and on record who drafted it.
    async fn say(&self, transaction: &mut Transaction, call: &Call, draft: &UnitDraft) -> Result<i64, Error> {
        let Some(record) = store::find(transaction.tx(), &draft.task).await? else {
            return Err(call.scope()?.missing(&draft.task));
        };
        let held = record.task.assignment(&draft.assignment).map_err(command_refused)?;
        let command: AssignmentCommand = draft.word(held).map_err(command_refused)?;
        let name = draft.assignment.clone();
        let ground = format!("{}拟稿，{}审核（{}）", draft.drafter, call.principal.subject, draft.name);
        let change = Change {
            ground: Some(ground),
            ..Change::of_assignment(draft.task.clone(), name, command, String::new())
        };
        Ok(self.change(transaction, call, &change).await?.task.ledger_number)
    }

    /// A draft of a unit that the caller works for.
    pub(crate) async fn unit_draft(&self, call: &Call, name: &str) -> Result<UnitDraft, Error> {
        match store::find_draft(self.db.reader(), name).await? {
            Some(draft) => {
                call.authorize(&Resource::new().of_units([draft.unit.as_str()]))?;
                Ok(draft)
            }
            None => Err(call.scope()?.missing(name)),
        }
    }

    /// A portion of the drafts of a unit that the caller works for.
    pub(crate) async fn unit_drafts(
        &self,
        call: &Call,
        unit: &str,
        state: Option<DraftState>,
        portion: Portion,
    ) -> Result<Vec<(i64, UnitDraft)>, Error> {
        call.authorize(&Resource::new().of_units([unit]))?;
        Ok(store::drafts_of(self.db.reader(), unit, state, portion).await?)
    }

    /// Whether a unit's approver must release what its clerks say.
    pub(crate) async fn release_setting(&self, call: &Call, unit: &str) -> Result<ReleaseSetting, Error> {
        call.authorize(&Resource::new().of_units([unit]))?;
        let (required, version) = store::release_setting(self.db.reader(), unit).await?;
        Ok(ReleaseSetting { unit: unit.to_owned(), required, version })
    }

    /// Says whether it must. What awaits release by then stays a draft.
    pub(crate) async fn set_release(
        &self,
        transaction: &Transaction,
        call: &Call,
        (unit, required): (&str, Option<bool>),
        etag: &str,
    ) -> Result<ReleaseSetting, Error> {
        call.authorize(&Resource::new().of_units([unit]))?;
        let known = self.roster()?.book.unit(unit).is_some_and(|known| known.exists_at(transaction.now()));
        if !known {
            let english = format!("there is no unit {unit}");
            return Err(Error::invalid("setting.name", english, format!("没有这个单位（{unit}）")));
        }
        let (was, version) = store::release_setting(transaction.tx(), unit).await?;
        let before = ReleaseSetting { unit: unit.to_owned(), required: was, version };
        if !etag.is_empty() && etag != before.etag() {
            return Err(Error::aborted_etag(format!("{unit}/releaseSetting")));
        }
        let required = required.unwrap_or(was);
        if required == was {
            return Ok(before);
        }
        store::save_release_setting(transaction.tx(), unit, required, version).await?;
        let payload = serde_json::json!({
            "unit": unit, "releaseRequired": required, "at": transaction.now(),
        });
        let event_type = "supervision.release_setting.changed".to_owned();
        let draft = Draft { event_type, payload: payload.to_string() };
        transaction.append(&format!("{unit}/releaseSetting"), version, vec![draft]).await?;
        Ok(ReleaseSetting { required, version: version + 1, ..before })
    }

    async fn tell(
        &self,
        transaction: &Transaction,
        ledger_number: i64,
        before: i64,
        draft: &UnitDraft,
    ) -> Result<(), Error> {
        let event = draft.event(ledger_number, transaction.now());
        let payload = event.to_payload().map_err(unreadable)?.to_string();
        let told = Draft { event_type: event.event_type().to_owned(), payload };
        let aggregate = draft.name.clone();
        let append = Append { aggregate, expected_version: before, drafts: vec![told] };
        transaction.append_all(std::slice::from_ref(&append)).await?;
        Ok(())
    }
}

/// Whether the caller has a role in a unit.
fn works_for(call: &Call, unit: &str) -> bool {
    call.principal.grants.iter().any(|grant| grant.units.contains(unit))
}

/// Whether what the caller says is a unit's word at once.
pub(super) fn approves(call: &Call, unit: &str) -> bool {
    let mut grants = call.principal.grants.iter().filter(|grant| grant.role == Role::UnitApprover);
    grants.any(|grant| grant.units.contains(unit))
}
