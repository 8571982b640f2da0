//! The directory as tables (CSV, RFC 4180), for people who keep it in a spreadsheet.
//!
//! A table begins with a byte order mark and a row of Chinese headings, as spreadsheet programs
//! open it; the API's field names are understood as headings too. Several names in one cell are
//! separated by `；`. A day alone is its first instant in Asia/Shanghai. A cell that a
//! spreadsheet would take for a formula has `'` in front.
//!
//! What a table does not have a row or a column for stays as it is: reading one adds and changes,
//! and removes only what an empty cell says.

mod collectives;
mod officials;
mod table;
mod units;

use std::collections::{BTreeSet, HashMap, VecDeque};

use domain_calendar::Timestamp;

use crate::book::Book;
use crate::error::RosterError;
use crate::event::{Changed, RosterEvent};
use crate::names::normalise;

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
    /// They refer to something that is not there yet: to whatever has this name, normalised.
    Waits(String, SheetFault),
}

/// Rows that wait for a name, each with why.
type Waiting = HashMap<String, Vec<(Rows, SheetFault)>>;

impl Entering {
    /// Enters the rows, each once more when what it waited for has come.
    fn enter_all(&mut self, sheet: Sheet, groups: Vec<Rows>) -> Result<(), Vec<SheetFault>> {
        let (mut wrong, mut waiting) = (Vec::new(), Waiting::new());
        let mut ready = VecDeque::from(groups);
        while let Some(rows) = ready.pop_front() {
            match self.enter(sheet, &rows) {
                Ok(names) => {
                    let woken = names.iter().filter_map(|name| waiting.remove(name)).flatten();
                    ready.extend(woken.map(|(rows, _)| rows));
                }
                Err(Hindrance::Wrong(fault)) => wrong.push(fault),
                Err(Hindrance::Waits(name, fault)) => waiting.entry(name).or_default().push((rows, fault)),
            }
        }
        wrong.extend(waiting.into_values().flatten().map(|(_, fault)| fault));
        wrong.sort_by_key(|fault| fault.line);
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// Enters the rows of one record; returns the names by which others may have waited for it.
    fn enter(&mut self, sheet: Sheet, rows: &[Row]) -> Result<Vec<String>, Hindrance> {
        let entered = match sheet {
            Sheet::Units => units::enter(&self.book, rows, self.effective_time)?,
            Sheet::Collectives => collectives::enter(&self.book, rows, self.effective_time)?,
            Sheet::Officials => officials::enter(&self.book, rows, self.effective_time)?,
        };
        let event = match entered {
            Entered::Unchanged => {
                self.plan.unchanged += 1;
                return Ok(Vec::new());
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
        let names = names(&event);
        self.plan.events.push(event);
        Ok(names)
    }
}

/// What a unit that was entered is called, normalised.
fn names(event: &RosterEvent) -> Vec<String> {
    // Nothing else is referred to by a table.
    let (RosterEvent::UnitCreated(unit) | RosterEvent::UnitChanged(Changed { value: unit, .. })) = event
    else {
        return Vec::new();
    };
    let id = unit.name.trim_start_matches("units/");
    [unit.name.as_str(), id].into_iter().map(normalise).chain(unit.keys()).collect()
}

/// What a cell says; or, where the table does not have the column, what is known already.
fn kept<T: Clone>(
    row: &Row,
    key: &str,
    known: Option<&T>,
    read: impl FnOnce() -> Result<T, Hindrance>,
) -> Result<T, Hindrance> {
    match known {
        Some(known) if !row.has(key) => Ok(known.clone()),
        Some(_) | None => read(),
    }
}

fn hindrance(line: u64, refusal: &RosterError) -> Hindrance {
    Hindrance::Wrong(SheetFault::refused(line, refusal))
}

#[cfg(test)]
mod tests;
