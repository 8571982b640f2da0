//! The ledger as a table: its columns, and its rows as they are read.

use std::pin::Pin;

use domain_calendar::Timestamp;
use domain_roster::Book;
use domain_supervision::{Assignment, AssignmentState, Light, Role, days_overdue, last_whole_day, light};
use futures_util::{Stream, stream};
use time::Date;
use xietong_mesh::Error;

use crate::app::{Listing, Supervision, unit_name};
use crate::grpc::printable::printable;
use crate::record::Record;
use crate::regulation::Regulation;

/// Tasks that are read at a time. Of these and their rows a few portions are in memory, whatever
/// the length of the ledger.
const PORTION: u64 = 200;

/// What a cell of a spreadsheet holds at most, in units of UTF-16.
const MOST_IN_A_CELL: usize = 32_767;
/// The first year that spreadsheets know dates of.
const FIRST_YEAR: i32 = 1900;

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
    let moment = |at: Option<Timestamp>| at.map_or(Cell::Empty, moment);
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
    last_whole_day(due).map_or_else(|| moment(due), day)
}

fn text(text: &str) -> Cell {
    let shown = shortened(&printable(text));
    if shown.is_empty() { Cell::Empty } else { Cell::Text(shown) }
}

/// A text as a cell can hold it: what is too long ends in ….
fn shortened(text: &str) -> String {
    if text.encode_utf16().count() <= MOST_IN_A_CELL {
        return text.to_owned();
    }
    let mut room = MOST_IN_A_CELL - 1;
    let kept = text.chars().take_while(|one| {
        let fits = one.len_utf16() <= room;
        room = room.saturating_sub(one.len_utf16());
        fits
    });
    kept.chain(['…']).collect()
}

/// A day; as text where spreadsheets know no date.
fn day(day: Date) -> Cell {
    if day.year() < FIRST_YEAR { Cell::Text(day_said(day)) } else { Cell::Day(day) }
}

/// An instant; as text where spreadsheets know no date.
fn moment(at: Timestamp) -> Cell {
    if at.day().year() < FIRST_YEAR { Cell::Text(moment_said(at)) } else { Cell::Moment(at) }
}

pub(super) fn day_said(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
}

pub(super) fn moment_said(at: Timestamp) -> String {
    let time = at.time_of_day();
    format!("{} {:02}:{:02}", day_said(at.day()), time.hour(), time.minute())
}

/// Whether a spreadsheet would take a text for a formula; some take full-width signs for one, too.
pub(super) fn like_a_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n'])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_long_for_a_cell_ends_in_an_ellipsis() {
        let long = vec!["标".repeat(200); 200].join("；");
        let Cell::Text(shown) = text(&long) else { panic!("a text") };
        assert_eq!(shown.encode_utf16().count(), MOST_IN_A_CELL);
        assert!(shown.ends_with('…'));
        let Cell::Text(pairs) = text(&"𠮷".repeat(MOST_IN_A_CELL)) else { panic!("a text") };
        assert!(pairs.encode_utf16().count() <= MOST_IN_A_CELL, "such a character is two units");
        assert_eq!(text("短"), Cell::Text("短".to_owned()));
    }

    #[test]
    fn a_date_that_spreadsheets_do_not_know_is_a_text() {
        let early = Timestamp::parse("0203-04-20T09:30:00+08:00").unwrap();
        assert_eq!(moment(early), Cell::Text("0203-04-20 09:30".to_owned()));
        assert_eq!(day(early.day()), Cell::Text("0203-04-20".to_owned()));
        let known = Timestamp::parse("1900-01-01T00:00:00+08:00").unwrap();
        assert_eq!((moment(known), day(known.day())), (Cell::Moment(known), Cell::Day(known.day())));
    }

    #[test]
    fn whatever_looks_like_a_formula_is_marked() {
        for text in ["=1", "+1", "-1", "@a", "＝1", "＋1", "－1", "＠a", "\t=1", "\r=1"] {
            assert!(like_a_formula(text), "{text:?}");
        }
        assert!(!like_a_formula("一=1"));
    }

    #[test]
    fn what_cannot_be_printed_is_left_out() {
        assert_eq!(text("标\u{b}题"), Cell::Text("标题".to_owned()));
    }
}
