//! Where a method is served: by another process, or by the gateway itself.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::Status;
use tonic::body::Body;
use tonic::transport::Channel;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};
use xietong_mesh::service_name::ServiceName;

use crate::transcode::{Api, Method};

/// Serves gRPC calls. Cheap to clone; always ready.
#[derive(Clone)]
pub(crate) enum Upstream {
    /// Another process of the mesh.
    Remote(Channel),
    /// This one.
    Local(BoxCloneSyncService<http::Request<Body>, http::Response<Body>, Infallible>),
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Upstream::Remote(_) => f.write_str("Remote"),
            Upstream::Local(_) => f.write_str("Local"),
        }
    }
}

impl Service<http::Request<Body>> for Upstream {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        match self {
            Upstream::Remote(channel) => {
                let answer = channel.clone().oneshot(request);
                Box::pin(async move { answer.await.map_err(|error| Status::from_error(error.into())) })
            }
            Upstream::Local(routes) => {
                let answer = routes.clone().oneshot(request);
                Box::pin(async move { answer.await.map_err(|never| match never {}) })
            }
        }
    }
}

/// Every service's upstream.
#[derive(Debug, Clone)]
pub(crate) struct Upstreams(Arc<BTreeMap<ServiceName, Upstream>>);

impl Upstreams {
    /// From what serves each service.
    pub(crate) fn new(upstreams: BTreeMap<ServiceName, Upstream>) -> Self {
        Upstreams(Arc::new(upstreams))
    }

    /// What serves a method.
    pub(crate) fn of(&self, method: &Method) -> Option<Upstream> {
        let owner: ServiceName = method.owner.parse().ok()?;
        self.0.get(&owner).cloned()
    }

    /// The first public method that nothing serves.
    pub(crate) fn first_unserved<'api>(&self, api: &'api Api) -> Option<&'api str> {
        api.methods().find(|method| self.of(method).is_none()).map(|method| method.path.as_str())
    }
}
