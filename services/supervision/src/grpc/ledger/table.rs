//! The ledger as a table: its columns, and its rows as they are read.

use std::pin::Pin;

use domain_calendar::Timestamp;
use domain_roster::Book;
use domain_supervision::{Assignment, AssignmentState, Light, Role, days_overdue, last_whole_day, light};
use futures_util::{Stream, stream};
use time::Date;
use xietong_mesh::Error;

use crate::app::{Listing, Supervision, unit_name};
use crate::record::Record;
use crate::regulation::Regulation;

/// Tasks that are read at a time. Of these and their rows a few portions are in memory, whatever
/// the length of the ledger.
const PORTION: u64 = 200;

/// Characters of a report's beginning that a row shows.
const PROGRESS: usize = 300;

/// A column: its heading, and its width in characters of a spreadsheet.
pub(super) type Column = (&'static str, u16);

/// The columns, in order.
pub(super) const COLUMNS: [Column; 18] = [
    ("台账编号", 10),
    ("文号", 24),
    ("项号", 8),
    ("事项", 48),
    ("单位", 28),
    ("角色", 10),
    ("交办时间", 17),
    ("签收时间", 17),
    ("部署时间", 17),
    ("最近反馈时间", 17),
    ("申请办结时间", 17),
    ("办结时间", 17),
    ("办结时限", 17),
    ("状态", 10),
    ("灯", 6),
    ("最近进展", 60),
    ("逾期天数", 10),
    ("标签", 24),
];

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    /// Nothing.
    Empty,
    /// A number.
    Number(u32),
    /// A text.
    Text(String),
    /// A day, Asia/Shanghai.
    Day(Date),
    /// An instant, shown to the minute in Asia/Shanghai.
    Moment(Timestamp),
    /// A light.
    Light(Light),
}

/// A row.
pub(super) type Row = [Cell; COLUMNS.len()];

/// Portions of rows as they are read.
pub(super) type Rows = Pin<Box<dyn Stream<Item = Result<Vec<Row>, Error>> + Send>>;

/// The rows of a list, in the order of the ledger. A task that changes meanwhile stands as it
/// was when its portion was read; lights are all those of one instant.
pub(super) fn rows(app: Supervision, listing: Listing) -> Rows {
    let start = Some((app, listing, 0));
    Box::pin(stream::try_unfold(start, async |reading| {
        let Some((app, listing, after)) = reading else { return Ok(None) };
        let records = app.onward(&listing, after, PORTION).await?;
        let book = app.roster.view().book;
        let rows = records
            .iter()
            .flat_map(|record| record.task.assignments.iter().map(move |one| (record, one)))
            .map(|(record, one)| row(record, one, &app.regulation(), &book, listing.now))
            .collect();
        let last = records.last().filter(|_| records.len() as u64 == PORTION);
        let last = last.map(|record| record.task.ledger_number);
        Ok(Some((rows, last.map(|last| (app, listing, last)))))
    }))
}

fn row(record: &Record, one: &Assignment, regulation: &Regulation, book: &Book, now: Timestamp) -> Row {
    let task = &record.task;
    let clocks = regulation.clocks(task, one);
    let progress = record.last_reports.get(&one.name).map(|text| text.chars().take(PROGRESS).collect());
    let overdue = days_overdue(one, &clocks, now);
    let moment = |at: Option<Timestamp>| at.map_or(Cell::Empty, Cell::Moment);
    [
        u32::try_from(task.ledger_number).map_or(Cell::Text(task.ledger_number.to_string()), Cell::Number),
        text(&task.source.document_number),
        text(&task.source.item_number),
        text(&task.title),
        text(unit_name(book, &one.unit)),
        text(role(one.role)),
        moment(one.assigned_at),
        moment(one.signed_at),
        moment(one.deployed_at),
        moment(one.last_report_at),
        moment(one.submitted_at),
        moment(one.completed_at),
        clocks.due.settle.map_or(Cell::Empty, limit),
        text(state(one.state)),
        Cell::Light(light(&clocks.stored(), now)),
        progress.map_or(Cell::Empty, |progress: String| text(&progress)),
        if overdue == 0 { Cell::Empty } else { Cell::Number(overdue) },
        text(&task.tags.join("；")),
    ]
}

/// What is due before midnight is due on the last day; before another instant, before that.
fn limit(due: Timestamp) -> Cell {
    last_whole_day(due).map_or(Cell::Moment(due), Cell::Day)
}

fn text(text: &str) -> Cell {
    if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) }
}

/// Whether a spreadsheet would take a text for a formula.
pub(super) fn like_a_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Lead => "牵头单位",
        Role::Cooperating => "配合单位",
        Role::Responsible => "责任单位",
    }
}

fn state(state: AssignmentState) -> &'static str {
    match state {
        AssignmentState::Pending => "待交办",
        AssignmentState::Assigned => "已交办",
        AssignmentState::Signed => "已签收",
        AssignmentState::Deployed => "已部署",
        AssignmentState::InProgress => "办理中",
        AssignmentState::Submitted => "申请办结",
        AssignmentState::Returned => "已退回",
        AssignmentState::Suspended => "挂账",
        AssignmentState::StruckOff => "已销号",
        AssignmentState::Withdrawn => "已撤销",
    }
}
