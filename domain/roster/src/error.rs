//! What the roster refuses, and how it says so to developers and to officials.

use domain_calendar::Timestamp;

use crate::absence::AbsenceState;
use crate::account::{LARGEST_ACCOUNT, LONGEST_SUBJECT, Role, RoleNeed};
use crate::gap::Gap;
use crate::interval::chinese_instant;
use crate::official::PostKind;

/// One of several a name could stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Resource name.
    pub name: String,
    /// What people call it.
    pub display_name: String,
}

/// Why the roster refused. `Display` is English, for logs and developers; [`RosterError::chinese`]
/// is what an official reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// A required field is empty.
    #[error("{field} is required")]
    Missing {
        /// The field, as the API names it.
        field: &'static str,
    },
    /// Not a resource name of the collection.
    #[error("{value:?} is not a resource name of the form {collection}/{{id}}")]
    NameMalformed {
        /// The collection, for example `units`.
        collection: &'static str,
        /// What was given.
        value: String,
    },
    /// Not six digits (GB/T 2260).
    #[error("{code:?} is not a six-digit division code")]
    DivisionCodeMalformed {
        /// What was given.
        code: String,
    },
    /// A period ends before or as it begins.
    #[error("the period from {start} to {end} is empty")]
    PeriodEmpty {
        /// Its first instant.
        start: Timestamp,
        /// The first instant after it.
        end: Timestamp,
    },
    /// The resource name is in use.
    #[error("{name} exists already")]
    NameTaken {
        /// The resource name.
        name: String,
    },
    /// A unit or a collective is called so already.
    #[error("{text:?} is what {} is called already", holder.name)]
    AlreadyCalled {
        /// The name that was to be given.
        text: String,
        /// Who has it.
        holder: Candidate,
    },
    /// A text is longer than the roster keeps.
    #[error("{field} has {characters} characters, more than {longest}")]
    TextTooLong {
        /// The field, as the API names it.
        field: &'static str,
        /// Characters of what was given.
        characters: usize,
        /// Characters it may have.
        longest: usize,
    },
    /// A list has more entries than the roster keeps.
    #[error("{field} has {entries} entries, more than {most}")]
    TooManyEntries {
        /// The field, as the API names it.
        field: &'static str,
        /// Entries of what was given.
        entries: usize,
        /// Entries it may have.
        most: usize,
    },
    /// A unit is twice a member of one collective.
    #[error("{unit} is a member twice")]
    MemberRepeated {
        /// The unit.
        unit: String,
    },
    /// The subject has an account.
    #[error("subject {subject:?} has an account already")]
    SubjectTaken {
        /// The identity provider's `sub`.
        subject: String,
    },
    /// A unit is said to belong to itself.
    #[error("{unit} cannot be its own parent")]
    OwnParent {
        /// The unit.
        unit: String,
    },
    /// A post inside a unit names no unit.
    #[error("a post of kind {kind:?} needs a unit")]
    PostWithoutUnit {
        /// The kind of post.
        kind: PostKind,
    },
    /// A role lacks what it works for.
    #[error("role {role:?} needs {needs:?}")]
    RoleIncomplete {
        /// The role.
        role: Role,
        /// What it lacks.
        needs: RoleNeed,
    },
    /// The roles of an account are more than a signed principal holds.
    #[error(
        "subject, official and roles have {bytes} bytes, more than the {LARGEST_ACCOUNT} that fit in a signed principal"
    )]
    AccountTooLarge {
        /// Bytes of what was given.
        bytes: usize,
    },
    /// No bearer token can name the account's subject.
    #[error("the subject has {bytes} bytes, more than {LONGEST_SUBJECT}")]
    SubjectTooLong {
        /// Bytes of what was given.
        bytes: usize,
    },
    /// No unit has the name.
    #[error("no unit is called {text:?}")]
    UnitUnknown {
        /// What was asked.
        text: String,
    },
    /// Several units have the name; never guessed.
    #[error("{} units are called {text:?}", candidates.len())]
    UnitAmbiguous {
        /// What was asked.
        text: String,
        /// The units.
        candidates: Vec<Candidate>,
    },
    /// No official has the name.
    #[error("no official is called {text:?}")]
    OfficialUnknown {
        /// What was asked.
        text: String,
    },
    /// Several officials have the name.
    #[error("{} officials are called {text:?}", candidates.len())]
    OfficialAmbiguous {
        /// What was asked.
        text: String,
        /// The officials.
        candidates: Vec<Candidate>,
    },
    /// Several leaders' fields match the text.
    #[error("the fields of {} leaders match {text:?}", candidates.len())]
    FieldAmbiguous {
        /// What was asked.
        text: String,
        /// The leaders.
        candidates: Vec<Candidate>,
    },
    /// The text names no post the roster can read.
    #[error("{text:?} names no post")]
    PostUnknown {
        /// What was asked.
        text: String,
    },
    /// Several officials hold the post.
    #[error("{} officials hold the post {text:?}", candidates.len())]
    PostAmbiguous {
        /// What was asked.
        text: String,
        /// Its holders.
        candidates: Vec<Candidate>,
    },
    /// A unit that goes on names another that took over its work.
    #[error("{unit} has a successor and has not ceased")]
    SuccessorOfLiving {
        /// The unit.
        unit: String,
    },
    /// Somebody in a unit's AB list holds no post in the unit.
    #[error("{official} holds no post in {unit}")]
    NotOfUnit {
        /// The official.
        official: String,
        /// The unit.
        unit: String,
    },
    /// A part of an absent official's duties is given to two stand-ins.
    #[error("{part} is given to two stand-ins")]
    SharedTwice {
        /// The unit or field.
        part: String,
    },
    /// The absence is over, or was cancelled.
    #[error("the absence is {state:?}")]
    AbsenceOver {
        /// Where it stands.
        state: AbsenceState,
    },
    /// The new end is no later than the present one.
    #[error("the absence ends at {end} already")]
    NotLater {
        /// The present end.
        end: Timestamp,
    },
    /// The absence is longer than a stand-in may act without a formal reassignment.
    #[error("an absence of more than {limit_days} days needs a formal reassignment")]
    ReassignmentNeeded {
        /// The city's limit.
        limit_days: u32,
    },
    /// Another division takes effect on the same day.
    #[error("{existing} takes effect on the same day")]
    EffectiveDayTaken {
        /// The other division.
        existing: String,
    },
    /// A division corrects one that takes effect on another day.
    #[error("{corrected} takes effect on another day")]
    CorrectsAnotherDay {
        /// The division that was to be corrected.
        corrected: String,
    },
    /// A division corrects one that another has corrected already.
    #[error("{corrected} is corrected by {by} already, which is what can be corrected")]
    CorrectedAlready {
        /// The division that was to be corrected.
        corrected: String,
        /// The one that corrects it.
        by: String,
    },
    /// A leader has two portfolios in one division.
    #[error("{official} has two portfolios")]
    PortfolioRepeated {
        /// The leader.
        official: String,
    },
    /// Two leaders preside over the whole.
    #[error("both {first} and {second} preside over the whole")]
    PresiderContested {
        /// One.
        first: String,
        /// The other.
        second: String,
    },
    /// Two leaders stand in the same deciding relation to a unit or field.
    #[error("both {first} and {second} are in charge of {duty}")]
    DutyContested {
        /// The unit or field.
        duty: String,
        /// One.
        first: String,
        /// The other.
        second: String,
    },
    /// Somebody would stand in for himself.
    #[error("{official} cannot stand in for himself or herself")]
    OwnStandIn {
        /// The official.
        official: String,
    },
    /// An official has two stand-ins of the same rank.
    #[error("{official} has two stand-ins of the same rank")]
    StandInContested {
        /// The official.
        official: String,
    },
    /// The fallback names an official twice.
    #[error("the fallback names {official} twice")]
    FallbackRepeated {
        /// The official.
        official: String,
    },
    /// A duty roster's times of handover are none, too many, no times of day, or do not rise.
    #[error("handover times must be 1 to 24 times of the day, each later than the one before")]
    HandoversMalformed,
    /// The team that is on duty first is none of the teams.
    #[error("the first team must be one of {teams}, counted from 0")]
    FirstTeamUnknown {
        /// How many teams there are.
        teams: usize,
    },
    /// A duty roster's season is too long.
    #[error("a season has at most {longest_days} days")]
    SeasonTooLong {
        /// Days it may have.
        longest_days: u64,
    },
    /// Somebody is twice in one team.
    #[error("{official} is in the team twice")]
    OnDutyTwice {
        /// The official.
        official: String,
    },
    /// No shift of the duty roster begins at the instant.
    #[error("no shift begins at {start}")]
    ShiftUnknown {
        /// What was asked.
        start: Timestamp,
    },
    /// Swaps that were agreed would fall away.
    #[error("swaps would fall away, of the shifts that begin at {}", instants(starts))]
    SwapsOrphaned {
        /// First instants of the shifts, in order.
        starts: Vec<Timestamp>,
    },
    /// What was done on duty is not changed afterwards.
    #[error("the duty until {end} is over")]
    DutyOver {
        /// First instant after what is over.
        end: Timestamp,
    },
    /// No absence has the name.
    #[error("no absence is called {name}")]
    AbsenceUnknown {
        /// What was asked.
        name: String,
    },
    /// The official is already registered as away for some of the time.
    #[error("{official} is already away from {start} to {end} ({existing})")]
    AbsenceOverlaps {
        /// The official.
        official: String,
        /// The other absence.
        existing: String,
        /// Its first instant.
        start: Timestamp,
        /// The first instant after it.
        end: Timestamp,
    },
    /// A and B would be away together, and the mayor has not approved it.
    #[error("an official and the stand-in would be away together in {} gaps without approval", gaps.len())]
    AwayTogether {
        /// Whose duties nobody would cover, and when.
        gaps: Vec<Gap>,
    },
    /// Only an active absence can be ended.
    #[error("an absence that is {state:?} cannot be ended")]
    AbsenceNotActive {
        /// Where it stands.
        state: AbsenceState,
    },
    /// Only a planned absence can be cancelled.
    #[error("an absence that is {state:?} cannot be cancelled")]
    AbsenceNotPlanned {
        /// Where it stands.
        state: AbsenceState,
    },
    /// Only whoever is back acknowledges what was done for him.
    #[error("the acts of an absence that is {state:?} cannot be acknowledged")]
    AbsenceNotEnded {
        /// Where it stands.
        state: AbsenceState,
    },
    /// There is no such mandate.
    #[error("there is no mandate {name}")]
    MandateUnknown {
        /// Its resource name.
        name: String,
    },
    /// A calendar is of another year than one from 2004 to 2099.
    #[error("{year} is not a year from 2004 to 2099")]
    CalendarYear {
        /// The year.
        year: i32,
    },
    /// A year's calendar is not consistent.
    #[error("{0}")]
    CalendarRefused(domain_calendar::CalendarError),
    /// A mandate that is over cannot be revoked.
    #[error("the mandate is over")]
    MandateOver,
    /// Nobody enters acts in his own name for himself.
    #[error("{official} cannot hold a mandate of his own")]
    OwnMandate {
        /// Who.
        official: String,
    },
    /// The act is none that can be entered for a leader.
    #[error("{act} cannot be mandated")]
    NotMandatable {
        /// The action.
        act: String,
    },
    /// Nothing was done for the official that he has not acknowledged.
    #[error("there is nothing to acknowledge")]
    NothingToAcknowledge,
}

fn instants(all: &[Timestamp]) -> String {
    all.iter().map(Timestamp::to_string).collect::<Vec<_>>().join(", ")
}

impl RosterError {
    /// The refusal as an official reads it.
    pub fn chinese(&self) -> String {
        match self {
            Self::Missing { field } => format!("必填项“{}”为空", field_label(field)),
            Self::NameMalformed { collection, value } => {
                format!("“{value}”不是有效的名称，应为“{collection}/…”")
            }
            Self::DivisionCodeMalformed { code } => format!("“{code}”不是六位行政区划代码"),
            Self::PeriodEmpty { start, end } => {
                format!("结束时间（{}）应晚于开始时间（{}）", chinese_instant(*end), chinese_instant(*start))
            }
            Self::NameTaken { name } => format!("“{name}”已存在"),
            Self::AlreadyCalled { text, holder } => {
                format!("“{text}”已是“{}”的名称", holder.display_name)
            }
            Self::TextTooLong { field, longest, .. } => format!("“{field}”过长，最长{longest}个字"),
            Self::TooManyEntries { field, entries, most } => {
                format!("“{field}”过多（共{entries}项，最多{most}项）")
            }
            Self::MemberRepeated { unit } => format!("成员单位“{unit}”重复"),
            Self::SubjectTaken { subject } => format!("“{subject}”已有账号"),
            Self::OwnParent { .. } => "单位不能以自身为上级单位".to_owned(),
            Self::PostWithoutUnit { kind } => format!("“{}”应填写所在单位", kind.chinese()),
            Self::RoleIncomplete { role, needs } => {
                format!("角色“{}”应填写{}", role.chinese(), needs.chinese())
            }
            Self::AccountTooLarge { bytes } => format!(
                "账号的角色及其单位、机构过多（共{bytes}字节，最多{LARGEST_ACCOUNT}字节），请减少单位或机构，\
                 或改用不限单位的角色"
            ),
            Self::SubjectTooLong { bytes } => {
                format!("登录名过长（共{bytes}字节，最多{LONGEST_SUBJECT}字节）")
            }
            Self::UnitUnknown { text } => format!("没有名为“{text}”的单位"),
            Self::UnitAmbiguous { text, candidates } => {
                format!("“{text}”对应多个单位：{}，请写明全称", listed(candidates))
            }
            Self::OfficialUnknown { text } => format!("没有“{text}”这名人员"),
            Self::OfficialAmbiguous { text, candidates } => {
                format!("“{text}”对应多名人员：{}，请明确", listed(candidates))
            }
            Self::FieldAmbiguous { text, candidates } => {
                format!("“{text}”涉及多位领导的分工：{}，请明确", listed(candidates))
            }
            Self::PostUnknown { text } => format!("无法识别职务“{text}”"),
            Self::PostAmbiguous { text, candidates } => {
                format!("“{text}”由多人担任：{}，请明确", listed(candidates))
            }
            Self::PortfolioRepeated { official } => format!("“{official}”的分工重复"),
            Self::PresiderContested { first, second } => {
                format!("“{first}”与“{second}”不能同时主持全面工作")
            }
            Self::DutyContested { duty, first, second } => {
                format!("“{duty}”同时列入“{first}”与“{second}”的分工")
            }
            Self::OwnStandIn { .. } => "不能由本人代行本人的职责".to_owned(),
            Self::StandInContested { official } => format!("“{official}”有两名同级的代行人"),
            Self::FallbackRepeated { official } => format!("兜底规则中“{official}”重复"),
            Self::HandoversMalformed => "交接班时间应为一天内1至24个时刻，按先后排列，不得重复".to_owned(),
            Self::FirstTeamUnknown { teams } => format!("首班应为{teams}个班组之一（从0数起）"),
            Self::SeasonTooLong { longest_days } => format!("值班期最长{longest_days}天"),
            Self::OnDutyTwice { official } => format!("“{official}”在同一班组中重复"),
            Self::ShiftUnknown { start } => format!("没有在{}开始的班次", chinese_instant(*start)),
            Self::SwapsOrphaned { starts } => {
                let starts: Vec<String> = starts.iter().map(|start| chinese_instant(*start)).collect();
                format!("已换班的班次将因此失效：{}开始的班次", starts.join("、"))
            }
            Self::DutyOver { end } => format!("{}以前的值班已经结束，不能更改", chinese_instant(*end)),
            Self::AbsenceUnknown { name } => format!("没有请假登记“{name}”"),
            Self::AbsenceOverlaps { start, end, .. } => {
                format!("该人员{}至{}已登记不在岗，时间重叠", chinese_instant(*start), chinese_instant(*end))
            }
            Self::AwayTogether { gaps } => {
                let gaps: Vec<String> = gaps.iter().map(Gap::chinese).collect();
                format!("A、B角同时不在岗，须经市长批准：{}", gaps.join("；"))
            }
            Self::SuccessorOfLiving { .. } => "填写承接单位的，应同时填写撤销时间".to_owned(),
            Self::NotOfUnit { official, unit } => format!("“{official}”届时不在“{unit}”任职"),
            Self::SharedTwice { part } => format!("“{part}”指定了两名代行人"),
            Self::AbsenceOver { state } => format!("请假登记{}，不能更改", state.chinese()),
            Self::NotLater { end } => format!("新的返岗时间应晚于{}", chinese_instant(*end)),
            Self::ReassignmentNeeded { limit_days } => {
                format!("不在岗超过{limit_days}天，须正式调整分工，请填写调整分工的文件")
            }
            Self::EffectiveDayTaken { existing } => format!("当天已有另一份分工（{existing}）开始执行"),
            Self::CorrectedAlready { .. } => "该分工已被更正，应更正最后一次的更正".to_owned(),
            Self::CorrectsAnotherDay { corrected } => {
                format!("被更正的分工（{corrected}）不在同一天开始执行")
            }
            Self::AbsenceNotActive { state } => format!("请假登记{}，不能销假", state.chinese()),
            Self::AbsenceNotPlanned { state } => format!("请假登记{}，不能取消", state.chinese()),
            Self::AbsenceNotEnded { state } => format!("请假登记{}，不能确认代行事项", state.chinese()),
            Self::MandateUnknown { name } => format!("没有这项委托（{name}）"),
            Self::CalendarYear { year } => format!("{year}年不在2004年至2099年之间"),
            Self::CalendarRefused(error) => error.chinese(),
            Self::MandateOver => "委托已经终止".to_owned(),
            Self::OwnMandate { official } => format!("{official}不能受本人委托"),
            Self::NotMandatable { act } => format!("“{act}”不能委托他人代录"),
            Self::NothingToAcknowledge => "没有待确认的代行事项".to_owned(),
        }
    }
}

fn listed(candidates: &[Candidate]) -> String {
    candidates.iter().map(|candidate| candidate.display_name.as_str()).collect::<Vec<_>>().join("、")
}
/// What people call a field, where a form or a table has it under that name.
fn field_label(field: &str) -> &str {
    match field {
        "display_name" => "名称",
        "aliases" => "简称",
        "signboards" => "加挂牌子",
        "subject" => "登录名",
        "unit" | "units" => "单位",
        "field" | "fields" => "工作领域",
        "post" => "职务",
        "reason" => "原因",
        "portfolios" => "分工",
        "absence_limit_days" => "不在岗天数上限",
        "fallback.basis" | "exclusions.basis" => "依据",
        "fallback.officials" => "兜底人员",
        "exclusions.units" => "不授权代行的事项",
        "shares.units" => "分担的事项",
        other => other,
    }
}
