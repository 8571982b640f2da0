//! The side roads of an assignment: returned as misdirected and reassigned, suspended on the
//! long-term ledger, waiting on another unit, rechecked and reopened.
//!
//! One pause at a time: whoever waits for an answer gets it before anything else is asked.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use time::Date;

use crate::assignment::{Action, Assignment, Role};
use crate::decide::{Context, facts, happened, said};
use crate::error::{NotEmpty, SupervisionError};
use crate::event::{AssignmentChange, TaskChange, TaskEvent, TaskFacts};
use crate::rule::end_of;
use crate::side_road_event::SideRoad;
use crate::task::{Task, TaskState};

/// A return as misdirected that is not decided yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Misdirection {
    /// Why it is not the unit's.
    pub reason: String,
    /// When it was returned: what the light had reached by then, it keeps.
    pub returned_at: Timestamp,
}

/// 挂账: no clock runs until it is resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Suspension {
    /// Why nothing can be done now.
    pub ground: String,
    /// The day to look at it again, Asia/Shanghai.
    #[serde(with = "crate::date_text::whole")]
    pub review_date: Date,
    /// Since when.
    pub since: Timestamp,
}

/// What a unit needs of another before it can go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wait {
    /// The other unit, `units/{slug}`.
    pub on: String,
    /// What is needed of it.
    pub need: String,
    /// When it was asked for: the clock stands still from then, once it does.
    pub requested_at: Timestamp,
    /// The instant by which the other unit must accept, the end of the next working day; after
    /// that only the supervisor rules.
    pub accept_before: Timestamp,
    /// When the other unit accepted, or the supervisor ruled, that the clock stands still; none
    /// while it goes on.
    pub held_at: Option<Timestamp>,
    /// Whether the settle date had been missed before it was asked for.
    pub settle_was_late: bool,
}

/// What can be asked of an assignment beside the road from its issue to its striking-off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SideRoadCommand {
    /// 退回 as misdirected, by the unit.
    Return {
        /// Why it is not the unit's; must not be empty.
        reason: String,
    },
    /// 不同意退回, by the supervisor.
    RefuseReturn {
        /// Why it stays; must not be empty.
        note: String,
    },
    /// 改派 to another unit, by the supervisor.
    Reassign {
        /// `units/{slug}`, none that the task names already.
        unit: String,
        /// Why; must not be empty.
        ground: String,
    },
    /// 挂账, by the leader in charge.
    Suspend {
        /// Why nothing can be done now; must not be empty.
        ground: String,
        /// The day to look at it again, Asia/Shanghai.
        review_date: Date,
    },
    /// 恢复办理, by the leader in charge.
    Resume {
        /// May be empty.
        note: String,
    },
    /// 申请等待 of another unit, by the unit.
    Wait {
        /// The other unit, `units/{slug}`.
        on: String,
        /// What is needed of it; must not be empty.
        need: String,
    },
    /// The other unit accepts that it is waited for, within a working day.
    AcceptWait,
    /// The supervisor rules whether it is.
    RuleOnWait {
        /// The clock stands still.
        hold: bool,
        /// Must not be empty when it does not.
        note: String,
    },
    /// The other unit has answered, or the unit waits no longer.
    EndWait {
        /// The answer; must not be empty.
        answer: String,
    },
    /// 回头看, by the supervisor.
    Recheck {
        /// What was found; must not be empty.
        finding: String,
    },
    /// 重新办理 of what was struck off, by the supervisor.
    Reopen {
        /// What was found; must not be empty.
        ground: String,
        /// The last day to put it right, Asia/Shanghai.
        last_day: Date,
    },
}

/// The events that follow, or why it is refused.
pub(crate) fn decide(
    task: &Task,
    assignment: &Assignment,
    command: &SideRoadCommand,
    context: &Context<'_>,
) -> Result<Vec<TaskEvent>, SupervisionError> {
    assignment.state.after(command.action())?;
    let change = match command {
        SideRoadCommand::Return { reason } => {
            assignment.check_free()?;
            SideRoad::Returned { reason: said(reason, NotEmpty::ReturnReason)? }
        }
        SideRoadCommand::RefuseReturn { note } => {
            SideRoad::ReturnRefused { note: said(note, NotEmpty::ReturnRefusalNote)? }
        }
        SideRoadCommand::Reassign { unit, ground } => reassign(task, assignment, unit, ground)?,
        SideRoadCommand::Suspend { ground, review_date } => {
            assignment.check_free()?;
            let ground = said(ground, NotEmpty::SuspensionGround)?;
            if *review_date <= context.now.day() {
                return Err(SupervisionError::ReviewPassed { day: *review_date });
            }
            SideRoad::Suspended { ground, review_date: *review_date }
        }
        SideRoadCommand::Resume { note } => SideRoad::Resumed { note: note.trim().to_owned() },
        SideRoadCommand::Wait { on, need } => {
            task.check_clock_runs()?;
            assignment.check_free()?;
            if *on == assignment.unit {
                return Err(SupervisionError::WaitOnItself { unit: on.clone() });
            }
            let next = context.calendar.working_days_after(context.now.day(), 1);
            let (on, need) = (on.clone(), said(need, NotEmpty::Need)?);
            SideRoad::WaitRequested { on, need, accept_before: end_of(next) }
        }
        SideRoadCommand::AcceptWait => {
            let wait = assignment.undecided_wait()?;
            let limit = wait.accept_before;
            if limit <= context.now {
                return Err(SupervisionError::WaitLapsed { limit });
            }
            SideRoad::WaitHeld { on: wait.on.clone(), ruled: false, note: String::new() }
        }
        SideRoadCommand::RuleOnWait { hold, note } => {
            let on = assignment.undecided_wait()?.on.clone();
            if *hold {
                SideRoad::WaitHeld { on, ruled: true, note: note.trim().to_owned() }
            } else {
                SideRoad::WaitRefused { on, note: said(note, NotEmpty::WaitRefusalNote)? }
            }
        }
        SideRoadCommand::EndWait { answer } => {
            let on = assignment.wait.as_ref().ok_or(SupervisionError::NoWait)?.on.clone();
            SideRoad::WaitEnded { on, answer: said(answer, NotEmpty::WaitAnswer)? }
        }
        SideRoadCommand::Recheck { finding } => {
            SideRoad::Rechecked { finding: said(finding, NotEmpty::Finding)? }
        }
        SideRoadCommand::Reopen { ground, last_day } => {
            return reopen(task, assignment, ground, *last_day, context);
        }
    };
    Ok(vec![happened(task, assignment, AssignmentChange::SideRoad(change), context)])
}

fn reassign(
    task: &Task,
    assignment: &Assignment,
    unit: &str,
    ground: &str,
) -> Result<SideRoad, SupervisionError> {
    if task.assignments.iter().any(|one| one.unit == unit) {
        return Err(SupervisionError::UnitTwice { unit: unit.to_owned() });
    }
    let ground = said(ground, NotEmpty::ReassignmentGround)?;
    let units = task.assignments.iter().map(|one| (one.role, &one.unit, one.name == assignment.name));
    let mut leads = units.filter(|(role, ..)| *role == Role::Lead);
    let lead_unit = leads.next().map(|(_, held_by, moved)| if moved { unit } else { held_by }.to_owned());
    Ok(SideRoad::Reassigned {
        from: assignment.unit.clone(),
        to: unit.to_owned(),
        ground,
        lead_unit,
        dated: task.due_date.is_some() || !task.milestones.is_empty(),
    })
}

/// Reopens what was struck off and, if it settles a task that was struck off, the task.
fn reopen(
    task: &Task,
    assignment: &Assignment,
    ground: &str,
    last_day: Date,
    context: &Context<'_>,
) -> Result<Vec<TaskEvent>, SupervisionError> {
    let settles = assignment.role == task.settling_role();
    let with_task = match task.state {
        TaskState::Issued => false,
        TaskState::StruckOff if settles => true,
        // Nothing would strike the task off again.
        state @ (TaskState::Draft | TaskState::StruckOff | TaskState::Withdrawn) => {
            return Err(SupervisionError::TaskRefused { action: Action::Reopen, state });
        }
    };
    let ground = said(ground, NotEmpty::ReopeningGround)?;
    if last_day <= context.now.day() {
        return Err(SupervisionError::DayPassed { day: last_day });
    }
    let change = AssignmentChange::SideRoad(SideRoad::Reopened { ground: ground.clone(), last_day });
    let event = happened(task, assignment, change, context);
    let mut events = vec![event.clone()];
    if with_task {
        let mut reopened = task.clone();
        reopened.apply(&event)?;
        let assignments = reopened.assignments.iter().map(|one| facts(&reopened, one, context)).collect();
        let change = TaskChange::Reopened { ground, assignments };
        events.push(TaskEvent::on_task(TaskFacts::of(task), context.now, change));
    }
    Ok(events)
}

impl SideRoadCommand {
    /// The action it is, which the state machine answers.
    pub fn action(&self) -> Action {
        match self {
            Self::Return { .. } => Action::Return,
            Self::RefuseReturn { .. } => Action::RefuseReturn,
            Self::Reassign { .. } => Action::Reassign,
            Self::Suspend { .. } => Action::Suspend,
            Self::Resume { .. } => Action::Resume,
            Self::Wait { .. } => Action::Wait,
            Self::AcceptWait | Self::RuleOnWait { .. } => Action::DecideWait,
            Self::EndWait { .. } => Action::EndWait,
            Self::Recheck { .. } => Action::Recheck,
            Self::Reopen { .. } => Action::Reopen,
        }
    }
}

impl Assignment {
    /// Refuses to begin a pause while another is not over.
    pub(crate) fn check_free(&self) -> Result<(), SupervisionError> {
        if let Some(pending) = &self.extension_request {
            return Err(SupervisionError::ExtensionPending { last_day: pending.last_day });
        }
        match &self.wait {
            Some(wait) => Err(SupervisionError::WaitOpen { on: wait.on.clone() }),
            None => Ok(()),
        }
    }

    fn undecided_wait(&self) -> Result<&Wait, SupervisionError> {
        let wait = self.wait.as_ref().ok_or(SupervisionError::NoWait)?;
        if wait.held_at.is_some() { Err(SupervisionError::WaitDecided) } else { Ok(wait) }
    }
}
