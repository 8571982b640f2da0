//! [`Decision`]: what a meeting decided, and the state machine of its life.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::WorkgroupError;
use crate::names::{check_decision, check_present, check_unit, group_of, meeting_of};

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
        check_decision("name", &self.name)?;
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
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    const AT: Timestamp = Timestamp::from_micros(1_686_000_000_000_000);

    pub(crate) fn permits() -> Decision {
        Decision {
            name: "groups/green-energy/meetings/1/decisions/1".into(),
            text: "市能源局6月底前完成绿色能源管网规划调整手续。\n市水利局配合。".into(),
            lead_units: vec!["units/energy".into()],
            cooperating_units: vec!["units/water".into()],
            due_time: None,
            state: DecisionState::Followed,
            version: 1,
        }
    }

    fn in_state(state: DecisionState) -> Decision {
        Decision { state, ..permits() }
    }

    fn states() -> [DecisionState; 6] {
        let task = || "tasks/1".to_owned();
        [
            DecisionState::Followed,
            DecisionState::Escalating,
            DecisionState::Escalated { task: task() },
            DecisionState::Settled { task: task(), settle_time: AT },
            DecisionState::Withdrawn { task: task(), ground: "合并办理".into() },
            DecisionState::Refused { reason: "没有该单位".into() },
        ]
    }

    fn commands(task: &str) -> [DecisionCommand; 5] {
        [
            DecisionCommand::Escalate,
            DecisionCommand::RecordTask { task: task.into() },
            DecisionCommand::RecordRefusal { reason: "没有该单位".into() },
            DecisionCommand::Settle { task: task.into(), settle_time: AT },
            DecisionCommand::Withdraw { task: task.into(), ground: "合并办理".into() },
        ]
    }

    /// Every command (rows) in every state (columns, in the order of [`states`]). `-` is a
    /// refusal, `.` changes nothing, a digit is the index of the state reached.
    #[test]
    fn every_command_has_a_defined_answer_in_every_state() {
        let table = ["1-----", "-2...-", "-5---.", "-33.--", "-44-.-"];
        for (command, row) in commands("tasks/1").into_iter().zip(table) {
            for (state, cell) in states().into_iter().zip(row.chars()) {
                let mut decision = in_state(state.clone());
                let answer = decision.decide(&command);
                let expected = match cell {
                    '-' => {
                        let (action, phase) = (command.action(), state.phase());
                        assert_eq!(
                            answer,
                            Err(WorkgroupError::DecisionRefused { action, phase }),
                            "{command:?}"
                        );
                        continue;
                    }
                    '.' => state.clone(),
                    digit => states()[digit.to_digit(10).unwrap() as usize].clone(),
                };
                answer.unwrap().iter().for_each(|change| decision.apply(change));
                assert_eq!(decision.state, expected, "{command:?} in {state:?}");
            }
        }
    }

    #[test]
    fn news_of_a_task_before_its_answer_records_both() {
        let decision = in_state(DecisionState::Escalating);
        let settle = DecisionCommand::Settle { task: "tasks/1".into(), settle_time: AT };
        assert_eq!(
            decision.decide(&settle).unwrap(),
            [
                DecisionChange::Escalated { task: "tasks/1".into() },
                DecisionChange::Settled { task: "tasks/1".into(), settle_time: AT },
            ]
        );
    }

    #[test]
    fn another_task_is_refused_where_one_is_recorded() {
        let other = WorkgroupError::OtherTask { task: "tasks/2".into(), recorded: "tasks/1".into() };
        let [_, record, _, settle, withdraw] = commands("tasks/2");
        let [_, _, escalated, settled, withdrawn, _] = states();
        for (command, state) in [
            (&record, &escalated),
            (&record, &settled),
            (&record, &withdrawn),
            (&settle, &escalated),
            (&settle, &settled),
            (&withdraw, &escalated),
            (&withdraw, &withdrawn),
        ] {
            assert_eq!(
                in_state(state.clone()).decide(command),
                Err(other.clone()),
                "{command:?} in {state:?}"
            );
        }
    }

    #[test]
    fn a_decision_that_nobody_leads_is_not_escalated() {
        let decision = Decision { lead_units: vec![], ..permits() };
        assert_eq!(decision.check(), Ok(()));
        assert_eq!(decision.decide(&DecisionCommand::Escalate), Err(WorkgroupError::NoLeadUnit));
    }

    #[test]
    fn a_unit_is_named_once_in_a_decision() {
        let decision = Decision { cooperating_units: vec!["units/energy".into()], ..permits() };
        assert_eq!(decision.check(), Err(WorkgroupError::UnitTwice { unit: "units/energy".into() }));
        let malformed =
            Decision { cooperating_units: vec!["units/water".into(), "水利局".into()], ..permits() };
        assert!(
            matches!(malformed.check(), Err(WorkgroupError::NameMalformed { field, .. }) if field == "cooperating_units[1]")
        );
    }

    #[test]
    fn every_refusal_has_a_reason_in_chinese() {
        for state in states() {
            for command in commands("tasks/2") {
                if let Err(refusal) = in_state(state.clone()).decide(&command) {
                    let reason = refusal.chinese();
                    assert!(reason.chars().any(|c| c >= '\u{4e00}'), "{command:?} in {state:?}: {reason}");
                }
            }
        }
        let again = in_state(DecisionState::Escalating).decide(&DecisionCommand::Escalate).unwrap_err();
        assert_eq!(again.chinese(), "该决定正在纳入督办，不能再次纳入督办");
    }

    #[test]
    fn the_title_is_the_first_line_that_says_something() {
        assert_eq!(permits().title(), "市能源局6月底前完成绿色能源管网规划调整手续。");
        let long = Decision { text: format!("\n  {}", "水".repeat(101)), ..permits() };
        assert_eq!(long.title().chars().count(), 100);
        assert!(long.title().ends_with("水…"));
    }

    proptest! {
        #[test]
        fn a_decision_that_ended_never_changes_again(picks in proptest::collection::vec((0..5_usize, 1..3_u8), 0..40)) {
            let mut decision = permits();
            let mut ended = None;
            for (pick, task) in picks {
                let command = commands(&format!("tasks/{task}"))[pick].clone();
                let Ok(changes) = decision.decide(&command) else { continue };
                let before = decision.version;
                changes.iter().for_each(|change| decision.apply(change));
                prop_assert_eq!(decision.version, before + changes.len() as i64);
                match &ended {
                    Some(state) => prop_assert_eq!(state, &decision.state),
                    None => match decision.state.phase() {
                        DecisionPhase::Followed | DecisionPhase::Escalating | DecisionPhase::Escalated => {}
                        DecisionPhase::Settled | DecisionPhase::Withdrawn | DecisionPhase::Refused => {
                            ended = Some(decision.state.clone());
                        }
                    },
                }
            }
        }
    }
}
