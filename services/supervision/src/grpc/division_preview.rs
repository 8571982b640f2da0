//! `DivisionPreviewService`: what changes hands with units.

use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::input::{LINE, at_most, text};
use xietong_mesh::{Call, Error, Resource};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::division_preview_service_server::DivisionPreviewService;
use xietong_store::Db;

use crate::store;

/// Units in one question.
const MOST_UNITS: usize = 10_000;
/// Tasks that are named of one unit; all are counted.
const MOST_NAMED: usize = 20;
/// Tasks that are named in one answer: they fit into a message.
const MOST_NAMED_IN_ALL: usize = 20_000;

/// Answers what a new division of work would mean for tasks.
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
        let tasks = store::names_under_way(self.db.reader(), &units).await.map_err(Error::from)?;
        let mut room = MOST_NAMED_IN_ALL;
        let units = tasks.into_iter().map(|(unit, mut tasks)| {
            let open_task_count = i32::try_from(tasks.len()).unwrap_or(i32::MAX);
            tasks.truncate(MOST_NAMED.min(room));
            room -= tasks.len();
            proto::UnitTasks { unit, open_task_count, open_tasks: tasks }
        });
        Ok(Response::new(proto::PreviewUnitsResponse { units: units.collect() }))
    }
}
