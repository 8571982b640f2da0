//! [`SupervisionError`]: why a command is refused, in words an official understands.

use domain_calendar::Timestamp;
use time::Date;

use crate::assignment::{Action, AssignmentState, Stage};
use crate::delegation::{DelegationAction, DelegationState};
use crate::instrument::Instrument;
use crate::paper::chinese_day;
use crate::plain_english::{english, words};
use crate::task::TaskState;
use crate::unit_draft::{DraftAction, DraftState};

/// A text that must say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotEmpty {
    /// The task's title.
    Title,
    /// An assignment's unit.
    Unit,
    /// The text of a progress report.
    Report,
    /// The text of a submission.
    Submission,
    /// The note that tells a unit why its work is sent back.
    SendBackNote,
    /// The ground of a withdrawal.
    WithdrawalGround,
    /// The ground of a revision after issuing.
    RevisionGround,
    /// What is to be reached by a milestone.
    Milestone,
    /// What a target measures.
    Measure,
    /// What is open, and why.
    OpenPoint,
    /// Why an extension is asked for.
    ExtensionReason,
    /// The note that tells a unit why it is not granted an extension.
    ExtensionRefusalNote,
    /// Why a unit returns a matter.
    ReturnReason,
    /// The note that tells a unit why it keeps what it returned.
    ReturnRefusalNote,
    /// Why a matter is given to another unit.
    ReassignmentGround,
    /// Why a matter is suspended.
    SuspensionGround,
    /// What is needed of another unit.
    Need,
    /// The note that tells a unit why its clock goes on.
    WaitRefusalNote,
    /// What the unit that was waited for answers.
    WaitAnswer,
    /// What a recheck found.
    Finding,
    /// Why a matter is reopened.
    ReopeningGround,
    /// Why an instrument is used.
    InstrumentGround,
    /// What a matter is called.
    MatterTitle,
    /// Which tasks are meant.
    LinkedTask,
    /// Why tasks are one matter.
    LinkGround,
    /// Why a task is taken out of its matter.
    UnlinkGround,
    /// What is waited for.
    AwaitedEvent,
    /// By what it is known that the awaited event happened.
    EventGround,
    /// By what it is known when an emergency occurred.
    OccurrenceGround,
    /// What a leader wrote.
    Instruction,
    /// A remark.
    Comment,
    /// The note that tells a clerk why a draft is sent back.
    DraftNote,
    /// What is asked of a delegate.
    Ask,
    /// The section that a matter is passed down to.
    Section,
    /// What a delegate answers.
    DelegateAnswer,
    /// Why a delegation is sent back or withdrawn.
    DelegationNote,
    /// The note that tells a unit why a milestone is not taken for reached.
    MilestoneNote,
    /// Why a figure is another.
    FigureCorrection,
}

/// Why a command is refused. It changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SupervisionError {
    /// The system carries no classified matter, and whoever enters something says so.
    #[error("the matter is not declared unclassified")]
    NotDeclaredUnclassified,
    /// A text is missing.
    #[error("the {} must be given", words(.0))]
    Empty(NotEmpty),
    /// Restricted, but no unit is named that may see it.
    #[error("restricted visibility names no unit")]
    RestrictedToNobody,
    /// A task concerns at least one unit.
    #[error("a task needs at least one assignment")]
    NoAssignment,
    /// Nobody answers for the task.
    #[error("a task needs a lead unit or a responsible unit")]
    OnlyCooperatingUnits,
    /// A unit is named twice in one task.
    #[error("{unit} is named twice")]
    UnitTwice {
        /// `units/{slug}`.
        unit: String,
    },
    /// Two assignments carry one name.
    #[error("{name} is used twice")]
    AssignmentNameTwice {
        /// The assignment's resource name.
        name: String,
    },
    /// The task holds no such assignment.
    #[error("no assignment {name}")]
    UnknownAssignment {
        /// The resource name asked for.
        name: String,
    },
    /// The last day lies before the day of issue.
    #[error("due date {due_date} is before the issue at {issue_time}")]
    DueBeforeIssue {
        /// The last day, Asia/Shanghai.
        due_date: Date,
        /// When it was to be issued.
        issue_time: Timestamp,
    },
    /// The task as a whole is past this action.
    #[error("cannot {} while the task is {}", english(.action), words(.state))]
    TaskRefused {
        /// What was asked for: issue or withdraw.
        action: Action,
        /// Where the task stands.
        state: TaskState,
    },
    /// The state machine of the assignment refuses.
    #[error("cannot {} while the assignment is {}", english(.action), words(.state))]
    AssignmentRefused {
        /// What was asked for.
        action: Action,
        /// Where the assignment stands.
        state: AssignmentState,
    },
    /// A person has not yet settled what is open.
    #[error("{count} points are open, the first is {first:?}")]
    StillOpen {
        /// The words of the first.
        first: String,
        /// How many there are.
        count: usize,
    },
    /// Units, grade and open points stay as they were issued.
    #[error("units, grade and open points are fixed once a task is issued")]
    FixedOnceIssued,
    /// A target's value is no decimal number.
    #[error("{value:?} is no decimal number")]
    NoNumber {
        /// What was given.
        value: String,
    },
    /// Work that was under way must say where each of its assignments stands.
    #[error("each assignment needs a state")]
    NoStanding,
    /// Something is said to have happened that lies ahead.
    #[error("{at} is ahead")]
    Ahead {
        /// When it is said to have happened.
        at: Timestamp,
    },
    /// An extension is asked for before the settle date, or not at all.
    #[error("the settle date has passed at {due}")]
    PastDue {
        /// The settle due time.
        due: Timestamp,
    },
    /// The last day asked for is no later than the present one.
    #[error("{last_day} is no later than what is due at {due}")]
    NotLater {
        /// What was asked for.
        last_day: Date,
        /// The settle due time.
        due: Timestamp,
    },
    /// One request at a time.
    #[error("an extension until {last_day} is already asked for")]
    ExtensionPending {
        /// What is asked for.
        last_day: Date,
    },
    /// There is nothing to decide.
    #[error("no extension is asked for")]
    NoExtensionRequest,
    /// A day that must lie ahead does not.
    #[error("{day} does not lie ahead")]
    DayPassed {
        /// The day, Asia/Shanghai.
        day: Date,
    },
    /// The day to look at a suspended matter again does not lie ahead.
    #[error("the review date {day} does not lie ahead")]
    ReviewPassed {
        /// The day, Asia/Shanghai.
        day: Date,
    },
    /// A unit cannot wait for itself.
    #[error("{unit} cannot wait for itself")]
    WaitOnItself {
        /// `units/{slug}`.
        unit: String,
    },
    /// One pause at a time.
    #[error("the assignment waits, or asks to wait, for {on}")]
    WaitOpen {
        /// The unit waited for.
        on: String,
    },
    /// There is no wait to decide or to end.
    #[error("the assignment does not wait")]
    NoWait,
    /// The clock stands still already.
    #[error("the wait is already decided")]
    WaitDecided,
    /// Only the supervisor can rule on the wait now.
    #[error("the wait was to be accepted before {limit}")]
    WaitLapsed {
        /// The first instant that was too late.
        limit: Timestamp,
    },
    /// Others are to act now, not the unit.
    #[error("the clock stands still")]
    ClockHeld,
    /// Nothing is due or nearly due.
    #[error("{} comes too early: the light is green", words(.instrument))]
    NotDueYet {
        /// What was to be used.
        instrument: Instrument,
    },
    /// Only a leader decides on it.
    #[error("{} needs a leader's decision", words(.instrument))]
    NeedsLeader {
        /// What was to be used.
        instrument: Instrument,
    },
    /// The lighter one comes first.
    #[error("{} comes after {}", words(.instrument), words(.lighter))]
    LighterFirst {
        /// What was to be used.
        instrument: Instrument,
        /// What was not used yet.
        lighter: Instrument,
    },
    /// The unit was urged a short while ago.
    #[error("not to be urged again before {until}")]
    UrgedJustNow {
        /// When it may be urged again.
        until: Timestamp,
    },
    /// An emergency says when it occurred.
    #[error("an emergency needs the time of its occurrence")]
    NoOccurrence,
    /// An emergency is said to have occurred ahead.
    #[error("{at} is ahead")]
    OccurrenceAhead {
        /// When it is said to have occurred.
        at: Timestamp,
    },
    /// The awaited event is said to have happened ahead.
    #[error("{day} is ahead")]
    EventAhead {
        /// The day, Asia/Shanghai.
        day: Date,
    },
    /// Only an emergency has a time of occurrence.
    #[error("only an emergency has a time of occurrence")]
    OccurrenceOfNone,
    /// Whoever holds a task would give itself time by a correction.
    #[error("a correction that gives its units more time is the supervisor's")]
    OwnTime,
    /// An event is waited for in a way that cannot be meant.
    #[error(
        "an awaited event has up to 200 characters, an earliest and a latest time after it in days or months, in order, and no other due date"
    )]
    AwaitedWrongly,
    /// The task waits for no event.
    #[error("the task waits for no event")]
    AwaitsNothing,
    /// The event that the task waits for is not recorded.
    #[error("{event:?} is not recorded yet")]
    StillAwaited {
        /// What is waited for.
        event: String,
    },
    /// The matter is not to be completed yet.
    #[error("not to be completed before {first_day}")]
    TooEarly {
        /// The first day, Asia/Shanghai.
        first_day: Date,
    },
    /// By the task's rule, no designated leader decides.
    #[error("by the task's rule no designated leader decides")]
    NobodyDesignated,
    /// The rule or the task wants evidence.
    #[error("{} wants evidence", words(.stage))]
    EvidenceWanted {
        /// Of which stage.
        stage: Stage,
    },
    /// A holder never verifies its own work.
    #[error("{unit} cannot verify its own work")]
    OwnWork {
        /// `units/{slug}`.
        unit: String,
    },
    /// A task is in one matter at most.
    #[error("{task} is in {matter} already")]
    InMatter {
        /// `tasks/{id}`.
        task: String,
        /// `matters/{id}`.
        matter: String,
    },
    /// What is not linked cannot be taken out.
    #[error("{task} is not in this matter")]
    NotInMatter {
        /// `tasks/{id}`.
        task: String,
    },
    /// A matter has a bounded number of tasks.
    #[error("a matter has at most {most} tasks")]
    TooManyLinked {
        /// How many it may have.
        most: usize,
    },
    /// An instruction is addressed to nobody.
    #[error("an instruction needs an addressee")]
    NoAddressee,
    /// The unit holds nothing of the task.
    #[error("{unit} has no part in the task")]
    NotOfTask {
        /// `units/{slug}`.
        unit: String,
    },
    /// An instant that must lie ahead does not.
    #[error("{at} does not lie ahead")]
    TimePassed {
        /// What was given.
        at: Timestamp,
    },
    /// Whoever signs has signed before.
    #[error("the instruction is already signed for")]
    InstructionSigned,
    /// A draft is past this action.
    #[error("cannot {} while the draft is {}", words(.action), words(.state))]
    DraftRefused {
        /// What was asked for.
        action: DraftAction,
        /// Where the draft stands.
        state: DraftState,
    },
    /// Another unit holds the matter by now.
    #[error("{unit} does not hold the assignment any more")]
    HeldByAnother {
        /// The unit that held it, `units/{slug}`.
        unit: String,
    },
    /// A delegation is past this action.
    #[error("cannot {} while the delegation is {}", words(.action), words(.state))]
    DelegationRefused {
        /// What was asked for.
        action: DelegationAction,
        /// Where the delegation stands.
        state: DelegationState,
    },
    /// A matter is passed down to subordinate units alone.
    #[error("{unit} is not subordinate to {holder}")]
    NotSubordinate {
        /// The unit that was named, `units/{slug}`.
        unit: String,
        /// The holder, `units/{slug}`.
        holder: String,
    },
    /// A delegate's limit lies beyond the holder's.
    #[error("later than the holder's own settle date {due}")]
    LaterThanHolder {
        /// The holder's settle due time.
        due: Timestamp,
    },
    /// The delegate has answered nothing yet.
    #[error("the delegate has not answered")]
    NoAnswer,
    /// A task is not struck off before its sub-tasks.
    #[error("{count} sub-tasks are open")]
    SubTasksOpen {
        /// How many.
        count: u64,
    },
    /// A task cannot belong to itself or to what belongs to it.
    #[error("{parent} is the task itself or below it")]
    ParentBelow {
        /// `tasks/{id}`.
        parent: String,
    },
    /// Tasks would stand too many levels below one another.
    #[error("at most {most} levels of tasks")]
    TooDeep {
        /// The most that are allowed.
        most: usize,
    },
    /// The task above is struck off or withdrawn.
    #[error("the parent is {}", words(.state))]
    ParentOver {
        /// Where it stands.
        state: TaskState,
    },
    /// A sub-task is seen by no more than its parent is.
    #[error("a sub-task is not seen by more than its parent")]
    WiderThanParent,
    /// No milestone of that day concerns the unit.
    #[error("no milestone of {last_day} concerns the unit")]
    NoMilestone {
        /// The day that was named, Asia/Shanghai.
        last_day: Date,
    },
    /// Several milestones of that day concern the unit.
    #[error("several milestones of {last_day} concern the unit: say which")]
    MilestoneUnclear {
        /// The day that was named, Asia/Shanghai.
        last_day: Date,
    },
    /// The milestone is reported reached already.
    #[error("{clause:?} is reached already")]
    MilestoneReached {
        /// What is to be reached.
        clause: String,
    },
    /// Nobody has reported the milestone reached.
    #[error("{clause:?} is not reported reached")]
    MilestoneNotReached {
        /// What is to be reached.
        clause: String,
    },
    /// No target of the task measures this.
    #[error("no target measures {measure:?}")]
    NoTarget {
        /// What was named.
        measure: String,
    },
    /// Several targets of the task measure this.
    #[error("several targets measure {measure:?}: say which")]
    TargetUnclear {
        /// What was named.
        measure: String,
    },
    /// A figure is no decimal number.
    #[error("{value:?} is no decimal number")]
    FigureNoNumber {
        /// What was given.
        value: String,
    },
    /// A figure is said to hold as of a day that lies ahead.
    #[error("{day} is ahead")]
    FigureAhead {
        /// The day, Asia/Shanghai.
        day: Date,
    },
    /// A revision would give a milestone a day that has passed.
    #[error("the milestone of {last_day} has passed")]
    MilestonePassed {
        /// The day, Asia/Shanghai.
        last_day: Date,
    },
    /// A task has too many units.
    #[error("at most {most} units")]
    TooManyUnits {
        /// The most that are allowed.
        most: usize,
    },
}

impl SupervisionError {
    /// The reason as an official reads it.
    pub fn chinese(&self) -> String {
        match self {
            Self::NotDeclaredUnclassified => "请先确认本事项不涉密，本系统不得录入涉密内容".to_owned(),
            Self::Empty(text) => text.chinese().to_owned(),
            Self::RestrictedToNobody => "限定单位可见的任务，请至少指定一个可见单位".to_owned(),
            Self::NoAssignment => "任务至少要有一个承办单位".to_owned(),
            Self::OnlyCooperatingUnits => "任务不能只有配合单位，请指定牵头单位或责任单位".to_owned(),
            Self::UnitTwice { unit } => format!("同一单位（{unit}）在一项任务中只能出现一次"),
            Self::AssignmentNameTwice { name } => format!("交办事项编号（{name}）重复"),
            Self::UnknownAssignment { name } => format!("该任务下没有这项交办（{name}）"),
            Self::DueBeforeIssue { due_date, .. } => {
                format!("办结期限（{}）早于交办日期，请核对后再交办", chinese_day(*due_date))
            }
            Self::TaskRefused { action, state } => {
                format!("任务{}，不能{}", task_state(*state), verb(*action))
            }
            Self::AssignmentRefused { action, state } => refusal(*action, *state),
            Self::StillOpen { first, count } => {
                format!("尚有{count}处待明确（第一处：{first}），请先明确再交办")
            }
            Self::FixedOnceIssued => {
                "任务已经交办，承办单位、事项类别、上级任务和待明确事项不能在修订中更改".to_owned()
            }
            Self::NoNumber { value } => format!("指标值（{value}）应为数字"),
            Self::NoStanding => "补录在办事项应写明每个承办单位的办理状态".to_owned(),
            Self::Ahead { at } => format!("{}尚未到来，请核对", moment(*at)),
            Self::PastDue { .. } => "办结期限已过，不能再申请延期".to_owned(),
            Self::NotLater { last_day, .. } => {
                format!("申请延至的日期（{}）应晚于现办结期限", chinese_day(*last_day))
            }
            Self::ExtensionPending { last_day } => {
                format!("延期至{}的申请尚待决定，请勿重复申请", chinese_day(*last_day))
            }
            Self::NoExtensionRequest => "承办单位没有待决定的延期申请".to_owned(),
            Self::DayPassed { day } => format!("日期（{}）应晚于今天", chinese_day(*day)),
            Self::ReviewPassed { day } => format!("复核日期（{}）应晚于今天", chinese_day(*day)),
            Self::WaitOnItself { .. } => "不能等待本单位".to_owned(),
            Self::WaitOpen { on } => format!("正在等待或申请等待{on}，请先结束等待"),
            Self::NoWait => "没有等待其他单位的申请".to_owned(),
            Self::WaitDecided => "等待已经确认，请勿重复确认".to_owned(),
            Self::WaitLapsed { .. } => "确认等待的时限（一个工作日）已过，应由督查机构裁定".to_owned(),
            Self::ClockHeld => "该事项正在等待他方决定或办理，计时已暂停，不能催办".to_owned(),
            Self::NotDueYet { instrument } => {
                format!("尚未到期且未亮黄灯，不能{}", instrument.used())
            }
            Self::NeedsLeader { instrument } => {
                format!("{}须由领导决定，请填写领导决定的文件", instrument.used())
            }
            Self::LighterFirst { instrument, lighter } => {
                format!("{}之前应先{}，确需越级须由领导决定", instrument.used(), lighter.used())
            }
            Self::UrgedJustNow { .. } => "距上次催办不足24小时，请稍后再催办".to_owned(),
            Self::NoOccurrence => "突发事件应填写发生时间".to_owned(),
            Self::OccurrenceAhead { at } => format!("发生时间（{}）尚未到来，请核对", moment(*at)),
            Self::EventAhead { day } => format!("{}尚未到来，请核对", chinese_day(*day)),
            Self::OccurrenceOfNone => "只有突发事件填写发生时间".to_owned(),
            Self::OwnTime => "该更正会延长办理时限，承办单位不能自行更正，请报督查室更正".to_owned(),
            Self::AwaitedWrongly => {
                "所等待的事件应在200字以内，并写明事件发生后最早和最迟办结的天数或月数，不再另定期限"
                    .to_owned()
            }
            Self::AwaitsNothing => "该任务没有等待的事件".to_owned(),
            Self::StillAwaited { event } => format!("尚未记录“{event}”的发生日期，尚未开始计时"),
            Self::TooEarly { first_day } => format!("{}前不能申请办结", chinese_day(*first_day)),
            Self::NobodyDesignated => "按该任务适用的规则，不由指定领导决定".to_owned(),
            Self::EvidenceWanted { stage } => format!("{}应附证明材料", stage.chinese()),
            Self::OwnWork { unit } => format!("承办单位（{unit}）不能核验本单位的办理结果"),
            Self::InMatter { task, matter } => {
                format!("任务（{task}）已并入事项（{matter}），一项任务只能并入一个事项")
            }
            Self::NotInMatter { task } => format!("任务（{task}）不在该事项中"),
            Self::TooManyLinked { most } => format!("一个事项最多并入{most}项任务"),
            Self::NoAddressee => "请写明批示送哪些单位或人员".to_owned(),
            Self::NotOfTask { unit } => format!("该单位（{unit}）不是本任务的承办单位"),
            Self::TimePassed { .. } => "时限应晚于现在".to_owned(),
            Self::InstructionSigned => "该批示已经签收，不必重复签收".to_owned(),
            Self::DraftRefused { action, state } => {
                format!("该稿{}，不能{}", state.chinese(), action.chinese())
            }
            Self::HeldByAnother { .. } => "该事项已改派其他单位办理，不再由本单位答复".to_owned(),
            Self::DelegationRefused { action, state } => {
                format!("该转办事项{}，不能{}", state.chinese(), action.chinese())
            }
            Self::NotSubordinate { .. } => "只能转办给本单位的下属单位或内设科室".to_owned(),
            Self::LaterThanHolder { .. } => "转办时限不能晚于本单位的办结期限".to_owned(),
            Self::NoAnswer => "转办对象尚未反馈，没有可采用的内容".to_owned(),
            Self::SubTasksOpen { count } => {
                format!("尚有{count}项子任务未办结，请待子任务全部销号或撤销后再核验通过")
            }
            Self::ParentBelow { .. } => "上级任务不能是本任务或本任务的子任务".to_owned(),
            Self::TooDeep { most } => format!("任务最多分{most}级"),
            Self::ParentOver { state } => {
                format!("上级任务{}，请先重新办理上级任务或另选上级任务", task_state(*state))
            }
            Self::WiderThanParent => "子任务的知悉范围不能大于上级任务".to_owned(),
            Self::NoMilestone { last_day } => format!("该单位没有{last_day}的节点，请核对"),
            Self::MilestoneUnclear { last_day } => {
                format!("{last_day}有多个节点，请写明节点内容")
            }
            Self::MilestoneReached { clause } => format!("节点（{clause}）已报告完成，不必重复报告"),
            Self::MilestoneNotReached { clause } => format!("节点（{clause}）尚未报告完成，不能退回"),
            Self::NoTarget { measure } => format!("该任务没有指标“{measure}”，请核对"),
            Self::TargetUnclear { measure } => format!("该任务有多个指标“{measure}”，请写明序号"),
            Self::FigureNoNumber { value } => format!("指标数据（{value}）应为数字"),
            Self::FigureAhead { day } => format!("数据截止日期（{day}）尚未到来，请核对"),
            Self::MilestonePassed { last_day } => {
                format!("节点日期（{last_day}）已过，请核对后再修订")
            }
            Self::TooManyUnits { most } => format!("一项任务最多{most}个承办单位"),
        }
    }
}

impl NotEmpty {
    fn chinese(self) -> &'static str {
        match self {
            Self::Title => "请填写任务名称",
            Self::Unit => "请填写承办单位",
            Self::Report => "请填写进展情况",
            Self::Submission => "请填写办结情况",
            Self::SendBackNote => "退回返工请说明原因",
            Self::RevisionGround => "修订已交办的任务请说明依据",
            Self::Milestone => "请填写节点内容",
            Self::Measure => "请填写指标名称",
            Self::OpenPoint => "请写明待明确的内容和原因",
            Self::WithdrawalGround => "撤销任务请说明依据",
            Self::ExtensionReason => "申请延期请说明理由",
            Self::ExtensionRefusalNote => "不同意延期请说明原因",
            Self::ReturnReason => "退回请说明理由",
            Self::ReturnRefusalNote => "不同意退回请说明原因",
            Self::ReassignmentGround => "改派请说明依据",
            Self::SuspensionGround => "挂账请说明依据",
            Self::Need => "请写明需要对方办理的内容",
            Self::WaitRefusalNote => "不同意等待请说明原因",
            Self::WaitAnswer => "请填写答复内容",
            Self::Finding => "请填写回头看情况",
            Self::ReopeningGround => "重新办理请说明依据",
            Self::InstrumentGround => "请填写依据",
            Self::MatterTitle => "请填写事项名称",
            Self::LinkedTask => "请至少选择一项任务",
            Self::LinkGround => "并入事项请说明依据",
            Self::UnlinkGround => "移出事项请说明依据",
            Self::AwaitedEvent => "请写明所等待的事件",
            Self::EventGround => "请说明事件发生的依据",
            Self::OccurrenceGround => "更正发生时间请说明依据",
            Self::Instruction => "请填写批示内容",
            Self::Comment => "请填写留言内容",
            Self::DraftNote => "退改请说明意见",
            Self::Ask => "请写明转办要求",
            Self::Section => "请填写承办科室",
            Self::DelegateAnswer => "请填写办理情况",
            Self::DelegationNote => "请说明原因",
            Self::MilestoneNote => "退回节点完成报告请说明原因",
            Self::FigureCorrection => "更正指标数据请说明原因",
        }
    }
}

fn task_state(state: TaskState) -> &'static str {
    match state {
        TaskState::Draft => "尚未交办",
        TaskState::Issued => "已经交办",
        TaskState::StruckOff => "已经销号",
        TaskState::Withdrawn => "已经撤销",
    }
}

fn verb(action: Action) -> &'static str {
    match action {
        Action::Issue => "交办",
        Action::Sign => "签收",
        Action::Deploy => "部署",
        Action::Report => "反馈进展",
        Action::Submit => "申请办结",
        Action::Accept | Action::SendBack => "核验",
        Action::CloseWithTask => "随任务销号",
        Action::Withdraw => "撤销",
        Action::Revise => "修订",
        Action::RequestExtension => "申请延期",
        Action::DecideExtension => "决定延期",
        Action::Return => "退回",
        Action::RefuseReturn => "答复退回",
        Action::Reassign => "改派",
        Action::Suspend => "挂账",
        Action::Resume => "恢复办理",
        Action::Wait => "申请等待",
        Action::DecideWait => "确认等待",
        Action::EndWait => "结束等待",
        Action::Recheck => "回头看",
        Action::Reopen => "重新办理",
        Action::Press => "催办",
        Action::Circumstance => "记录情况",
        Action::Instruct => "批示",
        Action::AddCooperating => "增加配合单位",
        Action::Delegate => "转办",
        Action::ReachMilestone => "报告节点完成",
        Action::SendBackMilestone => "退回节点完成报告",
        Action::GiveFigure => "填报指标数据",
    }
}

/// An instant to the minute, as officials read it.
fn moment(at: Timestamp) -> String {
    let time = at.time_of_day();
    format!("{}{:02}:{:02}", chinese_day(at.day()), time.hour(), time.minute())
}

/// Says what stands in the way and, where there is one, the step to take first.
fn refusal(action: Action, state: AssignmentState) -> String {
    let verb = verb(action);
    match state {
        AssignmentState::Pending => format!("任务尚未交办，不能{verb}"),
        AssignmentState::Returned => format!("该事项已退回、正在等待处理，不能{verb}"),
        AssignmentState::Suspended if action == Action::Suspend => "已经挂账，不必重复挂账".to_owned(),
        AssignmentState::Suspended => format!("该事项已挂账，请先恢复办理再{verb}"),
        AssignmentState::StruckOff => format!("该事项已经销号，不能再{verb}"),
        AssignmentState::Withdrawn => format!("该事项已经撤销，不能再{verb}"),
        AssignmentState::Submitted => format!("已申请办结、正在等待核验，不能{verb}"),
        AssignmentState::Assigned
        | AssignmentState::Signed
        | AssignmentState::Deployed
        | AssignmentState::InProgress => match action {
            Action::Issue => "已经交办，不必重复交办".to_owned(),
            Action::Sign => "已经签收，不必重复签收".to_owned(),
            Action::Accept | Action::SendBack => "承办单位尚未申请办结，不能核验".to_owned(),
            Action::Deploy if state == AssignmentState::Assigned => "尚未签收，请先签收再部署".to_owned(),
            Action::Deploy => "已经部署，不必重复部署".to_owned(),
            Action::Report | Action::ReachMilestone | Action::Submit
                if state == AssignmentState::Assigned =>
            {
                format!("尚未签收，请先签收、部署再{verb}")
            }
            Action::Report | Action::ReachMilestone | Action::Submit => {
                format!("已签收、尚未部署，请先部署再{verb}")
            }
            Action::RequestExtension
            | Action::DecideExtension
            | Action::Wait
            | Action::DecideWait
            | Action::EndWait
            | Action::Delegate => {
                format!("尚未签收，请先签收再{verb}")
            }
            Action::Return => "已经部署办理，不能再退回，确需调整请与督查机构联系".to_owned(),
            Action::SendBackMilestone => "承办单位尚未报告节点完成，不能退回".to_owned(),
            Action::RefuseReturn => "承办单位没有退回该事项".to_owned(),
            Action::Suspend => "尚未部署，请先签收、部署再挂账".to_owned(),
            Action::Resume => "该事项没有挂账，不必恢复办理".to_owned(),
            Action::Recheck | Action::Reopen => format!("尚未销号，不能{verb}"),
            Action::CloseWithTask
            | Action::Withdraw
            | Action::Revise
            | Action::Reassign
            | Action::Press
            | Action::Circumstance
            | Action::Instruct
            | Action::GiveFigure
            | Action::AddCooperating => {
                format!("目前不能{verb}")
            }
        },
    }
}
