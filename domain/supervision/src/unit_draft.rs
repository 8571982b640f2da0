//! [`UnitDraft`]: what a clerk has drafted in a unit's name (拟稿). It is the unit's word only when
//! the unit's approver releases it (审核); until then nobody outside the unit sees it.

use domain_attachment::Attachment;
use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::Date;

use crate::assignment::Assignment;
use crate::decide::{AssignmentCommand, said};
use crate::error::{NotEmpty, SupervisionError};
use crate::milestone::{MilestoneCommand, NamedMilestone};
use crate::payload::{PayloadError, read};
use crate::side_road::SideRoadCommand;

/// What a unit says that its approver may have to release. Signing for a matter, and deploying it
/// without a word on how, say nothing to others and stay direct.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Said {
    /// 反馈.
    Report {
        /// The progress.
        text: String,
        /// Evidence.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<Attachment>,
    },
    /// 申请办结.
    Submission {
        /// The result.
        text: String,
        /// Evidence.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<Attachment>,
    },
    /// 申请延期.
    ExtensionRequest {
        /// The last day asked for, Asia/Shanghai.
        #[serde(with = "crate::date_text::whole")]
        last_day: Date,
        /// Why.
        reason: String,
    },
    /// 退回 as misdirected.
    Return {
        /// Why it is not the unit's.
        reason: String,
    },
    /// 报告节点完成.
    Milestone {
        /// Which.
        which: NamedMilestone,
        /// What was done.
        text: String,
        /// Evidence.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<Attachment>,
    },
    /// 部署, with a plan.
    Deployment {
        /// The plan.
        plan: String,
    },
    /// 申请等待 of another unit.
    Wait {
        /// The other unit, `units/{slug}`.
        on: String,
        /// What is needed of it.
        need: String,
    },
    /// 确认等待, by the other unit.
    WaitAcceptance,
    /// 结束等待, by either.
    WaitEnd {
        /// The answer.
        answer: String,
    },
}

/// Where a draft stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DraftState {
    /// 待审核.
    Awaiting,
    /// 已退改: the approver wants it otherwise.
    SentBack,
    /// 已审核: it was said.
    Released,
    /// 已撤回 by whoever drafted it.
    Withdrawn,
    /// 已换稿: a newer draft of the same kind took its place.
    Replaced,
}

/// What can happen to a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DraftAction {
    /// 审核.
    Release,
    /// 退改.
    SendBack,
    /// 撤回.
    Withdraw,
    /// 换稿.
    Replace,
}

/// What a clerk has drafted in a unit's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnitDraft {
    /// Resource name, `drafts/{id}`.
    pub name: String,
    /// The task, `tasks/{t}`.
    pub task: String,
    /// `tasks/{t}/assignments/{a}`.
    pub assignment: String,
    /// The unit in whose name it is drafted, `units/{slug}`.
    pub unit: String,
    /// What it says.
    pub said: Said,
    /// Where it stands.
    pub state: DraftState,
    /// Subject of the account that drafted it.
    pub drafter: String,
    /// When.
    pub drafted_at: Timestamp,
    /// Why it was sent back; empty otherwise.
    #[serde(default)]
    pub note: String,
    /// Subject of the account that released it or sent it back.
    #[serde(default)]
    pub approver: Option<String>,
    /// When it was last decided on.
    #[serde(default)]
    pub decided_at: Option<Timestamp>,
    /// Number of events applied so far.
    pub version: i64,
}

/// Something that happened to a draft. It says who is to be told, and nothing of what is drafted:
/// that is the unit's own until it is released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DraftEvent {
    /// `drafts/{id}`.
    pub draft: String,
    /// The number of the task on the ledger.
    pub ledger_number: i64,
    /// The unit.
    pub unit: String,
    /// What kind of word it is, in Chinese.
    pub what: String,
    /// Subject of the account that drafted it.
    pub drafter: String,
    /// When it happened.
    pub at: Timestamp,
    /// What.
    pub change: DraftChange,
}

/// What happened to a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DraftChange {
    /// It awaits release.
    Made,
    /// It was said.
    Released,
    /// It is to be drafted anew.
    SentBack,
    /// It is wanted no more.
    Withdrawn,
    /// A newer one took its place.
    Replaced,
}

impl Said {
    /// What a command says, where an approver may have to release it.
    pub fn of(command: &AssignmentCommand) -> Option<Self> {
        match command {
            AssignmentCommand::Report { text, attachments } => {
                Some(Said::Report { text: text.clone(), attachments: attachments.clone() })
            }
            AssignmentCommand::Submit { text, attachments } => {
                Some(Said::Submission { text: text.clone(), attachments: attachments.clone() })
            }
            AssignmentCommand::RequestExtension { last_day, reason } => {
                Some(Said::ExtensionRequest { last_day: *last_day, reason: reason.clone() })
            }
            AssignmentCommand::SideRoad(SideRoadCommand::Return { reason }) => {
                Some(Said::Return { reason: reason.clone() })
            }
            AssignmentCommand::Milestone(MilestoneCommand::Reach { which, text, attachments }) => {
                let (which, text) = (which.clone(), text.clone());
                Some(Said::Milestone { which, text, attachments: attachments.clone() })
            }
            AssignmentCommand::SideRoad(SideRoadCommand::Wait { on, need }) => {
                Some(Said::Wait { on: on.clone(), need: need.clone() })
            }
            AssignmentCommand::SideRoad(SideRoadCommand::AcceptWait) => Some(Said::WaitAcceptance),
            AssignmentCommand::SideRoad(SideRoadCommand::EndWait { answer }) => {
                Some(Said::WaitEnd { answer: answer.clone() })
            }
            AssignmentCommand::Deploy { plan } if !plan.trim().is_empty() => {
                Some(Said::Deployment { plan: plan.clone() })
            }
            // The supervisor's or a leader's.
            AssignmentCommand::SideRoad(
                SideRoadCommand::RefuseReturn { .. }
                | SideRoadCommand::Reassign { .. }
                | SideRoadCommand::Suspend { .. }
                | SideRoadCommand::Resume { .. }
                | SideRoadCommand::RuleOnWait { .. }
                | SideRoadCommand::Recheck { .. }
                | SideRoadCommand::Reopen { .. },
            )
            | AssignmentCommand::Milestone(MilestoneCommand::SendBack { .. })
            | AssignmentCommand::Sign
            | AssignmentCommand::Deploy { .. }
            | AssignmentCommand::DecideExtension { .. }
            | AssignmentCommand::Press(_)
            | AssignmentCommand::Verify { .. }
            // The unit's approver says it himself.
            | AssignmentCommand::ReportWithMatter { .. } => None,
        }
    }

    /// The files that belong to it.
    pub fn attachments(&self) -> &[Attachment] {
        match self {
            Said::Report { attachments, .. }
            | Said::Submission { attachments, .. }
            | Said::Milestone { attachments, .. } => attachments,
            Said::ExtensionRequest { .. }
            | Said::Return { .. }
            | Said::Deployment { .. }
            | Said::Wait { .. }
            | Said::WaitAcceptance
            | Said::WaitEnd { .. } => &[],
        }
    }

    /// The command it is once it is the unit's word.
    pub fn command(&self) -> AssignmentCommand {
        match self.clone() {
            Said::Report { text, attachments } => AssignmentCommand::Report { text, attachments },
            Said::Submission { text, attachments } => AssignmentCommand::Submit { text, attachments },
            Said::ExtensionRequest { last_day, reason } => {
                AssignmentCommand::RequestExtension { last_day, reason }
            }
            Said::Return { reason } => AssignmentCommand::SideRoad(SideRoadCommand::Return { reason }),
            Said::Milestone { which, text, attachments } => {
                AssignmentCommand::Milestone(MilestoneCommand::Reach { which, text, attachments })
            }
            Said::Deployment { plan } => AssignmentCommand::Deploy { plan },
            Said::Wait { on, need } => AssignmentCommand::SideRoad(SideRoadCommand::Wait { on, need }),
            Said::WaitAcceptance => AssignmentCommand::SideRoad(SideRoadCommand::AcceptWait),
            Said::WaitEnd { answer } => AssignmentCommand::SideRoad(SideRoadCommand::EndWait { answer }),
        }
    }

    /// What officials call it.
    pub const fn chinese(&self) -> &'static str {
        match self {
            Said::Report { .. } => "进展反馈",
            Said::Submission { .. } => "办结申请",
            Said::ExtensionRequest { .. } => "延期申请",
            Said::Return { .. } => "退回申请",
            Said::Milestone { .. } => "节点完成报告",
            Said::Deployment { .. } => "部署方案",
            Said::Wait { .. } => "等待申请",
            Said::WaitAcceptance => "等待确认",
            Said::WaitEnd { .. } => "等待答复",
        }
    }

    /// In whose name it is said of an assignment by somebody who works for some units: the holder's,
    /// or that of whoever is waited for.
    pub fn speaker<'a>(&self, held: &'a Assignment, works_for: impl Fn(&str) -> bool) -> &'a str {
        let awaited = held.wait.as_ref().map(|wait| wait.on.as_str());
        match self {
            Said::WaitAcceptance => awaited.unwrap_or(&held.unit),
            Said::WaitEnd { .. } if !works_for(&held.unit) => awaited.unwrap_or(&held.unit),
            Said::WaitEnd { .. }
            | Said::Report { .. }
            | Said::Submission { .. }
            | Said::ExtensionRequest { .. }
            | Said::Return { .. }
            | Said::Milestone { .. }
            | Said::Deployment { .. }
            | Said::Wait { .. } => &held.unit,
        }
    }

    /// Whether a draft of the one takes the place of a draft of the other.
    pub fn is_of_the_kind_of(&self, other: &Said) -> bool {
        match (self, other) {
            // Each milestone is reported by itself.
            (Said::Milestone { which: one, .. }, Said::Milestone { which: other, .. }) => one == other,
            (_, _) => self.chinese() == other.chinese(),
        }
    }
}

impl DraftState {
    /// Every state.
    pub const ALL: [DraftState; 5] =
        [Self::Awaiting, Self::SentBack, Self::Released, Self::Withdrawn, Self::Replaced];

    /// The state an action leads to, or the refusal.
    pub fn after(self, action: DraftAction) -> Result<DraftState, SupervisionError> {
        let refused = Err(SupervisionError::DraftRefused { action, state: self });
        match (action, self) {
            (DraftAction::Release, Self::Awaiting) => Ok(Self::Released),
            (DraftAction::SendBack, Self::Awaiting) => Ok(Self::SentBack),
            (DraftAction::Withdraw, Self::Awaiting | Self::SentBack) => Ok(Self::Withdrawn),
            (DraftAction::Replace, Self::Awaiting | Self::SentBack) => Ok(Self::Replaced),
            (DraftAction::Release | DraftAction::SendBack, Self::SentBack)
            | (
                DraftAction::Release | DraftAction::SendBack | DraftAction::Withdraw | DraftAction::Replace,
                Self::Released | Self::Withdrawn | Self::Replaced,
            ) => refused,
        }
    }

    /// What officials call it.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Awaiting => "待审核",
            Self::SentBack => "已退改",
            Self::Released => "已审核",
            Self::Withdrawn => "已撤回",
            Self::Replaced => "已换稿",
        }
    }
}

impl DraftAction {
    /// Every action.
    pub const ALL: [DraftAction; 4] = [Self::Release, Self::SendBack, Self::Withdraw, Self::Replace];

    /// What officials call it.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Release => "审核",
            Self::SendBack => "退改",
            Self::Withdraw => "撤回",
            Self::Replace => "换稿",
        }
    }
}

impl UnitDraft {
    /// A new draft on an assignment of a task, in the name of a unit.
    pub fn new(
        name: String,
        (task, assignment): (&str, &str),
        unit: &str,
        said: Said,
        by: (&str, Timestamp),
    ) -> Self {
        UnitDraft {
            name,
            task: task.to_owned(),
            assignment: assignment.to_owned(),
            unit: unit.to_owned(),
            said,
            state: DraftState::Awaiting,
            drafter: by.0.to_owned(),
            drafted_at: by.1,
            note: String::new(),
            approver: None,
            decided_at: None,
            version: 1,
        }
    }

    /// The same after an action. `note` must not be empty where it is sent back; `approver` is whoever
    /// releases it or sends it back.
    pub fn after(
        &self,
        action: DraftAction,
        note: &str,
        (approver, now): (&str, Timestamp),
    ) -> Result<UnitDraft, SupervisionError> {
        let state = self.state.after(action)?;
        let (note, approver) = match action {
            DraftAction::SendBack => (said(note, NotEmpty::DraftNote)?, Some(approver.to_owned())),
            DraftAction::Release => (String::new(), Some(approver.to_owned())),
            DraftAction::Withdraw | DraftAction::Replace => (self.note.clone(), self.approver.clone()),
        };
        let (decided_at, version) = (Some(now), self.version + 1);
        Ok(UnitDraft { state, note, approver, decided_at, version, ..self.clone() })
    }

    /// What it says, as the unit's word: refused when another unit holds the assignment by now, or is
    /// waited for.
    pub fn word(&self, held: &Assignment) -> Result<AssignmentCommand, SupervisionError> {
        if self.said.speaker(held, |unit| unit == self.unit) != self.unit {
            return Err(SupervisionError::HeldByAnother { unit: self.unit.clone() });
        }
        Ok(self.said.command())
    }

    /// The event that tells of it as it now stands.
    pub fn event(&self, ledger_number: i64, at: Timestamp) -> DraftEvent {
        let change = match self.state {
            DraftState::Awaiting => DraftChange::Made,
            DraftState::SentBack => DraftChange::SentBack,
            DraftState::Released => DraftChange::Released,
            DraftState::Withdrawn => DraftChange::Withdrawn,
            DraftState::Replaced => DraftChange::Replaced,
        };
        DraftEvent {
            draft: self.name.clone(),
            ledger_number,
            unit: self.unit.clone(),
            what: self.said.chinese().to_owned(),
            drafter: self.drafter.clone(),
            at,
            change,
        }
    }

    /// Changes with every change of the draft.
    pub fn etag(&self) -> String {
        format!("v{}", self.version)
    }
}

impl DraftEvent {
    /// The type it is recorded under.
    pub const fn event_type(&self) -> &'static str {
        match self.change {
            DraftChange::Made => "supervision.draft.made",
            DraftChange::Released => "supervision.draft.released",
            DraftChange::SentBack => "supervision.draft.sent_back",
            DraftChange::Withdrawn => "supervision.draft.withdrawn",
            DraftChange::Replaced => "supervision.draft.replaced",
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
            "supervision.draft.made",
            "supervision.draft.released",
            "supervision.draft.sent_back",
            "supervision.draft.withdrawn",
            "supervision.draft.replaced",
        ];
        known.contains(&event_type).then(|| read(event_type, payload)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_defined_answer_in_every_state_of_a_draft() {
        // In the order of the states; `-` is a refusal, a digit the index of the state reached.
        let table = [
            (DraftAction::Release, "2----"),
            (DraftAction::SendBack, "1----"),
            (DraftAction::Withdraw, "33---"),
            (DraftAction::Replace, "44---"),
        ];
        assert_eq!(table.map(|(action, _)| action), DraftAction::ALL);
        for (action, row) in table {
            for (state, cell) in DraftState::ALL.into_iter().zip(row.chars()) {
                let expected = match cell.to_digit(10) {
                    Some(index) => Ok(DraftState::ALL[index as usize]),
                    None => Err(SupervisionError::DraftRefused { action, state }),
                };
                assert_eq!(state.after(action), expected, "{action:?} in {state:?}");
            }
        }
        let refused = DraftState::Released.after(DraftAction::Withdraw).unwrap_err();
        assert_eq!(refused.chinese(), "该稿已审核，不能撤回");
    }

    #[test]
    fn what_is_drafted_is_the_command_that_is_given_once_it_is_released() {
        for command in [
            AssignmentCommand::Report { text: "进展".to_owned(), attachments: vec![] },
            AssignmentCommand::Submit { text: "完成".to_owned(), attachments: vec![] },
            AssignmentCommand::RequestExtension {
                last_day: time::macros::date!(2023 - 06 - 30),
                reason: "征地未完成".to_owned(),
            },
            AssignmentCommand::SideRoad(SideRoadCommand::Return { reason: "不属本单位".to_owned() }),
            AssignmentCommand::Milestone(MilestoneCommand::Reach {
                which: NamedMilestone {
                    last_day: time::macros::date!(2023 - 06 - 30),
                    clause: "完成六成".to_owned(),
                },
                text: "已完成六成".to_owned(),
                attachments: vec![],
            }),
            AssignmentCommand::Deploy { plan: "分三步".to_owned() },
            AssignmentCommand::SideRoad(SideRoadCommand::Wait {
                on: "units/water".to_owned(),
                need: "出具意见".to_owned(),
            }),
            AssignmentCommand::SideRoad(SideRoadCommand::AcceptWait),
            AssignmentCommand::SideRoad(SideRoadCommand::EndWait { answer: "已出具".to_owned() }),
        ] {
            let said = Said::of(&command).unwrap();
            let kept: Said = serde_json::from_value(serde_json::to_value(&said).unwrap()).unwrap();
            assert_eq!(kept.command(), command);
        }
        assert_eq!(Said::of(&AssignmentCommand::Sign), None);
        assert_eq!(Said::of(&AssignmentCommand::Deploy { plan: String::new() }), None);
    }
}
