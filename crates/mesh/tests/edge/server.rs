//! A small service behind the whole edge, on a free port.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{Stream, stream};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use xietong_mesh::call::Call;
use xietong_mesh::client::Peers;
use xietong_mesh::drain::Drain;
use xietong_mesh::error::Error;
use xietong_mesh::layer::MeshLayer;
use xietong_mesh::metrics::Metrics;
use xietong_mesh::principal::Principal;
use xietong_mesh::readiness::Readiness;
use xietong_mesh::serve::{ServeError, ServeOptions, serve};
use xietong_mesh::service_name::ServiceName;
use xietong_mesh::token::{Issuer, KeyPair, Signer, SigningKey, Verifier, VerifyingKey, generate_keypair};
use xietong_proto::common::event_log_service_server::{EventLogService, EventLogServiceServer};
use xietong_proto::common::{ReadRequest, ReadResponse};
use xietong_proto::notification::inbox_service_server::{InboxService, InboxServiceServer};
use xietong_proto::notification::{
    AcknowledgeMessageRequest, ArchiveMessageRequest, BatchReadMessagesRequest, BatchReadMessagesResponse,
    GetMessageRequest, GetUnreadRequest, GetUnreadResponse, ListMessagesRequest, ListMessagesResponse,
    Message, ReadAllMessagesRequest, ReadAllMessagesResponse, ReadMessageRequest, StreamInboxRequest,
    StreamInboxResponse, UnarchiveMessageRequest,
};
use xietong_timers::MachineClock;

/// Nothing in these tests takes longer unless it hangs.
pub(crate) const BOUND: Duration = Duration::from_secs(10);

/// What `Read` does, by the position that is asked for.
pub(crate) const PANICS: i64 = 1;
pub(crate) const FAILS: i64 = 2;
pub(crate) const NEVER_ANSWERS: i64 = 3;

/// What `StreamInbox` does, by the number that is resumed after.
pub(crate) const ENDS_WITH_THE_DRAIN: i64 = 0;
pub(crate) const NEVER_ENDS: i64 = 1;
pub(crate) const PANICS_IN_THE_STREAM: i64 = 2;

#[derive(Clone)]
struct Fake {
    drain: Drain,
    seen: Arc<Mutex<Vec<Call>>>,
}

#[tonic::async_trait]
impl EventLogService for Fake {
    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<ReadResponse>, Status> {
        self.seen.lock().unwrap().push(Call::of(&request)?.clone());
        match request.get_ref().after {
            PANICS => panic!("the handler is broken"),
            FAILS => Err(Error::aborted_etag("tasks/1").into()),
            NEVER_ANSWERS => std::future::pending().await,
            _ => Ok(Response::new(ReadResponse { epoch: "e1".to_owned(), ..ReadResponse::default() })),
        }
    }
}

#[tonic::async_trait]
impl InboxService for Fake {
    type StreamInboxStream = Pin<Box<dyn Stream<Item = Result<StreamInboxResponse, Status>> + Send>>;

    async fn stream_inbox(
        &self,
        request: Request<StreamInboxRequest>,
    ) -> Result<Response<Self::StreamInboxStream>, Status> {
        use futures_util::StreamExt;
        let first = stream::iter([Ok(StreamInboxResponse::default())]);
        let endless = first.chain(stream::pending());
        Ok(Response::new(match request.get_ref().resume_after {
            NEVER_ENDS => endless.boxed(),
            PANICS_IN_THE_STREAM => stream::iter([0]).map(|_| panic!("the stream is broken")).boxed(),
            _ => self.drain.ends(endless).boxed(),
        }))
    }

    async fn list_messages(
        &self,
        _: Request<ListMessagesRequest>,
    ) -> Result<Response<ListMessagesResponse>, Status> {
        Err(Error::unimplemented("list").into())
    }

    async fn get_message(&self, _: Request<GetMessageRequest>) -> Result<Response<Message>, Status> {
        Err(Error::unimplemented("get").into())
    }

    async fn get_unread(&self, _: Request<GetUnreadRequest>) -> Result<Response<GetUnreadResponse>, Status> {
        Err(Error::unimplemented("unread").into())
    }

    async fn read_message(&self, _: Request<ReadMessageRequest>) -> Result<Response<Message>, Status> {
        Err(Error::unimplemented("read").into())
    }

    async fn acknowledge_message(
        &self,
        _: Request<AcknowledgeMessageRequest>,
    ) -> Result<Response<Message>, Status> {
        Err(Error::unimplemented("acknowledge").into())
    }

    async fn archive_message(&self, _: Request<ArchiveMessageRequest>) -> Result<Response<Message>, Status> {
        Err(Error::unimplemented("archive").into())
    }

    async fn unarchive_message(
        &self,
        _: Request<UnarchiveMessageRequest>,
    ) -> Result<Response<Message>, Status> {
        Err(Error::unimplemented("unarchive").into())
    }

    async fn batch_read_messages(
        &self,
        _: Request<BatchReadMessagesRequest>,
    ) -> Result<Response<BatchReadMessagesResponse>, Status> {
        Err(Error::unimplemented("batch read").into())
    }

    async fn read_all_messages(
        &self,
        _: Request<ReadAllMessagesRequest>,
    ) -> Result<Response<ReadAllMessagesResponse>, Status> {
        Err(Error::unimplemented("read all").into())
    }
}

/// A running service, whom it trusts, and what its handlers saw.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: Metrics,
    /// Peers of `supervision`, which is trusted and knows this service as `roster`.
    pub(crate) peers: Peers,
    gateway: KeyPair,
    seen: Arc<Mutex<Vec<Call>>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    pub(crate) async fn start(grace: Duration) -> Self {
        let clock = MachineClock::system();
        let (gateway, supervision) = (generate_keypair().unwrap(), generate_keypair().unwrap());
        let issuer = Issuer::System(ServiceName::Supervision);
        let trusted = BTreeMap::from([
            (Issuer::Gateway, VerifyingKey::all_from_pem(&gateway.public_pem).unwrap()),
            (issuer, VerifyingKey::all_from_pem(&supervision.public_pem).unwrap()),
        ]);
        let metrics = Metrics::new(ServiceName::Roster);
        let layer = MeshLayer::new(Verifier::new(trusted, clock), metrics.clone()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (readiness, drain) = (Readiness::new(), Drain::new());
        let seen = Arc::<Mutex<Vec<Call>>>::default();
        let fake = Fake { drain: drain.clone(), seen: seen.clone() };
        let routes =
            Routes::new(EventLogServiceServer::new(fake.clone())).add_service(InboxServiceServer::new(fake));
        let (stop, stopped) = oneshot::channel();
        let options = ServeOptions { listener, routes, layer, grace, readiness: readiness.clone(), drain };
        let task = tokio::spawn(serve(options, async move {
            stopped.await.unwrap();
        }));
        readiness.release();
        let key = SigningKey::from_pem(&supervision.private_pem).unwrap();
        let urls = BTreeMap::from([(ServiceName::Roster, format!("http://{address}"))]);
        let peers = Peers::new(ServiceName::Supervision, &urls, Signer::new(issuer, key, clock)).unwrap();
        Self { address, metrics, peers, gateway, seen, stop, task }
    }

    /// What the gateway makes of an account.
    pub(crate) fn call_of(&self, principal: Principal) -> Call {
        let key = SigningKey::from_pem(&self.gateway.private_pem).unwrap();
        let token = Signer::new(Issuer::Gateway, key, MachineClock::system()).sign(&principal).unwrap();
        Call::new(Arc::new(principal), "unused", token)
    }

    /// The calls that reached a handler.
    pub(crate) fn seen(&self) -> Vec<Call> {
        self.seen.lock().unwrap().clone()
    }

    /// Tells the server to end and waits until it has.
    pub(crate) async fn end(self) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(BOUND, self.task).await.unwrap().unwrap().unwrap();
    }
}
