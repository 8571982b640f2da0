//! Tables in which a plan says who does what: a row for each numbered item.

use std::collections::BTreeMap;

use crate::clause::Clause;
use crate::names;
use crate::text::{Line, squeeze};

/// Who does what, by the number of the item.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: BTreeMap<u32, Clause>,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Number,
    Lead,
    Cooperating,
    Responsible,
    Other,
}

impl Table {
    /// The clause of an item.
    pub(crate) fn row(&self, no: u32) -> Option<&Clause> {
        self.rows.get(&no)
    }

    /// The first table of a text and the line it begins at; nothing when there is none.
    pub(crate) fn find(lines: &[Line]) -> Option<(usize, Table)> {
        let (at, columns) =
            lines.iter().enumerate().find_map(|(at, line)| Some((at, columns(&line.text)?)))?;
        let mut table = Table::default();
        let mut open: Option<(u32, Vec<String>)> = None;
        for line in &lines[at + 1..] {
            let cells = cells(&line.text);
            match cells.first().and_then(|cell| number(cell)) {
                Some(no) => {
                    table.close(&columns, open.take());
                    open = Some((no, cells));
                }
                None => {
                    if let Some((_, row)) = &mut open {
                        go_on(row, cells, columns.len());
                    }
                }
            }
        }
        table.close(&columns, open);
        (!table.rows.is_empty()).then_some((at, table))
    }

    fn close(&mut self, columns: &[Column], row: Option<(u32, Vec<String>)>) {
        let Some((no, mut cells)) = row else { return };
        if cells.len() < columns.len() {
            return;
        }
        // What there is more of belongs to the text, which stands before the units.
        let extra = cells.len() - columns.len();
        let text: String = cells.splice(1..=extra, []).collect();
        if let Some(cell) = cells.get_mut(1) {
            cell.insert_str(0, &text);
        }
        let mut clause = Clause::default();
        for (column, cell) in columns.iter().zip(&cells) {
            let is_empty = ["", "/", "-", "—", "——", "无"].contains(&cell.as_str());
            let list = if is_empty { Vec::new() } else { names::split(cell) };
            match column {
                Column::Lead => clause.lead.extend(list),
                Column::Cooperating => clause.cooperating.extend(list),
                Column::Responsible => clause.responsible.extend(list),
                Column::Number | Column::Other => {}
            }
        }
        if !(clause.lead.is_empty() && clause.cooperating.is_empty() && clause.responsible.is_empty()) {
            self.rows.entry(no).or_insert(clause);
        }
    }
}

/// The columns of a heading such as `序号 工作任务 牵头单位 配合单位`.
fn columns(line: &str) -> Option<Vec<Column>> {
    let columns: Vec<Column> = cells(line)
        .iter()
        .map(|cell| match cell.as_str() {
            "序号" | "编号" => Column::Number,
            "牵头单位" | "牵头部门" | "主办单位" => Column::Lead,
            "配合单位" | "配合部门" | "协办单位" | "参与单位" => Column::Cooperating,
            "责任单位" | "责任部门" | "落实单位" | "责任主体" => Column::Responsible,
            _ => Column::Other,
        })
        .collect();
    let named = columns
        .iter()
        .any(|column| matches!(column, Column::Lead | Column::Cooperating | Column::Responsible));
    (columns.first() == Some(&Column::Number) && named).then_some(columns)
}

/// The cells of a line; a list that goes on after its mark is one cell.
fn cells(line: &str) -> Vec<String> {
    let mut cells: Vec<String> = Vec::new();
    for word in line.split(' ').filter(|word| !word.is_empty()) {
        match cells.last_mut() {
            Some(last) if last.ends_with(['、', ',']) => last.push_str(word),
            Some(_) | None => cells.push(word.to_owned()),
        }
    }
    cells
}

/// A line that goes on with the row above: a list that was broken off, a cell that is still
/// missing, else its text.
fn go_on(row: &mut Vec<String>, cells: Vec<String>, width: usize) {
    for cell in cells {
        let is_short = row.len() < width;
        let open = row.iter_mut().rev().find(|cell| cell.ends_with(['、', ',']));
        match open {
            Some(list) => list.push_str(&cell),
            None if is_short => row.push(cell),
            None => {
                if let Some(text) = row.get_mut(1) {
                    text.push_str(&squeeze(&cell));
                }
            }
        }
    }
}

fn number(cell: &str) -> Option<u32> {
    let digits = cell.trim_end_matches(['.', '、']);
    (1..=3).contains(&digits.len()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<Line> {
        text.lines().zip(1..).map(|(text, number)| Line { number, text: text.to_owned() }).collect()
    }

    #[test]
    fn rows_are_read_whatever_is_broken_in_them() {
        let text = "责任分工表\n序号 工作任务 牵头单位 配合单位\n1 推进 甲项目 市甲局 市乙局、 市丙局\n\
                    2 推进乙 市乙局 市丙局、\n市丁局\n3 推进丙 市丙局\n—";
        let (at, table) = Table::find(&lines(text)).unwrap();
        assert_eq!(at, 1);
        let row = |no| table.row(no).unwrap();
        assert_eq!((row(1).lead.as_slice(), row(1).cooperating.len()), (["市甲局".to_owned()].as_slice(), 2));
        assert_eq!(row(2).cooperating, ["市丙局", "市丁局"]);
        assert!(row(3).cooperating.is_empty());
        assert!(table.row(4).is_none());
    }

    #[test]
    fn a_text_without_such_a_heading_has_no_table() {
        assert!(Table::find(&lines("1. 序号\n市甲局 市乙局")).is_none());
    }
}
