//! The inbox of whoever calls.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;
use futures_util::stream::pending;
use prost::{Message, Name};
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::drain::Drain;
use xietong_mesh::page::Paging;
use xietong_mesh::{
    Attempt, Call, Error, Foundation, Resource, RosterCopy, Transaction, Transactions, retried,
};
use xietong_proto::notification as proto;
use xietong_proto::notification::inbox_service_server::InboxService;
use xietong_store::Db;

use super::arrivals::arrivals;
use super::convert::{encode, message_id};
use crate::app;
use crate::jobs::Calls;
use crate::store::{StoredMessage, message, messages_before, unread_count};

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
    async fn mark<M, F>(
        &self,
        call: &Call,
        request: &M,
        (name, request_id): (&str, &str),
        change: impl Fn(Box<Transaction>, StoredMessage) -> F,
    ) -> Result<proto::Message, Error>
    where
        M: Message + Name,
        F: Future<Output = Result<(Box<Transaction>, StoredMessage), Error>>,
    {
        let id = message_id(name)?;
        let attempt = async || {
            let transaction = match self.transactions.begin(call, request, request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let found = own_message(call, transaction.tx(), name, &id).await?;
            let (transaction, message) = change(transaction, found).await?;
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

#[async_trait]
impl InboxService for InboxServer {
    async fn list_messages(
        &self,
        request: Request<proto::ListMessagesRequest>,
    ) -> Result<Response<proto::ListMessagesResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let proto::ListMessagesRequest { page_size, page_token, unread } = request.into_inner();
        call.scope()?;
        let official = call.principal.official.as_deref().unwrap_or_default();
        let query = ["ListMessages", official, if unread { "unread" } else { "all" }];
        let paging = Paging::new(&query, page_size, &page_token)?;
        if official.is_empty() {
            return Ok(Response::new(proto::ListMessagesResponse::default()));
        }
        let before = paging.after().copied();
        let found = messages_before(self.db.reader(), official, before, unread, paging.limit())
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
        let unread = match &call.principal.official {
            Some(official) => unread_count(self.db.reader(), official).await.map_err(Error::from)?,
            None => 0,
        };
        Ok(Response::new(proto::GetUnreadResponse { unread }))
    }

    async fn read_message(
        &self,
        request: Request<proto::ReadMessageRequest>,
    ) -> Result<Response<proto::Message>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let roster = self.copy.view();
        let roster = &roster;
        let change = |mut transaction: Box<Transaction>, message| async move {
            let message = app::read(&mut transaction, roster, message).await?;
            Ok((transaction, message))
        };
        Ok(Response::new(self.mark(&call, &request, (&request.name, &request_id), change).await?))
    }

    async fn acknowledge_message(
        &self,
        request: Request<proto::AcknowledgeMessageRequest>,
    ) -> Result<Response<proto::Message>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let roster = self.copy.view();
        let roster = &roster;
        let change = |mut transaction: Box<Transaction>, message| async move {
            let message = app::acknowledge(&mut transaction, roster, message).await?;
            Ok((transaction, message))
        };
        Ok(Response::new(self.mark(&call, &request, (&request.name, &request_id), change).await?))
    }

    type StreamInboxStream = Pin<Box<dyn Stream<Item = Result<proto::StreamInboxResponse, Status>> + Send>>;

    async fn stream_inbox(
        &self,
        request: Request<proto::StreamInboxRequest>,
    ) -> Result<Response<Self::StreamInboxStream>, Status> {
        let call = Call::of(&request)?.clone();
        call.scope()?;
        let after = request.into_inner().resume_after;
        if after < 0 {
            return Err(Error::invalid("resume_after", "must not be negative", "续传编号不能为负数").into());
        }
        let stream: Self::StreamInboxStream = match &call.principal.official {
            Some(official) => {
                let listening = self.calls.listen(official);
                Box::pin(self.drain.ends(arrivals(self.db.clone(), official.clone(), after, listening)))
            }
            // Nothing is ever sent to an account that is no official's.
            None => Box::pin(self.drain.ends(pending())),
        };
        Ok(Response::new(stream))
    }
}
