//! An inbox as a stream: what is in the database after a number, then whatever comes.

use std::collections::{BTreeSet, VecDeque};

use futures_util::Stream;
use futures_util::stream::try_unfold;
use tonic::Status;
use xietong_mesh::Error;
use xietong_proto::notification as proto;
use xietong_store::{Db, StoreError};

use super::convert::encode;
use crate::jobs::Listening;
use crate::store::{StoredMessage, messages_after, messages_changed};

const PAGE: u64 = 200;

/// From where on a stream tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resume {
    /// Number of the last message.
    pub(super) after: i64,
    /// Number of the last change; none when changes are not told.
    pub(super) after_change: Option<i64>,
}

struct Arrivals {
    db: Db,
    recipient: String,
    resume: Resume,
    ready: VecDeque<proto::StreamInboxResponse>,
    /// Changes that were told with the arrival of their message.
    told: BTreeSet<i64>,
    listening: Listening,
}

/// Every message of an inbox above a number, in order, without end, and what becomes of those told of.
/// Wake-ups are hints: only the database says what there is, so nothing is lost and no arrival
/// repeated. `listening` must have begun before this is polled.
pub(super) fn arrivals(
    db: Db,
    recipient: String,
    resume: Resume,
    listening: Listening,
) -> impl Stream<Item = Result<proto::StreamInboxResponse, Status>> + Send + 'static {
    let start = Arrivals { db, recipient, resume, ready: VecDeque::new(), told: BTreeSet::new(), listening };
    try_unfold(start, |mut state| async move {
        let next = state.next().await?;
        Ok(Some((next, state)))
    })
}

impl Arrivals {
    async fn next(&mut self) -> Result<proto::StreamInboxResponse, Status> {
        loop {
            if let Some(next) = self.ready.pop_front() {
                return Ok(next);
            }
            self.changed().await.map_err(Error::from)?;
            if self.ready.is_empty() {
                self.arrived().await.map_err(Error::from)?;
            }
            if self.ready.is_empty() {
                self.listening.wait().await;
            }
        }
    }

    async fn arrived(&mut self) -> Result<(), StoreError> {
        let page = messages_after(self.db.reader(), &self.recipient, self.resume.after, PAGE).await?;
        for message in page {
            self.resume.after = message.number;
            // The arrival tells it in the state it is in.
            if self.resume.after_change.is_some_and(|after| message.change > after) {
                self.told.insert(message.change);
            }
            self.ready.push_back(arrival(message));
        }
        Ok(())
    }

    async fn changed(&mut self) -> Result<(), StoreError> {
        let Some(mut after) = self.resume.after_change else { return Ok(()) };
        loop {
            let page =
                messages_changed(self.db.reader(), &self.recipient, self.resume.after, after, PAGE).await?;
            let Some(last) = page.last().map(|message| message.change) else { return Ok(()) };
            self.resume.after_change = Some(last);
            after = last;
            let fresh = page.into_iter().filter(|message| !self.told.contains(&message.change));
            self.ready.extend(fresh.map(change));
            self.told = self.told.split_off(&last.saturating_add(1));
            if !self.ready.is_empty() {
                return Ok(());
            }
        }
    }
}

fn arrival(message: StoredMessage) -> proto::StreamInboxResponse {
    proto::StreamInboxResponse { message: Some(encode(message)), changed: None, change: 0 }
}

fn change(message: StoredMessage) -> proto::StreamInboxResponse {
    let change = message.change;
    proto::StreamInboxResponse { message: None, changed: Some(encode(message)), change }
}
