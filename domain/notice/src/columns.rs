//! The columns of a table, and what stands in them.

use crate::names;
use crate::text::{Line, join};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Number,
    Text,
    Lead,
    Cooperating,
    Responsible,
    Time,
    Person,
    Other,
}

impl Column {
    pub(crate) fn is_units(self) -> bool {
        matches!(self, Column::Lead | Column::Cooperating | Column::Responsible)
    }
}

/// A heading is broken over at most so many lines: two for each column, where each cell has
/// lines of its own.
const LONGEST: usize = 16;

/// What columns are called. Where one name begins another, the longer comes first.
const HEADINGS: [(&str, Column); 54] = [
    ("序号", Column::Number),
    ("编号", Column::Number),
    ("牵头责任单位", Column::Lead),
    ("牵头市级领导", Column::Person),
    ("牵头市领导", Column::Person),
    ("牵头领导", Column::Person),
    ("牵头单位", Column::Lead),
    ("牵头部门", Column::Lead),
    ("主办单位", Column::Lead),
    ("主责单位", Column::Lead),
    ("配合责任单位", Column::Cooperating),
    ("配合单位", Column::Cooperating),
    ("配合部门", Column::Cooperating),
    ("协办单位", Column::Cooperating),
    ("协同单位", Column::Cooperating),
    ("参与单位", Column::Cooperating),
    ("参加单位", Column::Cooperating),
    ("责任单位", Column::Responsible),
    ("责任部门", Column::Responsible),
    ("责任主体", Column::Responsible),
    ("落实单位", Column::Responsible),
    ("实施单位", Column::Responsible),
    ("承办单位", Column::Responsible),
    ("责任领导", Column::Person),
    ("分管领导", Column::Person),
    ("市级领导", Column::Person),
    ("责任人", Column::Person),
    ("联系人", Column::Person),
    ("完成时限", Column::Time),
    ("完成时间", Column::Time),
    ("完成期限", Column::Time),
    ("时间节点", Column::Time),
    ("时间要求", Column::Time),
    ("时限要求", Column::Time),
    ("时限", Column::Time),
    ("工作任务", Column::Text),
    ("重点任务", Column::Text),
    ("主要任务", Column::Text),
    ("目标任务", Column::Text),
    ("任务内容", Column::Text),
    ("任务名称", Column::Text),
    ("重点工作", Column::Text),
    ("工作内容", Column::Text),
    ("工作事项", Column::Text),
    ("工作措施", Column::Text),
    ("工作目标", Column::Text),
    ("工作要求", Column::Text),
    ("具体措施", Column::Text),
    ("主要措施", Column::Text),
    ("项目名称", Column::Text),
    ("建设内容", Column::Text),
    ("任务", Column::Text),
    ("事项", Column::Text),
    ("备注", Column::Other),
];

/// The columns of a heading such as `序号 工作任务 牵头单位 配合单位` that the lines begin with,
/// and how many lines it takes.
pub(crate) fn columns(lines: &[Line]) -> Option<(usize, Vec<Column>)> {
    let first = lines.first()?;
    if !first.text.starts_with(['序', '编']) {
        return None;
    }
    // The longest heading there is: another line of it may follow one that reads as a whole.
    (1..=LONGEST.min(lines.len()))
        .filter_map(|count| Some((count, known(&join(&lines[..count]))?)))
        .max_by_key(|(_, columns)| columns.len())
        .or_else(|| Some((1, unknown(&first.text)?)))
}

/// All of a heading in names that are known.
fn known(squeezed: &str) -> Option<Vec<Column>> {
    let (mut rest, mut columns) = (squeezed, Vec::new());
    while !rest.is_empty() {
        let (name, column) = HEADINGS.iter().find(|(name, _)| rest.starts_with(name))?;
        columns.push(*column);
        rest = &rest[name.len()..];
    }
    usable(columns)
}

/// A heading with a name in it that is not known: its columns are set apart by gaps.
fn unknown(line: &str) -> Option<Vec<Column>> {
    let cells = line.split(' ').filter(|cell| !cell.is_empty());
    let column =
        |cell: &str| HEADINGS.iter().find(|(name, _)| *name == cell).map_or(Column::Text, |(_, one)| *one);
    usable(cells.map(column).collect())
}

fn usable(columns: Vec<Column>) -> Option<Vec<Column>> {
    let names_units = columns.iter().any(|column| column.is_units());
    (columns.first() == Some(&Column::Number) && names_units).then_some(columns)
}

/// A cell that is meant to be empty.
pub(crate) fn is_blank(cell: &str) -> bool {
    ["", "/", "-", "—", "——", "无"].contains(&cell)
}

/// A cell that says by when.
pub(crate) fn is_time(cell: &str) -> bool {
    let says_when = ["月", "年", "季度", "日前", "汛期", "持续", "长期", "常态", "适时", "及时"];
    says_when.iter().any(|word| cell.contains(word)) && !is_unit(cell)
}

/// A cell that ends with a unit, or a class of them.
pub(crate) fn is_unit(cell: &str) -> bool {
    let last = names::pieces(cell).pop().unwrap_or_default();
    let last = names::without_rest(last);
    names::ends_like_a_unit(last)
        || last.starts_with("各县")
        || (last.ends_with(['县', '区', '市']) && last.chars().count() >= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_read_with_gaps_and_over_lines() {
        let of = |text: &str| {
            let lines: Vec<Line> =
                text.lines().zip(1..).map(|(text, number)| Line { number, text: text.to_owned() }).collect();
            columns(&lines).map(|(count, columns)| (count, columns.len()))
        };
        assert_eq!(of("序号 工作任务 牵头单位 配合单位\n1 甲"), Some((1, 4)));
        assert_eq!(of("序 号 工 作 任 务 牵头\n单位 完成\n时限\n1 甲"), Some((3, 4)));
        assert_eq!(of("序号\n任务\n牵头单位\n完成\n时限\n1\n甲"), Some((5, 4)));
        assert_eq!(of("序号 某某栏 责任单位"), Some((1, 3)));
        assert_eq!(of("序号 名称 数量"), None);
        assert_eq!(of("1 甲 责任单位"), None);
    }

    #[test]
    fn cells_are_told_apart() {
        for cell in ["市甲局", "市甲局、市乙局等", "各县(市、区)", "襄汾县", "市甲局等部门"]
        {
            assert!(is_unit(cell) && !is_time(cell), "{cell}");
        }
        for cell in ["2023年9月底前", "持续推进", "汛期前", "11月底"] {
            assert!(is_time(cell) && !is_unit(cell), "{cell}");
        }
        assert!(is_blank("—") && !is_unit("推进甲项目"));
    }
}
