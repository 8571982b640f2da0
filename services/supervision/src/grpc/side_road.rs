//! `xietong.supervision.v1.SideRoadService`: decode, ask `app/`, encode.

use std::mem::take;

use domain_supervision::{Assignment, AssignmentCommand, SideRoadCommand, Visibility};
use prost::Name;
use time::Date;
use tonic::{Request, Response, Status};
use xietong_mesh::page::Paging;
use xietong_mesh::{Call, Error, input};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::side_road_service_server::SideRoadService;

use super::check::Check;
use super::content::{REASON, last_day};
use super::{Tasks, list, of_assignment, one_assignment, pause, unit_drafts};
use crate::app::Supervision;
use crate::error::command_refused;
use crate::record::Record;
use crate::store::Portion;

/// A request on one assignment, with the parts that every one of them has.
pub(super) trait OnAssignment: Name {
    /// Its name, its etag, and its request id, which is taken out.
    fn parts(&mut self) -> (String, String, String);
}

macro_rules! on_assignment {
    ($($request:ident),* $(,)?) => {
        $(impl OnAssignment for proto::$request {
            fn parts(&mut self) -> (String, String, String) {
                (self.name.clone(), self.etag.clone(), take(&mut self.request_id))
            }
        })*
    };
}

on_assignment!(
    ReturnAssignmentRequest,
    RefuseReturnRequest,
    ReassignAssignmentRequest,
    SuspendAssignmentRequest,
    ResumeAssignmentRequest,
    WaitForUnitRequest,
    AcceptWaitRequest,
    RuleOnWaitRequest,
    EndWaitRequest,
    RecheckAssignmentRequest,
    ReopenAssignmentRequest,
    UrgeAssignmentRequest,
    SendBackMilestoneRequest,
);

impl Tasks {
    async fn side_road<M: OnAssignment, R: prost::Message + Default>(
        &self,
        request: Request<M>,
        command: fn(&M) -> Result<SideRoadCommand, Error>,
        answer: super::Answer<R>,
    ) -> Result<Response<R>, Status> {
        let command = |request: &M| command(request).map(AssignmentCommand::SideRoad);
        self.on_assignment(request, command, answer).await
    }

    /// Carries out what a request asks of an assignment.
    pub(super) async fn on_assignment<M: OnAssignment, R: prost::Message + Default>(
        &self,
        request: Request<M>,
        command: impl FnOnce(&M) -> Result<AssignmentCommand, Error>,
        answer: super::Answer<R>,
    ) -> Result<Response<R>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let (name, etag, request_id) = request.parts();
        let command = command(&request)?;
        let change = of_assignment(&name, command, &etag)?;
        self.change(&call, &request, &request_id, change, answer).await
    }
}

#[tonic::async_trait]
impl SideRoadService for Tasks {
    async fn return_assignment(
        &self,
        request: Request<proto::ReturnAssignmentRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let command = |request: &proto::ReturnAssignmentRequest| {
            Ok(SideRoadCommand::Return { reason: short("reason", &request.reason)? })
        };
        self.side_road(request, command, one_assignment).await
    }

    async fn refuse_return(
        &self,
        request: Request<proto::RefuseReturnRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let command = |request: &proto::RefuseReturnRequest| {
            Ok(SideRoadCommand::RefuseReturn { note: short("note", &request.note)? })
        };
        self.side_road(request, command, one_assignment).await
    }

    async fn reassign_assignment(
        &self,
        request: Request<proto::ReassignAssignmentRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let command = |request: &proto::ReassignAssignmentRequest| {
            let (unit, ground) = (unit_name(&request.unit)?, short("ground", &request.ground)?);
            Ok(SideRoadCommand::Reassign { unit, ground })
        };
        self.side_road(request, command, one_assignment).await
    }

    async fn suspend_assignment(
        &self,
        request: Request<proto::SuspendAssignmentRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let command = |request: &proto::SuspendAssignmentRequest| {
            let review_date = day("review_time", request.review_time.as_ref())?;
            Ok(SideRoadCommand::Suspend { ground: short("ground", &request.ground)?, review_date })
        };
        self.side_road(request, command, one_assignment).await
    }

    async fn resume_assignment(
        &self,
        request: Request<proto::ResumeAssignmentRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let command = |request: &proto::ResumeAssignmentRequest| {
            Ok(SideRoadCommand::Resume { note: short("note", &request.note)? })
        };
        self.side_road(request, command, one_assignment).await
    }

    async fn wait_for_unit(
        &self,
        request: Request<proto::WaitForUnitRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let command = |request: &proto::WaitForUnitRequest| {
            let (on, need) = (unit_name(&request.unit)?, short("need", &request.need)?);
            Ok(SideRoadCommand::Wait { on, need })
        };
        self.side_road(request, command, one_assignment).await
    }

    async fn accept_wait(
        &self,
        request: Request<proto::AcceptWaitRequest>,
    ) -> Result<Response<proto::AwaitedAssignment>, Status> {
        let command = |_: &proto::AcceptWaitRequest| Ok(SideRoadCommand::AcceptWait);
        self.side_road(request, command, awaited).await
    }

    async fn rule_on_wait(
        &self,
        request: Request<proto::RuleOnWaitRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let command = |request: &proto::RuleOnWaitRequest| {
            Ok(SideRoadCommand::RuleOnWait { hold: request.hold, note: short("note", &request.note)? })
        };
        self.side_road(request, command, one_assignment).await
    }

    async fn end_wait(
        &self,
        request: Request<proto::EndWaitRequest>,
    ) -> Result<Response<proto::AwaitedAssignment>, Status> {
        let command = |request: &proto::EndWaitRequest| {
            Ok(SideRoadCommand::EndWait { answer: short("answer", &request.answer)? })
        };
        self.side_road(request, command, awaited).await
    }

    async fn recheck_assignment(
        &self,
        request: Request<proto::RecheckAssignmentRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let command = |request: &proto::RecheckAssignmentRequest| {
            Ok(SideRoadCommand::Recheck { finding: short("finding", &request.finding)? })
        };
        self.side_road(request, command, one_assignment).await
    }

    async fn reopen_assignment(
        &self,
        request: Request<proto::ReopenAssignmentRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let command = |request: &proto::ReopenAssignmentRequest| {
            let last_day = day("until", request.until.as_ref())?;
            Ok(SideRoadCommand::Reopen { ground: short("ground", &request.ground)?, last_day })
        };
        self.side_road(request, command, one_assignment).await
    }

    async fn list_waits(
        &self,
        request: Request<proto::ListWaitsRequest>,
    ) -> Result<Response<proto::ListWaitsResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let unit = unit_name(&request.unit)?;
        let asked = ["ListWaits", &unit];
        let paging = Paging::new(&asked, request.page_size, &request.page_token)?;
        let key = |record: &Record| record.task.ledger_number;
        let encode = |record: Record| Ok(awaiting(&record, &unit));
        let read = |before, limit| self.app.waiting_for(&call, &unit, Portion { before, limit });
        let (tasks, next_page_token) = list::page(paging, key, encode, read).await?;
        Ok(Response::new(proto::ListWaitsResponse { tasks, next_page_token }))
    }
}

/// A text of at most [`REASON`] characters.
pub(super) fn short(field: &str, text: &str) -> Result<String, Error> {
    input::text(field, text.to_owned(), REASON)
}

fn unit_name(name: &str) -> Result<String, Error> {
    let mut check = Check::default();
    check.name("unit", name, "units");
    check.finish()?;
    Ok(name.to_owned())
}

fn day(field: &str, end: Option<&prost_types::Timestamp>) -> Result<Date, Error> {
    last_day(field, end)?.ok_or_else(|| Error::invalid(field, "must be given", "请填写日期"))
}

/// As much of an assignment as whoever it waits for must know.
fn awaited(_: &Supervision, record: &Record, name: &str) -> Result<proto::AwaitedAssignment, Error> {
    let one = record.task.assignment(name).map_err(command_refused)?;
    let draft = record.drafted.as_ref().map(unit_drafts::encode);
    Ok(proto::AwaitedAssignment { draft, ..awaited_assignment(one) })
}

fn awaited_assignment(one: &Assignment) -> proto::AwaitedAssignment {
    proto::AwaitedAssignment {
        name: one.name.clone(),
        holder: one.unit.clone(),
        wait: one.wait.as_ref().map(pause::encode_wait),
        draft: None,
    }
}

fn awaiting(record: &Record, unit: &str) -> proto::AwaitingTask {
    let task = &record.task;
    let waits = |one: &&Assignment| one.wait.as_ref().is_some_and(|wait| wait.on == unit);
    proto::AwaitingTask {
        name: task.name.clone(),
        ledger_number: task.ledger_number,
        title: match task.visibility {
            Visibility::Restricted => String::new(),
            Visibility::Public | Visibility::Internal => task.title.clone(),
        },
        assignments: task.assignments.iter().filter(waits).map(awaited_assignment).collect(),
    }
}
