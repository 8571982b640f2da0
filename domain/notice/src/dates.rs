//! Dates in sentences: 2023年9月底前, 年底前, 上半年. A start (7月起) is not due, and neither is
//! a day of every month or year.

use regex::{Captures, Regex};
use time::{Date, Month};

use crate::ordinal::chinese;

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
    years: Regex,
    vague: Regex,
}

/// A month without 底 or 前 is due when one of these follows: 今年6月竣工.
const DONE: [&str; 36] = [
    "竣工", "完成", "完工", "建成", "投产", "投用", "投入", "开工", "启动", "开馆", "通车", "达产", "达到",
    "实现", "启用", "运行", "交付", "验收", "全部", "基本", "力争", "具备", "建立", "出台", "制定", "编制",
    "上报", "办结", "销号", "清零", "封顶", "供热", "供水", "覆盖", "达标", "形成",
];
/// A year alone is due also when one of these follows: 2024年新增20户.
const IN_YEAR: [&str; 7] = ["新增", "新建", "培育", "改造", "创建", "全市", "全县"];
/// A day, or ten days, is due also when one of these follows: 10月中旬开展评估.
const ON_DAY: [&str; 9] = ["开展", "组织", "召开", "进行", "举办", "报送", "汇报", "公布", "部署"];
/// What follows a start, or a mere mention.
const START: [&str; 11] = ["起", "开始", "以来", "以后", "之后", "后", "至", "-", "—", "–", "~"];
/// What stands between the two ends of a period.
const TO: [char; 6] = ['至', '到', '-', '—', '–', '~'];
/// What comes again has no last day.
const AGAIN: [&str; 5] = ["每年", "每月", "每季", "每半年", "每周"];

/// How a date is meant where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a sentence, which may only mention it.
    Sentence,
    /// After 完成时限: or in a column of such.
    Deadline,
}

impl Dates {
    pub(crate) fn new() -> Result<Self, regex::Error> {
        let number = r"\d{1,2}|[一二三四五六七八九十]{1,3}";
        let digits = "[〇○零一二三四五六七八九0]";
        let year = format!(
            r"(?:(?P<year>\d{{4}}|{digits}{{4}})年|(?P<this>今年|当年|本年|年内)|(?P<next>明年|次年|翌年))?"
        );
        let month =
            format!(r"(?P<month>{number})月份?(?:(?P<day>{number})日|(?P<part>上旬|中旬|下旬|初|底|末))?");
        let quarter = r"(?P<half>上半年|下半年)|第?(?P<quarter>[一二三四1234])季度";
        let hour = r"(?:\(星期.\))?(?:下班|(?:上午|中午|下午)?\d{1,2}(?:时|点|:\d{2}))?";
        let end = r"(?P<end>年底|年末|年内|底|末|全年)";
        Ok(Dates {
            date: Regex::new(&format!(
                r"(?P<whole>\d{{4}})年,|{year}(?:{month}|(?:{quarter})(?P<closing>底|末|结束)?|{end}){hour}(?P<before>前|之前|以前|内|止)?|(?P<bare>\d{{4}})年"
            ))?,
            signature: Regex::new(&format!(
                r"^(?:\p{{Han}}{{2,20}}(?:政府|办公室|办公厅|委员会|指挥部))?(\d{{4}}|{digits}{{4}})年({number})月({number})日$"
            ))?,
            years: Regex::new(r"(\d{4})年?(?:[-—–~至](\d{4}))?年")?,
            vague: Regex::new(
                r"(?:汛期|供暖[季期]|采暖[季期]|春节|国庆节?|中秋节?|元旦|五一|开学|入冬|封冻期?|雨季|春耕|[本当]月底|季末)(?:来临|到来|开始)?(?:之前|以前|前)",
            )?,
        })
    }

    /// The date that a line consists of, or ends with after who signs.
    pub(crate) fn signature(&self, squeezed: &str) -> Option<Date> {
        let found = self.signature.captures(squeezed)?;
        day(number(&found[1])?, number(&found[2])?, number(&found[3])?)
    }

    /// The first year that a title names, or the first and the last of several: 2023-2025年.
    pub(crate) fn years_in(&self, title: &str) -> Option<(u32, u32)> {
        let found = self.years.captures(title)?;
        let first = number(&found[1])?;
        Some((first, found.get(2).and_then(|last| number(last.as_str())).unwrap_or(first)))
    }

    /// Every dated clause of a text whose plan is for `year`.
    pub(crate) fn all(&self, text: &str, year: u32) -> Vec<Dated> {
        self.find(text, year, Place::Sentence)
    }

    /// The dates of what stands after 完成时限.
    pub(crate) fn deadlines(&self, text: &str, year: u32) -> Vec<Dated> {
        self.find(text, year, Place::Deadline)
    }

    /// Words such as 汛期前, in a clause that has no date: only a person can say the day.
    pub(crate) fn vague<'a>(&self, text: &'a str, year: u32) -> Option<&'a str> {
        text.split(['。', ';', ',']).find_map(|sentence| {
            let found = self.vague.find(sentence)?;
            self.all(sentence, year).is_empty().then(|| found.as_str())
        })
    }

    fn find(&self, text: &str, year: u32, place: Place) -> Vec<Dated> {
        let mut dated = Vec::new();
        let mut current = year;
        for sentence in text.split(['。', ';']) {
            let mut starts = Vec::new();
            for found in self.date.captures_iter(sentence) {
                let Some(whole) = found.get(0) else { continue };
                let around = (&sentence[..whole.start()], &sentence[whole.end()..]);
                let Some(date) = due(&found, around, &mut current, year, place) else { continue };
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

/// The last day that a match means, if it is something due; `around` is what stands before it
/// and after it in the sentence.
fn due(
    found: &Captures<'_>,
    (before, after): (&str, &str),
    current: &mut u32,
    plan_year: u32,
    place: Place,
) -> Option<Date> {
    let has = |name: &str| found.name(name).is_some();
    let follows = |words: &[&str]| words.iter().any(|word| after.trim_start_matches(',').starts_with(word));
    let is_deadline = place == Place::Deadline;
    if let Some(whole) = number_named(found, "whole") {
        // 2023年,全市完成…: by the end of that year. A year that is over is only told of.
        return if whole >= plan_year { last_of(whole, 12) } else { None };
    }
    if let Some(bare) = number_named(found, "bare") {
        let is_due = is_deadline || follows(&DONE) || follows(&IN_YEAR);
        let is_measure = before.ends_with('比') || before.ends_with('较');
        return if bare >= plan_year && is_due && !is_measure { last_of(bare, 12) } else { None };
    }
    let clause = before.rsplit([',', '(', ':']).next().unwrap_or_default();
    if AGAIN.iter().any(|word| clause.contains(word)) {
        return None;
    }
    let stated = found.name("year").and_then(|year| number(year.as_str()));
    let year = match stated {
        Some(year) => year,
        None if has("next") => plan_year + 1,
        None => *current,
    };
    let ends_period = ends_period(before);
    if stated.is_some() || ends_period {
        // The end of a period is in the year of its start, though that be over.
        *current = if after.starts_with(TO) { year } else { year.max(plan_year) };
    }
    if ends_period && year < plan_year {
        return None;
    }
    let starts = START.iter().any(|word| after.starts_with(word));
    let is_due = || ends_period || is_deadline || has("before") || follows(&DONE);
    if let Some(month) = number_named(found, "month") {
        let by_the_end = match part(found) {
            Some("底" | "末") => true,
            Some("上旬" | "中旬" | "下旬") => follows(&ON_DAY),
            Some(_) | None => has("day") && follows(&ON_DAY),
        };
        if starts || !(by_the_end || is_due()) {
            return None;
        }
        match (number_named(found, "day"), part(found)) {
            (Some(of_month), _) => day(year, month, of_month),
            (None, Some("上旬")) => day(year, month, 10),
            (None, Some("中旬")) => day(year, month, 20),
            (None, Some(_) | None) => last_of(year, month),
        }
    } else if has("half") || has("quarter") {
        if starts || !(has("closing") || is_due()) {
            return None;
        }
        last_of(year, closing_month(found)?)
    } else {
        let end = found.name("end")?.as_str();
        // 底 and 末 alone mean the year's end only after a year: 2023年底.
        let of_a_year = stated.is_some() || has("this") || has("next");
        // 一年内 is a span of time.
        let is_span = end == "年内"
            && before
                .ends_with(|last: char| last.is_ascii_digit() || "一二两三四五六七八九十半".contains(last));
        if (matches!(end, "底" | "末") && !of_a_year) || end == "全年" || starts || is_span {
            return None;
        }
        last_of(year, 12)
    }
}

/// Whether what comes next is the end of a period: 9月至, 1-.
fn ends_period(before: &str) -> bool {
    let Some(first) = before.strip_suffix(TO) else { return false };
    first
        .trim_end_matches(TO)
        .ends_with(|last: char| last.is_ascii_digit() || "月日旬初底年度份".contains(last))
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

/// A number in Arabic or Chinese numerals; a year is read digit by digit.
fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    if text.chars().count() < 4 {
        return chinese(text);
    }
    let digit = |one: char| match one {
        '0' | '○' | '零' => Some(0),
        other => {
            "〇一二三四五六七八九".chars().zip(0..).find(|(digit, _)| *digit == other).map(|(_, value)| value)
        }
    };
    text.chars().try_fold(0_u32, |year, one| Some(year * 10 + digit(one)?))
}

fn number_named(found: &Captures<'_>, group: &str) -> Option<u32> {
    number(found.name(group)?.as_str())
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
            (
                "9月15日(星期五)下班前报送;9月30日24时前完成",
                vec![date!(2023 - 09 - 15), date!(2023 - 09 - 30)],
            ),
            ("10月1日前安装", vec![date!(2023 - 10 - 01)]),
            ("第三季度末检修", vec![date!(2023 - 09 - 30)]),
            ("二〇二三年十月底前宣传,十二月二十日前总结", vec![date!(2023 - 10 - 31), date!(2023 - 12 - 20)]),
            ("10月中旬开展评估,10月25日召开会议", vec![date!(2023 - 10 - 20), date!(2023 - 10 - 25)]),
            ("10月中旬完成调试;8月上旬建立台账", vec![date!(2023 - 10 - 20), date!(2023 - 08 - 10)]),
            ("2023年9月至11月,开展调试", vec![date!(2023 - 11 - 30)]),
            ("5月至9月开展", vec![date!(2023 - 09 - 30)]),
            ("2024年9月至11月开展", vec![date!(2024 - 11 - 30)]),
            ("2023年8月20日-9月30日整治,8月20日前部署", vec![date!(2023 - 09 - 30), date!(2023 - 08 - 20)]),
            ("自7月10日至7月31日自查", vec![date!(2023 - 07 - 31)]),
            ("1-9月份完成80%", vec![date!(2023 - 09 - 30)]),
            ("2023年11月至次年3月供热,明年4月底前总结", vec![date!(2024 - 03 - 31), date!(2024 - 04 - 30)]),
            ("2024年培育20户,力争2025年实现翻番", vec![date!(2024 - 12 - 31), date!(2025 - 12 - 31)]),
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
            "每月5日前报送",
            "每年11月15日至次年3月15日为供暖期,每季度末月25日前报送,每年年底前总结",
            "2022年1月至12月累计完成",
            "2022年9月印发的方案",
            "7月开展巡查,7月1日起开展",
            "结案后1年内评估,三年内翻番",
            "比2023年增长20%",
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
    fn what_stands_after_a_deadline_s_label_is_due() {
        let deadlines = |text| {
            let found = Dates::new().unwrap().deadlines(text, 2023);
            found.into_iter().map(|dated| dated.date).collect::<Vec<_>>()
        };
        for (text, expected) in [
            ("2023年9月底", vec![date!(2023 - 09 - 30)]),
            ("2023年12月", vec![date!(2023 - 12 - 31)]),
            ("2023年10月31日", vec![date!(2023 - 10 - 31)]),
            ("2025年", vec![date!(2025 - 12 - 31)]),
            ("9月-11月", vec![date!(2023 - 11 - 30)]),
            ("持续推进", vec![]),
            ("7月起", vec![]),
        ] {
            assert_eq!(deadlines(text), expected, "{text}");
        }
    }

    #[test]
    fn a_deadline_without_a_day_is_told_of() {
        let dates = Dates::new().unwrap();
        assert_eq!(dates.vague("完成3处,汛期来临前完工。", 2023), Some("汛期来临前"));
        assert_eq!(dates.vague("9月底前完成80%,供暖季前完工", 2023), Some("供暖季前"));
        assert_eq!(dates.vague("汛期前的5月底前完成", 2023), None);
        assert_eq!(dates.years_in("行动计划(2023-2025年)"), Some((2023, 2025)));
        assert_eq!(dates.years_in("2023年计划"), Some((2023, 2023)));
    }
}
