//! The directory goes out as tables and comes in as such.

use domain_calendar::Timestamp;
use domain_roster::{Sheet, SheetFault, SheetPlan, read_sheet, write_sheet};
use xietong_mesh::{Error, Transaction};

use super::App;

/// A table that is to be read.
pub(crate) struct Import {
    pub(crate) sheet: Sheet,
    pub(crate) csv: String,
    /// From when changes hold; unset: now.
    pub(crate) effective_time: Option<Timestamp>,
}

impl App {
    /// The directory as a table, as it is now.
    pub(crate) async fn export_directory(&self, sheet: Sheet) -> Result<String, Error> {
        Ok(write_sheet(sheet, &self.current().await?.book, self.now()))
    }

    /// What a table would come to; stores nothing.
    pub(crate) async fn try_import(&self, import: &Import) -> Result<SheetPlan, Error> {
        let now = self.now();
        let register = self.current().await?;
        let effective_time = import.effective_time.unwrap_or(now);
        read_sheet(import.sheet, &import.csv, &register.book, effective_time, now).map_err(faulty)
    }

    /// Records what a table says, all of it or nothing.
    pub(crate) async fn import_directory(
        &self,
        transaction: &Transaction,
        import: &Import,
    ) -> Result<SheetPlan, Error> {
        let mut edit = self.edit(transaction).await?;
        let now = edit.now();
        let effective_time = import.effective_time.unwrap_or(now);
        let plan = read_sheet(import.sheet, &import.csv, edit.book(), effective_time, now).map_err(faulty)?;
        let mut appends = Vec::with_capacity(plan.events.len());
        for event in &plan.events {
            appends.extend(edit.record(std::slice::from_ref(event)).await?);
        }
        transaction.append_stamped(edit.stamp(), &appends).await?;
        Ok(plan)
    }
}

fn faulty(faults: Vec<SheetFault>) -> Error {
    let field = |fault: &SheetFault| format!("csv.line[{}]", fault.line);
    let mut faults = faults.into_iter();
    let Some(first) = faults.next() else {
        return Error::invalid("csv", "the table cannot be read", "表格无法读取");
    };
    let error = Error::invalid(field(&first), first.english.as_str(), first.chinese.as_str());
    faults.fold(error, |error, fault| {
        error.and_invalid(field(&fault), fault.english.as_str(), fault.chinese.as_str())
    })
}
