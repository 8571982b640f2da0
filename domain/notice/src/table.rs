//! Tables in which a notice says who does what: a row for each numbered item, or rows that are
//! the items.

use crate::clause::Clause;
use crate::columns::{Column, columns, is_blank, is_time, is_unit};
use crate::names;
use crate::ordinal::{Level, marker};
use crate::text::{Line, squeeze};

/// No table has more columns.
const MOST_CELLS: usize = 40;

/// A row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) no: u32,
    pub(crate) line: u32,
    /// What is to be done; may be empty.
    pub(crate) text: String,
    /// Who does it; nothing when the cells of the row cannot be told apart.
    pub(crate) clause: Option<Clause>,
}

/// The rows of a text's tables, in order.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) rows: Vec<Row>,
}

/// A row while its lines come in.
#[derive(Debug)]
struct Open {
    no: u32,
    line: u32,
    cells: Vec<String>,
}

impl Table {
    /// The tables of a text and the line the first begins at; nothing when there is none.
    pub(crate) fn find(lines: &[Line]) -> Option<(usize, Table)> {
        let (at, (mut width, mut heading)) =
            (0..lines.len()).find_map(|at| Some((at, columns(&lines[at..])?)))?;
        let mut table = Table::default();
        let mut open: Option<Open> = None;
        let mut next = at + width;
        while let Some(line) = lines.get(next) {
            // The heading comes again on each page, and another at the head of another table.
            if let Some((again, columns)) = columns(&lines[next..]) {
                table.close(&heading, open.take());
                (width, heading) = (again, columns);
                next += width;
                continue;
            }
            next += 1;
            let is_heading = |level| level == Level::Chapter || level == Level::Section;
            if line.text.starts_with("附件")
                || marker(&line.text).is_some_and(|found| is_heading(found.level))
            {
                table.close(&heading, open.take());
                continue;
            }
            let cells = cells(&line.text);
            match cells.first().and_then(|cell| number(cell)) {
                Some(no) => {
                    table.close(&heading, open.take());
                    open = Some(Open { no, line: line.number, cells: merged(cells, &heading) });
                }
                None => {
                    if let Some(row) = &mut open {
                        go_on(&mut row.cells, cells, &heading);
                    }
                }
            }
        }
        table.close(&heading, open);
        let names_units = table.rows.iter().any(|row| row.clause.is_some());
        names_units.then_some((at, table))
    }

    fn close(&mut self, columns: &[Column], row: Option<Open>) {
        let Some(Open { no, line, mut cells }) = row else { return };
        // Remarks at the end are often left out.
        let width = columns.iter().rposition(|column| *column != Column::Other).map_or(0, |last| last + 1);
        while cells.len() < columns.len() && cells.len() >= width {
            cells.push(String::new());
        }
        if cells.len() < columns.len() {
            self.rows.push(Row { no, line, text: cells[1..].join(" "), clause: None });
            return;
        }
        // What there is more of belongs to the text, which stands before the units.
        let extra = cells.len() - columns.len();
        let text: String = cells.splice(1..=extra, []).collect();
        if let Some(cell) = cells.get_mut(1) {
            cell.insert_str(0, &text);
        }
        let (mut clause, mut text, mut fits) = (Clause::default(), Vec::new(), true);
        let has_people = columns.contains(&Column::Person);
        for (column, cell) in columns.iter().zip(cells) {
            if is_blank(&cell) {
                continue;
            }
            // Where people stand beside units, each must be in its own column.
            fits &= !has_people || !column.is_units() || is_unit(&cell);
            fits &= *column != Column::Person || !is_unit(&cell);
            match column {
                Column::Lead => clause.lead.extend(names::split(&cell)),
                Column::Cooperating => clause.cooperating.extend(names::split(&cell)),
                Column::Responsible => clause.responsible.extend(names::split(&cell)),
                Column::Time => {
                    fits &= is_time(&cell);
                    clause.time = Some(cell);
                }
                Column::Person => clause.person = Some(cell),
                Column::Text => text.push(cell),
                Column::Number | Column::Other => {}
            }
        }
        let all = || clause.lead.iter().chain(&clause.cooperating).chain(&clause.responsible);
        let fits = fits && all().next().is_some() && !all().any(|name| is_time(name));
        self.rows.push(Row { no, line, text: text.join("。"), clause: fits.then_some(clause) });
    }
}

/// The cells of a line; a list that goes on after its mark is one cell, and so is a date.
fn cells(line: &str) -> Vec<String> {
    let mut cells: Vec<String> = Vec::new();
    for word in line.split(' ').filter(|word| !word.is_empty()) {
        let is_first = cells.len() <= 1;
        let is_full = cells.len() >= MOST_CELLS;
        match cells.last_mut() {
            Some(last) if is_full || last.ends_with(['、', ',']) || is_one_date(last, word, is_first) => {
                last.push_str(word);
            }
            Some(_) | None => cells.push(word.to_owned()),
        }
    }
    cells
}

/// `2023 年 9 月底前`; a row may be the first, of 年度考核.
fn is_one_date(last: &str, word: &str, is_first: bool) -> bool {
    let is_number = last.bytes().all(|one| one.is_ascii_digit());
    let parts: &[&str] =
        if is_first { &["月底", "月末", "月前", "年底", "年末"] } else { &["年", "月", "日"] };
    let is_part = parts.iter().any(|part| word.starts_with(part)) || ["年", "月"].contains(&word);
    (is_number && is_part)
        || (last.ends_with(['年', '月'])
            && word.starts_with(|first: char| first.is_ascii_digit() || first == '底'))
}

/// A new row: words before the first unit, or before who is in charge and a unit, belong to the
/// text, and so do amounts: 建设 20 处.
fn merged(cells: Vec<String>, columns: &[Column]) -> Vec<String> {
    let has_text = columns.get(1) == Some(&Column::Text);
    let after_text = columns.get(2).copied().unwrap_or(Column::Other);
    let mut row: Vec<String> = Vec::with_capacity(cells.len());
    let mut cells = cells.into_iter().peekable();
    while let Some(cell) = cells.next() {
        let is_apart = is_unit(&cell) || is_blank(&cell) || is_time(&cell);
        let is_person =
            after_text == Column::Person && cells.peek().is_none_or(|next| is_unit(next) || is_blank(next));
        let is_text = has_text && row.len() == 2 && !is_apart && !is_person;
        let of_text = is_text && (after_text.is_units() || after_text == Column::Person);
        let last = row.len().saturating_sub(1);
        if row.len() >= 2 && (of_text || is_amount(&row[last], &cell)) {
            row[last].push_str(&cell);
        } else {
            row.push(cell);
        }
    }
    row
}

/// Whether a cell is a number in the text before it, or what a number there counts.
fn is_amount(before: &str, cell: &str) -> bool {
    let is_number = cell.bytes().all(|one| one.is_ascii_digit() || one == b'.');
    let counts = before.ends_with(|last: char| last.is_ascii_digit());
    let is_text = |cell: &str| !is_unit(cell) && !is_blank(cell) && !is_time(cell);
    is_text(before) && is_text(cell) && (is_number || counts)
}

/// A line that goes on with the row above: a list that was broken off, a name or a date that is
/// not whole, a cell that is still missing, else its text.
fn go_on(row: &mut Vec<String>, cells: Vec<String>, columns: &[Column]) {
    let count = cells.len();
    for (at, cell) in cells.into_iter().enumerate() {
        if let Some(list) = row.iter_mut().rev().find(|cell| cell.ends_with(['、', ','])) {
            list.push_str(&cell);
            continue;
        }
        let last = row.len().saturating_sub(1);
        let of_last = columns.get(last.min(columns.len() - 1)).copied().unwrap_or(Column::Other);
        let is_tail = ["人民政府", "政府", "管委会"].contains(&cell.as_str());
        if last > 0 && is_amount(&row[last], &cell) {
            row[last].push_str(&cell);
            continue;
        }
        let Some(next) = columns.get(row.len()) else {
            let units = columns.iter().rposition(|column| column.is_units());
            let at = match (of_last, units) {
                (Column::Time, _) if !row[last].ends_with(['前', '底', '日']) => last,
                (_, Some(units)) if is_tail => units,
                _ => 1,
            };
            if let Some(open) = row.get_mut(at) {
                open.push_str(&squeeze(&cell));
            }
            continue;
        };
        let goes_on = match of_last {
            Column::Lead | Column::Cooperating | Column::Responsible => {
                is_tail
                    || !(is_unit(&row[last]) || is_blank(&row[last]))
                    || (*next == Column::Time && !is_time(&cell))
            }
            Column::Text => {
                // 市行政审批服务 at the end of a line: the name goes on in the next.
                let is_begun = at > 0 && at + 1 == count && cell.starts_with(['市', '县', '区', '省']);
                next.is_units() && !is_unit(&cell) && !is_blank(&cell) && !is_begun
            }
            Column::Time => is_time(&cell) && !row[last].ends_with(['前', '底', '日']),
            Column::Number | Column::Person | Column::Other => false,
        };
        if goes_on {
            row[last].push_str(&cell);
        } else {
            row.push(cell);
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

    fn shown(text: &str) -> Vec<String> {
        let (_, table) = Table::find(&lines(text)).unwrap();
        let show = |row: &Row| match &row.clause {
            Some(clause) => {
                let lists =
                    [&clause.lead, &clause.cooperating, &clause.responsible].map(|list| list.join("、"));
                format!(
                    "{} {}|{}|{}",
                    row.no,
                    row.text,
                    lists.join("|"),
                    clause.time.as_deref().unwrap_or("-")
                )
            }
            None => format!("{} {}?", row.no, row.text),
        };
        table.rows.iter().map(show).collect()
    }

    #[test]
    fn rows_are_read_whatever_is_broken_in_them() {
        let text = "责任分工表\n序号 工作任务 牵头单位 配合单位\n1 推进 甲项目 市甲局 市乙局、 市丙局\n\
                    2 推进乙 市乙局 市丙局、\n市丁局\n3 推进丙 市丙局\n—";
        assert_eq!(Table::find(&lines(text)).unwrap().0, 1);
        assert_eq!(
            shown(text),
            [
                "1 推进甲项目|市甲局|市乙局、市丙局||-",
                "2 推进乙|市乙局|市丙局、市丁局||-",
                "3 推进丙|市丙局|||-"
            ]
        );
    }

    #[test]
    fn a_table_with_times_leaders_and_headings_inside_is_read() {
        let text = "序 号 重点工作 责任领导 牵头单位 责任单位 完成\n时限 备注\n一、工业\n1 增长8% 赵甲 市甲局 各县(市、区)\n\
                    人民政府 2023 年\n9 月底前\n序号 重点工作 责任领导 牵头单位 责任单位 完成时限 备注\n\
                    二、农业\n2 建设 钱乙 市乙局 / 持续推进";
        assert_eq!(
            shown(text),
            ["1 增长8%|市甲局||各县(市、区)人民政府|2023年9月底前", "2 建设|市乙局|||持续推进"]
        );
    }

    #[test]
    fn names_that_are_broken_off_go_on() {
        let text = "序号 任务 牵头单位 配合单位 完成时限\n1 全面排查乱占、\n乱建 问题 市行政审批服务\n管理局 市丙局、\n市丁局 7月底前\n\
                    2 拆除 违建\n市甲局 — 8月";
        assert_eq!(
            shown(text),
            [
                "1 全面排查乱占、乱建问题|市行政审批服务管理局|市丙局、市丁局||7月底前",
                "2 拆除违建|市甲局|||8月"
            ]
        );
    }

    #[test]
    fn amounts_belong_to_the_text() {
        let text = "序号 任务 责任领导 牵头单位 配合单位 完成时限\n1 建设公园 20 处 赵甲 市甲局 市乙局、\n市丙局 10 月底前\n\
                    2 建设 12\n公里 钱乙、孙丙 市甲局 尧都区、某县\n人民政府 2024 年\n11 月底前\n3 整修 8 公里 市甲局 9 月底前";
        assert_eq!(
            shown(text),
            [
                "1 建设公园20处|市甲局|市乙局、市丙局||10月底前",
                "2 建设12公里|市甲局|尧都区、某县||2024年11月底前",
                "3 整修8公里 市甲局 9月底前?",
            ]
        );
    }

    #[test]
    fn a_row_whose_cells_cannot_be_told_apart_names_nobody() {
        let text =
            "序号 任务 牵头单位 配合单位 完成时限\n1 清理 市甲局 9月底前\n2 排查 市甲局 市乙局 9月底前";
        assert_eq!(shown(text), ["1 清理 市甲局 9月底前?", "2 排查|市甲局|市乙局||9月底前"]);
    }

    #[test]
    fn a_text_without_such_a_heading_has_no_table() {
        assert!(Table::find(&lines("1. 序号\n市甲局 市乙局")).is_none());
    }
}
