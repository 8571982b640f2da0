//! What is sent of messages outside the inbox.

use domain_channel::{Purpose, SendingState};
use domain_webhook::Moment;
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;
use xietong_mesh::convert::encode_time;
use xietong_mesh::page::Paging;
use xietong_mesh::{Call, Error, Resource};
use xietong_proto::notification as proto;
use xietong_proto::notification::sending_service_server::SendingService;
use xietong_store::Db;

use super::preference::channel;
use crate::store::{StoredSending, any_message, sendings_after};

pub(crate) struct SendingServer {
    db: Db,
}

impl SendingServer {
    pub(crate) fn new(db: Db) -> Self {
        SendingServer { db }
    }
}

#[async_trait]
impl SendingService for SendingServer {
    async fn list_sendings(
        &self,
        request: Request<proto::ListSendingsRequest>,
    ) -> Result<Response<proto::ListSendingsResponse>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let proto::ListSendingsRequest { parent, page_size, page_token } = request.into_inner();
        let id = message_id(&parent)?;
        let reader = self.db.reader();
        let found = any_message(reader, &id).await.map_err(Error::from)?;
        let found = found.ok_or_else(|| scope.missing(&parent))?;
        scope.authorize(&Resource::new().of_official(found.recipient.as_str()))?;
        let query = ["ListSendings", id.as_str()];
        let paging = Paging::<(String, String)>::new(&query, page_size, &page_token)?;
        let sendings =
            sendings_after(reader, &id, paging.after(), paging.limit()).await.map_err(Error::from)?;
        let key = |one: &StoredSending| (one.channel.to_string(), one.purpose.to_string());
        let (sendings, next_page_token) = paging.page(sendings, key, |one| Ok(encode(one)))?;
        Ok(Response::new(proto::ListSendingsResponse { sendings, next_page_token }))
    }
}

/// The id in `messages/{id}`.
fn message_id(name: &str) -> Result<String, Error> {
    name.strip_prefix("messages/")
        .and_then(|id| Uuid::parse_str(id).ok())
        .map(|id| id.to_string())
        .ok_or_else(|| Error::invalid("parent", "must be messages/{id}", "名称须为 messages/{编号} 的形式"))
}

fn encode(sending: StoredSending) -> proto::Sending {
    let (state, due, ended) = match sending.state {
        SendingState::Waiting { due, .. } => (proto::SendingState::Waiting, Some(due), None),
        SendingState::Sent { at } => (proto::SendingState::Sent, None, Some(at)),
        SendingState::Refused { at } => (proto::SendingState::Refused, None, Some(at)),
        SendingState::GivenUp { at } => (proto::SendingState::GivenUp, None, Some(at)),
        SendingState::Recalled { at } => (proto::SendingState::Recalled, None, Some(at)),
    };
    let purpose = match sending.purpose {
        Purpose::Notice => proto::SendingPurpose::Notice,
        Purpose::FollowUp => proto::SendingPurpose::FollowUp,
        Purpose::Close => proto::SendingPurpose::Close,
    };
    let name = format!("messages/{}/sendings/{}-{}", sending.message, sending.channel, sending.purpose);
    proto::Sending {
        name: name.replace('_', "-"),
        channel: channel(sending.channel).into(),
        purpose: purpose.into(),
        state: state.into(),
        attempts: i32::try_from(sending.tried).unwrap_or(i32::MAX),
        outcome: sending.outcome,
        earliest_time: Some(encode_time(sending.not_before)),
        next_attempt_time: due.map(machine_time),
        end_time: ended.map(machine_time),
    }
}

fn machine_time(at: Moment) -> prost_types::Timestamp {
    encode_time(domain_calendar::Timestamp::from_micros(at.as_micros()))
}

#[cfg(test)]
mod tests {
    use super::message_id;

    #[test]
    fn only_names_of_messages_are_read() {
        let id = "0190a5c8-7f60-7cc3-98c4-dc0c0c07398f";
        assert_eq!(message_id(&format!("messages/{id}")), Ok(id.to_owned()));
        for name in ["", "messages/", "messages/1", &format!("inbox/messages/{id}")] {
            assert!(message_id(name).is_err(), "{name:?}");
        }
    }
}
