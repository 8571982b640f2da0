//! `xietong.supervision.v1.MilestoneService`: decode, ask `app/`, encode.

use std::mem::take;

use domain_calendar::Timestamp;
use domain_supervision::{Assignment, AssignmentCommand, Clocks, MilestoneCommand, NamedMilestone};
use tonic::{Request, Response, Status};
use xietong_mesh::convert::encode_time;
use xietong_mesh::{Call, Error, input};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::milestone_service_server::MilestoneService;

use super::content::{CLAUSE, last_day};
use super::side_road::short;
use super::{Tasks, long_text, of_assignment, one_assignment};

#[tonic::async_trait]
impl MilestoneService for Tasks {
    async fn reach_milestone(
        &self,
        request: Request<proto::ReachMilestoneRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let mut call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        long_text("text", &request.text)?;
        let attachments = call.attachments("attachments", &request.attachments)?;
        let which = named(request.due_time.as_ref(), &request.clause)?;
        let command = MilestoneCommand::Reach { which, text: request.text.clone(), attachments };
        let change = of_assignment(&request.name, AssignmentCommand::Milestone(command), &request.etag)?;
        self.change(&call, &request, &request_id, change, one_assignment).await
    }

    async fn send_back_milestone(
        &self,
        request: Request<proto::SendBackMilestoneRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let command = |request: &proto::SendBackMilestoneRequest| {
            let which = named(request.due_time.as_ref(), &request.clause)?;
            let note = short("note", &request.note)?;
            Ok(AssignmentCommand::Milestone(MilestoneCommand::SendBack { which, note }))
        };
        self.on_assignment(request, command, one_assignment).await
    }
}

/// Which milestone is meant.
fn named(due_time: Option<&prost_types::Timestamp>, clause: &str) -> Result<NamedMilestone, Error> {
    let last_day = last_day("due_time", due_time)?
        .ok_or_else(|| Error::invalid("due_time", "must be given", "请填写节点日期"))?;
    let clause = input::text("clause", clause.to_owned(), CLAUSE)?;
    Ok(NamedMilestone { last_day, clause })
}

/// The places of the milestones that a unit has reached, in order.
pub(super) fn reached(assignment: &Assignment) -> Vec<i32> {
    let marks = assignment.milestones.iter().filter(|mark| mark.reached_at.is_some());
    let mut numbers: Vec<i32> = marks.filter_map(|mark| i32::try_from(mark.number).ok()).collect();
    numbers.sort_unstable();
    numbers
}

/// When the next milestone is due.
pub(super) fn next_due(clocks: &Clocks) -> Option<prost_types::Timestamp> {
    clocks.due.milestone.map(|due: Timestamp| encode_time(due))
}
