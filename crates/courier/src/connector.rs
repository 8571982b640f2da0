//! [`Connector`]: connects to what may be connected to.
//!
//! This is the only place where a connection is made. A name is resolved here, each address is
//! judged here, and the very address that was judged is connected to; there is no second look-up
//! in between that could answer otherwise.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use domain_webhook::{AddressPolicy, AddressRefusal, Scheme};
use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

use crate::failure::ConnectFailure;
use crate::resolver::Resolver;

type BoxFuture<Success, Failure> = Pin<Box<dyn Future<Output = Result<Success, Failure>> + Send>>;
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Makes TCP connections to addresses that the policy lets pass.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) policy: Arc<AddressPolicy>,
    pub(crate) resolver: Arc<dyn Resolver>,
    /// An address that does not answer is given up after so long when there is another.
    pub(crate) patience: Duration,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectFailure;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect(&uri).await })
    }
}

impl Connector {
    async fn connect(&self, uri: &Uri) -> Result<TokioIo<TcpStream>, ConnectFailure> {
        let (scheme, usual_port) = match uri.scheme_str() {
            Some("https") => (Scheme::Https, 443),
            Some("http") => (Scheme::Http, 80),
            _ => return Err(ConnectFailure::NoTarget),
        };
        let port = uri.port_u16().unwrap_or(usual_port);
        let host = uri.host().ok_or(ConnectFailure::NoTarget)?;
        let addresses = self.addresses(host).await?;
        let allowed = self.allowed(scheme, port, addresses)?;

        let last = allowed.len().saturating_sub(1);
        let mut failed = io::Error::from(io::ErrorKind::NotFound);
        for (number, address) in allowed.into_iter().enumerate() {
            let connecting = TcpStream::connect(address);
            let connected = if number == last {
                connecting.await
            } else {
                let in_time = tokio::time::timeout(self.patience, connecting).await;
                in_time.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            };
            match connected {
                Ok(stream) => {
                    // A request is one write; waiting for more only delays it.
                    let _ = stream.set_nodelay(true);
                    return Ok(TokioIo::new(stream));
                }
                Err(error) => failed = error,
            }
        }
        Err(ConnectFailure::Unconnected(failed))
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, ConnectFailure> {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(vec![address]);
        }
        let addresses = self.resolver.resolve(host).await.map_err(ConnectFailure::Unresolved)?;
        if addresses.is_empty() {
            return Err(ConnectFailure::Unresolved(io::ErrorKind::NotFound.into()));
        }
        Ok(addresses)
    }

    /// Those that may be connected to. A name that has others as well keeps these: what counts is
    /// where requests go, and a host may be known by an inner and an outer address.
    fn allowed(
        &self,
        scheme: Scheme,
        port: u16,
        addresses: Vec<IpAddr>,
    ) -> Result<Vec<SocketAddr>, ConnectFailure> {
        let mut refused: Option<AddressRefusal> = None;
        let mut allowed = Vec::new();
        for address in addresses.into_iter().map(|address| SocketAddr::new(address, port)) {
            match self.policy.judge(scheme, address) {
                Ok(()) => allowed.push(address),
                Err(refusal) => refused = refused.or(Some(refusal)),
            }
        }
        match refused {
            Some(refusal) if allowed.is_empty() => Err(refusal.into()),
            Some(_) | None => Ok(allowed),
        }
    }
}

/// Ends a connection attempt after a time, that of an inner connector's TLS included.
#[derive(Clone)]
pub(crate) struct WithinTime<Inner> {
    pub(crate) inner: Inner,
    pub(crate) limit: Duration,
}

impl<Inner> Service<Uri> for WithinTime<Inner>
where
    Inner: Service<Uri, Error = BoxError>,
    Inner::Future: Send + 'static,
    Inner::Response: 'static,
{
    type Response = Inner::Response;
    type Error = BoxError;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.limit, self.inner.call(uri));
        Box::pin(async move { connecting.await.unwrap_or_else(|_| Err(ConnectFailure::TimedOut.into())) })
    }
}
