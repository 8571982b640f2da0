//! [`Rule`]: the stages of 13710 as versioned data. The provincial rule of 2016 does not
//! say which days count, when a clock starts or when a light turns; a version does.

use domain_calendar::{Calendar, Certainty, Timestamp};
use serde::{Deserialize, Serialize};
use time::{Date, Duration, Month};

use crate::task::Grade;

/// Which days a limit in days counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DayKind {
    /// 自然日.
    Natural,
    /// 工作日, by the State Council's calendar; a limit in months that ends on a rest day
    /// ends on the next working day.
    Working,
}

/// A limit, counted from the day a clock starts, which is day zero. It ends with its last
/// day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Span {
    /// Days of the rule's kind; zero is the same day.
    Days(u32),
    /// Calendar months: the same day of a later month, or that month's last day.
    Months(u32),
}

/// How often a long-term matter is reported on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cycle {
    /// 每周.
    Weekly,
    /// 每月.
    Monthly,
    /// 每季度.
    Quarterly,
}

/// One version of the rule. A task keeps the version it was issued under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Counted from one.
    pub version: u32,
    /// Which days count.
    pub day_kind: DayKind,
    /// 签收.
    pub sign_within: Span,
    /// 部署 (the first 1).
    pub deploy_within: Span,
    /// 反馈 (the 3).
    pub report_within: Span,
    /// 办结 of an ordinary matter (the 7).
    pub ordinary_settled_within: Span,
    /// 办结 of a major matter (the second 1).
    pub major_settled_within: Span,
    /// A named last day further off than this makes a matter a long-term one.
    pub long_term_beyond: Span,
    /// Reports on a long-term matter.
    pub long_term_cycle: Cycle,
    /// Yellow begins when less than this share of the time is left, in percent …
    pub yellow_percent: u32,
    /// … or less than this many hours, whichever comes first.
    pub yellow_at_least_hours: u32,
    /// A settle clock shorter than this many hours has no yellow.
    pub no_yellow_below_hours: u32,
}

/// The last day of each stage for one start; what is not owed is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastDays {
    pub(crate) sign: Date,
    pub(crate) deploy: Option<Date>,
    pub(crate) report: ReportLimit,
    pub(crate) settle: Date,
    /// The calendar the days were counted by may still change.
    pub(crate) provisional: bool,
}

/// When progress is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReportLimit {
    /// Once, by the end of a day.
    Once(Date),
    /// In every cycle, counted from the day the clock started.
    Every(Cycle),
}

impl Rule {
    /// Version 1: the public rule with the defaults chosen for what it leaves open.
    pub fn version_1() -> Self {
        Self {
            version: 1,
            day_kind: DayKind::Natural,
            sign_within: Span::Days(0),
            deploy_within: Span::Days(0),
            report_within: Span::Days(3),
            ordinary_settled_within: Span::Days(7),
            major_settled_within: Span::Months(1),
            long_term_beyond: Span::Months(1),
            long_term_cycle: Cycle::Monthly,
            yellow_percent: 20,
            yellow_at_least_hours: 24,
            no_yellow_below_hours: 72,
        }
    }

    /// The last day of each stage of a clock that starts on a day.
    pub(crate) fn last_days(
        &self,
        start: Date,
        grade: Grade,
        due_date: Option<Date>,
        calendar: &Calendar,
    ) -> LastDays {
        let far = due_date.is_some_and(|due| due > self.last_day(start, self.long_term_beyond, calendar));
        let sign = self.last_day(start, self.sign_within, calendar);
        let named_or = |within| due_date.unwrap_or_else(|| self.last_day(start, within, calendar));
        let settle = match grade {
            Grade::Ordinary => named_or(self.ordinary_settled_within),
            Grade::Major => named_or(self.major_settled_within),
            Grade::LongTerm => due_date.unwrap_or_else(|| end_of_year(start)),
        };
        let provisional = match self.day_kind {
            DayKind::Natural => false,
            DayKind::Working => {
                [start, settle].into_iter().any(|day| calendar.certainty(day) == Certainty::Provisional)
            }
        };
        if grade == Grade::LongTerm || far {
            let report = ReportLimit::Every(self.long_term_cycle);
            LastDays { sign, deploy: None, report, settle, provisional }
        } else {
            let deploy = Some(self.last_day(start, self.deploy_within, calendar));
            let report = ReportLimit::Once(self.last_day(start, self.report_within, calendar));
            LastDays { sign, deploy, report, settle, provisional }
        }
    }

    fn last_day(&self, start: Date, within: Span, calendar: &Calendar) -> Date {
        match (within, self.day_kind) {
            (Span::Days(days), DayKind::Natural) => later_by_days(start, days),
            (Span::Days(days), DayKind::Working) => calendar.working_days_after(start, days),
            (Span::Months(months), DayKind::Natural) => later_by_months(start, months),
            (Span::Months(months), DayKind::Working) => {
                calendar.working_day_from(later_by_months(start, months))
            }
        }
    }
}

impl Default for Rule {
    fn default() -> Self {
        Self::version_1()
    }
}

impl Cycle {
    /// The last day of the n-th cycle, counted from one.
    pub(crate) fn last_day(self, start: Date, number: u32) -> Date {
        match self {
            Self::Weekly => later_by_days(start, number.saturating_mul(7)),
            Self::Monthly => later_by_months(start, number),
            Self::Quarterly => later_by_months(start, number.saturating_mul(3)),
        }
    }
}

/// The instant a day is over: officials read 23:59:59, the half-open interval ends at the
/// next midnight of Asia/Shanghai.
pub(crate) fn end_of(day: Date) -> Timestamp {
    day.next_day().map_or(Timestamp::MAX, Timestamp::start_of_day)
}

/// Where a plan names no date at all, it means the end of its year.
fn end_of_year(day: Date) -> Date {
    Date::from_calendar_date(day.year(), Month::December, 31).unwrap_or(Date::MAX)
}

fn later_by_days(day: Date, days: u32) -> Date {
    day.checked_add(Duration::days(i64::from(days))).unwrap_or(Date::MAX)
}

fn later_by_months(day: Date, months: u32) -> Date {
    let passed = (day.month() as u32 - 1).saturating_add(months);
    let year = i32::try_from(passed / 12).ok().and_then(|years| day.year().checked_add(years));
    let month = (0..passed % 12).fold(Month::January, |month, _| month.next());
    year.and_then(|year| Date::from_calendar_date(year, month, day.day().min(month.length(year))).ok())
        .unwrap_or(Date::MAX)
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_month_ends_on_the_same_day_or_the_months_last() {
        assert_eq!(later_by_months(date!(2023 - 09 - 20), 1), date!(2023 - 10 - 20));
        assert_eq!(later_by_months(date!(2023 - 01 - 31), 1), date!(2023 - 02 - 28));
        assert_eq!(later_by_months(date!(2023 - 12 - 31), 2), date!(2024 - 02 - 29));
        assert_eq!(later_by_months(date!(2023 - 12 - 01), u32::MAX), Date::MAX);
    }

    #[test]
    fn the_day_of_issue_is_day_zero() {
        let calendar = Calendar::built_in();
        let days = Rule::version_1().last_days(date!(2023 - 06 - 01), Grade::Ordinary, None, &calendar);
        assert_eq!(days.sign, date!(2023 - 06 - 01));
        assert_eq!(days.deploy, Some(date!(2023 - 06 - 01)));
        assert_eq!(days.report, ReportLimit::Once(date!(2023 - 06 - 04)));
        assert_eq!(days.settle, date!(2023 - 06 - 08));
        assert_eq!(end_of(days.settle), Timestamp::parse("2023-06-09T00:00+08:00").unwrap());
    }

    #[test]
    fn a_date_more_than_a_month_away_makes_it_long_term() {
        let (calendar, rule) = (Calendar::built_in(), Rule::version_1());
        let start = date!(2023 - 06 - 01);
        let near = rule.last_days(start, Grade::Ordinary, Some(date!(2023 - 07 - 01)), &calendar);
        assert_eq!(near.report, ReportLimit::Once(date!(2023 - 06 - 04)));
        let far = rule.last_days(start, Grade::Ordinary, Some(date!(2023 - 07 - 02)), &calendar);
        assert_eq!(far.report, ReportLimit::Every(Cycle::Monthly));
        assert_eq!((far.deploy, far.settle), (None, date!(2023 - 07 - 02)));
    }

    #[test]
    fn a_long_term_matter_without_a_date_ends_with_the_year() {
        let days =
            Rule::version_1().last_days(date!(2023 - 04 - 20), Grade::LongTerm, None, &Calendar::built_in());
        assert_eq!(days.settle, date!(2023 - 12 - 31));
    }

    #[test]
    fn working_days_skip_national_day_and_count_make_up_days() {
        let rule = Rule { version: 2, day_kind: DayKind::Working, ..Rule::version_1() };
        let calendar = Calendar::built_in();
        let days = rule.last_days(date!(2023 - 09 - 27), Grade::Ordinary, None, &calendar);
        assert_eq!(days.settle, date!(2023 - 10 - 12));
        assert!(!days.provisional);
        let month = rule.last_days(date!(2023 - 09 - 01), Grade::Major, None, &calendar);
        assert_eq!(month.settle, date!(2023 - 10 - 07), "1 October rolls to the first day worked");
        let unpublished = rule.last_days(date!(2024 - 12 - 20), Grade::Ordinary, None, &calendar);
        assert!(unpublished.provisional);
    }
}
