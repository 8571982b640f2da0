//! [`Calendar`]: which days are worked, and when somebody may be disturbed.

use std::collections::BTreeMap;

use time::macros::time;
use time::{Date, Month, Time};

use crate::Timestamp;
use crate::arrangement::{self, CalendarError, YearArrangement, is_weekend};

/// Office hours are 08:00–12:00 and 14:30–18:00, Asia/Shanghai. The noon break is not
/// kept apart: a notice that waits on a phone through lunch disturbs nobody.
const DAY_BEGINS: Time = time!(8:00);
const DAY_ENDS: Time = time!(18:00);

/// From this day of December on, next year's notice can still exchange days.
const UNSETTLED_FROM: u8 = 25;

/// The city's working days: the State Council's yearly notices over the plain week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    version: u32,
    years: BTreeMap<i32, YearArrangement>,
}

/// Whether a day's standing can still change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// The notice that settles the day is known.
    Published,
    /// It is not: the plain week is assumed, and what was computed from it is computed
    /// again when the notice comes out.
    Provisional,
}

/// What a day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DayStanding<'a> {
    /// From Monday to Friday, and no holiday: worked.
    Workday,
    /// A day of a weekend that is worked in exchange (调休上班).
    MakeUpDay,
    /// A day of a weekend (公休日).
    RestDay,
    /// A holiday of this name (放假).
    Holiday(&'a str),
}

impl DayStanding<'_> {
    /// Whether the day is worked.
    pub fn is_worked(self) -> bool {
        match self {
            Self::Workday | Self::MakeUpDay => true,
            Self::RestDay | Self::Holiday(_) => false,
        }
    }
}

impl Calendar {
    /// The calendar compiled in, version 1: 2004 to 2026.
    pub fn built_in() -> Self {
        let years = arrangement::built_in().map(|year| (year.year, year)).collect();
        Self { version: 1, years }
    }

    /// This calendar with one year's notice added or replaced, one version later.
    pub fn with_year(self, arrangement: YearArrangement) -> Result<Self, CalendarError> {
        arrangement.check()?;
        let version = self.version.saturating_add(1);
        Ok(self.published(arrangement, version))
    }

    /// This calendar with one year's notice added or replaced that was checked when it was
    /// recorded, as the version it made then.
    #[must_use]
    pub fn published(mut self, arrangement: YearArrangement, version: u32) -> Self {
        self.years.insert(arrangement.year, arrangement);
        self.version = version;
        self
    }

    /// Grows by one with each year published; a deadline names the version it came from.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Whether the notice for a year is known.
    pub fn is_published(&self, year: i32) -> bool {
        self.years.contains_key(&year)
    }

    /// The notice for a year.
    pub fn arrangement(&self, year: i32) -> Option<&YearArrangement> {
        self.years.get(&year)
    }

    /// The notices known, in the order of the years.
    pub fn arrangements(&self) -> impl DoubleEndedIterator<Item = &YearArrangement> {
        self.years.values()
    }

    /// Whether a day's standing can still change. The last days of December need the
    /// next year's notice too, since New Year's exchange days fall there.
    pub fn certainty(&self, day: Date) -> Certainty {
        let unsettled = day.month() == Month::December && day.day() >= UNSETTLED_FROM;
        let known = self.is_published(day.year()) && (!unsettled || self.is_published(day.year() + 1));
        if known { Certainty::Published } else { Certainty::Provisional }
    }

    /// What a day is. An unpublished year is the plain week, Monday to Friday.
    pub fn standing(&self, day: Date) -> DayStanding<'_> {
        // New Year's notice may move days of the December before it, so the later notice
        // is asked first.
        for year in [day.year() + 1, day.year()] {
            if let Some(arrangement) = self.years.get(&year) {
                if let Some(holiday) = arrangement.holiday(day) {
                    return DayStanding::Holiday(&holiday.name);
                }
                if arrangement.make_up_days.contains(&day) {
                    return DayStanding::MakeUpDay;
                }
            }
        }
        if is_weekend(day) { DayStanding::RestDay } else { DayStanding::Workday }
    }

    /// Whether a day is worked.
    pub fn is_working_day(&self, day: Date) -> bool {
        self.standing(day).is_worked()
    }

    /// The day itself when it is worked, otherwise the next that is.
    pub fn working_day_from(&self, day: Date) -> Date {
        days_from(day).find(|day| self.is_working_day(*day)).unwrap_or(Date::MAX)
    }

    /// The n-th working day after a day, which does not count itself; with zero, as
    /// [`Calendar::working_day_from`].
    pub fn working_days_after(&self, day: Date, count: u32) -> Date {
        match count.checked_sub(1).and_then(|skipped| usize::try_from(skipped).ok()) {
            None => self.working_day_from(day),
            Some(skipped) => days_from(day)
                .skip(1)
                .filter(|day| self.is_working_day(*day))
                .nth(skipped)
                .unwrap_or(Date::MAX),
        }
    }

    /// The first instant, not before `at`, on a working day between 08:00 and 18:00
    /// Asia/Shanghai. Whatever is not urgent is sent then.
    pub fn next_working_moment(&self, at: Timestamp) -> Timestamp {
        let (today, time) = (at.day(), at.time_of_day());
        if self.is_working_day(today) && time < DAY_ENDS {
            return at.max(Timestamp::at(today, DAY_BEGINS));
        }
        match today.next_day() {
            Some(tomorrow) => at.max(Timestamp::at(self.working_day_from(tomorrow), DAY_BEGINS)),
            None => at,
        }
    }

    /// Whether somebody may be disturbed at an instant for what is not urgent: the same
    /// rule as [`Calendar::next_working_moment`], so the two can never disagree.
    pub fn may_disturb(&self, at: Timestamp) -> bool {
        self.next_working_moment(at) == at
    }
}

impl Default for Calendar {
    fn default() -> Self {
        Self::built_in()
    }
}

fn days_from(day: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(day), |day| day.next_day())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use time::macros::date;

    use super::*;
    use crate::Holiday;

    fn instant(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn holidays_rest_and_make_up_days_work() {
        let calendar = Calendar::built_in();
        for rest in
            [date!(2022 - 12 - 31), date!(2023 - 05 - 01), date!(2023 - 10 - 06), date!(2024 - 02 - 10)]
        {
            assert!(!calendar.is_working_day(rest), "{rest}");
        }
        for worked in
            [date!(2023 - 10 - 07), date!(2023 - 10 - 08), date!(2024 - 02 - 18), date!(2024 - 02 - 09)]
        {
            assert!(calendar.is_working_day(worked), "{worked}");
        }
        assert!(!calendar.is_working_day(date!(2023 - 06 - 17)), "a plain Saturday");
    }

    #[test]
    fn an_unpublished_year_is_provisional_until_its_notice_comes() {
        let calendar = Calendar::built_in();
        let spring_festival = date!(2027 - 02 - 08);
        assert_eq!(calendar.certainty(spring_festival), Certainty::Provisional);
        assert!(calendar.is_working_day(spring_festival), "the plain week is assumed");
        assert_eq!(calendar.certainty(date!(2026 - 12 - 31)), Certainty::Provisional);
        assert_eq!(calendar.certainty(date!(2026 - 12 - 24)), Certainty::Published);

        let holiday = Holiday {
            name: "春节".to_owned(),
            first_day: date!(2027 - 02 - 05),
            last_day: date!(2027 - 02 - 11),
        };
        let published = calendar
            .with_year(YearArrangement {
                year: 2027,
                source: "测试用的放假通知".to_owned(),
                holidays: vec![holiday],
                make_up_days: BTreeSet::from([date!(2027 - 02 - 14)]),
            })
            .unwrap();
        assert_eq!(published.version(), 2);
        assert_eq!(published.certainty(spring_festival), Certainty::Published);
        assert_eq!(published.certainty(date!(2026 - 12 - 31)), Certainty::Published);
        assert_eq!(published.standing(spring_festival), DayStanding::Holiday("春节"));
        assert_eq!(published.standing(date!(2027 - 02 - 14)), DayStanding::MakeUpDay);
        assert_eq!(published.standing(date!(2027 - 02 - 20)), DayStanding::RestDay);
        assert_eq!(published.standing(date!(2027 - 02 - 22)), DayStanding::Workday);
    }

    #[test]
    fn working_days_are_counted_across_national_day() {
        let calendar = Calendar::built_in();
        assert_eq!(calendar.working_days_after(date!(2023 - 09 - 27), 7), date!(2023 - 10 - 12));
        assert_eq!(calendar.working_days_after(date!(2023 - 10 - 01), 0), date!(2023 - 10 - 07));
        assert_eq!(calendar.working_days_after(date!(2023 - 09 - 28), 0), date!(2023 - 09 - 28));
    }

    #[test]
    fn the_next_working_moment_skips_nights_weekends_and_holidays() {
        let calendar = Calendar::built_in();
        for (at, expected) in [
            ("2023-06-01T09:30+08:00", "2023-06-01T09:30+08:00"),
            ("2023-06-01T08:00+08:00", "2023-06-01T08:00+08:00"),
            ("2023-06-01T13:00+08:00", "2023-06-01T13:00+08:00"),
            ("2023-06-01T00:00+08:00", "2023-06-01T08:00+08:00"),
            ("2023-06-01T18:00+08:00", "2023-06-02T08:00+08:00"),
            ("2023-06-02T17:59:59.999999+08:00", "2023-06-02T17:59:59.999999+08:00"),
            ("2023-06-02T20:00+08:00", "2023-06-05T08:00+08:00"),
            ("2023-09-28T18:00+08:00", "2023-10-07T08:00+08:00"),
            ("2023-10-08T10:00+08:00", "2023-10-08T10:00+08:00"),
        ] {
            assert_eq!(calendar.next_working_moment(instant(at)), instant(expected), "{at}");
        }
    }

    #[test]
    fn nobody_is_disturbed_at_night_or_on_a_rest_day() {
        let calendar = Calendar::built_in();
        assert!(calendar.may_disturb(instant("2023-10-07T10:00+08:00")));
        for quiet in ["2023-10-07T07:59+08:00", "2023-10-07T18:00+08:00", "2023-10-05T10:00+08:00"] {
            assert!(!calendar.may_disturb(instant(quiet)), "{quiet}");
        }
    }

    proptest! {
        #[test]
        fn the_next_working_moment_is_never_earlier_and_is_one_itself(
            micros in Timestamp::MIN.as_micros()..=Timestamp::MAX.as_micros(),
        ) {
            let calendar = Calendar::built_in();
            let at = Timestamp::from_micros(micros);
            let moment = calendar.next_working_moment(at);
            prop_assert!(moment >= at);
            prop_assert_eq!(calendar.next_working_moment(moment), moment);
        }

        #[test]
        fn in_every_year_it_is_a_working_day_in_office_hours(
            micros in 1_000_000_000_000_000_i64..1_900_000_000_000_000,
        ) {
            let calendar = Calendar::built_in();
            let moment = calendar.next_working_moment(Timestamp::from_micros(micros));
            prop_assert!(calendar.is_working_day(moment.day()));
            prop_assert!(moment.time_of_day() >= DAY_BEGINS && moment.time_of_day() < DAY_ENDS);
            prop_assert!(calendar.may_disturb(moment));
        }
    }
}
