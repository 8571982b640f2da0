//! The internal feed between services: serving one's own log, reading another's.

use std::time::Duration;

use async_trait::async_trait;
use domain_calendar::Timestamp;
use tonic::{Request, Response, Status};
use xietong_events::{Digest, Epoch, Event, EventLog, EventSource, LogPage, SourceError};
use xietong_proto::common as proto;
use xietong_proto::common::event_log_service_client::EventLogServiceClient;
use xietong_proto::common::event_log_service_server::EventLogService;
use xietong_timers::MachineTime;

use crate::authorize::Resource;
use crate::call::Call;
use crate::client::Peers;
use crate::convert::{decode_time, encode_time};
use crate::error::Error;
use crate::service_name::ServiceName;

const DEFAULT_LIMIT: u32 = 500;
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves the log of this service to the others.
pub struct EventLogServer {
    log: EventLog,
}

impl EventLogServer {
    /// Serves `log`.
    pub fn new(log: EventLog) -> Self {
        EventLogServer { log }
    }
}

#[async_trait]
impl EventLogService for EventLogServer {
    async fn read(
        &self,
        request: Request<proto::ReadRequest>,
    ) -> Result<Response<proto::ReadResponse>, Status> {
        Call::of(&request)?.authorize(&Resource::new())?;
        let proto::ReadRequest { after, limit } = request.into_inner();
        let limit = match u32::try_from(limit) {
            Ok(0) => DEFAULT_LIMIT,
            Ok(limit) => limit,
            Err(_) => 0,
        };
        let page = self.log.read(after, limit).await.map_err(Error::from)?;
        Ok(Response::new(encode_page(self.log.producer(), page)))
    }
}

/// Reads the log of a peer by RPC, as the service that owns `peers`.
pub struct RemoteLog {
    producer: ServiceName,
    peers: Peers,
}

impl RemoteLog {
    /// The log of `producer`.
    pub fn new(producer: ServiceName, peers: Peers) -> Self {
        RemoteLog { producer, peers }
    }

    fn failed(&self, why: impl ToString) -> SourceError {
        SourceError { producer: self.producer.as_str().to_owned(), why: why.to_string() }
    }
}

#[async_trait]
impl EventSource for RemoteLog {
    async fn read(&self, after: i64, limit: u32) -> Result<LogPage, SourceError> {
        let limit = if limit == 0 { -1 } else { i32::try_from(limit).unwrap_or(i32::MAX) };
        let request = self
            .peers
            .outgoing_as_system(proto::ReadRequest { after, limit }, "following the log", READ_TIMEOUT)
            .map_err(|error| self.failed(error))?;
        let channel = self.peers.channel(self.producer).map_err(|error| self.failed(error))?;
        let mut client = EventLogServiceClient::new(channel).max_decoding_message_size(64 * 1024 * 1024);
        let response =
            client.read(request).await.map_err(|status| self.failed(status.message()))?.into_inner();
        decode_page(response).ok_or_else(|| self.failed("an event has no time"))
    }
}

fn encode_page(producer: &str, page: LogPage) -> proto::ReadResponse {
    proto::ReadResponse {
        epoch: page.epoch().to_owned(),
        last_position: page.last_position,
        pending: page.pending,
        epochs: page
            .epochs
            .into_iter()
            .map(|epoch| proto::Epoch { name: epoch.name, after_position: epoch.after_position })
            .collect(),
        events: page.events.into_iter().map(|event| encode(producer, event)).collect(),
    }
}

fn encode(producer: &str, event: Event) -> proto::Event {
    proto::Event {
        producer: producer.to_owned(),
        prev_hash: event.prev_hash.as_bytes().to_vec(),
        hash: event.hash.as_bytes().to_vec(),
        id: event.id,
        position: event.position,
        aggregate: event.aggregate,
        version: event.version,
        r#type: event.event_type,
        actor: event.actor,
        acting_for: event.acting_for.unwrap_or_default(),
        ground: event.ground.unwrap_or_default(),
        occurred_at: Some(encode_time(event.occurred_at)),
        recorded_at: Some(encode_time(Timestamp::from_micros(event.recorded_at.as_micros()))),
        traceparent: event.traceparent.unwrap_or_default(),
        causation_id: event.causation_id.unwrap_or_default(),
        payload: event.payload,
    }
}

fn decode_page(response: proto::ReadResponse) -> Option<LogPage> {
    let some = |text: String| (!text.is_empty()).then_some(text);
    let decode = |event: proto::Event| {
        Some(Event {
            occurred_at: decode_time("occurred_at", &event.occurred_at?).ok()?,
            recorded_at: MachineTime::from_micros(
                decode_time("recorded_at", &event.recorded_at?).ok()?.as_micros(),
            ),
            id: event.id,
            position: event.position,
            aggregate: event.aggregate,
            version: event.version,
            event_type: event.r#type,
            actor: event.actor,
            acting_for: some(event.acting_for),
            ground: some(event.ground),
            traceparent: some(event.traceparent),
            causation_id: some(event.causation_id),
            payload: event.payload,
            prev_hash: Digest::from_bytes(event.prev_hash),
            hash: Digest::from_bytes(event.hash),
        })
    };
    Some(LogPage {
        epochs: response
            .epochs
            .into_iter()
            .map(|epoch| Epoch { name: epoch.name, after_position: epoch.after_position })
            .collect(),
        last_position: response.last_position,
        pending: response.pending,
        events: response.events.into_iter().map(decode).collect::<Option<_>>()?,
    })
}
