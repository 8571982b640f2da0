//! `MandateService`.

use std::cmp::Reverse;
use std::mem::take;

use domain_calendar::Timestamp;
use domain_roster::{Mandate, MandateKind};
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::convert::{decode_time, encode_time};
use xietong_mesh::input::{LINE, names, optional, present, required, text};
use xietong_mesh::{Attempt, Call, Error};
use xietong_proto::roster as proto;
use xietong_proto::roster::mandate_service_server::MandateService;
use xietong_timers::MachineClock;

use super::listing::{Query, page};
use crate::access;
use crate::app::App;

/// Answers for mandates.
pub(crate) struct MandateHandlers {
    app: App,
}

impl MandateHandlers {
    pub(crate) fn new(app: App) -> Self {
        MandateHandlers { app }
    }
}

#[async_trait]
impl MandateService for MandateHandlers {
    async fn create_mandate(
        &self,
        request: Request<proto::CreateMandateRequest>,
    ) -> Result<Response<proto::Mandate>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let name = format!("mandates/{}", MachineClock::system().new_id());
        let mandate = decode(name, present("mandate", request.mandate.clone())?, self.app.now())?;
        call.authorize(&access::of_mandate(&mandate))?;
        let transaction = match self.app.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let (mandate, etag) = self.app.create_mandate(&transaction, mandate).await?;
        let answer = encode(&mandate, etag, transaction.now());
        Ok(Response::new(transaction.commit(answer).await?))
    }

    async fn list_mandates(
        &self,
        request: Request<proto::ListMandatesRequest>,
    ) -> Result<Response<proto::ListMandatesResponse>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let request = request.into_inner();
        let (leader, holder) = (optional("leader", request.leader)?, optional("holder", request.holder)?);
        let (register, now) = (self.app.current().await?, self.app.now());
        let visible = register.book.mandates().filter(|mandate| {
            scope.permits(&access::of_mandate(mandate))
                && leader.as_ref().is_none_or(|leader| mandate.leader == *leader)
                && holder.as_ref().is_none_or(|holder| mandate.holder == *holder)
        });
        let filter = [leader.as_deref(), holder.as_deref()].map(Option::unwrap_or_default).join("&");
        let query = Query {
            method: "ListMandates",
            filter: &filter,
            page_size: request.page_size,
            page_token: &request.page_token,
        };
        let latest_first = |mandate: &Mandate| Reverse((mandate.start_time, mandate.name.clone()));
        let encode = |mandate: &Mandate| encode(mandate, register.etag(&mandate.name), now);
        let (mandates, next_page_token) = page(&query, visible, latest_first, encode)?;
        Ok(Response::new(proto::ListMandatesResponse { mandates, next_page_token }))
    }

    async fn get_mandate(
        &self,
        request: Request<proto::GetMandateRequest>,
    ) -> Result<Response<proto::Mandate>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let name = required("name", request.into_inner().name)?;
        let register = self.app.current().await?;
        let mandate = register.book.mandate(&name).ok_or_else(|| access::missing(&scope, &name))?;
        scope.authorize(&access::of_mandate(mandate))?;
        Ok(Response::new(encode(mandate, register.etag(&name), self.app.now())))
    }

    async fn revoke_mandate(
        &self,
        request: Request<proto::RevokeMandateRequest>,
    ) -> Result<Response<proto::Mandate>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let name = required("name", request.name.clone())?;
        let transaction = match self.app.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let (mandate, etag) = self.app.revoke_mandate(&call, &transaction, &name, &request.etag).await?;
        let answer = encode(&mandate, etag, transaction.now());
        Ok(Response::new(transaction.commit(answer).await?))
    }
}

fn decode(name: String, mandate: proto::Mandate, now: Timestamp) -> Result<Mandate, Error> {
    let kind = match mandate.kind() {
        proto::MandateKind::Secretary => MandateKind::Secretary,
        proto::MandateKind::Assisting => MandateKind::Assisting,
        proto::MandateKind::Unspecified => {
            let english = "must be one of the named values";
            return Err(Error::invalid("mandate.kind", english, "“mandate.kind”未填写或不是有效的取值"));
        }
    };
    let start_time = present("mandate.start_time", mandate.start_time)?;
    Ok(Mandate {
        name,
        kind,
        leader: required("mandate.leader", mandate.leader)?,
        holder: required("mandate.holder", mandate.holder)?,
        acts: names("mandate.acts", mandate.acts)?,
        units: names("mandate.units", mandate.units)?,
        start_time: decode_time("mandate.start_time", &start_time)?,
        end_time: mandate.end_time.map(|end| decode_time("mandate.end_time", &end)).transpose()?,
        ground: text("mandate.ground", mandate.ground, LINE)?,
        recorded_at: now,
        revoked_at: None,
    })
}

fn encode(mandate: &Mandate, etag: String, now: Timestamp) -> proto::Mandate {
    let kind = match mandate.kind {
        MandateKind::Secretary => proto::MandateKind::Secretary,
        MandateKind::Assisting => proto::MandateKind::Assisting,
    };
    proto::Mandate {
        name: mandate.name.clone(),
        kind: kind.into(),
        leader: mandate.leader.clone(),
        holder: mandate.holder.clone(),
        acts: mandate.acts.clone(),
        units: mandate.units.clone(),
        start_time: Some(encode_time(mandate.start_time)),
        end_time: mandate.end_time.map(encode_time),
        ground: mandate.ground.clone(),
        record_time: Some(encode_time(mandate.recorded_at)),
        revoke_time: mandate.revoked_at.map(encode_time),
        in_force: mandate.holds_at(now),
        etag,
    }
}
