//! The RPCs of `RosterService` on units' own AB lists.

use std::cmp::Reverse;

use domain_roster::StandInList;
use xietong_mesh::input::{LINE, present, required, text};
use xietong_mesh::{Attempt, Call, Error, Scope};
use xietong_proto::roster as proto;
use xietong_timers::MachineClock;

use super::convert::stand_in_list::{decode_stand_in_list, encode_stand_in_list};
use super::listing::{Query, page};
use super::roster::RosterHandlers;
use crate::access;

impl RosterHandlers {
    pub(super) async fn record_stand_in_list(
        &self,
        call: &Call,
        mut request: proto::CreateStandInListRequest,
    ) -> Result<proto::StandInList, Error> {
        let request_id = std::mem::take(&mut request.request_id);
        let name = format!("standInLists/{}", MachineClock::system().new_id());
        let list = present("stand_in_list", request.stand_in_list.clone())?;
        let list = decode_stand_in_list(name, list, self.app.now())?;
        call.authorize(&access::of_stand_in_list(&list))?;
        let transaction = match self.app.begin(call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(answer),
            Attempt::First(transaction) => transaction,
        };
        let (list, etag) = self.app.create_stand_in_list(&transaction, list).await?;
        transaction.commit(encode_stand_in_list(&list, etag)).await
    }

    pub(super) async fn stand_in_lists(
        &self,
        scope: &Scope,
        request: proto::ListStandInListsRequest,
    ) -> Result<proto::ListStandInListsResponse, Error> {
        let unit = text("unit", request.unit, LINE)?;
        let register = self.app.current().await?;
        let visible = register.book.stand_in_lists().filter(|list| {
            scope.permits(&access::of_stand_in_list(list)) && (unit.is_empty() || list.unit == unit)
        });
        let query = Query {
            method: "ListStandInLists",
            filter: &unit,
            page_size: request.page_size,
            page_token: &request.page_token,
        };
        let latest_first = |list: &StandInList| Reverse((list.effective_time, list.name.clone()));
        let encode = |list: &StandInList| encode_stand_in_list(list, register.etag(&list.name));
        let (stand_in_lists, next_page_token) = page(&query, visible, latest_first, encode)?;
        Ok(proto::ListStandInListsResponse { stand_in_lists, next_page_token })
    }

    pub(super) async fn stand_in_list(
        &self,
        scope: &Scope,
        request: proto::GetStandInListRequest,
    ) -> Result<proto::StandInList, Error> {
        let name = required("name", request.name)?;
        let register = self.app.current().await?;
        let list = register.book.stand_in_lists().find(|list| list.name == name);
        let list = list.ok_or_else(|| access::missing(scope, &name))?;
        scope.authorize(&access::of_stand_in_list(list))?;
        Ok(encode_stand_in_list(list, register.etag(&name)))
    }
}
