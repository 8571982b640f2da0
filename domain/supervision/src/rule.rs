//! [`Rule`]: the stages of 13710 as versioned data. The provincial rule of 2016 does not
//! say which days count, when a clock starts or when a light turns; a version does.

use std::collections::BTreeSet;

use domain_calendar::{Calendar, Certainty, Timestamp};
use serde::{Deserialize, Serialize};
use time::{Date, Duration, Month};

use crate::assignment::Stage;
use crate::ladder::LadderRule;
use crate::limits::{Decider, KindLimits, usual_deciders, usual_limits};
use crate::task::Grade;
use crate::terms::Terms;

/// Most limits that a rule sets for kinds and grades.
const MOST_LIMITS: usize = 30;

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
    /// Minutes from the start itself, by day and night. Only of emergencies.
    Minutes(u32),
}

/// At what moment a clock starts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ClockStart {
    /// 交办: when the task is issued, at whatever hour.
    #[default]
    Issued,
    /// 交办后的首个工作时刻: the first moment of office hours on a working day, not before the
    /// task is issued. Nobody is late for what came on a Friday night.
    NextWorkingMoment,
}

/// How often a long-term matter is reported on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cycle {
    /// 每日, of the days that the rule counts.
    Daily,
    /// 每周数次: the week, from the day the clock started, in so many parts of whole days.
    TimesAWeek(u32),
    /// 每周.
    Weekly,
    /// 每月.
    Monthly,
    /// 每季度.
    Quarterly,
    /// 每半年.
    HalfYearly,
}

/// One version of the rule. A task keeps the version it was issued under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Counted from one.
    pub version: u32,
    /// From when on tasks are issued under it; version 1 always was in force.
    #[serde(default = "always")]
    pub start_time: Timestamp,
    /// The document that states it.
    #[serde(default)]
    pub ground: String,
    /// At what moment its clocks start.
    #[serde(default)]
    pub clock_start: ClockStart,
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
    /// What a timer may do by itself, and who signs the heavier instruments.
    #[serde(default)]
    pub ladder: LadderRule,
    /// Who decides on an assignment: the first of these that there is.
    #[serde(default = "usual_deciders")]
    pub deciders: Vec<Decider>,
    /// The stages that are not done without evidence: a report, a completion, or both.
    #[serde(default)]
    pub evidence_at: BTreeSet<Stage>,
    /// Limits for matters of a kind or a grade, the first that fits before the others.
    #[serde(default = "usual_limits")]
    pub limits: Vec<KindLimits>,
}

/// Why a rule cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The document that states it is not named.
    #[error("the rule names no document that states it")]
    NoGround,
    /// A limit is longer than is sensible.
    #[error("a limit may have 366 days or 60 months at most")]
    SpanTooLong,
    /// A week has no such number of reports.
    #[error("a week may have from 1 to 7 reports")]
    TimesAWeek,
    /// Yellow is no share of the time.
    #[error("yellow begins at a share from 0 to 100 percent, and at most 8784 hours before the end")]
    Yellow,
    /// Nobody decides, or somebody twice.
    #[error("the deciders must be named, each once")]
    Deciders,
    /// Evidence is wanted of a step that says nothing.
    #[error("evidence is given with a report or a completion")]
    Evidence,
    /// Limits that set nothing, or for nothing.
    #[error("limits are for a kind or a grade, and set at least one stage; at most 30 are accepted")]
    LimitsOfNothing,
    /// A limit in minutes of something that begins at no stated minute.
    #[error("limits in minutes are for emergencies, 10080 at most")]
    Minutes,
    /// A timer urges too often, or too soon.
    #[error("a timer urges at most 10 times of a step, from 1 to 720 hours apart")]
    Urgings,
    /// What only a leader decides on would be decided by others.
    #[error("an interview, a public notice and a referral need a leader's decision")]
    LeaderSigns,
    /// It would have been in force before it was recorded.
    #[error("a rule is in force from the moment it is recorded at the earliest")]
    Past,
}

impl RuleError {
    /// For officials.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::NoGround => "请填写规则所依据的文件",
            Self::SpanTooLong => "时限最长为366天或60个月",
            Self::TimesAWeek => "每周反馈次数应为1至7次",
            Self::Yellow => "黄灯比例应在0至100之间，提前量最长8784小时",
            Self::Deciders => "请列明由谁决定，不得重复",
            Self::Evidence => "只有反馈和办结可以要求附证明材料",
            Self::LimitsOfNothing => "分类时限应写明事项类别或等级和至少一个环节的时限，最多30条",
            Self::Minutes => "以分钟计的时限只用于突发事件，最长10080分钟",
            Self::Urgings => "同一环节由系统催办最多10次，间隔应为1至720小时",
            Self::LeaderSigns => "约谈、通报和问责移送须由领导决定",
            Self::Past => "规则的生效时间不得早于登记时间",
        }
    }
}

/// The end of each stage for one start; what is not owed is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) sign: Timestamp,
    pub(crate) deploy: Option<Timestamp>,
    pub(crate) report: ReportLimit,
    pub(crate) settle: Timestamp,
    /// The day on which it is to be settled at the latest.
    pub(crate) settle_day: Date,
    /// The calendar the days were counted by may still change.
    pub(crate) provisional: bool,
}

/// When progress is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReportLimit {
    /// Once, by an instant.
    Once(Timestamp),
    /// In every cycle, counted from the day the clock started.
    Every(Cycle),
    /// Never: it is only to be done at its time.
    Never,
}

impl Rule {
    /// Version 1: the public rule with the defaults chosen for what it leaves open.
    pub fn version_1() -> Self {
        Self {
            version: 1,
            start_time: always(),
            ground: "山西省13710工作制度".to_owned(),
            clock_start: ClockStart::Issued,
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
            ladder: LadderRule::default(),
            deciders: usual_deciders(),
            evidence_at: BTreeSet::new(),
            limits: usual_limits(),
        }
    }

    /// Refuses a rule that could not be meant, or that is to be in force before `now`.
    pub fn check(&self, now: Timestamp) -> Result<(), RuleError> {
        let spans = [
            self.sign_within,
            self.deploy_within,
            self.report_within,
            self.ordinary_settled_within,
            self.major_settled_within,
            self.long_term_beyond,
        ];
        let limits = || self.limits.iter().flat_map(KindLimits::spans);
        let too_long = |span: &Span| match span {
            Span::Days(days) => *days > 366,
            Span::Months(months) => *months > 60,
            Span::Minutes(minutes) => *minutes > 10_080,
        };
        let deciders: BTreeSet<_> = self.deciders.iter().collect();
        let hours = [self.yellow_at_least_hours, self.no_yellow_below_hours];
        if self.ground.trim().is_empty() {
            Err(RuleError::NoGround)
        } else if spans.iter().any(|span| matches!(span, Span::Minutes(_))) {
            Err(RuleError::Minutes)
        } else if spans.iter().copied().chain(limits()).any(|span| too_long(&span)) {
            Err(RuleError::SpanTooLong)
        } else if self.limits.len() > MOST_LIMITS {
            Err(RuleError::LimitsOfNothing)
        } else if let Some(error) = self.limits.iter().find_map(|one| one.check().err()) {
            Err(error)
        } else if deciders.is_empty() || deciders.len() != self.deciders.len() {
            Err(RuleError::Deciders)
        } else if self.evidence_at.iter().any(|stage| matches!(stage, Stage::Sign | Stage::Deploy)) {
            Err(RuleError::Evidence)
        } else if matches!(self.long_term_cycle, Cycle::TimesAWeek(times) if !(1..=7).contains(&times)) {
            Err(RuleError::TimesAWeek)
        } else if self.yellow_percent > 100 || hours.into_iter().any(|hours| hours > 8_784) {
            Err(RuleError::Yellow)
        } else if let Err(error) = self.ladder.check() {
            Err(error)
        } else if self.start_time < now {
            Err(RuleError::Past)
        } else {
            Ok(())
        }
    }

    /// Whether its due times depend on the calendar.
    pub fn needs_calendar(&self) -> bool {
        self.day_kind == DayKind::Working || self.clock_start == ClockStart::NextWorkingMoment
    }

    /// When a clock starts of what was issued at an instant.
    pub(crate) fn start(&self, issued_at: Timestamp, calendar: &Calendar) -> Timestamp {
        match self.clock_start {
            ClockStart::Issued => issued_at,
            ClockStart::NextWorkingMoment => calendar.next_working_moment(issued_at),
        }
    }

    /// The end of each stage of a clock that starts at an instant, of a matter of a grade and on
    /// terms, with the last day that is named for it, if one is.
    pub(crate) fn ends(
        &self,
        start: Timestamp,
        (grade, terms): (Grade, &Terms),
        due_date: Option<Date>,
        calendar: &Calendar,
    ) -> Ends {
        let day = start.day();
        let limits = self.limits_of(grade, terms.kind);
        let beyond = self.last_day(day, self.long_term_beyond, calendar);
        let far = due_date.is_some_and(|due| due > beyond);
        let counted = |within| self.end(start, within, calendar);
        let sign = counted(limits.sign);
        // A day that is named is not counted, but whether it is far is.
        let (settle, last_counted) = match (due_date, limits.settle) {
            (Some(due), _) => (end_of(due), beyond),
            (None, Some(within)) => (counted(within), last_day_before(counted(within))),
            (None, None) => (end_of(end_of_year(day)), last_day_before(sign)),
        };
        let (deploy, report, steps_end) = if terms.awaits.is_some() {
            (None, ReportLimit::Never, sign)
        } else if far || (grade == Grade::LongTerm && !terms.are_urgent()) {
            (None, ReportLimit::Every(self.long_term_cycle), sign)
        } else {
            let (deploy, report) = (counted(limits.deploy), counted(limits.report));
            (Some(deploy), ReportLimit::Once(report), deploy.max(report))
        };
        let provisional = self.needs_calendar()
            && [day, last_day_before(sign), last_day_before(steps_end), last_counted]
                .into_iter()
                .any(|day| calendar.certainty(day) == Certainty::Provisional);
        Ends { sign, deploy, report, settle, settle_day: last_day_before(settle), provisional }
    }

    /// The end of a limit that is counted from an instant.
    pub(crate) fn end(&self, start: Timestamp, within: Span, calendar: &Calendar) -> Timestamp {
        match within {
            Span::Minutes(minutes) => start.saturating_add(minutes_long(minutes)),
            Span::Days(_) | Span::Months(_) => end_of(self.last_day(start.day(), within, calendar)),
        }
    }

    pub(crate) fn last_day(&self, start: Date, within: Span, calendar: &Calendar) -> Date {
        match (within, self.day_kind) {
            (Span::Days(days), DayKind::Natural) => later_by_days(start, days),
            (Span::Days(days), DayKind::Working) => calendar.working_days_after(start, days),
            (Span::Months(months), DayKind::Natural) => later_by_months(start, months),
            (Span::Months(months), DayKind::Working) => {
                calendar.working_day_from(later_by_months(start, months))
            }
            // Minutes count through every day, and end on the day they end on.
            (Span::Minutes(minutes), DayKind::Natural | DayKind::Working) => {
                later_by_days(start, minutes / 1_440)
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
    /// The last day of each cycle of a clock that starts on a day, in order. They do not end.
    pub(crate) fn last_days<'a>(
        self,
        start: Date,
        day_kind: DayKind,
        calendar: &'a Calendar,
    ) -> Box<dyn Iterator<Item = Date> + 'a> {
        let numbers = 1_u32..;
        match self {
            Self::Daily => match day_kind {
                DayKind::Natural => Box::new(numbers.map(move |number| later_by_days(start, number))),
                DayKind::Working => Box::new(
                    std::iter::successors(Some(start), |day| day.next_day())
                        .skip(1)
                        .filter(|day| calendar.is_working_day(*day)),
                ),
            },
            Self::TimesAWeek(times) => Box::new(
                numbers
                    .map(move |number| later_by_days(start, number.saturating_mul(7).div_ceil(times.max(1)))),
            ),
            Self::Weekly => {
                Box::new(numbers.map(move |number| later_by_days(start, number.saturating_mul(7))))
            }
            Self::Monthly => Box::new(numbers.map(move |number| later_by_months(start, number))),
            Self::Quarterly => {
                Box::new(numbers.map(move |number| later_by_months(start, number.saturating_mul(3))))
            }
            Self::HalfYearly => {
                Box::new(numbers.map(move |number| later_by_months(start, number.saturating_mul(6))))
            }
        }
    }
}

fn always() -> Timestamp {
    Timestamp::MIN
}

/// The instant a day is over: officials read 23:59:59, the half-open interval ends at the
/// next midnight of Asia/Shanghai.
pub(crate) fn end_of(day: Date) -> Timestamp {
    day.next_day().map_or(Timestamp::MAX, Timestamp::start_of_day)
}

/// The day that an end is the end of: midnight ends the day before.
pub(crate) fn last_day_before(end: Timestamp) -> Date {
    end.saturating_sub(std::time::Duration::from_micros(1)).day()
}

fn minutes_long(minutes: u32) -> std::time::Duration {
    std::time::Duration::from_secs(u64::from(minutes) * 60)
}

/// Where a plan names no date at all, it means the end of its year.
fn end_of_year(day: Date) -> Date {
    Date::from_calendar_date(day.year(), Month::December, 31).unwrap_or(Date::MAX)
}

pub(crate) fn later_by_days(day: Date, days: u32) -> Date {
    day.checked_add(Duration::days(i64::from(days))).unwrap_or(Date::MAX)
}

pub(crate) fn later_by_months(day: Date, months: u32) -> Date {
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

    fn ends(rule: &Rule, day: Date, grade: Grade, due_date: Option<Date>) -> Ends {
        let start = Timestamp::start_of_day(day).saturating_add(std::time::Duration::from_secs(9 * 3_600));
        rule.ends(start, (grade, &Terms::default()), due_date, &Calendar::built_in())
    }

    #[test]
    fn the_day_of_issue_is_day_zero() {
        let days = ends(&Rule::version_1(), date!(2023 - 06 - 01), Grade::Ordinary, None);
        assert_eq!(days.sign, end_of(date!(2023 - 06 - 01)));
        assert_eq!(days.deploy, Some(end_of(date!(2023 - 06 - 01))));
        assert_eq!(days.report, ReportLimit::Once(end_of(date!(2023 - 06 - 04))));
        assert_eq!(days.settle_day, date!(2023 - 06 - 08));
        assert_eq!(days.settle, Timestamp::parse("2023-06-09T00:00+08:00").unwrap());
    }

    #[test]
    fn a_date_more_than_a_month_away_makes_it_long_term() {
        let rule = Rule::version_1();
        let start = date!(2023 - 06 - 01);
        let near = ends(&rule, start, Grade::Ordinary, Some(date!(2023 - 07 - 01)));
        assert_eq!(near.report, ReportLimit::Once(end_of(date!(2023 - 06 - 04))));
        let far = ends(&rule, start, Grade::Ordinary, Some(date!(2023 - 07 - 02)));
        assert_eq!(far.report, ReportLimit::Every(Cycle::Monthly));
        assert_eq!((far.deploy, far.settle_day), (None, date!(2023 - 07 - 02)));
    }

    #[test]
    fn a_long_term_matter_without_a_date_ends_with_the_year() {
        let days = ends(&Rule::version_1(), date!(2023 - 04 - 20), Grade::LongTerm, None);
        assert_eq!(days.settle_day, date!(2023 - 12 - 31));
    }

    #[test]
    fn working_days_skip_national_day_and_count_make_up_days() {
        let rule = Rule { version: 2, day_kind: DayKind::Working, ..Rule::version_1() };
        let days = ends(&rule, date!(2023 - 09 - 27), Grade::Ordinary, None);
        assert_eq!(days.settle_day, date!(2023 - 10 - 12));
        assert!(!days.provisional);
        let month = ends(&rule, date!(2023 - 09 - 01), Grade::Major, None);
        assert_eq!(month.settle_day, date!(2023 - 10 - 07), "1 October rolls to the first day worked");
        let unpublished = ends(&rule, date!(2026 - 12 - 20), Grade::Ordinary, None);
        assert!(unpublished.provisional);
    }

    #[test]
    fn each_cycle_has_its_last_days() {
        let calendar = Calendar::built_in();
        let first = |cycle: Cycle, day_kind| -> Vec<String> {
            let days = cycle.last_days(date!(2023 - 09 - 28), day_kind, &calendar);
            days.take(3).map(|day| day.to_string()[5..].to_owned()).collect()
        };
        for (cycle, expected) in [
            (Cycle::Daily, ["09-29", "09-30", "10-01"]),
            (Cycle::TimesAWeek(2), ["10-02", "10-05", "10-09"]),
            (Cycle::TimesAWeek(7), ["09-29", "09-30", "10-01"]),
            (Cycle::Weekly, ["10-05", "10-12", "10-19"]),
            (Cycle::Monthly, ["10-28", "11-28", "12-28"]),
            (Cycle::Quarterly, ["12-28", "03-28", "06-28"]),
            (Cycle::HalfYearly, ["03-28", "09-28", "03-28"]),
        ] {
            assert_eq!(first(cycle, DayKind::Natural), expected, "{cycle:?}");
        }
        assert_eq!(first(Cycle::Daily, DayKind::Working), ["10-07", "10-08", "10-09"]);
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        let now = Timestamp::parse("2023-06-01T09:00+08:00").unwrap();
        let good = Rule { version: 2, start_time: now, ..Rule::version_1() };
        assert_eq!(good.check(now), Ok(()));
        for (rule, error) in [
            (Rule { ground: " ".into(), ..good.clone() }, RuleError::NoGround),
            (Rule { report_within: Span::Days(367), ..good.clone() }, RuleError::SpanTooLong),
            (Rule { major_settled_within: Span::Months(61), ..good.clone() }, RuleError::SpanTooLong),
            (Rule { long_term_cycle: Cycle::TimesAWeek(0), ..good.clone() }, RuleError::TimesAWeek),
            (Rule { long_term_cycle: Cycle::TimesAWeek(8), ..good.clone() }, RuleError::TimesAWeek),
            (Rule { yellow_percent: 101, ..good.clone() }, RuleError::Yellow),
            (Rule { no_yellow_below_hours: 8_785, ..good.clone() }, RuleError::Yellow),
            (Rule { start_time: Timestamp::MIN, ..good.clone() }, RuleError::Past),
        ] {
            assert_eq!(rule.check(now), Err(error));
            assert!(error.chinese().chars().any(|one| one >= '\u{4e00}'));
        }
    }

    #[test]
    fn a_rule_of_before_there_were_records_still_reads() {
        let mut json = serde_json::to_value(Rule::version_1()).unwrap();
        let fields = json.as_object_mut().unwrap();
        for field in ["startTime", "ground", "clockStart"] {
            assert!(fields.remove(field).is_some());
        }
        let read: Rule = serde_json::from_value(json).unwrap();
        assert_eq!(Rule { ground: Rule::version_1().ground, ..read }, Rule::version_1());
    }
}
