//! Changing a task: every verb takes this one way.

use domain_supervision::{AssignmentCommand, Command, InstrumentUse, SideRoadCommand, Task, decide};
use xietong_mesh::{Call, Error, Transaction};

use super::authority::Authority;
use super::create::{List, NamedUnit, check_units, unknown_units};
use super::revise::Revision;
use super::{Supervision, catch_up, drafts, timers_after};
use crate::error::command_refused;
use crate::record::Record;
use crate::store;

/// What a verb is about.
#[derive(Debug)]
pub(crate) enum Target {
    /// The task as a whole.
    Task,
    /// The task as a whole, by those who settle it.
    Leads,
    /// The task as a whole, by whoever presides over the whole city.
    Whole,
    /// One of its assignments, by resource name.
    Assignment(String),
    /// What is to be decided on one of its assignments, by whoever decides on it.
    Decision(String),
    /// What one of its assignments waits for, by whoever is waited for.
    Awaited(String),
    /// The same, by whoever is waited for or waits.
    AwaitedOrWaiting(String),
}

/// What is asked of a task.
#[derive(Debug)]
pub(crate) enum Asked {
    /// A command.
    Command(Command),
    /// To say something else from now on.
    Revise {
        /// What changes.
        revision: Revision,
        /// Why.
        ground: String,
    },
}

impl Asked {
    /// The command on the task as it stands, given by whom.
    fn command(&self, task: &Task, authority: &Authority) -> Command {
        match self {
            // Who acts as a leader decides by that; others name the decision.
            Asked::Command(Command::Assignment { name, command: AssignmentCommand::Press(used) }) => {
                let by_leader = used.instrument.needs_leader() && *authority != Authority::Role;
                let command = AssignmentCommand::Press(InstrumentUse { by_leader, ..used.clone() });
                Command::Assignment { name: name.clone(), command }
            }
            Asked::Command(command) => command.clone(),
            Asked::Revise { revision, ground } => {
                Command::Revise { content: Box::new(revision.of(task)), ground: ground.clone() }
            }
        }
    }
}

/// A verb on an existing task.
#[derive(Debug)]
pub(crate) struct Change {
    /// `tasks/{id}`.
    pub(crate) task: String,
    /// What it is about, which is what permission depends on.
    pub(crate) target: Target,
    /// What is asked.
    pub(crate) asked: Asked,
    /// The version it was decided on; empty when the caller does not say.
    pub(crate) etag: String,
    /// On what ground, when the caller states one.
    pub(crate) ground: Option<String>,
    /// The transaction is not committed.
    pub(crate) validate_only: bool,
}

impl Change {
    /// A verb on one assignment of a task.
    pub(crate) fn of_assignment(
        task: String,
        name: String,
        command: AssignmentCommand,
        etag: String,
    ) -> Self {
        let target = match &command {
            AssignmentCommand::DecideExtension { .. } => Target::Decision(name.clone()),
            AssignmentCommand::SideRoad(command) => match command {
                SideRoadCommand::Suspend { .. } | SideRoadCommand::Resume { .. } => {
                    Target::Decision(name.clone())
                }
                SideRoadCommand::AcceptWait => Target::Awaited(name.clone()),
                SideRoadCommand::EndWait { .. } => Target::AwaitedOrWaiting(name.clone()),
                SideRoadCommand::Return { .. }
                | SideRoadCommand::RefuseReturn { .. }
                | SideRoadCommand::Reassign { .. }
                | SideRoadCommand::Wait { .. }
                | SideRoadCommand::RuleOnWait { .. }
                | SideRoadCommand::Recheck { .. }
                | SideRoadCommand::Reopen { .. } => Target::Assignment(name.clone()),
            },
            // Whoever decides on the assignment decides on what is done about it; a supervisor
            // reaches every unit's.
            AssignmentCommand::Press(InstrumentUse { instrument, .. }) if instrument.needs_leader() => {
                Target::Decision(name.clone())
            }
            AssignmentCommand::Press(_)
            | AssignmentCommand::Sign
            | AssignmentCommand::Deploy { .. }
            | AssignmentCommand::Report { .. }
            | AssignmentCommand::ReportWithMatter { .. }
            | AssignmentCommand::Submit { .. }
            | AssignmentCommand::RequestExtension { .. }
            | AssignmentCommand::Verify { .. } => Target::Assignment(name.clone()),
        };
        let asked = Asked::Command(Command::Assignment { name, command });
        Change { task, target, asked, etag, ground: None, validate_only: false }
    }

    /// The unit that it brings in.
    pub(super) fn names_unit(&self) -> Option<NamedUnit<'_>> {
        let Asked::Command(Command::Assignment { command: AssignmentCommand::SideRoad(command), .. }) =
            &self.asked
        else {
            return None;
        };
        let unit = match command {
            SideRoadCommand::Reassign { unit, .. } | SideRoadCommand::Wait { on: unit, .. } => unit,
            SideRoadCommand::Return { .. }
            | SideRoadCommand::RefuseReturn { .. }
            | SideRoadCommand::Suspend { .. }
            | SideRoadCommand::Resume { .. }
            | SideRoadCommand::AcceptWait
            | SideRoadCommand::RuleOnWait { .. }
            | SideRoadCommand::EndWait { .. }
            | SideRoadCommand::Recheck { .. }
            | SideRoadCommand::Reopen { .. } => return None,
        };
        Some(NamedUnit { unit, place: "unit", list: List::Alone, at: 0 })
    }

    /// The resource name of what it is about.
    pub(crate) fn name(&self) -> &str {
        match &self.target {
            Target::Task | Target::Leads | Target::Whole => &self.task,
            Target::Assignment(name)
            | Target::Decision(name)
            | Target::Awaited(name)
            | Target::AwaitedOrWaiting(name) => name,
        }
    }
}

impl Supervision {
    /// Asks the roster if a change brings in a unit that the copy of it does not know, before the
    /// transaction begins, see [`super::roster`].
    pub(crate) async fn prepare_unit(&self, change: &Change) {
        let Some(unit) = change.names_unit() else { return };
        if unknown_units(&self.roster.view(), vec![unit], self.now()).next().is_some() {
            self.roster.ask().await;
        }
    }

    /// Carries out a verb, after [`Supervision::prepare_change`]. ABORTED when the etag is not the current one, or when somebody
    /// else changed the task at the same moment.
    pub(crate) async fn change(
        &self,
        transaction: &mut Transaction,
        call: &Call,
        change: &Change,
    ) -> Result<Record, Error> {
        let now = transaction.now();
        let before = match store::find(transaction.tx(), &change.task).await? {
            Some(record) => record,
            None => return Err(call.scope()?.missing(&change.task)),
        };
        let assignment = |name: &str| match before.task.assignment(name) {
            Ok(assignment) => Ok(assignment),
            Err(_) => Err(call.scope()?.missing(name)),
        };
        let resource = match &change.target {
            Target::Task => before.resource(),
            Target::Assignment(name) => before.resource_of(assignment(name)?),
            Target::Decision(_) | Target::Whole => before.resource(),
            Target::Leads => before.resource_of_leads(),
            Target::Awaited(name) => before.resource_of_wait(assignment(name)?, false),
            Target::AwaitedOrWaiting(name) => before.resource_of_wait(assignment(name)?, true),
        };
        let regulation = self.regulations.knowing(transaction.tx(), [&before]).await?;
        let authority = match &change.target {
            Target::Decision(name) => {
                let decides = before.task.decides(assignment(name)?, regulation.rule_of(&before.task, now));
                self.authorize_decision(call, decides, now)?
            }
            Target::Whole => self.authorize_presider(call, now)?,
            Target::Task
            | Target::Leads
            | Target::Assignment(_)
            | Target::Awaited(_)
            | Target::AwaitedOrWaiting(_) => self.authorize(call, &resource, now)?,
        };
        if !change.etag.is_empty() && change.etag != before.etag() {
            return Err(Error::aborted_etag(&change.task));
        }
        if let Asked::Revise { revision, .. } = &change.asked {
            check_units(&self.roster()?, revision.units(), now)?;
            revision.check_kept(&before.task)?;
        }
        if let Some(unit) = change.names_unit() {
            check_units(&self.roster()?, vec![unit], now)?;
        }
        let mut after = before.clone();
        let mut events = catch_up(&mut after, &regulation, now)?;
        let command = change.asked.command(&after.task, &authority);
        let decided = decide(&after.task, &command, &regulation.context(&after.task, now));
        let decided = decided.map_err(command_refused)?;
        if decided.is_empty() {
            return Ok(before);
        }
        after.apply(&decided).map_err(command_refused)?;
        events.extend(decided);

        authority.stamp(transaction);
        if let Some(ground) = &change.ground {
            transaction.on_ground(ground);
        }
        store::save(transaction.tx(), &before.task, &after, &regulation, transaction.now()).await?;
        transaction.append(&change.task, before.task.version, drafts(&events)?).await?;
        transaction.hold(&change.task, events.iter().flat_map(|event| event.attachments())).await?;
        transaction.schedule(&timers_after(&before.task, &after, &regulation)?).await?;
        Ok(after)
    }
}
