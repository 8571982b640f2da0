//! `RosterService`.

use std::cmp::Reverse;

use domain_roster::{Absence, Division};
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::convert::decode_optional_time;
use xietong_mesh::input::{LINE, present, required, text};
use xietong_mesh::{Attempt, Call, Resource};
use xietong_proto::roster as proto;
use xietong_proto::roster::roster_service_server::RosterService;
use xietong_timers::MachineClock;

use super::convert::roster::{
    decode_absence, decode_division, decode_subject, encode_absence, encode_answer, encode_division,
    encode_handover,
};
use super::listing::{Query, page};
use crate::access;
use crate::app::{App, Recorded};

/// Answers for divisions, absences and who answers.
pub(crate) struct RosterHandlers {
    app: App,
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
        let request_id = std::mem::take(&mut request.request_id);
        let name = format!("divisions/{}", MachineClock::system().new_id());
        let division = present("division", request.division.clone())?;
        let division = decode_division(name, division, self.app.now())?;
        call.authorize(&access::of_division())?;
        if request.validate_only {
            return Ok(Response::new(unstored(encode_recorded(self.app.try_division(division).await?))));
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

    async fn create_absence(
        &self,
        request: Request<proto::CreateAbsenceRequest>,
    ) -> Result<Response<proto::Absence>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let name = format!("absences/{}", MachineClock::system().new_id());
        let registration = decode_absence(name, present("absence", request.absence.clone())?)?;
        call.authorize(&access::of_away(&self.app.current().await?.book, &registration.official))?;
        let transaction = match self.app.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let (absence, etag) = self.app.create_absence(&transaction, registration).await?;
        let answer = encode_absence(&absence, etag, transaction.now());
        Ok(Response::new(transaction.commit(answer).await?))
    }

    async fn list_absences(
        &self,
        request: Request<proto::ListAbsencesRequest>,
    ) -> Result<Response<proto::ListAbsencesResponse>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let request = request.into_inner();
        let register = self.app.current().await?;
        let visible = register
            .book
            .absences()
            .filter(|absence| scope.permits(&access::of_absence(&register.book, absence)));
        let query = Query {
            method: "ListAbsences",
            filter: "",
            page_size: request.page_size,
            page_token: &request.page_token,
        };
        let latest_first =
            |absence: &domain_roster::Absence| Reverse((absence.start_time, absence.name.clone()));
        let now = self.app.now();
        let encode = |absence: &Absence| encode_absence(absence, register.etag(&absence.name), now);
        let (absences, next_page_token) = page(&query, visible, latest_first, encode)?;
        Ok(Response::new(proto::ListAbsencesResponse { absences, next_page_token }))
    }

    async fn get_absence(
        &self,
        request: Request<proto::GetAbsenceRequest>,
    ) -> Result<Response<proto::Absence>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let name = required("name", request.into_inner().name)?;
        let register = self.app.current().await?;
        let absence = register.book.absence(&name).ok_or_else(|| access::missing(&scope, &name))?;
        scope.authorize(&access::of_absence(&register.book, absence))?;
        Ok(Response::new(encode_absence(absence, register.etag(&name), self.app.now())))
    }

    async fn end_absence(
        &self,
        request: Request<proto::EndAbsenceRequest>,
    ) -> Result<Response<proto::Absence>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let name = required("name", request.name.clone())?;
        let transaction = match self.app.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let (absence, etag) = self.app.end_absence(&call, &transaction, &name, &request.etag).await?;
        let answer = encode_absence(&absence, etag, transaction.now());
        Ok(Response::new(transaction.commit(answer).await?))
    }

    async fn cancel_absence(
        &self,
        request: Request<proto::CancelAbsenceRequest>,
    ) -> Result<Response<proto::Absence>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let name = required("name", request.name.clone())?;
        let transaction = match self.app.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let (absence, etag) = self.app.cancel_absence(&call, &transaction, &name, &request.etag).await?;
        let answer = encode_absence(&absence, etag, transaction.now());
        Ok(Response::new(transaction.commit(answer).await?))
    }

    async fn resolve(
        &self,
        request: Request<proto::ResolveRequest>,
    ) -> Result<Response<proto::ResolveResponse>, Status> {
        Call::of(&request)?.authorize(&Resource::new())?;
        let request = request.into_inner();
        let subject = decode_subject(&request)?;
        let at = decode_optional_time("at", request.at.as_ref())?;
        let known_at = decode_optional_time("known_at", request.known_at.as_ref())?;
        Ok(Response::new(encode_answer(self.app.resolve(&subject, at, known_at).await?)))
    }
}

fn encode_recorded(recorded: Recorded) -> proto::CreateDivisionResponse {
    proto::CreateDivisionResponse {
        division: Some(encode_division(&recorded.division, recorded.etag)),
        handovers: recorded.handovers.into_iter().map(encode_handover).collect(),
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
