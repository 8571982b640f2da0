//! Why a command is refused, in plain Chinese.

use domain_calendar::Timestamp;

use crate::assignment::{Action, AssignmentState};
use crate::error::{NotEmpty, SupervisionError};
use crate::paper::chinese_day;
use crate::task::TaskState;

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
