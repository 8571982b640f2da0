//! `DirectoryService`.

use domain_calendar::Timestamp;
use domain_roster::{Account, Collective, Official, Unit, normalise};
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::input::{LINE, optional, present, required, text};
use xietong_mesh::{Attempt, Call};
use xietong_proto::roster as proto;
use xietong_proto::roster::directory_service_server::DirectoryService;
use xietong_timers::MachineClock;

use super::convert::directory::{
    decode_account, decode_collective, decode_official, decode_unit, encode_account, encode_collective,
    encode_official, encode_unit,
};
use super::listing::{Query, page};
use crate::access;
use crate::app::App;
use crate::error::refusal;

/// Answers for the directory.
pub(crate) struct DirectoryHandlers {
    pub(super) app: App,
}

impl DirectoryHandlers {
    pub(crate) fn new(app: App) -> Self {
        DirectoryHandlers { app }
    }
}

#[async_trait]
impl DirectoryService for DirectoryHandlers {
    async fn list_units(
        &self,
        request: Request<proto::ListUnitsRequest>,
    ) -> Result<Response<proto::ListUnitsResponse>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let request = request.into_inner();
        let q = text("q", request.q, LINE)?;
        let register = self.app.current().await?;
        let view = register.book.view(self.app.now(), Timestamp::MAX);
        // Those that have ceased or are yet to be are listed as well.
        let visible = register
            .book
            .units()
            .filter_map(|unit| view.unit(&unit.name))
            .filter(|unit| scope.permits(&access::of_unit(&unit.name)) && has_in_name(unit.names(), &q));
        let query = Query {
            method: "ListUnits",
            filter: &q,
            page_size: request.page_size,
            page_token: &request.page_token,
        };
        let encode = |unit: &Unit| encode_unit(unit, register.etag(&unit.name));
        let (units, next_page_token) = page(&query, visible, |unit| unit.name.clone(), encode)?;
        Ok(Response::new(proto::ListUnitsResponse { units, next_page_token }))
    }

    async fn get_unit(
        &self,
        request: Request<proto::GetUnitRequest>,
    ) -> Result<Response<proto::Unit>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let name = required("name", request.into_inner().name)?;
        let register = self.app.current().await?;
        let view = register.book.view(self.app.now(), Timestamp::MAX);
        let unit = view.unit(&name).ok_or_else(|| access::missing(&scope, &name))?;
        scope.authorize(&access::of_unit(&unit.name))?;
        Ok(Response::new(encode_unit(unit, register.etag(&name))))
    }

    async fn create_unit(
        &self,
        request: Request<proto::CreateUnitRequest>,
    ) -> Result<Response<proto::Unit>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let name = format!("units/{}", required("unit_id", request.unit_id.clone())?);
        let unit = decode_unit(name, present("unit", request.unit.clone())?)?;
        call.authorize(&access::of_unit(&unit.name))?;
        let transaction = match self.app.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let etag = self.app.create_unit(&transaction, &unit).await?;
        Ok(Response::new(transaction.commit(encode_unit(&unit, etag)).await?))
    }

    async fn update_unit(
        &self,
        request: Request<proto::UpdateUnitRequest>,
    ) -> Result<Response<proto::Unit>, Status> {
        let call = Call::of(&request)?.clone();
        Ok(Response::new(self.revise_unit(&call, request.into_inner()).await?))
    }

    async fn lookup_unit(
        &self,
        request: Request<proto::LookupUnitRequest>,
    ) -> Result<Response<proto::LookupUnitResponse>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let name = required("name", request.into_inner().name)?;
        let register = self.app.current().await?;
        let view = register.book.view(self.app.now(), Timestamp::MAX);
        if let Some(collective) = view.lookup_collective(&name) {
            scope.authorize(&access::of_collective(collective))?;
            return Ok(Response::new(proto::LookupUnitResponse {
                unit: String::new(),
                display_name: collective.display_name.clone(),
                collective: Some(encode_collective(collective, register.etag(&collective.name))),
            }));
        }
        let unit = view.lookup_unit(&name).require(&name).map_err(refusal)?;
        scope.authorize(&access::of_unit(&unit.name))?;
        let (unit, display_name) = (unit.name.clone(), unit.display_name.clone());
        Ok(Response::new(proto::LookupUnitResponse { unit, display_name, collective: None }))
    }

    async fn list_collectives(
        &self,
        request: Request<proto::ListCollectivesRequest>,
    ) -> Result<Response<proto::ListCollectivesResponse>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let request = request.into_inner();
        let q = text("q", request.q, LINE)?;
        let register = self.app.current().await?;
        let visible = register
            .book
            .view(self.app.now(), Timestamp::MAX)
            .collectives()
            .filter(|one| scope.permits(&access::of_collective(one)) && has_in_name(one.names(), &q));
        let query = Query {
            method: "ListCollectives",
            filter: &q,
            page_size: request.page_size,
            page_token: &request.page_token,
        };
        let encode = |one: &Collective| encode_collective(one, register.etag(&one.name));
        let (collectives, next_page_token) = page(&query, visible, |one| one.name.clone(), encode)?;
        Ok(Response::new(proto::ListCollectivesResponse { collectives, next_page_token }))
    }

    async fn get_collective(
        &self,
        request: Request<proto::GetCollectiveRequest>,
    ) -> Result<Response<proto::Collective>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let name = required("name", request.into_inner().name)?;
        let register = self.app.current().await?;
        let view = register.book.view(self.app.now(), Timestamp::MAX);
        let collective = view.collective(&name).ok_or_else(|| access::missing(&scope, &name))?;
        scope.authorize(&access::of_collective(collective))?;
        Ok(Response::new(encode_collective(collective, register.etag(&name))))
    }

    async fn create_collective(
        &self,
        request: Request<proto::CreateCollectiveRequest>,
    ) -> Result<Response<proto::Collective>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let name = format!("collectives/{}", required("collective_id", request.collective_id.clone())?);
        let collective = decode_collective(name, present("collective", request.collective.clone())?)?;
        call.authorize(&access::of_collective(&collective))?;
        let transaction = match self.app.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let etag = self.app.create_collective(&transaction, &collective).await?;
        Ok(Response::new(transaction.commit(encode_collective(&collective, etag)).await?))
    }

    async fn update_collective(
        &self,
        request: Request<proto::UpdateCollectiveRequest>,
    ) -> Result<Response<proto::Collective>, Status> {
        let call = Call::of(&request)?.clone();
        Ok(Response::new(self.revise_collective(&call, request.into_inner()).await?))
    }

    async fn list_officials(
        &self,
        request: Request<proto::ListOfficialsRequest>,
    ) -> Result<Response<proto::ListOfficialsResponse>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let request = request.into_inner();
        let q = text("q", request.q, LINE)?;
        let register = self.app.current().await?;
        let visible = register.book.officials().filter(|official| {
            scope.permits(&access::of_official(official)) && official.display_name.contains(&q)
        });
        let query = Query {
            method: "ListOfficials",
            filter: &q,
            page_size: request.page_size,
            page_token: &request.page_token,
        };
        let encode = |official: &Official| encode_official(official, register.etag(&official.name));
        let (officials, next_page_token) = page(&query, visible, |official| official.name.clone(), encode)?;
        Ok(Response::new(proto::ListOfficialsResponse { officials, next_page_token }))
    }

    async fn get_official(
        &self,
        request: Request<proto::GetOfficialRequest>,
    ) -> Result<Response<proto::Official>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let name = required("name", request.into_inner().name)?;
        let register = self.app.current().await?;
        let official = register.book.official(&name).ok_or_else(|| access::missing(&scope, &name))?;
        scope.authorize(&access::of_official(official))?;
        Ok(Response::new(encode_official(official, register.etag(&name))))
    }

    async fn create_official(
        &self,
        request: Request<proto::CreateOfficialRequest>,
    ) -> Result<Response<proto::Official>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let id = optional("official_id", request.official_id.clone())?;
        let name = format!("officials/{}", id.unwrap_or_else(new_id));
        let official = decode_official(name, present("official", request.official.clone())?)?;
        call.authorize(&access::of_official(&official))?;
        let transaction = match self.app.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let etag = self.app.create_official(&transaction, &official).await?;
        Ok(Response::new(transaction.commit(encode_official(&official, etag)).await?))
    }

    async fn update_official(
        &self,
        request: Request<proto::UpdateOfficialRequest>,
    ) -> Result<Response<proto::Official>, Status> {
        let call = Call::of(&request)?.clone();
        Ok(Response::new(self.revise_official(&call, request.into_inner()).await?))
    }

    async fn list_accounts(
        &self,
        request: Request<proto::ListAccountsRequest>,
    ) -> Result<Response<proto::ListAccountsResponse>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let request = request.into_inner();
        let register = self.app.current().await?;
        let visible = register.book.accounts().filter(|account| scope.permits(&access::of_account(account)));
        let query = Query {
            method: "ListAccounts",
            filter: "",
            page_size: request.page_size,
            page_token: &request.page_token,
        };
        let encode = |account: &Account| encode_account(account, register.etag(&account.name));
        let (accounts, next_page_token) = page(&query, visible, |account| account.name.clone(), encode)?;
        Ok(Response::new(proto::ListAccountsResponse { accounts, next_page_token }))
    }

    async fn get_account(
        &self,
        request: Request<proto::GetAccountRequest>,
    ) -> Result<Response<proto::Account>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let name = required("name", request.into_inner().name)?;
        let register = self.app.current().await?;
        let account = register.book.account(&name).ok_or_else(|| access::missing(&scope, &name))?;
        scope.authorize(&access::of_account(account))?;
        Ok(Response::new(encode_account(account, register.etag(&name))))
    }

    async fn create_account(
        &self,
        request: Request<proto::CreateAccountRequest>,
    ) -> Result<Response<proto::Account>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let name = format!("accounts/{}", new_id());
        let account = decode_account(name, present("account", request.account.clone())?)?;
        call.authorize(&access::of_account(&account))?;
        let transaction = match self.app.begin(&call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(Response::new(answer)),
            Attempt::First(transaction) => transaction,
        };
        let etag = self.app.create_account(&transaction, &account).await?;
        Ok(Response::new(transaction.commit(encode_account(&account, etag)).await?))
    }

    async fn resolve_account(
        &self,
        request: Request<proto::ResolveAccountRequest>,
    ) -> Result<Response<proto::Account>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let subject = required("subject", request.into_inner().subject)?;
        let register = self.app.current().await?;
        let account = register.book.account_of_subject(&subject);
        let account = account.ok_or_else(|| access::missing(&scope, &format!("account of {subject}")))?;
        scope.authorize(&access::of_account(account))?;
        Ok(Response::new(encode_account(account, register.etag(&account.name))))
    }
}

/// Whether a part of any of the names was asked for, however it is spelled.
fn has_in_name<'n>(mut names: impl Iterator<Item = &'n str>, q: &str) -> bool {
    let key = normalise(q);
    names.any(|name| name.contains(q) || normalise(name).contains(&key))
}

fn new_id() -> String {
    MachineClock::system().new_id().to_string()
}
