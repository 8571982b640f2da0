//! [`Decision`]: what a meeting decided, and the state machine of its life.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::WorkgroupError;
use crate::names::{check_decision_name, check_present, check_unit, group_of, meeting_of};

/// A line of the ledger is cut at this many characters.
const TITLE_LENGTH: usize = 100;

/// What a meeting decided (议定事项).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// `groups/{g}/meetings/{m}/decisions/{d}`.
    pub name: String,
    /// What was decided.
    pub text: String,
    /// `units/{slug}` that lead it (牵头单位).
    pub lead_units: Vec<String>,
    /// `units/{slug}` that cooperate (配合单位).
    pub cooperating_units: Vec<String>,
    /// First instant after the last moment for it; unset: by the rule of supervision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_time: Option<Timestamp>,
    /// Where it stands.
    pub state: DecisionState,
    /// Number of events applied so far: what a save compares and sets.
    pub version: i64,
}

/// Where a decision stands, with what is known only there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum DecisionState {
    /// Followed in the group.
    Followed,
    /// Asked of supervision; the task is being created.
    Escalating,
    /// A task of supervision.
    Escalated {
        /// `tasks/{id}`.
        task: String,
    },
    /// Its task was struck off (销号).
    Settled {
        /// `tasks/{id}`.
        task: String,
        /// When the matter was completed, as supervision counts it.
        settle_time: Timestamp,
    },
    /// Its task was withdrawn (撤销).
    Withdrawn {
        /// `tasks/{id}`.
        task: String,
        /// Why.
        ground: String,
    },
    /// Supervision refused it.
    Refused {
        /// Why, in Chinese.
        reason: String,
    },
}

/// A [`DecisionState`] without what is known in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DecisionPhase {
    /// [`DecisionState::Followed`].
    Followed,
    /// [`DecisionState::Escalating`].
    Escalating,
    /// [`DecisionState::Escalated`].
    Escalated,
    /// [`DecisionState::Settled`].
    Settled,
    /// [`DecisionState::Withdrawn`].
    Withdrawn,
    /// [`DecisionState::Refused`].
    Refused,
}

/// What can be asked of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecisionCommand {
    /// 纳入13710督办.
    Escalate,
    /// Supervision answered with the task.
    RecordTask {
        /// `tasks/{id}`.
        task: String,
    },
    /// Supervision answered that it will not.
    RecordRefusal {
        /// Why, in Chinese.
        reason: String,
    },
    /// The task was struck off.
    Settle {
        /// `tasks/{id}`.
        task: String,
        /// When the matter was completed.
        settle_time: Timestamp,
    },
    /// The task was withdrawn.
    Withdraw {
        /// `tasks/{id}`.
        task: String,
        /// Why.
        ground: String,
    },
}

/// A [`DecisionCommand`] without what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DecisionAction {
    /// [`DecisionCommand::Escalate`].
    Escalate,
    /// [`DecisionCommand::RecordTask`].
    RecordTask,
    /// [`DecisionCommand::RecordRefusal`].
    RecordRefusal,
    /// [`DecisionCommand::Settle`].
    Settle,
    /// [`DecisionCommand::Withdraw`].
    Withdraw,
}

/// What happened to a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum DecisionChange {
    /// It was made.
    Made,
    /// Its escalation was asked for.
    EscalationAsked,
    /// It became a task.
    Escalated {
        /// `tasks/{id}`.
        task: String,
    },
    /// Its task was struck off.
    Settled {
        /// `tasks/{id}`.
        task: String,
        /// When the matter was completed, as supervision counts it.
        settle_time: Timestamp,
    },
    /// Its task was withdrawn.
    Withdrawn {
        /// `tasks/{id}`.
        task: String,
        /// Why.
        ground: String,
    },
    /// Supervision refused it.
    Refused {
        /// Why, in Chinese.
        reason: String,
    },
}

impl Decision {
    /// Refuses a decision that could not be recorded so. One without a lead unit is followed
    /// in the group and can never be escalated.
    pub fn check(&self) -> Result<(), WorkgroupError> {
        check_decision_name("name", &self.name)?;
        check_present("text", "议定内容", &self.text)?;
        let mut named = BTreeSet::new();
        for (field, units) in
            [("lead_units", &self.lead_units), ("cooperating_units", &self.cooperating_units)]
        {
            for (index, unit) in units.iter().enumerate() {
                check_unit(&format!("{field}[{index}]"), unit)?;
                if !named.insert(unit) {
                    return Err(WorkgroupError::UnitTwice { unit: unit.clone() });
                }
            }
        }
        Ok(())
    }

    /// The group that made it, `groups/{g}`.
    pub fn group(&self) -> &str {
        group_of(&self.name)
    }

    /// The meeting that made it, `groups/{g}/meetings/{m}`.
    pub fn meeting(&self) -> &str {
        meeting_of(&self.name)
    }

    /// The decision on one line of a ledger: its first line, cut at 100 characters.
    pub fn title(&self) -> String {
        let line = self.text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        if line.chars().count() <= TITLE_LENGTH {
            line.to_owned()
        } else {
            line.chars().take(TITLE_LENGTH - 1).chain(['…']).collect()
        }
    }

    /// The whole life of a decision: what follows from a command, in order, or why it is
    /// refused. Nothing follows from an answer of supervision that is recorded already.
    /// Changes nothing itself; see [`Decision::apply`].
    ///
    /// News of the task can come before supervision's answer was recorded: a decision that is
    /// still escalating then becomes the task and what became of the task in one step.
    pub fn decide(&self, command: &DecisionCommand) -> Result<Vec<DecisionChange>, WorkgroupError> {
        use DecisionCommand::{Escalate, RecordRefusal, RecordTask, Settle, Withdraw};
        use DecisionState::{Escalated, Escalating, Followed, Refused, Settled, Withdrawn};
        let became = |task: &String| DecisionChange::Escalated { task: task.clone() };
        match (command, &self.state) {
            (Escalate, Followed) if self.lead_units.is_empty() => Err(WorkgroupError::NoLeadUnit),
            (Escalate, Followed) => Ok(vec![DecisionChange::EscalationAsked]),
            (
                Escalate,
                Escalating | Escalated { .. } | Settled { .. } | Withdrawn { .. } | Refused { .. },
            ) => Err(self.refusal(command)),

            (RecordTask { task }, Escalating) => Ok(vec![became(task)]),
            (
                RecordTask { task },
                Escalated { task: recorded }
                | Settled { task: recorded, .. }
                | Withdrawn { task: recorded, .. },
            ) => same(task, recorded).map(|()| Vec::new()),
            (RecordTask { .. }, Followed | Refused { .. }) => Err(self.refusal(command)),

            (RecordRefusal { reason }, Escalating) => {
                Ok(vec![DecisionChange::Refused { reason: reason.clone() }])
            }
            (RecordRefusal { .. }, Refused { .. }) => Ok(Vec::new()),
            (RecordRefusal { .. }, Followed | Escalated { .. } | Settled { .. } | Withdrawn { .. }) => {
                Err(self.refusal(command))
            }

            (Settle { task, settle_time }, Escalating) => Ok(vec![became(task), settled(task, *settle_time)]),
            (Settle { task, settle_time }, Escalated { task: recorded }) => {
                same(task, recorded).map(|()| vec![settled(task, *settle_time)])
            }
            (Settle { task, .. }, Settled { task: recorded, .. }) => {
                same(task, recorded).map(|()| Vec::new())
            }
            (Settle { .. }, Followed | Withdrawn { .. } | Refused { .. }) => Err(self.refusal(command)),

            (Withdraw { task, ground }, Escalating) => Ok(vec![became(task), withdrawn(task, ground)]),
            (Withdraw { task, ground }, Escalated { task: recorded }) => {
                same(task, recorded).map(|()| vec![withdrawn(task, ground)])
            }
            (Withdraw { task, .. }, Withdrawn { task: recorded, .. }) => {
                same(task, recorded).map(|()| Vec::new())
            }
            (Withdraw { .. }, Followed | Settled { .. } | Refused { .. }) => Err(self.refusal(command)),
        }
    }

    /// Takes in what happened. The only way a decision changes.
    pub fn apply(&mut self, change: &DecisionChange) {
        self.state = match change.clone() {
            DecisionChange::Made => DecisionState::Followed,
            DecisionChange::EscalationAsked => DecisionState::Escalating,
            DecisionChange::Escalated { task } => DecisionState::Escalated { task },
            DecisionChange::Settled { task, settle_time } => DecisionState::Settled { task, settle_time },
            DecisionChange::Withdrawn { task, ground } => DecisionState::Withdrawn { task, ground },
            DecisionChange::Refused { reason } => DecisionState::Refused { reason },
        };
        self.version += 1;
    }

    fn refusal(&self, command: &DecisionCommand) -> WorkgroupError {
        WorkgroupError::DecisionRefused { action: command.action(), phase: self.state.phase() }
    }
}

fn settled(task: &str, settle_time: Timestamp) -> DecisionChange {
    DecisionChange::Settled { task: task.to_owned(), settle_time }
}

fn withdrawn(task: &str, ground: &str) -> DecisionChange {
    DecisionChange::Withdrawn { task: task.to_owned(), ground: ground.to_owned() }
}

fn same(task: &str, recorded: &str) -> Result<(), WorkgroupError> {
    if task == recorded {
        Ok(())
    } else {
        Err(WorkgroupError::OtherTask { task: task.to_owned(), recorded: recorded.to_owned() })
    }
}

impl DecisionState {
    /// The state without what is known in it.
    pub fn phase(&self) -> DecisionPhase {
        match self {
            Self::Followed => DecisionPhase::Followed,
            Self::Escalating => DecisionPhase::Escalating,
            Self::Escalated { .. } => DecisionPhase::Escalated,
            Self::Settled { .. } => DecisionPhase::Settled,
            Self::Withdrawn { .. } => DecisionPhase::Withdrawn,
            Self::Refused { .. } => DecisionPhase::Refused,
        }
    }

    /// The task it became, `tasks/{id}`.
    pub fn task(&self) -> Option<&str> {
        match self {
            Self::Escalated { task } | Self::Settled { task, .. } | Self::Withdrawn { task, .. } => {
                Some(task)
            }
            Self::Followed | Self::Escalating | Self::Refused { .. } => None,
        }
    }
}

impl DecisionPhase {
    /// As officials say it, after “该决定”.
    pub(crate) fn chinese(self) -> &'static str {
        match self {
            Self::Followed => "由本机构跟进",
            Self::Escalating => "正在纳入督办",
            Self::Escalated => "已纳入督办",
            Self::Settled => "已办结销号",
            Self::Withdrawn => "的督办任务已撤销",
            Self::Refused => "未被督查部门受理",
        }
    }
}

impl DecisionCommand {
    /// The command without what it says.
    pub fn action(&self) -> DecisionAction {
        match self {
            Self::Escalate => DecisionAction::Escalate,
            Self::RecordTask { .. } => DecisionAction::RecordTask,
            Self::RecordRefusal { .. } => DecisionAction::RecordRefusal,
            Self::Settle { .. } => DecisionAction::Settle,
            Self::Withdraw { .. } => DecisionAction::Withdraw,
        }
    }
}

impl DecisionAction {
    /// As officials say it, after “不能”.
    pub(crate) fn chinese(self) -> &'static str {
        match self {
            Self::Escalate => "再次纳入督办",
            Self::RecordTask => "登记督办任务",
            Self::RecordRefusal => "登记不予受理",
            Self::Settle => "办结",
            Self::Withdraw => "撤销",
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
