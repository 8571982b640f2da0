//! `xietong.supervision.v1.InspectionService`: decode, ask `app/`, encode.

use std::mem::take;

use domain_calendar::Timestamp;
use domain_supervision::{
    Finding, FindingOutcome, Inspection, InspectionCommand, InspectionPlan, InspectionState, Site,
};
use prost::Name;
use tonic::{Request, Response, Status};
use xietong_mesh::convert::{decode_time, encode_time};
use xietong_mesh::input::{LINE, TEXT, present};
use xietong_mesh::page::Paging;
use xietong_mesh::{Attempt, Call, Error, Transactions, retried};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::inspection_service_server::InspectionService;
use xietong_timers::MachineClock;

use super::check::{Check, inspection_of_finding};
use super::content::{REASON, due_time, last_day};
use super::decode::one_of;
use super::encode;
use super::list;
use super::side_road::short;
use crate::app::{AskedOfInspection, ShownInspection, Supervision, etag_of};
use crate::store::Portion;

/// Most sites and most members of a team; what a longer list holds beyond that is not looked at.
const MOST: usize = 200;

/// `xietong.supervision.v1.InspectionService`.
pub(crate) struct Inspections {
    app: Supervision,
    transactions: Transactions,
}

impl Inspections {
    /// The RPCs over `app`.
    pub(crate) fn new(app: Supervision, transactions: Transactions) -> Self {
        Inspections { app, transactions }
    }

    /// Carries out what is asked of an inspection once for a request id. `request` is without it.
    async fn change<M: Name>(
        &self,
        call: &Call,
        request: &M,
        request_id: &str,
        (name, etag): (&str, &str),
        asked: AskedOfInspection,
    ) -> Result<Response<proto::Inspection>, Status> {
        let attempt = || async {
            let transaction = match self.transactions.begin(call, request, request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let shown = self.app.change_inspection(&transaction, call, (name, etag), &asked).await?;
            let answer = self.encode(&shown, transaction.now());
            transaction.commit(answer).await
        };
        Ok(Response::new(retried(etag, attempt).await?))
    }

    fn encode(&self, shown: &ShownInspection, now: Timestamp) -> proto::Inspection {
        let Inspection { plan, state, conclusion, concluded_at, .. } = &shown.inspection;
        let start_time = Some(encode_time(Timestamp::start_of_day(plan.first_day)));
        let sites =
            plan.sites.iter().map(|site| proto::Site { unit: site.unit.clone(), place: site.place.clone() });
        proto::Inspection {
            name: plan.name.clone(),
            title: plan.title.clone(),
            ground: plan.ground.clone(),
            start_time,
            end_time: due_time(plan.last_day),
            sites: sites.collect(),
            team: plan.team.clone(),
            state: encode_state(*state).into(),
            findings: shown.inspection.findings.iter().map(|one| self.finding(one, shown, now)).collect(),
            conclusion: conclusion.clone(),
            conclude_time: concluded_at.map(encode_time),
            etag: etag_of(&shown.inspection),
        }
    }

    fn finding(&self, one: &Finding, shown: &ShownInspection, now: Timestamp) -> proto::Finding {
        let (outcome, task, ground) = match &one.outcome {
            FindingOutcome::Open => (proto::FindingOutcome::Open, "", ""),
            FindingOutcome::Rectified { task } => (proto::FindingOutcome::Rectified, task.as_str(), ""),
            FindingOutcome::Dismissed { ground } => (proto::FindingOutcome::Dismissed, "", ground.as_str()),
        };
        let shown_task =
            shown.tasks.get(task).map(|record| encode::task(record, &self.app.regulation(), now));
        proto::Finding {
            name: one.name.clone(),
            text: one.text.clone(),
            place: one.place.clone(),
            unit: one.unit.clone(),
            due_time: due_time(one.last_day),
            find_time: Some(encode_time(one.found_at)),
            outcome: outcome.into(),
            task: task.to_owned(),
            task_state: shown_task.as_ref().map_or(0, |task| task.state),
            light: shown_task.as_ref().map_or(0, |task| task.light),
            dismissal_ground: ground.to_owned(),
        }
    }
}

#[tonic::async_trait]
impl InspectionService for Inspections {
    async fn create_inspection(
        &self,
        request: Request<proto::CreateInspectionRequest>,
    ) -> Result<Response<proto::Inspection>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let plan = plan(present("inspection", request.inspection.clone())?)?;
        let units: Vec<&str> = plan.sites.iter().map(|site| site.unit.as_str()).collect();
        self.app.prepare_inspection(&units).await;
        let transaction = match self.transactions.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let shown = self.app.plan_inspection(&transaction, &call, plan).await?;
        let answer = self.encode(&shown, transaction.now());
        Ok(Response::new(transaction.commit(answer).await?))
    }

    async fn get_inspection(
        &self,
        request: Request<proto::GetInspectionRequest>,
    ) -> Result<Response<proto::Inspection>, Status> {
        let call = Call::of(&request)?.clone();
        let name = request.into_inner().name;
        named("name", &name)?;
        let shown = self.app.inspection(&call, &name).await?;
        Ok(Response::new(self.encode(&shown, self.app.now())))
    }

    async fn list_inspections(
        &self,
        request: Request<proto::ListInspectionsRequest>,
    ) -> Result<Response<proto::ListInspectionsResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let state = state(request.state)?;
        let asked_state = request.state.to_string();
        let asked = ["ListInspections", &asked_state];
        let paging = Paging::new(&asked, request.page_size, &request.page_token)?;
        let now = self.app.now();
        let key = |one: &(i64, ShownInspection)| one.0;
        let encode = |one: (i64, ShownInspection)| Ok(self.encode(&one.1, now));
        let read = |before, limit| self.app.inspections(&call, state, Portion { before, limit });
        let (inspections, next_page_token) = list::page(paging, key, encode, read).await?;
        Ok(Response::new(proto::ListInspectionsResponse { inspections, next_page_token }))
    }

    async fn start_inspection(
        &self,
        request: Request<proto::StartInspectionRequest>,
    ) -> Result<Response<proto::Inspection>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        named("name", &request.name)?;
        let asked = AskedOfInspection::Command(InspectionCommand::Start);
        self.change(&call, &request, &request_id, (&request.name, &request.etag), asked).await
    }

    async fn create_finding(
        &self,
        request: Request<proto::CreateFindingRequest>,
    ) -> Result<Response<proto::Inspection>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        named("parent", &request.parent)?;
        let finding = present("finding", request.finding.clone())?;
        let mut check = Check::default();
        check.text("finding.text", &finding.text, REASON);
        check.text("finding.place", &finding.place, LINE);
        check.name("finding.unit", &finding.unit, "units");
        check.finish()?;
        let last_day = last_day("finding.due_time", finding.due_time.as_ref())?;
        let last_day =
            last_day.ok_or_else(|| Error::invalid("finding.due_time", "must be given", "请填写整改期限"))?;
        self.app.prepare_inspection(&[&finding.unit]).await;
        let proto::Finding { text, place, unit, .. } = finding;
        let asked = AskedOfInspection::Command(InspectionCommand::Find { text, place, unit, last_day });
        self.change(&call, &request, &request_id, (&request.parent, &request.etag), asked).await
    }

    async fn rectify_finding(
        &self,
        request: Request<proto::RectifyFindingRequest>,
    ) -> Result<Response<proto::Inspection>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let inspection = inspection_of_finding(&request.name)?;
        let (finding, unclassified) = (request.name.clone(), request.unclassified);
        let asked = AskedOfInspection::Rectify { finding, unclassified };
        self.change(&call, &request, &request_id, (inspection, &request.etag), asked).await
    }

    async fn dismiss_finding(
        &self,
        request: Request<proto::DismissFindingRequest>,
    ) -> Result<Response<proto::Inspection>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let inspection = inspection_of_finding(&request.name)?;
        let (finding, ground) = (request.name.clone(), short("ground", &request.ground)?);
        let asked = AskedOfInspection::Command(InspectionCommand::Dismiss { finding, ground });
        self.change(&call, &request, &request_id, (inspection, &request.etag), asked).await
    }

    async fn conclude_inspection(
        &self,
        request: Request<proto::ConcludeInspectionRequest>,
    ) -> Result<Response<proto::Inspection>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        named("name", &request.name)?;
        let conclusion = xietong_mesh::input::text("conclusion", request.conclusion.clone(), TEXT)?;
        let asked = AskedOfInspection::Command(InspectionCommand::Conclude { conclusion });
        self.change(&call, &request, &request_id, (&request.name, &request.etag), asked).await
    }

    async fn cancel_inspection(
        &self,
        request: Request<proto::CancelInspectionRequest>,
    ) -> Result<Response<proto::Inspection>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        named("name", &request.name)?;
        let ground = short("ground", &request.ground)?;
        let asked = AskedOfInspection::Command(InspectionCommand::Cancel { ground });
        self.change(&call, &request, &request_id, (&request.name, &request.etag), asked).await
    }
}

fn named(field: &str, name: &str) -> Result<(), Error> {
    let mut check = Check::default();
    check.name(field, name, "inspections");
    check.finish()
}

fn plan(asked: proto::Inspection) -> Result<InspectionPlan, Error> {
    let mut check = Check::default();
    check.line("inspection.title", &asked.title);
    check.text("inspection.ground", &asked.ground, LINE);
    for (field, count) in [("inspection.sites", asked.sites.len()), ("inspection.team", asked.team.len())] {
        if count > MOST {
            check.wrong(field, "at most 200 are accepted", "最多200个");
        }
    }
    for (at, site) in asked.sites.iter().take(MOST).enumerate() {
        check.name(format!("inspection.sites[{at}].unit"), &site.unit, "units");
        check.text(format!("inspection.sites[{at}].place"), &site.place, LINE);
    }
    for (at, member) in asked.team.iter().take(MOST).enumerate() {
        check.name(format!("inspection.team[{at}]"), member, "officials");
    }
    check.finish()?;
    let first_day =
        decode_time("inspection.start_time", &present("inspection.start_time", asked.start_time)?)?.day();
    let last = last_day("inspection.end_time", asked.end_time.as_ref())?;
    let site = |site: proto::Site| Site { unit: site.unit, place: site.place.trim().to_owned() };
    Ok(InspectionPlan {
        name: format!("inspections/{}", MachineClock::system().new_id()),
        title: asked.title.trim().to_owned(),
        ground: asked.ground.trim().to_owned(),
        first_day,
        last_day: last
            .ok_or_else(|| Error::invalid("inspection.end_time", "must be given", "请填写结束日期"))?,
        sites: asked.sites.into_iter().map(site).collect(),
        team: asked.team,
    })
}

fn state(state: i32) -> Result<Option<InspectionState>, Error> {
    match proto::InspectionState::try_from(state) {
        Ok(proto::InspectionState::Unspecified) => Ok(None),
        Ok(proto::InspectionState::Planned) => Ok(Some(InspectionState::Planned)),
        Ok(proto::InspectionState::UnderWay) => Ok(Some(InspectionState::UnderWay)),
        Ok(proto::InspectionState::Concluded) => Ok(Some(InspectionState::Concluded)),
        Ok(proto::InspectionState::Cancelled) => Ok(Some(InspectionState::Cancelled)),
        Err(_) => {
            let (english, chinese) = one_of(&[
                "INSPECTION_STATE_PLANNED",
                "INSPECTION_STATE_UNDER_WAY",
                "INSPECTION_STATE_CONCLUDED",
                "INSPECTION_STATE_CANCELLED",
            ]);
            Err(Error::invalid("state", english, chinese))
        }
    }
}

fn encode_state(state: InspectionState) -> proto::InspectionState {
    match state {
        InspectionState::Planned => proto::InspectionState::Planned,
        InspectionState::UnderWay => proto::InspectionState::UnderWay,
        InspectionState::Concluded => proto::InspectionState::Concluded,
        InspectionState::Cancelled => proto::InspectionState::Cancelled,
    }
}
