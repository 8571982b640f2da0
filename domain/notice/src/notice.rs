//! What is understood of a notice: proposals, which nothing is done with until a person or a
//! program imports them.

use serde::Serialize;
use time::Date;

/// A notice, or one plan of those that a notice carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// Which document it is.
    pub document: Document,
    /// What sort of notice it is.
    pub kind: Kind,
    /// The leaders its tasks are listed under, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub leaders: Vec<Leader>,
    /// What is to be done.
    pub items: Vec<Item>,
    /// Who sits in a group.
    pub seats: Vec<Seat>,
    /// What a part of a group, or a member unit, is to do.
    pub duties: Vec<Duty>,
    /// How a group works: meetings, reports, rankings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mechanisms: Vec<Mechanism>,
    /// Who is in charge of what.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub portfolios: Vec<Portfolio>,
    /// Who stands in for whom (AB角).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<Pair>,
    /// What a person has to look at.
    pub unresolved: Vec<Unresolved>,
}

/// Which document a notice is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// For example 临政办发〔2023〕8号.
    pub number: String,
    /// For example 关于印发…的通知.
    pub title: String,
    /// Title of the plan, when the document carries several.
    pub part: String,
    /// Who signs it, such as 临汾市人民政府办公室; empty when no line says so.
    #[serde(skip)]
    pub issuer: String,
    /// When it was issued; the day in Shanghai.
    #[serde(serialize_with = "day")]
    pub issue_date: Option<Date>,
}

/// What sort of notice it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Tasks listed under the units that lead them.
    TaskList,
    /// Who among the leaders is in charge of what (工作分工).
    Division,
    /// The founding of a group, with its seats.
    Group,
    /// A plan whose items end in a responsibility clause.
    Plan,
    /// An emergency plan: a headquarters and what its members do.
    EmergencyPlan,
    /// An answer to a request, with what is to be done later.
    Reply,
}

/// A leader as a heading names one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Leader {
    /// For example 王渊.
    pub name: String,
    /// For example 常务副市长.
    pub post: String,
    /// Fields of work, as listed.
    pub fields: Vec<String>,
    /// Line of the heading.
    pub line: u32,
}

/// Something that is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The printed Arabic number; none for an item numbered (一).
    pub no: Option<u32>,
    /// The number as printed; with the numbers it stands under where it alone would not tell
    /// the item from another of the same document.
    pub label: String,
    /// Its first sentence, without clause and tags.
    pub title: String,
    /// All of it, without clause and tags.
    pub text: String,
    /// Where it begins in the file.
    pub line: u32,
    /// Who leads it, each separately.
    pub lead: Vec<Party>,
    /// Who cooperates.
    pub cooperating: Vec<Party>,
    /// Who is responsible.
    pub responsible: Vec<Party>,
    /// The last day for it: its last milestone, else the end of the plan's year. None when it
    /// waits for an event.
    #[serde(serialize_with = "day")]
    pub due: Option<Date>,
    /// Every dated clause.
    pub milestones: Vec<Milestone>,
    /// An event that it waits for, with the earliest and the latest time after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// For example 省政府12件民生实事.
    pub tags: Vec<String>,
}

/// A unit as the notice names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Party {
    /// As the notice has it.
    pub text: String,
    /// `units/{slug}` or `collectives/{slug}`, once resolved.
    pub unit: Option<String>,
}

impl Party {
    /// One that is not resolved.
    pub fn named(text: impl Into<String>) -> Self {
        Party { text: text.into(), unit: None }
    }
}

/// A clause with a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Milestone {
    /// Its last day.
    #[serde(serialize_with = "day_of")]
    pub date: Date,
    /// What is to be reached.
    pub text: String,
    /// The units that it names: `units/{slug}`, once resolved.
    pub units: Vec<String>,
}

/// Time after an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// For example 事故结案.
    pub event: String,
    /// Months after it at the earliest.
    pub earliest_months: u32,
    /// Months after it at the latest.
    pub latest_months: u32,
}

/// A seat in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seat {
    /// For example 组长, 副指挥长, 成员.
    pub role: String,
    /// The part of the group it is in: empty for the group itself, 办公室, or the name of a
    /// subgroup.
    pub body: String,
    /// Who holds it.
    pub holder: Holder,
    /// Line in the file.
    pub line: u32,
}

/// Who holds a seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Holder {
    /// A person by name.
    Person {
        /// The name.
        name: String,
        /// The post as printed.
        title: String,
    },
    /// Whoever holds a post.
    Post {
        /// For example 市水利局主要负责人.
        post: String,
        /// The unit it is in, if it names one.
        unit: Option<Party>,
    },
    /// A unit.
    Unit {
        /// Which.
        unit: Party,
    },
    /// A class that the group's office fills.
    OpenClass {
        /// For example 各施工单位项目负责人.
        class: String,
    },
}

/// What somebody is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Duty {
    /// The printed number, if any.
    pub no: Option<u32>,
    /// The part of the group whose duty it is; empty for the group itself.
    pub body: String,
    /// What.
    pub text: String,
    /// Which unit (责任单位).
    pub unit: Option<Party>,
    /// Which person (责任人).
    pub person: Option<String>,
    /// Line in the file.
    pub line: u32,
}

/// A way in which a group works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mechanism {
    /// For example 会议机制.
    pub name: String,
    /// What it is.
    pub text: String,
    /// Line in the file.
    pub line: u32,
}

/// What one leader is in charge of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Portfolio {
    /// The leader's name.
    pub leader: String,
    /// The leader's post.
    pub post: String,
    /// Presides over the whole (主持…全面工作).
    pub presides: bool,
    /// Fields of work.
    pub fields: Vec<Charge>,
    /// Units and classes.
    pub units: Vec<Charge>,
    /// Line in the file.
    pub line: u32,
}

/// Something a leader is in charge of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Charge {
    /// In which relation.
    pub relation: Relation,
    /// Whom the leader assists in it, for the two relations that assist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assists: Option<String>,
    /// What: a unit, or a field of work.
    #[serde(flatten)]
    pub subject: Party,
    /// It is a class, such as 中央、省驻临工业企业, and no single unit.
    pub is_class: bool,
}

/// How a leader stands to a field or a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Relation {
    /// 主持.
    Presides,
    /// 主管, 分管, 负责.
    Directs,
    /// 协助分管, 协助…负责.
    AssistsDirecting,
    /// 联系.
    Liaises,
    /// 协助…联系.
    AssistsLiaising,
}

/// Who stands in for a leader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pair {
    /// The leader (A角).
    pub leader: String,
    /// The stand-in (B角); none when one is named for each absence.
    pub stand_in: Option<String>,
    /// Each stands in for the other.
    pub mutual: bool,
    /// Line in the file.
    pub line: u32,
}

/// What a person has to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unresolved {
    /// Line in the file.
    pub line: u32,
    /// What stands there.
    pub text: String,
    /// What is the matter, in Chinese.
    pub why: String,
    /// What it may mean: `units/{slug}`, the likeliest first.
    pub candidates: Vec<String>,
}

fn day<S: serde::Serializer>(date: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
    date.map(|date| date.to_string()).serialize(serializer)
}

fn day_of<S: serde::Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    date.to_string().serialize(serializer)
}
