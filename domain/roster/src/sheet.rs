//! The directory as tables (CSV, RFC 4180), for people who keep it in a spreadsheet.
//!
//! A table begins with a byte order mark and a row of Chinese headings, as spreadsheet programs
//! open it; the API's field names are understood as headings too. Several names in one cell are
//! separated by `；`. A day alone is its first instant in Asia/Shanghai. A cell that a
//! spreadsheet would take for a formula has `'` in front.
//!
//! What a table does not have a row for stays as it is: reading one adds and changes, and never
//! removes.

mod collectives;
mod officials;
mod table;
mod units;

use std::collections::BTreeSet;

use domain_calendar::Timestamp;

use crate::book::Book;
use crate::error::RosterError;
use crate::event::RosterEvent;

use table::{Row, Table};

/// Rows of one table.
const MOST_ROWS: usize = 10_000;

/// What a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheet {
    /// One unit a row.
    Units,
    /// One collective a row.
    Collectives,
    /// One post of an official a row.
    Officials,
}

/// What reading a table comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SheetPlan {
    /// What is to be recorded, in an order in which each can be; each of another record.
    pub events: Vec<RosterEvent>,
    /// How many records it adds.
    pub created: usize,
    /// How many it changes.
    pub changed: usize,
    /// How many are as the table has them.
    pub unchanged: usize,
}

/// What is wrong with a row. `Display` is English; `chinese` is what an official reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {english}")]
pub struct SheetFault {
    /// Line of the text, from 1.
    pub line: u64,
    /// What is wrong, in English.
    pub english: String,
    /// What is wrong, in Chinese.
    pub chinese: String,
}

impl SheetFault {
    fn new(line: u64, english: impl Into<String>, chinese: impl Into<String>) -> Self {
        SheetFault { line, english: english.into(), chinese: chinese.into() }
    }

    fn refused(line: u64, refusal: &RosterError) -> Self {
        SheetFault::new(line, refusal.to_string(), refusal.chinese())
    }
}

/// The directory as a table, as it is at an instant.
pub fn write_sheet(sheet: Sheet, book: &Book, at: Timestamp) -> String {
    match sheet {
        Sheet::Units => units::write(book, at),
        Sheet::Collectives => collectives::write(book, at),
        Sheet::Officials => officials::write(book, at),
    }
}

/// What a table would add to the directory and change in it from an instant on. Rows may refer
/// to rows below them.
///
/// # Errors
/// Every row that is wrong, in the order of lines; then nothing of the table is to be recorded.
pub fn read_sheet(
    sheet: Sheet,
    text: &str,
    book: &Book,
    effective_time: Timestamp,
    now: Timestamp,
) -> Result<SheetPlan, Vec<SheetFault>> {
    let columns = match sheet {
        Sheet::Units => units::COLUMNS,
        Sheet::Collectives => collectives::COLUMNS,
        Sheet::Officials => officials::COLUMNS,
    };
    let table = Table::read(text, columns)?;
    if table.rows.len() > MOST_ROWS {
        let rows = table.rows.len();
        let english = format!("the table has {rows} rows, more than {MOST_ROWS}");
        return Err(vec![SheetFault::new(1, english, format!("共{rows}行，最多{MOST_ROWS}行"))]);
    }
    let groups = match sheet {
        Sheet::Units | Sheet::Collectives => each_alone(table.rows)?,
        Sheet::Officials => officials::by_official(table.rows),
    };
    let mut entering = Entering { book: book.clone(), effective_time, now, plan: SheetPlan::default() };
    entering.enter_all(sheet, groups)?;
    Ok(entering.plan)
}

/// The rows of one record.
type Rows = Vec<Row>;

fn each_alone(rows: Vec<Row>) -> Result<Vec<Rows>, Vec<SheetFault>> {
    let mut seen = BTreeSet::new();
    let repeated: Vec<SheetFault> = rows
        .iter()
        .filter(|row| !seen.insert(row.id().to_owned()))
        .map(|row| {
            let id = row.id();
            SheetFault::new(row.line, format!("{id:?} stands in another row"), format!("标识“{id}”重复"))
        })
        .collect();
    if repeated.is_empty() { Ok(rows.into_iter().map(|row| vec![row]).collect()) } else { Err(repeated) }
}

/// A table on its way into a copy of the book.
struct Entering {
    book: Book,
    effective_time: Timestamp,
    now: Timestamp,
    plan: SheetPlan,
}

/// What becomes of the rows of one record.
enum Entered {
    Created(RosterEvent),
    Changed(RosterEvent),
    Unchanged,
}

/// Why they cannot be entered.
enum Hindrance {
    /// It would not help to enter other rows first.
    Wrong(SheetFault),
    /// They refer to something that is not there yet.
    Waits(SheetFault),
}

impl Entering {
    /// Enters what can be, again and again until nothing more can.
    fn enter_all(&mut self, sheet: Sheet, mut groups: Vec<Rows>) -> Result<(), Vec<SheetFault>> {
        let mut wrong = Vec::new();
        loop {
            let (mut waiting, mut waits_for) = (Vec::new(), Vec::new());
            let before = groups.len();
            for rows in groups {
                match self.enter(sheet, &rows) {
                    Ok(()) => {}
                    Err(Hindrance::Wrong(fault)) => wrong.push(fault),
                    Err(Hindrance::Waits(fault)) => {
                        waiting.push(rows);
                        waits_for.push(fault);
                    }
                }
            }
            if waiting.is_empty() || waiting.len() == before {
                wrong.append(&mut waits_for);
                wrong.sort_by_key(|fault| fault.line);
                return if wrong.is_empty() { Ok(()) } else { Err(wrong) };
            }
            groups = waiting;
        }
    }

    fn enter(&mut self, sheet: Sheet, rows: &[Row]) -> Result<(), Hindrance> {
        let entered = match sheet {
            Sheet::Units => units::enter(&self.book, rows, self.effective_time)?,
            Sheet::Collectives => collectives::enter(&self.book, rows, self.effective_time)?,
            Sheet::Officials => officials::enter(&self.book, rows, self.effective_time)?,
        };
        let event = match entered {
            Entered::Unchanged => {
                self.plan.unchanged += 1;
                return Ok(());
            }
            Entered::Created(event) => {
                self.plan.created += 1;
                event
            }
            Entered::Changed(event) => {
                self.plan.changed += 1;
                event
            }
        };
        let line = rows.first().map_or(1, |row| row.line);
        let refused = |refusal| Hindrance::Wrong(SheetFault::refused(line, &refusal));
        self.book.apply(&event, self.now).map_err(refused)?;
        self.plan.events.push(event);
        Ok(())
    }
}

/// A refusal for what a row refers to may be lifted by a row below.
fn hindrance(line: u64, refusal: &RosterError) -> Hindrance {
    let fault = SheetFault::refused(line, refusal);
    let waits = matches!(refusal, RosterError::UnitUnknown { .. });
    if waits { Hindrance::Waits(fault) } else { Hindrance::Wrong(fault) }
}

#[cfg(test)]
mod tests;
