//! Collectives as a table.

use domain_calendar::Timestamp;

use super::table::{Column, Row, id, joined, write as write_table};
use super::{Entered, Hindrance, hindrance, kept};
use crate::admission::{admit_collective, admit_collective_change};
use crate::book::Book;
use crate::collective::Collective;
use crate::event::{Changed, RosterEvent};

pub(super) const COLUMNS: &[Column] =
    &[("id", "标识"), ("display_name", "名称"), ("aliases", "别称"), ("units", "成员单位")];

pub(super) fn write(book: &Book, at: Timestamp) -> String {
    let rows = book.view(at, Timestamp::MAX).collectives().map(|collective| {
        let units: Vec<String> = collective.units.iter().map(|unit| id(unit)).collect();
        vec![
            id(&collective.name),
            collective.display_name.clone(),
            joined(&collective.aliases),
            joined(&units),
        ]
    });
    write_table(COLUMNS, rows)
}

pub(super) fn enter(book: &Book, rows: &[Row], effective_time: Timestamp) -> Result<Entered, Hindrance> {
    let Some(row) = rows.first() else { return Ok(Entered::Unchanged) };
    let view = book.view(effective_time, Timestamp::MAX);
    let name = row.name("collectives");
    let known = view.collective(&name);
    let members = || row.several("units").iter().map(|unit| row.unit(view, unit)).collect();
    let collective = Collective {
        display_name: kept(row, "display_name", known.map(|known| &known.display_name), || {
            Ok(row.text("display_name").to_owned())
        })?,
        aliases: kept(row, "aliases", known.map(|known| &known.aliases), || Ok(row.several("aliases")))?,
        units: kept(row, "units", known.map(|known| &known.units), members)?,
        name,
    };
    let refused = |refusal| hindrance(row.line, &refusal);
    match known {
        None => {
            admit_collective(book, &collective).map_err(refused)?;
            Ok(Entered::Created(RosterEvent::CollectiveCreated(collective)))
        }
        Some(known) if *known == collective => Ok(Entered::Unchanged),
        Some(_) => {
            let changed = Changed { value: collective, effective_time };
            admit_collective_change(book, &changed).map_err(refused)?;
            Ok(Entered::Changed(RosterEvent::CollectiveChanged(changed)))
        }
    }
}
