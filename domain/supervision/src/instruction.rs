//! [`Instruction`]: what a leader wrote on a task (批示), to whom, and who has signed for it.
//!
//! Each unit that it is addressed to signs for it, and each official. When it says by when, whoever
//! has not signed by then, or has reported nothing since, is urged once: at the next working moment
//! unless the task is urgent, not while the unit's clock stands still, and not while another urging
//! of it is fresh.

use std::collections::BTreeSet;
use std::time::Duration;

use domain_calendar::{Calendar, Timestamp};
use serde::{Deserialize, Serialize};

use crate::assignment::{Action, Assignment, AssignmentState};
use crate::deadline::hold;
use crate::decide::{Context, facts, said};
use crate::error::{NotEmpty, SupervisionError};
use crate::event::{TaskChange, TaskEvent, TaskFacts};
use crate::task::{Task, TaskState};

/// When a unit whose clock stands still is looked at again.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(86_400);

/// What a leader wrote on a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Instruction {
    /// Resource name, `tasks/{t}/instructions/{i}`.
    pub name: String,
    /// The leader whose word it is, `officials/{id}`, whoever entered it.
    pub leader: String,
    /// What he wrote; not empty.
    pub text: String,
    /// Units of the task that it is addressed to, `units/{slug}`.
    pub units: Vec<String>,
    /// Officials that it is addressed to, `officials/{id}`.
    pub officials: Vec<String>,
    /// By when what it asks is to be done, if it says so.
    pub due_at: Option<Timestamp>,
    /// When it was given.
    pub given_at: Timestamp,
    /// Who has signed for it, in order.
    #[serde(default)]
    pub signatures: Vec<Signature>,
    /// When somebody who owed something was last urged, once what it asks was due.
    #[serde(default)]
    pub urged_at: Option<Timestamp>,
    /// Who was urged, each once. Empty though [`Instruction::urged_at`] is set: all of them, by a
    /// version that urged all at once.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub urged: BTreeSet<String>,
}

/// Whether one of those addressed can be urged now.
enum Urging {
    Now,
    /// Perhaps then.
    Later(Timestamp),
}

/// That one of those addressed has signed for an instruction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Signature {
    /// The unit or the official that it was addressed to.
    pub addressee: String,
    /// When.
    pub at: Timestamp,
}

impl Instruction {
    /// Whom it is addressed to: units first, then officials.
    pub fn addressees(&self) -> impl Iterator<Item = &str> {
        self.units.iter().chain(&self.officials).map(String::as_str)
    }

    /// Those that have not signed for it.
    pub fn unsigned(&self) -> impl Iterator<Item = &str> {
        self.addressees().filter(|one| self.signatures.iter().all(|signed| signed.addressee != *one))
    }

    /// The event that follows when some of those addressed sign for it; those that have signed
    /// before, and who is not addressed, are left out.
    pub fn sign(
        &self,
        task: &Task,
        signers: &BTreeSet<&str>,
        now: Timestamp,
    ) -> Result<TaskEvent, SupervisionError> {
        let signed: Vec<String> =
            self.unsigned().filter(|one| signers.contains(one)).map(str::to_owned).collect();
        if signed.is_empty() {
            return Err(SupervisionError::InstructionSigned);
        }
        let change = TaskChange::InstructionSigned { instruction: self.name.clone(), signed };
        Ok(TaskEvent::on_task(TaskFacts::of(task), now, change))
    }

    /// Those who owe something at an instant: nothing before it is due. A unit that is done with the
    /// matter owes nothing.
    pub fn owing(&self, task: &Task, now: Timestamp) -> Vec<String> {
        if self.due_at.is_none_or(|due| now < due) || task.state != TaskState::Issued {
            return Vec::new();
        }
        let unsigned: BTreeSet<&str> = self.unsigned().collect();
        let owes = |one: &&str| match held_by(task, one) {
            Some(held) if !under_way(held) => false,
            Some(held) => unsigned.contains(one) || self.is_unanswered_by(held),
            // A unit that holds it no longer owes nothing; an official never held it.
            None => self.officials.iter().any(|official| official == *one) && unsigned.contains(one),
        };
        self.addressees().filter(owes).map(str::to_owned).collect()
    }

    /// Whether a unit has reported nothing since it was given.
    fn is_unanswered_by(&self, held: &Assignment) -> bool {
        held.last_report_at.is_none_or(|at| at < self.given_at)
    }

    /// When its timer fires first, if it says by when; an instant at which somebody may be told.
    pub fn looked_at(&self, task: &Task, calendar: &Calendar) -> Option<Timestamp> {
        self.due_at.map(|due| told_at(task, calendar, due))
    }

    /// What follows when its timer fires: nothing too early, nobody urged twice, nothing when nobody
    /// who may be urged now owes anything.
    pub fn fire(&self, task: &Task, context: &Context<'_>) -> Option<TaskEvent> {
        let mut owing = self.owing(task, context.now);
        owing.retain(|one| !self.was_urged(one) && matches!(urging(task, one, context), Urging::Now));
        if owing.is_empty() {
            return None;
        }
        let assignments = task.assignments.iter().filter(|one| owing.contains(&one.unit));
        let unsigned = self.unsigned().filter(|one| owing.iter().any(|owes| owes == one)).map(str::to_owned);
        let silent = task.assignments.iter().filter(|one| self.is_unanswered_by(one));
        let silent = silent.map(|one| one.unit.clone()).filter(|unit| owing.contains(unit));
        let change = TaskChange::InstructionDue {
            unsigned: Some(unsigned.collect()),
            unreported: Some(silent.collect()),
            instruction: self.name.clone(),
            leader: self.leader.clone(),
            text: self.text.clone(),
            assignments: assignments.map(|one| facts(task, one, context)).collect(),
            owing,
        };
        Some(TaskEvent::on_task(TaskFacts::of(task), context.now, change))
    }

    /// When to look again at those who owe something and could not be urged yet; after what
    /// [`Instruction::fire`] gave was applied.
    pub fn postponed(&self, task: &Task, context: &Context<'_>) -> Option<Timestamp> {
        let owing = self.owing(task, context.now);
        let waiting = owing.iter().filter(|one| !self.was_urged(one));
        let later = waiting.filter_map(|one| match urging(task, one, context) {
            Urging::Now => None,
            Urging::Later(at) => Some(at),
        });
        later.min()
    }

    fn was_urged(&self, one: &str) -> bool {
        self.urged_at.is_some() && (self.urged.is_empty() || self.urged.contains(one))
    }

    /// Takes in one event of its task; what is another instruction's changes nothing.
    pub fn apply(&mut self, event: &TaskEvent) {
        let TaskEvent::Task(event) = event else { return };
        match &event.change {
            TaskChange::InstructionSigned { instruction, signed } if *instruction == self.name => {
                let signed = signed.iter();
                self.signatures.extend(signed.map(|one| Signature { addressee: one.clone(), at: event.at }));
            }
            TaskChange::InstructionDue { instruction, owing, .. } if *instruction == self.name => {
                self.urged_at = Some(event.at);
                self.urged.extend(owing.iter().cloned());
            }
            TaskChange::Created { .. }
            | TaskChange::Issued { .. }
            | TaskChange::Backfilled { .. }
            | TaskChange::Revised { .. }
            | TaskChange::Rebased { .. }
            | TaskChange::Withdrawn { .. }
            | TaskChange::StruckOff { .. }
            | TaskChange::Reopened { .. }
            | TaskChange::Circumstance { .. }
            | TaskChange::JoinedMatter { .. }
            | TaskChange::LeftMatter { .. }
            | TaskChange::Instructed { .. }
            | TaskChange::InstructionSigned { .. }
            | TaskChange::InstructionDue { .. }
            | TaskChange::Figure(_)
            | TaskChange::CooperatingAdded { .. } => {}
        }
    }
}

/// The event that follows when a leader writes an instruction, or why it is refused.
pub(crate) fn instruct(
    task: &Task,
    asked: &Instruction,
    context: &Context<'_>,
) -> Result<TaskEvent, SupervisionError> {
    match task.state {
        TaskState::Issued => {}
        state @ (TaskState::Draft | TaskState::StruckOff | TaskState::Withdrawn) => {
            return Err(SupervisionError::TaskRefused { action: Action::Instruct, state });
        }
    }
    let text = said(&asked.text, NotEmpty::Instruction)?;
    let (units, officials) = (each_once(&asked.units), each_once(&asked.officials));
    if units.is_empty() && officials.is_empty() {
        return Err(SupervisionError::NoAddressee);
    }
    let mut assignments = Vec::with_capacity(units.len());
    for unit in &units {
        let held = task.assignments.iter().find(|one| one.unit == *unit);
        let held = held.ok_or_else(|| SupervisionError::NotOfTask { unit: unit.clone() })?;
        held.state.after(Action::Instruct)?;
        assignments.push(facts(task, held, context));
    }
    if let Some(due) = asked.due_at.filter(|due| *due <= context.now) {
        return Err(SupervisionError::TimePassed { at: due });
    }
    let instruction = Instruction {
        text,
        units,
        officials,
        given_at: context.now,
        signatures: Vec::new(),
        urged_at: None,
        urged: BTreeSet::new(),
        ..asked.clone()
    };
    let change = TaskChange::Instructed { instruction: Box::new(instruction), assignments };
    Ok(TaskEvent::on_task(TaskFacts::of(task), context.now, change))
}

fn each_once(names: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.iter().filter(|name| seen.insert(name.as_str())).cloned().collect()
}

fn held_by<'t>(task: &'t Task, unit: &str) -> Option<&'t Assignment> {
    task.assignments.iter().find(|held| held.unit == unit)
}

/// Whether it is still the unit's to do. What is suspended or returned may become so again, and its
/// clock stands still until then.
fn under_way(held: &Assignment) -> bool {
    match held.state {
        AssignmentState::Assigned
        | AssignmentState::Signed
        | AssignmentState::Deployed
        | AssignmentState::InProgress
        | AssignmentState::Suspended
        | AssignmentState::Returned => true,
        AssignmentState::Pending
        | AssignmentState::Submitted
        | AssignmentState::StruckOff
        | AssignmentState::Withdrawn => false,
    }
}

/// Whether one of those who owe something can be urged at this instant.
fn urging(task: &Task, one: &str, context: &Context<'_>) -> Urging {
    let Context { rule, calendar, now } = *context;
    let told = |at| told_at(task, calendar, at);
    let held = held_by(task, one);
    if held.is_some_and(|held| held.state.after(Action::Press).is_err() || hold(held).is_some()) {
        return Urging::Later(told(now.saturating_add(LOOK_AGAIN_AFTER)));
    }
    let urged_at = held.and_then(Assignment::last_urged_at);
    let cooled = urged_at.map_or(Timestamp::MIN, |at| at.saturating_add(rule.ladder.cool_down()));
    match told(cooled.max(now)) {
        at if at <= now => Urging::Now,
        at => Urging::Later(at),
    }
}

/// The next moment at which somebody may be told of a task.
fn told_at(task: &Task, calendar: &Calendar, at: Timestamp) -> Timestamp {
    if task.is_urgent() { at } else { calendar.next_working_moment(at) }
}
