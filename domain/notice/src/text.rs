//! From what was extracted from a printed page to lines that can be read.
//!
//! Full-width forms become half-width, running heads and page numbers go, and what is left
//! keeps the number it had in the file, so that a person can be pointed to it.

use std::collections::BTreeMap;

use regex::Regex;

/// A line with something on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// In the file, from 1.
    pub(crate) number: u32,
    /// Half-width, each gap one space, none at the ends.
    pub(crate) text: String,
}

/// A running head is at least so long, and stands on at least so many pages.
const HEAD_CHARACTERS: usize = 6;
const HEAD_PAGES: usize = 3;
/// Nothing longer is a running head.
const LONGEST_HEAD: usize = 60;

/// An imprint (抄送:… to …印发) is at most so many lines.
const LONGEST_IMPRINT: usize = 8;

/// Finds what a printed page adds to a notice.
#[derive(Debug)]
pub(crate) struct Furniture {
    page: Regex,
    gazette: Regex,
    copies: Regex,
    printed: Regex,
}

impl Furniture {
    pub(crate) fn new() -> Result<Self, regex::Error> {
        Ok(Furniture {
            page: Regex::new(concat!(
                r"^(?:[—–\-－·•]+ ?\d{1,4} ?[—–\-－·•]+|第 ?\d{1,4} ?页(?:[ ,/]*共 ?\d{1,4} ?页)?|",
                r"(?:page|Page|PAGE) ?\d{1,4}(?: ?(?:of|/) ?\d{1,4})?|\d{1,3} ?/ ?\d{1,3})$"
            ))?,
            gazette: Regex::new(
                r"公报.*(·|\d{1,2} ?/ ?\d{4}|第 ?\d+ ?期)|(·|\d{1,2} ?/ ?\d{4}|第 ?\d+ ?期).*公报",
            )?,
            copies: Regex::new(r"^(?:抄 ?送|抄 ?报|分 ?送|主题词) ?:")?,
            printed: Regex::new(r"\d{4} ?年 ?\d{1,2} ?月 ?\d{1,2} ?日 ?印 ?发$")?,
        })
    }

    /// The lines of a source, without what only its pages have.
    pub(crate) fn lines(&self, source: &str) -> Vec<Line> {
        let lines = self.without_imprint(pages(source));
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for line in &lines {
            if let Some(key) = head_key(&line.text) {
                *seen.entry(key).or_default() += 1;
            }
        }
        let is_furniture = |line: &Line| {
            self.page.is_match(&line.text)
                || (line.text.chars().count() <= LONGEST_HEAD && self.gazette.is_match(&line.text))
                || head_key(&line.text)
                    .is_some_and(|key| seen.get(&key).is_some_and(|count| *count >= HEAD_PAGES))
        };
        lines.into_iter().filter(|line| !is_furniture(line)).collect()
    }

    /// Without what stands at the foot of the last page: who gets copies, and when it was printed.
    fn without_imprint(&self, lines: Vec<Line>) -> Vec<Line> {
        let mut kept: Vec<Line> = Vec::with_capacity(lines.len());
        let mut lines = lines.into_iter().peekable();
        while let Some(line) = lines.next() {
            if self.printed.is_match(&line.text) {
                continue;
            }
            if !self.copies.is_match(&line.text) {
                kept.push(line);
                continue;
            }
            // The list of copies ends in a full stop.
            let mut last = line;
            for _ in 0..LONGEST_IMPRINT {
                if last.text.ends_with('。') {
                    break;
                }
                let Some(next) = lines.next_if(|next| !self.printed.is_match(&next.text)) else { break };
                last = next;
            }
        }
        kept
    }
}

/// The lines of each page, without a number that is all there is on its first or last line.
fn pages(source: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut number = 1;
    let has_pages = source.contains('\u{c}');
    let is_number = |line: &Line| line.text.len() <= 4 && line.text.bytes().all(|one| one.is_ascii_digit());
    for page in source.split('\u{c}') {
        let from = lines.len();
        for text in page.split('\n') {
            let text = fold(text);
            if !text.is_empty() {
                lines.push(Line { number, text });
            }
            number += 1;
        }
        if has_pages && lines.len() > from {
            if lines.last().is_some_and(is_number) {
                lines.pop();
            } else if is_number(&lines[from]) {
                lines.remove(from);
            }
        }
    }
    lines
}

/// What is the same in the running heads of all pages, for a line that may be one: prose has
/// punctuation, or is too short or too long.
fn head_key(text: &str) -> Option<String> {
    let count = text.chars().count();
    let prose = ['。', ';', ',', '、', ':', '(', ')', '《', '》'];
    if !(HEAD_CHARACTERS..=LONGEST_HEAD).contains(&count) || text.contains(prose) {
        return None;
    }
    Some(text.chars().filter(|character| !character.is_ascii_digit()).collect())
}

/// Half-width forms, no invisible characters, one space for each gap and none at the ends.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        let character = match character {
            '\u{ff01}'..='\u{ff5e}' => {
                char::from_u32(u32::from(character) - 0xff01 + 0x21).unwrap_or(character)
            }
            '\u{fe5d}' | '\u{3014}' => '〔',
            '\u{fe5e}' | '\u{3015}' => '〕',
            '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{ad}' => continue,
            other if other.is_whitespace() || other.is_control() => ' ',
            other => other,
        };
        if character != ' ' || !(folded.is_empty() || folded.ends_with(' ')) {
            folded.push(character);
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// Without the spaces that stand inside sentences and numbers: only between two Latin letters
/// does one mean anything.
pub(crate) fn squeeze(text: &str) -> String {
    let mut squeezed = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let joins = squeezed.ends_with(|last: char| last.is_ascii_alphabetic())
            && rest.peek().is_some_and(char::is_ascii_alphabetic);
        if character != ' ' || joins {
            squeezed.push(character);
        }
    }
    squeezed
}

/// Lines written on as one.
pub(crate) fn join<'a>(lines: impl IntoIterator<Item = &'a Line>) -> String {
    let mut text = String::new();
    for line in lines {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&line.text);
    }
    squeeze(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_forms_and_gaps_are_folded() {
        assert_eq!(fold("　１４１. 7735　公顷，（《方案》）\u{feff} "), "141. 7735 公顷,(《方案》)");
        assert_eq!(squeeze("141. 7735 公顷"), "141.7735公顷");
        assert_eq!(squeeze("建成 Wi Fi 热点 5 个"), "建成Wi Fi热点5个");
        assert_eq!(squeeze("15m3 / s"), "15m3/s");
    }

    #[test]
    fn page_furniture_goes_and_lines_keep_their_numbers() {
        let source = "一、总则\n—3—\n\n5 / 2023　 某市人民政府公报　　·市政府办公室文件·　\n到\n500\n个。";
        let lines = Furniture::new().unwrap().lines(source);
        let kept: Vec<_> = lines.iter().map(|line| (line.number, line.text.as_str())).collect();
        assert_eq!(kept, [(1, "一、总则"), (5, "到"), (6, "500"), (7, "个。")]);
    }

    #[test]
    fn page_numbers_of_any_form_and_the_imprint_go() {
        let source = "1. 甲\n第 3 页 共 5 页\n二\nPage 4 of 5\n·2·\n4/5\n3\n三。\n7\n\u{c}四。\n8\n\u{c}\
                      抄送:市委办公室,市人大常委会\n办公室。\n某市人民政府办公室 2023 年 6 月 1 日印发\n";
        let lines = Furniture::new().unwrap().lines(source);
        let kept: Vec<_> = lines.iter().map(|line| (line.number, line.text.as_str())).collect();
        assert_eq!(
            kept,
            [(1, "1. 甲"), (3, "二"), (7, "3"), (8, "三。"), (11, "四。")],
            "3 may be an amount"
        );
    }

    #[test]
    fn a_running_head_of_any_wording_goes() {
        let page = |number: u32| format!("某某市应急预案汇编 {number}\n正文第{number}页。\n");
        let source: String = (1..=3).map(page).collect();
        let lines = Furniture::new().unwrap().lines(&source);
        assert_eq!(lines.len(), 3, "{lines:?}");
    }
}
