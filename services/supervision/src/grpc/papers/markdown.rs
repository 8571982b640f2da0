//! A paper as Markdown.

use domain_supervision::{Block, chinese_day};

use super::Form;

pub(super) const CONTENT_TYPE: &str = "text/markdown; charset=utf-8";

/// The paper's parts, in order.
pub(in crate::grpc) fn write(paper: &Form<'_>) -> String {
    let mut parts = vec![paper.number.clone(), format!("# {}", plain(paper.title))];
    parts.extend(paper.addressee.map(|addressee| format!("{}：", plain(addressee))));
    for block in paper.body {
        parts.push(match block {
            Block::Heading { text } => format!("## {}", plain(text)),
            Block::Text { text } => plain(text),
            Block::Table { rows } => table(rows),
        });
    }
    parts.push(match paper.day {
        Some(day) => format!("{}  \n{}", paper.signed, chinese_day(day)),
        None => paper.signed.to_owned(),
    });
    parts.join("\n\n") + "\n"
}

fn table(rows: &[Vec<String>]) -> String {
    let line = |cells: &Vec<String>| {
        let cells: Vec<String> = cells.iter().map(|cell| plain(cell)).collect();
        format!("| {} |", cells.join(" | "))
    };
    let width = rows.first().map_or(0, Vec::len);
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    lines.insert(1.min(lines.len()), format!("|{}", " --- |".repeat(width)));
    lines.join("\n")
}

/// A text that Markdown takes as it is, on one line.
pub(in crate::grpc) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => plain.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' => {
                plain.extend(['\\', character])
            }
            _ => plain.push(character),
        }
    }
    plain
}
