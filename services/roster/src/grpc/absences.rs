//! The RPCs of `RosterService` on absences.

use std::cmp::Reverse;

use domain_roster::Absence;
use prost::{Message, Name};
use xietong_mesh::authorize;
use xietong_mesh::input::{present, required};
use xietong_mesh::{Attempt, Call, Error, Scope};
use xietong_proto::roster as proto;
use xietong_timers::MachineClock;

use super::convert::absence::{decode_absence, encode_absence, encode_kept, is_unacknowledged};
use super::listing::{Query, page};
use super::roster::RosterHandlers;
use crate::access;
use crate::app::{AbsenceAct, absence_etag, is_stated};
use crate::store::acts;

/// The action of reading a digest.
const READ_DIGEST: &str = "roster.absences.digest";

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
        access::name_stand_ins(call, &register.book, &registration, now)?;
        let transaction = match self.app.begin(call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(answer),
            Attempt::First(transaction) => transaction,
        };
        let kept = self.app.create_absence(&transaction, registration).await?;
        let answer = encode_kept(kept);
        transaction.commit(answer).await
    }

    pub(super) async fn absences(
        &self,
        call: &Call,
        request: &proto::ListAbsencesRequest,
    ) -> Result<proto::ListAbsencesResponse, Error> {
        let scope = call.scope()?;
        // Whose digest is open is told to whoever may read that digest.
        let digests =
            request.unacknowledged.then(|| authorize::scope(&call.principal, READ_DIGEST)).transpose()?;
        let (register, now) = (self.app.current().await?, self.app.now());
        let tallies = acts::tallies(self.app.reader()).await?;
        let tally = |absence: &Absence| tallies.get(&absence.name).copied().unwrap_or_default();
        let visible = register.book.absences().filter(|absence| {
            scope.permits(&access::of_absence(&register.book, absence))
                && digests.as_ref().is_none_or(|digests| {
                    access::to_digest(digests, &register.book, absence, now).is_ok()
                        && is_unacknowledged(absence, tally(absence), now)
                })
        });
        let query = Query {
            method: "ListAbsences",
            filter: if request.unacknowledged { "unacknowledged" } else { "" },
            page_size: request.page_size,
            page_token: &request.page_token,
        };
        // As registered: a correction moves none to another page.
        let latest_first = |absence: &Absence| Reverse((absence.start_time, absence.name.clone()));
        let encode = |absence: &Absence| {
            let tally = tally(absence);
            encode_absence(absence, tally, absence_etag(&register, &absence.name, tally), now)
        };
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
        let tally = acts::tally(self.app.reader(), &name).await?;
        Ok(encode_absence(absence, tally, absence_etag(&register, &name, tally), self.app.now()))
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
        let answer = encode_kept(changed);
        transaction.commit(answer).await
    }
}
