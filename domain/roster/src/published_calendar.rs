//! [`PublishedCalendar`]: a year's holidays and make-up workdays, as recorded while the city works.
//!
//! The years known when this was built are compiled into `domain-calendar`. A later year, and a
//! notice that changes a year, is recorded here; whoever has the book has the calendar.

use domain_calendar::{Timestamp, YearArrangement};
use serde::{Deserialize, Serialize};

use crate::book::Book;
use crate::error::RosterError;

/// Years that a calendar can be of.
const YEARS: std::ops::RangeInclusive<i32> = 2004..=2099;
/// Most holidays, or make-up workdays, in a year.
const MOST: usize = 60;

/// A year's arrangement, from the moment it was recorded on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PublishedCalendar {
    /// `calendars/{year}`.
    pub name: String,
    /// The version of the whole calendar that this publication made.
    pub version: u32,
    /// What the notice says.
    #[serde(flatten)]
    pub arrangement: YearArrangement,
    /// When the roster learned of it.
    pub recorded_at: Timestamp,
}

impl PublishedCalendar {
    /// The resource name of a year's calendar.
    pub fn name_of(year: i32) -> String {
        format!("calendars/{year}")
    }
}

/// A year's arrangement as the next publication, if it can be one: of a year that can have one,
/// consistent, and not what the calendar says already.
pub fn admit_calendar(
    book: &Book,
    arrangement: YearArrangement,
    now: Timestamp,
) -> Result<PublishedCalendar, RosterError> {
    let year = arrangement.year;
    if !YEARS.contains(&year) {
        return Err(RosterError::CalendarYear { year });
    }
    for (field, entries) in [
        ("calendar.holidays", arrangement.holidays.len()),
        ("calendar.make_up_days", arrangement.make_up_days.len()),
    ] {
        if entries > MOST {
            return Err(RosterError::TooManyEntries { field, entries, most: MOST });
        }
    }
    arrangement.check().map_err(RosterError::CalendarRefused)?;
    let name = PublishedCalendar::name_of(year);
    if book.calendar().arrangement(year) == Some(&arrangement) {
        return Err(RosterError::NameTaken { name });
    }
    let version = book.calendar().version().saturating_add(1);
    Ok(PublishedCalendar { name, version, arrangement, recorded_at: now })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain_calendar::{CalendarError, Holiday};
    use time::macros::date;

    use super::*;
    use crate::event::RosterEvent;
    use crate::fixture::at;

    fn arrangement(year: i32, last_day: time::Date) -> YearArrangement {
        let first_day = time::Date::from_calendar_date(year, time::Month::February, 5).unwrap();
        let holidays = vec![Holiday { name: "春节".into(), first_day, last_day }];
        YearArrangement { year, source: "放假通知".into(), holidays, make_up_days: BTreeSet::new() }
    }

    fn publish(book: &mut Book, arrangement: YearArrangement) -> PublishedCalendar {
        let now = at("2026-11-05T09:00+08:00");
        let published = admit_calendar(book, arrangement, now).unwrap();
        book.apply(&RosterEvent::CalendarPublished(published.clone()), now).unwrap();
        published
    }

    #[test]
    fn each_publication_is_one_version_more_and_the_latest_of_a_year_holds() {
        let mut book = Book::new();
        assert_eq!((book.calendar().version(), book.calendar().is_published(2027)), (1, false));
        assert_eq!(publish(&mut book, arrangement(2027, date!(2027 - 02 - 11))).version, 2);
        assert_eq!(publish(&mut book, arrangement(2028, date!(2028 - 02 - 07))).version, 3);
        let corrected = publish(&mut book, arrangement(2027, date!(2027 - 02 - 12)));
        assert_eq!((corrected.version, book.calendar().version()), (4, 4));
        assert!(!book.calendar().is_working_day(date!(2027 - 02 - 12)));
        assert!(!book.calendar().is_working_day(date!(2028 - 02 - 07)));
        assert_eq!(book.published_calendars("calendars/2027").count(), 2);

        let again = book.clone();
        book.apply(&RosterEvent::CalendarPublished(corrected.clone()), corrected.recorded_at).unwrap();
        assert_eq!(book, again, "once");
        let snapshot = serde_json::to_string(&book).unwrap();
        assert_eq!(serde_json::from_str::<Book>(&snapshot).unwrap(), book);
    }

    #[test]
    fn publications_in_another_order_make_the_same_book() {
        let mut book = Book::new();
        let first = publish(&mut book, arrangement(2027, date!(2027 - 02 - 11)));
        let second = publish(&mut book, arrangement(2028, date!(2028 - 02 - 07)));
        let third = publish(&mut book, arrangement(2027, date!(2027 - 02 - 12)));
        let mut other = Book::new();
        for one in [first, third, second] {
            let recorded_at = one.recorded_at;
            other.apply(&RosterEvent::CalendarPublished(one), recorded_at).unwrap();
        }
        assert_eq!(other, book);
    }

    #[test]
    fn what_is_no_calendar_or_no_news_is_refused() {
        let mut book = Book::new();
        let refused = |book: &Book, arrangement| admit_calendar(book, arrangement, Timestamp::MIN);
        let early = refused(&book, arrangement(1999, date!(1999 - 02 - 06)));
        assert_eq!(early, Err(RosterError::CalendarYear { year: 1999 }));
        let never = YearArrangement { holidays: vec![], ..arrangement(2027, date!(2027 - 02 - 11)) };
        let never = refused(&book, never);
        assert_eq!(never, Err(RosterError::CalendarRefused(CalendarError::NoHoliday(2027))));
        publish(&mut book, arrangement(2027, date!(2027 - 02 - 11)));
        let again = refused(&book, arrangement(2027, date!(2027 - 02 - 11)));
        assert_eq!(again, Err(RosterError::NameTaken { name: "calendars/2027".into() }));
        let built_in = book.calendar().arrangement(2026).unwrap().clone();
        assert_eq!(refused(&book, built_in), Err(RosterError::NameTaken { name: "calendars/2026".into() }));
    }
}
