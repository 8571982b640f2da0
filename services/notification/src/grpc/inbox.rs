//! The inbox of whoever calls.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;
use futures_util::stream::pending;
use prost::{Message, Name};
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::drain::Drain;
use xietong_mesh::error::Code;
use xietong_mesh::input::at_most;
use xietong_mesh::page::Paging;
use xietong_mesh::{Attempt, Call, Error, Foundation, Resource, RosterCopy, Transactions, retried};
use xietong_proto::notification as proto;
use xietong_proto::notification::inbox_service_server::InboxService;
use xietong_store::Db;

use super::arrivals::{Resume, arrivals};
use super::convert::{encode, message_id};
use super::inbox_list::{Listing, encode_counts};
use crate::app::{self, Mark};
use crate::jobs::Calls;
use crate::store::{Counts, StoredMessage, counts, message, messages_before};

/// Messages that are marked in one request.
const MOST_MARKED: usize = 200;

pub(crate) struct InboxServer {
    db: Db,
    transactions: Transactions,
    calls: Calls,
    drain: Drain,
    copy: Arc<RosterCopy>,
}

impl InboxServer {
    pub(crate) fn new(foundation: &Foundation, copy: Arc<RosterCopy>, calls: Calls) -> Self {
        InboxServer {
            db: foundation.db.clone(),
            transactions: foundation.transactions.clone(),
            calls,
            drain: foundation.drain.clone(),
            copy,
        }
    }

    /// Marks one of the caller's messages, once for one `request_id`.
    async fn mark<M: Message + Name>(
        &self,
        call: &Call,
        request: &M,
        (name, request_id): (&str, &str),
        mark: Mark,
    ) -> Result<proto::Message, Error> {
        let id = message_id(name)?;
        let roster = self.copy.view();
        let attempt = async || {
            let transaction = match self.transactions.begin(call, request, request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let found = own_message(call, transaction.tx(), name, &id).await?;
            let message = app::mark(&transaction, &roster, found, mark).await?;
            transaction.commit(encode(message)).await
        };
        // A message has no etag.
        retried("", attempt).await
    }
}

/// A message of the caller's own inbox. Whether another's exists is not told.
async fn own_message<C: sea_orm::ConnectionTrait>(
    call: &Call,
    connection: &C,
    name: &str,
    id: &str,
) -> Result<StoredMessage, Error> {
    let scope = call.scope()?;
    let Some(official) = &call.principal.official else { return Err(scope.missing(name)) };
    let found = message(connection, official, id).await?.ok_or_else(|| scope.missing(name))?;
    scope.authorize(&Resource::new().of_official(found.recipient.as_str()))?;
    Ok(found)
}

pub(super) async fn own_message_named<C: sea_orm::ConnectionTrait>(
    call: &Call,
    connection: &C,
    name: &str,
) -> Result<StoredMessage, Error> {
    own_message(call, connection, name, &message_id(name)?).await
}

/// What became of one message of several. What is no answer of its own fails them all.
fn batch_result(name: &str, outcome: Result<(), Error>) -> Result<proto::BatchReadResult, Error> {
    let name = name.to_owned();
    match outcome {
        Ok(()) => Ok(proto::BatchReadResult { name, read: true, ..proto::BatchReadResult::default() }),
        Err(error) if matches!(error.code(), Code::PermissionDenied | Code::InvalidArgument) => {
            Ok(proto::BatchReadResult {
                name,
                read: false,
                status: error.code().as_str().to_owned(),
                message: error.message().to_owned(),
                message_zh: error.chinese().to_owned(),
            })
        }
        Err(error) => Err(error),
    }
}

#[async_trait]
impl InboxService for InboxServer {
    async fn list_messages(
        &self,
        request: Request<proto::ListMessagesRequest>,
    ) -> Result<Response<proto::ListMessagesResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        call.scope()?;
        let official = call.principal.official.as_deref().unwrap_or_default();
        let (page_size, page_token) = (request.page_size, request.page_token.clone());
        let listing = Listing::read(request)?;
        let query = listing.query(official);
        let query: Vec<&str> = query.iter().map(String::as_str).collect();
        let paging = Paging::new(&query, page_size, &page_token)?;
        if official.is_empty() {
            return Ok(Response::new(proto::ListMessagesResponse::default()));
        }
        let before = paging.after().copied();
        let found = messages_before(self.db.reader(), official, before, &listing.filter, paging.limit())
            .await
            .map_err(Error::from)?;
        let (messages, next_page_token) =
            paging.page(found, |message| message.number, |message| Ok(encode(message)))?;
        Ok(Response::new(proto::ListMessagesResponse { messages, next_page_token }))
    }

    async fn get_message(
        &self,
        request: Request<proto::GetMessageRequest>,
    ) -> Result<Response<proto::Message>, Status> {
        let call = Call::of(&request)?.clone();
        let name = request.into_inner().name;
        let id = message_id(&name)?;
        let found = own_message(&call, self.db.reader(), &name, &id).await?;
        Ok(Response::new(encode(found)))
    }

    async fn get_unread(
        &self,
        request: Request<proto::GetUnreadRequest>,
    ) -> Result<Response<proto::GetUnreadResponse>, Status> {
        let call = Call::of(&request)?;
        call.scope()?;
        let counts = match &call.principal.official {
            Some(official) => counts(self.db.reader(), official).await.map_err(Error::from)?,
            None => Counts::default(),
        };
        Ok(Response::new(encode_counts(counts)))
    }

    async fn read_message(
        &self,
        request: Request<proto::ReadMessageRequest>,
    ) -> Result<Response<proto::Message>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        Ok(Response::new(self.mark(&call, &request, (&request.name, &request_id), Mark::Read).await?))
    }

    async fn acknowledge_message(
        &self,
        request: Request<proto::AcknowledgeMessageRequest>,
    ) -> Result<Response<proto::Message>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        Ok(Response::new(self.mark(&call, &request, (&request.name, &request_id), Mark::Acknowledge).await?))
    }

    async fn archive_message(
        &self,
        request: Request<proto::ArchiveMessageRequest>,
    ) -> Result<Response<proto::Message>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        Ok(Response::new(self.mark(&call, &request, (&request.name, &request_id), Mark::Archive).await?))
    }

    async fn unarchive_message(
        &self,
        request: Request<proto::UnarchiveMessageRequest>,
    ) -> Result<Response<proto::Message>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        Ok(Response::new(self.mark(&call, &request, (&request.name, &request_id), Mark::Unarchive).await?))
    }

    async fn batch_read_messages(
        &self,
        request: Request<proto::BatchReadMessagesRequest>,
    ) -> Result<Response<proto::BatchReadMessagesResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        request.names = at_most("names", request.names, MOST_MARKED)?;
        if request.names.is_empty() {
            return Err(Error::invalid("names", "must name a message", "至少选择一条通知").into());
        }
        let roster = self.copy.view();
        let attempt = async || {
            let transaction = match self.transactions.begin(&call, &request, &request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let mut results = Vec::with_capacity(request.names.len());
            for name in &request.names {
                let outcome = match own_message_named(&call, transaction.tx(), name).await {
                    Ok(found) => app::mark(&transaction, &roster, found, Mark::Read).await.map(|_| ()),
                    Err(refused) => Err(refused),
                };
                results.push(batch_result(name, outcome)?);
            }
            transaction.commit(proto::BatchReadMessagesResponse { results }).await
        };
        Ok(Response::new(retried("", attempt).await?))
    }

    async fn read_all_messages(
        &self,
        request: Request<proto::ReadAllMessagesRequest>,
    ) -> Result<Response<proto::ReadAllMessagesResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        if request.up_to < 1 {
            return Err(Error::invalid("up_to", "must be at least 1", "截止编号须从1起").into());
        }
        call.scope()?;
        let roster = self.copy.view();
        let attempt = async || {
            let mut transaction = match self.transactions.begin(&call, &request, &request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let read = match &call.principal.official {
                Some(official) => app::read_all(&mut transaction, &roster, official, request.up_to).await?,
                None => 0,
            };
            transaction.commit(proto::ReadAllMessagesResponse { read }).await
        };
        Ok(Response::new(retried("", attempt).await?))
    }

    type StreamInboxStream = Pin<Box<dyn Stream<Item = Result<proto::StreamInboxResponse, Status>> + Send>>;

    async fn stream_inbox(
        &self,
        request: Request<proto::StreamInboxRequest>,
    ) -> Result<Response<Self::StreamInboxStream>, Status> {
        let call = Call::of(&request)?.clone();
        call.scope()?;
        let proto::StreamInboxRequest { resume_after, changes, resume_after_change } = request.into_inner();
        for (field, after) in [("resume_after", resume_after), ("resume_after_change", resume_after_change)] {
            if after < 0 {
                return Err(Error::invalid(field, "must not be negative", "续传编号不能为负数").into());
            }
        }
        let resume = Resume { after: resume_after, after_change: changes.then_some(resume_after_change) };
        let stream: Self::StreamInboxStream = match &call.principal.official {
            Some(official) => {
                let listening = self.calls.listen(official);
                Box::pin(self.drain.ends(arrivals(self.db.clone(), official.clone(), resume, listening)))
            }
            // Nothing is ever sent to an account that is no official's.
            None => Box::pin(self.drain.ends(pending())),
        };
        Ok(Response::new(stream))
    }
}
