//! A gRPC server of the generated traits, behind the mesh's own layer, that stands in for
//! roster and notification.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use futures_util::{Stream, stream};
use tokio::sync::watch;
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::Error;
use xietong_mesh::call::Call;
use xietong_proto::notification as inbox;
use xietong_proto::notification::inbox_service_server::InboxService;
use xietong_proto::roster::directory_service_server::DirectoryService;
use xietong_proto::roster::{self, Role};

type Answer<T> = Result<Response<T>, Status>;

/// Units, and five accounts.
#[derive(Clone, Default)]
pub(crate) struct Directory {
    units: Arc<Mutex<BTreeMap<String, roster::Unit>>>,
}

fn account(subject: &str, role: Role) -> roster::Account {
    roster::Account {
        name: format!("accounts/{subject}"),
        subject: subject.to_owned(),
        official: format!("officials/{subject}"),
        roles: vec![roster::RoleBinding {
            role: role.into(),
            units: vec!["units/a".to_owned()],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn not_stood_in<T>(call: &str) -> Answer<T> {
    Err(Error::unimplemented(call).into())
}

#[async_trait]
impl DirectoryService for Directory {
    async fn list_units(
        &self,
        request: Request<roster::ListUnitsRequest>,
    ) -> Answer<roster::ListUnitsResponse> {
        let asked = request.into_inner();
        let units = self.units.lock().unwrap();
        let found = units.values().filter(|unit| unit.display_name.contains(&asked.q)).cloned().collect();
        Ok(Response::new(roster::ListUnitsResponse { units: found, next_page_token: asked.page_token }))
    }

    async fn get_unit(&self, request: Request<roster::GetUnitRequest>) -> Answer<roster::Unit> {
        let name = request.into_inner().name;
        let unit = self.units.lock().unwrap().get(&name).cloned();
        Ok(Response::new(unit.ok_or_else(|| Error::not_found(&name))?))
    }

    /// The etag shows which request id arrived.
    async fn create_unit(&self, request: Request<roster::CreateUnitRequest>) -> Answer<roster::Unit> {
        let asked = request.into_inner();
        let name = format!("units/{}", asked.unit_id);
        if asked.unit_id.is_empty() {
            return Err(Error::invalid("unit_id", "must not be empty", "不能为空").into());
        }
        let mut units = self.units.lock().unwrap();
        if units.contains_key(&name) {
            return Err(Error::already_exists(&name).into());
        }
        let unit =
            roster::Unit { name: name.clone(), etag: asked.request_id, ..asked.unit.unwrap_or_default() };
        units.insert(name, unit.clone());
        Ok(Response::new(unit))
    }

    /// The display name shows which fields the mask names.
    async fn update_unit(&self, request: Request<roster::UpdateUnitRequest>) -> Answer<roster::Unit> {
        let asked = request.into_inner();
        let unit = asked.unit.unwrap_or_default();
        let mut paths = asked.update_mask.map(|mask| mask.paths).unwrap_or_default();
        paths.sort();
        let paths = paths.join(",");
        Ok(Response::new(roster::Unit { display_name: paths, etag: asked.request_id, ..unit }))
    }

    async fn lookup_unit(
        &self,
        request: Request<roster::LookupUnitRequest>,
    ) -> Answer<roster::LookupUnitResponse> {
        let name = request.into_inner().name;
        Err(Error::failed_precondition("AMBIGUOUS", format!("{name} is several units"), "名称不唯一")
            .with_metadata("candidates", "units/a,units/b")
            .into())
    }

    async fn list_collectives(
        &self,
        _: Request<roster::ListCollectivesRequest>,
    ) -> Answer<roster::ListCollectivesResponse> {
        not_stood_in("ListCollectives")
    }

    async fn get_collective(&self, _: Request<roster::GetCollectiveRequest>) -> Answer<roster::Collective> {
        not_stood_in("GetCollective")
    }

    async fn create_collective(
        &self,
        _: Request<roster::CreateCollectiveRequest>,
    ) -> Answer<roster::Collective> {
        not_stood_in("CreateCollective")
    }

    async fn update_collective(
        &self,
        _: Request<roster::UpdateCollectiveRequest>,
    ) -> Answer<roster::Collective> {
        not_stood_in("UpdateCollective")
    }

    async fn list_officials(
        &self,
        _: Request<roster::ListOfficialsRequest>,
    ) -> Answer<roster::ListOfficialsResponse> {
        not_stood_in("ListOfficials")
    }

    async fn get_official(&self, _: Request<roster::GetOfficialRequest>) -> Answer<roster::Official> {
        not_stood_in("GetOfficial")
    }

    async fn create_official(&self, _: Request<roster::CreateOfficialRequest>) -> Answer<roster::Official> {
        not_stood_in("CreateOfficial")
    }

    async fn update_official(&self, _: Request<roster::UpdateOfficialRequest>) -> Answer<roster::Official> {
        not_stood_in("UpdateOfficial")
    }

    async fn list_accounts(
        &self,
        _: Request<roster::ListAccountsRequest>,
    ) -> Answer<roster::ListAccountsResponse> {
        not_stood_in("ListAccounts")
    }

    async fn get_account(&self, _: Request<roster::GetAccountRequest>) -> Answer<roster::Account> {
        not_stood_in("GetAccount")
    }

    async fn create_account(&self, _: Request<roster::CreateAccountRequest>) -> Answer<roster::Account> {
        not_stood_in("CreateAccount")
    }

    async fn resolve_account(
        &self,
        request: Request<roster::ResolveAccountRequest>,
    ) -> Answer<roster::Account> {
        assert!(Call::of(&request)?.principal.is_system());
        let subject = request.into_inner().subject;
        match subject.as_str() {
            "administrator" => Ok(Response::new(account(&subject, Role::Administrator))),
            "auditor" => Ok(Response::new(account(&subject, Role::Auditor))),
            "clerk" => Ok(Response::new(account(&subject, Role::UnitClerk))),
            "disabled" => {
                Ok(Response::new(roster::Account { disabled: true, ..account(&subject, Role::UnitClerk) }))
            }
            _ => Err(Error::not_found("accounts").into()),
        }
    }
}

/// From this number on, a stream breaks.
pub(crate) const BROKEN_AFTER: i64 = 1_000;

/// Every inbox is the same: `sent` messages.
#[derive(Clone)]
pub(crate) struct Inbox {
    sent: Arc<watch::Sender<i64>>,
}

impl Inbox {
    /// An inbox with so many messages.
    pub(crate) fn with(sent: i64) -> Self {
        Inbox { sent: Arc::new(watch::Sender::new(sent)) }
    }

    /// One more message arrives.
    pub(crate) fn send(&self) {
        self.sent.send_modify(|sent| *sent += 1);
    }
}

fn message(number: i64) -> inbox::Message {
    inbox::Message { name: format!("inbox/messages/{number}"), number, ..Default::default() }
}

#[async_trait]
impl InboxService for Inbox {
    /// One message, which says who asked and in which trace.
    async fn list_messages(
        &self,
        request: Request<inbox::ListMessagesRequest>,
    ) -> Answer<inbox::ListMessagesResponse> {
        let call = Call::of(&request)?;
        let message = inbox::Message {
            title: call.principal.subject.clone(),
            recipient: call.principal.official.clone().unwrap_or_default(),
            body: call.traceparent.clone().unwrap_or_default(),
            ..message(1)
        };
        Ok(Response::new(inbox::ListMessagesResponse { messages: vec![message], ..Default::default() }))
    }

    /// `slow` is never answered.
    async fn get_message(&self, request: Request<inbox::GetMessageRequest>) -> Answer<inbox::Message> {
        match request.get_ref().name.as_str() {
            "inbox/messages/slow" => std::future::pending().await,
            name => Err(Error::not_found(name).into()),
        }
    }

    async fn get_unread(&self, _: Request<inbox::GetUnreadRequest>) -> Answer<inbox::GetUnreadResponse> {
        Ok(Response::new(inbox::GetUnreadResponse {
            unread: i64::MAX,
            ..inbox::GetUnreadResponse::default()
        }))
    }

    async fn read_message(&self, _: Request<inbox::ReadMessageRequest>) -> Answer<inbox::Message> {
        not_stood_in("ReadMessage")
    }

    async fn acknowledge_message(
        &self,
        _: Request<inbox::AcknowledgeMessageRequest>,
    ) -> Answer<inbox::Message> {
        not_stood_in("AcknowledgeMessage")
    }

    async fn archive_message(&self, _: Request<inbox::ArchiveMessageRequest>) -> Answer<inbox::Message> {
        not_stood_in("ArchiveMessage")
    }

    async fn unarchive_message(&self, _: Request<inbox::UnarchiveMessageRequest>) -> Answer<inbox::Message> {
        not_stood_in("UnarchiveMessage")
    }

    async fn batch_read_messages(
        &self,
        _: Request<inbox::BatchReadMessagesRequest>,
    ) -> Answer<inbox::BatchReadMessagesResponse> {
        not_stood_in("BatchReadMessages")
    }

    async fn read_all_messages(
        &self,
        _: Request<inbox::ReadAllMessagesRequest>,
    ) -> Answer<inbox::ReadAllMessagesResponse> {
        not_stood_in("ReadAllMessages")
    }

    type StreamInboxStream = Pin<Box<dyn Stream<Item = Result<inbox::StreamInboxResponse, Status>> + Send>>;

    async fn stream_inbox(
        &self,
        request: Request<inbox::StreamInboxRequest>,
    ) -> Answer<Self::StreamInboxStream> {
        let after = request.get_ref().resume_after;
        if after < 0 {
            return Err(Error::invalid("resume_after", "must not be negative", "不能为负数").into());
        }
        let arrivals = stream::unfold((after, self.sent.subscribe()), |(after, mut sent)| async move {
            if after >= BROKEN_AFTER {
                return Some((Err(Error::aborted_etag("inbox").into()), (after, sent)));
            }
            sent.wait_for(|sent| *sent > after).await.ok()?;
            let arrival = inbox::StreamInboxResponse {
                message: Some(message(after + 1)),
                ..inbox::StreamInboxResponse::default()
            };
            Some((Ok(arrival), (after + 1, sent)))
        });
        Ok(Response::new(Box::pin(arrivals)))
    }
}
