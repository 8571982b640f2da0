//! [`Delegation`]: a holder passes its assignment down to a subordinate unit or to a section of its own
//! (转办). What the delegate answers returns to the holder and is seen by nobody above until the holder
//! says it in its own report. The holder stays accountable: lights, clocks and scores are its alone.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::assignment::{Action, Assignment, AssignmentState};
use crate::deadline::clocks;
use crate::decide::{Context, said};
use crate::error::{NotEmpty, SupervisionError};
use crate::event::TaskFacts;
use crate::payload::{PayloadError, read};
use crate::task::Task;

/// To whom an assignment is passed down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Delegate {
    /// A unit whose parent is the holder, `units/{slug}`.
    Unit(String),
    /// A section of the holder (科室), as people call it.
    Section(String),
}

/// Where a delegation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DelegationState {
    /// 办理中.
    Open,
    /// 已报结: the delegate says that its part is done.
    Done,
    /// 已收回 by the holder.
    Withdrawn,
}

/// What can happen to a delegation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DelegationAction {
    /// 反馈 to the holder.
    Answer,
    /// 报结 to the holder.
    Finish,
    /// 退回补充 by the holder.
    SendBack,
    /// 采用 of the latest answer by the holder, in its own report.
    Adopt,
    /// 收回 by the holder.
    Withdraw,
}

/// An answer of a delegate to the holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// What it says.
    pub text: String,
    /// Subject of the account that gave it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// That a holder passed its assignment down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delegation {
    /// Resource name, `delegations/{id}`.
    pub name: String,
    /// The task, and who may see it.
    pub task: TaskFacts,
    /// `tasks/{t}/assignments/{a}`.
    pub assignment: String,
    /// The unit that holds it, `units/{slug}`.
    pub holder: String,
    /// To whom it is passed down.
    pub to: Delegate,
    /// What is asked of the delegate.
    pub ask: String,
    /// By when, no later than the holder's own settle date.
    pub due_at: Timestamp,
    /// When it was passed down.
    pub given_at: Timestamp,
    /// Where it stands.
    pub state: DelegationState,
    /// The latest answer.
    #[serde(default)]
    pub answer: Option<Answer>,
    /// The holder's note on sending it back, or why it was withdrawn.
    #[serde(default)]
    pub note: String,
    /// Number of events applied so far.
    pub version: i64,
}

/// Something that happened to a delegation. It says nothing of what was answered: that is the
/// holder's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DelegationEvent {
    /// `delegations/{id}`.
    pub delegation: String,
    /// The task.
    pub task: TaskFacts,
    /// The unit that holds the assignment.
    pub holder: String,
    /// To whom it is passed down.
    pub to: Delegate,
    /// What is asked of the delegate, or the holder's note on it; empty for what only the holder is
    /// told.
    pub text: String,
    /// By when.
    pub due_at: Timestamp,
    /// When it happened.
    pub at: Timestamp,
    /// What.
    pub change: DelegationChange,
}

/// What happened to a delegation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DelegationChange {
    /// 转办.
    Given,
    /// 反馈.
    Answered,
    /// 报结.
    Finished,
    /// 退回补充.
    SentBack,
    /// 采用.
    Adopted,
    /// 收回.
    Withdrawn,
}

impl DelegationState {
    /// Every state.
    pub const ALL: [DelegationState; 3] = [Self::Open, Self::Done, Self::Withdrawn];

    /// The state an action leads to, or the refusal.
    pub fn after(self, action: DelegationAction) -> Result<DelegationState, SupervisionError> {
        use DelegationAction::{Adopt, Answer, Finish, SendBack, Withdraw};
        match (action, self) {
            (Answer, Self::Open) | (SendBack, Self::Done) => Ok(Self::Open),
            (Finish, Self::Open) => Ok(Self::Done),
            (Adopt, Self::Open | Self::Done) => Ok(self),
            (Withdraw, Self::Open | Self::Done) => Ok(Self::Withdrawn),
            (SendBack, Self::Open)
            | (Answer | Finish, Self::Done)
            | (Answer | Finish | SendBack | Adopt | Withdraw, Self::Withdrawn) => {
                Err(SupervisionError::DelegationRefused { action, state: self })
            }
        }
    }

    /// What officials call it.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Open => "正在办理",
            Self::Done => "已经报结",
            Self::Withdrawn => "已经收回",
        }
    }
}

impl DelegationAction {
    /// Every action.
    pub const ALL: [DelegationAction; 5] =
        [Self::Answer, Self::Finish, Self::SendBack, Self::Adopt, Self::Withdraw];

    /// What officials call it.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Answer => "反馈",
            Self::Finish => "报结",
            Self::SendBack => "退回补充",
            Self::Adopt => "采用",
            Self::Withdraw => "收回",
        }
    }
}

/// What a holder asks when it passes an assignment down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handing {
    /// `delegations/{id}`.
    pub name: String,
    /// To whom.
    pub to: Delegate,
    /// The parent of the unit it is passed down to, by the roster; none for a section.
    pub parent: Option<String>,
    /// What is asked; must not be empty.
    pub ask: String,
    /// By when.
    pub due_at: Timestamp,
}

impl Delegation {
    /// Passes an assignment down, or says why not.
    pub fn give(
        task: &Task,
        held: &Assignment,
        asked: Handing,
        context: &Context<'_>,
    ) -> Result<Self, SupervisionError> {
        held.state.after(Action::Delegate)?;
        let Handing { name, to, parent, ask, due_at } = asked;
        let ask = said(&ask, NotEmpty::Ask)?;
        let to = match to {
            Delegate::Unit(unit) if parent.as_ref() != Some(&held.unit) => {
                return Err(SupervisionError::NotSubordinate { unit, holder: held.unit.clone() });
            }
            Delegate::Unit(unit) => Delegate::Unit(unit),
            Delegate::Section(section) => Delegate::Section(said(&section, NotEmpty::Section)?),
        };
        if due_at <= context.now {
            return Err(SupervisionError::TimePassed { at: due_at });
        }
        let own = clocks(task, held, context.rule, context.calendar).due.settle;
        if let Some(due) = own.filter(|own| due_at > *own) {
            return Err(SupervisionError::LaterThanHolder { due });
        }
        Ok(Delegation {
            name,
            task: TaskFacts::of(task),
            assignment: held.name.clone(),
            holder: held.unit.clone(),
            to,
            ask,
            due_at,
            given_at: context.now,
            state: DelegationState::Open,
            answer: None,
            note: String::new(),
            version: 1,
        })
    }

    /// The same after the delegate answered, for the last time where it is `done`. Refused when the
    /// holder holds the matter no longer.
    pub fn answered(
        &self,
        held: &Assignment,
        text: &str,
        done: bool,
        (by, at): (&str, Timestamp),
    ) -> Result<Self, SupervisionError> {
        let action = if done { DelegationAction::Finish } else { DelegationAction::Answer };
        let state = self.state.after(action)?;
        self.check_held(held)?;
        let text = said(text, NotEmpty::DelegateAnswer)?;
        let answer = Some(Answer { text, by: by.to_owned(), at });
        Ok(Delegation { state, answer, version: self.version + 1, ..self.clone() })
    }

    /// The same after the holder sent it back or withdrew it; `note` says why.
    pub fn turned(&self, action: DelegationAction, note: &str) -> Result<Self, SupervisionError> {
        let state = self.state.after(action)?;
        let note = said(note, NotEmpty::DelegationNote)?;
        Ok(Delegation { state, note, version: self.version + 1, ..self.clone() })
    }

    /// The same after the holder took the latest answer into its own report, and what it reports: its
    /// own words, or the answer as it is.
    pub fn adopted(&self, held: &Assignment, words: &str) -> Result<(Self, String), SupervisionError> {
        let state = self.state.after(DelegationAction::Adopt)?;
        self.check_held(held)?;
        let answer = self.answer.as_ref().ok_or(SupervisionError::NoAnswer)?;
        let text = if words.trim().is_empty() { answer.text.clone() } else { words.to_owned() };
        Ok((Delegation { state, version: self.version + 1, ..self.clone() }, text))
    }

    /// Refuses when the holder holds the matter no longer, or it is over.
    fn check_held(&self, held: &Assignment) -> Result<(), SupervisionError> {
        if held.unit != self.holder {
            return Err(SupervisionError::HeldByAnother { unit: self.holder.clone() });
        }
        match held.state {
            state @ (AssignmentState::StruckOff | AssignmentState::Withdrawn) => {
                Err(SupervisionError::AssignmentRefused { action: Action::Report, state })
            }
            AssignmentState::Pending
            | AssignmentState::Assigned
            | AssignmentState::Signed
            | AssignmentState::Deployed
            | AssignmentState::InProgress
            | AssignmentState::Submitted
            | AssignmentState::Returned
            | AssignmentState::Suspended => Ok(()),
        }
    }

    /// The unit that must do it, where it is one.
    pub fn delegate_unit(&self) -> Option<&str> {
        match &self.to {
            Delegate::Unit(unit) => Some(unit),
            Delegate::Section(_) => None,
        }
    }

    /// What tells of a change of it, as it stands after.
    pub fn event(&self, change: DelegationChange, at: Timestamp) -> DelegationEvent {
        let text = match change {
            DelegationChange::Given => self.ask.clone(),
            DelegationChange::SentBack | DelegationChange::Withdrawn => self.note.clone(),
            DelegationChange::Answered | DelegationChange::Finished | DelegationChange::Adopted => {
                String::new()
            }
        };
        DelegationEvent {
            delegation: self.name.clone(),
            task: self.task.clone(),
            holder: self.holder.clone(),
            to: self.to.clone(),
            text,
            due_at: self.due_at,
            at,
            change,
        }
    }

    /// Changes with every change of it.
    pub fn etag(&self) -> String {
        format!("v{}", self.version)
    }
}

impl DelegationEvent {
    /// The type it is recorded under.
    pub const fn event_type(&self) -> &'static str {
        match self.change {
            DelegationChange::Given => "supervision.delegation.given",
            DelegationChange::Answered => "supervision.delegation.answered",
            DelegationChange::Finished => "supervision.delegation.finished",
            DelegationChange::SentBack => "supervision.delegation.sent_back",
            DelegationChange::Adopted => "supervision.delegation.adopted",
            DelegationChange::Withdrawn => "supervision.delegation.withdrawn",
        }
    }

    /// The JSON that stands in the log.
    pub fn to_payload(&self) -> Result<Value, PayloadError> {
        serde_json::to_value(self)
            .map_err(|source| PayloadError::Malformed { event_type: self.event_type().to_owned(), source })
    }

    /// Reads a payload; none when it is of another type.
    pub fn from_payload(event_type: &str, payload: &Value) -> Result<Option<Self>, PayloadError> {
        let known = [
            "supervision.delegation.given",
            "supervision.delegation.answered",
            "supervision.delegation.finished",
            "supervision.delegation.sent_back",
            "supervision.delegation.adopted",
            "supervision.delegation.withdrawn",
        ];
        known.contains(&event_type).then(|| read(event_type, payload)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_defined_answer_in_every_state_of_a_delegation() {
        // In the order of the states; `-` is a refusal, a digit the index of the state reached.
        let table = [
            (DelegationAction::Answer, "0--"),
            (DelegationAction::Finish, "1--"),
            (DelegationAction::SendBack, "-0-"),
            (DelegationAction::Adopt, "01-"),
            (DelegationAction::Withdraw, "22-"),
        ];
        assert_eq!(table.map(|(action, _)| action), DelegationAction::ALL);
        for (action, row) in table {
            for (state, cell) in DelegationState::ALL.into_iter().zip(row.chars()) {
                let expected = match cell.to_digit(10) {
                    Some(index) => Ok(DelegationState::ALL[index as usize]),
                    None => Err(SupervisionError::DelegationRefused { action, state }),
                };
                assert_eq!(state.after(action), expected, "{action:?} in {state:?}");
            }
        }
        let refused = DelegationState::Withdrawn.after(DelegationAction::Answer).unwrap_err();
        assert_eq!(refused.chinese(), "该转办事项已经收回，不能反馈");
    }
}
