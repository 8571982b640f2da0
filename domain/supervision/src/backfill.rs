//! [`backfill`]: entering work that was under way before the system knew of it.
//!
//! Its dates and states are taken as told. Nobody is told of it, and nothing that was due
//! before its entry is owed or counted late: the clock of this system began with it.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::assignment::{Action, Assignment, AssignmentState};
use crate::deadline::clocks;
use crate::decide::Context;
use crate::error::SupervisionError;
use crate::event::{AssignmentFacts, TaskChange, TaskEvent, TaskFacts};
use crate::task::{Task, TaskState};

/// How work stood when it was entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backfill {
    /// When it was issued, in another system or on paper.
    pub issued_at: Timestamp,
    /// Where each assignment of the task stands, in their order.
    pub standings: Vec<StandingThen>,
}

/// Where an assignment stood when it was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "state", rename_all_fields = "camelCase")]
pub enum StandingThen {
    /// 已交办.
    Assigned,
    /// 已签收.
    Signed,
    /// 已部署.
    Deployed,
    /// 办理中.
    InProgress,
    /// 已销号.
    StruckOff {
        /// When it was completed.
        completed_at: Timestamp,
    },
}

/// An assignment as a backfill leaves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackfilledAssignment {
    /// What a notice needs to know of it.
    #[serde(flatten)]
    pub facts: AssignmentFacts,
    /// Where it stands.
    pub standing: StandingThen,
}

impl StandingThen {
    fn state(self) -> AssignmentState {
        match self {
            Self::Assigned => AssignmentState::Assigned,
            Self::Signed => AssignmentState::Signed,
            Self::Deployed => AssignmentState::Deployed,
            Self::InProgress => AssignmentState::InProgress,
            Self::StruckOff { .. } => AssignmentState::StruckOff,
        }
    }
}

/// The event that makes a draft work under way, or why not: an instant lies ahead. One whose
/// settle date has passed is red from its entry on, and neither counted late nor told of.
pub fn backfill(
    task: &Task,
    backfill: &Backfill,
    context: &Context<'_>,
) -> Result<TaskEvent, SupervisionError> {
    let state = task.state;
    if state != TaskState::Draft {
        return Err(SupervisionError::TaskRefused { action: Action::Issue, state });
    }
    task.check_issuable()?;
    if backfill.standings.len() != task.assignments.len() {
        return Err(SupervisionError::NoStanding);
    }
    let ends = backfill.standings.iter().filter_map(|standing| match standing {
        StandingThen::StruckOff { completed_at } => Some(*completed_at),
        StandingThen::Assigned | StandingThen::Signed | StandingThen::Deployed | StandingThen::InProgress => {
            None
        }
    });
    if let Some(at) = std::iter::once(backfill.issued_at).chain(ends).find(|at| *at > context.now) {
        return Err(SupervisionError::Ahead { at });
    }
    let completed = settled(task, &backfill.standings);
    let mut assignments = Vec::with_capacity(task.assignments.len());
    for (one, standing) in task.assignments.iter().zip(&backfill.standings) {
        let standing = match (standing, completed) {
            (StandingThen::StruckOff { .. }, _) | (_, None) => *standing,
            // A unit that only cooperates is done when those who settle the task are.
            (_, Some(completed_at)) => StandingThen::StruckOff { completed_at },
        };
        let mut entered = one.clone();
        entered.backfill(standing, backfill.issued_at, context.now);
        let clocks = clocks(task, &entered, context.rule, context.calendar);
        let facts = AssignmentFacts::of(&entered, clocks.due);
        assignments.push(BackfilledAssignment { facts, standing });
    }
    let (rule_version, issued_at) = (context.rule.version, backfill.issued_at);
    let change = TaskChange::Backfilled { rule_version, issued_at, assignments };
    Ok(TaskEvent::on_task(TaskFacts::of(task), context.now, change))
}

/// When the task was completed, if all that settles it was struck off.
fn settled(task: &Task, standings: &[StandingThen]) -> Option<Timestamp> {
    let role = task.settling_role();
    let settling = task.assignments.iter().zip(standings).filter(|(one, _)| one.role == role);
    let completions = settling.map(|(_, standing)| match standing {
        StandingThen::StruckOff { completed_at } => Some(*completed_at),
        StandingThen::Assigned | StandingThen::Signed | StandingThen::Deployed | StandingThen::InProgress => {
            None
        }
    });
    completions.collect::<Option<Vec<_>>>()?.into_iter().max()
}

impl Assignment {
    /// Takes over where work stood, at the instant it was entered.
    pub(crate) fn backfill(&mut self, standing: StandingThen, issued_at: Timestamp, at: Timestamp) {
        let state = standing.state();
        let done = |since: AssignmentState| (state >= since).then_some(issued_at);
        self.state = state;
        self.assigned_at = Some(issued_at);
        self.signed_at = done(AssignmentState::Signed);
        self.deployed_at = done(AssignmentState::Deployed);
        self.completed_at = match standing {
            StandingThen::StruckOff { completed_at } => Some(completed_at),
            StandingThen::Assigned
            | StandingThen::Signed
            | StandingThen::Deployed
            | StandingThen::InProgress => None,
        };
        self.counted_from = Some(at);
    }
}

impl Task {
    /// Work is done when all that settles it was struck off before.
    pub(crate) fn state_after_backfill(&self) -> TaskState {
        if self.settling_assignments().all(|one| one.state == AssignmentState::StruckOff) {
            TaskState::StruckOff
        } else {
            TaskState::Issued
        }
    }
}
