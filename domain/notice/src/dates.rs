//! Dates in sentences: 2023年9月底前, 年底前, 上半年. A start (7月起) is not due.

use regex::{Captures, Regex};
use time::{Date, Month};

/// A clause with its date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dated {
    pub(crate) date: Date,
    /// From the date to the next one or the end of the clause.
    pub(crate) text: String,
}

/// Finds dates.
#[derive(Debug)]
pub(crate) struct Dates {
    date: Regex,
    signature: Regex,
    window: Regex,
    year: Regex,
}

/// A month without 底 or 前 is due when one of these follows: 今年6月竣工.
const DONE: [&str; 22] = [
    "竣工", "完成", "完工", "建成", "投产", "投用", "投入", "开工", "启动", "开馆", "通车", "达产", "达到",
    "实现", "启用", "运行", "交付", "验收", "全部", "基本", "力争", "具备",
];
/// What follows a start, or a mere mention.
const START: [&str; 9] = ["起", "开始", "以来", "以后", "之后", "后", "至", "-", "—"];

impl Dates {
    pub(crate) fn new() -> Result<Self, regex::Error> {
        let year = r"(?:(?P<year>\d{4})年|(?P<this>今年|当年|本年|年内)|(?P<next>明年))?";
        let month = r"(?P<month>\d{1,2})月(?:(?P<day>\d{1,2})日|(?P<part>上旬|中旬|下旬|初|底|末))?";
        let quarter = r"(?P<half>上半年|下半年)|第?(?P<quarter>[一二三四1234])季度";
        let end = r"(?P<end>年底|年末|年内|底|末|全年)";
        Ok(Dates {
            date: Regex::new(&format!(
                r"(?P<whole>\d{{4}})年,|{year}(?:{month}|(?:{quarter})(?P<closing>底|末|结束)?|{end})(?P<before>前|之前|以前|内|止)?"
            ))?,
            signature: Regex::new(r"^(\d{4})年(\d{1,2})月(\d{1,2})日$")?,
            window: Regex::new(
                r"(?P<event>[^,。;、]{2,20}?)(?:之?后|起)(?P<from>\d{1,2})(?P<fu>个月|年)(?:至|到|-|—)(?P<to>\d{1,2})(?P<tu>个月|年)(?:内|之内|以内)",
            )?,
            year: Regex::new(r"(\d{4})年")?,
        })
    }

    /// The date that a line consists of.
    pub(crate) fn signature(&self, squeezed: &str) -> Option<Date> {
        let found = self.signature.captures(squeezed)?;
        day(number(&found, 1)?, number(&found, 2)?, number(&found, 3)?)
    }

    /// The first year that a title names.
    pub(crate) fn year_in(&self, title: &str) -> Option<u32> {
        self.year.captures(title).and_then(|found| number(&found, 1))
    }

    /// `事故结案后10个月至1年内`: the event, and the months after it.
    pub(crate) fn window(&self, text: &str) -> Option<(String, u32, u32)> {
        let found = self.window.captures(text)?;
        let months = |amount: &str, unit: &str| -> Option<u32> {
            let amount: u32 = found.name(amount)?.as_str().parse().ok()?;
            Some(if found.name(unit)?.as_str() == "年" { amount * 12 } else { amount })
        };
        Some((found.name("event")?.as_str().to_owned(), months("from", "fu")?, months("to", "tu")?))
    }

    /// Every dated clause of a text whose plan is for `year`.
    pub(crate) fn all(&self, text: &str, year: u32) -> Vec<Dated> {
        let mut dated = Vec::new();
        let mut current = year;
        for sentence in text.split(['。', ';']) {
            let mut starts = Vec::new();
            for found in self.date.captures_iter(sentence) {
                let Some(whole) = found.get(0) else { continue };
                let after = &sentence[whole.end()..];
                let Some(date) = due(&found, &sentence[..whole.start()], after, &mut current, year) else {
                    continue;
                };
                starts.push((whole.start(), date));
            }
            let ends: Vec<usize> =
                starts.iter().skip(1).map(|(start, _)| *start).chain([sentence.len()]).collect();
            for (index, ((start, date), end)) in starts.into_iter().zip(ends).enumerate() {
                // What stands before the first date belongs to it: 力争今年6月竣工.
                let from = if index == 0 { 0 } else { start };
                let text = sentence.get(from..end).unwrap_or_default();
                dated.push(Dated { date, text: text.trim_matches([',', '、', ' ']).to_owned() });
            }
        }
        dated
    }
}

/// The last day that a match means, if it is something due.
fn due(found: &Captures<'_>, before: &str, after: &str, current: &mut u32, plan_year: u32) -> Option<Date> {
    let has = |name: &str| found.name(name).is_some();
    if let Some(whole) = number_named(found, "whole") {
        // 2023年,全市完成…: by the end of that year. A year that is over is only told of.
        return if whole >= plan_year { last_of(whole, 12) } else { None };
    }
    let stated = found.name("year").and_then(|year| year.as_str().parse::<u32>().ok());
    let year = match stated {
        Some(year) => year,
        None if has("next") => plan_year + 1,
        None => *current,
    };
    let starts = START.iter().any(|word| after.starts_with(word));
    let is_before = has("before");
    let is_done = || DONE.iter().any(|word| after.trim_start_matches(',').starts_with(word));
    let date = if let Some(month) = number_named(found, "month") {
        let by_the_end = matches!(part(found), Some("底" | "末")) || is_before;
        let is_due = by_the_end || (is_done() && !before.ends_with('至'));
        if starts || !is_due {
            return None;
        }
        match (number_named(found, "day"), part(found)) {
            (Some(of_month), _) => day(year, month, of_month)?,
            (None, Some("上旬")) => day(year, month, 10)?,
            (None, Some("中旬")) => day(year, month, 20)?,
            (None, Some(_) | None) => last_of(year, month)?,
        }
    } else if has("half") || has("quarter") {
        if starts || !(has("closing") || is_before || is_done()) {
            return None;
        }
        last_of(year, closing_month(found)?)?
    } else {
        let end = found.name("end")?.as_str();
        // 底 and 末 alone mean the year's end only after a year: 2023年底.
        let of_a_year = stated.is_some() || has("this") || has("next");
        if (matches!(end, "底" | "末") && !of_a_year) || end == "全年" || starts {
            return None;
        }
        last_of(year, 12)?
    };
    if stated.is_some() {
        *current = year.max(plan_year);
    }
    Some(date)
}

fn part<'a>(found: &'a Captures<'_>) -> Option<&'a str> {
    found.name("part").map(|part| part.as_str())
}

fn closing_month(found: &Captures<'_>) -> Option<u32> {
    if let Some(half) = found.name("half") {
        return Some(if half.as_str() == "上半年" { 6 } else { 12 });
    }
    match found.name("quarter")?.as_str() {
        "一" | "1" => Some(3),
        "二" | "2" => Some(6),
        "三" | "3" => Some(9),
        "四" | "4" => Some(12),
        _ => None,
    }
}

fn number(found: &Captures<'_>, group: usize) -> Option<u32> {
    found.get(group)?.as_str().parse().ok()
}

fn number_named(found: &Captures<'_>, group: &str) -> Option<u32> {
    found.name(group)?.as_str().parse().ok()
}

fn day(year: u32, month: u32, day: u32) -> Option<Date> {
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?).ok()
}

/// The last day of a month.
pub(crate) fn last_of(year: u32, month: u32) -> Option<Date> {
    let days = Month::try_from(u8::try_from(month).ok()?).ok()?.length(i32::try_from(year).ok()?);
    day(year, month, u32::from(days))
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn dates(text: &str) -> Vec<Date> {
        Dates::new().unwrap().all(text, 2023).into_iter().map(|dated| dated.date).collect()
    }

    #[test]
    fn what_is_due_is_found() {
        for (text, expected) in [
            ("2023年9月底前,完成改造", vec![date!(2023 - 09 - 30)]),
            (
                "6月底前完成甲;9月底前,完成乙;12月底前完成丙",
                vec![date!(2023 - 06 - 30), date!(2023 - 09 - 30), date!(2023 - 12 - 31)],
            ),
            ("力争今年6月竣工投产", vec![date!(2023 - 06 - 30)]),
            ("力争5个项目年底竣工投产", vec![date!(2023 - 12 - 31)]),
            ("到年底全市达到8000个", vec![date!(2023 - 12 - 31)]),
            ("2023年底前完成排查", vec![date!(2023 - 12 - 31)]),
            ("年内开馆", vec![date!(2023 - 12 - 31)]),
            ("2月底前完成", vec![date!(2023 - 02 - 28)]),
            ("2024年2月底前完成甲,3月15日前完成乙", vec![date!(2024 - 02 - 29), date!(2024 - 03 - 15)]),
            ("上半年完成,三季度末验收", vec![date!(2023 - 06 - 30), date!(2023 - 09 - 30)]),
            ("到2025年底达到90%", vec![date!(2025 - 12 - 31)]),
            ("2023年,全市完成50个", vec![date!(2023 - 12 - 31)]),
        ] {
            assert_eq!(dates(text), expected, "{text}");
        }
    }

    #[test]
    fn starts_mentions_and_figures_are_not_due() {
        for text in [
            "7月起实施",
            "2022年未完成建设任务",
            "2022年,全市完成50个",
            "2021年11月9日印发的预案",
            "5月至9月开展",
            "对月底数据",
            "一月一通报、一季一评比、半年一交账",
            "全年新增10万户",
            "99月底前",
        ] {
            assert_eq!(dates(text), Vec::<Date>::new(), "{text}");
        }
    }

    #[test]
    fn each_date_has_its_clause() {
        let found = Dates::new().unwrap().all("对甲,6月底前完成,9月底前验收;余下的另行安排。", 2023);
        let texts: Vec<_> = found.iter().map(|dated| dated.text.as_str()).collect();
        assert_eq!(texts, ["对甲,6月底前完成", "9月底前验收"]);
    }

    #[test]
    fn a_window_after_an_event_is_read() {
        let dates = Dates::new().unwrap();
        assert_eq!(dates.window("事故结案后10个月至1年内,由你局牵头"), Some(("事故结案".to_owned(), 10, 12)));
        assert_eq!(dates.window("结案后尽快评估"), None);
    }
}
