//! Changing a task: every verb takes this one way.

use domain_supervision::{
    AssignmentCommand, Command, Instrument, InstrumentUse, Role, SideRoadCommand, SupervisionError, Task,
    TaskEvent, decide,
};
use xietong_mesh::{Call, Error, Transaction};

use super::Particulars;
use super::authority::Authority;
use super::create::{List, NamedUnit, check_units, unknown_units};
use super::revise::Revision;
use super::{Supervision, catch_up, drafts, family, timers_after};
use crate::error::command_refused;
use crate::record::Record;
use crate::regulation::Regulation;
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
    /// One of its assignments, to press for it: by a supervisor, or within a group or a mandate.
    Pressed(String),
    /// What is to be decided on one of its assignments, by whoever decides on it.
    Decision(String),
    /// What one of its assignments waits for, by whoever is waited for.
    Awaited(String),
    /// The same, by whoever is waited for or waits.
    AwaitedOrWaiting(String),
    /// The task as a whole, by a unit that leads it.
    Lead,
    /// What one of its targets came to, by the unit whose figure counts.
    Source {
        /// What it measures.
        measure: String,
        /// Its place, where several measure the same.
        number: Option<u32>,
    },
}

/// What is asked of a task.
#[derive(Debug)]
pub(crate) enum Asked {
    /// A command.
    Command(Command),
    /// An instrument, with the paper that is sent by it.
    Press {
        /// `tasks/{t}/assignments/{a}`.
        name: String,
        /// Which, and why.
        used: InstrumentUse,
        /// What its paper says.
        particulars: Particulars,
    },
    /// To say something else from now on.
    Revise {
        /// What changes.
        revision: Revision,
        /// Why.
        ground: String,
    },
}

impl Asked {
    fn is_interview(&self) -> bool {
        matches!(self, Asked::Press { used, .. } if used.instrument == Instrument::Interview)
    }

    /// The command on the task as it stands, given by whom.
    fn command(&self, task: &Task, authority: &Authority) -> Command {
        match self {
            // Who acts as a leader decides by that; others name the decision.
            Asked::Press { name, used, particulars: _ } => {
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
            AssignmentCommand::Press(_) => Target::Pressed(name.clone()),
            AssignmentCommand::Milestone(_)
            | AssignmentCommand::Sign
            | AssignmentCommand::Deploy { .. }
            | AssignmentCommand::Report { .. }
            | AssignmentCommand::ReportWithMatter { .. }
            | AssignmentCommand::Submit { .. }
            | AssignmentCommand::RequestExtension { .. }
            | AssignmentCommand::Verify { .. } => Target::Assignment(name.clone()),
        };
        let asked = match command {
            AssignmentCommand::Press(used) => Asked::Press { name, used, particulars: Particulars::None },
            command => Asked::Command(Command::Assignment { name, command }),
        };
        Change { task, target, asked, etag, ground: None, validate_only: false }
    }

    /// The same, and the instrument that it uses sends a paper.
    pub(crate) fn sending(mut self, paper: Particulars) -> Self {
        if let Asked::Press { particulars, .. } = &mut self.asked {
            *particulars = paper;
        }
        self
    }

    /// The units that it brings in.
    pub(super) fn names_units(&self) -> Vec<NamedUnit<'_>> {
        let Asked::Command(Command::AddCooperating { units, .. }) = &self.asked else {
            return self.names_unit().into_iter().collect();
        };
        let named = |(at, unit)| NamedUnit { unit, place: "units", list: List::Units, at };
        units.iter().map(String::as_str).enumerate().map(named).collect()
    }

    fn names_unit(&self) -> Option<NamedUnit<'_>> {
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

    /// The name of what it is about: of a target, what it measures.
    pub(crate) fn name(&self) -> &str {
        match &self.target {
            Target::Task | Target::Leads | Target::Lead | Target::Whole => &self.task,
            Target::Source { measure, .. } => measure,
            Target::Assignment(name)
            | Target::Pressed(name)
            | Target::Decision(name)
            | Target::Awaited(name)
            | Target::AwaitedOrWaiting(name) => name,
        }
    }
}

impl Supervision {
    /// Asks the roster if a change brings in units that the copy of it does not know, before the
    /// transaction begins, see [`super::roster`].
    pub(crate) async fn prepare_unit(&self, change: &Change) {
        let units = change.names_units();
        if unknown_units(&self.roster.view(), units, self.now()).next().is_some() {
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
            Target::Pressed(name) => before.resource_to_press(assignment(name)?),
            Target::Decision(_) | Target::Whole => before.resource(),
            Target::Leads => before.resource_of_leads(),
            Target::Lead => before.resource_of_lead_units(),
            Target::Source { measure, number } => before.resource_of_source(measure, *number),
            Target::Awaited(name) => before.resource_of_wait(assignment(name)?, false),
            Target::AwaitedOrWaiting(name) => before.resource_of_wait(assignment(name)?, true),
        };
        let regulation = self.regulations.knowing(transaction.tx(), [&before]).await?;
        let authority = match &change.target {
            // A group calls to an interview within what came from it, on a leader's decision that it
            // names; nothing heavier is a group's.
            Target::Decision(name)
                if change.asked.is_interview()
                    && call.scope()?.permits(&before.resource_to_press(assignment(name)?)) =>
            {
                Authority::Role
            }
            Target::Decision(name) => {
                let decides = before.task.decides(assignment(name)?, regulation.rule_of(&before.task, now));
                self.authorize_decision(call, decides, now)?
            }
            Target::Whole => self.authorize_presider(call, now)?,
            Target::Task
            | Target::Leads
            | Target::Lead
            | Target::Source { .. }
            | Target::Assignment(_)
            | Target::Pressed(_)
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
        // It is said in the name of a lead unit that the caller works for; a supervisor says it himself.
        if matches!(change.target, Target::Lead) && !call.scope()?.all {
            let leads = before.task.assignments.iter().filter(|one| one.role == Role::Lead);
            let scope = call.scope()?;
            for lead in leads.filter(|one| scope.units.contains(&one.unit)) {
                self.require_approver(transaction, call, &lead.unit).await?;
            }
        }
        let units = change.names_units();
        if !units.is_empty() {
            check_units(&self.roster()?, units, now)?;
        }
        let mut after = before.clone();
        let mut events = catch_up(&mut after, &regulation, now)?;
        let command = change.asked.command(&after.task, &authority);
        // A holder may say first when its clock began, and never give itself time afterwards.
        if let Command::Circumstance(known) = &command
            && known.gives_time(&after.task)
            && !call.scope()?.all
        {
            return Err(command_refused(SupervisionError::OwnTime));
        }
        if let Command::Assignment { name, command } = &command {
            family::admit_command(transaction.tx(), &after.task, name, command).await?;
        }
        let decided = decide(&after.task, &command, &regulation.context(&after.task, now));
        let mut decided = decided.map_err(command_refused)?;
        if decided.is_empty() {
            return Ok(before);
        }
        // Refused now is refused to whoever drafts it.
        if let Some(draft) = self.draft_instead(transaction, call, &after.task, change).await? {
            return Ok(Record { drafted: Some(draft), ..before });
        }
        authority.stamp(transaction);
        if let Some(ground) = &change.ground {
            transaction.on_ground(ground);
        }
        if let Asked::Press { particulars, .. } = &change.asked {
            let (by, said) = ((&after, &authority), (decided.as_mut_slice(), particulars));
            self.send_paper(transaction, call, by, said).await?;
        }
        after.apply(&decided).map_err(command_refused)?;
        events.extend(decided);
        if after.task.parent != before.task.parent {
            family::admit_parent(transaction.tx(), &after.task, "").await?;
            store::change_parent(transaction.tx(), &after.task).await?;
        }
        self.keep(transaction, &before, &after, &events, &regulation).await?;
        Ok(after)
    }

    /// Writes what a task became by events, with the timers that follow. ABORTED when somebody else
    /// changed it meanwhile.
    pub(super) async fn keep(
        &self,
        transaction: &Transaction,
        before: &Record,
        after: &Record,
        events: &[TaskEvent],
        regulation: &Regulation,
    ) -> Result<(), Error> {
        store::save(transaction.tx(), &before.task, after, regulation, transaction.now()).await?;
        transaction.append(&before.task.name, before.task.version, drafts(events)?).await?;
        transaction.hold(&before.task.name, events.iter().flat_map(|event| event.attachments())).await?;
        transaction.schedule(&timers_after(&before.task, after, regulation)?).await
    }
}
