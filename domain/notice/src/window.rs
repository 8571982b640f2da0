//! Time after an event: 事故结案后10个月至1年内, 结案后六个月内; and after the day of the notice:
//! 自批复之日起30日内.

use regex::{Captures, Regex};
use time::{Date, Duration};

use crate::dates::last_of;
use crate::notice::Window;
use crate::ordinal::chinese;

/// Finds times after something.
#[derive(Debug)]
pub(crate) struct Windows {
    between: Regex,
    within: Regex,
    from_issue: Regex,
}

/// What may stand before an event in its clause.
const BEFORE: [char; 5] = ['在', '自', '于', '待', '从'];

impl Windows {
    pub(crate) fn new() -> Result<Self, regex::Error> {
        let event = r"(?P<event>[^,。;、:]{2,30}?)(?:之日起|之?后|起)的?";
        let number = r"\d{1,3}|[一二两三四五六七八九十]{1,3}|半";
        let unit = "个月|年";
        Ok(Windows {
            between: Regex::new(&format!(
                r"{event}(?P<from>{number})(?P<fu>{unit})?(?:至|到|-|—)(?P<to>{number})(?P<tu>{unit})"
            ))?,
            within: Regex::new(&format!(r"{event}(?P<to>{number})(?P<tu>{unit})(?:内|之内|以内)"))?,
            from_issue: Regex::new(&format!(
                r"(?:印发|发布|下发|批复|本通知|发文|公布|函复)之日起(?P<to>{number})(?P<tu>个?工作日|日|天|{unit})(?:内|之内|以内)"
            ))?,
        })
    }

    /// The event, and the months after it.
    pub(crate) fn after_event(&self, text: &str) -> Option<Window> {
        if self.from_issue.is_match(text) {
            return None;
        }
        let found = self.between.captures(text).or_else(|| self.within.captures(text))?;
        let to_unit = found.name("tu")?.as_str();
        let latest_months = months(&found, "to", to_unit)?;
        let earliest_months = match found.name("from") {
            Some(_) => months(&found, "from", found.name("fu").map_or(to_unit, |unit| unit.as_str()))?,
            None => 0,
        };
        let whole = found.name("event")?.as_str();
        let event = whole.rsplit(BEFORE).next().filter(|event| event.chars().count() >= 2).unwrap_or(whole);
        // 7月起3个月内 is no event.
        let is_event = !event.ends_with(['月', '日', '年']);
        is_event.then(|| Window { event: event.to_owned(), earliest_months, latest_months })
    }

    /// The day some days, months or years after that of the notice.
    pub(crate) fn after_issue(&self, text: &str, issued: Date) -> Option<Date> {
        let found = self.from_issue.captures(text)?;
        let unit = &found["tu"];
        if unit.ends_with("工作日") {
            // These are counted by a calendar that is not here.
            return None;
        }
        if matches!(unit, "日" | "天") {
            let days = amount(found.name("to")?.as_str())?;
            return issued.checked_add(Duration::days(i64::from(days)));
        }
        let months = months(&found, "to", unit)? + u32::from(u8::from(issued.month())) - 1;
        let year = u32::try_from(issued.year()).ok()? + months / 12;
        let last = last_of(year, months % 12 + 1)?;
        last.replace_day(issued.day().min(last.day())).ok()
    }
}

fn months(found: &Captures<'_>, name: &str, unit: &str) -> Option<u32> {
    let text = found.name(name)?.as_str();
    if text == "半" {
        return (unit == "年").then_some(6);
    }
    let amount = amount(text)?;
    Some(if unit == "年" { amount * 12 } else { amount })
}

fn amount(text: &str) -> Option<u32> {
    if text == "两" { Some(2) } else { text.parse().ok().or_else(|| chinese(text)) }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_window_after_an_event_is_read() {
        let windows = Windows::new().unwrap();
        for (text, event, earliest, latest) in [
            ("事故结案后10个月至1年内,由你局牵头", "事故结案", 10, 12),
            ("工程完工后3个月至6个月,由市甲局验收", "工程完工", 3, 6),
            ("整改完工后3至6个月内评估", "整改完工", 3, 6),
            ("请某县人民政府在结案后六个月内完成", "结案", 0, 6),
            ("自项目竣工之日起半年内备案", "项目竣工", 0, 6),
            ("应当在投用后两年内评估", "投用", 0, 24),
        ] {
            let found = windows.after_event(text).unwrap();
            assert_eq!(
                (found.event.as_str(), found.earliest_months, found.latest_months),
                (event, earliest, latest)
            );
        }
        for text in ["结案后尽快评估", "7月起3个月内完成", "事故发生后1小时内报告", "自批复之日起30日内公布"]
        {
            assert_eq!(windows.after_event(text), None, "{text}");
        }
    }

    #[test]
    fn days_after_the_notice_are_counted() {
        let windows = Windows::new().unwrap();
        let issued = date!(2023 - 09 - 01);
        assert_eq!(windows.after_issue("自批复之日起30日内公布", issued), Some(date!(2023 - 10 - 01)));
        assert_eq!(
            windows.after_issue("于本批复印发之日起三个月内完成", date!(2023 - 11 - 30)),
            Some(date!(2024 - 02 - 29))
        );
        assert_eq!(windows.after_issue("自印发之日起5个工作日内", issued), None);
    }
}
