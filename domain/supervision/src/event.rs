//! [`TaskEvent`]: what happened. Each event says enough for whoever must tell people about
//! it without asking back.

use std::time::Duration;

use domain_attachment::Attachment;
use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use time::Date;

use crate::assignment::{Assignment, Role, Stage};
use crate::backfill::BackfilledAssignment;
use crate::circumstance::Circumstance;
use crate::content::Content;
use crate::deadline::DueTimes;
use crate::figure::FigureChange;
use crate::instruction::Instruction;
use crate::instrument::InstrumentUse;
use crate::milestone::MilestoneChange;
use crate::resemblance::KnownTask;
use crate::shared_report::SharedReport;
use crate::side_road_event::SideRoad;
use crate::task::{Task, TaskDraft, Visibility};

/// Something that happened to a task as a whole or to one of its assignments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum TaskEvent {
    /// Of type `supervision.task.*`.
    Task(WholeTaskEvent),
    /// Of type `supervision.assignment.*`.
    Assignment(AssignmentEvent),
}

/// Something that happened to a task as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WholeTaskEvent {
    /// The task it happened to.
    pub task: TaskFacts,
    /// When.
    pub at: Timestamp,
    /// What.
    pub change: TaskChange,
}

/// Something that happened to one assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssignmentEvent {
    /// The task it belongs to.
    pub task: TaskFacts,
    /// The assignment, with its due times as they are after the change.
    pub assignment: AssignmentFacts,
    /// When.
    pub at: Timestamp,
    /// The stages that were owed and missed when it happened.
    pub late: Vec<Stage>,
    /// What.
    pub change: AssignmentChange,
}

/// What a notice needs to know of a task, and who may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskFacts {
    /// Resource name, `tasks/{id}`.
    pub name: String,
    /// The number people say aloud.
    pub ledger_number: i64,
    /// One line, as it stands on the ledger.
    pub title: String,
    /// Subject of the account that entered it.
    pub created_by: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// `units/{slug}` that may see a restricted task.
    pub restricted_units: Vec<String>,
    /// What it was escalated from.
    pub origin: Option<String>,
    /// It is told at whatever hour.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub urgent: bool,
    /// The leader whom the mayor designated for it, `officials/{id}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub designated: Option<String>,
}

/// What a notice needs to know of an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssignmentFacts {
    /// Resource name, `tasks/{t}/assignments/{a}`.
    pub name: String,
    /// `units/{slug}`.
    pub unit: String,
    /// As what the unit is named.
    pub role: Role,
    /// When its stages are due.
    pub due: DueTimes,
}

/// What happened to a task as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum TaskChange {
    /// A draft was entered.
    Created {
        /// Everything entered.
        draft: Box<TaskDraft>,
        /// The open tasks that ask the same of the same unit, which whoever entered it knew of.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        known: Vec<KnownTask>,
    },
    /// 交办: every unit is told, and its clock starts.
    Issued {
        /// The rule its clocks run by.
        rule_version: u32,
        /// Every assignment.
        assignments: Vec<AssignmentFacts>,
        /// Each unit is told of it with all else that its document gives it
        /// ([`crate::DocumentIssued`]), and not by this.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        with_document: bool,
    },
    /// 补录: it was under way before it was entered. Nobody is told.
    Backfilled {
        /// The rule its clocks run by.
        rule_version: u32,
        /// When it was issued.
        issued_at: Timestamp,
        /// Every assignment, and where it stands.
        assignments: Vec<BackfilledAssignment>,
    },
    /// 修订: it says something else from now on.
    Revised {
        /// What it said.
        before: Box<Content>,
        /// What it says.
        after: Box<Content>,
        /// Why; may be empty for a draft.
        ground: String,
        /// Every assignment, with its due times as they are after it.
        assignments: Vec<AssignmentFacts>,
    },
    /// 改按新规则计时: its clocks run by another rule from now on. What was late stays late.
    Rebased {
        /// The version they ran by.
        from: u32,
        /// The version they run by.
        to: u32,
        /// Why.
        ground: String,
        /// Every assignment, with its due times as they were.
        before: Vec<AssignmentFacts>,
        /// Every assignment, with its due times as they are.
        assignments: Vec<AssignmentFacts>,
    },
    /// 撤销.
    Withdrawn {
        /// Why.
        ground: String,
        /// The assignments withdrawn with it: those not struck off before.
        assignments: Vec<AssignmentFacts>,
    },
    /// 销号: all that settle it are struck off.
    StruckOff {
        /// The moment of the last of the accepted submissions.
        completed_at: Timestamp,
        /// Every assignment.
        assignments: Vec<AssignmentFacts>,
    },
    /// Something has become known that changes how its clocks run, or who decides on it.
    Circumstance {
        /// What.
        circumstance: Circumstance,
        /// Every assignment, with its due times as they were.
        before: Vec<AssignmentFacts>,
        /// Every assignment, with its due times as they are.
        assignments: Vec<AssignmentFacts>,
    },
    /// 重新办理: an assignment that settles it was reopened.
    Reopened {
        /// Why.
        ground: String,
        /// Every assignment, with its due times as they are after it.
        assignments: Vec<AssignmentFacts>,
    },
    /// 并入事项: it is the same matter as others.
    JoinedMatter {
        /// `matters/{id}`.
        matter: String,
        /// What the matter is called.
        title: String,
        /// Why.
        ground: String,
    },
    /// 移出事项.
    LeftMatter {
        /// `matters/{id}`.
        matter: String,
        /// What the matter is called.
        title: String,
        /// Why.
        ground: String,
    },
    /// 批示.
    Instructed {
        /// What was written, by whom and to whom.
        instruction: Box<Instruction>,
        /// The assignments of the units it is addressed to.
        assignments: Vec<AssignmentFacts>,
    },
    /// 签收批示.
    InstructionSigned {
        /// Its resource name.
        instruction: String,
        /// Those who signed by this, units or officials.
        signed: Vec<String>,
    },
    /// 批示到期: whoever has not signed, or has reported nothing since, is urged once.
    InstructionDue {
        /// Those of them who have not signed; none: it was not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unsigned: Option<Vec<String>>,
        /// The units of them that have reported nothing since; none: it was not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unreported: Option<Vec<String>>,
        /// Its resource name.
        instruction: String,
        /// The leader whose word it is.
        leader: String,
        /// What was written.
        text: String,
        /// Units and officials who owe something.
        owing: Vec<String>,
        /// The assignments of those units.
        assignments: Vec<AssignmentFacts>,
    },
    /// What happened to the figures of its targets.
    Figure(FigureChange),
    /// 增加配合单位: their clocks start.
    CooperatingAdded {
        /// Why; may be empty.
        ground: String,
        /// The assignments that came in.
        assignments: Vec<AssignmentFacts>,
    },
}

/// What happened to an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum AssignmentChange {
    /// 签收.
    Signed,
    /// 部署.
    Deployed {
        /// The plan; may be empty.
        #[serde(default)]
        plan: String,
    },
    /// 反馈.
    Reported {
        /// The progress.
        text: String,
        /// Evidence.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<Attachment>,
        /// The report that answers several tasks of a matter, when this is one of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shared: Option<SharedReport>,
    },
    /// 申请办结: the clock stops.
    Submitted {
        /// The result.
        text: String,
        /// How long a request for an extension had waited, which is withdrawn by this; it is
        /// charged to whoever was to decide. None when there was no request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_waited: Option<Duration>,
        /// Evidence.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<Attachment>,
    },
    /// 核验通过. The striking-off follows in the same decision.
    Verified {
        /// The verifier's note; may be empty.
        note: String,
        /// The moment of the submission, which is the completion.
        completed_at: Timestamp,
    },
    /// 退回返工: the clock goes on.
    SentBack {
        /// Why.
        note: String,
        /// How long the submission had waited, which is charged to the verifier.
        waited: Duration,
    },
    /// 销号.
    StruckOff {
        /// The completion.
        completed_at: Timestamp,
        /// It was not verified itself: the units that settle the task are done.
        with_task: bool,
        /// Since when its steps counted, where that was later than its issue
        /// ([`Assignment::counted_from`]): what was due before is no lateness of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        counted_from: Option<Timestamp>,
    },
    /// 申请延期: the settle clock is held.
    ExtensionRequested {
        /// The last day asked for, Asia/Shanghai.
        #[serde(with = "crate::date_text::whole")]
        last_day: Date,
        /// Why.
        reason: String,
    },
    /// 同意延期: the assignment has a last day of its own.
    ExtensionGranted {
        /// The last day, Asia/Shanghai.
        #[serde(with = "crate::date_text::whole")]
        last_day: Date,
        /// The leader's note; may be empty.
        note: String,
        /// How long the request had waited.
        waited: Duration,
        /// The part of it that is charged to whoever decided: as much as leaves the unit no
        /// worse off than a refusal would have. None of it, unless the answer came late.
        charged: Duration,
        /// By how much the last day is later than what was due, which milestones move by, too.
        #[serde(default, skip_serializing_if = "Duration::is_zero")]
        moved: Duration,
    },
    /// 不同意延期: the clock goes on.
    ExtensionRefused {
        /// The last day that was asked for, Asia/Shanghai.
        #[serde(with = "crate::date_text::whole")]
        last_day: Date,
        /// Why.
        note: String,
        /// How long the request had waited, which is charged to whoever decided.
        waited: Duration,
    },
    /// 重新核定时限: a calendar was published, and its due times are others, or are certain now.
    DeadlineRecomputed {
        /// Its due times as they were.
        before: DueTimes,
        /// The version of the calendar they are counted by now.
        calendar_version: u32,
        /// They still reach into a year that is not published.
        #[serde(default)]
        provisional: bool,
        /// Those of them that would have passed by the new calendar, and stay as they were.
        #[serde(default, skip_serializing_if = "DueTimes::are_none")]
        kept: DueTimes,
    },
    /// What happened to its milestones.
    Milestone(MilestoneChange),
    /// It left the road from its issue to its striking-off, or came back to it.
    SideRoad(SideRoad),
    /// 催办 or a heavier instrument, by a person.
    Pressed(InstrumentUse),
    /// The settle date was missed.
    Overdue,
    /// 提醒: little time is left. Sent once for one due time.
    Reminded,
    /// 催办 of missed steps, all of them in one.
    Urged {
        /// The steps.
        stages: Vec<Stage>,
        /// Those of them that a timer has urged of before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        again: Vec<Stage>,
    },
}

impl TaskEvent {
    /// The task it belongs to.
    pub fn task(&self) -> &TaskFacts {
        match self {
            Self::Task(event) => &event.task,
            Self::Assignment(event) => &event.task,
        }
    }

    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Task(event) => event.at,
            Self::Assignment(event) => event.at,
        }
    }

    /// The files that it brought to the task.
    pub fn attachments(&self) -> &[Attachment] {
        match self {
            Self::Task(event) => match &event.change {
                TaskChange::Created { draft, known: _ } => &draft.attachments,
                TaskChange::Revised { before, after, .. } if before.attachments != after.attachments => {
                    &after.attachments
                }
                TaskChange::Revised { .. }
                | TaskChange::Issued { .. }
                | TaskChange::Backfilled { .. }
                | TaskChange::Rebased { .. }
                | TaskChange::Withdrawn { .. }
                | TaskChange::StruckOff { .. }
                | TaskChange::Reopened { .. }
                | TaskChange::JoinedMatter { .. }
                | TaskChange::LeftMatter { .. }
                | TaskChange::Circumstance { .. }
                | TaskChange::Instructed { .. }
                | TaskChange::InstructionSigned { .. }
                | TaskChange::InstructionDue { .. }
                | TaskChange::Figure(_)
                | TaskChange::CooperatingAdded { .. } => &[],
            },
            Self::Assignment(event) => match &event.change {
                AssignmentChange::Reported { attachments, .. }
                | AssignmentChange::Submitted { attachments, .. } => attachments,
                AssignmentChange::Milestone(change) => change.attachments(),
                AssignmentChange::Signed
                | AssignmentChange::Deployed { .. }
                | AssignmentChange::Verified { .. }
                | AssignmentChange::SentBack { .. }
                | AssignmentChange::StruckOff { .. }
                | AssignmentChange::ExtensionRequested { .. }
                | AssignmentChange::ExtensionGranted { .. }
                | AssignmentChange::ExtensionRefused { .. }
                | AssignmentChange::DeadlineRecomputed { .. }
                | AssignmentChange::SideRoad(_)
                | AssignmentChange::Pressed(_)
                | AssignmentChange::Overdue
                | AssignmentChange::Reminded
                | AssignmentChange::Urged { .. } => &[],
            },
        }
    }

    pub(crate) fn on_task(task: TaskFacts, at: Timestamp, change: TaskChange) -> Self {
        Self::Task(WholeTaskEvent { task, at, change })
    }
}

impl TaskFacts {
    /// What a notice needs to know of a task.
    pub fn of(task: &Task) -> Self {
        Self {
            name: task.name.clone(),
            ledger_number: task.ledger_number,
            title: task.title.clone(),
            created_by: task.created_by.clone(),
            visibility: task.visibility,
            restricted_units: task.restricted_units.clone(),
            origin: task.origin.clone(),
            urgent: task.is_urgent(),
            designated: task.designated.clone(),
        }
    }
}

impl AssignmentFacts {
    /// What a notice needs to know of an assignment with these due times.
    pub fn of(assignment: &Assignment, due: DueTimes) -> Self {
        Self { name: assignment.name.clone(), unit: assignment.unit.clone(), role: assignment.role, due }
    }
}
