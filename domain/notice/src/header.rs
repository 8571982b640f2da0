//! The head of a notice: who issues it, its number, its title, its date; and where the plans
//! begin that it carries.

use regex::Regex;
use time::Date;

use crate::columns::is_time;
use crate::dates::Dates;
use crate::names;
use crate::ordinal::marker;
use crate::posts::ends_like_a_post;
use crate::text::{Line, join, squeeze};

/// Lines before the number, or after it, in which a title may stand.
const LONGEST_TITLE: usize = 12;

/// What a title ends with.
const SORTS: [&str; 15] = [
    "通知", "批复", "复函", "函", "意见", "决定", "通报", "公告", "通告", "报告", "请示", "命令", "办法",
    "规定", "方案",
];

/// No notice carries more plans.
const MOST_PARTS: usize = 50;

/// A notice taken apart.
#[derive(Debug)]
pub(crate) struct Headed<'a> {
    pub(crate) number: String,
    pub(crate) title: String,
    pub(crate) issue_date: Option<Date>,
    /// Who signs it; empty when no line says so.
    pub(crate) issuer: String,
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

    /// The number that begins at a line, and how many lines it takes: it may be broken over two.
    fn number(&self, lines: &[Line], at: usize) -> Option<(String, usize)> {
        let line = squeeze(&lines.get(at)?.text);
        // 签发人 stands on the same line in what is sent upwards.
        let alone = line.split("签发人").next().unwrap_or_default();
        if self.number.is_match(alone) {
            return Some((uniform(alone), 1));
        }
        let next = squeeze(&lines.get(at + 1)?.text);
        if line.chars().count() > 20 || self.number.is_match(&next) {
            return None;
        }
        let joined = format!("{line}{next}");
        self.number.is_match(&joined).then(|| (uniform(&joined), 2))
    }

    /// Takes a notice apart. None when no line is a document number.
    pub(crate) fn split<'a>(&self, lines: &'a [Line], dates: &Dates) -> Option<Headed<'a>> {
        let (at, (number, count)) =
            (0..lines.len()).find_map(|at| self.number(lines, at).map(|found| (at, found)))?;
        let above = &lines[at.saturating_sub(LONGEST_TITLE)..at];
        let rest = &lines[at + count..];
        let (title, rest) = match above.iter().position(|line| title_start(&line.text).is_some()) {
            Some(begin) => (join(&above[begin..]), rest),
            // Under a red head the number comes first.
            None => match title_below(rest) {
                Some((from, to)) => (join(&rest[from..to]), &rest[to..]),
                None => (join(above), rest),
            },
        };
        let title = title_start(&title).map_or(title.as_str(), |start| &title[start..]).to_owned();

        let signed = rest.iter().position(|line| dates.signature(&squeeze(&line.text)).is_some());
        let issue_date = signed.and_then(|signed| dates.signature(&squeeze(&rest[signed].text)));
        let (letter, attached) = match signed {
            Some(signed) => (&rest[..signed], &rest[signed + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        let (addressees, letter) = addressees(letter);
        // The last line before the date is who signs, unless that stands on the line of the date.
        let is_alone = signed.is_some_and(|signed| !rest[signed].text.starts_with(is_organ_start));
        let (letter, signs) = match letter.split_last() {
            Some((last, before)) if is_alone && !last.text.ends_with('。') => (before, Some(last)),
            Some(_) | None => (letter, signed.map(|signed| &rest[signed])),
        };
        let issuer = signs.map(|line| squeeze(&line.text)).unwrap_or_default();
        let issuer =
            issuer.find(|one: char| !is_organ_start(one)).map_or(issuer.as_str(), |end| &issuer[..end]);
        let issuer = if is_organ(issuer) { issuer.to_owned() } else { String::new() };
        let attached = without_attachment_list(without_notes(attached));
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
        Some(Headed { number, title, issue_date, issuer, addressees, letter, parts, missing, cut_off })
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
        let is_date = |at: usize| dates.signature(&squeeze(&lines[at].text)).is_some();
        let number = |from: usize| (from..lines.len()).find(|at| self.number(lines, *at).is_some());
        let signed = (number(0)?..lines.len()).find(|at| is_date(*at))?;
        let second = number(signed + 1)?;
        let above = second.saturating_sub(LONGEST_TITLE).max(signed + 1);
        let Some(title) = (above..second).find(|at| title_start(&lines[*at].text).is_some()) else {
            // Under a red head: 某市人民政府文件, the number, the title.
            let (_, count) = self.number(lines, second)?;
            title_below(&lines[second + count..])?;
            let is_head = second > signed + 1 && lines[second - 1].text.ends_with("文件");
            return Some(if is_head { second - 1 } else { second });
        };
        let organ = title - 1;
        Some(if organ > signed && is_organ(&lines[organ].text) { organ } else { title })
    }
}

/// A number in the usual brackets.
fn uniform(number: &str) -> String {
    number.replace(['[', '('], "〔").replace([']', ')'], "〕").replace('第', "")
}

/// How who issues notices is called.
const ORGANS: [&str; 7] = ["政府", "办公室", "办公厅", "委员会", "指挥部", "领导小组", "局"];

fn is_organ(line: &str) -> bool {
    let line = squeeze(line);
    line.chars().count() <= 40 && ORGANS.iter().any(|end| line.ends_with(end))
}

fn is_organ_start(first: char) -> bool {
    !first.is_ascii_digit() && !"〇○零一二".contains(first)
}

/// Where a title starts in a line: 关于 at its head, or after who issues it.
fn title_start(line: &str) -> Option<usize> {
    let at = line.find("关于")?;
    (at == 0 || is_organ(&line[..at])).then_some(at)
}

/// The lines of a title that stands below the number, before the addressees.
fn title_below(lines: &[Line]) -> Option<(usize, usize)> {
    let lines = &lines[..lines.len().min(LONGEST_TITLE)];
    let from = lines.iter().take(4).position(|line| title_start(&line.text).is_some())?;
    let ends = |at: &usize| SORTS.iter().any(|sort| squeeze(&lines[*at].text).ends_with(sort));
    let goes_on =
        |at: usize| lines.get(at + 1).is_some_and(|next| next.text.starts_with(['的', '》', ')', '(']));
    let to = (from..lines.len()).find(|at| ends(at) && !goes_on(*at)).unwrap_or(from);
    Some((from, to + 1))
}

/// What a plan's title ends with.
const PLANS: [&str; 8] = ["计划", "方案", "办法", "意见", "规划", "预案", "细则", "规定"];

/// A text ends with a sentence, a clause or a row of a table; never in the middle of a line.
fn is_cut_off(last: &str) -> bool {
    let ends = last.ends_with(['。', ')', ';', '!', '”', '》', '—', '-', '/']);
    let is_row = || last.split([' ', '、', ',']).next_back().is_some_and(names::ends_like_a_unit);
    // 完成时限:2023年12月, the end of a row that says by when, or what is left of it.
    let is_time = || {
        let (label, _) = last.split_once(':').unwrap_or_default();
        let cells: Vec<&str> = last.split(' ').collect();
        let of_row = cells.len() > 2 && cells[0].bytes().all(|one| one.is_ascii_digit());
        ["时限", "时间", "期限", "单位", "部门"].iter().any(|end| label.ends_with(end))
            || (is_time(cells[cells.len() - 1]) && (of_row || last.chars().count() <= 10))
    };
    // 任某某 市水利局局长: the end of a list of people.
    let is_person = || last.contains(' ') && ends_like_a_post(last);
    !ends && !is_row() && !is_time() && !is_person()
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

/// `附件`, `附件1`, `附件2:` alone on a line.
pub(crate) fn is_attachment_mark(squeezed: &str) -> bool {
    squeezed.strip_prefix("附件").is_some_and(|rest| {
        rest.trim_end_matches(':')
            .chars()
            .all(|one| one.is_ascii_digit() || "一二三四五六七八九十".contains(one))
    })
}

/// A plan without the lines that only say where an attachment begins or which there are; before
/// a table also without the title of that.
pub(crate) fn without_attachment_marks(lines: &[Line], before_table: bool) -> Vec<Line> {
    let is_mark = |line: &Line| is_attachment_mark(&squeeze(&line.text));
    let end = lines.iter().rposition(is_mark).filter(|at| before_table && lines.len() - at <= 4);
    let mut kept: Vec<Line> = Vec::new();
    let mut in_list = false;
    for line in &lines[..end.unwrap_or(lines.len())] {
        let squeezed = squeeze(&line.text);
        in_list = (squeezed.starts_with("附件:") && !squeezed.ends_with('。'))
            || (in_list && marker(&line.text).is_some() && !squeezed.contains(['。', ';', '(']));
        if !in_list && !is_attachment_mark(&squeezed) {
            kept.push(line.clone());
        }
    }
    kept
}

/// Without `(此件公开发布)`, `附件:`, and the letters of a seal printed one below the other.
fn without_notes(lines: &[Line]) -> &[Line] {
    let is_note = |line: &Line| {
        let text = squeeze(&line.text);
        (text.starts_with("(此件") && text.ends_with(')')) || is_attachment_mark(&text)
    };
    let start = lines.iter().position(|line| !is_note(line)).unwrap_or(lines.len());
    let lines = &lines[start..];
    if lines.iter().all(|line| line.text.chars().count() == 1) { &lines[lines.len()..] } else { lines }
}

/// Without the list of attachments that a text may end with: `附件:1. 甲清单`, `2. 乙名单`.
fn without_attachment_list(lines: &[Line]) -> &[Line] {
    let is_entry = |line: &Line| marker(&line.text).is_some() && !line.text.ends_with('。');
    let last = lines.iter().rposition(|line| !is_entry(line));
    let names = |text: &str| text.strip_prefix("附件:").is_some_and(|rest| !rest.ends_with('。'));
    match last {
        Some(last) if names(&squeeze(&lines[last].text)) => &lines[..last],
        Some(_) | None => lines,
    }
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
    fn heads_of_any_form_are_read() {
        let letter = "各县人民政府:\n办理甲事。\n某市人民政府";
        for (head, date) in [
            ("某市人民政府文件\n某政发〔2024〕3 号\n某市人民政府\n关于印发某某\n方案的通知", "2024年5月14日"),
            ("某政发〔2024〕3号\n关于印发某某方案\n的通知", "2024 年 5 月 14 日"),
            ("某市人民政府办公厅关于印发某某\n方案的通知\n某政发〔2024〕\n3号", "二〇二四年五月十四日"),
            ("某市人民政府\n关于印发某某方案的通知\n某政发［２０２４］\n３ 号", "二○二四年五月十四日"),
            ("某市人民政府\n关于印发某某方案的通知\n某政发(2024)第3号 签发人:赵甲", "二零二四年五月十四日"),
        ] {
            let lines = Furniture::new().unwrap().lines(&format!("{head}\n{letter}\n{date}"));
            let headed = Heads::new().unwrap().split(&lines, &Dates::new().unwrap()).unwrap();
            assert_eq!(
                (headed.number.as_str(), headed.title.as_str()),
                ("某政发〔2024〕3号", "关于印发某某方案的通知")
            );
            assert_eq!((join(headed.letter).as_str(), headed.addressees.len()), ("办理甲事。", 1), "{head}");
            assert_eq!(headed.issuer, "某市人民政府");
            assert_eq!(headed.issue_date, Some(date!(2024 - 05 - 14)), "{date}");
        }
    }

    #[test]
    fn who_signs_may_stand_on_the_line_of_the_date() {
        let text = "关于某事的通知\n某政发〔2024〕3号\n请办理。\n甲乙\n某市人民政府 2024年5月14日\n方案\n一、甲。\n附件:1. 甲清单\n2. 乙表";
        let lines = Furniture::new().unwrap().lines(text);
        let headed = Heads::new().unwrap().split(&lines, &Dates::new().unwrap()).unwrap();
        assert_eq!(
            (headed.issue_date, join(headed.letter).as_str()),
            (Some(date!(2024 - 05 - 14)), "请办理。甲乙")
        );
        assert_eq!(join(headed.parts[0].1), "方案一、甲。", "without the list of attachments");
        assert!(headed.cut_off.is_none());
        assert_eq!(headed.issuer, "某市人民政府");
    }

    #[test]
    fn a_second_notice_in_a_text_is_found() {
        let one = "某市政府\n关于甲事的通知\n某政发〔2024〕1号\n办理甲事。\n某市政府\n2024年5月1日\n";
        let lines = Furniture::new().unwrap().lines(&one.repeat(2));
        let (heads, dates) = (Heads::new().unwrap(), Dates::new().unwrap());
        assert_eq!(heads.next(&lines, &dates), Some(6));
        assert_eq!(heads.next(&lines[6..], &dates), None);
        let red = "某市政府文件\n某政发〔2024〕1号\n关于甲事的通知\n办理甲事。\n某市政府\n2024年5月1日\n";
        let lines = Furniture::new().unwrap().lines(&red.repeat(2));
        assert_eq!(heads.next(&lines, &dates), Some(6));
    }

    #[test]
    fn a_text_that_breaks_off_is_told_from_one_that_ends() {
        for line in
            ["完成。", "市甲局、市乙局", "完成时限:2023年12月", "4 除险加固 市水利局 汛期前", "10月底前", "—"]
        {
            assert!(!is_cut_off(line), "{line}");
        }
        for line in ["推进甲项目建设,力争年底前", "4 除险加固", "加快"] {
            assert!(is_cut_off(line), "{line}");
        }
    }

    #[test]
    fn without_a_number_it_is_no_notice() {
        let lines = Furniture::new().unwrap().lines("购物清单\n1. 牛奶\n2. 面包");
        assert!(Heads::new().unwrap().split(&lines, &Dates::new().unwrap()).is_none());
    }
}
