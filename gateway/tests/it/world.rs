//! A gateway on a free port, the stand-ins behind it, and tokens for its callers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use domain_attachment::Attachment;
use domain_calendar::Timestamp;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use reqwest::RequestBuilder;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::metadata::AsciiMetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Status, async_trait};
use tracing_subscriber::layer::SubscriberExt;
use xietong_gateway::{
    Advanced, AttachmentParts, AttachmentStore, ClockControl, Gateway, GatewayParts, Limits, LocalIssuer,
    RequestKey, TokenVerifier, real_clock,
};
use xietong_mesh::Error;
use xietong_mesh::client::Peers;
use xietong_mesh::layer::MeshLayer;
use xietong_mesh::metrics::Metrics;
use xietong_mesh::readiness::Readiness;
use xietong_mesh::service_name::ServiceName;
use xietong_mesh::token::{Issuer, Purpose, Signer, SigningKey, Verifier, VerifyingKey, generate_keypair};
use xietong_proto::notification::inbox_service_server::InboxServiceServer;
use xietong_proto::roster::directory_service_server::DirectoryServiceServer;
use xietong_timers::MachineClock;

use crate::stand_in::{Directory, Inbox};

/// The one gateway of a test and what is around it.
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) inbox: Inbox,
    pub(crate) http: reqwest::Client,
    /// Where files are kept.
    pub(crate) files: TempDir,
    /// Signs grants, as a service that shows records.
    shows: Signer,
    verifier: Verifier,
    issuer: LocalIssuer,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

/// Before anything is served: what meets a span while no subscriber is there yet may settle
/// for good that nobody wants it.
static TRACED: Once = Once::new();

/// Gives every span of the process the ids of a trace.
fn trace() {
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
}

/// Business time that stands where it is put.
pub(crate) struct TestClock {
    simulated: bool,
    now: Mutex<Timestamp>,
    /// The key it was advanced with last.
    last: Mutex<Option<RequestKey>>,
}

#[async_trait]
impl ClockControl for TestClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn simulated(&self) -> bool {
        self.simulated
    }

    async fn advance(&self, duration: Duration, key: Option<RequestKey>) -> Result<Advanced, Error> {
        if !self.simulated {
            return Err(real_clock());
        }
        let mut last = self.last.lock().unwrap();
        let mut now = self.now.lock().unwrap();
        if key.is_none() || *last != key {
            *now = now.saturating_add(duration);
        }
        *last = key;
        Ok(Advanced { now: *now, timers_fired: 3 })
    }
}

impl World {
    /// With a simulated clock at 2023-06-01T09:00+08:00.
    pub(crate) async fn begin() -> Self {
        Self::with(true, Duration::from_secs(20)).await
    }

    /// With a clock of either kind, and so long to drain.
    pub(crate) async fn with(simulated: bool, drain: Duration) -> Self {
        Self::made(simulated, drain, Limits::default()).await
    }

    /// One that takes in files of at most so many bytes.
    pub(crate) async fn taking(max_bytes: u64) -> Self {
        Self::made(true, Duration::from_secs(20), Limits { max_bytes, ..Limits::default() }).await
    }

    async fn made(simulated: bool, drain: Duration, limits: Limits) -> Self {
        TRACED.call_once(trace);
        let keys = generate_keypair().unwrap();
        let key = SigningKey::from_pem(&keys.private_pem).unwrap();
        let public = VerifyingKey::all_from_pem(&keys.public_pem).unwrap();
        let machine = MachineClock::system();
        let supervision = Issuer::System(ServiceName::Supervision);
        let trusted = [Issuer::Gateway, Issuer::System(ServiceName::Gateway), supervision];
        let verifier = Verifier::new(trusted.map(|issuer| (issuer, public.clone())).into(), machine);

        let inbox = Inbox::with(3);
        let services = stand_ins(inbox.clone(), verifier.clone()).await;
        let urls: BTreeMap<_, _> =
            ServiceName::ALL.into_iter().map(|name| (name, format!("http://{services}"))).collect();
        let system = Signer::new(Issuer::System(ServiceName::Gateway), key.clone(), machine);
        let now = Mutex::new(Timestamp::parse("2023-06-01T09:00+08:00").unwrap());
        let files = tempfile::tempdir().unwrap();
        let store = AttachmentStore::in_folder(files.path(), limits).unwrap();
        let attachments = AttachmentParts { store, keep_unused: Duration::from_secs(30 * 86_400) };
        let shows = Signer::new(supervision, key.clone(), machine);
        let gateway = Gateway::new(GatewayParts {
            peers: Peers::new(ServiceName::Gateway, &urls, system).unwrap(),
            signer: Signer::new(Issuer::Gateway, key, machine),
            verifier: verifier.clone(),
            tokens: TokenVerifier::new("local", "xietong", &keys.public_pem).unwrap(),
            clock: Arc::new(TestClock { simulated, now, last: Mutex::default() }),
            attachments,
            metrics: Metrics::new(ServiceName::Gateway),
            readiness: Readiness::new(),
            drain,
        })
        .unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(gateway.serve(listener, async {
            let _ = stopped.await;
        }));
        World {
            address,
            inbox,
            http: reqwest::Client::new(),
            files,
            shows,
            verifier,
            issuer: LocalIssuer::new("local", "xietong", &keys.private_pem).unwrap(),
            stop: Some(stop),
            serving,
        }
    }

    /// A bearer token for a subject.
    pub(crate) fn token(&self, subject: &str) -> String {
        self.token_for(subject, Duration::from_secs(300))
    }

    /// A bearer token that lives so long.
    pub(crate) fn token_for(&self, subject: &str, lifetime: Duration) -> String {
        self.issuer.issue(subject, MachineClock::system().now(), lifetime).unwrap()
    }

    /// A grant of a text file for a subject, as the service gives it that shows a record.
    pub(crate) fn grant(&self, digest: &str, size: u64, name: &str, subject: &str) -> String {
        let file = Attachment {
            digest: digest.parse().unwrap(),
            size,
            media_type: "text/plain".to_owned(),
            display_name: name.to_owned(),
        };
        self.shows.sign_attachment(Purpose::Grant, subject, &file).unwrap()
    }

    /// The path of a file with such a grant.
    pub(crate) fn granted_path(&self, digest: &str, size: u64, name: &str, subject: &str) -> String {
        format!("/v1/attachments/{digest}?grant={}", self.grant(digest, size, name, subject))
    }

    /// Whether what an upload was answered with lets a subject put the file into a record.
    pub(crate) fn is_receipt(&self, file: &Value, subject: &str) -> bool {
        let receipt = file["receipt"].as_str().unwrap();
        let verified = self.verifier.verify_attachment(Purpose::Receipt, receipt, subject);
        verified.is_ok_and(|verified| {
            verified.name() == file["name"] && verified.display_name == file["displayName"]
        })
    }

    /// The URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A GET by a subject.
    pub(crate) fn get(&self, subject: &str, path: &str) -> RequestBuilder {
        self.http.get(self.url(path)).bearer_auth(self.token(subject))
    }

    /// A POST of JSON by a subject.
    pub(crate) fn post(&self, subject: &str, path: &str, body: &Value) -> RequestBuilder {
        self.http.post(self.url(path)).bearer_auth(self.token(subject)).json(body)
    }

    /// A PATCH of JSON by a subject.
    pub(crate) fn patch(&self, subject: &str, path: &str, body: &Value) -> RequestBuilder {
        self.http.patch(self.url(path)).bearer_auth(self.token(subject)).json(body)
    }

    /// A gRPC connection to the gateway that presents a subject's token.
    pub(crate) fn channel(&self, subject: &str) -> InterceptedService<Channel, Bearer> {
        let token = format!("Bearer {}", self.token(subject)).parse().unwrap();
        InterceptedService::new(self.anonymous(), Bearer(token))
    }

    /// A gRPC connection to the gateway without a token.
    pub(crate) fn anonymous(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy()
    }

    /// Tells the gateway to stop.
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits until it has stopped.
    pub(crate) async fn stopped(self) {
        self.serving.await.unwrap();
    }
}

/// The status and JSON body of an answer.
pub(crate) async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// Presents a token.
#[derive(Clone)]
pub(crate) struct Bearer(AsciiMetadataValue);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

async fn stand_ins(inbox: Inbox, verifier: Verifier) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let layer = MeshLayer::new(verifier, Metrics::new(ServiceName::Roster)).unwrap();
    let server = Server::builder()
        .layer(layer)
        .add_service(DirectoryServiceServer::new(Directory::default()))
        .add_service(InboxServiceServer::new(inbox))
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(server);
    address
}
