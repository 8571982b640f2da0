//! Signing for several assignments at once.

use std::collections::BTreeMap;

use domain_supervision::{AssignmentCommand, Command, Task, TaskEvent, decide};
use xietong_events::Append;
use xietong_mesh::{Call, Error, Resource, Transaction};

use super::{Supervision, catch_up, drafts, timers_after};
use crate::error::command_refused;
use crate::record::Record;
use crate::regulation::Regulation;
use crate::store;

/// Most assignments that are signed for in one act.
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

/// What became of one assignment.
#[derive(Debug)]
pub(crate) struct SignedFor {
    /// `tasks/{t}/assignments/{a}`.
    pub(crate) name: String,
    /// Why it was not signed for.
    pub(crate) outcome: Result<(), Error>,
}

/// A task on its way through the act.
struct Touched {
    before: Task,
    after: Record,
    events: Vec<TaskEvent>,
}

impl Supervision {
    /// Signs for each that can be signed for. ABORTED when somebody else changed one of the
    /// tasks at the same moment: then none is.
    pub(crate) async fn sign_all(
        &self,
        transaction: &Transaction,
        call: &Call,
        asked: &ToSign,
    ) -> Result<Vec<SignedFor>, Error> {
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
        let tasks: Vec<&str> = names.iter().map(|(task, _)| task.as_str()).collect();
        let records = store::find_all(transaction.tx(), &tasks).await?;
        let regulation = self.regulations.knowing(transaction.tx(), records.values()).await?;
        let mut touched: BTreeMap<String, Touched> = records
            .into_iter()
            .map(|(name, record)| {
                (name, Touched { before: record.task.clone(), after: record, events: vec![] })
            })
            .collect();
        let mut results = Vec::with_capacity(names.len());
        for (task, name) in names {
            let outcome = sign(&regulation, transaction, call, touched.get_mut(&task), &name);
            results.push(SignedFor { name, outcome });
        }

        let (mut appends, mut due) = (Vec::new(), Vec::new());
        for Touched { before, after, events } in touched.values().filter(|task| !task.events.is_empty()) {
            store::save(transaction.tx(), before, after, &regulation).await?;
            let (aggregate, expected_version) = (before.name.clone(), before.version);
            appends.push(Append { aggregate, expected_version, drafts: drafts(events)? });
            due.extend(timers_after(before, after, &regulation)?);
        }
        transaction.append_all(&appends).await?;
        transaction.schedule(&due).await?;
        Ok(results)
    }
}

fn sign(
    regulation: &Regulation,
    transaction: &Transaction,
    call: &Call,
    task: Option<&mut Touched>,
    name: &str,
) -> Result<(), Error> {
    let Some(task) = task else { return Err(call.scope()?.missing(name)) };
    let Ok(assignment) = task.after.task.assignment(name) else {
        return Err(call.scope()?.missing(name));
    };
    call.authorize(&task.after.resource_of(assignment))?;
    let now = transaction.now();
    let caught_up = catch_up(&mut task.after, regulation, now)?;
    task.events.extend(caught_up);
    let command = Command::Assignment { name: name.to_owned(), command: AssignmentCommand::Sign };
    let context = regulation.context(&task.after.task, now);
    let events = decide(&task.after.task, &command, &context).map_err(command_refused)?;
    task.after.apply(&events).map_err(command_refused)?;
    task.events.extend(events);
    Ok(())
}

fn task_of(assignment: &str) -> &str {
    assignment.split_once("/assignments/").map_or(assignment, |(task, _)| task)
}
