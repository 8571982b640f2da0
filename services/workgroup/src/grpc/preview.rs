//! `DivisionPreviewService`: which seats follow a division that is tried out.

use std::sync::Arc;

use domain_calendar::Timestamp;
use domain_roster::{Book, Division, RosterEvent};
use domain_workgroup::{Group, SeatChange, seats_that_follow};
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::{Call, Error, Foundation, Resource, RosterCopy, RosterView, Scope};
use xietong_proto::workgroup as proto;
use xietong_proto::workgroup::division_preview_service_server::DivisionPreviewService;
use xietong_store::Db;
use xietong_timers::MachineClock;

use super::convert;
use crate::store::groups;

/// Groups read at a time.
const PORTION: u64 = 200;

/// Answers what a new division of work would mean for seats.
pub(crate) struct DivisionPreviews {
    db: Db,
    copy: Arc<RosterCopy>,
}

impl DivisionPreviews {
    pub(crate) fn new(foundation: &Foundation, copy: Arc<RosterCopy>) -> Self {
        DivisionPreviews { db: foundation.db.clone(), copy }
    }

    async fn changes(&self, scope: &Scope, division: Division) -> Result<Vec<proto::SeatChange>, Error> {
        let roster = current(&self.copy).await?;
        let at = division.effective_time;
        let mut tried: Book = roster.book.as_ref().clone();
        tried.apply(&RosterEvent::DivisionCreated(division), Timestamp::MAX).map_err(Error::internal)?;
        let (mut changes, mut after) = (Vec::new(), String::new());
        loop {
            let portion = groups::list_in_scope(self.db.reader(), scope, None, &after, PORTION).await?;
            for stored in &portion {
                let found = seats_that_follow(&stored.record, &roster.book, &tried, at);
                changes.extend(found.into_iter().map(|change| encode(&stored.record, change)));
            }
            match portion.last() {
                Some(last) => after.clone_from(&last.record.name),
                None => return Ok(changes),
            }
        }
    }
}

#[async_trait]
impl DivisionPreviewService for DivisionPreviews {
    async fn preview_seats(
        &self,
        request: Request<proto::PreviewSeatsRequest>,
    ) -> Result<Response<proto::PreviewSeatsResponse>, Status> {
        let scope = Call::of(&request)?.scope()?;
        scope.authorize(&Resource::new())?;
        let division = serde_json::from_str(&request.get_ref().division).map_err(|error| {
            Error::invalid("division", format!("is no division of work: {error}"), "不是有效的分工")
        })?;
        let seats = self.changes(&scope, division).await?;
        Ok(Response::new(proto::PreviewSeatsResponse { seats }))
    }
}

/// The roster to try a division on. The answer cannot say how old a roster it is of, so an old one
/// gives none: UNAVAILABLE, and whoever tries the division reads who did not answer.
async fn current(copy: &RosterCopy) -> Result<RosterView, Error> {
    let is_stale = |view: &RosterView| view.is_stale(MachineClock::system().now());
    if is_stale(&copy.view()) {
        copy.ask().await;
    }
    let view = copy.view();
    if is_stale(&view) { Err(Error::unavailable("the roster")) } else { Ok(view) }
}

fn encode(group: &Group, change: SeatChange) -> proto::SeatChange {
    proto::SeatChange {
        group: group.name.clone(),
        group_display_name: group.display_name.clone(),
        seat: Some(convert::group::encode_seat(change.seat)),
        from: change.from.unwrap_or_default(),
        to: change.to.unwrap_or_default(),
        proposed: change.proposed,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use xietong_events::{Bus, EventSource, LogPage, SourceError};
    use xietong_mesh::{Code, ServiceName};

    use super::*;

    /// A roster with nothing in it, which may not answer.
    #[derive(Default)]
    struct Roster {
        down: AtomicBool,
    }

    #[async_trait]
    impl EventSource for Roster {
        async fn read(&self, _after: i64, _limit: u32) -> Result<LogPage, SourceError> {
            if self.down.load(Ordering::SeqCst) {
                return Err(SourceError { producer: "roster".to_owned(), why: "down".to_owned() });
            }
            Ok(LogPage { epochs: vec![], last_position: 0, pending: false, events: vec![] })
        }
    }

    #[tokio::test]
    async fn nothing_is_tried_on_a_roster_that_is_not_known_to_be_current() {
        let roster = Arc::new(Roster::default());
        let copy = RosterCopy::new(ServiceName::Workgroup, roster.clone(), &Bus::embedded());
        roster.down.store(true, Ordering::SeqCst);
        assert_eq!(current(&copy).await.unwrap_err().code(), Code::Unavailable);
        roster.down.store(false, Ordering::SeqCst);
        assert!(current(&copy).await.unwrap().as_of().is_some(), "it asks by itself");
    }
}
