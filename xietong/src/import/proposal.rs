//! [`Proposal`]: what a notice asks to be entered, in the words of the API.

use std::collections::BTreeSet;

use domain_calendar::Timestamp;
use domain_notice::{Item, Kind, Notice, Unresolved};
use prost_types::Timestamp as ProtoTimestamp;
use time::{Date, Month};
use xietong_mesh::convert::encode_time;
use xietong_mesh::input::{LINE, TEXT};
use xietong_proto::supervision::{
    Assignment, AssignmentRole, AssignmentState, Grade, Milestone, OpenPoint, Source, Task,
};
use xietong_proto::{roster, workgroup};

use super::compare::{Key, key};
use super::directory::KnownUnits;
use super::{division, group};

/// Characters of a milestone's text that the API takes.
const CLAUSE: usize = 1_000;

/// What a notice asks to be entered.
pub(super) struct Proposal {
    /// 文号.
    pub(super) document_number: String,
    /// Its items.
    pub(super) tasks: Vec<Task>,
    /// Its division of work.
    pub(super) division: Option<roster::Division>,
    /// Its group.
    pub(super) group: Option<workgroup::Group>,
    /// Items whose last day has passed: in the way unless their tasks are there already, or are
    /// entered as work under way.
    pub(super) passed: Vec<(Key, Unresolved)>,
    /// People that nobody is known by, and what stands in the way beside names.
    pub(super) problems: Vec<Unresolved>,
}

/// What proposals are made with.
pub(super) struct Making<'a> {
    /// Who and what there is.
    pub(super) known: &'a KnownUnits,
    /// Business time at the server.
    pub(super) now: Timestamp,
    /// The items are under way.
    pub(super) backfill: bool,
}

impl Making<'_> {
    /// What a notice whose names are resolved asks for.
    pub(super) fn proposal(&self, notice: &Notice) -> Proposal {
        let mut problems = Vec::new();
        let tasks: Vec<Task> = notice.items.iter().map(|item| self.task(notice, item)).collect();
        let passed = notice.items.iter().zip(&tasks).filter_map(|(item, task)| self.passed(item, task));
        let passed = passed.collect();
        let division =
            (notice.kind == Kind::Division).then(|| division::of(notice, self.known, &mut problems));
        let has_seats = matches!(notice.kind, Kind::Group | Kind::EmergencyPlan);
        let group = has_seats.then(|| group::of(notice, self.known, &mut problems));
        let document_number = notice.document.number.clone();
        Proposal { document_number, tasks, passed, division, group, problems }
    }

    /// An item whose last day has passed, by what identifies its task.
    fn passed(&self, item: &Item, task: &Task) -> Option<(Key, Unresolved)> {
        let due = item.due.filter(|due| *due < self.now.day())?;
        let text = format!("{} {due}", item.label);
        let why = "期限已过，请确认完成情况或重新确定期限".to_owned();
        Some((key(task)?, Unresolved { line: item.line, text, why, candidates: vec![] }))
    }

    fn task(&self, notice: &Notice, item: &Item) -> Task {
        let mut open_points = open_points(notice, item);
        if let Some(window) = &item.window {
            let (event, from, to) = (&window.event, window.earliest_months, window.latest_months);
            let why = format!("{event}后{from}至{to}个月内办理，待{event}后交办");
            let text = event.clone();
            open_points.push(open_point(&Unresolved { line: item.line, text, why, candidates: vec![] }));
        }
        let due_time = item.due.and_then(due_time);
        let is_open = !open_points.is_empty();
        let issued = notice.document.issue_date.map(Timestamp::start_of_day);
        let mut assignments = self.assignments(item);
        if self.backfill && !is_open {
            for one in &mut assignments {
                one.state = AssignmentState::InProgress.into();
            }
        }
        Task {
            title: cut(&item.title, LINE),
            text: cut(&item.text, TEXT),
            grade: grade(notice.document.issue_date, item.due).into(),
            source: Some(Source {
                document_number: notice.document.number.clone(),
                part: cut(&notice.document.part, LINE),
                item_number: item.no.and_then(|no| i32::try_from(no).ok()).unwrap_or(0),
                line: i32::try_from(item.line).unwrap_or(0),
                label: if item.no.is_some() { String::new() } else { cut(&item.label, LINE) },
            }),
            tags: item.tags.iter().map(|tag| cut(tag, LINE)).collect(),
            // Whoever imports a notice declares that it is not classified.
            unclassified: true,
            due_time,
            issue_time: issued.filter(|_| self.backfill && !is_open).map(encode_time),
            assignments,
            milestones: item.milestones.iter().filter_map(|one| self.milestone(one)).collect(),
            open_points,
            ..Task::default()
        }
    }

    fn milestone(&self, milestone: &domain_notice::Milestone) -> Option<Milestone> {
        let units = milestone.units.iter().flat_map(|one| self.members(one));
        Some(Milestone {
            due_time: Some(due_time(milestone.date)?),
            text: cut(&milestone.text, CLAUSE),
            units: units.collect(),
        })
    }

    /// The units of an item, each once, in its first capacity.
    fn assignments(&self, item: &Item) -> Vec<Assignment> {
        let mut seen = BTreeSet::new();
        let mut assignments = Vec::new();
        for (role, parties) in [
            (AssignmentRole::Lead, &item.lead),
            (AssignmentRole::Cooperating, &item.cooperating),
            (AssignmentRole::Responsible, &item.responsible),
        ] {
            for unit in
                parties.iter().filter_map(|party| party.unit.as_deref()).flat_map(|one| self.members(one))
            {
                if seen.insert(unit.clone()) {
                    assignments.push(Assignment { unit, role: role.into(), ..Assignment::default() });
                }
            }
        }
        assignments
    }

    /// A unit, or each of a collective.
    fn members(&self, name: &str) -> Vec<String> {
        match self.known.members(name) {
            Some(members) => members.to_vec(),
            None => vec![name.to_owned()],
        }
    }
}

/// What a person must settle of an item, from what was not resolved of it.
fn open_points(notice: &Notice, item: &Item) -> Vec<OpenPoint> {
    let next = notice.items.iter().map(|one| one.line).filter(|line| *line > item.line).min();
    let is_in_item = |line: u32| line >= item.line && next.is_none_or(|next| line < next);
    let is_its = |one: &&Unresolved| is_in_item(one.line) && !is_of_document(one);
    notice.unresolved.iter().filter(is_its).map(open_point).collect()
}

/// What is missing of a document concerns no item of it.
fn is_of_document(one: &Unresolved) -> bool {
    ["通知中提到，正文中没有", "原文可能在此中断", "编号不连续，原文可能缺漏"].contains(&one.why.as_str())
}

/// What was not resolved, as a draft names it.
pub(super) fn open_point(one: &Unresolved) -> OpenPoint {
    let units = one.candidates.iter().filter(|one| one.starts_with("units/"));
    OpenPoint {
        text: cut(&one.text, LINE),
        why: cut(&one.why, LINE),
        line: i32::try_from(one.line).unwrap_or(0),
        candidates: units.take(10).cloned().collect(),
    }
}

/// What runs for more than a month from its document runs on the ledger.
fn grade(issued: Option<Date>, due: Option<Date>) -> Grade {
    match (issued, due) {
        (Some(issued), Some(due)) if due <= later_by_a_month(issued) => Grade::Major,
        _ => Grade::LongTerm,
    }
}

fn later_by_a_month(day: Date) -> Date {
    let (year, month) = match day.month() {
        Month::December => (day.year().saturating_add(1), Month::January),
        month => (day.year(), month.next()),
    };
    let last = day.day().min(month.length(year));
    Date::from_calendar_date(year, month, last).unwrap_or(day)
}

/// The instant at which a last day is over.
pub(super) fn due_time(last_day: Date) -> Option<ProtoTimestamp> {
    last_day.next_day().map(|day| encode_time(Timestamp::start_of_day(day)))
}

/// A text of at most so many characters.
pub(super) fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest - 1).chain(['…']).collect()
}
