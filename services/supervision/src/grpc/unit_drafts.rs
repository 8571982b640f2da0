//! `xietong.supervision.v1.UnitDraftService`: decode, ask `app/`, encode.

use std::mem::take;

use domain_supervision::{DraftState, Said, UnitDraft};
use prost::Name;
use tonic::{Request, Response, Status};
use xietong_mesh::convert::encode_time;
use xietong_mesh::page::Paging;
use xietong_mesh::{Attempt, Call, Error, retried};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::unit_draft_service_server::UnitDraftService;

use super::check::Check;
use super::content::due_time;
use super::decode::unknown;
use super::side_road::short;
use super::{Tasks, list};
use crate::app::{DraftVerb, ReleaseSetting};
use crate::store::Portion;

impl Tasks {
    /// Does with a draft what is asked, once for a request id. `request` is without it.
    async fn on_draft<M: Name>(
        &self,
        call: &Call,
        request: &M,
        request_id: &str,
        (name, etag): (&str, &str),
        verb: DraftVerb,
    ) -> Result<Response<proto::UnitDraft>, Status> {
        let mut check = Check::default();
        check.name("name", name, "drafts");
        check.finish()?;
        let attempt = || async {
            let mut transaction = match self.transactions.begin(call, request, request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let draft = self.app.on_draft(&mut transaction, call, name, &verb, etag).await?;
            transaction.commit(encode(&draft)).await
        };
        Ok(Response::new(retried(etag, attempt).await?))
    }
}

#[tonic::async_trait]
impl UnitDraftService for Tasks {
    async fn get_release_setting(
        &self,
        request: Request<proto::GetReleaseSettingRequest>,
    ) -> Result<Response<proto::ReleaseSetting>, Status> {
        let call = Call::of(&request)?.clone();
        let name = request.into_inner().name;
        let unit = unit_of_setting("name", &name)?;
        let setting = self.app.release_setting(&call, unit).await?;
        Ok(Response::new(encode_setting(&setting)))
    }

    async fn update_release_setting(
        &self,
        request: Request<proto::UpdateReleaseSettingRequest>,
    ) -> Result<Response<proto::ReleaseSetting>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let setting = request.setting.clone().unwrap_or_default();
        let unit = unit_of_setting("setting.name", &setting.name)?;
        let mask = request.update_mask.as_ref().map(|mask| mask.paths.as_slice()).unwrap_or_default();
        if let Some(other) = mask.iter().find(|path| *path != "release_required") {
            let english = format!("{other} cannot be changed");
            return Err(Error::invalid("update_mask", english, format!("{other}不能修改")).into());
        }
        let attempt = || async {
            let transaction = match self.transactions.begin(&call, &request, &request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let asked = (unit, Some(setting.release_required));
            let changed = self.app.set_release(&transaction, &call, asked, &setting.etag).await?;
            transaction.commit(encode_setting(&changed)).await
        };
        Ok(Response::new(retried(&setting.etag, attempt).await?))
    }

    async fn list_drafts(
        &self,
        request: Request<proto::ListDraftsRequest>,
    ) -> Result<Response<proto::ListDraftsResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let mut check = Check::default();
        check.name("unit", &request.unit, "units");
        let state = state(&mut check, request.state);
        check.finish()?;
        let number = request.state.to_string();
        let asked = ["ListDrafts", &request.unit, &number];
        let paging = Paging::new(&asked, request.page_size, &request.page_token)?;
        let encode = |(_, draft): (i64, UnitDraft)| Ok(encode(&draft));
        let read =
            |before, limit| self.app.unit_drafts(&call, &request.unit, state, Portion { before, limit });
        let (drafts, next_page_token) = list::page(paging, |(at, _)| *at, encode, read).await?;
        Ok(Response::new(proto::ListDraftsResponse { drafts, next_page_token }))
    }

    async fn get_draft(
        &self,
        request: Request<proto::GetDraftRequest>,
    ) -> Result<Response<proto::UnitDraft>, Status> {
        let call = Call::of(&request)?.clone();
        let name = request.into_inner().name;
        let mut check = Check::default();
        check.name("name", &name, "drafts");
        check.finish()?;
        Ok(Response::new(encode(&self.app.unit_draft(&call, &name).await?)))
    }

    async fn release_draft(
        &self,
        request: Request<proto::ReleaseDraftRequest>,
    ) -> Result<Response<proto::UnitDraft>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let of = (request.name.as_str(), request.etag.as_str());
        self.on_draft(&call, &request, &request_id, of, DraftVerb::Release).await
    }

    async fn send_back_draft(
        &self,
        request: Request<proto::SendBackDraftRequest>,
    ) -> Result<Response<proto::UnitDraft>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let of = (request.name.as_str(), request.etag.as_str());
        let verb = DraftVerb::SendBack { note: short("note", &request.note)? };
        self.on_draft(&call, &request, &request_id, of, verb).await
    }

    async fn withdraw_draft(
        &self,
        request: Request<proto::WithdrawDraftRequest>,
    ) -> Result<Response<proto::UnitDraft>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let of = (request.name.as_str(), request.etag.as_str());
        self.on_draft(&call, &request, &request_id, of, DraftVerb::Withdraw).await
    }
}

fn unit_of_setting<'n>(field: &str, name: &'n str) -> Result<&'n str, Error> {
    let unit = name.strip_suffix("/releaseSetting").unwrap_or_default();
    let mut check = Check::default();
    check.name(field, unit, "units");
    match check.finish() {
        Ok(()) => Ok(unit),
        Err(_) => Err(Error::invalid(
            field,
            "must be of the form units/{id}/releaseSetting",
            "格式应为units/编号/releaseSetting",
        )),
    }
}

fn state(check: &mut Check, value: i32) -> Option<DraftState> {
    match proto::DraftState::try_from(value) {
        Ok(proto::DraftState::Unspecified) => None,
        Ok(proto::DraftState::Awaiting) => Some(DraftState::Awaiting),
        Ok(proto::DraftState::SentBack) => Some(DraftState::SentBack),
        Ok(proto::DraftState::Released) => Some(DraftState::Released),
        Ok(proto::DraftState::Withdrawn) => Some(DraftState::Withdrawn),
        Ok(proto::DraftState::Replaced) => Some(DraftState::Replaced),
        Err(_) => {
            let states = [
                "DRAFT_STATE_AWAITING",
                "DRAFT_STATE_SENT_BACK",
                "DRAFT_STATE_RELEASED",
                "DRAFT_STATE_WITHDRAWN",
                "DRAFT_STATE_REPLACED",
            ];
            unknown(check, "state", &states);
            None
        }
    }
}

fn encode_setting(setting: &ReleaseSetting) -> proto::ReleaseSetting {
    proto::ReleaseSetting {
        name: format!("{}/releaseSetting", setting.unit),
        release_required: setting.required,
        etag: setting.etag(),
    }
}

/// A draft, for the unit alone.
pub(super) fn encode(draft: &UnitDraft) -> proto::UnitDraft {
    let empty = String::new();
    let (kind, text, until) = match &draft.said {
        Said::Report { text, .. } => (proto::DraftKind::Report, text, None),
        Said::Submission { text, .. } => (proto::DraftKind::Submission, text, None),
        Said::ExtensionRequest { last_day, reason } => {
            (proto::DraftKind::ExtensionRequest, reason, due_time(*last_day))
        }
        Said::Return { reason } => (proto::DraftKind::Return, reason, None),
        Said::Milestone { which, text, .. } => (proto::DraftKind::Milestone, text, due_time(which.last_day)),
        Said::Deployment { plan } => (proto::DraftKind::Deployment, plan, None),
        Said::Wait { on: _, need } => (proto::DraftKind::Wait, need, None),
        Said::WaitAcceptance => (proto::DraftKind::WaitAcceptance, &empty, None),
        Said::WaitEnd { answer } => (proto::DraftKind::WaitEnd, answer, None),
    };
    let clause = match &draft.said {
        Said::Milestone { which, .. } => which.clause.clone(),
        Said::Report { .. }
        | Said::Submission { .. }
        | Said::ExtensionRequest { .. }
        | Said::Return { .. }
        | Said::Deployment { .. }
        | Said::Wait { .. }
        | Said::WaitAcceptance
        | Said::WaitEnd { .. } => String::new(),
    };
    let state = match draft.state {
        DraftState::Awaiting => proto::DraftState::Awaiting,
        DraftState::SentBack => proto::DraftState::SentBack,
        DraftState::Released => proto::DraftState::Released,
        DraftState::Withdrawn => proto::DraftState::Withdrawn,
        DraftState::Replaced => proto::DraftState::Replaced,
    };
    proto::UnitDraft {
        name: draft.name.clone(),
        assignment: draft.assignment.clone(),
        unit: draft.unit.clone(),
        kind: kind.into(),
        text: text.clone(),
        until,
        state: state.into(),
        drafter: draft.drafter.clone(),
        create_time: Some(encode_time(draft.drafted_at)),
        note: draft.note.clone(),
        approver: draft.approver.clone().unwrap_or_default(),
        decide_time: draft.decided_at.map(encode_time),
        etag: draft.etag(),
        clause,
        awaited_unit: match &draft.said {
            Said::Wait { on, .. } => on.clone(),
            Said::Report { .. }
            | Said::Submission { .. }
            | Said::ExtensionRequest { .. }
            | Said::Return { .. }
            | Said::Milestone { .. }
            | Said::Deployment { .. }
            | Said::WaitAcceptance
            | Said::WaitEnd { .. } => String::new(),
        },
    }
}
