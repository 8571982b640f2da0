//! [`Receiver`]: an HTTP server on loopback that receives webhooks, records them, and behaves
//! badly on command.
//!
//! It writes its answers byte by byte itself, since no HTTP library would do what some of them do.

mod behaviour;
mod certificate;
mod connection;
mod python;

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain_webhook::{
    Algorithm, ID_HEADER, Moment, Received, SIGNATURE_HEADER, SM3_SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER,
    VerificationError, verify,
};
use rustls::pki_types::CertificateDer;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

pub use behaviour::Behaviour;
pub use python::PythonReceiver;

use certificate::Issued;

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedRequest {
    /// For example `POST`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// In the order they came, names in lower case.
    pub headers: Vec<(String, String)>,
    /// As it came.
    pub body: Vec<u8>,
    /// Which connection it came by, counted from 1.
    pub connection: usize,
    /// When it had come whole.
    pub arrived: Instant,
    /// Whether it is answered with a 2xx.
    pub taken: bool,
}

/// A server that is gone with its value.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
    /// Of a server with TLS: the certificate authority that its client must trust.
    certificate: Option<CertificateDer<'static>>,
}

#[derive(Debug)]
struct Shared {
    requests: Mutex<Vec<ReceivedRequest>>,
    script: Mutex<Script>,
    arrived: watch::Sender<usize>,
    connections: watch::Sender<usize>,
}

#[derive(Debug)]
struct Script {
    next: VecDeque<Behaviour>,
    then: Behaviour,
}

impl Receiver {
    /// Listens on a free port of 127.0.0.1 and answers 204.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start() -> io::Result<Self> {
        Self::start_at(IpAddr::from([127, 0, 0, 1]), 0).await
    }

    /// The same at another address of this machine; port 0 means a free one.
    ///
    /// # Errors
    /// When that cannot be listened at.
    pub async fn start_at(address: IpAddr, port: u16) -> io::Result<Self> {
        Self::serve(TcpListener::bind((address, port)).await?, None)
    }

    /// The same over TLS, known by a name or an address that a certificate authority of its own
    /// vouches for.
    ///
    /// # Errors
    /// When no certificate can be made, or there is no port.
    pub async fn start_tls(name: &str) -> io::Result<Self> {
        let Issued { authority, certificate, key } = Issued::to(name).map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let configuration = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate], key))
            .map_err(io::Error::other)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        Self::serve(listener, Some((authority, TlsAcceptor::from(Arc::new(configuration)))))
    }

    fn serve(listener: TcpListener, tls: Option<(CertificateDer<'static>, TlsAcceptor)>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            requests: Mutex::default(),
            script: Mutex::new(Script { next: VecDeque::new(), then: Behaviour::status(204) }),
            arrived: watch::Sender::new(0),
            connections: watch::Sender::new(0),
        });
        let (certificate, acceptor) = tls.unzip();
        let serving = tokio::spawn(connection::accept(listener, acceptor, shared.clone()));
        Ok(Receiver { address, shared, serving, certificate })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path, by address.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address)
    }

    /// The URL of a path, by a name that a test's resolver leads here.
    pub fn url_by_name(&self, name: &str, path: &str) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{name}:{}{path}", self.address.port())
    }

    /// Of a server with TLS, the certificate authority that its client must trust.
    pub fn certificate(&self) -> Option<&CertificateDer<'static>> {
        self.certificate.as_ref()
    }

    /// From now on it behaves so, after what it is to do before.
    pub fn behave(&self, then: Behaviour) {
        locked(&self.shared.script).then = then;
    }

    /// At the next requests it behaves so, once each in this order.
    pub fn behave_next(&self, next: impl IntoIterator<Item = Behaviour>) {
        locked(&self.shared.script).next.extend(next);
    }

    /// What has come whole so far, in order.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        locked(&self.shared.requests).clone()
    }

    /// As many connections were made to it, whether or not a request came by them.
    pub fn connections(&self) -> usize {
        *self.shared.connections.borrow()
    }

    /// Waits until so many requests have come; what has come by `limit`, if fewer.
    pub async fn wait_for(&self, requests: usize, limit: Duration) -> Vec<ReceivedRequest> {
        let mut arrived = self.shared.arrived.subscribe();
        let enough = arrived.wait_for(|arrived| *arrived >= requests);
        let _ = tokio::time::timeout(limit, enough).await;
        self.requests()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shared {
    fn record(&self, request: ReceivedRequest) -> Behaviour {
        let behaviour = {
            let mut script = locked(&self.script);
            script.next.pop_front().unwrap_or_else(|| script.then.clone())
        };
        locked(&self.requests).push(ReceivedRequest { taken: behaviour.takes(), ..request });
        self.arrived.send_modify(|arrived| *arrived += 1);
        behaviour
    }
}

impl ReceivedRequest {
    /// The first header of a name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// Whether it was signed with a secret, five minutes or less before or after `now`, as a
    /// receiver by Standard Webhooks checks it.
    ///
    /// # Errors
    /// As [`verify`]; a missing header is an empty one.
    pub fn verify(
        &self,
        algorithm: Algorithm,
        secret: &Secret,
        now: Moment,
    ) -> Result<(), VerificationError> {
        let signature = match algorithm {
            Algorithm::Sha256 => SIGNATURE_HEADER,
            Algorithm::Sm3 => SM3_SIGNATURE_HEADER,
        };
        let value = |name| self.header(name).unwrap_or_default();
        let received = Received {
            id: value(ID_HEADER),
            timestamp: value(TIMESTAMP_HEADER),
            signature: value(signature),
            body: &self.body,
        };
        verify(algorithm, secret, received, now, Duration::from_secs(300))
    }
}

fn locked<Inner>(mutex: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
