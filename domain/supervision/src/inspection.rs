//! [`Inspection`] (专项督查): a plan, a team that visits sites, findings, and what becomes of each.
//!
//! A finding is either put right in a task of its own, which says that it comes from the finding,
//! or dismissed with a ground. An inspection is not concluded while a finding is neither.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::Date;

use crate::payload::{PayloadError, read};
use crate::plain_english::words;

/// Most sites, members of a team, and findings of one inspection.
pub const MOST_OF_AN_INSPECTION: usize = 200;

/// Where an inspection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InspectionState {
    /// 已计划.
    Planned,
    /// 督查中.
    UnderWay,
    /// 已结束: every finding is put right in a task, or dismissed.
    Concluded,
    /// 已取消 before it began.
    Cancelled,
}

/// What can happen to an inspection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InspectionAction {
    /// 启动.
    Start,
    /// 记录问题.
    Find,
    /// 交办整改 of a finding.
    Rectify,
    /// 不予交办 of a finding.
    Dismiss,
    /// 结束.
    Conclude,
    /// 取消.
    Cancel,
}

/// Where a team goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Site {
    /// The unit that is visited, `units/{slug}`.
    pub unit: String,
    /// The place; empty: the unit's seat.
    pub place: String,
}

/// What an inspection is planned as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InspectionPlan {
    /// Resource name, `inspections/{id}`.
    pub name: String,
    /// One line.
    pub title: String,
    /// The document it is done by.
    pub ground: String,
    /// Its first day, Asia/Shanghai.
    #[serde(with = "crate::date_text::whole")]
    pub first_day: Date,
    /// Its last day, Asia/Shanghai.
    #[serde(with = "crate::date_text::whole")]
    pub last_day: Date,
    /// Where the team goes.
    pub sites: Vec<Site>,
    /// `officials/{id}`, the head first.
    pub team: Vec<String>,
}

/// What was found wrong at a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Resource name, `inspections/{i}/findings/{n}`.
    pub name: String,
    /// What is wrong.
    pub text: String,
    /// Where; may be empty.
    pub place: String,
    /// The unit that is to put it right, `units/{slug}`.
    pub unit: String,
    /// By when, Asia/Shanghai.
    #[serde(with = "crate::date_text::whole")]
    pub last_day: Date,
    /// When it was recorded.
    pub found_at: Timestamp,
    /// What became of it.
    pub outcome: FindingOutcome,
}

/// What became of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "outcome", rename_all_fields = "camelCase")]
pub enum FindingOutcome {
    /// 待处理.
    Open,
    /// 已交办整改.
    Rectified {
        /// The task, `tasks/{id}`.
        task: String,
    },
    /// 不予交办.
    Dismissed {
        /// Why.
        ground: String,
    },
}

/// One inspection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection {
    /// What it was planned as.
    #[serde(flatten)]
    pub plan: InspectionPlan,
    /// Where it stands.
    pub state: InspectionState,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it was concluded.
    pub concluded_at: Option<Timestamp>,
    /// What was concluded; empty before that.
    pub conclusion: String,
    /// In the order in which they were recorded.
    pub findings: Vec<Finding>,
    /// Number of events applied so far: what a save compares and sets.
    pub version: i64,
}

/// What can be asked of an inspection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InspectionCommand {
    /// 启动.
    Start,
    /// 记录问题.
    Find {
        /// What is wrong; must not be empty.
        text: String,
        /// Where; may be empty.
        place: String,
        /// The unit that is to put it right.
        unit: String,
        /// By when.
        last_day: Date,
    },
    /// 交办整改 in a task.
    Rectify {
        /// The finding's resource name.
        finding: String,
        /// The task, `tasks/{id}`.
        task: String,
    },
    /// 不予交办.
    Dismiss {
        /// The finding's resource name.
        finding: String,
        /// Why; must not be empty.
        ground: String,
    },
    /// 结束.
    Conclude {
        /// What was concluded; must not be empty.
        conclusion: String,
    },
    /// 取消.
    Cancel {
        /// Why; must not be empty.
        ground: String,
    },
}

/// Something that happened to an inspection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InspectionEvent {
    /// `inspections/{id}`.
    pub inspection: String,
    /// Its title.
    pub title: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub change: InspectionChange,
}

/// What happened to an inspection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum InspectionChange {
    /// It was planned.
    Planned {
        /// As what.
        plan: Box<InspectionPlan>,
    },
    /// 启动.
    Started {
        /// Who goes.
        team: Vec<String>,
        /// Where.
        sites: Vec<Site>,
    },
    /// 发现问题.
    Found {
        /// What, where and whose.
        finding: Finding,
    },
    /// 交办整改.
    Rectified {
        /// The finding.
        finding: String,
        /// The task.
        task: String,
    },
    /// 不予交办.
    Dismissed {
        /// The finding.
        finding: String,
        /// Why.
        ground: String,
    },
    /// 结束.
    Concluded {
        /// What was concluded.
        conclusion: String,
    },
    /// 取消.
    Cancelled {
        /// Why.
        ground: String,
    },
}

/// Why something asked of an inspection is refused. It changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InspectionError {
    /// A text is missing.
    #[error("{0} must not be empty")]
    Empty(&'static str),
    /// It ends before it begins.
    #[error("it ends on {last_day}, before it begins")]
    EndsFirst {
        /// The last day.
        last_day: Date,
    },
    /// It goes nowhere, or nobody goes.
    #[error("an inspection has from 1 to 200 sites and members of a team, each once")]
    NoTeamOrSites,
    /// There are more findings than one inspection may have.
    #[error("an inspection has at most 200 findings")]
    TooManyFindings,
    /// A finding is to be put right in the past.
    #[error("{last_day} does not lie ahead")]
    DayPassed {
        /// The last day.
        last_day: Date,
    },
    /// There is no such finding.
    #[error("no finding {name}")]
    UnknownFinding {
        /// Its resource name.
        name: String,
    },
    /// What became of the finding is settled.
    #[error("what becomes of the finding is settled already")]
    FindingSettled,
    /// Findings are neither put right in tasks nor dismissed.
    #[error("{count} findings are open")]
    FindingsOpen {
        /// How many.
        count: usize,
    },
    /// The state machine refuses.
    #[error("cannot {} while the inspection is {}", words(.action), words(.state))]
    Refused {
        /// What was asked for.
        action: InspectionAction,
        /// Where it stands.
        state: InspectionState,
    },
}

impl InspectionState {
    /// Every state.
    pub const ALL: [InspectionState; 4] = [Self::Planned, Self::UnderWay, Self::Concluded, Self::Cancelled];

    /// The whole life of an inspection: the state an action leads to, or the refusal.
    pub fn after(self, action: InspectionAction) -> Result<InspectionState, InspectionError> {
        use InspectionState::{Cancelled, Concluded, Planned, UnderWay};
        let next = match (action, self) {
            (InspectionAction::Start, Planned) => Some(UnderWay),
            (InspectionAction::Cancel, Planned) => Some(Cancelled),
            (InspectionAction::Find | InspectionAction::Rectify | InspectionAction::Dismiss, UnderWay) => {
                Some(UnderWay)
            }
            (InspectionAction::Conclude, UnderWay) => Some(Concluded),
            (InspectionAction::Start | InspectionAction::Cancel, UnderWay | Concluded | Cancelled)
            | (
                InspectionAction::Find
                | InspectionAction::Rectify
                | InspectionAction::Dismiss
                | InspectionAction::Conclude,
                Planned | Concluded | Cancelled,
            ) => None,
        };
        next.ok_or(InspectionError::Refused { action, state: self })
    }

    /// What officials call it.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Planned => "已计划、尚未启动",
            Self::UnderWay => "正在督查",
            Self::Concluded => "已结束",
            Self::Cancelled => "已取消",
        }
    }
}

impl InspectionAction {
    /// Every action.
    pub const ALL: [InspectionAction; 6] =
        [Self::Start, Self::Find, Self::Rectify, Self::Dismiss, Self::Conclude, Self::Cancel];

    const fn chinese(self) -> &'static str {
        match self {
            Self::Start => "启动",
            Self::Find => "记录问题",
            Self::Rectify => "交办整改",
            Self::Dismiss => "作不予交办处理",
            Self::Conclude => "结束",
            Self::Cancel => "取消",
        }
    }
}

impl InspectionError {
    /// The reason as an official reads it.
    pub fn chinese(&self) -> String {
        match self {
            Self::Empty("title") => "请填写督查名称".to_owned(),
            Self::Empty("text") => "请填写发现的问题".to_owned(),
            Self::Empty("conclusion") => "请填写督查结论".to_owned(),
            Self::Empty(_) => "请填写依据".to_owned(),
            Self::EndsFirst { .. } => "督查结束日期不得早于开始日期".to_owned(),
            Self::NoTeamOrSites => "督查对象和督查组成员各应为1至200个，不得重复".to_owned(),
            Self::TooManyFindings => "一次督查最多记录200个问题".to_owned(),
            Self::DayPassed { last_day } => format!("整改期限（{last_day}）应晚于今天"),
            Self::UnknownFinding { .. } => "没有这个问题".to_owned(),
            Self::FindingSettled => "该问题已经交办整改或不予交办，请勿重复处理".to_owned(),
            Self::FindingsOpen { count } => format!("尚有{count}个问题未交办整改，不能结束督查"),
            Self::Refused { action, state } => {
                format!("督查{}，不能{}", state.chinese(), action.chinese())
            }
        }
    }
}

/// Plans an inspection at an instant.
pub fn plan(plan: InspectionPlan, now: Timestamp) -> Result<InspectionEvent, InspectionError> {
    let once = |all: &mut dyn Iterator<Item = String>, count: usize| {
        let distinct: std::collections::BTreeSet<String> = all.collect();
        (1..=MOST_OF_AN_INSPECTION).contains(&count) && distinct.len() == count
    };
    let sites =
        once(&mut plan.sites.iter().map(|site| format!("{}\n{}", site.unit, site.place)), plan.sites.len());
    let team = once(&mut plan.team.iter().cloned(), plan.team.len());
    said(&plan.title, "title")?;
    said(&plan.ground, "ground")?;
    if plan.last_day < plan.first_day {
        return Err(InspectionError::EndsFirst { last_day: plan.last_day });
    }
    if !sites || !team {
        return Err(InspectionError::NoTeamOrSites);
    }
    Ok(InspectionEvent {
        inspection: plan.name.clone(),
        title: plan.title.clone(),
        at: now,
        change: InspectionChange::Planned { plan: Box::new(plan) },
    })
}

impl Inspection {
    /// As its plan leaves it.
    pub fn planned(plan: InspectionPlan) -> Self {
        Inspection {
            plan,
            state: InspectionState::Planned,
            started_at: None,
            concluded_at: None,
            conclusion: String::new(),
            findings: Vec::new(),
            version: 1,
        }
    }

    /// A finding by its resource name.
    pub fn finding(&self, name: &str) -> Result<&Finding, InspectionError> {
        let found = self.findings.iter().find(|one| one.name == name);
        found.ok_or_else(|| InspectionError::UnknownFinding { name: name.to_owned() })
    }

    /// The event that follows from a command, or why it is refused.
    pub fn decide(
        &self,
        command: &InspectionCommand,
        now: Timestamp,
    ) -> Result<InspectionEvent, InspectionError> {
        self.state.after(command.action())?;
        let open = |finding: &str| match self.finding(finding)?.outcome {
            FindingOutcome::Open => Ok(finding.to_owned()),
            FindingOutcome::Rectified { .. } | FindingOutcome::Dismissed { .. } => {
                Err(InspectionError::FindingSettled)
            }
        };
        let change = match command {
            InspectionCommand::Start => {
                InspectionChange::Started { team: self.plan.team.clone(), sites: self.plan.sites.clone() }
            }
            InspectionCommand::Find { text, place, unit, last_day } => {
                let text = said(text, "text")?;
                if self.findings.len() >= MOST_OF_AN_INSPECTION {
                    return Err(InspectionError::TooManyFindings);
                }
                if *last_day <= now.day() {
                    return Err(InspectionError::DayPassed { last_day: *last_day });
                }
                let finding = Finding {
                    name: format!("{}/findings/{}", self.plan.name, self.findings.len() + 1),
                    text,
                    place: place.trim().to_owned(),
                    unit: unit.clone(),
                    last_day: *last_day,
                    found_at: now,
                    outcome: FindingOutcome::Open,
                };
                InspectionChange::Found { finding }
            }
            InspectionCommand::Rectify { finding, task } => {
                InspectionChange::Rectified { finding: open(finding)?, task: task.clone() }
            }
            InspectionCommand::Dismiss { finding, ground } => {
                let (finding, ground) = (open(finding)?, said(ground, "ground")?);
                InspectionChange::Dismissed { finding, ground }
            }
            InspectionCommand::Conclude { conclusion } => {
                let open = self.findings.iter().filter(|one| one.outcome == FindingOutcome::Open).count();
                if open > 0 {
                    return Err(InspectionError::FindingsOpen { count: open });
                }
                InspectionChange::Concluded { conclusion: said(conclusion, "conclusion")? }
            }
            InspectionCommand::Cancel { ground } => {
                InspectionChange::Cancelled { ground: said(ground, "ground")? }
            }
        };
        let (inspection, title) = (self.plan.name.clone(), self.plan.title.clone());
        Ok(InspectionEvent { inspection, title, at: now, change })
    }

    /// Takes in one event. It was decided before and is not questioned now.
    pub fn apply(&mut self, event: &InspectionEvent) {
        let mut settle = |name: &str, outcome: FindingOutcome| {
            if let Some(finding) = self.findings.iter_mut().find(|one| one.name == name) {
                finding.outcome = outcome;
            }
        };
        match &event.change {
            InspectionChange::Planned { plan } => {
                *self = Inspection::planned((**plan).clone());
                return;
            }
            InspectionChange::Started { .. } => {
                self.state = InspectionState::UnderWay;
                self.started_at = Some(event.at);
            }
            InspectionChange::Found { finding } => self.findings.push(finding.clone()),
            InspectionChange::Rectified { finding, task } => {
                settle(finding, FindingOutcome::Rectified { task: task.clone() });
            }
            InspectionChange::Dismissed { finding, ground } => {
                settle(finding, FindingOutcome::Dismissed { ground: ground.clone() });
            }
            InspectionChange::Concluded { conclusion } => {
                self.state = InspectionState::Concluded;
                self.concluded_at = Some(event.at);
                self.conclusion.clone_from(conclusion);
            }
            InspectionChange::Cancelled { .. } => self.state = InspectionState::Cancelled,
        }
        self.version += 1;
    }
}

impl InspectionCommand {
    fn action(&self) -> InspectionAction {
        match self {
            Self::Start => InspectionAction::Start,
            Self::Find { .. } => InspectionAction::Find,
            Self::Rectify { .. } => InspectionAction::Rectify,
            Self::Dismiss { .. } => InspectionAction::Dismiss,
            Self::Conclude { .. } => InspectionAction::Conclude,
            Self::Cancel { .. } => InspectionAction::Cancel,
        }
    }
}

impl InspectionEvent {
    /// The type it is recorded under.
    pub fn event_type(&self) -> &'static str {
        match self.change {
            InspectionChange::Planned { .. } => "supervision.inspection.planned",
            InspectionChange::Started { .. } => "supervision.inspection.started",
            InspectionChange::Found { .. } => "supervision.inspection.found",
            InspectionChange::Rectified { .. } => "supervision.inspection.rectified",
            InspectionChange::Dismissed { .. } => "supervision.inspection.dismissed",
            InspectionChange::Concluded { .. } => "supervision.inspection.concluded",
            InspectionChange::Cancelled { .. } => "supervision.inspection.cancelled",
        }
    }

    /// The JSON that stands in the log.
    pub fn to_payload(&self) -> Result<Value, PayloadError> {
        serde_json::to_value(self)
            .map_err(|source| PayloadError::Malformed { event_type: self.event_type().to_owned(), source })
    }

    /// Reads a payload; none when it is of another type.
    pub fn from_payload(event_type: &str, payload: &Value) -> Result<Option<Self>, PayloadError> {
        if !event_type.starts_with("supervision.inspection.") {
            return Ok(None);
        }
        let event: InspectionEvent = read(event_type, payload)?;
        let found = event.event_type();
        if found == event_type {
            Ok(Some(event))
        } else {
            Err(PayloadError::OtherType { recorded: event_type.to_owned(), found })
        }
    }
}

fn said(text: &str, what: &'static str) -> Result<String, InspectionError> {
    match text.trim() {
        "" => Err(InspectionError::Empty(what)),
        said => Ok(said.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn a_plan() -> InspectionPlan {
        InspectionPlan {
            name: "inspections/1".to_owned(),
            title: "防汛准备专项督查".to_owned(),
            ground: "临政办发〔2023〕13号".to_owned(),
            first_day: date!(2023 - 06 - 05),
            last_day: date!(2023 - 06 - 16),
            sites: vec![Site { unit: "units/water".to_owned(), place: "城区泵站".to_owned() }],
            team: vec!["officials/first".to_owned()],
        }
    }

    fn find() -> InspectionCommand {
        InspectionCommand::Find {
            text: "泵站备用电源缺失".to_owned(),
            place: "城区泵站".to_owned(),
            unit: "units/water".to_owned(),
            last_day: date!(2023 - 06 - 20),
        }
    }

    fn give(inspection: &mut Inspection, command: &InspectionCommand) -> Result<(), InspectionError> {
        let event = inspection.decide(command, at("2023-06-06T10:00+08:00"))?;
        let read = InspectionEvent::from_payload(event.event_type(), &event.to_payload().unwrap()).unwrap();
        assert_eq!(read.as_ref(), Some(&event));
        inspection.apply(&event);
        Ok(())
    }

    /// Every action (rows) in every state (columns, in the order of [`InspectionState::ALL`]).
    /// `-` is a refusal; a digit is the index of the state reached.
    #[test]
    fn every_action_has_a_defined_answer_in_every_state() {
        let table = [
            (InspectionAction::Start, "1---"),
            (InspectionAction::Find, "-1--"),
            (InspectionAction::Rectify, "-1--"),
            (InspectionAction::Dismiss, "-1--"),
            (InspectionAction::Conclude, "-2--"),
            (InspectionAction::Cancel, "3---"),
        ];
        assert_eq!(table.map(|(action, _)| action), InspectionAction::ALL);
        for (action, row) in table {
            for (state, cell) in InspectionState::ALL.into_iter().zip(row.chars()) {
                let expected = match cell.to_digit(10) {
                    Some(index) => Ok(InspectionState::ALL[index as usize]),
                    None => Err(InspectionError::Refused { action, state }),
                };
                assert_eq!(state.after(action), expected, "{action:?} in {state:?}");
                if let Err(refusal) = state.after(action) {
                    assert!(refusal.chinese().chars().any(|one| one >= '\u{4e00}'));
                }
            }
        }
    }

    #[test]
    fn a_plan_has_a_title_a_ground_a_period_a_team_and_sites() {
        let now = at("2023-06-01T09:00+08:00");
        assert!(plan(a_plan(), now).is_ok());
        let refused = |change: fn(&mut InspectionPlan)| {
            let mut asked = a_plan();
            change(&mut asked);
            plan(asked, now).unwrap_err()
        };
        assert_eq!(refused(|plan| plan.title = " ".to_owned()), InspectionError::Empty("title"));
        assert_eq!(refused(|plan| plan.ground.clear()), InspectionError::Empty("ground"));
        let last_day = date!(2023 - 06 - 04);
        assert_eq!(
            refused(|plan| plan.last_day = date!(2023 - 06 - 04)),
            InspectionError::EndsFirst { last_day }
        );
        assert_eq!(refused(|plan| plan.team.clear()), InspectionError::NoTeamOrSites);
        assert_eq!(refused(|plan| plan.sites.push(plan.sites[0].clone())), InspectionError::NoTeamOrSites);
    }

    #[test]
    fn an_inspection_is_concluded_when_every_finding_is_put_right_in_a_task_or_dismissed() {
        let mut inspection = Inspection::planned(a_plan());
        give(&mut inspection, &InspectionCommand::Start).unwrap();
        give(&mut inspection, &find()).unwrap();
        give(&mut inspection, &find()).unwrap();
        let conclude = InspectionCommand::Conclude { conclusion: "总体较好".to_owned() };
        assert_eq!(give(&mut inspection, &conclude), Err(InspectionError::FindingsOpen { count: 2 }));
        let (first, second) = (inspection.findings[0].name.clone(), inspection.findings[1].name.clone());
        assert_eq!(first, "inspections/1/findings/1");
        let rectify = InspectionCommand::Rectify { finding: first, task: "tasks/7".to_owned() };
        give(&mut inspection, &rectify).unwrap();
        assert_eq!(give(&mut inspection, &rectify), Err(InspectionError::FindingSettled));
        let dismiss =
            |ground: &str| InspectionCommand::Dismiss { finding: second.clone(), ground: ground.to_owned() };
        assert_eq!(give(&mut inspection, &dismiss(" ")), Err(InspectionError::Empty("ground")));
        give(&mut inspection, &dismiss("现场已整改")).unwrap();
        give(&mut inspection, &conclude).unwrap();
        assert_eq!((inspection.state, inspection.version), (InspectionState::Concluded, 7));
    }

    #[test]
    fn a_finding_says_what_is_wrong_and_is_to_be_put_right_on_a_later_day() {
        let mut inspection = Inspection::planned(a_plan());
        give(&mut inspection, &InspectionCommand::Start).unwrap();
        let InspectionCommand::Find { place, unit, .. } = find() else { panic!("a finding") };
        let said = |text: &str, last_day| InspectionCommand::Find {
            text: text.to_owned(),
            place: place.clone(),
            unit: unit.clone(),
            last_day,
        };
        let silent = give(&mut inspection, &said("", date!(2023 - 06 - 20)));
        assert_eq!(silent, Err(InspectionError::Empty("text")));
        let last_day = date!(2023 - 06 - 06);
        assert_eq!(
            give(&mut inspection, &said("缺", last_day)),
            Err(InspectionError::DayPassed { last_day })
        );
        for _ in 0..MOST_OF_AN_INSPECTION {
            give(&mut inspection, &find()).unwrap();
        }
        assert_eq!(give(&mut inspection, &find()), Err(InspectionError::TooManyFindings));
        let unknown = InspectionCommand::Rectify { finding: "none".to_owned(), task: "tasks/1".to_owned() };
        assert!(matches!(give(&mut inspection, &unknown), Err(InspectionError::UnknownFinding { .. })));
    }
}
