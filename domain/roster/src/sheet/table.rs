//! Cells and rows, as text.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use time::Date;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::{Hindrance, SheetFault};
use crate::lookup::Lookup;
use crate::names::normalise;
use crate::view::View;

const BYTE_ORDER_MARK: char = '\u{feff}';
/// Between several names in one cell; the half-width form is understood too.
const SEPARATOR: char = '；';
/// What a spreadsheet takes for a formula at the beginning of a cell.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];
/// Characters of one name.
const LONGEST_NAME: usize = 200;
/// Names in one cell.
const MOST_NAMES: usize = 500;
const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// A column: the field's name in the API and its heading.
pub(super) type Column = (&'static str, &'static str);

/// A table as it was read.
pub(super) struct Table {
    pub(super) rows: Vec<Row>,
}

/// A row of a table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Line of the text at which it begins, from 1.
    pub(super) line: u64,
    cells: BTreeMap<&'static str, String>,
}

impl Table {
    /// Reads a text. Columns may come in any order; the first of `columns` must be there, and
    /// every heading must be one of them. What a row says of a column that is not there is for
    /// the reader of the row to keep.
    pub(super) fn read(text: &str, columns: &'static [Column]) -> Result<Table, Vec<SheetFault>> {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let headings = reader.headers().map_err(|error| vec![malformed(&error)])?.clone();
        let columns = placed(&headings, columns)?;
        let (mut rows, mut faults) = (Vec::new(), Vec::new());
        for record in reader.records() {
            match record {
                Ok(record) => match Row::read(&record, &columns) {
                    Ok(row) => rows.extend(row),
                    Err(fault) => faults.push(fault),
                },
                Err(error) => faults.push(malformed(&error)),
            }
        }
        if faults.is_empty() { Ok(Table { rows }) } else { Err(faults) }
    }
}

/// Which column each cell of a row is of.
fn placed(headings: &csv::StringRecord, columns: &'static [Column]) -> Result<Vec<Column>, Vec<SheetFault>> {
    let mut found: Vec<Column> = Vec::new();
    for heading in headings {
        let heading = unquoted(heading);
        let column = columns.iter().find(|(key, chinese)| *key == heading || *chinese == heading);
        let Some(column) = column else {
            let known: Vec<&str> = columns.iter().map(|(_, chinese)| *chinese).collect();
            let english = format!("{heading:?} is no heading of this table");
            let chinese = format!("“{heading}”不是本表的列，应为：{}", known.join("、"));
            return Err(vec![SheetFault::new(1, english, chinese)]);
        };
        if found.contains(column) {
            let english = format!("the column {} is there twice", column.0);
            return Err(vec![SheetFault::new(1, english, format!("列“{}”重复", column.1))]);
        }
        found.push(*column);
    }
    match columns.first() {
        Some(first) if !found.contains(first) => {
            let english = format!("there is no column {}", first.0);
            Err(vec![SheetFault::new(1, english, format!("缺少列“{}”", first.1))])
        }
        Some(_) | None => Ok(found),
    }
}

fn malformed(error: &csv::Error) -> SheetFault {
    let line = error.position().map_or(1, csv::Position::line);
    SheetFault::new(line, error.to_string(), "不是有效的CSV行，请检查列数和引号")
}

/// A cell without the mark that keeps it from being a formula.
fn unquoted(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        Some(_) | None => cell,
    }
}

impl Row {
    /// A row; none when all of its cells are empty.
    fn read(record: &csv::StringRecord, columns: &[Column]) -> Result<Option<Row>, SheetFault> {
        let line = record.position().map_or(1, csv::Position::line);
        if record.iter().all(str::is_empty) {
            return Ok(None);
        }
        let mut cells = BTreeMap::new();
        for ((key, chinese), cell) in columns.iter().zip(record) {
            let too_long = names_in(cell).any(|name| name.chars().count() > LONGEST_NAME);
            if too_long || names_in(cell).count() > MOST_NAMES || cell.contains('\0') {
                let english = format!(
                    "{key} has a name of more than {LONGEST_NAME} characters, more than {MOST_NAMES} names, or NUL"
                );
                let chinese =
                    format!("“{chinese}”有超过{LONGEST_NAME}字的名称、超过{MOST_NAMES}个名称或空字符");
                return Err(SheetFault::new(line, english, chinese));
            }
            cells.insert(*key, unquoted(cell).to_owned());
        }
        let row = Row { line, cells };
        if row.id().is_empty() {
            return Err(SheetFault::new(line, "id is empty", "“标识”为空"));
        }
        Ok(Some(row))
    }

    /// What the record is called, without its collection.
    pub(super) fn id(&self) -> &str {
        self.text("id")
    }

    /// The resource name of the row's record.
    pub(super) fn name(&self, collection: &str) -> String {
        let id = self.id();
        if id.starts_with(&format!("{collection}/")) { id.to_owned() } else { format!("{collection}/{id}") }
    }

    /// A cell; empty when the table does not have the column.
    pub(super) fn text(&self, key: &str) -> &str {
        self.cells.get(key).map_or("", String::as_str)
    }

    /// Whether the table has a column.
    pub(super) fn has(&self, key: &str) -> bool {
        self.cells.contains_key(key)
    }

    /// A cell that may be empty.
    pub(super) fn optional(&self, key: &str) -> Option<String> {
        Some(self.text(key)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// Several names in one cell.
    pub(super) fn several(&self, key: &str) -> Vec<String> {
        names_in(self.text(key)).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    /// An instant, or a day for its first instant.
    pub(super) fn instant(&self, (key, chinese): Column) -> Result<Option<Timestamp>, Hindrance> {
        let Some(text) = self.optional(key) else { return Ok(None) };
        let instant = match Date::parse(&text, DAY) {
            Ok(day) => Some(Timestamp::start_of_day(day)),
            Err(_) => Timestamp::parse(&text).ok(),
        };
        let wrong = || {
            let english = format!("{key}: {text:?} is neither a day nor an instant");
            let chinese = format!("“{chinese}”应为日期，例如2023-05-14");
            Hindrance::Wrong(SheetFault::new(self.line, english, chinese))
        };
        instant.map(Some).ok_or_else(wrong)
    }

    /// The unit that a text stands for: its identifier, or any name of it.
    ///
    /// # Errors
    /// A hindrance that waits for the name when nobody has it yet.
    pub(super) fn unit(&self, view: View<'_>, text: &str) -> Result<String, Hindrance> {
        let name = format!("units/{text}");
        if view.unit(&name).is_some() {
            return Ok(name);
        }
        match view.lookup_unit(text) {
            Lookup::Found(unit) => Ok(unit.name.clone()),
            Lookup::Unknown => {
                let english = format!("no unit is called {text:?}");
                let chinese = format!("没有名为“{text}”的单位");
                Err(Hindrance::Waits(normalise(text), SheetFault::new(self.line, english, chinese)))
            }
            Lookup::Ambiguous(_) => {
                let english = format!("several units are called {text:?}");
                let chinese = format!("名为“{text}”的单位有多个");
                Err(Hindrance::Wrong(SheetFault::new(self.line, english, chinese)))
            }
        }
    }
}

fn names_in(cell: &str) -> impl Iterator<Item = &str> {
    cell.split([SEPARATOR, ';']).map(str::trim)
}

/// A table with its headings, ready for a spreadsheet.
pub(super) fn write(columns: &[Column], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let headings = columns.iter().map(|(_, heading)| (*heading).to_owned()).collect();
    for row in std::iter::once(headings).chain(rows) {
        // Writing to memory does not fail, and every row has a cell a column.
        if writer.write_record(row.iter().map(|cell| quoted(cell))).is_err() {
            break;
        }
    }
    let bytes = writer.into_inner().unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap_or_default();
    format!("{BYTE_ORDER_MARK}{text}")
}

fn quoted(cell: &str) -> String {
    if is_formula(cell) { format!("'{cell}") } else { cell.to_owned() }
}

/// Whether a spreadsheet might take a cell for a formula. Marks in front do not count: a cell
/// that has one of its own gets another, so that reading takes off only ours.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(FORMULA)
}

/// Several names as one cell.
pub(super) fn joined(names: &[String]) -> String {
    names.join(&SEPARATOR.to_string())
}

/// An instant as a cell: a day alone at its first instant.
pub(super) fn instant(at: Option<Timestamp>) -> String {
    match at {
        None => String::new(),
        Some(at) if at == Timestamp::start_of_day(at.day()) => at.day().format(DAY).unwrap_or_default(),
        Some(at) => at.to_string(),
    }
}

/// A resource name as a cell: without its collection.
pub(super) fn id(name: &str) -> String {
    name.split_once('/').map_or(name, |(_, id)| id).to_owned()
}
