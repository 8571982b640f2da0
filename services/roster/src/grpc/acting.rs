//! `ActingService`.

use std::mem::take;

use domain_calendar::Timestamp;
use domain_roster::{Authority, authorities, authorities_at};
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::convert::decode_time;
use xietong_mesh::input::{optional, required};
use xietong_mesh::page::Paging;
use xietong_mesh::{Call, Error, Resource};
use xietong_proto::roster as proto;
use xietong_proto::roster::acting_service_server::ActingService;

use super::absences::Asked;
use super::convert::absence::encode_absence;
use super::convert::acting::{encode_act, encode_authority};
use super::listing::{Query, page};
use super::roster::RosterHandlers;
use crate::access;
use crate::app::{AbsenceAct, App, absence_etag};
use crate::store::acts;

/// Answers for authorities to act, digests and their acknowledgement.
pub(crate) struct ActingHandlers {
    app: App,
    absences: RosterHandlers,
}

impl ActingHandlers {
    pub(crate) fn new(app: App) -> Self {
        ActingHandlers { absences: RosterHandlers::new(app.clone()), app }
    }
}

#[async_trait]
impl ActingService for ActingHandlers {
    async fn list_acting_authorities(
        &self,
        request: Request<proto::ListActingAuthoritiesRequest>,
    ) -> Result<Response<proto::ListActingAuthoritiesResponse>, Status> {
        Call::of(&request)?.authorize(&Resource::new())?;
        let request = request.into_inner();
        let official = optional("official", request.official)?;
        let acting = optional("acting_official", request.acting_official)?;
        let absence = optional("absence", request.absence)?;
        let at = request.at.map(|at| decode_time("at", &at)).transpose()?;
        let register = self.app.current().await?;
        let book = &register.book;
        let mut found: Vec<Authority> = match (&absence, at) {
            (Some(name), _) => match book.absence(name) {
                Some(absence) => authorities(book, absence, Timestamp::MAX),
                None => return Err(Error::not_found(name).into()),
            },
            (None, at) => authorities_at(book, at.unwrap_or(self.app.now()), Timestamp::MAX),
        };
        found.retain(|one| {
            at.is_none_or(|at| one.period.contains(at))
                && official.as_ref().is_none_or(|official| one.official == *official)
                && acting.as_ref().is_none_or(|acting| one.acting == *acting)
        });
        let asked = at.map(|at| at.as_micros().to_string()).unwrap_or_default();
        let parts = [official, acting, absence].map(Option::unwrap_or_default).join("&");
        let query = Query {
            method: "ListActingAuthorities",
            filter: &format!("{parts}&{asked}"),
            page_size: request.page_size,
            page_token: &request.page_token,
        };
        let by_start = |one: &Authority| (one.period.start, one.name.clone());
        let encode = |one: &Authority| encode_authority(one, book);
        let (acting_authorities, next_page_token) = page(&query, found.iter(), by_start, encode)?;
        Ok(Response::new(proto::ListActingAuthoritiesResponse { acting_authorities, next_page_token }))
    }

    async fn get_absence_digest(
        &self,
        request: Request<proto::GetAbsenceDigestRequest>,
    ) -> Result<Response<proto::GetAbsenceDigestResponse>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let request = request.into_inner();
        let name = required("name", request.name)?;
        let register = self.app.current().await?;
        let absence = register.book.absence(&name).ok_or_else(|| access::missing(&scope, &name))?;
        access::to_digest(&scope, &register.book, absence, self.app.now())?;
        let query = ["GetAbsenceDigest", name.as_str()];
        let paging = Paging::<i64>::new(&query, request.page_size, &request.page_token)?;
        let after = paging.after().copied().unwrap_or(0);
        // First how many there are: none is then acknowledged that was not listed.
        let tally = acts::tally(self.app.reader(), &name).await.map_err(Error::from)?;
        let found =
            acts::after(self.app.reader(), &name, after, paging.limit()).await.map_err(Error::from)?;
        let held = authorities(&register.book, absence, Timestamp::MAX);
        let encode = |act| Ok(encode_act(act, absence, &held, &register.book));
        let (acts, next_page_token) = paging.page(found, |act| act.number, encode)?;
        let etag = absence_etag(&register, &name, tally);
        let absence = Some(encode_absence(absence, tally, etag, self.app.now()));
        Ok(Response::new(proto::GetAbsenceDigestResponse { absence, acts, next_page_token }))
    }

    async fn acknowledge_absence(
        &self,
        request: Request<proto::AcknowledgeAbsenceRequest>,
    ) -> Result<Response<proto::Absence>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let asked = Asked { name: &request.name, etag: &request.etag, act: AbsenceAct::Acknowledge };
        Ok(Response::new(self.absences.change_absence(&call, &request, &request_id, asked).await?))
    }
}
