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

/// Finds what a printed page adds to a notice.
#[derive(Debug)]
pub(crate) struct Furniture {
    page: Regex,
    gazette: Regex,
}

impl Furniture {
    pub(crate) fn new() -> Result<Self, regex::Error> {
        Ok(Furniture {
            page: Regex::new(r"^[—–\-－·•]+ ?\d{1,4} ?[—–\-－·•]+$")?,
            gazette: Regex::new(
                r"公报.*(·|\d{1,2} ?/ ?\d{4}|第 ?\d+ ?期)|(·|\d{1,2} ?/ ?\d{4}|第 ?\d+ ?期).*公报",
            )?,
        })
    }

    /// The lines of a source, without what only its pages have.
    pub(crate) fn lines(&self, source: &str) -> Vec<Line> {
        let lines: Vec<Line> = source
            .split(['\n', '\u{c}'])
            .zip(1..)
            .map(|(text, number)| Line { number, text: fold(text) })
            .filter(|line| !line.text.is_empty())
            .collect();
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
    fn a_running_head_of_any_wording_goes() {
        let page = |number: u32| format!("某某市应急预案汇编 {number}\n正文第{number}页。\n");
        let source: String = (1..=3).map(page).collect();
        let lines = Furniture::new().unwrap().lines(&source);
        assert_eq!(lines.len(), 3, "{lines:?}");
    }
}
