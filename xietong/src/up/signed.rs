//! Calls that the process makes on its own front door's authority while it starts.

use std::future::Future;
use std::time::Duration;

use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use xietong_mesh::principal::{Grant, PRINCIPAL_METADATA, Principal, Role};
use xietong_mesh::token::Signer;
use xietong_mesh::{Peers, ServiceName};
use xietong_proto::common::event_log_service_client::EventLogServiceClient;
use xietong_proto::common::{Event, ReadRequest};

use super::ADMINISTRATOR;

/// Subject of the sample's supervisor, who issues its tasks.
const SUPERVISOR: &str = "duchashi-jingban";
/// Largest page of a log, in bytes.
const LOG_PAGE: usize = 64 * 1024 * 1024;
const TIMEOUT: Duration = Duration::from_secs(30);

/// Makes calls for the accounts that every sample has.
pub(crate) struct Callers {
    peers: Peers,
    gateway: Signer,
}

impl Callers {
    pub(super) fn new(peers: Peers, gateway: Signer) -> Self {
        Callers { peers, gateway }
    }

    pub(crate) fn channel(&self, service: ServiceName) -> anyhow::Result<Channel> {
        Ok(self.peers.channel(service)?)
    }

    pub(crate) fn administrator() -> Principal {
        Principal::account(ADMINISTRATOR, None, vec![Grant::of(Role::Administrator)])
    }

    pub(super) fn supervisor() -> Principal {
        let official = format!("officials/{SUPERVISOR}");
        Principal::account(SUPERVISOR, Some(official), vec![Grant::of(Role::Supervisor)])
    }

    /// The liaison of a unit, `units/{slug}`, who does its work in the sample.
    pub(super) fn liaison(unit: &str) -> Principal {
        let subject = format!("{}-lianluoyuan", unit.trim_start_matches("units/"));
        let official = format!("officials/{subject}");
        Principal::account(subject, Some(official), vec![Grant::of(Role::UnitClerk).in_unit(unit)])
    }

    /// A service's log, whole.
    pub(crate) async fn log(&self, service: ServiceName) -> anyhow::Result<Vec<Event>> {
        let mut client =
            EventLogServiceClient::new(self.channel(service)?).max_decoding_message_size(LOG_PAGE);
        let mut events: Vec<Event> = Vec::new();
        loop {
            let after = events.last().map_or(0, |event| event.position);
            let request = ReadRequest { after, limit: 1_000 };
            let request = self.peers.outgoing_as_system(request, "模拟运行", TIMEOUT)?;
            let page = client.read(request).await?.into_inner();
            if page.events.is_empty() {
                return Ok(events);
            }
            events.extend(page.events);
        }
    }

    /// Makes one call for a principal.
    pub(crate) async fn call<M, R, F>(
        &self,
        principal: &Principal,
        message: M,
        call: impl FnOnce(Request<M>) -> F,
    ) -> anyhow::Result<R>
    where
        M: std::fmt::Debug,
        F: Future<Output = Result<Response<R>, Status>>,
    {
        let what = format!("{message:?}");
        let answer = self.attempt(principal, message, call).await?;
        answer.map_err(|status| anyhow::anyhow!("{}: {what}", status.message()))
    }

    /// The same, for a caller who knows what to do when it is refused.
    pub(crate) async fn attempt<M, R, F>(
        &self,
        principal: &Principal,
        message: M,
        call: impl FnOnce(Request<M>) -> F,
    ) -> anyhow::Result<Result<R, Status>>
    where
        F: Future<Output = Result<Response<R>, Status>>,
    {
        let mut request = Request::new(message);
        request.metadata_mut().insert(PRINCIPAL_METADATA, self.gateway.sign(principal)?.parse()?);
        request.set_timeout(TIMEOUT);
        Ok(call(request).await.map(Response::into_inner))
    }
}
