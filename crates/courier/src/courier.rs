//! [`Courier`]: makes one attempt.

use std::sync::Arc;
use std::time::Duration;

use domain_webhook::{
    AddressPolicy, ID_HEADER, Moment, SIGNATURE_HEADER, SM3_SIGNATURE_HEADER, SignedHeaders,
    TIMESTAMP_HEADER, Target, retry_after,
};
use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use rustls::crypto::ring::default_provider;
use tokio::time::{Instant, timeout_at};
use xietong_timers::MachineClock;

use crate::connector::{Connector, WithinTime};
use crate::failure::outcome_of;
use crate::outcome::{Answer, Outcome, Phase};
use crate::resolver::Resolver;
use crate::roots::Roots;

/// Of an answer's body, as many bytes are kept.
const EXCERPT: usize = 4 * 1_024;
/// An answer's head has as many bytes at most.
const HEAD: usize = 64 * 1_024;
/// A connection that nothing is sent on is kept for so long …
const IDLE: Duration = Duration::from_secs(20);
/// … and of those to one receiver so many.
const IDLE_CONNECTIONS: usize = 2;

/// How long an attempt may take. Each counts from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until there is a connection, TLS included.
    pub connect: Duration,
    /// Until the head of an answer has come.
    pub answer: Duration,
    /// Until the excerpt of its body is read. What has come by then is kept: the status counts.
    pub whole: Duration,
}

impl Default for Timeouts {
    /// 5 s, 20 s, 30 s; the standard recommends 15 to 30.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Timeouts { connect: seconds(5), answer: seconds(20), whole: seconds(30) }
    }
}

/// What a courier goes by.
pub struct CourierSettings {
    /// Where it may go.
    pub policy: AddressPolicy,
    /// How long it may take.
    pub timeouts: Timeouts,
    /// Whom it trusts.
    pub roots: Roots,
    /// Where names lead.
    pub resolver: Arc<dyn Resolver>,
    /// For `Retry-After` as a date.
    pub clock: MachineClock,
}

/// One signed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parcel<'a> {
    /// Where to.
    pub target: &'a Target,
    /// The signature and what it is made over.
    pub headers: &'a SignedHeaders,
    /// Of the body.
    pub media_type: &'a str,
    /// As it was signed.
    pub body: &'a [u8],
}

/// One request whose headers are the sender's own affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Post<'a> {
    /// Where to.
    pub target: &'a Target,
    /// Names and values.
    pub headers: &'a [(String, String)],
    /// Of the body.
    pub media_type: &'a str,
    /// As it is sent.
    pub body: &'a [u8],
}

/// Sends requests; cheap to clone, and one for a whole service, since it keeps connections.
#[derive(Clone)]
pub struct Courier {
    client: Client<WithinTime<HttpsConnector<Connector>>, Full<Bytes>>,
    timeouts: Timeouts,
    clock: MachineClock,
}

impl Courier {
    /// Ready to go.
    ///
    /// # Errors
    /// When this build of TLS has no protocol version in common with itself; a defect.
    pub fn new(settings: CourierSettings) -> Result<Self, rustls::Error> {
        let CourierSettings { policy, timeouts, roots, resolver, clock } = settings;
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots.store)
            .with_no_client_auth();
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(
                Connector { policy: Arc::new(policy), resolver, patience: timeouts.connect / 3 },
            );
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .http1_max_buf_size(HEAD)
            .build(WithinTime { inner: connector, limit: timeouts.connect });
        Ok(Courier { client, timeouts, clock })
    }

    /// Makes one attempt at a webhook. It ends within [`Timeouts::whole`], whatever the receiver does.
    pub async fn send(&self, parcel: Parcel<'_>) -> Outcome {
        let Parcel { target, headers, media_type, body } = parcel;
        let SignedHeaders { id, timestamp, signature, sm3_signature } = headers;
        let mut written = vec![
            (ID_HEADER.to_owned(), id.clone()),
            (TIMESTAMP_HEADER.to_owned(), timestamp.clone()),
            (SIGNATURE_HEADER.to_owned(), signature.clone()),
        ];
        written.extend(sm3_signature.clone().map(|value| (SM3_SIGNATURE_HEADER.to_owned(), value)));
        self.post(Post { target, headers: &written, media_type, body }).await
    }

    /// Makes one attempt at another request, with the same care.
    pub async fn post(&self, post: Post<'_>) -> Outcome {
        let began = Instant::now();
        let Some(request) = request(post) else {
            return Outcome::Unreachable(crate::Unreachable::Broken {
                detail: "the request cannot be written as HTTP".to_owned(),
            });
        };
        let answer_by = began + self.timeouts.answer.min(self.timeouts.whole);
        match timeout_at(answer_by, self.client.request(request)).await {
            Err(_) => Outcome::TimedOut(Phase::Answering),
            Ok(Err(error)) => outcome_of(&error),
            Ok(Ok(response)) => Outcome::Answered(self.answer(response, began + self.timeouts.whole).await),
        }
    }

    async fn answer(&self, response: Response<Incoming>, read_by: Instant) -> Answer {
        let status = response.status().as_u16();
        let now = Moment::from_micros(self.clock.now().as_micros());
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| retry_after(value, now));
        let mut kept = Vec::new();
        // Whether it ends, breaks off or takes too long: the status has been given.
        let _ = timeout_at(read_by, read(response.into_body(), &mut kept)).await;
        Answer { status, retry_after, excerpt: text(&kept) }
    }
}

async fn read(mut body: Incoming, kept: &mut Vec<u8>) {
    while kept.len() < EXCERPT
        && let Some(Ok(frame)) = body.frame().await
    {
        if let Some(data) = frame.data_ref() {
            let room = EXCERPT.saturating_sub(kept.len());
            kept.extend(data.iter().take(room));
        }
    }
}

/// As text that every database takes: without the control characters.
fn text(bytes: &[u8]) -> String {
    let shown = |character: char| match character {
        '\n' | '\t' => character,
        other if other.is_control() => char::REPLACEMENT_CHARACTER,
        other => other,
    };
    String::from_utf8_lossy(bytes).chars().map(shown).collect()
}

/// `None` when something in it is no header or no URI.
fn request(post: Post<'_>) -> Option<Request<Full<Bytes>>> {
    let Post { target, headers, media_type, body } = post;
    let uri: Uri = target.as_str().parse().ok()?;
    let mut written = HeaderMap::new();
    written.insert(USER_AGENT, HeaderValue::from_static(concat!("xietong/", env!("CARGO_PKG_VERSION"))));
    for (name, value) in headers {
        written.insert(name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value).ok()?);
    }
    written.insert(CONTENT_TYPE, HeaderValue::from_str(media_type).ok()?);
    let mut request = Request::new(Full::new(Bytes::copy_from_slice(body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    *request.headers_mut() = written;
    Some(request)
}
