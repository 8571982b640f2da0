//! Units as a table.

use domain_calendar::Timestamp;

use super::table::{Column, Row, id, instant, joined, write as write_table};
use super::{Entered, Hindrance, SheetFault, hindrance, kept};
use crate::admission::{admit_unit, admit_unit_change};
use crate::book::Book;
use crate::event::{Changed, RosterEvent};
use crate::unit::{Unit, UnitKind};

const START: Column = ("start_time", "成立时间");
const END: Column = ("end_time", "撤销时间");

pub(super) const COLUMNS: &[Column] = &[
    ("id", "标识"),
    ("display_name", "名称"),
    ("aliases", "简称"),
    ("signboards", "加挂牌子"),
    ("kind", "类别"),
    ("parent", "上级单位"),
    ("division_code", "行政区划代码"),
    START,
    END,
    ("successor", "并入单位"),
];

pub(super) fn write(book: &Book, at: Timestamp) -> String {
    let view = book.view(at, Timestamp::MAX);
    // Those that have ceased or are yet to be are in the directory as well.
    let units = book.units().filter_map(|unit| view.unit(&unit.name));
    let rows = units.map(|unit| {
        vec![
            id(&unit.name),
            unit.display_name.clone(),
            joined(&unit.aliases),
            joined(&unit.signboards),
            unit.kind.chinese().to_owned(),
            unit.parent.as_deref().map(id).unwrap_or_default(),
            unit.division_code.clone().unwrap_or_default(),
            instant(unit.start_time),
            instant(unit.end_time),
            unit.successor.as_deref().map(id).unwrap_or_default(),
        ]
    });
    write_table(COLUMNS, rows)
}

pub(super) fn enter(book: &Book, rows: &[Row], effective_time: Timestamp) -> Result<Entered, Hindrance> {
    let Some(row) = rows.first() else { return Ok(Entered::Unchanged) };
    let view = book.view(effective_time, Timestamp::MAX);
    let other = |key: &str| row.optional(key).map(|text| row.unit(view, &text)).transpose();
    let name = row.name("units");
    let known = view.unit(&name);
    // Of a column that the table leaves out, a unit keeps what it has.
    let unit = Unit {
        display_name: kept(row, "display_name", known.map(|known| &known.display_name), || {
            Ok(row.text("display_name").to_owned())
        })?,
        aliases: kept(row, "aliases", known.map(|known| &known.aliases), || Ok(row.several("aliases")))?,
        signboards: kept(row, "signboards", known.map(|known| &known.signboards), || {
            Ok(row.several("signboards"))
        })?,
        kind: kept(row, "kind", known.map(|known| &known.kind), || kind(row))?,
        parent: kept(row, "parent", known.map(|known| &known.parent), || other("parent"))?,
        division_code: kept(row, "division_code", known.map(|known| &known.division_code), || {
            Ok(row.optional("division_code"))
        })?,
        successor: kept(row, "successor", known.map(|known| &known.successor), || other("successor"))?,
        start_time: kept(row, START.0, known.map(|known| &known.start_time), || row.instant(START))?,
        end_time: kept(row, END.0, known.map(|known| &known.end_time), || row.instant(END))?,
        name,
    };
    let refused = |refusal| hindrance(row.line, &refusal);
    match known {
        None => {
            admit_unit(book, &unit).map_err(refused)?;
            Ok(Entered::Created(RosterEvent::UnitCreated(unit)))
        }
        Some(known) if *known == unit => Ok(Entered::Unchanged),
        Some(_) => {
            let changed = Changed { value: unit, effective_time };
            admit_unit_change(book, &changed).map_err(refused)?;
            Ok(Entered::Changed(RosterEvent::UnitChanged(changed)))
        }
    }
}

fn kind(row: &Row) -> Result<UnitKind, Hindrance> {
    let text = row.text("kind");
    UnitKind::ALL.into_iter().find(|kind| kind.chinese() == text).ok_or_else(|| {
        let known: Vec<&str> = UnitKind::ALL.into_iter().map(UnitKind::chinese).collect();
        let english = format!("kind: {text:?} is no kind of unit");
        let chinese = format!("“类别”应为：{}", known.join("、"));
        Hindrance::Wrong(SheetFault::new(row.line, english, chinese))
    })
}
