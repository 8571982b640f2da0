//! The head of a notice: who issues it, its number, its title, its date; and where the plans
//! begin that it carries.

use regex::Regex;
use time::Date;

use crate::dates::Dates;
use crate::names;
use crate::text::{Line, join, squeeze};

/// Lines before the number in which a title may stand.
const LONGEST_TITLE: usize = 12;

/// No notice carries more plans.
const MOST_PARTS: usize = 50;

/// A notice taken apart.
#[derive(Debug)]
pub(crate) struct Headed<'a> {
    pub(crate) number: String,
    pub(crate) title: String,
    pub(crate) issue_date: Option<Date>,
    /// Whom it is sent to.
    pub(crate) addressees: Vec<String>,
    /// What stands between the head and the signature.
    pub(crate) letter: &'a [Line],
    /// What is attached: title and lines; the title is empty where there is only one plan
    /// and it has no title of its own.
    pub(crate) parts: Vec<(String, &'a [Line])>,
    /// Plans that the letter names and that are not attached.
    pub(crate) missing: Vec<String>,
    /// The last line, where it breaks off.
    pub(crate) cut_off: Option<&'a Line>,
}

/// Finds heads.
#[derive(Debug)]
pub(crate) struct Heads {
    number: Regex,
    book: Regex,
}

impl Heads {
    pub(crate) fn new() -> Result<Self, regex::Error> {
        Ok(Heads {
            number: Regex::new(r"^\p{Han}{2,12}[〔\[(](?:19|20)\d{2}[〕\])]第?\d{1,4}号$")?,
            book: Regex::new(r"《([^《》]{4,60}(?:《[^》]*》[^《》]*)?)》")?,
        })
    }

    /// Takes a notice apart. None when no line is a document number.
    pub(crate) fn split<'a>(&self, lines: &'a [Line], dates: &Dates) -> Option<Headed<'a>> {
        let at = lines.iter().position(|line| self.number.is_match(&squeeze(&line.text)))?;
        let number =
            squeeze(&lines[at].text).replace(['[', '('], "〔").replace([']', ')'], "〕").replace('第', "");
        let above = &lines[at.saturating_sub(LONGEST_TITLE)..at];
        let begin = above.iter().position(|line| line.text.starts_with("关于")).unwrap_or(0);
        let title = join(&above[begin..]);

        let rest = &lines[at + 1..];
        let signed = rest.iter().position(|line| dates.signature(&squeeze(&line.text)).is_some());
        let issue_date = signed.and_then(|signed| dates.signature(&squeeze(&rest[signed].text)));
        let (letter, attached) = match signed {
            Some(signed) => (&rest[..signed], &rest[signed + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        let (addressees, letter) = addressees(letter);
        // The last line before the date is who signs.
        let letter = match letter.split_last() {
            Some((last, before)) if signed.is_some() && !last.text.ends_with('。') => before,
            Some(_) | None => letter,
        };
        let attached = without_notes(attached);
        let titles = self.titles(&format!("{title}{}", join(letter)));
        let parts = parts(&titles, attached);
        // A book that a title names need not be attached; one of several that are issued must.
        let several = parts.iter().any(|(title, _)| !title.is_empty());
        let is_missing = |title: &&String| {
            several
                && PLANS.iter().any(|kind| title.ends_with(kind))
                && parts.iter().all(|(part, _)| part != *title)
        };
        let missing = titles.iter().filter(is_missing).cloned().collect();
        let cut_off = attached.last().filter(|last| is_cut_off(&last.text));
        Some(Headed { number, title, issue_date, addressees, letter, parts, missing, cut_off })
    }

    /// The books that a letter names, each once.
    fn titles(&self, letter: &str) -> Vec<String> {
        let mut titles: Vec<String> = Vec::new();
        for found in self.book.captures_iter(letter).take(MOST_PARTS) {
            let title = squeeze(&found[1]);
            if !titles.contains(&title) {
                titles.push(title);
            }
        }
        titles
    }

    /// The line at which another notice begins after the first one of a text.
    pub(crate) fn next(&self, lines: &[Line], dates: &Dates) -> Option<usize> {
        let is_number = |line: &Line| self.number.is_match(&squeeze(&line.text));
        let is_date = |line: &Line| dates.signature(&squeeze(&line.text)).is_some();
        let after = |from: usize, is: &dyn Fn(&Line) -> bool| {
            lines.get(from..)?.iter().position(is).map(|at| from + at)
        };
        let signed = after(after(0, &is_number)?, &is_date)?;
        let second = after(signed, &is_number)?;
        let above = second.saturating_sub(LONGEST_TITLE).max(signed + 1);
        let title = (above..second).find(|at| lines[*at].text.starts_with("关于"))?;
        let organ = title - 1;
        let is_organ = organ > signed
            && ["政府", "办公室", "委员会"].iter().any(|end| squeeze(&lines[organ].text).ends_with(end));
        Some(if is_organ { organ } else { title })
    }
}

/// What a plan's title ends with.
const PLANS: [&str; 8] = ["计划", "方案", "办法", "意见", "规划", "预案", "细则", "规定"];

/// A text ends with a sentence, a clause or a row of a table; never in the middle of a line.
fn is_cut_off(last: &str) -> bool {
    let ends = last.ends_with(['。', ')', ';', '!', '”', '》', '—', '-', '/']);
    let is_row = || last.split([' ', '、', ',']).next_back().is_some_and(names::ends_like_a_unit);
    !ends && !is_row()
}

/// The plans that are attached: each begins with its title alone on its lines.
fn parts<'a>(titles: &[String], attached: &'a [Line]) -> Vec<(String, &'a [Line])> {
    let mut starts: Vec<(usize, usize, &String)> = Vec::new();
    let mut at = 0;
    while at < attached.len() {
        // A title may be broken over three lines.
        let found = (1..=3).filter(|count| at + count <= attached.len()).find_map(|count| {
            let text = join(&attached[at..at + count]);
            titles.iter().find(|title| **title == text).map(|title| (count, title))
        });
        match found {
            Some((count, title)) => {
                starts.push((at, at + count, title));
                at += count;
            }
            None => at += 1,
        }
    }
    if starts.is_empty() {
        return if attached.is_empty() { Vec::new() } else { vec![(String::new(), attached)] };
    }
    let ends: Vec<usize> = starts.iter().skip(1).map(|(start, ..)| *start).chain([attached.len()]).collect();
    starts.into_iter().zip(ends).map(|((_, from, title), to)| (title.clone(), &attached[from..to])).collect()
}

/// The addressees stand first and end in a colon.
fn addressees(letter: &[Line]) -> (Vec<String>, &[Line]) {
    let end = letter.iter().take(6).position(|line| line.text.ends_with(':'));
    match end {
        Some(end) => {
            let text = join(&letter[..=end]);
            (names::split(text.trim_end_matches(':')), &letter[end + 1..])
        }
        None => (Vec::new(), letter),
    }
}

/// Without `(此件公开发布)`, `附件:`, and the letters of a seal printed one below the other.
fn without_notes(lines: &[Line]) -> &[Line] {
    let is_note = |line: &Line| {
        let text = squeeze(&line.text);
        (text.starts_with("(此件") && text.ends_with(')')) || text == "附件" || text == "附件:"
    };
    let start = lines.iter().position(|line| !is_note(line)).unwrap_or(lines.len());
    let lines = &lines[start..];
    if lines.iter().all(|line| line.text.chars().count() == 1) { &lines[lines.len()..] } else { lines }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;
    use crate::text::Furniture;

    #[test]
    fn a_notice_is_taken_apart() {
        let source = "某市人民政府办公室\n关于印发《某某一计划》《某某\n二计划》的通知\n某政办发〔2024〕 8 号\n\
                      各县(市、区)人民政府,市直有关\n部门:\n现印发《某某一计划》《某某二计划》。\n某市人民政府办公室\n\
                      2024 年 5 月 14 日\n(此件公开发布)\n某某一计划\n一、甲\n某某二计划\n一、乙";
        let lines = Furniture::new().unwrap().lines(source);
        let dates = Dates::new().unwrap();
        let headed = Heads::new().unwrap().split(&lines, &dates).unwrap();
        assert_eq!(headed.number, "某政办发〔2024〕8号");
        assert_eq!(headed.title, "关于印发《某某一计划》《某某二计划》的通知");
        assert_eq!(headed.issue_date, Some(date!(2024 - 05 - 14)));
        assert_eq!(headed.addressees, ["各县(市、区)人民政府", "市直有关部门"]);
        assert_eq!(join(headed.letter), "现印发《某某一计划》《某某二计划》。");
        let parts: Vec<_> =
            headed.parts.iter().map(|(title, lines)| (title.as_str(), join(*lines))).collect();
        assert_eq!(parts, [("某某一计划", "一、甲".to_owned()), ("某某二计划", "一、乙".to_owned())]);
        assert!(headed.missing.is_empty());
        assert_eq!(headed.cut_off.map(|line| line.number), Some(14), "the last line is no sentence");

        let half = &lines[..lines.len() - 2];
        let headed = Heads::new().unwrap().split(half, &dates).unwrap();
        assert_eq!(headed.missing, ["某某二计划"]);
    }

    #[test]
    fn a_second_notice_in_a_text_is_found() {
        let one = "某市政府\n关于甲事的通知\n某政发〔2024〕1号\n办理甲事。\n某市政府\n2024年5月1日\n";
        let lines = Furniture::new().unwrap().lines(&one.repeat(2));
        let (heads, dates) = (Heads::new().unwrap(), Dates::new().unwrap());
        assert_eq!(heads.next(&lines, &dates), Some(6));
        assert_eq!(heads.next(&lines[6..], &dates), None);
    }

    #[test]
    fn without_a_number_it_is_no_notice() {
        let lines = Furniture::new().unwrap().lines("购物清单\n1. 牛奶\n2. 面包");
        assert!(Heads::new().unwrap().split(&lines, &Dates::new().unwrap()).is_none());
    }
}
