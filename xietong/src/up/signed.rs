//! Calls that the process makes on its own front door's authority while it starts.

use std::future::Future;
use std::time::Duration;

use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use xietong_mesh::principal::{Grant, PRINCIPAL_METADATA, Principal, Role};
use xietong_mesh::token::Signer;
use xietong_mesh::{Peers, ServiceName};

use super::ADMINISTRATOR;

/// Subject of the sample's supervisor, who issues its tasks.
const SUPERVISOR: &str = "duchashi-jingban";
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
