//! The RPCs of `RosterService` on absences.

use std::cmp::Reverse;

use domain_roster::Absence;
use prost::{Message, Name};
use xietong_mesh::input::{present, required};
use xietong_mesh::{Attempt, Call, Error, Scope};
use xietong_proto::roster as proto;
use xietong_timers::MachineClock;

use super::convert::absence::{decode_absence, encode_absence};
use super::listing::{Query, page};
use super::roster::RosterHandlers;
use crate::access;
use crate::app::{AbsenceAct, is_stated};

/// What a request asks for on an absence.
pub(super) struct Asked<'a> {
    pub(super) name: &'a str,
    pub(super) etag: &'a str,
    pub(super) act: AbsenceAct,
}

impl RosterHandlers {
    pub(super) async fn register_absence(
        &self,
        call: &Call,
        mut request: proto::CreateAbsenceRequest,
    ) -> Result<proto::Absence, Error> {
        let request_id = std::mem::take(&mut request.request_id);
        let name = format!("absences/{}", MachineClock::system().new_id());
        let registration = decode_absence(name, present("absence", request.absence.clone())?)?;
        let (register, now) = (self.app.current().await?, self.app.now());
        access::keep_away(call, &register.book, &registration.official, now)?;
        if is_stated(&registration.approval) || is_stated(&registration.reassignment) {
            access::state_mayors_decision(call, &register.book, now)?;
        }
        let transaction = match self.app.begin(call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(answer),
            Attempt::First(transaction) => transaction,
        };
        let (absence, etag) = self.app.create_absence(&transaction, registration).await?;
        let answer = encode_absence(&absence, etag, transaction.now());
        transaction.commit(answer).await
    }

    pub(super) async fn absences(
        &self,
        scope: &Scope,
        request: &proto::ListAbsencesRequest,
    ) -> Result<proto::ListAbsencesResponse, Error> {
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
        // As registered: a correction moves none to another page.
        let latest_first = |absence: &Absence| Reverse((absence.start_time, absence.name.clone()));
        let now = self.app.now();
        let encode = |absence: &Absence| encode_absence(absence, register.etag(&absence.name), now);
        let (absences, next_page_token) = page(&query, visible, latest_first, encode)?;
        Ok(proto::ListAbsencesResponse { absences, next_page_token })
    }

    pub(super) async fn absence(
        &self,
        scope: &Scope,
        request: proto::GetAbsenceRequest,
    ) -> Result<proto::Absence, Error> {
        let name = required("name", request.name)?;
        let register = self.app.current().await?;
        let absence = register.book.absence(&name).ok_or_else(|| access::missing(scope, &name))?;
        scope.authorize(&access::of_absence(&register.book, absence))?;
        Ok(encode_absence(absence, register.etag(&name), self.app.now()))
    }

    /// `request` is the decoded request without its request id.
    pub(super) async fn change_absence<M: Message + Name>(
        &self,
        call: &Call,
        request: &M,
        request_id: &str,
        asked: Asked<'_>,
    ) -> Result<proto::Absence, Error> {
        let name = required("name", asked.name.to_owned())?;
        let transaction = match self.app.begin(call, request, request_id).await? {
            Attempt::Repeat(answer) => return Ok(answer),
            Attempt::First(transaction) => transaction,
        };
        let changed = self.app.change_absence(call, &transaction, &name, asked.etag, asked.act).await?;
        let answer = encode_absence(&changed.0, changed.1, transaction.now());
        transaction.commit(answer).await
    }
}
