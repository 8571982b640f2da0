//! `DivisionPreviewService`: which seats follow a division that is tried out.

use std::sync::Arc;

use domain_calendar::Timestamp;
use domain_roster::{Book, Division, RosterEvent};
use domain_workgroup::{Group, SeatChange, seats_that_follow};
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::{Call, Error, Foundation, Resource, RosterCopy, Scope};
use xietong_proto::workgroup as proto;
use xietong_proto::workgroup::division_preview_service_server::DivisionPreviewService;
use xietong_store::Db;

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
        let roster = self.copy.view();
        roster.as_of().ok_or_else(|| Error::unavailable("the copy of the roster"))?;
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
