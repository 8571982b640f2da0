//! [`Calendars`]: the years' calendars that were recorded, over those compiled in.

use std::sync::Arc;

use domain_calendar::Calendar;
use serde::{Deserialize, Serialize};

use crate::published_calendar::PublishedCalendar;

/// Publications in the order of their versions, and the calendar they make.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<PublishedCalendar>", into = "Vec<PublishedCalendar>")]
pub(super) struct Calendars {
    published: Vec<PublishedCalendar>,
    /// Follows from `published`.
    calendar: Arc<Calendar>,
}

impl Calendars {
    /// Takes in a publication; the same again changes nothing. Where rows are read instead of the
    /// log they come by year, so each finds its place by its version.
    pub(super) fn publish(&mut self, published: PublishedCalendar) {
        let version = published.version;
        if let Err(place) = self.published.binary_search_by_key(&version, |one| one.version) {
            self.published.insert(place, published);
            self.calendar = Arc::new(calendar(&self.published));
        }
    }

    pub(super) fn published(&self) -> &[PublishedCalendar] {
        &self.published
    }

    pub(super) fn calendar(&self) -> &Calendar {
        &self.calendar
    }
}

impl From<Vec<PublishedCalendar>> for Calendars {
    fn from(published: Vec<PublishedCalendar>) -> Self {
        Calendars { calendar: Arc::new(calendar(&published)), published }
    }
}

impl From<Calendars> for Vec<PublishedCalendar> {
    fn from(calendars: Calendars) -> Self {
        calendars.published
    }
}

fn calendar(published: &[PublishedCalendar]) -> Calendar {
    let years = published.iter().map(|one| (one.version, one.arrangement.clone()));
    years.fold(Calendar::built_in(), |calendar, (version, year)| calendar.published(year, version))
}
