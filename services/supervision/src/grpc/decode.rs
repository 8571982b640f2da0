//! What requests say, in the words of the domain.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use domain_supervision::{
    AssignmentDraft, Backfill, Grade, Light, Role, SearchTerms, Source, StandingThen, TaskDraft, TaskState,
    Visibility,
};
use time::Date;
use time::macros::date;
use xietong_mesh::convert::{decode_optional_time, optional};
use xietong_mesh::input::{LINE, TEXT};
use xietong_mesh::{Call, Error};
use xietong_proto::common;
use xietong_proto::supervision as proto;
use xietong_timers::MachineClock;

use super::check::Check;
use super::{content, terms};
use crate::app::{Entry, ListQuery};

/// Most tags of a task, most units of a task in one capacity. What a longer list holds beyond
/// that is not looked at: the list is refused.
pub(super) const MOST: usize = 200;

/// The first day that work entered as under way can be of.
const FIRST_DAY: Date = date!(1949 - 10 - 01);

/// A task to enter; `place` is its path in the request. Whether its units exist is not asked
/// here, and whether its files are the caller's is asked when the transaction begins.
pub(super) fn entry(task: proto::Task, place: String, call: &mut Call, origin: &str) -> Result<Entry, Error> {
    let mut check = Check::default();
    let field = |field: &str| format!("{place}.{field}");
    check.line(field("title"), &task.title);
    check.text(field("text"), &task.text, TEXT);
    list(&mut check, &field("restricted_units"), &task.restricted_units);
    list(&mut check, &field("assignments"), &task.assignments);
    tags(&mut check, &place, &task.tags);
    let milestones = content::milestones(&mut check, &field("milestones"), task.milestones)?;
    let targets = content::targets(&mut check, &field("targets"), task.targets)?;
    let open_points = content::open_points(&mut check, &field("open_points"), task.open_points);
    let grade = grade(&mut check, field("grade"), task.grade);
    let visibility = visibility(&mut check, field("visibility"), task.visibility);
    let source = source(&mut check, &field("source"), task.source.unwrap_or_default());

    let mut restricted_units = task.restricted_units;
    restricted_units.truncate(MOST);
    restricted_units.sort();
    restricted_units.dedup();
    for (at, unit) in restricted_units.iter().enumerate() {
        check.name(format!("{place}.restricted_units[{at}]"), unit, "units");
    }
    if visibility != Visibility::Restricted && !restricted_units.is_empty() {
        check.wrong(
            field("restricted_units"),
            "only for VISIBILITY_RESTRICTED",
            "只有限定单位可见的任务才能指定可见单位",
        );
    }

    let due_date = content::last_day(&field("due_time"), task.due_time.as_ref())?;
    let terms = terms::decode(&mut check, &field("terms"), task.terms)?;
    let name = format!("tasks/{}", MachineClock::system().new_id());
    let assignments = task
        .assignments
        .into_iter()
        .take(MOST)
        .enumerate()
        .map(|(at, one)| assignment(&mut check, &format!("{place}.assignments[{at}]"), &name, at + 1, one))
        .collect();
    if !task.parent.is_empty() {
        check.name(field("parent"), &task.parent, "tasks");
    }
    check.finish()?;
    let attachments = call.attachments(&field("attachments"), &task.attachments)?;
    let draft = TaskDraft {
        name,
        ledger_number: 0,
        title: task.title.trim().to_owned(),
        text: task.text,
        grade,
        source,
        visibility,
        restricted_units,
        tags: each_once(task.tags),
        created_by: call.principal.subject.clone(),
        unclassified: task.unclassified,
        origin: optional(origin.to_owned()),
        terms,
        parent: optional(task.parent),
        due_date,
        milestones,
        targets,
        open_points,
        assignments,
        attachments,
    };
    Ok(Entry { draft, place, backfill: None })
}

/// How a task that was under way stood; `place` is its path in the request.
pub(super) fn backfill(task: &proto::Task, place: &str) -> Result<Backfill, Error> {
    let mut check = Check::default();
    let field = format!("{place}.issue_time");
    let issued_at = decode_optional_time(&field, task.issue_time.as_ref())?;
    match issued_at {
        None => check.wrong(field, "must be given for work under way", "补录在办事项请填写交办时间"),
        Some(at) => not_too_early(&mut check, field, at),
    }
    let mut standings = Vec::new();
    for (at, one) in task.assignments.iter().take(MOST).enumerate() {
        let place = format!("{place}.assignments[{at}]");
        let complete_time =
            decode_optional_time(&format!("{place}.complete_time"), one.complete_time.as_ref())?;
        if let Some(at) = complete_time {
            not_too_early(&mut check, format!("{place}.complete_time"), at);
        }
        let standing = match one.state() {
            proto::AssignmentState::Assigned => Some(StandingThen::Assigned),
            proto::AssignmentState::Signed => Some(StandingThen::Signed),
            proto::AssignmentState::Deployed => Some(StandingThen::Deployed),
            proto::AssignmentState::InProgress => Some(StandingThen::InProgress),
            proto::AssignmentState::StruckOff => {
                complete_time.map(|completed_at| StandingThen::StruckOff { completed_at })
            }
            proto::AssignmentState::Unspecified
            | proto::AssignmentState::Pending
            | proto::AssignmentState::Submitted
            | proto::AssignmentState::Returned
            | proto::AssignmentState::Suspended
            | proto::AssignmentState::Withdrawn => None,
        };
        match standing {
            Some(standing) => standings.push(standing),
            None => check.wrong(
                format!("{place}.state"),
                "must be assigned to in progress, or struck off with its complete_time",
                "应为已交办至办理中，或已销号并填写办结时间",
            ),
        }
    }
    check.finish()?;
    // The check has refused what has no issue time.
    let issued_at =
        issued_at.ok_or_else(|| Error::invalid("issue_time", "must be given", "请填写交办时间"))?;
    Ok(Backfill { issued_at, standings })
}

/// No work was under way here before that day; whoever enters one mistyped the year.
fn not_too_early(check: &mut Check, field: String, at: Timestamp) {
    if at.day() < FIRST_DAY {
        let english = "must not be before 1 October 1949";
        check.wrong(field, english, "不能早于1949年10月1日，请核对年份");
    }
}

/// What a list is asked for.
pub(super) fn list_query(request: &proto::ListTasksRequest) -> Result<ListQuery, Error> {
    let mut check = Check::default();
    if !request.unit.is_empty() {
        check.name("unit", &request.unit, "units");
    }
    if !request.leader.is_empty() {
        check.name("leader", &request.leader, "officials");
    }
    check.text("document_number", &request.document_number, LINE);
    check.text("tag", &request.tag, LINE);
    check.text("q", &request.q, LINE);
    if !request.matter.is_empty() {
        check.name("matter", &request.matter, "matters");
    }
    if !request.parent.is_empty() {
        check.name("parent", &request.parent, "tasks");
    }
    let light = light(&mut check, request.light);
    let state = state(&mut check, request.state);
    check.finish()?;
    Ok(ListQuery {
        unit: optional(request.unit.clone()),
        light,
        state,
        document_number: optional(request.document_number.clone()),
        leader: optional(request.leader.clone()),
        tag: optional(request.tag.clone()),
        matter: optional(request.matter.clone()),
        terms: SearchTerms::of(&request.q),
        parent: optional(request.parent.clone()),
    })
}

/// The tags of a task.
pub(super) fn tags(check: &mut Check, place: &str, tags: &[String]) {
    list(check, &format!("{place}.tags"), tags);
    for (at, tag) in tags.iter().take(MOST).enumerate() {
        if tag.trim().is_empty() {
            check.wrong(format!("{place}.tags[{at}]"), "must not be empty", "标签不能为空");
        } else {
            check.line(format!("{place}.tags[{at}]"), tag);
        }
    }
}

/// Tags without those that were named before.
pub(super) fn each_once(tags: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    tags.into_iter().map(|tag| tag.trim().to_owned()).filter(|tag| seen.insert(tag.clone())).collect()
}

pub(super) fn list<T>(check: &mut Check, field: &str, items: &[T]) {
    if items.len() > MOST {
        check.wrong(field, format!("at most {MOST} are accepted"), format!("最多{MOST}项"));
    }
}

fn assignment(
    check: &mut Check,
    place: &str,
    task: &str,
    number: usize,
    one: proto::Assignment,
) -> AssignmentDraft {
    check.name(format!("{place}.unit"), &one.unit, "units");
    let role = role(check, place, one.role);
    AssignmentDraft { name: format!("{task}/assignments/{number}"), unit: one.unit, role }
}

pub(super) fn role(check: &mut Check, place: &str, role: i32) -> Role {
    match proto::AssignmentRole::try_from(role) {
        Ok(proto::AssignmentRole::Lead) => Role::Lead,
        Ok(proto::AssignmentRole::Cooperating) => Role::Cooperating,
        Ok(proto::AssignmentRole::Responsible) => Role::Responsible,
        Ok(proto::AssignmentRole::Unspecified) | Err(_) => {
            check.wrong(format!("{place}.role"), "must be stated", "请说明是牵头、配合还是责任单位");
            Role::Cooperating
        }
    }
}

fn source(check: &mut Check, place: &str, source: proto::Source) -> Source {
    check.text(format!("{place}.document_number"), &source.document_number, LINE);
    check.text(format!("{place}.part"), &source.part, LINE);
    check.text(format!("{place}.label"), &source.label, LINE);
    let mut number = |field: &str, number: i32| {
        let read = u32::try_from(number);
        if read.is_err() {
            check.wrong(format!("{place}.{field}"), "must not be negative", "不能为负数");
        }
        read.ok().filter(|number| *number > 0)
    };
    Source {
        item_number: number("item_number", source.item_number).map_or(source.label, |item| item.to_string()),
        line: number("line", source.line),
        document_number: source.document_number,
        part: source.part,
    }
}

pub(super) fn grade(check: &mut Check, field: String, value: i32) -> Grade {
    match proto::Grade::try_from(value) {
        Ok(proto::Grade::Unspecified | proto::Grade::Ordinary) => Grade::Ordinary,
        Ok(proto::Grade::Major) => Grade::Major,
        Ok(proto::Grade::LongTerm) => Grade::LongTerm,
        Err(_) => {
            unknown(check, field, GRADES);
            Grade::Ordinary
        }
    }
}

fn visibility(check: &mut Check, field: String, value: i32) -> Visibility {
    match common::Visibility::try_from(value) {
        Ok(common::Visibility::Public) => Visibility::Public,
        Ok(common::Visibility::Unspecified | common::Visibility::Internal) => Visibility::Internal,
        Ok(common::Visibility::Restricted) => Visibility::Restricted,
        Err(_) => {
            unknown(check, field, VISIBILITIES);
            Visibility::Internal
        }
    }
}

fn light(check: &mut Check, value: i32) -> Option<Light> {
    match proto::Light::try_from(value) {
        Ok(proto::Light::Unspecified) => None,
        Ok(proto::Light::Green) => Some(Light::Green),
        Ok(proto::Light::Yellow) => Some(Light::Yellow),
        Ok(proto::Light::Red) => Some(Light::Red),
        Ok(proto::Light::Blue) => Some(Light::Blue),
        Ok(proto::Light::Grey) => Some(Light::Grey),
        Err(_) => {
            unknown(check, "light", LIGHTS);
            None
        }
    }
}

fn state(check: &mut Check, value: i32) -> Option<TaskState> {
    match proto::TaskState::try_from(value) {
        Ok(proto::TaskState::Unspecified) => None,
        Ok(proto::TaskState::Draft) => Some(TaskState::Draft),
        Ok(proto::TaskState::Issued) => Some(TaskState::Issued),
        Ok(proto::TaskState::StruckOff) => Some(TaskState::StruckOff),
        Ok(proto::TaskState::Withdrawn) => Some(TaskState::Withdrawn),
        Err(_) => {
            unknown(check, "state", STATES);
            None
        }
    }
}

/// The words of enumerations, as JSON has them.
const GRADES: &[&str] = &["GRADE_ORDINARY", "GRADE_MAJOR", "GRADE_LONG_TERM"];
const VISIBILITIES: &[&str] = &["VISIBILITY_PUBLIC", "VISIBILITY_INTERNAL", "VISIBILITY_RESTRICTED"];
const LIGHTS: &[&str] = &["LIGHT_GREEN", "LIGHT_YELLOW", "LIGHT_RED", "LIGHT_BLUE", "LIGHT_GREY"];
const STATES: &[&str] =
    &["TASK_STATE_DRAFT", "TASK_STATE_ISSUED", "TASK_STATE_STRUCK_OFF", "TASK_STATE_WITHDRAWN"];

/// A value is none of those of its enumeration.
pub(super) fn unknown(check: &mut Check, field: impl Into<String>, allowed: &[&str]) {
    let (english, chinese) = one_of(allowed);
    check.wrong(field, english, chinese);
}

/// Which values there are, in English and in Chinese.
pub(super) fn one_of(allowed: &[&str]) -> (String, String) {
    (format!("must be one of {}", allowed.join(", ")), format!("取值应为{}之一", allowed.join("、")))
}
