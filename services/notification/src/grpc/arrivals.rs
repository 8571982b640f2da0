//! An inbox as a stream: what is in the database after a number, then whatever comes.

use std::collections::VecDeque;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use tonic::Status;
use xietong_mesh::Error;
use xietong_proto::notification as proto;
use xietong_store::Db;

use super::convert::encode;
use crate::jobs::Listening;
use crate::store::{StoredMessage, messages_after};

const PAGE: u64 = 200;

struct Arrivals {
    db: Db,
    recipient: String,
    after: i64,
    ready: VecDeque<StoredMessage>,
    listening: Listening,
}

/// Every message of an inbox above a number, in order, without end. Wake-ups are hints:
/// only the database says what there is, so nothing is lost and nothing repeated.
/// `listening` must have begun before this is polled.
pub(super) fn arrivals(
    db: Db,
    recipient: String,
    after: i64,
    listening: Listening,
) -> impl Stream<Item = Result<proto::StreamInboxResponse, Status>> + Send + 'static {
    let start = Arrivals { db, recipient, after, ready: VecDeque::new(), listening };
    try_unfold(start, |mut state| async move {
        let message = state.next().await?;
        Ok(Some((proto::StreamInboxResponse { message: Some(encode(message)) }, state)))
    })
}

impl Arrivals {
    async fn next(&mut self) -> Result<StoredMessage, Status> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                self.after = message.number;
                return Ok(message);
            }
            let page = messages_after(self.db.reader(), &self.recipient, self.after, PAGE).await;
            self.ready = page.map_err(Error::from)?.into();
            if self.ready.is_empty() {
                self.listening.wait().await;
            }
        }
    }
}
