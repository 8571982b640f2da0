//! The change feed as a stream: what is in the database after a position, then whatever comes.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use tonic::Status;
use xietong_mesh::{Error, Principal, RosterCopy};
use xietong_proto::notification as proto;
use xietong_store::Db;
use xietong_timers::Clock;

use super::convert_feed::encode_entry;
use crate::app::feed_scope;
use crate::jobs::FeedListening;
use crate::store::{FeedFilter, FeedScope, StoredEntry, feed_after};

const PAGE: u64 = 200;

/// Whoever reads the feed.
pub(super) struct Reader {
    pub(super) principal: Arc<Principal>,
    pub(super) copy: Arc<RosterCopy>,
    pub(super) clock: Clock,
}

/// An open stream.
pub(super) struct Following {
    db: Db,
    reader: Reader,
    filter: FeedFilter,
    after: i64,
    ready: VecDeque<StoredEntry>,
    listening: FeedListening,
}

impl Reader {
    /// What may be read now: a stream that stays open follows the roster.
    pub(super) fn scope(&self) -> FeedScope {
        feed_scope(&self.principal, &self.copy.view(), self.clock.now())
    }
}

impl Following {
    /// Everything that is asked for after a position. `listening` must have begun before.
    pub(super) fn new(
        db: Db,
        reader: Reader,
        filter: FeedFilter,
        after: i64,
        listening: FeedListening,
    ) -> Self {
        Following { db, reader, filter, after, ready: VecDeque::new(), listening }
    }

    async fn next(&mut self) -> Result<StoredEntry, Status> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return Ok(entry);
            }
            let scope = self.reader.scope();
            let page = feed_after(self.db.reader(), &scope, &self.filter, self.after, PAGE).await;
            let page = page.map_err(Error::from)?;
            let idle = page.looked_to == self.after;
            self.after = page.looked_to;
            self.ready = page.entries.into();
            if idle {
                self.listening.wait_above(self.after).await;
            }
        }
    }
}

/// Every event after a position, in order, without end. Wake-ups are hints: only the database says
/// what there is, so nothing is lost and nothing repeated.
pub(super) fn following(
    start: Following,
) -> impl Stream<Item = Result<proto::StreamEventsResponse, Status>> + Send + 'static {
    try_unfold(start, |mut state| async move {
        let event = encode_entry(state.next().await?)?;
        Ok(Some((proto::StreamEventsResponse { event: Some(event) }, state)))
    })
}
