//! [`Task`]: one matter on the ledger, and what a clerk enters to create it.

use domain_attachment::Attachment;
use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use time::Date;

use crate::assignment::{Assignment, Role};
use crate::content::{self, Milestone, OpenPoint, Target};
use crate::error::SupervisionError;
use crate::figure::TargetStanding;
use crate::terms::{Recorded, Terms};

/// How heavy a matter is: it chooses the last clock of 13710.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Grade {
    /// 一般事项: settled within seven days.
    Ordinary,
    /// 重大、复杂事项: settled within one month.
    Major,
    /// 长期事项: runs on the ledger to its date with reports on a cycle.
    LongTerm,
}

/// Who may see a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Visibility {
    /// 公开.
    Public,
    /// 内部: whoever works in the system and is concerned.
    Internal,
    /// 限定单位: only the named units.
    Restricted,
}

/// Where a task stands as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TaskState {
    /// 草稿: entered, nobody has been told.
    Draft,
    /// 已交办: its clocks run.
    Issued,
    /// 已销号: every assignment that settles it is struck off.
    StruckOff,
    /// 已撤销: taken back, with ground.
    Withdrawn,
}

/// The place in a document that a task comes from. One document number can carry several
/// plans, each numbered from one, so the part belongs to the key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Source {
    /// 文号, for example 临政办发〔2023〕8号; empty when the matter has no document.
    pub document_number: String,
    /// Title of the plan or section inside the document; empty when there is one only.
    pub part: String,
    /// Number of the item as printed; empty when there is none.
    pub item_number: String,
    /// Line of the document's text, counted from one.
    pub line: Option<u32>,
}

/// What is entered to create a task. Becomes the body of the `created` event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskDraft {
    /// Resource name, `tasks/{id}`.
    pub name: String,
    /// The number people say aloud.
    pub ledger_number: i64,
    /// One line, as it stands on the ledger.
    pub title: String,
    /// The wording of the item.
    pub text: String,
    /// Chooses the clock.
    pub grade: Grade,
    /// Where it comes from.
    pub source: Source,
    /// Who may see it.
    pub visibility: Visibility,
    /// `units/{slug}` that may see a restricted task; empty otherwise.
    pub restricted_units: Vec<String>,
    /// Tags to filter by, for example 省政府12件民生实事.
    pub tags: Vec<String>,
    /// Subject of the account that entered it.
    pub created_by: String,
    /// The person who enters the task declares that it is not classified (非涉密).
    pub unclassified: bool,
    /// What it was escalated from, for example `groups/g/meetings/m/decisions/d`.
    pub origin: Option<String>,
    /// What sets it apart in how its clocks run.
    #[serde(default, skip_serializing_if = "Terms::are_plain")]
    pub terms: Terms,
    /// The task that it is a part of, `tasks/{id}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Last day, Asia/Shanghai, when the document names one; otherwise the rule decides.
    #[serde(with = "crate::date_text", default)]
    pub due_date: Option<Date>,
    /// Its dated clauses, in the order of the document.
    #[serde(default)]
    pub milestones: Vec<Milestone>,
    /// Its quantified targets.
    #[serde(default)]
    pub targets: Vec<Target>,
    /// What must be settled before it can be issued.
    #[serde(default)]
    pub open_points: Vec<OpenPoint>,
    /// The units concerned, in the order of the document.
    pub assignments: Vec<AssignmentDraft>,
    /// The files of its source, for example the scan of the document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
}

/// One unit's part in a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssignmentDraft {
    /// Resource name, `tasks/{t}/assignments/{a}`.
    pub name: String,
    /// `units/{slug}`.
    pub unit: String,
    /// As what the unit is named.
    pub role: Role,
}

/// One matter on the ledger with the assignment of every unit concerned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// Resource name, `tasks/{id}`.
    pub name: String,
    /// The number people say aloud.
    pub ledger_number: i64,
    /// One line, as it stands on the ledger.
    pub title: String,
    /// The wording of the item.
    pub text: String,
    /// Chooses the clock.
    pub grade: Grade,
    /// Where it comes from.
    pub source: Source,
    /// Who may see it.
    pub visibility: Visibility,
    /// `units/{slug}` that may see a restricted task; empty otherwise.
    pub restricted_units: Vec<String>,
    /// Tags to filter by.
    pub tags: Vec<String>,
    /// Subject of the account that entered it.
    pub created_by: String,
    /// Declared not classified (非涉密).
    pub unclassified: bool,
    /// What it was escalated from.
    pub origin: Option<String>,
    /// What sets it apart in how its clocks run.
    #[serde(default, skip_serializing_if = "Terms::are_plain")]
    pub terms: Terms,
    /// That the event it waited for happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub happened: Option<Recorded>,
    /// The leader whom the mayor designated for it, `officials/{id}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub designated: Option<String>,
    /// The task that it is a part of, `tasks/{id}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Where the task stands as a whole.
    pub state: TaskState,
    /// When it was issued and its clocks started.
    pub issue_time: Option<Timestamp>,
    /// Version of the rule its clocks run by; set when it is issued and kept.
    pub rule_version: Option<u32>,
    /// When it was last put under another version of the rule: cycles that ended before are
    /// closed and stay as they were.
    #[serde(default)]
    pub rebased_at: Option<Timestamp>,
    /// Last day, Asia/Shanghai, when the document names one.
    #[serde(with = "crate::date_text", default)]
    pub due_date: Option<Date>,
    /// Its dated clauses, in the order of the document.
    #[serde(default)]
    pub milestones: Vec<Milestone>,
    /// Its quantified targets.
    #[serde(default)]
    pub targets: Vec<Target>,
    /// What must be settled before it can be issued.
    #[serde(default)]
    pub open_points: Vec<OpenPoint>,
    /// The units' assignments, in the order of the document; once it is issued never fewer, and
    /// more only where cooperating units are added.
    pub assignments: Vec<Assignment>,
    /// The files of its source, for example the scan of the document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The matter it is linked to, `matters/{id}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matter: Option<String>,
    /// What its targets came to, and whose figures were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target_standings: Vec<TargetStanding>,
    /// Number of events applied so far: what a save compares and sets.
    pub version: i64,
}

impl TaskDraft {
    /// Refuses a draft that could not be carried out or may not be entered.
    pub fn check(&self) -> Result<(), SupervisionError> {
        if !self.unclassified {
            return Err(SupervisionError::NotDeclaredUnclassified);
        }
        if self.visibility == Visibility::Restricted && self.restricted_units.is_empty() {
            return Err(SupervisionError::RestrictedToNobody);
        }
        content::check(&self.title, &self.assignments, &self.open_points)?;
        content::check_parts(&self.milestones, &self.targets, &self.open_points)
    }
}

impl Task {
    /// The task as its `created` event leaves it.
    pub fn from_draft(draft: &TaskDraft) -> Self {
        Self {
            name: draft.name.clone(),
            ledger_number: draft.ledger_number,
            title: draft.title.clone(),
            text: draft.text.clone(),
            grade: draft.grade,
            source: draft.source.clone(),
            visibility: draft.visibility,
            restricted_units: draft.restricted_units.clone(),
            tags: draft.tags.clone(),
            created_by: draft.created_by.clone(),
            unclassified: draft.unclassified,
            origin: draft.origin.clone(),
            terms: draft.terms.clone(),
            happened: None,
            designated: None,
            parent: draft.parent.clone(),
            state: TaskState::Draft,
            issue_time: None,
            rule_version: None,
            rebased_at: None,
            due_date: draft.due_date,
            milestones: draft.milestones.clone(),
            targets: draft.targets.clone(),
            open_points: draft.open_points.clone(),
            assignments: draft.assignments.iter().map(Assignment::from_draft).collect(),
            attachments: draft.attachments.clone(),
            matter: None,
            target_standings: Vec::new(),
            version: 1,
        }
    }

    /// An assignment by its resource name.
    pub fn assignment(&self, name: &str) -> Result<&Assignment, SupervisionError> {
        self.assignments
            .iter()
            .find(|one| one.name == name)
            .ok_or_else(|| SupervisionError::UnknownAssignment { name: name.to_owned() })
    }

    /// Refuses a draft that cannot be issued yet.
    pub(crate) fn check_issuable(&self) -> Result<(), SupervisionError> {
        if let Some(first) = self.open_points.first() {
            return Err(SupervisionError::StillOpen {
                first: first.text.clone(),
                count: self.open_points.len(),
            });
        }
        content::check_whole(self.assignments.iter().map(|one| one.role))
    }

    /// Whether something is still to be done of it: it is entered or issued, and not over.
    pub fn is_open(&self) -> bool {
        match self.state {
            TaskState::Draft | TaskState::Issued => true,
            TaskState::StruckOff | TaskState::Withdrawn => false,
        }
    }

    /// The role whose assignments settle the task: the lead units; where the document
    /// names none, every responsible unit completes for itself.
    pub fn settling_role(&self) -> Role {
        if self.assignments.iter().any(|one| one.role == Role::Lead) { Role::Lead } else { Role::Responsible }
    }

    /// The assignments that must all be struck off before the task is, and whose worst
    /// light the task shows.
    pub fn settling_assignments(&self) -> impl Iterator<Item = &Assignment> {
        let role = self.settling_role();
        self.assignments.iter().filter(move |one| one.role == role)
    }
}
