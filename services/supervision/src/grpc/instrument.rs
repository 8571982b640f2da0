//! `xietong.supervision.v1.InstrumentService`: decode, ask `app/`, encode.

use std::mem::take;

use domain_calendar::Timestamp;
use domain_supervision::{Assignment, AssignmentCommand, Instrument, InstrumentUse};
use prost::Name;
use tonic::{Request, Response, Status};
use xietong_mesh::convert::{decode_time, encode_time, optional};
use xietong_mesh::input::LINE;
use xietong_mesh::{Attempt, Call, Error, input, retried};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::instrument_service_server::InstrumentService;

use super::check::{Check, task_name, task_of_assignment};
use super::side_road::short;
use super::{Tasks, of_assignment, one_assignment};
use crate::app::{Answered, MOST_SIGNED, Particulars, ToUrge};

impl Tasks {
    /// Urges several units once for a request id. `request` is without it.
    async fn urge_all<M: Name>(
        &self,
        call: &Call,
        request: &M,
        request_id: &str,
        asked: &ToUrge,
        ground: &str,
    ) -> Result<Response<proto::UrgeResponse>, Status> {
        let ground = short("ground", ground)?;
        if ground.trim().is_empty() {
            return Err(Error::invalid("ground", "must be given", "请填写依据").into());
        }
        self.app.prepare_change(call).await;
        let attempt = || async {
            let transaction = match self.transactions.begin(call, request, request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let urged = self.app.urge_all(&transaction, call, asked, &ground).await?;
            let results = urged.into_iter().map(urge_result).collect();
            transaction.commit(proto::UrgeResponse { results }).await
        };
        Ok(Response::new(retried("", attempt).await?))
    }
}

#[tonic::async_trait]
impl InstrumentService for Tasks {
    async fn urge_assignment(
        &self,
        request: Request<proto::UrgeAssignmentRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let command = |request: &proto::UrgeAssignmentRequest| {
            used(Instrument::Urging, &request.ground).map(AssignmentCommand::Press)
        };
        self.on_assignment(request, command, one_assignment).await
    }

    async fn urge_task(
        &self,
        request: Request<proto::UrgeTaskRequest>,
    ) -> Result<Response<proto::UrgeResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        task_name(&request.name)?;
        let asked = ToUrge::Task(request.name.clone());
        self.urge_all(&call, &request, &request_id, &asked, &request.ground).await
    }

    async fn batch_urge_assignments(
        &self,
        request: Request<proto::BatchUrgeAssignmentsRequest>,
    ) -> Result<Response<proto::UrgeResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        if !(1..=MOST_SIGNED).contains(&request.names.len()) {
            let (english, chinese) = ("must be 1 to 1000 assignments", "一次可催办1至1000项");
            return Err(Error::invalid("names", english, chinese).into());
        }
        let names = request.names.iter();
        let names = names.map(|name| Ok((task_of_assignment(name)?.to_owned(), name.clone())));
        let asked = ToUrge::Named(names.collect::<Result<_, Error>>()?);
        self.urge_all(&call, &request, &request_id, &asked, &request.ground).await
    }

    async fn send_letter(
        &self,
        request: Request<proto::SendLetterRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let decision = input::text("decision", request.decision.clone(), LINE)?;
        let letter = InstrumentUse { decision, ..used(Instrument::Letter, &request.ground)? };
        let answer_before = request.answer_before.as_ref();
        let answer_before = answer_before.map(|time| decode_time("answer_before", time)).transpose()?;
        let change = of_assignment(&request.name, AssignmentCommand::Press(letter), &request.etag)?
            .sending(Particulars::Letter(answer_before));
        self.change(&call, &request, &request_id, change, one_assignment).await
    }

    async fn escalate_assignment(
        &self,
        request: Request<proto::EscalateAssignmentRequest>,
    ) -> Result<Response<proto::Assignment>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let (instrument, particulars) = match request.instrument() {
            proto::Instrument::Interview => (Instrument::Interview, interview(&request)?),
            proto::Instrument::PublicNotice => (Instrument::PublicNotice, Particulars::None),
            proto::Instrument::Accountability => (Instrument::Accountability, Particulars::None),
            proto::Instrument::Unspecified | proto::Instrument::Urging | proto::Instrument::Letter => {
                let english = "must be an interview, a public notice or a referral";
                return Err(Error::invalid("instrument", english, "请选择约谈、通报或问责移送").into());
            }
        };
        let command = AssignmentCommand::Press(InstrumentUse {
            decision: input::text("decision", request.decision.clone(), LINE)?,
            skip_lighter: request.skip_lighter,
            ..used(instrument, &request.ground)?
        });
        let change = of_assignment(&request.name, command, &request.etag)?.sending(particulars);
        self.change(&call, &request, &request_id, change, one_assignment).await
    }
}

/// What the paper of an interview says.
fn interview(request: &proto::EscalateAssignmentRequest) -> Result<Particulars, Error> {
    let mut check = Check::default();
    check.text("place", &request.place, LINE);
    if !request.decided_by.is_empty() {
        check.name("decided_by", &request.decided_by, "officials");
    }
    let place = request.place.trim();
    if request.time.is_some() == place.is_empty() {
        check.wrong(
            "place",
            "must be given with the time, or neither",
            "约谈时间和地点应同时填写，或者都不填写",
        );
    }
    check.finish()?;
    let time = request.time.as_ref().map(|time| decode_time("time", time)).transpose()?;
    let meeting = time.map(|time| (time, place.to_owned()));
    Ok(Particulars::Interview { decided_by: optional(request.decided_by.clone()), meeting })
}

/// An instrument, as far as it needs no leader. Whether a leader calls is known when the call is
/// authorised.
fn used(instrument: Instrument, ground: &str) -> Result<InstrumentUse, Error> {
    Ok(InstrumentUse {
        instrument,
        ground: short("ground", ground)?,
        decision: String::new(),
        by_leader: false,
        skip_lighter: false,
        paper: None,
    })
}

fn urge_result(answered: Answered) -> proto::UrgeResult {
    let Answered { name, outcome } = answered;
    match outcome {
        Ok(()) => proto::UrgeResult { name, urged: true, ..proto::UrgeResult::default() },
        Err(error) => proto::UrgeResult {
            name,
            urged: false,
            status: error.code().as_str().to_owned(),
            message: error.message().to_owned(),
            message_zh: error.chinese().to_owned(),
        },
    }
}

/// An instrument of an assignment, and when it was last used.
pub(super) fn encode(one: &Assignment, instrument: Instrument, at: Timestamp) -> proto::UsedInstrument {
    let paper = one.papers.get(&instrument);
    proto::UsedInstrument {
        instrument: named(instrument).into(),
        use_time: Some(encode_time(at)),
        paper: paper.map(|paper| paper.name.clone()).unwrap_or_default(),
        paper_number: paper.map(|paper| paper.number.clone()).unwrap_or_default(),
    }
}

pub(super) fn named(instrument: Instrument) -> proto::Instrument {
    match instrument {
        Instrument::Urging => proto::Instrument::Urging,
        Instrument::Letter => proto::Instrument::Letter,
        Instrument::Interview => proto::Instrument::Interview,
        Instrument::PublicNotice => proto::Instrument::PublicNotice,
        Instrument::Accountability => proto::Instrument::Accountability,
    }
}
