//! The change feed, read page by page or as a stream.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::convert::encode_time;
use xietong_mesh::drain::Drain;
use xietong_mesh::page::Paging;
use xietong_mesh::{Call, Error, Foundation, RosterCopy};
use xietong_proto::notification as proto;
use xietong_proto::notification::feed_service_server::FeedService;
use xietong_store::Db;
use xietong_timers::Clock;

use super::convert_feed::{encode_entry, filter, position};
use super::feed_stream::{Following, Reader, following};
use crate::jobs::Pulse;
use crate::store::feed_after;

pub(crate) struct FeedServer {
    db: Db,
    clock: Clock,
    copy: Arc<RosterCopy>,
    pulse: Pulse,
    drain: Drain,
}

impl FeedServer {
    pub(crate) fn new(foundation: &Foundation, copy: Arc<RosterCopy>, pulse: Pulse) -> Self {
        FeedServer {
            db: foundation.db.clone(),
            clock: foundation.clock.clone(),
            copy,
            pulse,
            drain: foundation.drain.clone(),
        }
    }

    fn reader(&self, call: &Call) -> Reader {
        Reader { principal: call.principal.clone(), copy: self.copy.clone(), clock: self.clock.clone() }
    }
}

#[async_trait]
impl FeedService for FeedServer {
    async fn list_events(
        &self,
        request: Request<proto::ListEventsRequest>,
    ) -> Result<Response<proto::ListEventsResponse>, Status> {
        let call = Call::of(&request)?.clone();
        call.scope()?;
        let proto::ListEventsRequest { after, page_size, types, subject, source } = request.into_inner();
        let after = position("after", after)?;
        let filter = filter(types, subject, source)?;
        let paging = Paging::<i64>::new(&["ListEvents"], page_size, "")?;
        let as_of = self.copy.view().as_of();
        let scope = self.reader(&call).scope();
        let found = feed_after(self.db.reader(), &scope, &filter, after, paging.limit())
            .await
            .map_err(Error::from)?;
        let looked_to = found.looked_to;
        let (events, rest) = paging.page(found.entries, |entry| entry.position, encode_entry)?;
        // What did not fit into the page is looked at again.
        let cut = events.last().map(|event| event.position).filter(|_| !rest.is_empty());
        let roster_as_of = as_of.filter(|_| scope.depends_on_roster()).map(encode_time);
        let last_position = cut.unwrap_or(looked_to);
        Ok(Response::new(proto::ListEventsResponse { events, last_position, roster_as_of }))
    }

    type StreamEventsStream = Pin<Box<dyn Stream<Item = Result<proto::StreamEventsResponse, Status>> + Send>>;

    async fn stream_events(
        &self,
        request: Request<proto::StreamEventsRequest>,
    ) -> Result<Response<Self::StreamEventsStream>, Status> {
        let call = Call::of(&request)?.clone();
        call.scope()?;
        let proto::StreamEventsRequest { resume_after, types, subject, source } = request.into_inner();
        let after = position("resume_after", resume_after)?;
        let filter = filter(types, subject, source)?;
        let reader = self.reader(&call);
        let events = following(Following::new(self.db.clone(), reader, filter, after, self.pulse.listen()));
        Ok(Response::new(Box::pin(self.drain.ends(events))))
    }
}
