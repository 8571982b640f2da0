//! [`MailServer`]: an SMTP server on loopback that takes letters, records them, and behaves badly on
//! command.

mod behaviour;
mod session;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

pub use behaviour::MailBehaviour;

/// A letter that was given whole, whether or not it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedLetter {
    /// Of the envelope.
    pub from: String,
    /// Of the envelope.
    pub to: String,
    /// Header and text, as they came.
    pub text: String,
    /// Whoever sent it was told that it is taken.
    pub answered: bool,
}

/// How a server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// Not at all.
    None,
    /// From the first byte.
    Implicit,
    /// When asked for; before that it takes nothing.
    StartTls,
}

/// A server that is gone with its value.
#[derive(Debug)]
pub struct MailServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
    certificate: Option<CertificateDer<'static>>,
}

#[derive(Debug)]
struct Shared {
    letters: Mutex<Vec<ReceivedLetter>>,
    script: Mutex<Script>,
    /// Recipients that were asked to come again.
    greylisted: Mutex<BTreeSet<String>>,
    arrived: watch::Sender<usize>,
    connections: watch::Sender<usize>,
    /// Letters begun, whatever became of them.
    begun: watch::Sender<usize>,
    /// Whoever is connected is hung up on when this changes.
    hung_up: watch::Sender<()>,
    password: Option<(String, String)>,
}

#[derive(Debug)]
struct Script {
    next: VecDeque<MailBehaviour>,
    then: MailBehaviour,
}

impl MailServer {
    /// Listens on a free port of 127.0.0.1 and takes everything from everybody.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(MailTls::None, None).await
    }

    /// The same with TLS, known as `localhost` by a certificate of its own, and from whoever signs in
    /// by this name and password.
    ///
    /// # Errors
    /// When no certificate can be made, or there is no port.
    pub async fn start_with(tls: MailTls, password: Option<(&str, &str)>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (certificate, acceptor) = match tls {
            MailTls::None => (None, None),
            MailTls::Implicit | MailTls::StartTls => {
                let (certificate, acceptor) = self_signed()?;
                (Some(certificate), Some(acceptor))
            }
        };
        let shared = Arc::new(Shared {
            letters: Mutex::default(),
            script: Mutex::new(Script { next: VecDeque::new(), then: MailBehaviour::Take }),
            greylisted: Mutex::default(),
            arrived: watch::Sender::new(0),
            connections: watch::Sender::new(0),
            begun: watch::Sender::new(0),
            hung_up: watch::Sender::new(()),
            password: password.map(|(user, password)| (user.to_owned(), password.to_owned())),
        });
        let serving = tokio::spawn(session::accept(listener, tls, acceptor, shared.clone()));
        Ok(MailServer { address, shared, serving, certificate })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Of a server with TLS, what its client must trust.
    pub fn certificate(&self) -> Option<&CertificateDer<'static>> {
        self.certificate.as_ref()
    }

    /// From now on it behaves so, after what it is to do before.
    pub fn behave(&self, then: MailBehaviour) {
        locked(&self.shared.script).then = then;
    }

    /// At the next letters, or connections, it behaves so, once each in this order.
    pub fn behave_next(&self, next: impl IntoIterator<Item = MailBehaviour>) {
        locked(&self.shared.script).next.extend(next);
    }

    /// What was given whole so far, in order.
    pub fn letters(&self) -> Vec<ReceivedLetter> {
        locked(&self.shared.letters).clone()
    }

    /// How often each letter was given whole, by its `Message-ID`.
    pub fn times(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for letter in self.letters() {
            *times.entry(letter.message_id().to_owned()).or_default() += 1;
        }
        times
    }

    /// As many connections were made to it.
    pub fn connections(&self) -> usize {
        *self.shared.connections.borrow()
    }

    /// Ends every connection there is.
    pub fn hang_up(&self) {
        self.shared.hung_up.send_modify(|()| {});
    }

    /// As many letters were begun, whatever became of them.
    pub fn begun(&self) -> usize {
        *self.shared.begun.borrow()
    }

    /// Waits until so many letters were given whole; what was by `limit`, if fewer.
    pub async fn wait_for(&self, letters: usize, limit: Duration) -> Vec<ReceivedLetter> {
        let mut arrived = self.shared.arrived.subscribe();
        let enough = arrived.wait_for(|arrived| *arrived >= letters);
        let _ = tokio::time::timeout(limit, enough).await;
        self.letters()
    }

    /// Waits until so many letters, or connections where it does not come so far, were begun.
    pub async fn wait_for_begun(&self, letters: usize, limit: Duration) -> usize {
        let mut begun = self.shared.begun.subscribe();
        let enough = begun.wait_for(|begun| *begun >= letters);
        let _ = tokio::time::timeout(limit, enough).await;
        self.begun()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl ReceivedLetter {
    /// The value of a header, on one line; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default();
        let value = |line: &'_ str| -> Option<(usize, usize)> {
            let (found, _) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some((found.len() + 2, line.len()))
        };
        head.split("\r\n")
            .find_map(|line| value(line).and_then(|(from, to)| line.get(from..to)))
            .unwrap_or_default()
    }

    /// Its `Message-ID`.
    pub fn message_id(&self) -> &str {
        self.header("Message-ID")
    }
}

impl Shared {
    /// What to do with the next letter.
    fn begin(&self) -> MailBehaviour {
        self.begun.send_modify(|begun| *begun += 1);
        let mut script = locked(&self.script);
        script.next.pop_front().unwrap_or_else(|| script.then.clone())
    }

    /// What to do with a connection, where that is not left to its letters.
    fn connected(&self) -> Option<MailBehaviour> {
        self.connections.send_modify(|connections| *connections += 1);
        let next = {
            let mut script = locked(&self.script);
            let next = script.next.front().unwrap_or(&script.then).clone();
            if !next.is_of_connections() {
                return None;
            }
            script.next.pop_front();
            next
        };
        self.begun.send_modify(|begun| *begun += 1);
        Some(next)
    }

    fn record(&self, letter: ReceivedLetter) {
        locked(&self.letters).push(letter);
        self.arrived.send_modify(|arrived| *arrived += 1);
    }

    /// Whether a recipient has not been asked before to come again.
    fn greylists(&self, recipient: &str) -> bool {
        locked(&self.greylisted).insert(recipient.to_owned())
    }
}

fn self_signed() -> io::Result<(CertificateDer<'static>, TlsAcceptor)> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).map_err(io::Error::other)?;
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let configuration = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate.clone()], key))
        .map_err(io::Error::other)?;
    Ok((certificate, TlsAcceptor::from(Arc::new(configuration))))
}

fn locked<Inner>(mutex: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
