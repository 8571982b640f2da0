//! Reading government notices: extracted text in, typed proposals out.
//!
//! It is written for the form of such notices: a head with a document number, numbered items,
//! responsibility clauses, lists of seats, portfolios. Page furniture, broken lines, gaps in
//! numbers and full-width forms do not matter. What is not understood is told of with its
//! line; nothing is guessed. [`Reader::read`] reads, [`resolve()`] finds the units.
//!
//! No input panics, and reading takes time in proportion to the length of the text.

mod clause;
mod columns;
mod dates;
mod division;
mod emergency;
mod ending;
#[cfg(test)]
mod forms;
mod group;
mod header;
mod headings;
mod items;
mod names;
mod notice;
mod ordinal;
mod outline;
mod posts;
mod reply;
mod resolve;
mod seats;
mod table;
mod text;
mod window;

pub use notice::{
    Charge, Document, Duty, Holder, Item, Kind, Leader, Mechanism, Milestone, Notice, Pair, Party, Portfolio,
    Relation, Seat, Unresolved, Window,
};
pub use resolve::{Directory, Meaning, resolve};

use header::Headed;
use items::{Context, unresolved};
use outline::Outline;
use table::Table;
use text::Line;

/// No notice is longer, in bytes.
pub const LARGEST: usize = 4 * 1024 * 1024;

/// A text that is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// It is longer than [`LARGEST`].
    #[error("no notice: longer than 4 MiB")]
    TooLong,
    /// No line is a document number such as 某政办发〔2023〕8号.
    #[error("no notice: no line is a document number")]
    NoNumber,
    /// It has no signature with a date: its end is missing.
    #[error("the end of the notice is missing: no line is its date")]
    NoDate,
    /// Nothing in it is of a form that is known.
    #[error("a notice, but of no form that is known: no items with units, no seats, no portfolios")]
    NoForm,
}

impl NoticeError {
    /// The same in Chinese.
    pub fn chinese(self) -> &'static str {
        match self {
            NoticeError::TooLong => "不是公文：长度超过4兆字节",
            NoticeError::NoNumber => "不是公文：没有发文字号",
            NoticeError::NoDate => "公文不完整：没有成文日期",
            NoticeError::NoForm => "无法识别公文类型：没有带单位的事项，没有组成人员，也没有分工",
        }
    }
}

/// Reads notices. It holds the patterns it looks for: make one and keep it.
#[derive(Debug)]
pub struct Reader {
    furniture: text::Furniture,
    dates: dates::Dates,
    windows: window::Windows,
    heads: header::Heads,
    pairs: division::Pairs,
    seats: seats::Seats,
    subjects: reply::Subjects,
}

impl Reader {
    /// A reader.
    ///
    /// # Errors
    /// Never: its patterns are fixed, and a test makes one.
    pub fn new() -> Result<Self, regex::Error> {
        Ok(Reader {
            furniture: text::Furniture::new()?,
            dates: dates::Dates::new()?,
            windows: window::Windows::new()?,
            heads: header::Heads::new()?,
            pairs: division::Pairs::new()?,
            seats: seats::Seats::new()?,
            subjects: reply::Subjects::new()?,
        })
    }

    /// What a text says: a notice, or one for each plan that it carries, and so on for each
    /// notice that follows in the text. Units are not resolved yet.
    ///
    /// # Errors
    /// When it is no notice, is cut off, or has a form that is not known.
    pub fn read(&self, source: &str) -> Result<Vec<Notice>, NoticeError> {
        if source.len() > LARGEST {
            return Err(NoticeError::TooLong);
        }
        let lines = self.furniture.lines(source);
        let mut rest = lines.as_slice();
        let mut notices = Vec::new();
        loop {
            let end = self.heads.next(rest, &self.dates).unwrap_or(rest.len());
            let (first, others) = rest.split_at(end);
            notices.extend(self.read_one(first)?);
            if others.is_empty() {
                return Ok(notices);
            }
            rest = others;
        }
    }

    fn read_one(&self, lines: &[Line]) -> Result<Vec<Notice>, NoticeError> {
        let headed = self.heads.split(lines, &self.dates).ok_or(NoticeError::NoNumber)?;
        if headed.issue_date.is_none() {
            return Err(NoticeError::NoDate);
        }
        let mut notices = self.by_form(&headed);
        let Some(last) = notices.last_mut() else { return Err(NoticeError::NoForm) };
        let end = lines.last().map_or(0, |line| line.number);
        let missing =
            headed.missing.iter().map(|title| unresolved(end, title.as_str(), "通知中提到，正文中没有"));
        last.unresolved.extend(missing);
        if let Some(line) = headed.cut_off {
            last.unresolved.push(unresolved(line.number, line.text.as_str(), "原文可能在此中断"));
        }
        Ok(notices)
    }

    fn by_form(&self, headed: &Headed<'_>) -> Vec<Notice> {
        let title = headed.title.as_str();
        if title.ends_with("批复") || title.ends_with("复函") {
            return self.reply(headed).into_iter().collect();
        }
        let divides = title.contains("分工") && !title.contains("任务") && !title.contains("方案");
        if division::is_division(headed.letter, divides) {
            let mut notice = empty(headed, "", Kind::Division);
            (notice.portfolios, notice.pairs) = division::read(headed.letter, divides, &self.pairs);
            return vec![notice];
        }
        if title.contains("应急预案") {
            return self.emergency(headed);
        }
        if ["成立", "组建", "调整", "设立", "建立"].iter().any(|word| title.contains(word))
            && let Some(notice) = self.group(headed)
        {
            return vec![notice];
        }
        let parts = headed.parts.iter().map(|(part, lines)| (part.as_str(), *lines));
        let letter = std::iter::once(("", headed.letter));
        let notices: Vec<Notice> = parts.filter_map(|(part, lines)| self.plan(headed, part, lines)).collect();
        if !notices.is_empty() {
            return notices;
        }
        letter
            .filter_map(|(part, lines)| self.plan(headed, part, lines))
            .chain(self.group(headed))
            .take(1)
            .collect()
    }

    fn context(&self, headed: &Headed<'_>, part: &str) -> Context<'_> {
        let issued = headed.issue_date.and_then(|date| u32::try_from(date.year()).ok());
        let years = self
            .dates
            .years_in(part)
            .or_else(|| self.dates.years_in(&headed.title))
            .or_else(|| issued.map(|year| (year, year)));
        // In a plan for several years a month without one is of the year it is issued in.
        let year =
            years.map(|(first, last)| issued.filter(|year| (first..=last).contains(year)).unwrap_or(first));
        let until = years.map(|(_, last)| last);
        Context { dates: &self.dates, windows: &self.windows, issue_date: headed.issue_date, year, until }
    }

    fn plan(&self, headed: &Headed<'_>, part: &str, lines: &[Line]) -> Option<Notice> {
        let table = Table::find(lines);
        let (end, table) = table.map_or((lines.len(), None), |(at, table)| (at, Some(table)));
        let body = header::without_attachment_marks(&lines[..end], table.is_some());
        let found = items::read(&Outline::of(&body), table.as_ref(), &self.context(headed, part));
        if found.items.is_empty() {
            return None;
        }
        let kind = if found.is_listed { Kind::TaskList } else { Kind::Plan };
        let mut notice = empty(headed, part, kind);
        notice.items = found.items;
        notice.leaders = found.leaders;
        notice.unresolved = found.unresolved;
        let founded = group::read(&self.seats, &body);
        if founded.has_head()
            && let Some(head) = founded.seats.first()
        {
            let text = head.role.as_str();
            notice.unresolved.push(unresolved(head.line, text, "文中另有机构组成人员，未读入"));
        }
        Some(notice)
    }

    fn group(&self, headed: &Headed<'_>) -> Option<Notice> {
        let attached = headed.parts.iter().flat_map(|(_, lines)| lines.iter().cloned());
        let lines: Vec<Line> = headed.letter.iter().cloned().chain(attached).collect();
        let found = group::read(&self.seats, &lines);
        if found.seats.is_empty() {
            return None;
        }
        let mut notice = empty(headed, "", Kind::Group);
        notice.unresolved = unclear_seats(&found.seats);
        (notice.seats, notice.duties, notice.mechanisms) = (found.seats, found.duties, found.mechanisms);
        Some(notice)
    }

    fn emergency(&self, headed: &Headed<'_>) -> Vec<Notice> {
        let notices = headed.parts.iter().filter_map(|(part, lines)| {
            let found = emergency::read(&self.seats, lines);
            let mut notice = empty(headed, part, Kind::EmergencyPlan);
            notice.unresolved = unclear_seats(&found.seats);
            (notice.seats, notice.duties) = (found.seats, found.duties);
            (!notice.seats.is_empty()).then_some(notice)
        });
        notices.collect()
    }

    fn reply(&self, headed: &Headed<'_>) -> Option<Notice> {
        let mut notice = empty(headed, "", Kind::Reply);
        let outline = Outline::of(headed.letter);
        let context = self.context(headed, "");
        let mut problems = Vec::new();
        notice.items = self.subjects.read(&outline, &headed.addressees, &context, &mut problems);
        notice.unresolved = problems;
        (!notice.items.is_empty()).then_some(notice)
    }
}

/// Seats whose holder is of no form that is known: they are kept as printed, and told of.
fn unclear_seats(seats: &[Seat]) -> Vec<Unresolved> {
    let unclear = seats.iter().filter_map(|seat| match &seat.holder {
        Holder::OpenClass { class } if !posts::is_open(class) => {
            Some(unresolved(seat.line, class.as_str(), "席位的写法未能识别，需要人工核对"))
        }
        // 主任由局长兼任
        Holder::Post { post, .. } if posts::is_bare(post) => {
            Some(unresolved(seat.line, post.as_str(), "席位只写了职务，没有写单位"))
        }
        Holder::Person { .. } | Holder::Post { .. } | Holder::Unit { .. } | Holder::OpenClass { .. } => None,
    });
    unclear.collect()
}

fn empty(headed: &Headed<'_>, part: &str, kind: Kind) -> Notice {
    Notice {
        document: Document {
            number: headed.number.clone(),
            title: headed.title.clone(),
            part: part.to_owned(),
            issuer: headed.issuer.clone(),
            issue_date: headed.issue_date,
        },
        kind,
        leaders: Vec::new(),
        items: Vec::new(),
        seats: Vec::new(),
        duties: Vec::new(),
        mechanisms: Vec::new(),
        portfolios: Vec::new(),
        pairs: Vec::new(),
        unresolved: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::{LARGEST, NoticeError, Reader};

    static READER: LazyLock<Reader> = LazyLock::new(|| Reader::new().unwrap());

    #[test]
    fn what_is_no_notice_is_told_apart() {
        let reader = Reader::new().unwrap();
        let number = "某市人民政府\n关于某事的通知\n某政发〔2024〕3号\n";
        for (source, error) in [
            (String::new(), NoticeError::NoNumber),
            ("购物清单\n1. 牛奶".to_owned(), NoticeError::NoNumber),
            (format!("{number}1. 推进改造。(市甲局负责)"), NoticeError::NoDate),
            (format!("{number}今天放假。\n某市人民政府\n2024年5月1日"), NoticeError::NoForm),
            ("x".repeat(LARGEST + 1), NoticeError::TooLong),
        ] {
            assert_eq!(reader.read(&source).unwrap_err(), error);
        }
    }

    /// Pieces that notices are made of, in any order.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = proptest::sample::select(vec![
            "某政发〔2024〕3号\n",
            "2024 年 5 月 1 日\n",
            "一、",
            "(一)",
            "1. ",
            "2、",
            "(12)",
            "①",
            "2. 1. 1 组织机构\n",
            "市甲局牵头负责的工作。",
            "(牵头单位:市甲局;责任单位:",
            "市乙局)",
            "组 长:王 渊 副市长\n",
            "成员单位:",
            "6月底前,",
            "年底",
            "汛期前",
            "2023年9月至",
            "11月",
            "二〇二三年十月",
            "王渊副市长:",
            "王渊同志\n",
            "王渊(副市长)",
            "总 指 挥:",
            "(一)综合组。牵头单位:",
            "职责:",
            "主任由",
            "兼任",
            "市甲局\n",
            "会同",
            "负总责",
            "完成时限:",
            "【责任单位:",
            "】",
            "附件1\n",
            "抄送:",
            "印发\n",
            "结案后",
            "六个月内",
            "(2项)",
            "分管",
            "互为AB角",
            "序号 任务 牵头单位\n",
            "序号\n任务\n责任领导\n牵头单位\n完成\n时限\n",
            "1 甲 市甲局\n",
            "(",
            ")",
            "《",
            "\n",
            " ",
            "等",
            "、",
            "和",
            "负责",
            "由",
            "要",
            "关于",
            "批复\n",
            "应急预案\n",
            "成立",
            "你局",
            "\u{3000}",
            "１２",
            "之一)",
        ]);
        proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            let _ = READER.read(&text);
        }

        #[test]
        fn nothing_like_a_notice_panics(text in pieces()) {
            for title in ["关于成立某组的通知", "关于工作分工的通知", "关于某应急预案的通知", "关于某事的批复"] {
                let _ = READER.read(&format!("{title}\n某政发〔2024〕3号\n{text}\n2024年5月1日\n{text}"));
            }
        }
    }
}
