//! `DutyService`.

use std::mem::take;

use domain_calendar::Timestamp;
use domain_roster::{DutyRoster, DutyShift, duty_shifts};
use prost::{Message, Name};
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::convert::decode_optional_time;
use xietong_mesh::input::{LINE, present, required, text};
use xietong_mesh::{Attempt, Call, Error};
use xietong_proto::roster as proto;
use xietong_proto::roster::duty_service_server::DutyService;
use xietong_timers::MachineClock;

use super::convert::coverage::decode_window;
use super::convert::duty::{decode_duty_roster, decode_swap, encode_duty_roster, encode_shift};
use super::listing::{Query, page};
use crate::access;
use crate::app::{App, DutyAct};

/// Answers for duty rosters.
pub(crate) struct DutyHandlers {
    app: App,
}

impl DutyHandlers {
    pub(crate) fn new(app: App) -> Self {
        DutyHandlers { app }
    }

    /// `request` is the decoded request without its request id.
    async fn change<M: Message + Name>(
        &self,
        call: &Call,
        request: &M,
        request_id: &str,
        (name, etag): (&str, &str),
        act: DutyAct,
    ) -> Result<proto::DutyRoster, Error> {
        let name = required("name", name.to_owned())?;
        let transaction = match self.app.begin(call, request, request_id).await? {
            Attempt::Repeat(answer) => return Ok(answer),
            Attempt::First(transaction) => transaction,
        };
        let (roster, etag) = self.app.change_duty_roster(call, &transaction, &name, etag, act).await?;
        transaction.commit(encode_duty_roster(&roster, etag)).await
    }
}

#[async_trait]
impl DutyService for DutyHandlers {
    async fn create_duty_roster(
        &self,
        request: Request<proto::CreateDutyRosterRequest>,
    ) -> Result<Response<proto::DutyRoster>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let name = format!("dutyRosters/{}", MachineClock::system().new_id());
        let roster = decode_duty_roster(name, present("duty_roster", request.duty_roster.clone())?)?;
        call.authorize(&access::of_unit(&roster.unit))?;
        let transaction = match self.app.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let (roster, etag) = self.app.create_duty_roster(&transaction, roster).await?;
        Ok(Response::new(transaction.commit(encode_duty_roster(&roster, etag)).await?))
    }

    async fn list_duty_rosters(
        &self,
        request: Request<proto::ListDutyRostersRequest>,
    ) -> Result<Response<proto::ListDutyRostersResponse>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let request = request.into_inner();
        let unit = text("unit", request.unit, LINE)?;
        let register = self.app.current().await?;
        let visible = register.book.duty_rosters().filter(|roster| {
            scope.permits(&access::of_unit(&roster.unit)) && (unit.is_empty() || roster.unit == unit)
        });
        let query = Query {
            method: "ListDutyRosters",
            filter: &unit,
            page_size: request.page_size,
            page_token: &request.page_token,
        };
        let encode = |roster: &DutyRoster| encode_duty_roster(roster, register.etag(&roster.name));
        let (duty_rosters, next_page_token) = page(&query, visible, |one| one.name.clone(), encode)?;
        Ok(Response::new(proto::ListDutyRostersResponse { duty_rosters, next_page_token }))
    }

    async fn get_duty_roster(
        &self,
        request: Request<proto::GetDutyRosterRequest>,
    ) -> Result<Response<proto::DutyRoster>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let name = required("name", request.into_inner().name)?;
        let register = self.app.current().await?;
        let roster = register.book.duty_roster(&name).ok_or_else(|| access::missing(&scope, &name))?;
        scope.authorize(&access::of_unit(&roster.unit))?;
        Ok(Response::new(encode_duty_roster(roster, register.etag(&name))))
    }

    async fn change_duty_roster(
        &self,
        request: Request<proto::ChangeDutyRosterRequest>,
    ) -> Result<Response<proto::DutyRoster>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let roster = present("duty_roster", request.duty_roster.clone())?;
        let roster = decode_duty_roster(request.name.clone(), roster)?;
        let effective_time = decode_optional_time("effective_time", request.effective_time.as_ref())?;
        let act = DutyAct::Change { roster, effective_time, drops_swaps: request.drops_swaps };
        let asked = (request.name.as_str(), request.etag.as_str());
        Ok(Response::new(self.change(&call, &request, &request_id, asked, act).await?))
    }

    async fn swap_duty_shift(
        &self,
        request: Request<proto::SwapDutyShiftRequest>,
    ) -> Result<Response<proto::DutyRoster>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let act = DutyAct::Swap(decode_swap(&request)?);
        let asked = (request.name.as_str(), request.etag.as_str());
        Ok(Response::new(self.change(&call, &request, &request_id, asked, act).await?))
    }

    async fn list_duty_shifts(
        &self,
        request: Request<proto::ListDutyShiftsRequest>,
    ) -> Result<Response<proto::ListDutyShiftsResponse>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let request = request.into_inner();
        let name = required("name", request.name)?;
        let (start, end) = (request.start_time.as_ref(), request.end_time.as_ref());
        let window = decode_window(start, end, self.app.now())?;
        let known_at = decode_optional_time("known_at", request.known_at.as_ref())?;
        let register = self.app.current().await?;
        let roster = register.book.duty_roster(&name).ok_or_else(|| access::missing(&scope, &name))?;
        scope.authorize(&access::of_unit(&roster.unit))?;
        // As it was asked: what is unset moves with now.
        let asked = [start, end, request.known_at.as_ref()]
            .map(|time| time.map(|time| format!("{}.{:09}", time.seconds, time.nanos)).unwrap_or_default());
        let query = Query {
            method: "ListDutyShifts",
            filter: &format!("{name}&{}", asked.join("&")),
            page_size: request.page_size,
            page_token: &request.page_token,
        };
        let known_at = known_at.unwrap_or(Timestamp::MAX);
        let shifts = duty_shifts(&register.book, &name, window, known_at);
        let encode = |shift: &DutyShift| encode_shift(shift, &register.book, known_at);
        let by_start = |shift: &DutyShift| shift.start_time.as_micros();
        let (shifts, next_page_token) = page(&query, shifts.iter(), by_start, encode)?;
        Ok(Response::new(proto::ListDutyShiftsResponse { shifts, next_page_token }))
    }
}
