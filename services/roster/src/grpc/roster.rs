//! `RosterService`.

use std::cmp::Reverse;
use std::mem::take;

use domain_calendar::Timestamp;
use domain_roster::Division;
use prost::Message;
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::convert::{decode_optional_time, encode_time};
use xietong_mesh::input::{LINE, at_most, present, required, text};
use xietong_mesh::serve::MAX_MESSAGE_BYTES;
use xietong_mesh::{Attempt, Call, Error, Resource};
use xietong_proto::roster as proto;
use xietong_proto::roster::roster_service_server::RosterService;
use xietong_timers::MachineClock;

use super::absences::Asked;
use super::convert::absence::{decode_correction, decode_extension};
use super::convert::answer::{decode_question, encode_answer, encode_outcome};
use super::convert::coverage::{decode_window, encode_gap};
use super::convert::division::{decode_division, encode_division};
use super::convert::handover::{encode_recorded, encode_tried};
use super::listing::{Query, page};
use crate::access;
use crate::app::{AbsenceAct, App};

/// Questions in one batch.
const MOST_QUESTIONS: usize = 1_000;

/// Answers for divisions, AB lists, absences and who answers.
pub(crate) struct RosterHandlers {
    pub(super) app: App,
}

impl RosterHandlers {
    pub(crate) fn new(app: App) -> Self {
        RosterHandlers { app }
    }
}

#[async_trait]
impl RosterService for RosterHandlers {
    async fn create_division(
        &self,
        request: Request<proto::CreateDivisionRequest>,
    ) -> Result<Response<proto::CreateDivisionResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let name = format!("divisions/{}", MachineClock::system().new_id());
        let division = present("division", request.division.clone())?;
        let division = decode_division(name, division, self.app.now())?;
        call.authorize(&access::of_division())?;
        if request.validate_only {
            let (recorded, preview) = self.app.try_division(&call, division).await?;
            return Ok(Response::new(unstored(encode_tried(recorded, preview))));
        }
        let transaction = match self.app.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let recorded = self.app.create_division(&transaction, division).await?;
        Ok(Response::new(transaction.commit(encode_recorded(recorded)).await?))
    }

    async fn list_divisions(
        &self,
        request: Request<proto::ListDivisionsRequest>,
    ) -> Result<Response<proto::ListDivisionsResponse>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let request = request.into_inner();
        let document = text("document_number", request.document_number, LINE)?;
        let register = self.app.current().await?;
        let visible = register.book.divisions().filter(|division| {
            scope.permits(&access::of_division())
                && (document.is_empty() || division.document_number == document)
        });
        let query = Query {
            method: "ListDivisions",
            filter: &document,
            page_size: request.page_size,
            page_token: &request.page_token,
        };
        let latest_first =
            |division: &domain_roster::Division| Reverse((division.effective_time, division.name.clone()));
        let encode = |division: &Division| encode_division(division, register.etag(&division.name));
        let (divisions, next_page_token) = page(&query, visible, latest_first, encode)?;
        Ok(Response::new(proto::ListDivisionsResponse { divisions, next_page_token }))
    }

    async fn get_division(
        &self,
        request: Request<proto::GetDivisionRequest>,
    ) -> Result<Response<proto::Division>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let name = required("name", request.into_inner().name)?;
        let register = self.app.current().await?;
        let division = register.book.division(&name).ok_or_else(|| access::missing(&scope, &name))?;
        scope.authorize(&access::of_division())?;
        Ok(Response::new(encode_division(division, register.etag(&name))))
    }

    async fn create_stand_in_list(
        &self,
        request: Request<proto::CreateStandInListRequest>,
    ) -> Result<Response<proto::StandInList>, Status> {
        let call = Call::of(&request)?.clone();
        Ok(Response::new(self.record_stand_in_list(&call, request.into_inner()).await?))
    }

    async fn list_stand_in_lists(
        &self,
        request: Request<proto::ListStandInListsRequest>,
    ) -> Result<Response<proto::ListStandInListsResponse>, Status> {
        let scope = Call::of(&request)?.scope()?;
        Ok(Response::new(self.stand_in_lists(&scope, request.into_inner()).await?))
    }

    async fn get_stand_in_list(
        &self,
        request: Request<proto::GetStandInListRequest>,
    ) -> Result<Response<proto::StandInList>, Status> {
        let scope = Call::of(&request)?.scope()?;
        Ok(Response::new(self.stand_in_list(&scope, request.into_inner()).await?))
    }

    async fn create_absence(
        &self,
        request: Request<proto::CreateAbsenceRequest>,
    ) -> Result<Response<proto::Absence>, Status> {
        let call = Call::of(&request)?.clone();
        Ok(Response::new(self.register_absence(&call, request.into_inner()).await?))
    }

    async fn list_absences(
        &self,
        request: Request<proto::ListAbsencesRequest>,
    ) -> Result<Response<proto::ListAbsencesResponse>, Status> {
        let call = Call::of(&request)?.clone();
        Ok(Response::new(self.absences(&call, &request.into_inner()).await?))
    }

    async fn get_absence(
        &self,
        request: Request<proto::GetAbsenceRequest>,
    ) -> Result<Response<proto::Absence>, Status> {
        let scope = Call::of(&request)?.scope()?;
        Ok(Response::new(self.absence(&scope, request.into_inner()).await?))
    }

    async fn end_absence(
        &self,
        request: Request<proto::EndAbsenceRequest>,
    ) -> Result<Response<proto::Absence>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let asked = Asked { name: &request.name, etag: &request.etag, act: AbsenceAct::End };
        Ok(Response::new(self.change_absence(&call, &request, &request_id, asked).await?))
    }

    async fn cancel_absence(
        &self,
        request: Request<proto::CancelAbsenceRequest>,
    ) -> Result<Response<proto::Absence>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let asked = Asked { name: &request.name, etag: &request.etag, act: AbsenceAct::Cancel };
        Ok(Response::new(self.change_absence(&call, &request, &request_id, asked).await?))
    }

    async fn extend_absence(
        &self,
        request: Request<proto::ExtendAbsenceRequest>,
    ) -> Result<Response<proto::Absence>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let act = decode_extension(&request)?;
        let asked = Asked { name: &request.name, etag: &request.etag, act };
        Ok(Response::new(self.change_absence(&call, &request, &request_id, asked).await?))
    }

    async fn correct_absence(
        &self,
        request: Request<proto::CorrectAbsenceRequest>,
    ) -> Result<Response<proto::Absence>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let act = decode_correction(&request)?;
        let asked = Asked { name: &request.name, etag: &request.etag, act };
        Ok(Response::new(self.change_absence(&call, &request, &request_id, asked).await?))
    }

    async fn resolve(
        &self,
        request: Request<proto::ResolveRequest>,
    ) -> Result<Response<proto::ResolveResponse>, Status> {
        Call::of(&request)?.authorize(&Resource::new())?;
        let question = decode_question(request.get_ref())?;
        Ok(Response::new(encode_answer(self.app.resolve(&question).await?)))
    }

    async fn batch_resolve(
        &self,
        request: Request<proto::BatchResolveRequest>,
    ) -> Result<Response<proto::BatchResolveResponse>, Status> {
        Call::of(&request)?.authorize(&Resource::new())?;
        let request = request.into_inner();
        let requests = at_most("requests", request.requests, MOST_QUESTIONS)?;
        let questions = requests.iter().map(decode_question).collect();
        let (answers, roster_position) = self.app.resolve_all(questions, request.with_steps).await?;
        let outcomes = answers.into_iter().map(encode_outcome).collect();
        let response = proto::BatchResolveResponse { outcomes, roster_position };
        if response.encoded_len() > MAX_MESSAGE_BYTES {
            return Err(Error::invalid(
                "requests",
                "the answers do not fit into one message: ask fewer, or without steps",
                "结果过大，请减少查询项数或不要求列出步骤",
            )
            .into());
        }
        Ok(Response::new(response))
    }

    async fn get_coverage(
        &self,
        request: Request<proto::GetCoverageRequest>,
    ) -> Result<Response<proto::GetCoverageResponse>, Status> {
        Call::of(&request)?.authorize(&Resource::new())?;
        let request = request.into_inner();
        let (start, end) = (request.start_time.as_ref(), request.end_time.as_ref());
        let window = decode_window(start, end, self.app.now())?;
        let known_at = decode_optional_time("known_at", request.known_at.as_ref())?;
        let known_at = known_at.unwrap_or(Timestamp::MAX);
        let covered = self.app.coverage(window, known_at).await?;
        let book = &covered.register.book;
        let response = proto::GetCoverageResponse {
            gaps: covered.gaps.iter().map(|gap| encode_gap(gap, book, known_at)).collect(),
            start_time: Some(encode_time(window.start)),
            end_time: Some(encode_time(window.end)),
            roster_position: covered.position,
        };
        if response.encoded_len() > MAX_MESSAGE_BYTES {
            let english = "the gaps do not fit into one message: ask for a shorter window";
            return Err(Error::invalid("end_time", english, "结果过大，请缩短查询时段").into());
        }
        Ok(Response::new(response))
    }
}

/// A division that was only tried out has no name, and nobody has learned of it.
fn unstored(mut response: proto::CreateDivisionResponse) -> proto::CreateDivisionResponse {
    if let Some(division) = &mut response.division {
        division.name.clear();
        division.record_time = None;
    }
    response
}
