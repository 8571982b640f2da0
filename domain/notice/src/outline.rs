//! [`Outline`]: the numbered blocks of a text, and what stands under what.

use crate::ordinal::{Level, marker};
use crate::text::{Line, join};

/// Numbers that may be missing between two that follow one another: lost in printing or
/// extraction, which a person is told of.
const LARGEST_GAP: u32 = 5;

/// A numbered block: its marker's line up to the next marker.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// None for what stands before the first number.
    pub(crate) level: Option<Level>,
    pub(crate) ordinal: u32,
    pub(crate) label: String,
    /// Its lines, the marker taken off the first.
    pub(crate) lines: Vec<Line>,
    /// The block it stands under.
    pub(crate) parent: Option<usize>,
    /// Numbers that are missing before it.
    pub(crate) gap: Option<(u32, u32)>,
}

impl Block {
    /// Where it begins.
    pub(crate) fn line(&self) -> u32 {
        self.lines.first().map_or(0, |line| line.number)
    }

    /// All of it as one text.
    pub(crate) fn text(&self) -> String {
        join(&self.lines)
    }
}

/// The blocks of a text in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outline {
    pub(crate) blocks: Vec<Block>,
    /// The blocks directly under each.
    children: Vec<Vec<usize>>,
}

impl Outline {
    pub(crate) fn of(lines: &[Line]) -> Self {
        let mut outline = Outline::default();
        // The last number of each level, and the open block of each.
        let mut last: [u32; 5] = [0; 5];
        let mut open: [Option<usize>; 5] = [None; 5];
        for line in lines {
            let found = marker(&line.text).filter(|found| {
                let last = last[found.level as usize];
                let next = found.ordinal == last + 1 || found.ordinal == 1;
                // A number that merely begins a broken line seldom follows the end of a sentence.
                let after_gap = last > 0
                    && (last + 2..=last + LARGEST_GAP).contains(&found.ordinal)
                    && outline.ends_a_sentence();
                if found.may_be_fraction && !starts_with_date(found.rest) {
                    return found.ordinal == last + 1 && outline.ends_a_sentence();
                }
                next || after_gap
            });
            let Some(found) = found else {
                match outline.blocks.last_mut() {
                    Some(block) => block.lines.push(line.clone()),
                    None => outline.blocks.push(Block {
                        level: None,
                        ordinal: 0,
                        label: String::new(),
                        lines: vec![line.clone()],
                        parent: None,
                        gap: None,
                    }),
                }
                continue;
            };
            let level = found.level as usize;
            let before = last[level];
            last[level] = found.ordinal;
            let at = outline.blocks.len();
            let parent = open[..level].iter().rev().flatten().next().copied();
            open[level] = Some(at);
            open[level + 1..].fill(None);
            outline.blocks.push(Block {
                level: Some(found.level),
                ordinal: found.ordinal,
                label: found.label.to_owned(),
                lines: vec![Line { number: line.number, text: found.rest.to_owned() }],
                parent,
                gap: (found.ordinal > before + 1 && found.ordinal != 1)
                    .then_some((before + 1, found.ordinal - 1)),
            });
        }
        outline.children = vec![Vec::new(); outline.blocks.len()];
        for (at, block) in outline.blocks.iter().enumerate() {
            if let Some(above) = block.parent.and_then(|parent| outline.children.get_mut(parent)) {
                above.push(at);
            }
        }
        outline
    }

    fn ends_a_sentence(&self) -> bool {
        let last = self.blocks.last().and_then(|block| block.lines.last());
        last.is_some_and(|line| line.text.ends_with(['。', ')', ';', ':']))
    }

    /// The blocks that stand directly under one.
    pub(crate) fn children(&self, at: usize) -> &[usize] {
        self.children.get(at).map_or(&[], Vec::as_slice)
    }

    /// The labels that a block stands under, the outermost first, and its own.
    pub(crate) fn path(&self, at: usize) -> String {
        let mut labels = Vec::new();
        let mut next = Some(at);
        while let Some(block) = next.and_then(|at| self.blocks.get(at)) {
            labels.push(block.label.as_str());
            next = block.parent;
        }
        labels.reverse();
        labels.concat()
    }
}

/// `10 月 1 日前`, `2023 年`: the digits after a number are those of a date.
fn starts_with_date(rest: &str) -> bool {
    let after = rest.trim_start_matches(|one: char| one.is_ascii_digit());
    let digits = rest.len() - after.len();
    let unit = after.trim_start().chars().next();
    matches!((digits, unit), (1..=2, Some('月')) | (4, Some('年')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(text: &str) -> Outline {
        let lines: Vec<Line> =
            text.lines().zip(1..).map(|(text, number)| Line { number, text: text.to_owned() }).collect();
        Outline::of(&lines)
    }

    fn labels(outline: &Outline) -> Vec<String> {
        (0..outline.blocks.len()).map(|at| outline.path(at)).collect()
    }

    #[test]
    fn numbers_that_run_on_across_sections_are_followed() {
        let text = "前言\n一、甲\n(一)乙。\n1. 丙\n2. 丁\n二、戊\n(二)己。\n3. 庚";
        assert_eq!(
            labels(&outline(text)),
            ["", "一", "一(一)", "一(一)1", "一(一)2", "二", "二(二)", "二(二)3"]
        );
    }

    #[test]
    fn a_number_at_the_head_of_a_broken_line_is_no_block() {
        let text = "1. 关停市域内\n43. 个小炉,涉及\n(12)户。\n2. 推进";
        assert_eq!(labels(&outline(text)), ["1", "2"]);
        assert_eq!(outline(text).blocks[0].text(), "关停市域内43.个小炉,涉及(12)户。");
    }

    #[test]
    fn an_item_may_begin_with_a_date() {
        assert_eq!(labels(&outline("1. 建成。\n2. 7 月起开展巡查\n3. 3 米以上的。")), ["1", "2"]);
        assert_eq!(
            labels(&outline("1. 建成。\n2. 7 月起开展巡查。\n3. 关停所有\n4. 3 米的。")),
            ["1", "2", "3"]
        );
    }

    #[test]
    fn the_first_item_under_a_heading_may_begin_with_a_date() {
        assert_eq!(
            labels(&outline("一、任务\n1. 10 月 1 日前建成。\n2. 2023年9月至11月调试\n3. 4 米")),
            ["一", "一1", "一2"]
        );
    }

    #[test]
    fn a_missing_number_is_told_of() {
        let found = outline("1. 甲。\n2. 乙。\n4. 丁。");
        assert_eq!(
            found.blocks.iter().map(|block| block.gap).collect::<Vec<_>>(),
            [None, None, Some((3, 3))]
        );
    }
}
