//! [`Assignment`]: one unit's part in a task, and the state machine of its life.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::charge::ChargedPause;
use crate::deadline::DueTimes;
use crate::error::SupervisionError;
use crate::extension::{Extended, ExtensionRequest};
use crate::instrument::{Instrument, PaperReference};
use crate::milestone::{MilestoneMark, Shift};
use crate::recount::Kept;
use crate::side_road::{Misdirection, Suspension, Wait};
use crate::task::AssignmentDraft;
use crate::timers::TimerKind;

/// Characters of a unit's last report that a task shows, from its beginning.
///
/// A report may have 20,000, and a task 200 assignments: shown whole, they would make a task
/// of 16 MB, and a gRPC client reads no message above 4 MB unless it is told to. The event
/// keeps the report whole, and the timeline shows it.
pub const LAST_REPORT: usize = 1_000;

/// As what a unit is named in a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// 牵头单位: answers for the matter and submits it.
    Lead,
    /// 配合单位.
    Cooperating,
    /// 责任单位, usually a county.
    Responsible,
}

/// Where one unit's assignment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AssignmentState {
    /// 待交办: the task is a draft.
    Pending,
    /// 已交办: the unit has been told; its clock runs.
    Assigned,
    /// 已签收.
    Signed,
    /// 已部署: the unit has studied the matter and set people to it.
    Deployed,
    /// 办理中: progress has been reported, or the matter was sent back.
    InProgress,
    /// 已申请办结: the clock stands still and waits for the verifier.
    Submitted,
    /// 已退回 as misdirected: the clock stands still and waits for the supervisor.
    Returned,
    /// 已挂账: no clock runs.
    Suspended,
    /// 已销号.
    StruckOff,
    /// 已撤销.
    Withdrawn,
}

/// What can happen to an assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// 交办, with the whole task.
    Issue,
    /// 签收.
    Sign,
    /// 部署.
    Deploy,
    /// 反馈.
    Report,
    /// 申请办结.
    Submit,
    /// 核验通过, which strikes the assignment off.
    Accept,
    /// 核验退回, for rework.
    SendBack,
    /// 随任务销号: the settling units are done, and with them the task.
    CloseWithTask,
    /// 撤销, with the whole task.
    Withdraw,
    /// 修订 of what the task says; the assignment goes on as it stands.
    Revise,
    /// 申请延期; the assignment goes on as it stands, but its settle clock is held.
    RequestExtension,
    /// 同意或不同意延期.
    DecideExtension,
    /// 退回 as misdirected.
    Return,
    /// 不同意退回.
    RefuseReturn,
    /// 改派 to another unit; there it begins anew.
    Reassign,
    /// 挂账.
    Suspend,
    /// 恢复办理.
    Resume,
    /// 申请等待 of another unit; the assignment goes on as it stands.
    Wait,
    /// 确认或裁定等待.
    DecideWait,
    /// 结束等待.
    EndWait,
    /// 回头看 at what was struck off.
    Recheck,
    /// 重新办理 of what was struck off.
    Reopen,
    /// 催办 or a heavier instrument; the assignment goes on as it stands.
    Press,
    /// Something has become known of the task; the assignment goes on as it stands.
    Circumstance,
    /// 批示 to the unit; the assignment goes on as it stands.
    Instruct,
    /// 增加配合单位 to the task; every assignment there is goes on as it stands.
    AddCooperating,
    /// 转办 to a subordinate unit or a section; the assignment goes on as it stands.
    Delegate,
    /// 报告节点完成; it is a report of progress, too.
    ReachMilestone,
    /// 退回节点: the supervisor does not take a milestone for reached.
    SendBackMilestone,
    /// 填报指标数据 of the task; every assignment there is goes on as it stands.
    GiveFigure,
}

/// The stages of 13710 that have a time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// 签收.
    Sign,
    /// 部署.
    Deploy,
    /// 反馈.
    Report,
    /// 节点.
    Milestone,
    /// 办结.
    Settle,
}

impl AssignmentState {
    /// Every state, in the order of an assignment's life.
    pub const ALL: [AssignmentState; 10] = [
        Self::Pending,
        Self::Assigned,
        Self::Signed,
        Self::Deployed,
        Self::InProgress,
        Self::Submitted,
        Self::Returned,
        Self::Suspended,
        Self::StruckOff,
        Self::Withdrawn,
    ];

    /// The whole life of an assignment: the state an action leads to, or the refusal,
    /// which knows why ([`SupervisionError::chinese`]).
    pub fn after(self, action: Action) -> Result<AssignmentState, SupervisionError> {
        use AssignmentState::{
            Assigned, Deployed, InProgress, Pending, Returned, Signed, StruckOff, Submitted, Suspended,
            Withdrawn,
        };
        let next = match action {
            Action::Issue => self.from(&[Pending], Assigned),
            Action::Sign => self.from(&[Assigned], Signed),
            Action::Deploy => self.from(&[Signed], Deployed),
            // A report says what was done after deployment: before it there is nothing to say.
            Action::Report | Action::ReachMilestone => self.from(&[Deployed, InProgress], InProgress),
            // Of what is submitted, the whole is sent back.
            Action::SendBackMilestone => self.from(&[InProgress, Suspended], self),
            Action::Submit => self.from(&[Deployed, InProgress], Submitted),
            Action::Accept => self.from(&[Submitted], StruckOff),
            Action::SendBack => self.from(&[Submitted], InProgress),
            Action::CloseWithTask => self
                .from(&[Assigned, Signed, Deployed, InProgress, Submitted, Returned, Suspended], StruckOff),
            Action::Withdraw => self.from(
                &[Pending, Assigned, Signed, Deployed, InProgress, Submitted, Returned, Suspended],
                Withdrawn,
            ),
            Action::Revise => self.from(
                &[Pending, Assigned, Signed, Deployed, InProgress, Submitted, Returned, Suspended],
                self,
            ),
            // Whoever asks for more time, or for another unit's part, has seen the matter: it is
            // signed for. A submission holds the clock by itself.
            Action::RequestExtension
            | Action::DecideExtension
            | Action::Wait
            | Action::DecideWait
            | Action::EndWait
            | Action::Delegate => self.from(&[Signed, Deployed, InProgress], self),
            // A unit that has deployed a matter has taken it on.
            Action::Return => self.from(&[Assigned, Signed], Returned),
            // Whoever returned it has seen it.
            Action::RefuseReturn => self.from(&[Returned], Signed),
            Action::Reassign => {
                self.from(&[Assigned, Signed, Deployed, InProgress, Returned, Suspended], Assigned)
            }
            Action::Suspend => self.from(&[Deployed, InProgress], Suspended),
            Action::Resume => self.from(&[Suspended], InProgress),
            Action::Recheck => self.from(&[StruckOff], StruckOff),
            Action::Reopen => self.from(&[StruckOff], InProgress),
            Action::Press => self.from(&[Assigned, Signed, Deployed, InProgress], self),
            Action::Circumstance => self.from(
                &[Assigned, Signed, Deployed, InProgress, Submitted, Returned, Suspended, StruckOff],
                self,
            ),
            Action::Instruct => {
                self.from(&[Assigned, Signed, Deployed, InProgress, Submitted, Returned, Suspended], self)
            }
            Action::AddCooperating | Action::GiveFigure => self.from(
                &[Assigned, Signed, Deployed, InProgress, Submitted, Returned, Suspended, StruckOff],
                self,
            ),
        };
        next.ok_or(SupervisionError::AssignmentRefused { action, state: self })
    }

    fn from(self, allowed: &[AssignmentState], next: AssignmentState) -> Option<AssignmentState> {
        allowed.contains(&self).then_some(next)
    }
}

impl Stage {
    /// What officials call it.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Sign => "签收",
            Self::Deploy => "部署",
            Self::Report => "反馈",
            Self::Milestone => "节点",
            Self::Settle => "办结",
        }
    }
}

impl Action {
    /// Every action.
    pub const ALL: [Action; 30] = [
        Self::Issue,
        Self::Sign,
        Self::Deploy,
        Self::Report,
        Self::Submit,
        Self::Accept,
        Self::SendBack,
        Self::CloseWithTask,
        Self::Withdraw,
        Self::Revise,
        Self::RequestExtension,
        Self::DecideExtension,
        Self::Return,
        Self::RefuseReturn,
        Self::Reassign,
        Self::Suspend,
        Self::Resume,
        Self::Wait,
        Self::DecideWait,
        Self::EndWait,
        Self::Recheck,
        Self::Reopen,
        Self::Press,
        Self::Circumstance,
        Self::Instruct,
        Self::AddCooperating,
        Self::Delegate,
        Self::ReachMilestone,
        Self::SendBackMilestone,
        Self::GiveFigure,
    ];
}

/// One unit's part in a task: what happened to it and when. Due times and the light are
/// computed from this ([`crate::clocks`]), never kept here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assignment {
    /// Resource name, `tasks/{t}/assignments/{a}`.
    pub name: String,
    /// `units/{slug}`.
    pub unit: String,
    /// As what the unit is named.
    pub role: Role,
    /// Where it stands.
    pub state: AssignmentState,
    /// When the clock started.
    pub assigned_at: Option<Timestamp>,
    /// When the unit signed for it.
    pub signed_at: Option<Timestamp>,
    /// When the unit deployed it.
    pub deployed_at: Option<Timestamp>,
    /// When progress was last reported; a submission is a report too.
    pub last_report_at: Option<Timestamp>,
    /// When completion was last submitted.
    pub submitted_at: Option<Timestamp>,
    /// When it was last sent back for rework.
    pub sent_back_at: Option<Timestamp>,
    /// When it was completed: the moment of the submission that was accepted, not of the
    /// verification.
    pub completed_at: Option<Timestamp>,
    /// How long submissions that were sent back had waited for the verifier, in all. It
    /// is charged to the verifier: the unit's settle date moves by it.
    pub verifier_wait: Duration,
    /// How long requests for an extension that were not granted had waited, in all. It is
    /// charged to whoever was to decide: the unit's settle date moves by it, too.
    #[serde(default)]
    pub decider_wait: Duration,
    /// Every pause of its clock that is over, and who answers for the time, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<ChargedPause>,
    /// The return as misdirected that is not decided yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misdirection: Option<Misdirection>,
    /// Why and since when it is suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspension: Option<Suspension>,
    /// What it waits for, or asks to wait for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Wait>,
    /// When each of the supervisor's instruments was last used.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub instruments: BTreeMap<Instrument, Timestamp>,
    /// The papers that the last of them were sent as.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub papers: BTreeMap<Instrument, PaperReference>,
    /// The extension that is asked for and not decided yet.
    #[serde(default)]
    pub extension_request: Option<ExtensionRequest>,
    /// The last day it was granted for itself.
    #[serde(default)]
    pub extended: Option<Extended>,
    /// The stages it was late in. It survives completion.
    pub late: BTreeSet<Stage>,
    /// When work that was under way before was entered ([`crate::backfill`]), or when it was
    /// reopened: steps that were due until then are not owed.
    #[serde(default)]
    pub counted_from: Option<Timestamp>,
    /// When a timer of each kind last took effect, so that none does twice for one due time.
    pub fired: BTreeMap<TimerKind, Timestamp>,
    /// How often a timer has urged of the step that it urged of last, by its kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub urgings: BTreeMap<TimerKind, u32>,
    /// What is known of the task's milestones as they concern this assignment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub milestones: Vec<MilestoneMark>,
    /// It was struck off before it was reopened: its milestones were accepted with all of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub milestones_done: bool,
    /// By how much extensions moved its settle date, and its milestones with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shifts: Vec<Shift>,
    /// The units that had it before it was reassigned, `units/{slug}`: what a document says of
    /// them it says of whoever has their part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formerly_of: Vec<String>,
    /// When its stages were due as it was struck off. What is done is judged by what held then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_due: Option<DueTimes>,
    /// The version of the rule that its clocks ran by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_rule: Option<u32>,
    /// Due times that had not passed when a calendar was published by which they would have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
}

impl Assignment {
    pub(crate) fn from_draft(draft: &AssignmentDraft) -> Self {
        Self {
            name: draft.name.clone(),
            unit: draft.unit.clone(),
            role: draft.role,
            state: AssignmentState::Pending,
            assigned_at: None,
            signed_at: None,
            deployed_at: None,
            last_report_at: None,
            submitted_at: None,
            sent_back_at: None,
            completed_at: None,
            verifier_wait: Duration::ZERO,
            decider_wait: Duration::ZERO,
            charges: Vec::new(),
            misdirection: None,
            suspension: None,
            wait: None,
            instruments: BTreeMap::new(),
            papers: BTreeMap::new(),
            extension_request: None,
            extended: None,
            late: BTreeSet::new(),
            counted_from: None,
            fired: BTreeMap::new(),
            urgings: BTreeMap::new(),
            milestones: Vec::new(),
            milestones_done: false,
            shifts: Vec::new(),
            formerly_of: Vec::new(),
            closed_due: None,
            closed_rule: None,
            kept: None,
        }
    }

    /// What is done is judged by what held when it was struck off.
    pub(crate) fn close(&mut self, due: DueTimes, rule_version: Option<u32>) {
        self.closed_due = Some(due);
        self.closed_rule = rule_version;
    }

    /// Whether it was ever late in any stage.
    pub fn was_late(&self) -> bool {
        !self.late.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every action (rows) in every state (columns, in the order of [`AssignmentState::ALL`]).
    /// `-` is a refusal; a digit is the index of the state reached.
    #[test]
    fn every_action_has_a_defined_answer_in_every_state() {
        let table = [
            (Action::Issue, "1---------"),
            (Action::Sign, "-2--------"),
            (Action::Deploy, "--3-------"),
            (Action::Report, "---44-----"),
            (Action::Submit, "---55-----"),
            (Action::Accept, "-----8----"),
            (Action::SendBack, "-----4----"),
            (Action::CloseWithTask, "-8888888--"),
            (Action::Withdraw, "99999999--"),
            (Action::Revise, "01234567--"),
            (Action::RequestExtension, "--234-----"),
            (Action::DecideExtension, "--234-----"),
            (Action::Return, "-66-------"),
            (Action::RefuseReturn, "------2---"),
            (Action::Reassign, "-1111-11--"),
            (Action::Suspend, "---77-----"),
            (Action::Resume, "-------4--"),
            (Action::Wait, "--234-----"),
            (Action::DecideWait, "--234-----"),
            (Action::EndWait, "--234-----"),
            (Action::Recheck, "--------8-"),
            (Action::Reopen, "--------4-"),
            (Action::Press, "-1234-----"),
            (Action::Circumstance, "-12345678-"),
            (Action::Instruct, "-1234567--"),
            (Action::AddCooperating, "-12345678-"),
            (Action::Delegate, "--234-----"),
            (Action::ReachMilestone, "---44-----"),
            (Action::SendBackMilestone, "----4--7--"),
            (Action::GiveFigure, "-12345678-"),
        ];
        assert_eq!(table.map(|(action, _)| action), Action::ALL);
        for (action, row) in table {
            for (state, cell) in AssignmentState::ALL.into_iter().zip(row.chars()) {
                let expected = match cell.to_digit(10) {
                    Some(index) => Ok(AssignmentState::ALL[index as usize]),
                    None => Err(SupervisionError::AssignmentRefused { action, state }),
                };
                assert_eq!(state.after(action), expected, "{action:?} in {state:?}");
            }
        }
    }

    #[test]
    fn every_refusal_has_a_reason_in_chinese() {
        for action in Action::ALL {
            for state in AssignmentState::ALL {
                if let Err(refusal) = state.after(action) {
                    let reason = refusal.chinese();
                    assert!(reason.chars().any(|c| c >= '\u{4e00}'), "{action:?} in {state:?}: {reason}");
                }
            }
        }
        let before_deployment = AssignmentState::Signed.after(Action::Report).unwrap_err();
        assert_eq!(before_deployment.chinese(), "已签收、尚未部署，请先部署再反馈进展");
    }
}
