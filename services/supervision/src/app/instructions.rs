//! What leaders write on tasks, and signing for it.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use domain_supervision::{Command, Instruction, TaskChange, TaskEvent, WholeTaskEvent, decide};
use xietong_mesh::{Call, Error, Transaction};
use xietong_timers::MachineClock;

use super::authority::Authority;
use super::{Supervision, catch_up, timers};
use crate::error::command_refused;
use crate::store::{self, Portion};

/// What a leader writes.
#[derive(Debug)]
pub(crate) struct ToInstruct {
    /// `tasks/{id}`.
    pub(crate) task: String,
    /// What it says.
    pub(crate) text: String,
    /// Units of the task.
    pub(crate) units: Vec<String>,
    /// `officials/{id}`.
    pub(crate) officials: Vec<String>,
    /// By when.
    pub(crate) due_at: Option<Timestamp>,
    /// The task's version it was written on; empty when the caller does not say.
    pub(crate) etag: String,
}

/// An instruction, and the task that it became.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) instruction: Instruction,
    /// `tasks/{id}`.
    pub(crate) became: Option<String>,
}

impl Supervision {
    /// Writes an instruction on a task, after [`Supervision::prepare_change`].
    pub(crate) async fn instruct(
        &self,
        transaction: &mut Transaction,
        call: &Call,
        asked: &ToInstruct,
    ) -> Result<Written, Error> {
        let now = transaction.now();
        let Some(before) = store::find(transaction.tx(), &asked.task).await? else {
            return Err(call.scope()?.missing(&asked.task));
        };
        let authority = self.authority_to_instruct(call, &before, &asked.units, now)?;
        if !asked.etag.is_empty() && asked.etag != before.etag() {
            return Err(Error::aborted_etag(&asked.task));
        }
        let roster = self.roster()?;
        for (at, official) in asked.officials.iter().enumerate() {
            if roster.book.official(official).is_none() {
                let (english, chinese) = (format!("there is no official {official}"), "没有这位人员");
                return Err(Error::invalid(format!("officials[{at}]"), english, chinese));
            }
        }
        let leader = match &authority {
            Authority::StandingIn { official, .. } | Authority::Mandated { official, .. } => {
                Some(official.clone())
            }
            Authority::Role
            | Authority::InPerson
            | Authority::InCharge { .. }
            | Authority::Designated { .. }
            | Authority::Presiding { .. } => call.principal.official.clone(),
        };
        let leader = leader.ok_or_else(|| Error::permission_denied(call.action))?;
        let regulation = self.regulations.knowing(transaction.tx(), [&before]).await?;
        let mut after = before.clone();
        let mut events = catch_up(&mut after, &regulation, now)?;
        let instruction = Instruction {
            name: format!("{}/instructions/{}", asked.task, MachineClock::system().new_id()),
            leader,
            text: asked.text.clone(),
            units: asked.units.clone(),
            officials: asked.officials.clone(),
            due_at: asked.due_at,
            given_at: now,
            signatures: Vec::new(),
            urged_at: None,
            urged: BTreeSet::new(),
        };
        let command = Command::Instruct(Box::new(instruction));
        let decided = decide(&after.task, &command, &regulation.context(&after.task, now));
        let decided = decided.map_err(command_refused)?;
        after.apply(&decided).map_err(command_refused)?;
        let instruction =
            decided.iter().find_map(instruction_in).ok_or_else(|| Error::internal(NotWritten))?;
        events.extend(decided);

        authority.stamp(transaction);
        self.keep(transaction, &before, &after, &events, &regulation).await?;
        store::keep_instruction(transaction.tx(), &asked.task, &instruction).await?;
        transaction
            .schedule(timers::of_instruction(&after.task, &instruction, regulation.calendar())?.as_slice())
            .await?;
        Ok(Written { instruction, became: None })
    }

    /// Signs for an instruction: for each addressed unit whose work the caller does, and for the
    /// caller himself.
    pub(crate) async fn sign_instruction(
        &self,
        transaction: &Transaction,
        call: &Call,
        (task, name): (&str, &str),
        etag: &str,
    ) -> Result<Written, Error> {
        let now = transaction.now();
        let scope = call.scope()?;
        let Some(mut instruction) = store::find_instruction(transaction.tx(), name).await? else {
            return Err(scope.missing(name));
        };
        let own = call.principal.official.as_deref();
        let signs = |one: &&str| scope.units.contains(*one) || own == Some(*one);
        let addressed: Vec<String> = instruction.addressees().filter(signs).map(str::to_owned).collect();
        if addressed.is_empty() {
            return Err(scope.missing(name));
        }
        if !etag.is_empty() && etag != instruction_etag(&instruction) {
            return Err(Error::aborted_etag(name));
        }
        let Some(before) = store::find(transaction.tx(), task).await? else {
            return Err(scope.missing(task));
        };
        let regulation = self.regulations.knowing(transaction.tx(), [&before]).await?;
        let mut after = before.clone();
        let mut events = catch_up(&mut after, &regulation, now)?;
        let signers: BTreeSet<&str> = addressed.iter().map(String::as_str).collect();
        let signed = instruction.sign(&after.task, &signers, now).map_err(command_refused)?;
        instruction.apply(&signed);
        after.apply(std::slice::from_ref(&signed)).map_err(command_refused)?;
        events.push(signed);
        self.keep(transaction, &before, &after, &events, &regulation).await?;
        store::save_instruction(transaction.tx(), &instruction).await?;
        let became = store::task_from(transaction.tx(), name).await?;
        Ok(Written { instruction, became })
    }

    /// An instruction, for whoever may see its task and whom it is addressed to.
    pub(crate) async fn instruction(
        &self,
        call: &Call,
        (task, name): (&str, &str),
    ) -> Result<Written, Error> {
        let found = store::find_instruction(self.db.reader(), name).await?;
        let own = call.principal.official.as_ref();
        let addressed = found.as_ref().is_some_and(|one| own.is_some_and(|own| one.officials.contains(own)));
        if !addressed {
            self.get(call, task).await?;
        }
        let Some(instruction) = found else { return Err(Error::not_found(name)) };
        let became = store::task_from(self.db.reader(), name).await?;
        Ok(Written { instruction, became })
    }

    /// A portion of the instructions on a task that the caller may see.
    pub(crate) async fn instructions(
        &self,
        call: &Call,
        task: &str,
        portion: Portion,
    ) -> Result<Vec<(i64, Written)>, Error> {
        self.get(call, task).await?;
        let found = store::instructions_of(self.db.reader(), task, portion).await?;
        let mut written = Vec::with_capacity(found.len());
        for (number, instruction) in found {
            let became = store::task_from(self.db.reader(), &instruction.name).await?;
            written.push((number, Written { instruction, became }));
        }
        Ok(written)
    }
}

/// Changes with every signature, and when somebody was urged.
pub(crate) fn instruction_etag(instruction: &Instruction) -> String {
    let urged = instruction.urged.len().max(usize::from(instruction.urged_at.is_some()));
    format!("v{}", 1 + instruction.signatures.len() + urged)
}

/// What an event says was written; none when it is another event.
fn instruction_in(event: &TaskEvent) -> Option<Instruction> {
    let TaskEvent::Task(WholeTaskEvent { change: TaskChange::Instructed { instruction, .. }, .. }) = event
    else {
        return None;
    };
    Some((**instruction).clone())
}

/// An instruction was decided without being written: a fault of ours.
#[derive(Debug, thiserror::Error)]
#[error("an instruction gave no event")]
struct NotWritten;
