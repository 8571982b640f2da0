//! Officials as a table: one post a row.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;

use super::table::{Column, Row, id, instant, write as write_table};
use super::{Entered, Hindrance, SheetFault, hindrance, kept};
use crate::admission::{admit_official, admit_official_change};
use crate::book::Book;
use crate::event::RosterEvent;
use crate::official::{Official, Post, PostKind};

const START: Column = ("start_time", "任职时间");
const END: Column = ("end_time", "离任时间");

pub(super) const COLUMNS: &[Column] = &[
    ("id", "标识"),
    ("display_name", "姓名"),
    ("kind", "职务类别"),
    ("unit", "单位"),
    ("title", "职务"),
    START,
    END,
];

pub(super) fn write(book: &Book, at: Timestamp) -> String {
    let officials = book.view(at, Timestamp::MAX).officials();
    let rows = officials.flat_map(|official| {
        let row = |post: Option<&Post>| {
            vec![
                id(&official.name),
                official.display_name.clone(),
                post.map(|post| post.kind.chinese().to_owned()).unwrap_or_default(),
                post.and_then(|post| post.unit.as_deref()).map(id).unwrap_or_default(),
                post.map(|post| post.title.clone()).unwrap_or_default(),
                instant(post.and_then(|post| post.start_time)),
                instant(post.and_then(|post| post.end_time)),
            ]
        };
        let of_none = official.posts.is_empty().then(|| row(None));
        official.posts.iter().map(move |post| row(Some(post))).chain(of_none).collect::<Vec<_>>()
    });
    write_table(COLUMNS, rows)
}

/// The rows of each official, in the order in which they are first named.
pub(super) fn by_official(rows: Vec<Row>) -> Vec<Vec<Row>> {
    let (mut all, mut places) = (Vec::<Vec<Row>>::new(), BTreeMap::new());
    for row in rows {
        let place = *places.entry(row.id().to_owned()).or_insert_with(|| {
            all.push(Vec::new());
            all.len() - 1
        });
        if let Some(own) = all.get_mut(place) {
            own.push(row);
        }
    }
    all
}

pub(super) fn enter(book: &Book, rows: &[Row], effective_time: Timestamp) -> Result<Entered, Hindrance> {
    let Some(first) = rows.first() else { return Ok(Entered::Unchanged) };
    let name = first.name("officials");
    let known = book.official(&name);
    let display_name = first.text("display_name");
    if let Some(other) = rows.iter().find(|row| row.text("display_name") != display_name) {
        let english = format!("{} is called otherwise in line {}", first.id(), first.line);
        let chinese = format!("同一标识的姓名与第{}行不一致", first.line);
        return Err(Hindrance::Wrong(SheetFault::new(other.line, english, chinese)));
    }
    let posts = || {
        let posts = rows.iter().map(|row| post(book, row, effective_time));
        posts.filter_map(Result::transpose).collect()
    };
    // A table without kinds of posts is one of names.
    let official = Official {
        display_name: kept(first, "display_name", known.map(|known| &known.display_name), || {
            Ok(display_name.to_owned())
        })?,
        posts: kept(first, "kind", known.map(|known| &known.posts), posts)?,
        name,
    };
    let refused = |refusal| hindrance(first.line, &refusal);
    match known {
        None => {
            admit_official(book, &official).map_err(refused)?;
            Ok(Entered::Created(RosterEvent::OfficialCreated(official)))
        }
        Some(known) if *known == official => Ok(Entered::Unchanged),
        Some(_) => {
            admit_official_change(book, &official).map_err(refused)?;
            Ok(Entered::Changed(RosterEvent::OfficialChanged(official)))
        }
    }
}

/// The post of a row; none when it has no kind of post, nor anything else of one.
fn post(book: &Book, row: &Row, effective_time: Timestamp) -> Result<Option<Post>, Hindrance> {
    let text = row.text("kind");
    if text.is_empty() && row.text("unit").is_empty() && row.text("title").is_empty() {
        return Ok(None);
    }
    let kind = PostKind::ALL.into_iter().find(|kind| kind.chinese() == text).ok_or_else(|| {
        let known: Vec<&str> = PostKind::ALL.into_iter().map(PostKind::chinese).collect();
        let english = format!("kind: {text:?} is no kind of post");
        let chinese = format!("“职务类别”应为：{}", known.join("、"));
        Hindrance::Wrong(SheetFault::new(row.line, english, chinese))
    })?;
    let view = book.view(effective_time, Timestamp::MAX);
    let unit = row.optional("unit").map(|unit| row.unit(view, &unit)).transpose()?;
    Ok(Some(Post {
        kind,
        unit,
        title: row.text("title").to_owned(),
        start_time: row.instant(START)?,
        end_time: row.instant(END)?,
    }))
}
