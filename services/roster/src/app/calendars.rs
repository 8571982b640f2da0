//! A year's calendar is published.

use domain_calendar::YearArrangement;
use domain_roster::{PublishedCalendar, RosterEvent, admit_calendar};
use xietong_mesh::{Error, Transaction};

use super::{App, record};
use crate::error::refusal;

impl App {
    /// Publishes a year's calendar; returns it with its etag. With an etag it must match.
    pub(crate) async fn publish_calendar(
        &self,
        transaction: &Transaction,
        arrangement: YearArrangement,
        etag: &str,
    ) -> Result<(PublishedCalendar, String), Error> {
        let mut edit = self.edit(transaction).await?;
        let name = PublishedCalendar::name_of(arrangement.year);
        if !etag.is_empty() && etag != edit.register().etag(&name) {
            return Err(Error::aborted_etag(&name));
        }
        let published = admit_calendar(edit.book(), arrangement, edit.now()).map_err(refusal)?;
        record(&mut edit, transaction, &[RosterEvent::CalendarPublished(published.clone())]).await?;
        let etag = edit.register().etag(&name);
        Ok((published, etag))
    }
}
