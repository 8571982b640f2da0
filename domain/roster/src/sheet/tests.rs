//! What is written reads back as it was, and what is wrong says where.

use domain_calendar::Timestamp;

use super::{Sheet, SheetFault, SheetPlan, read_sheet, write_sheet};
use crate::book::Book;
use crate::event::RosterEvent;
use crate::fixture::{Roster, at, holder, unit};
use crate::official::PostKind;
use crate::unit::Unit;

const ALL: [Sheet; 3] = [Sheet::Units, Sheet::Collectives, Sheet::Officials];

fn now() -> Timestamp {
    at("2023-06-01T09:00+08:00")
}

fn read(sheet: Sheet, text: &str, book: &Book) -> Result<SheetPlan, Vec<SheetFault>> {
    read_sheet(sheet, text, book, now(), now())
}

fn faults(sheet: Sheet, text: &str) -> Vec<(u64, String)> {
    let roster = Roster::linfen();
    let faults = read(sheet, text, &roster.book).unwrap_err();
    assert!(faults.iter().all(|fault| !fault.english.is_empty()));
    faults.into_iter().map(|fault| (fault.line, fault.chinese)).collect()
}

/// A book with what a table could get wrong: names that a spreadsheet would compute, quotes,
/// line breaks, times of day.
fn odd() -> Roster {
    let mut roster = Roster::linfen();
    roster.add_unit(Unit {
        start_time: Some(at("2023-05-14T00:00+08:00")),
        end_time: Some(at("2024-01-01T08:30:00.000001+08:00")),
        successor: Some("units/water".into()),
        ..unit("odd", "=市“大”数据局,\"局\"", &["'=单", "-局", "''", "甲\n乙"])
    });
    let mut official = holder("odd", "甲", PostKind::UnitHead, Some("odd"));
    official.posts.extend(holder("", "", PostKind::Staff, None).posts);
    official.posts[1].end_time = Some(at("2024-01-01T00:00+08:00"));
    roster.record(&RosterEvent::OfficialCreated(official), now());
    let none = crate::official::Official { posts: vec![], ..holder("none", "乙", PostKind::Staff, None) };
    roster.record(&RosterEvent::OfficialCreated(none), now());
    roster
}

#[test]
fn what_is_written_reads_back_unchanged() {
    let roster = odd();
    let counts =
        [roster.book.units().count(), roster.book.collectives().count(), roster.book.officials().count()];
    for (sheet, count) in ALL.into_iter().zip(counts) {
        let text = write_sheet(sheet, &roster.book, now());
        assert!(text.starts_with('\u{feff}') && text.contains("\r\n"));
        let plan = read(sheet, &text, &roster.book).unwrap();
        assert_eq!((plan.unchanged, plan.events.len()), (count, 0), "{sheet:?}");
    }
}

#[test]
fn an_empty_book_is_filled_from_its_tables_whatever_the_order_of_their_rows() {
    let full = odd();
    let mut empty = Book::new();
    for sheet in ALL {
        let text = write_sheet(sheet, &full.book, now());
        let mut lines: Vec<&str> = text.trim_start_matches('\u{feff}').split("\r\n").collect();
        if sheet == Sheet::Units {
            // Parents and successors now stand below those who name them.
            lines[1..].reverse();
        }
        let plan = read(sheet, &lines.join("\n"), &empty).unwrap();
        assert_eq!((plan.changed, plan.unchanged), (0, 0));
        for event in &plan.events {
            empty.apply(event, now()).unwrap();
        }
    }
    assert!(empty.units().eq(full.book.units()));
    assert!(empty.collectives().eq(full.book.collectives()));
    assert!(empty.officials().eq(full.book.officials()));
}

#[test]
fn a_row_changes_what_it_says_and_leaves_the_rest() {
    let roster = Roster::linfen();
    let text = "标识,名称,简称,类别\nwater,市水务局,市水利局；水务局,市政府部门\nnew,市数据局,,市政府部门\n";
    let plan = read(Sheet::Units, text, &roster.book).unwrap();
    assert_eq!((plan.created, plan.changed, plan.unchanged), (1, 1, 0));
    let [RosterEvent::UnitChanged(changed), RosterEvent::UnitCreated(created)] = plan.events.as_slice()
    else {
        panic!("{plan:?}")
    };
    assert_eq!(changed.effective_time, now());
    assert_eq!(changed.value.aliases, ["市水利局", "水务局"]);
    assert_eq!(created.name, "units/new");
}

#[test]
fn every_wrong_row_is_named() {
    assert_eq!(
        faults(
            Sheet::Units,
            "id,名称,类别,上级单位,成立时间\n\
             good,好单位,市政府部门,,\n\
             one,一,部门,,\n\
             two,,市政府部门,,\n\
             three,三,市政府部门,市月球局,\n\
             four,四,市政府部门,,去年\n\
             坏,五,市政府部门,,\n"
        ),
        [
            (3, "“类别”应为：市政府部门、县（市、区）、开发区、国有企业、中央、省驻临单位、党委部门、人民团体、直属事业单位、市人民政府".to_owned()),
            (4, "必填项“名称”为空".to_owned()),
            (5, "没有名为“市月球局”的单位".to_owned()),
            (6, "“成立时间”应为日期，例如2023-05-14".to_owned()),
            (7, "“units/坏”不是有效的名称，应为“units/…”".to_owned()),
        ]
    );
}

#[test]
fn a_table_that_is_none_is_refused() {
    for (sheet, text, line, part) in [
        (Sheet::Units, "", 1, "缺少列“标识”"),
        (Sheet::Units, "标识,颜色\na,b\n", 1, "“颜色”不是本表的列"),
        (Sheet::Units, "标识,标识\naa,bb\n", 1, "列“标识”重复"),
        (Sheet::Units, "标识,名称\naa\n", 2, "不是有效的CSV行"),
        (Sheet::Units, "标识,名称,类别\naa,甲,开发区\naa,乙,开发区\n", 3, "标识“aa”重复"),
        (Sheet::Units, "标识,名称,类别\n,甲,开发区\n", 2, "“标识”为空"),
        (Sheet::Units, "标识,名称\naa,\0\n", 2, "空字符"),
        (Sheet::Collectives, "标识,名称,成员单位\nall,全部,市月球局\n", 2, "没有名为“市月球局”的单位"),
        (Sheet::Officials, "标识,姓名,职务类别\na,甲,工作人员\na,乙,工作人员\n", 3, "姓名与第2行不一致"),
        (Sheet::Officials, "标识,姓名,职务类别\na,甲,局长\n", 2, "“职务类别”应为"),
        (Sheet::Officials, "标识,姓名,职务类别\na,甲,联络员\n", 2, "应填写所在单位"),
    ] {
        let found = faults(sheet, text);
        let [(at, chinese)] = found.as_slice() else { panic!("{text:?}: {found:?}") };
        assert!(*at == line && chinese.contains(part), "{text:?}: {found:?}");
    }
    let long = format!("标识,名称,类别\naa,{},开发区\n", "局".repeat(201));
    assert!(faults(Sheet::Units, &long)[0].1.contains("超过200字"));
    let many: String = (0..=10_000).map(|row| format!("u{row},甲,开发区\n")).collect();
    assert!(faults(Sheet::Units, &format!("标识,名称,类别\n{many}"))[0].1.contains("最多10000行"));
}

#[test]
fn what_a_table_has_no_column_for_stays() {
    let roster = odd();
    let before = roster.book.unit("units/odd").unwrap();
    let plan = read(Sheet::Units, "标识,名称\nodd,市数据局\n", &roster.book).unwrap();
    let [RosterEvent::UnitChanged(changed)] = plan.events.as_slice() else { panic!("{plan:?}") };
    assert_eq!(changed.value, Unit { display_name: "市数据局".into(), ..before.clone() });
    let plan = read(Sheet::Officials, "标识,姓名\nodd,丁\n", &roster.book).unwrap();
    let [RosterEvent::OfficialChanged(official)] = plan.events.as_slice() else { panic!("{plan:?}") };
    assert_eq!(official.posts, roster.book.official("officials/odd").unwrap().posts);
    let plan = read(Sheet::Collectives, "标识,别称\ncounties,各县\n", &roster.book).unwrap();
    let [RosterEvent::CollectiveChanged(changed)] = plan.events.as_slice() else { panic!("{plan:?}") };
    assert_eq!(changed.value.units, ["units/yaodu"]);
    let plan = read(Sheet::Units, "标识,简称\nodd,\n", &roster.book).unwrap();
    let [RosterEvent::UnitChanged(changed)] = plan.events.as_slice() else { panic!("{plan:?}") };
    assert!(changed.value.aliases.is_empty(), "an empty cell says that there are none");
}

#[test]
fn a_long_line_of_parents_is_read_in_one_go() {
    let rows: String =
        (0..3_000).map(|row| format!("u{row:05},单位{row},国有企业,u{:05}\n", row + 1)).collect();
    let text = format!("标识,名称,类别,上级单位\n{rows}u03000,总,国有企业,\n");
    assert_eq!(read(Sheet::Units, &text, &Book::new()).unwrap().created, 3_001);
    let circle = "标识,名称,类别,上级单位\naa,甲,国有企业,bb\nbb,乙,国有企业,aa\n";
    assert_eq!(faults(Sheet::Units, circle).len(), 2, "neither can come first");
}
