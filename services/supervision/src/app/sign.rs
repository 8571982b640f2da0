//! One act on several assignments at once: signing for them, urging their units, verifying them.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use domain_supervision::{AssignmentCommand, Command, Instrument, InstrumentUse, Task, TaskEvent, decide};
use xietong_events::Append;
use xietong_mesh::{Call, Error, Resource, Transaction};

use super::authority::Authority;
use super::{Supervision, catch_up, drafts, family, timers_after};
use crate::error::command_refused;
use crate::record::Record;
use crate::regulation::Regulation;
use crate::store;

/// Most assignments that are acted on at once.
pub(crate) const MOST_SIGNED: usize = 1_000;

/// What is to be signed for.
#[derive(Debug)]
pub(crate) enum ToSign {
    /// These: of which task, and which of its assignments.
    Named(Vec<(String, String)>),
    /// All that a document gave a unit.
    Document {
        /// `units/{slug}`.
        unit: String,
        /// 文号.
        document_number: String,
    },
}

/// Whose units are to be urged.
#[derive(Debug)]
pub(crate) enum ToUrge {
    /// These: of which task, and which of its assignments.
    Named(Vec<(String, String)>),
    /// All of a task.
    Task(String),
}

/// What became of one assignment.
#[derive(Debug)]
pub(crate) struct Answered {
    /// `tasks/{t}/assignments/{a}`.
    pub(crate) name: String,
    /// Why it was not done.
    pub(crate) outcome: Result<(), Error>,
}

/// What is verified, and how.
#[derive(Debug)]
pub(crate) struct ToVerify {
    /// Of which task, and which of its assignments.
    pub(crate) names: Vec<(String, String)>,
    /// They are accepted, or sent back.
    pub(crate) accept: bool,
    /// Must not be empty where they are sent back.
    pub(crate) note: String,
    /// Every unit the verifier belongs to.
    pub(crate) verifier_units: Vec<String>,
}

/// A task on its way through an act on several.
pub(super) struct Touched {
    before: Task,
    pub(super) after: Record,
    /// What happened, in order, and by what right.
    acts: Vec<(Authority, Vec<TaskEvent>)>,
}

impl Touched {
    /// The task as it was read.
    pub(super) fn new(record: Record) -> Self {
        Touched { before: record.task.clone(), after: record, acts: Vec::new() }
    }

    /// What happened to it, in order.
    pub(super) fn events(&self) -> impl Iterator<Item = &TaskEvent> {
        self.acts.iter().flat_map(|(_, events)| events)
    }

    /// Does what is asked of it by some right, on top of what was done to it before in the same act.
    pub(super) fn take(
        &mut self,
        authority: &Authority,
        regulation: &Regulation,
        command: &Command,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut happened = catch_up(&mut self.after, regulation, now)?;
        let context = regulation.context(&self.after.task, now);
        let outcome = match decide(&self.after.task, command, &context).map_err(command_refused) {
            Ok(events) => {
                self.after.apply(&events).map_err(command_refused)?;
                happened.extend(events);
                Ok(())
            }
            Err(refused) => Err(refused),
        };
        // What merely caught up stays, whether or not the act was possible.
        match self.acts.last_mut().filter(|(by, _)| by == authority) {
            Some((_, events)) => events.extend(happened),
            None if happened.is_empty() => {}
            None => self.acts.push((authority.clone(), happened)),
        }
        outcome
    }
}

/// Writes what was done to each, with its events and timers. Acts done by one and the same right
/// are written together.
pub(super) async fn keep_all<'a>(
    transaction: &Transaction,
    regulation: &Regulation,
    touched: impl Iterator<Item = &'a Touched>,
) -> Result<(), Error> {
    let touched: Vec<&Touched> = touched.filter(|task| !task.acts.is_empty()).collect();
    let changes: Vec<_> = touched.iter().map(|one| (&one.before, &one.after)).collect();
    store::save_all(transaction.tx(), &changes, regulation, transaction.now()).await?;
    let (mut runs, mut due) = (Vec::<(Authority, Vec<Append>)>::new(), Vec::new());
    for one in touched {
        let Touched { before, after, acts } = one;
        transaction.hold(&before.name, one.events().flat_map(|event| event.attachments())).await?;
        let mut version = before.version;
        for (authority, events) in acts {
            let drafts = drafts(events)?;
            let (aggregate, expected_version) = (before.name.clone(), version);
            version += i64::try_from(drafts.len()).map_err(Error::internal)?;
            let append = Append { aggregate, expected_version, drafts };
            match runs.last_mut().filter(|(by, _)| by == authority) {
                Some((_, appends)) => appends.push(append),
                None => runs.push((authority.clone(), vec![append])),
            }
        }
        due.extend(timers_after(before, after, regulation)?);
    }
    for (authority, appends) in &runs {
        transaction.append_stamped(&authority.as_stamp(), appends).await?;
    }
    transaction.schedule(&due).await
}

impl Supervision {
    /// Signs for each that can be signed for. ABORTED when somebody else changed one of the
    /// tasks at the same moment: then none is.
    pub(crate) async fn sign_all(
        &self,
        transaction: &Transaction,
        call: &Call,
        asked: &ToSign,
    ) -> Result<Vec<Answered>, Error> {
        let names = match asked {
            ToSign::Named(names) => names.clone(),
            ToSign::Document { unit, document_number } => {
                // Nobody learns of what a document gave another unit.
                call.authorize(&Resource::new().of_units([unit.as_str()]))?;
                let limit = MOST_SIGNED as u64;
                let names = store::names_to_sign(transaction.tx(), unit, document_number, limit).await?;
                names.into_iter().map(|name| (task_of(&name).to_owned(), name)).collect()
            }
        };
        self.act_on_all(transaction, call, names, &AssignmentCommand::Sign).await
    }

    /// Urges the unit of each that can be urged; of a whole task when no names are given.
    /// ABORTED as in [`Supervision::sign_all`].
    pub(crate) async fn urge_all(
        &self,
        transaction: &Transaction,
        call: &Call,
        asked: &ToUrge,
        ground: &str,
    ) -> Result<Vec<Answered>, Error> {
        let names = match asked {
            ToUrge::Named(names) => names.clone(),
            ToUrge::Task(name) => {
                let record = store::find(transaction.tx(), name).await?;
                let Some(record) = record else { return Err(call.scope()?.missing(name)) };
                let assignments = record.task.assignments.iter();
                assignments.map(|one| (name.clone(), one.name.clone())).collect()
            }
        };
        let command = AssignmentCommand::Press(InstrumentUse {
            instrument: Instrument::Urging,
            ground: ground.to_owned(),
            decision: String::new(),
            by_leader: false,
            skip_lighter: false,
            paper: None,
        });
        self.act_on_all(transaction, call, names, &command).await
    }

    /// Verifies each that can be verified, after [`Supervision::prepare_change`]. ABORTED as in
    /// [`Supervision::sign_all`].
    pub(crate) async fn verify_all(
        &self,
        transaction: &Transaction,
        call: &Call,
        asked: &ToVerify,
    ) -> Result<Vec<Answered>, Error> {
        let command = AssignmentCommand::Verify {
            accept: asked.accept,
            note: asked.note.clone(),
            verifier_units: asked.verifier_units.clone(),
        };
        self.act_on_all(transaction, call, asked.names.clone(), &command).await
    }

    async fn act_on_all(
        &self,
        transaction: &Transaction,
        call: &Call,
        names: Vec<(String, String)>,
        command: &AssignmentCommand,
    ) -> Result<Vec<Answered>, Error> {
        let tasks: Vec<&str> = names.iter().map(|(task, _)| task.as_str()).collect();
        if matches!(command, AssignmentCommand::Verify { accept: true, .. }) {
            // In one order, whoever else does the same.
            store::hold(transaction.tx(), &tasks.iter().copied().collect()).await?;
        }
        let records = store::find_all(transaction.tx(), &tasks).await?;
        let regulation = self.regulations.knowing(transaction.tx(), records.values()).await?;
        let mut touched: BTreeMap<String, Touched> =
            records.into_iter().map(|(name, record)| (name, Touched::new(record))).collect();
        let mut results = Vec::with_capacity(names.len());
        for (task, name) in names {
            let task = touched.get_mut(&task);
            let outcome = self.act(&regulation, transaction, call, task, &name, command).await;
            results.push(Answered { name, outcome });
        }
        keep_all(transaction, &regulation, touched.values()).await?;
        Ok(results)
    }

    async fn act(
        &self,
        regulation: &Regulation,
        transaction: &Transaction,
        call: &Call,
        task: Option<&mut Touched>,
        name: &str,
        command: &AssignmentCommand,
    ) -> Result<(), Error> {
        let Some(task) = task else { return Err(call.scope()?.missing(name)) };
        let Ok(assignment) = task.after.task.assignment(name) else {
            return Err(call.scope()?.missing(name));
        };
        let now = transaction.now();
        let resource = match command {
            AssignmentCommand::Press(_) => task.after.resource_to_press(assignment),
            AssignmentCommand::Sign
            | AssignmentCommand::Deploy { .. }
            | AssignmentCommand::Report { .. }
            | AssignmentCommand::ReportWithMatter { .. }
            | AssignmentCommand::Submit { .. }
            | AssignmentCommand::Verify { .. }
            | AssignmentCommand::RequestExtension { .. }
            | AssignmentCommand::DecideExtension { .. }
            | AssignmentCommand::Milestone(_)
            | AssignmentCommand::SideRoad(_) => task.after.resource_of(assignment),
        };
        let authority = self.authorize(call, &resource, now)?;
        family::admit_command(transaction.tx(), &task.after.task, name, command).await?;
        let command = Command::Assignment { name: name.to_owned(), command: command.clone() };
        task.take(&authority, regulation, &command, now)
    }
}

fn task_of(assignment: &str) -> &str {
    assignment.split_once("/assignments/").map_or(assignment, |(task, _)| task)
}
