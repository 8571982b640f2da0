//! `DivisionPreviewService`: what changes hands with units.

use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::input::{LINE, at_most, text};
use xietong_mesh::{Call, Error, Resource};
use xietong_proto::notification as proto;
use xietong_proto::notification::division_preview_service_server::DivisionPreviewService;
use xietong_store::Db;

use crate::store::open_by_unit;

/// Units in one question.
const MOST_UNITS: usize = 10_000;

/// Answers what a new division of work would mean for notices.
pub(crate) struct DivisionPreviews {
    db: Db,
}

impl DivisionPreviews {
    pub(crate) fn new(db: Db) -> Self {
        DivisionPreviews { db }
    }
}

#[async_trait]
impl DivisionPreviewService for DivisionPreviews {
    async fn preview_units(
        &self,
        request: Request<proto::PreviewUnitsRequest>,
    ) -> Result<Response<proto::PreviewUnitsResponse>, Status> {
        Call::of(&request)?.authorize(&Resource::new())?;
        let units = at_most("units", request.into_inner().units, MOST_UNITS)?;
        let units = units.into_iter().map(|unit| text("units", unit, LINE)).collect::<Result<Vec<_>, _>>()?;
        let units: Vec<&str> = units.iter().map(String::as_str).collect();
        let pending = open_by_unit(self.db.reader(), &units).await.map_err(Error::from)?;
        let units = pending.into_iter().map(|(unit, count)| proto::UnitNotices {
            unit,
            pending_notice_count: i32::try_from(count).unwrap_or(i32::MAX),
        });
        Ok(Response::new(proto::PreviewUnitsResponse { units: units.collect() }))
    }
}
