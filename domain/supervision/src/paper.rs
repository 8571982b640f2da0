//! [`Paper`]: what an official paper (公文) says, and [`PaperIssued`], that it was issued.
//!
//! A paper is words in the order of a paper's parts; how it looks is decided where it is made a
//! file. Its number (发文字号) is given when it is issued, once, and never again.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use time::Date;

use crate::assignment::{Assignment, Role};
use crate::bulletin::UnderWay;
use crate::event::TaskFacts;
use crate::limit_text::{limit_day, limit_moment};
use crate::overdue::days_past;
use crate::score::{Line, Period, sum};
use crate::score_rule::ScoreRule;
use crate::task::Task;

/// Type of the event that a paper was issued; its aggregate is `papers/{id}`.
pub const PAPER_ISSUED: &str = "supervision.paper.issued";

/// Whose papers these are.
const OFFICE: &str = "市人民政府督查室";

/// The kinds of papers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PaperKind {
    /// 交办单: hands an assignment to its unit.
    Slip,
    /// 督办函: presses for it.
    Letter,
    /// 约谈通知: calls the unit's head to an interview.
    Interview,
    /// 通报: tells all how units keep their dates.
    Bulletin,
}

/// A paper's number (发文字号): the next of its kind in the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaperNumber {
    /// The year, Asia/Shanghai.
    pub year: i32,
    /// From 1.
    pub number: i64,
}

/// What a paper says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Paper {
    /// What it is.
    pub kind: PaperKind,
    /// 发文字号; none while it is only tried out.
    pub number: Option<PaperNumber>,
    /// 标题.
    pub title: String,
    /// 主送机关.
    pub addressee: String,
    /// 正文.
    pub body: Vec<Block>,
    /// 发文机关署名.
    pub signed: String,
    /// 成文日期, Asia/Shanghai.
    #[serde(with = "crate::date_text::whole")]
    pub day: Date,
}

/// A part of a paper's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Block {
    /// A heading of the first level.
    Heading {
        /// Its words, with its number.
        text: String,
    },
    /// A paragraph.
    Text {
        /// Its words.
        text: String,
    },
    /// A table.
    Table {
        /// Its rows, all of one length, the first of them the headings.
        rows: Vec<Vec<String>>,
    },
}

/// That a paper was issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaperIssued {
    /// `papers/{id}`.
    pub name: String,
    /// What it is.
    pub kind: PaperKind,
    /// 发文字号 as printed.
    pub number: String,
    /// The task it is about; none for a bulletin.
    pub task: Option<TaskFacts>,
    /// The assignment it is about.
    pub assignment: Option<String>,
    /// The unit it goes to; none: all.
    pub unit: Option<String>,
    /// The leader who decided it, `officials/{id}`.
    pub decided_by: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What a paper about an assignment is written from.
#[derive(Debug, Clone, Copy)]
pub struct Matter<'a> {
    /// The task.
    pub task: &'a Task,
    /// The assignment.
    pub assignment: &'a Assignment,
    /// What people call its unit.
    pub unit: &'a str,
    /// When it is due (exclusive).
    pub due: Option<Timestamp>,
    /// When the paper is written.
    pub now: Timestamp,
}

/// When and where an interview is, and on whose decision.
#[derive(Debug, Clone, Copy)]
pub struct Interview<'a> {
    /// On whose decision.
    pub by: CalledBy<'a>,
    /// When and where; none: it is told later.
    pub meeting: Option<(Timestamp, &'a str)>,
}

/// On whose decision an interview is held.
#[derive(Debug, Clone, Copy)]
pub enum CalledBy<'a> {
    /// A leader, by what people call him.
    Leader(&'a str),
    /// A document that says so.
    Document(&'a str),
}

/// What a bulletin is written from.
#[derive(Debug, Clone, Copy)]
pub struct Reported<'a> {
    /// Its title.
    pub title: &'a str,
    /// What it is about.
    pub period: Period,
    /// By what people call the unit, in the order in which they are told.
    pub lines: &'a [(String, Line)],
    /// What was under way when it was scored.
    pub under_way: UnderWay,
    /// By what it was scored.
    pub rule: &'a ScoreRule,
    /// What its units said of it; none: they were not asked.
    pub checked: Option<Checked>,
    /// When it is written.
    pub now: Timestamp,
}

/// That the units of a bulletin were asked to check it, and what they said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Until when (exclusive) they could appeal.
    pub before: Timestamp,
    /// How many units were asked.
    pub asked: usize,
    /// How many of them said that their line is right, and nothing else.
    pub confirmed: usize,
    /// How many appealed.
    pub objected: usize,
    /// How many appeals are not decided.
    pub undecided: usize,
    /// How many points were left out because of them.
    pub corrected: usize,
}

impl PaperKind {
    /// Every kind.
    pub const ALL: [PaperKind; 4] = [Self::Slip, Self::Letter, Self::Interview, Self::Bulletin];

    /// The word in the API and in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slip => "slip",
            Self::Letter => "letter",
            Self::Interview => "interview",
            Self::Bulletin => "bulletin",
        }
    }

    /// What stands before the year in its number.
    const fn code(self) -> &'static str {
        match self {
            Self::Slip => "督交",
            Self::Letter => "督函",
            Self::Interview => "督约",
            Self::Bulletin => "督通",
        }
    }

    /// A number of this kind as printed.
    pub fn printed(self, number: PaperNumber) -> String {
        format!("{}〔{}〕{}号", self.code(), number.year, number.number)
    }
}

impl Paper {
    /// 发文机关标志: what stands at the head of the first page. What goes to one unit has the form of
    /// a letter, whose head is the office alone.
    pub fn head(&self) -> String {
        match self.kind {
            PaperKind::Slip | PaperKind::Letter | PaperKind::Interview => OFFICE.to_owned(),
            PaperKind::Bulletin => format!("{OFFICE}文件"),
        }
    }

    /// 发文字号 as printed; a draft says that it is one.
    pub fn printed_number(&self) -> String {
        self.number.map_or_else(|| "（代拟稿）".to_owned(), |number| self.kind.printed(number))
    }

    /// 交办单.
    pub fn slip(matter: Matter<'_>) -> Paper {
        let Matter { task, assignment, unit, .. } = matter;
        let mut rows = vec![
            vec!["台账编号".to_owned(), format!("第{}号", task.ledger_number)],
            vec!["交办事项".to_owned(), task.title.clone()],
        ];
        if let Some(source) = source(task) {
            rows.push(vec!["事项来源".to_owned(), source]);
        }
        let role = match assignment.role {
            Role::Lead => "牵头单位",
            Role::Cooperating => "配合单位",
            Role::Responsible => "责任单位",
        };
        rows.push(vec!["承办单位".to_owned(), format!("{unit}（{role}）")]);
        if let Some(at) = assignment.assigned_at {
            rows.push(vec!["交办时间".to_owned(), day_of(at)]);
        }
        if let Some(due) = matter.due {
            rows.push(vec!["办结时限".to_owned(), limit_day(due)]);
        }
        if !task.text.is_empty() && task.text != task.title {
            rows.push(vec!["工作要求".to_owned(), task.text.clone()]);
        }
        let body = vec![
            text("现将下列事项交你单位办理："),
            Block::Table { rows },
            text(
                "请于收到之日签收并研究部署，按时反馈办理进展，在时限内办结并申请销号。确需延期的，请在到期前提出申请。",
            ),
        ];
        matter.paper(PaperKind::Slip, "督办事项交办单".to_owned(), body)
    }

    /// 督办函. It is to be answered before an instant.
    pub fn letter(matter: Matter<'_>, ground: &str, answer_before: Timestamp) -> Paper {
        let body = vec![
            text(&matter.standing()),
            text(ground),
            text(&format!(
                "请你单位高度重视，明确责任人和完成时间，抓紧推进，并于{}前将办理情况书面反馈我室。",
                limit_day(answer_before)
            )),
            text("特此函告。"),
        ];
        matter.paper(PaperKind::Letter, format!("关于加快办理“{}”的督办函", matter.task.title), body)
    }

    /// 约谈通知.
    pub fn interview(matter: Matter<'_>, ground: &str, interview: Interview<'_>) -> Paper {
        let by = match interview.by {
            CalledBy::Leader(leader) => format!("经{leader}同意"),
            CalledBy::Document(document) => format!("根据{document}"),
        };
        let when = match interview.meeting {
            None => "就上述事项约谈你单位主要负责人，时间、地点另行通知。请准备".to_owned(),
            Some((time, place)) => {
                let clock = time.time_of_day();
                format!(
                    "定于{}{:02}:{:02}在{place}就上述事项约谈你单位主要负责人。请准备",
                    day_of(time),
                    clock.hour(),
                    clock.minute()
                )
            }
        };
        let body = vec![
            text(&matter.standing()),
            text(ground),
            text(&format!("{by}，{when}书面汇报材料，说明办理情况、存在问题和下一步措施，并按时参加。")),
            text("特此通知。"),
        ];
        matter.paper(PaperKind::Interview, format!("关于就“{}”进行约谈的通知", matter.task.title), body)
    }

    /// 通报 on a period.
    pub fn bulletin(reported: &Reported<'_>) -> Paper {
        let Reported { title, period, lines, under_way, rule, checked, now } = *reported;
        let all = lines.iter().fold(Line::default(), |mut all, (_, line)| {
            all.add(line.clone());
            all
        });
        let span = span_said(period);
        let rate =
            all.on_time_rate().map_or_else(String::new, |rate| format!("，按时办结率{}", percent(rate)));
        let settled_late = all.late.iter().filter(|point| point.version.is_some()).count();
        let mut body = vec![
            text(&format!("现将{span}督办事项办理情况通报如下：")),
            heading("一、总体情况"),
            text(&format!(
                "期内按时办结{}件，逾期办结{settled_late}件，期末逾期未办结{}件{rate}；退回返工{}次，签收、部署、反馈等环节\
                 逾期{}次。目前在办事项{}件，其中红灯{}件。",
                all.on_time.len(),
                all.late.len() - settled_late,
                sum(&all.returned),
                sum(&all.late_steps),
                under_way.all,
                under_way.red,
            )),
            heading("二、各单位办理情况"),
        ];
        let headings = ["单位", "按时办结", "逾期", "按时率", "逾期天数", "退回返工", "环节逾期"];
        let mut rows = vec![headings.map(str::to_owned).to_vec()];
        rows.extend(lines.iter().map(|(unit, line)| {
            vec![
                unit.clone(),
                line.on_time.len().to_string(),
                line.late.len().to_string(),
                line.on_time_rate().map_or_else(|| "—".to_owned(), percent),
                sum(&line.days_overdue).to_string(),
                sum(&line.returned).to_string(),
                sum(&line.late_steps).to_string(),
            ]
        }));
        if lines.is_empty() {
            body.push(text("期内没有到期、办结或者逾期的事项。"));
        } else {
            body.push(Block::Table { rows });
        }
        body.push(heading("三、工作要求"));
        body.push(text(
            "有逾期事项的单位要查明原因、倒排工期，尽快办结销号；其他单位要对照时限持续推进，确有困难的及时提出。",
        ));
        body.push(text(&match checked {
            Some(checked) => checked.said(now),
            None => "（以上数据未经各单位核对。）".to_owned(),
        }));
        body.push(text(&format!("（评价依据：{}。{}）", rule.chinese_name(), rule.chinese())));
        Paper {
            kind: PaperKind::Bulletin,
            number: None,
            title: title.to_owned(),
            addressee: "各县（市、区）人民政府，市直各有关单位".to_owned(),
            body,
            signed: OFFICE.to_owned(),
            day: now.day(),
        }
    }
}

impl Checked {
    /// What the units said, and what of them did not: nobody is said to have agreed who was silent.
    fn said(self, now: Timestamp) -> String {
        let Checked { before, asked, confirmed, objected, undecided, corrected } = self;
        let mut parts = Vec::new();
        if confirmed > 0 {
            parts.push(format!("{confirmed}家确认"));
        }
        if objected > 0 {
            let handled = if undecided == 0 { "并处理" } else { "（尚未全部处理）" };
            parts.push(format!("{objected}家提出异议{handled}"));
        }
        let silent = asked.saturating_sub(confirmed + objected);
        if silent > 0 {
            let rest = if parts.is_empty() { "" } else { "其余" };
            let said = if now < before { "尚未答复" } else { "逾期未提出" };
            parts.push(format!("{rest}{silent}家{said}"));
        }
        if parts.is_empty() {
            parts.push("没有单位需要核对".to_owned());
        }
        let corrections = if corrected == 0 { String::new() } else { format!("；更正{corrected}处") };
        let until = limit_moment(before);
        format!("（以上数据已送各单位核对，核对于{until}截止：{}{corrections}。）", parts.join("，"))
    }
}

impl Matter<'_> {
    /// What was given when, and how it stands.
    fn standing(self) -> String {
        let Matter { task, assignment, due, now, .. } = self;
        let given = assignment.assigned_at.map_or_else(String::new, day_of);
        let source = source(task).map_or_else(String::new, |source| format!("，来源为{source}"));
        let due_said = due.map_or_else(String::new, |due| format!("，办结时限为{}", limit_day(due)));
        let overdue = due.map_or(0, |due| days_past(due, now));
        let stands = if overdue == 0 {
            "目前尚未办结".to_owned()
        } else {
            format!("至今尚未办结，已逾期{overdue}天")
        };
        format!(
            "{given}交你单位办理的“{}”（台账第{}号{source}）{due_said}，{stands}。",
            task.title, task.ledger_number
        )
    }

    fn paper(self, kind: PaperKind, title: String, body: Vec<Block>) -> Paper {
        let (addressee, day) = (self.unit.to_owned(), self.now.day());
        Paper { kind, number: None, title, addressee, body, signed: OFFICE.to_owned(), day }
    }
}

fn text(text: &str) -> Block {
    Block::Text { text: text.to_owned() }
}

pub(crate) fn heading(text: &str) -> Block {
    Block::Heading { text: text.to_owned() }
}

pub(crate) fn source(task: &Task) -> Option<String> {
    let source = &task.source;
    if source.document_number.is_empty() {
        return None;
    }
    let part = if source.part.is_empty() { String::new() } else { format!("《{}》", source.part) };
    let item =
        if source.item_number.is_empty() { String::new() } else { format!("第{}项", source.item_number) };
    Some(format!("{}{part}{item}", source.document_number))
}

fn percent(tenths: usize) -> String {
    format!("{}.{}%", tenths / 10, tenths % 10)
}

/// Before when (exclusive) a letter is to be answered that says nothing else: the third day after it,
/// as the 3 of 13710 has it.
pub fn answer_before(sent: Timestamp) -> Timestamp {
    Timestamp::start_of_day(sent.day().saturating_add(time::Duration::days(4)))
}

/// A day as papers write it, for example 2023年6月1日.
pub fn chinese_day(day: Date) -> String {
    format!("{}年{}月{}日", day.year(), u8::from(day.month()), day.day())
}

pub(crate) fn day_of(at: Timestamp) -> String {
    chinese_day(at.day())
}

/// A period as papers write it, from its first day to its last.
pub fn span_said(period: Period) -> String {
    format!("{}至{}", day_of(period.start), last_day_of(period.end))
}

/// The last day of a period that ends with an instant.
pub(crate) fn last_day_of(end: Timestamp) -> String {
    day_of(Timestamp::from_micros(end.as_micros() - 1))
}

/// Lines by what people call the unit, those that were judged first, the latest of them first.
pub fn told(lines: BTreeMap<String, Line>, called: impl Fn(&str) -> String) -> Vec<(String, Line)> {
    let mut lines: Vec<(String, Line)> =
        lines.into_iter().map(|(unit, line)| (called(&unit), line)).collect();
    lines.sort_by_key(|(_, line)| {
        (line.judged() == 0, std::cmp::Reverse(sum(&line.days_overdue)), line.on_time_rate())
    });
    lines
}
