//! The RPCs of `GroupService`: decode, authorise, one call, encode.

mod convert;
mod preview;

use std::sync::Arc;

use domain_calendar::Timestamp;
use domain_workgroup::{check_decision_name, check_group_name, check_meeting_name, held_seats};
use tonic::{Request, Response, Status};
use xietong_mesh::convert::{decode_optional_time, encode_time};
use xietong_mesh::input::optional;
use xietong_mesh::page::Paging;
use xietong_mesh::{Attempt, Call, Error, Foundation, RosterCopy, Transactions, retried};
use xietong_proto::workgroup as proto;
use xietong_proto::workgroup::group_service_server::GroupService;
use xietong_store::Db;
use xietong_timers::{Clock, MachineClock, Poke};

pub(crate) use preview::DivisionPreviews;

use crate::app;
use crate::error::told;
use crate::store::{decisions, groups, meetings};

/// Answers the calls about groups.
pub(crate) struct GroupServer {
    db: Db,
    clock: Clock,
    transactions: Transactions,
    copy: Arc<RosterCopy>,
    escalations: Poke,
}

impl GroupServer {
    /// `escalations` is poked after each new escalation.
    pub(crate) fn new(foundation: &Foundation, copy: Arc<RosterCopy>, escalations: Poke) -> Self {
        GroupServer {
            db: foundation.db.clone(),
            clock: foundation.clock.clone(),
            transactions: foundation.transactions.clone(),
            copy,
            escalations,
        }
    }

    async fn try_escalate(
        &self,
        call: &Call,
        request: &proto::EscalateDecisionRequest,
        request_id: &str,
    ) -> Result<proto::Decision, Error> {
        let transaction = match self.transactions.begin(call, request, request_id).await? {
            Attempt::Repeat(answer) => return Ok(answer),
            Attempt::First(transaction) => transaction,
        };
        let decision = app::decision::permitted(transaction.tx(), call, &request.name).await?;
        if !request.etag.is_empty() && request.etag != convert::etag(decision.version) {
            return Err(Error::aborted_etag(&request.name));
        }
        let decision = app::decision::escalate(&transaction, decision, call.traceparent.as_deref()).await?;
        let answer = transaction.commit(convert::encode_decision(decision)).await?;
        self.escalations.poke();
        Ok(answer)
    }
}

#[tonic::async_trait]
impl GroupService for GroupServer {
    async fn create_group(
        &self,
        request: Request<proto::CreateGroupRequest>,
    ) -> Result<Response<proto::Group>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        app::charge::prepare(&self.copy, convert::group::charged(&request)).await;
        let transaction = match self.transactions.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let validate_only = request.validate_only;
        let group = convert::group::decode(request, transaction.now())?;
        call.authorize(&app::group::resource(&group))?;
        app::charge::check(&self.copy.view(), &group.duties)?;
        let group = app::group::found(&transaction, group).await?;
        let group = convert::group::encode(group);
        // A transaction that is not committed leaves nothing.
        let group = if validate_only { group } else { transaction.commit(group).await? };
        Ok(Response::new(group))
    }

    async fn get_group(
        &self,
        request: Request<proto::GetGroupRequest>,
    ) -> Result<Response<proto::Group>, Status> {
        let call = Call::of(&request)?;
        let name = &request.get_ref().name;
        check_group_name("name", name).map_err(told)?;
        let group = app::group::permitted(self.db.reader(), call, name).await?;
        Ok(Response::new(convert::group::encode(group)))
    }

    async fn list_groups(
        &self,
        request: Request<proto::ListGroupsRequest>,
    ) -> Result<Response<proto::ListGroupsResponse>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let request = request.into_inner();
        let document = optional("founding_document", request.founding_document)?;
        let asked = ["ListGroups", document.as_deref().unwrap_or_default()];
        let paging = Paging::<String>::new(&asked, request.page_size, &request.page_token)?;
        let after = paging.after().map_or("", String::as_str);
        let found =
            groups::list_in_scope(self.db.reader(), &scope, document.as_deref(), after, paging.limit())
                .await
                .map_err(Error::from)?;
        let (groups, next_page_token) = paging.page(
            found,
            |group| group.record.name.clone(),
            |group| Ok(convert::group::encode(group)),
        )?;
        Ok(Response::new(proto::ListGroupsResponse { groups, next_page_token }))
    }

    async fn list_seats(
        &self,
        request: Request<proto::ListSeatsRequest>,
    ) -> Result<Response<proto::ListSeatsResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.get_ref();
        check_group_name("name", &request.name).map_err(told)?;
        let at = decode_optional_time("at", request.at.as_ref())?.unwrap_or_else(|| self.clock.now());
        let group = app::group::permitted(self.db.reader(), call, &request.name).await?;
        let roster = self.copy.view();
        // Before it first held everything, every seat would look vacant.
        let as_of = roster.as_of().ok_or_else(|| Error::unavailable("the copy of the roster"))?;
        let seats = held_seats(&group.record, &roster.book, at, Timestamp::MAX).map_err(told)?;
        Ok(Response::new(proto::ListSeatsResponse {
            seats: seats.into_iter().map(convert::group::encode_held_seat).collect(),
            roster_position: roster.position,
            roster_as_of: Some(encode_time(as_of)),
        }))
    }

    async fn create_meeting(
        &self,
        request: Request<proto::CreateMeetingRequest>,
    ) -> Result<Response<proto::Meeting>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let transaction = match self.transactions.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let parent = request.parent.clone();
        let meeting = convert::decode_meeting(request, MachineClock::system().new_id())?;
        let group = app::group::permitted(transaction.tx(), &call, &parent).await?;
        let meeting = app::meeting::record(&transaction, &group.record, meeting).await?;
        Ok(Response::new(transaction.commit(convert::encode_meeting(meeting)).await?))
    }

    async fn get_meeting(
        &self,
        request: Request<proto::GetMeetingRequest>,
    ) -> Result<Response<proto::Meeting>, Status> {
        let call = Call::of(&request)?;
        let name = &request.get_ref().name;
        check_meeting_name("name", name).map_err(told)?;
        let (_, meeting) = app::meeting::permitted(self.db.reader(), call, name).await?;
        Ok(Response::new(convert::encode_meeting(meeting)))
    }

    async fn list_meetings(
        &self,
        request: Request<proto::ListMeetingsRequest>,
    ) -> Result<Response<proto::ListMeetingsResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.get_ref();
        check_group_name("parent", &request.parent).map_err(told)?;
        let query = ["ListMeetings", &request.parent];
        let paging = Paging::new(&query, request.page_size, &request.page_token)?;
        app::group::permitted(self.db.reader(), call, &request.parent).await?;
        let before = paging.after().cloned();
        let found = meetings::list_of_group(self.db.reader(), &request.parent, before, paging.limit())
            .await
            .map_err(Error::from)?;
        let (meetings, next_page_token) = paging.page(
            found,
            |meeting| (meeting.record.meet_time, meeting.record.name.clone()),
            |meeting| Ok(convert::encode_meeting(meeting)),
        )?;
        Ok(Response::new(proto::ListMeetingsResponse { meetings, next_page_token }))
    }

    async fn create_decision(
        &self,
        request: Request<proto::CreateDecisionRequest>,
    ) -> Result<Response<proto::Decision>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let transaction = match self.transactions.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let parent = request.parent.clone();
        let decision = convert::decode_decision(request, MachineClock::system().new_id())?;
        let (group, meeting) = app::meeting::permitted(transaction.tx(), &call, &parent).await?;
        let decision = app::decision::record(&transaction, &group, &meeting.record, decision).await?;
        Ok(Response::new(transaction.commit(convert::encode_decision(decision)).await?))
    }

    async fn get_decision(
        &self,
        request: Request<proto::GetDecisionRequest>,
    ) -> Result<Response<proto::Decision>, Status> {
        let call = Call::of(&request)?;
        let name = &request.get_ref().name;
        check_decision_name("name", name).map_err(told)?;
        let decision = app::decision::permitted(self.db.reader(), call, name).await?;
        Ok(Response::new(convert::encode_decision(decision)))
    }

    async fn list_decisions(
        &self,
        request: Request<proto::ListDecisionsRequest>,
    ) -> Result<Response<proto::ListDecisionsResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.get_ref();
        check_meeting_name("parent", &request.parent).map_err(told)?;
        let query = ["ListDecisions", &request.parent];
        let paging = Paging::new(&query, request.page_size, &request.page_token)?;
        app::meeting::permitted(self.db.reader(), call, &request.parent).await?;
        let after = paging.after().copied().unwrap_or(0);
        let found = decisions::list_of_meeting(self.db.reader(), &request.parent, after, paging.limit())
            .await
            .map_err(Error::from)?;
        let (decisions, next_page_token) = paging.page(
            found,
            |(entry, _)| *entry,
            |(_, decision)| Ok(convert::encode_decision(decision)),
        )?;
        Ok(Response::new(proto::ListDecisionsResponse { decisions, next_page_token }))
    }

    async fn escalate_decision(
        &self,
        request: Request<proto::EscalateDecisionRequest>,
    ) -> Result<Response<proto::Decision>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        check_decision_name("name", &request.name).map_err(told)?;
        let attempt = || self.try_escalate(&call, &request, &request_id);
        Ok(Response::new(retried(&request.etag, attempt).await?))
    }
}
