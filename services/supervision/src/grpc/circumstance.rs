//! `xietong.supervision.v1.CircumstanceService`: decode, ask `app/`, encode.

use std::mem::take;

use domain_supervision::{CircumstanceCommand, Command};
use time::Date;
use time::macros::format_description;
use tonic::{Request, Response, Status};
use xietong_mesh::convert::{decode_time, optional};
use xietong_mesh::input::present;
use xietong_mesh::{Call, Error};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::circumstance_service_server::CircumstanceService;

use super::check::{Check, task_name};
use super::side_road::short;
use super::{Tasks, whole_task};
use crate::app::{Asked, Change, Target};

#[tonic::async_trait]
impl CircumstanceService for Tasks {
    async fn record_event(
        &self,
        request: Request<proto::RecordEventRequest>,
    ) -> Result<Response<proto::Task>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let (on, ground) = (day(&request.day)?, short("ground", &request.ground)?);
        let command = CircumstanceCommand::RecordEvent { on, ground };
        let change = known(&request.name, Target::Leads, command, &request.etag, &request.ground)?;
        self.change(&call, &request, &request_id, change, whole_task).await
    }

    async fn correct_occurrence(
        &self,
        request: Request<proto::CorrectOccurrenceRequest>,
    ) -> Result<Response<proto::Task>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let at = decode_time("occur_time", &present("occur_time", request.occur_time)?)?;
        let command =
            CircumstanceCommand::CorrectOccurrence { at, ground: short("ground", &request.ground)? };
        let change = known(&request.name, Target::Leads, command, &request.etag, &request.ground)?;
        self.change(&call, &request, &request_id, change, whole_task).await
    }

    async fn designate_leader(
        &self,
        request: Request<proto::DesignateLeaderRequest>,
    ) -> Result<Response<proto::Task>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        if !request.official.is_empty() {
            let mut check = Check::default();
            check.name("official", &request.official, "officials");
            check.finish()?;
        }
        let (official, ground) = (optional(request.official.clone()), short("ground", &request.ground)?);
        let command = CircumstanceCommand::Designate { official, ground };
        let change = known(&request.name, Target::Whole, command, &request.etag, &request.ground)?;
        self.change(&call, &request, &request_id, change, whole_task).await
    }
}

fn known(
    name: &str,
    target: Target,
    command: CircumstanceCommand,
    etag: &str,
    ground: &str,
) -> Result<Change, Error> {
    task_name(name)?;
    Ok(Change {
        task: name.to_owned(),
        target,
        asked: Asked::Command(Command::Circumstance(command)),
        etag: etag.to_owned(),
        ground: optional(ground.trim().to_owned()),
        validate_only: false,
    })
}

/// A day as `2023-08-10`.
fn day(text: &str) -> Result<Date, Error> {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
        .map_err(|_| Error::invalid("day", "must be a day as 2023-08-10", "日期格式应为2023-08-10"))
}
