//! `xietong.supervision.v1.DelegationService`: decode, ask `app/`, encode.

use std::mem::take;

use domain_supervision::{Delegate, Delegation, DelegationState, Visibility};
use prost::Name;
use tonic::{Request, Response, Status};
use xietong_mesh::convert::{decode_optional_time, encode_time, optional};
use xietong_mesh::input::LINE;
use xietong_mesh::page::Paging;
use xietong_mesh::{Attempt, Call, Error, retried};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::delegation_service_server::DelegationService;

use super::check::{Check, task_of_assignment};
use super::instructions::WORDS;
use super::side_road::short;
use super::{Tasks, list, long_text, one_assignment};
use crate::app::{DelegationVerb, ToDelegate};
use crate::store::{DelegationFilter, Portion};

impl Tasks {
    /// Does with a delegation what is asked, once for a request id. `request` is without it.
    async fn on_delegation<M: Name>(
        &self,
        call: &Call,
        request: &M,
        request_id: &str,
        (name, etag): (&str, &str),
        verb: DelegationVerb,
    ) -> Result<Response<proto::Delegation>, Status> {
        delegation_name(name)?;
        let attempt = || async {
            let transaction = match self.transactions.begin(call, request, request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let after = self.app.on_delegation(&transaction, call, name, &verb, etag).await?;
            transaction.commit(encode(&after)).await
        };
        Ok(Response::new(retried(etag, attempt).await?))
    }
}

#[tonic::async_trait]
impl DelegationService for Tasks {
    async fn delegate_assignment(
        &self,
        request: Request<proto::DelegateAssignmentRequest>,
    ) -> Result<Response<proto::Delegation>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let asked = to_delegate(&request)?;
        self.app.prepare_delegation(&asked).await;
        let attempt = || async {
            let transaction = match self.transactions.begin(&call, &request, &request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let given = self.app.delegate(&transaction, &call, &asked).await?;
            transaction.commit(encode(&given)).await
        };
        Ok(Response::new(retried(&request.etag, attempt).await?))
    }

    async fn get_delegation(
        &self,
        request: Request<proto::GetDelegationRequest>,
    ) -> Result<Response<proto::Delegation>, Status> {
        let call = Call::of(&request)?.clone();
        let name = request.into_inner().name;
        delegation_name(&name)?;
        Ok(Response::new(encode(&self.app.delegation(&call, &name).await?)))
    }

    async fn list_delegations(
        &self,
        request: Request<proto::ListDelegationsRequest>,
    ) -> Result<Response<proto::ListDelegationsResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let filter = filter(&request)?;
        let asked = ["ListDelegations", &request.holder, &request.unit, &request.assignment];
        let paging = Paging::new(&asked, request.page_size, &request.page_token)?;
        let encode = |(_, one): (i64, Delegation)| Ok(encode(&one));
        let read = |before, limit| self.app.delegations(&call, &filter, Portion { before, limit });
        let (delegations, next_page_token) = list::page(paging, |(at, _)| *at, encode, read).await?;
        Ok(Response::new(proto::ListDelegationsResponse { delegations, next_page_token }))
    }

    async fn answer_delegation(
        &self,
        request: Request<proto::AnswerDelegationRequest>,
    ) -> Result<Response<proto::Delegation>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        long_text("text", &request.text)?;
        let verb = DelegationVerb::Answer { text: request.text.clone(), done: request.done };
        let of = (request.name.as_str(), request.etag.as_str());
        self.on_delegation(&call, &request, &request_id, of, verb).await
    }

    async fn send_back_delegation(
        &self,
        request: Request<proto::SendBackDelegationRequest>,
    ) -> Result<Response<proto::Delegation>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let verb = DelegationVerb::SendBack { note: short("note", &request.note)? };
        let of = (request.name.as_str(), request.etag.as_str());
        self.on_delegation(&call, &request, &request_id, of, verb).await
    }

    async fn adopt_delegation(
        &self,
        request: Request<proto::AdoptDelegationRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        delegation_name(&request.name)?;
        long_text("text", &request.text)?;
        let attempt = || async {
            let mut transaction = match self.transactions.begin(&call, &request, &request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let asked = (request.name.as_str(), request.text.as_str());
            let (record, name) = self.app.adopt(&mut transaction, &call, asked, &request.etag).await?;
            transaction.commit(one_assignment(&self.app, &record, &name)?).await
        };
        Ok(Response::new(retried(&request.etag, attempt).await?))
    }

    async fn withdraw_delegation(
        &self,
        request: Request<proto::WithdrawDelegationRequest>,
    ) -> Result<Response<proto::Delegation>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let verb = DelegationVerb::Withdraw { note: short("note", &request.note)? };
        let of = (request.name.as_str(), request.etag.as_str());
        self.on_delegation(&call, &request, &request_id, of, verb).await
    }
}

fn delegation_name(name: &str) -> Result<(), Error> {
    let mut check = Check::default();
    check.name("name", name, "delegations");
    check.finish()
}

fn to_delegate(request: &proto::DelegateAssignmentRequest) -> Result<ToDelegate, Error> {
    let task = task_of_assignment(&request.name)?.to_owned();
    let mut check = Check::default();
    check.text("ask", &request.ask, WORDS);
    check.text("section", &request.section, LINE);
    let to = match (request.unit.as_str(), request.section.as_str()) {
        ("", section) => Delegate::Section(section.to_owned()),
        (unit, "") => {
            check.name("unit", unit, "units");
            Delegate::Unit(unit.to_owned())
        }
        (..) => {
            check.wrong("section", "not together with a unit", "下属单位与科室只能填写一项");
            Delegate::Section(String::new())
        }
    };
    let due_at = decode_optional_time("due_time", request.due_time.as_ref())?;
    if due_at.is_none() {
        check.wrong("due_time", "must be given", "请填写转办时限");
    }
    check.finish()?;
    // The check has refused what has no due time.
    let due_at = due_at.ok_or_else(|| Error::invalid("due_time", "must be given", "请填写转办时限"))?;
    let (ask, etag) = (request.ask.clone(), request.etag.clone());
    Ok(ToDelegate { assignment: (task, request.name.clone()), to, ask, due_at, etag })
}

fn filter(request: &proto::ListDelegationsRequest) -> Result<DelegationFilter, Error> {
    let mut check = Check::default();
    for (field, unit) in [("holder", &request.holder), ("unit", &request.unit)] {
        if !unit.is_empty() {
            check.name(field, unit, "units");
        }
    }
    if request.holder.is_empty() && request.unit.is_empty() {
        check.wrong("holder", "a holder or a unit must be given", "请填写转办单位或承办单位");
    }
    check.text("assignment", &request.assignment, LINE);
    check.finish()?;
    Ok(DelegationFilter {
        holder: optional(request.holder.clone()),
        unit: optional(request.unit.clone()),
        assignment: optional(request.assignment.clone()),
    })
}

fn encode(one: &Delegation) -> proto::Delegation {
    let state = match one.state {
        DelegationState::Open => proto::DelegationState::Open,
        DelegationState::Done => proto::DelegationState::Done,
        DelegationState::Withdrawn => proto::DelegationState::Withdrawn,
    };
    let (unit, section) = match &one.to {
        Delegate::Unit(unit) => (unit.clone(), String::new()),
        Delegate::Section(section) => (String::new(), section.clone()),
    };
    let answer = one.answer.as_ref();
    proto::Delegation {
        name: one.name.clone(),
        assignment: one.assignment.clone(),
        ledger_number: one.task.ledger_number,
        // A delegate is not among those who may see a restricted task.
        title: match one.task.visibility {
            Visibility::Restricted => String::new(),
            Visibility::Public | Visibility::Internal => one.task.title.clone(),
        },
        holder: one.holder.clone(),
        unit,
        section,
        ask: one.ask.clone(),
        due_time: Some(encode_time(one.due_at)),
        create_time: Some(encode_time(one.given_at)),
        state: state.into(),
        answer: answer.map(|answer| answer.text.clone()).unwrap_or_default(),
        answerer: answer.map(|answer| answer.by.clone()).unwrap_or_default(),
        answer_time: answer.map(|answer| encode_time(answer.at)),
        note: one.note.clone(),
        etag: one.etag(),
    }
}
