//! [`YearArrangement`]: what one of the State Council's yearly notices moves.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use time::{Date, Month, Weekday};

use crate::day_text;
use crate::published::{NOTICES, Notice};

/// Longest holiday that is accepted, in days: the longest so far had ten.
const LONGEST: i64 = 31;

/// One holiday, with the weekend days inside it (放假).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Holiday {
    /// As the notice calls it, for example 春节.
    pub name: String,
    /// First day off.
    #[serde(with = "day_text")]
    pub first_day: Date,
    /// Last day off, held.
    #[serde(with = "day_text")]
    pub last_day: Date,
}

/// One year's notice of holidays: the days it frees and the weekend days it has worked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct YearArrangement {
    /// The year the notice is for.
    pub year: i32,
    /// The number of the notice, for example 国办发明电〔2022〕16号.
    pub source: String,
    /// In the order of the notice.
    pub holidays: Vec<Holiday>,
    /// Weekend days that are worked in exchange (调休上班).
    #[serde(with = "day_text::set")]
    pub make_up_days: BTreeSet<Date>,
}

/// Why a year's arrangement cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The notice, or the name of a holiday, is not stated.
    #[error("the notice has no number or one of its holidays no name")]
    Unnamed,
    /// It frees no day at all.
    #[error("the arrangement of {0} has no holiday")]
    NoHoliday(i32),
    /// A holiday ends before it begins, or lasts longer than a month.
    #[error("the holiday from {first} to {last} is no span of at most 31 days")]
    NoSpan {
        /// The first day.
        first: Date,
        /// The last day.
        last: Date,
    },
    /// A day is both off and worked.
    #[error("{0} is both a rest day and a make-up workday")]
    Contradiction(Date),
    /// A day from Monday to Friday is worked anyway.
    #[error("{0} is no day of a weekend and needs no making up")]
    WorkedAnyway(Date),
    /// A day lies neither in the year nor in the December before it, where New Year's
    /// exchange days can fall.
    #[error("{day} does not belong to the arrangement of {year}")]
    OutsideYear {
        /// The day.
        day: Date,
        /// The year of the arrangement.
        year: i32,
    },
}

impl CalendarError {
    /// For officials.
    pub fn chinese(&self) -> String {
        match self {
            Self::Unnamed => "请填写放假通知的文号和每个节假日的名称".to_owned(),
            Self::NoHoliday(year) => format!("{year}年的安排没有任何节假日"),
            Self::NoSpan { first, last } => {
                format!("{first}至{last}不是有效的假期：结束不得早于开始，且不超过31天")
            }
            Self::Contradiction(day) => format!("{day}既列为放假又列为调休上班"),
            Self::WorkedAnyway(day) => format!("{day}不是周末，不需要调休上班"),
            Self::OutsideYear { day, year } => format!("{day}不属于{year}年的安排"),
        }
    }
}

impl Holiday {
    /// Whether a day is one of it.
    pub fn holds(&self, day: Date) -> bool {
        (self.first_day..=self.last_day).contains(&day)
    }
}

impl YearArrangement {
    /// Refuses an arrangement that contradicts itself or names another year's days.
    pub fn check(&self) -> Result<(), CalendarError> {
        if self.source.trim().is_empty() || self.holidays.iter().any(|one| one.name.trim().is_empty()) {
            return Err(CalendarError::Unnamed);
        }
        if self.holidays.is_empty() {
            return Err(CalendarError::NoHoliday(self.year));
        }
        for Holiday { first_day: first, last_day: last, .. } in &self.holidays {
            if last < first || (*last - *first).whole_days() >= LONGEST {
                return Err(CalendarError::NoSpan { first: *first, last: *last });
            }
        }
        if let Some(day) = self.make_up_days.iter().find(|day| self.holiday(**day).is_some()) {
            return Err(CalendarError::Contradiction(*day));
        }
        if let Some(day) = self.make_up_days.iter().find(|day| !is_weekend(**day)) {
            return Err(CalendarError::WorkedAnyway(*day));
        }
        let belongs = |day: &Date| {
            day.year() == self.year || (day.year() == self.year - 1 && day.month() == Month::December)
        };
        let ends = self.holidays.iter().flat_map(|one| [one.first_day, one.last_day]);
        match ends.chain(self.make_up_days.iter().copied()).find(|day| !belongs(day)) {
            Some(day) => Err(CalendarError::OutsideYear { day, year: self.year }),
            None => Ok(()),
        }
    }

    /// The holiday that a day is one of.
    pub fn holiday(&self, day: Date) -> Option<&Holiday> {
        self.holidays.iter().find(|one| one.holds(day))
    }

    fn of_notice(notice: &Notice) -> Self {
        let holiday = |(name, first_day, last_day): &(&str, Date, Date)| Holiday {
            name: (*name).to_owned(),
            first_day: *first_day,
            last_day: *last_day,
        };
        Self {
            year: notice.year,
            source: notice.source.to_owned(),
            holidays: notice.holidays.iter().map(holiday).collect(),
            make_up_days: notice.make_up_days.iter().copied().collect(),
        }
    }
}

/// The notices compiled in.
pub(crate) fn built_in() -> impl Iterator<Item = YearArrangement> {
    NOTICES.iter().map(YearArrangement::of_notice)
}

pub(crate) fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn of(year: i32) -> YearArrangement {
        built_in().find(|one| one.year == year).unwrap()
    }

    fn days_off(year: &YearArrangement) -> BTreeSet<Date> {
        let days = |one: &Holiday| {
            let last = one.last_day;
            std::iter::successors(Some(one.first_day), |day| day.next_day())
                .take_while(move |day| *day <= last)
        };
        year.holidays.iter().flat_map(days).collect()
    }

    #[test]
    fn every_year_from_2004_to_2026_is_there_once_and_consistent() {
        let years: Vec<i32> = built_in().map(|one| one.year).collect();
        assert_eq!(years, (2004..=2026).collect::<Vec<_>>());
        for arrangement in built_in() {
            assert_eq!(arrangement.check(), Ok(()), "{}", arrangement.year);
        }
    }

    /// A checksum over the typed-in data: the days off from Monday to Friday are those the law
    /// gives, and one more for each weekend day that is worked for it.
    #[test]
    fn days_off_beyond_the_weekend_number_what_the_law_gives_plus_the_made_up() {
        for arrangement in built_in() {
            let by_law = match arrangement.year {
                ..=2007 => 10,
                // 3 September was freed for once.
                2015 => 12,
                // Spring Festival was lengthened by Friday, 31 January; Saturday, 1 February,
                // was to be worked for the rest of it and was not.
                2020 => 13,
                2008..=2024 => 11,
                _ => 13,
            };
            let weekdays_off = days_off(&arrangement).iter().filter(|day| !is_weekend(**day)).count();
            assert_eq!(weekdays_off, by_law + arrangement.make_up_days.len(), "{}", arrangement.source);
        }
    }

    /// First days of the lunar year, from the astronomical almanac: no notice works one of them.
    #[test]
    fn the_first_three_days_of_the_lunar_year_are_off_in_every_year() {
        let new_years = [
            date!(2004 - 01 - 22),
            date!(2005 - 02 - 09),
            date!(2006 - 01 - 29),
            date!(2007 - 02 - 18),
            date!(2008 - 02 - 07),
            date!(2009 - 01 - 26),
            date!(2010 - 02 - 14),
            date!(2011 - 02 - 03),
            date!(2012 - 01 - 23),
            date!(2013 - 02 - 10),
            date!(2014 - 01 - 31),
            date!(2015 - 02 - 19),
            date!(2016 - 02 - 08),
            date!(2017 - 01 - 28),
            date!(2018 - 02 - 16),
            date!(2019 - 02 - 05),
            date!(2020 - 01 - 25),
            date!(2021 - 02 - 12),
            date!(2022 - 02 - 01),
            date!(2023 - 01 - 22),
            date!(2024 - 02 - 10),
            date!(2025 - 01 - 29),
            date!(2026 - 02 - 17),
        ];
        assert_eq!(new_years.len(), built_in().count());
        for (arrangement, first) in built_in().zip(new_years) {
            for day in [0, 1, 2].map(|more| first + time::Duration::days(more)) {
                assert_eq!(arrangement.holiday(day).map(|one| one.name.as_str()), Some("春节"), "{day}");
            }
        }
    }

    #[test]
    fn the_peculiar_years_are_as_they_were() {
        assert!(of(2015).holiday(date!(2015 - 09 - 03)).is_some());
        assert!(of(2019).holiday(date!(2019 - 05 - 04)).is_some(), "by the second notice");
        assert!(of(2020).holiday(date!(2020 - 02 - 02)).is_some(), "by the second notice");
        assert!(!of(2020).make_up_days.contains(&date!(2020 - 02 - 01)));
        assert!(of(2007).holiday(date!(2007 - 04 - 05)).is_none(), "Qingming is off from 2008 on");
        assert!(of(2008).holiday(date!(2008 - 04 - 04)).is_some());
        assert!(of(2006).make_up_days.contains(&date!(2005 - 12 - 31)));
    }

    #[test]
    fn an_arrangement_that_contradicts_itself_is_refused() {
        let mut year = of(2023);
        year.make_up_days.insert(date!(2023 - 10 - 01));
        assert_eq!(year.check(), Err(CalendarError::Contradiction(date!(2023 - 10 - 01))));
        let mut year = of(2023);
        year.make_up_days.insert(date!(2023 - 10 - 11));
        assert_eq!(year.check(), Err(CalendarError::WorkedAnyway(date!(2023 - 10 - 11))));
        let mut year = of(2023);
        year.holidays[1].last_day = date!(2023 - 01 - 20);
        assert!(matches!(year.check(), Err(CalendarError::NoSpan { .. })));
        assert_eq!(YearArrangement { source: " ".into(), ..of(2023) }.check(), Err(CalendarError::Unnamed));
        let none = YearArrangement { holidays: vec![], ..of(2023) };
        assert_eq!(none.check(), Err(CalendarError::NoHoliday(2023)));
    }

    #[test]
    fn a_day_of_another_year_is_refused() {
        let mut year = of(2023);
        year.holidays[0].first_day = date!(2022 - 11 - 30);
        year.holidays[0].last_day = date!(2022 - 11 - 30);
        assert_eq!(year.check(), Err(CalendarError::OutsideYear { day: date!(2022 - 11 - 30), year: 2023 }));
    }
}
