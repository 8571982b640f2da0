//! [`YearArrangement`]: what one of the State Council's yearly notices moves, and the
//! notices compiled in.

use std::collections::BTreeSet;

use time::macros::date;
use time::{Date, Month};

/// One year's notice of holidays: the days it frees and the weekend days it has worked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YearArrangement {
    /// The year the notice is for.
    pub year: i32,
    /// The number of the notice, for example 国办发明电〔2022〕16号.
    pub source: String,
    /// Days off, weekend days inside a holiday included (放假).
    pub rest_days: BTreeSet<Date>,
    /// Weekend days that are worked in exchange (调休上班).
    pub make_up_days: BTreeSet<Date>,
}

/// Why a year's arrangement cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// A day is both off and worked.
    #[error("{0} is both a rest day and a make-up workday")]
    Contradiction(Date),
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

impl YearArrangement {
    /// Refuses an arrangement that contradicts itself or names another year's days.
    pub fn check(&self) -> Result<(), CalendarError> {
        if let Some(day) = self.rest_days.intersection(&self.make_up_days).next() {
            return Err(CalendarError::Contradiction(*day));
        }
        let belongs = |day: &Date| {
            day.year() == self.year || (day.year() == self.year - 1 && day.month() == Month::December)
        };
        match self.rest_days.union(&self.make_up_days).find(|day| !belongs(day)) {
            Some(day) => Err(CalendarError::OutsideYear { day: *day, year: self.year }),
            None => Ok(()),
        }
    }

    fn from_notice(year: i32, source: &str, holidays: &[(Date, Date)], make_up_days: &[Date]) -> Self {
        let rest_days = holidays.iter().flat_map(|(first, last)| days(*first, *last)).collect();
        let make_up_days = make_up_days.iter().copied().collect();
        Self { year, source: source.to_owned(), rest_days, make_up_days }
    }
}

/// The notices compiled in.
///
/// 2023: 《国务院办公厅关于2023年部分节假日安排的通知》(国办发明电〔2022〕16号, 8 December 2022).
/// 2024: 《国务院办公厅关于2024年部分节假日安排的通知》(国办发明电〔2023〕7号, 25 October 2023).
pub(crate) fn built_in() -> [YearArrangement; 2] {
    [
        YearArrangement::from_notice(
            2023,
            "国办发明电〔2022〕16号",
            &[
                (date!(2022 - 12 - 31), date!(2023 - 01 - 02)),
                (date!(2023 - 01 - 21), date!(2023 - 01 - 27)),
                (date!(2023 - 04 - 05), date!(2023 - 04 - 05)),
                (date!(2023 - 04 - 29), date!(2023 - 05 - 03)),
                (date!(2023 - 06 - 22), date!(2023 - 06 - 24)),
                (date!(2023 - 09 - 29), date!(2023 - 10 - 06)),
            ],
            &[
                date!(2023 - 01 - 28),
                date!(2023 - 01 - 29),
                date!(2023 - 04 - 23),
                date!(2023 - 05 - 06),
                date!(2023 - 06 - 25),
                date!(2023 - 10 - 07),
                date!(2023 - 10 - 08),
            ],
        ),
        YearArrangement::from_notice(
            2024,
            "国办发明电〔2023〕7号",
            &[
                (date!(2024 - 01 - 01), date!(2024 - 01 - 01)),
                (date!(2024 - 02 - 10), date!(2024 - 02 - 17)),
                (date!(2024 - 04 - 04), date!(2024 - 04 - 06)),
                (date!(2024 - 05 - 01), date!(2024 - 05 - 05)),
                (date!(2024 - 06 - 10), date!(2024 - 06 - 10)),
                (date!(2024 - 09 - 15), date!(2024 - 09 - 17)),
                (date!(2024 - 10 - 01), date!(2024 - 10 - 07)),
            ],
            &[
                date!(2024 - 02 - 04),
                date!(2024 - 02 - 18),
                date!(2024 - 04 - 07),
                date!(2024 - 04 - 28),
                date!(2024 - 05 - 11),
                date!(2024 - 09 - 14),
                date!(2024 - 09 - 29),
                date!(2024 - 10 - 12),
            ],
        ),
    ]
}

/// Every day from the first to the last, both held.
fn days(first: Date, last: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(first), |day| day.next_day()).take_while(move |day| *day <= last)
}

#[cfg(test)]
mod tests {
    use time::Weekday;

    use super::*;

    fn weekend(day: &Date) -> bool {
        matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
    }

    #[test]
    fn the_built_in_notices_are_consistent() {
        for arrangement in built_in() {
            assert_eq!(arrangement.check(), Ok(()));
            assert!(arrangement.make_up_days.iter().all(weekend), "only weekend days are made up");
        }
    }

    #[test]
    fn days_off_beyond_the_weekend_number_the_statutory_eleven_plus_the_made_up() {
        // A checksum over the typed-in data: eleven statutory days a year (until 2024), those
        // on a weekend moved to a weekday, and one weekday more for each weekend day worked.
        for arrangement in built_in() {
            let weekdays_off = arrangement.rest_days.iter().filter(|day| !weekend(day)).count();
            let expected = 11 + arrangement.make_up_days.len();
            assert_eq!(weekdays_off, expected, "{}", arrangement.source);
        }
    }

    #[test]
    fn an_arrangement_that_contradicts_itself_is_refused() {
        let [mut year, _] = built_in();
        year.make_up_days.insert(date!(2023 - 10 - 01));
        assert_eq!(year.check(), Err(CalendarError::Contradiction(date!(2023 - 10 - 01))));
    }

    #[test]
    fn a_day_of_another_year_is_refused() {
        let [mut year, _] = built_in();
        year.rest_days.insert(date!(2022 - 11 - 30));
        assert_eq!(year.check(), Err(CalendarError::OutsideYear { day: date!(2022 - 11 - 30), year: 2023 }));
    }
}
