//! A city in one process: three producers with nothing but a log each, the notification
//! service over its database, and a clock that stands still until it is set.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain_calendar::Timestamp;
use domain_roster::{
    Absence, Account, Division, Official, Portfolio, Post, PostKind, Relation, RosterEvent, StandInPair,
    Unit, UnitDuty, UnitKind,
};
use domain_supervision::{COMMENT_MADE, Comment, CommentMade, TaskFacts, Visibility};
use sea_orm::ConnectionTrait;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use xietong_events::{Act, Append, Bus, Draft, EventLog, LogPage, Sequencer};
use xietong_mesh::client::Peers;
use xietong_mesh::drain::Drain;
use xietong_mesh::event_log::EventLogServer;
use xietong_mesh::layer::MeshLayer;
use xietong_mesh::metrics::Metrics;
use xietong_mesh::principal::{Grant, PRINCIPAL_METADATA, Role};
use xietong_mesh::readiness::Readiness;
use xietong_mesh::serve::{ServeOptions, serve};
use xietong_mesh::token::{Issuer, KeyPair, Signer, SigningKey, Verifier, VerifyingKey, generate_keypair};
use xietong_mesh::{Ground, Principal, Service, ServiceName};
use xietong_notification::{ChannelSettings, WebhookSettings};
use xietong_proto::common::event_log_service_server::{EventLogService, EventLogServiceServer};
use xietong_proto::common::{ReadRequest, ReadResponse};
use xietong_proto::notification::division_preview_service_client::DivisionPreviewServiceClient;
use xietong_proto::notification::feed_service_client::FeedServiceClient;
use xietong_proto::notification::inbox_service_client::InboxServiceClient;
use xietong_store::{CrashPoints, Db, migrate, statement};
use xietong_testkit::servers::postgres_database;
use xietong_timers::{Clock, MachineClock, Progress, SimulatedClock, Worker};

/// Which database the service has.
#[derive(Clone, Copy)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// A Monday morning.
pub(crate) const MORNING: &str = "2023-06-05T09:00:00+08:00";

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub(crate) struct City {
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) service: Service,
    pub(crate) bus: Bus,
    producers: BTreeMap<ServiceName, Producer>,
    keys: Keys,
    database: String,
    peers: BTreeMap<ServiceName, String>,
    address: String,
    webhooks: WebhookSettings,
    channels: ChannelSettings,
    _folder: TempDir,
}

/// Another replica of the service.
pub(crate) struct Replica {
    pub(crate) service: Service,
    address: String,
}

impl Replica {
    /// A connection to it.
    pub(crate) async fn channel(&self) -> Channel {
        Channel::from_shared(self.address.clone()).unwrap().connect().await.unwrap()
    }

    pub(crate) async fn client(&self) -> InboxServiceClient<Channel> {
        InboxServiceClient::connect(self.address.clone()).await.unwrap()
    }
}

fn remarked_task() -> TaskFacts {
    TaskFacts {
        name: "tasks/remarked".into(),
        ledger_number: 148,
        title: "整治城区积水点".into(),
        created_by: "supervisor".into(),
        visibility: Visibility::Internal,
        restricted_units: vec![],
        origin: None,
        designated: None,
        urgent: false,
    }
}

struct Producer {
    log: EventLog,
    db: Db,
    served: Drain,
    silence: Arc<Silence>,
    sequencer: Sequencer,
    versions: Mutex<BTreeMap<String, i64>>,
}

/// Whether a producer leaves whoever reads its log without an answer.
#[derive(Default)]
struct Silence {
    begun: AtomicBool,
    unanswered: AtomicU32,
}

/// A producer's log, served unless it is silent.
struct Feed {
    server: EventLogServer,
    silence: Arc<Silence>,
}

#[async_trait]
impl EventLogService for Feed {
    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<ReadResponse>, Status> {
        if self.silence.begun.load(Ordering::SeqCst) {
            self.silence.unanswered.fetch_add(1, Ordering::SeqCst);
            return std::future::pending().await;
        }
        self.server.read(request).await
    }
}

struct Keys {
    gateway: KeyPair,
    notification: KeyPair,
}

impl Keys {
    fn layer(&self) -> MeshLayer {
        let keys = |pair: &KeyPair| VerifyingKey::all_from_pem(&pair.public_pem).unwrap();
        let trusted = BTreeMap::from([
            (Issuer::Gateway, keys(&self.gateway)),
            (Issuer::System(ServiceName::Notification), keys(&self.notification)),
        ]);
        let verifier = Verifier::new(trusted, MachineClock::system());
        MeshLayer::new(verifier, Metrics::new(ServiceName::Notification)).unwrap()
    }

    fn signer(pair: &KeyPair, issuer: Issuer) -> Signer {
        Signer::new(issuer, SigningKey::from_pem(&pair.private_pem).unwrap(), MachineClock::system())
    }
}

/// Serves routes on a free port of this machine for as long as the test runs.
async fn serve_routes(routes: Routes, layer: MeshLayer, drain: Drain) -> String {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let readiness = Readiness::new();
    readiness.release();
    let grace = Duration::from_secs(5);
    let ended = drain.clone();
    let options = ServeOptions { listener, routes, layer, grace, readiness, drain };
    tokio::spawn(async move { serve(options, async move { ended.begun().await }).await });
    address
}

impl City {
    /// A city whose roster is known to the roster's log and to nobody else yet.
    pub(crate) async fn new(backend: Backend) -> Self {
        Self::with_webhooks(backend, WebhookSettings::default()).await
    }

    /// The same, which sends webhooks by these settings.
    pub(crate) async fn with_webhooks(backend: Backend, webhooks: WebhookSettings) -> Self {
        Self::with(backend, webhooks, ChannelSettings::default()).await
    }

    /// The same, which reaches officials by these channels.
    pub(crate) async fn with_channels(backend: Backend, channels: ChannelSettings) -> Self {
        Self::with(backend, WebhookSettings::default(), channels).await
    }

    async fn with(backend: Backend, webhooks: WebhookSettings, channels: ChannelSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys { gateway: generate_keypair().unwrap(), notification: generate_keypair().unwrap() };
        let bus = Bus::embedded();
        let mut producers = BTreeMap::new();
        let mut peers = BTreeMap::new();
        for name in [ServiceName::Roster, ServiceName::Supervision, ServiceName::Workgroup] {
            let url = format!("sqlite://{}/{name}.db", folder.path().display());
            let db = Db::connect(&url, 2, CrashPoints::default()).await.unwrap();
            migrate(&db, xietong_events::MIGRATIONS).await.unwrap();
            let log = EventLog::open(name.as_str(), db.clone()).await.unwrap();
            let silence = Arc::new(Silence::default());
            let feed = Feed { server: EventLogServer::new(log.clone()), silence: silence.clone() };
            let feed = EventLogServiceServer::new(feed);
            let served = Drain::new();
            peers.insert(name, serve_routes(Routes::new(feed), keys.layer(), served.clone()).await);
            let sequencer = Sequencer::new(log.clone(), bus.clone());
            producers
                .insert(name, Producer { log, db, served, silence, sequencer, versions: Mutex::default() });
        }
        let database = match backend {
            Backend::Sqlite => format!("sqlite://{}/notification.db", folder.path().display()),
            Backend::Postgres => postgres_database("notification").await.unwrap(),
        };
        let clock = Arc::new(SimulatedClock::starting_at(at("2023-06-05T08:59:00+08:00")));
        clock.hold();
        clock.set(at(MORNING));
        let service = build(&database, &clock, &bus, &keys, &peers, (&webhooks, &channels)).await;
        let address = serve_routes(service.routes.clone(), keys.layer(), service.drain.clone()).await;
        let city = City {
            clock,
            service,
            bus,
            producers,
            keys,
            database,
            peers,
            address,
            webhooks,
            channels,
            _folder: folder,
        };
        for event in roster() {
            city.roster(&event).await;
        }
        city
    }

    /// Another replica of the service over the same database.
    pub(crate) async fn replica(&self) -> Service {
        let outward = (&self.webhooks, &self.channels);
        build(&self.database, &self.clock, &self.bus, &self.keys, &self.peers, outward).await
    }

    /// Records an event in a producer's log, without sequencing it.
    pub(crate) async fn record(
        &self,
        producer: ServiceName,
        aggregate: &str,
        event_type: &str,
        payload: String,
    ) {
        self.record_all(producer, vec![(aggregate.to_owned(), event_type, payload)]).await;
    }

    /// Records as many events in a producer's log at once as there are payloads, without sequencing
    /// them.
    pub(crate) async fn record_all(&self, producer: ServiceName, events: Vec<(String, &str, String)>) {
        let Producer { log, db, versions, .. } = &self.producers[&producer];
        let appends: Vec<Append> = {
            let mut versions = versions.lock().unwrap();
            let mut drafts: BTreeMap<String, Vec<Draft>> = BTreeMap::new();
            for (aggregate, event_type, payload) in events {
                drafts
                    .entry(aggregate)
                    .or_default()
                    .push(Draft { event_type: event_type.to_owned(), payload });
            }
            let append = |(aggregate, drafts): (String, Vec<Draft>)| {
                let version = versions.entry(aggregate.clone()).or_default();
                let expected_version = *version;
                *version += i64::try_from(drafts.len()).unwrap();
                Append { aggregate, expected_version, drafts }
            };
            drafts.into_iter().map(append).collect()
        };
        let tx = db.begin().await.unwrap();
        log.append(&tx, &self.act(), &appends).await.unwrap();
        tx.commit().await.unwrap();
    }

    fn act(&self) -> Act {
        Act {
            actor: "tester".into(),
            acting_for: None,
            ground: None,
            occurred_at: self.clock.now(),
            traceparent: None,
            causation_id: None,
        }
    }

    /// Another replica, with an address of its own.
    pub(crate) async fn served_replica(&self) -> Replica {
        let service = self.replica().await;
        let address = serve_routes(service.routes.clone(), self.keys.layer(), service.drain.clone()).await;
        Replica { service, address }
    }

    /// Records remarks to the water bureau, each of which its liaison is told once.
    pub(crate) async fn remarks(&self, count: usize) {
        self.remarks_of(count, |number| format!("请抓紧，第{number}次提示")).await;
    }

    /// The same, in these words.
    pub(crate) async fn remarks_of(&self, count: usize, text: impl Fn(usize) -> String) {
        let events = (0..count)
            .map(|number| {
                let made = CommentMade {
                    task: remarked_task(),
                    comment: Comment {
                        name: "tasks/remarked/comments/1".into(),
                        text: text(number),
                        units: vec!["units/water".into()],
                        author: "supervisor".into(),
                        made_at: self.clock.now(),
                    },
                };
                ("tasks/remarked".to_owned(), COMMENT_MADE, made.to_payload().unwrap().to_string())
            })
            .collect();
        self.record_all(ServiceName::Supervision, events).await;
    }

    /// Puts unread remarks into an inbox, past the service.
    pub(crate) async fn fill(&self, official: &str, count: i64) {
        let recipient = format!("officials/{official}");
        let db = &self.service.db;
        let tx = db.begin().await.unwrap();
        let sql = "INSERT INTO inboxes (official, last_number, version) VALUES ($1, $2, 0)";
        tx.execute_raw(statement(&tx, sql, [recipient.as_str().into(), count.into()])).await.unwrap();
        for number in 1..=count {
            let sql = "INSERT INTO messages (id, recipient, number, source, kind, title, body, subject, capacity,
                requires_acknowledgement, sent_at) VALUES ($1, $2, $3, $1, 'progress', $4, $5, $6, '联络员', FALSE, $7)";
            let values: [sea_orm::Value; 7] = [
                MachineClock::system().new_id().to_string().into(),
                recipient.as_str().into(),
                number.into(),
                format!("留言：《整治城区积水点》（第{number}号）").into(),
                "请各有关单位按照职责分工抓紧推进，遇到问题及时报告市政府督查室。".repeat(6).into(),
                format!("tasks/{number}").into(),
                self.clock.now().as_micros().into(),
            ];
            tx.execute_raw(statement(&tx, sql, values)).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// What a producer has sequenced.
    pub(crate) async fn log_of(&self, producer: ServiceName) -> LogPage {
        self.producers[&producer].log.read(0, 1_000).await.unwrap()
    }

    /// Ends the roster's server.
    pub(crate) fn close_roster(&self) {
        self.producers[&ServiceName::Roster].served.begin();
    }

    /// From here on the roster takes calls and answers none.
    pub(crate) fn silence_roster(&self) {
        self.producers[&ServiceName::Roster].silence.begun.store(true, Ordering::SeqCst);
    }

    /// How many calls the roster has left without an answer.
    pub(crate) fn unanswered_by_roster(&self) -> u32 {
        self.producers[&ServiceName::Roster].silence.unanswered.load(Ordering::SeqCst)
    }

    pub(crate) async fn roster(&self, event: &RosterEvent) {
        let payload = event.to_payload().unwrap();
        self.record(ServiceName::Roster, &event.aggregate(), event.event_type(), payload).await;
    }

    /// Sends an official away from now until the end of June.
    pub(crate) async fn away(&self, official: &str) {
        let absence = Absence {
            name: format!("absences/{official}"),
            official: format!("officials/{official}"),
            start_time: at("2023-06-01T00:00+08:00"),
            end_time: at("2023-07-01T00:00+08:00"),
            stand_in: None,
            shares: vec![],
            excluded: domain_roster::Scope::default(),
            reason: "赴省城开会".into(),
            approval: None,
            reassignment: None,
            recorded_at: self.clock.now(),
            changes: vec![],
        };
        self.roster(&RosterEvent::AbsenceCreated(absence)).await;
    }

    /// Sequences what producers recorded.
    pub(crate) async fn sequence(&self) {
        for producer in self.producers.values() {
            while producer.sequencer.turn().await.unwrap() == Progress::Worked {}
        }
    }

    /// Turns every worker until none finds work: everything due has happened.
    pub(crate) async fn settle(&self) {
        self.sequence().await;
        loop {
            let mut worked = false;
            for worker in &self.service.workers {
                worked |= worker.turn().await.unwrap() == Progress::Worked;
            }
            if !worked {
                return;
            }
        }
    }

    /// Plays the clock up to an instant: each timer fires at its own.
    pub(crate) async fn advance(&self, to: &str) {
        let to = at(to);
        self.settle().await;
        while let Some(due) = self.service.timers.as_ref().unwrap().next_due().await.unwrap() {
            if due > to {
                break;
            }
            self.clock.set(due);
            self.settle().await;
        }
        self.clock.set(to);
        self.settle().await;
    }

    /// A connection to the service.
    pub(crate) async fn channel(&self) -> Channel {
        Channel::from_shared(self.address.clone()).unwrap().connect().await.unwrap()
    }

    /// A client of the service.
    pub(crate) async fn client(&self) -> InboxServiceClient<Channel> {
        InboxServiceClient::connect(self.address.clone()).await.unwrap()
    }

    /// A request of an official's account.
    pub(crate) fn by<T>(&self, official: &str, message: T) -> Request<T> {
        let official = format!("officials/{official}");
        self.signed(
            Principal::account(official.clone(), Some(official), vec![Grant::of(Role::Liaison)]),
            message,
        )
    }

    /// A request of an account that is no official's.
    pub(crate) fn by_a_machine<T>(&self, message: T) -> Request<T> {
        self.signed(Principal::account("machine", None, vec![Grant::of(Role::SystemClient)]), message)
    }

    /// A request of an account with these grants.
    pub(crate) fn as_account<T>(&self, grants: Vec<Grant>, message: T) -> Request<T> {
        self.signed(Principal::account("somebody", None, grants), message)
    }

    /// A client of what the roster asks.
    pub(crate) async fn previews(&self) -> DivisionPreviewServiceClient<Channel> {
        DivisionPreviewServiceClient::connect(self.address.clone()).await.unwrap()
    }

    /// A client of the change feed.
    pub(crate) async fn feed(&self) -> FeedServiceClient<Channel> {
        FeedServiceClient::connect(self.address.clone()).await.unwrap()
    }

    /// A request of whoever this is.
    pub(crate) fn signed<T>(&self, principal: Principal, message: T) -> Request<T> {
        let token = Keys::signer(&self.keys.gateway, Issuer::Gateway).sign(&principal).unwrap();
        let mut request = Request::new(message);
        request.metadata_mut().insert(PRINCIPAL_METADATA, token.parse().unwrap());
        request
    }

    /// Kind, capacity and title of each message of an official, in order of number.
    pub(crate) async fn inbox(&self, official: &str) -> Vec<(String, String, String)> {
        let sql = "SELECT number, kind, capacity, title FROM messages WHERE recipient = $1 ORDER BY number";
        let reader = self.service.db.reader();
        let rows = reader
            .query_all_raw(statement(reader, sql, [format!("officials/{official}").into()]))
            .await
            .unwrap();
        let row = |(row, number): (&sea_orm::QueryResult, i64)| {
            assert_eq!(row.try_get_by::<i64, _>("number").unwrap(), number, "numbers are dense");
            let text = |column: &str| row.try_get_by::<String, _>(column).unwrap();
            (text("kind"), text("capacity"), text("title"))
        };
        rows.iter().zip(1..).map(row).collect()
    }

    /// Everything in every inbox that does not depend on random identities, in order.
    pub(crate) async fn everything(&self) -> Vec<String> {
        let sql = "SELECT recipient, number, kind, title, body, capacity, sent_at FROM messages
                   ORDER BY recipient, number";
        let reader = self.service.db.reader();
        let rows = reader.query_all_raw(statement(reader, sql, [])).await.unwrap();
        rows.iter()
            .map(|row| {
                let text = |column: &str| row.try_get_by::<String, _>(column).unwrap();
                let number: i64 = row.try_get_by("number").unwrap();
                let sent = Timestamp::from_micros(row.try_get_by("sent_at").unwrap());
                let (who, kind, title) = (text("recipient"), text("kind"), text("title"));
                format!("{who} {number} {sent} {kind} {title} {} {}", text("capacity"), text("body"))
            })
            .collect()
    }

    /// The types of the events in an official's inbox, in order, after checking its chain.
    pub(crate) async fn history(&self, official: &str) -> Vec<String> {
        let events = self.service.log.of_aggregate(&format!("inboxes/{official}")).await.unwrap();
        xietong_events::verify_chain(&events).unwrap();
        events
            .into_iter()
            .map(|event| event.event_type.trim_start_matches("notification.").to_owned())
            .collect()
    }
}

async fn build(
    database: &str,
    clock: &Arc<SimulatedClock>,
    bus: &Bus,
    keys: &Keys,
    peers: &BTreeMap<ServiceName, String>,
    (webhooks, channels): (&WebhookSettings, &ChannelSettings),
) -> Service {
    let signer = Keys::signer(&keys.notification, Issuer::System(ServiceName::Notification));
    let ground = Ground {
        name: ServiceName::Notification,
        database_url: database.to_owned(),
        connections: 8,
        crash: CrashPoints::default(),
        clock: Clock::Simulated(clock.clone()),
        bus: bus.clone(),
        peers: Peers::new(ServiceName::Notification, peers, signer).unwrap(),
        drain: Drain::new(),
    };
    xietong_notification::build(ground, webhooks.clone(), channels.clone()).await.unwrap()
}

fn roster() -> Vec<RosterEvent> {
    let unit = |slug: &str, display_name: &str| {
        RosterEvent::UnitCreated(Unit {
            name: format!("units/{slug}"),
            display_name: display_name.into(),
            aliases: vec![],
            signboards: vec![],
            kind: UnitKind::Department,
            parent: None,
            division_code: None,
            successor: None,
            start_time: None,
            end_time: None,
        })
    };
    let official = |slug: &str, display_name: &str, kind: PostKind, unit: &str| {
        let unit = Some(format!("units/{unit}"));
        RosterEvent::OfficialCreated(Official {
            name: format!("officials/{slug}"),
            display_name: display_name.into(),
            posts: vec![Post { kind, unit, title: String::new(), start_time: None, end_time: None }],
        })
    };
    let portfolio = |official: &str, units: &[&str], presides: bool| Portfolio {
        official: format!("officials/{official}"),
        presides,
        fields: vec![],
        units: units
            .iter()
            .map(|unit| UnitDuty { unit: format!("units/{unit}"), relation: Relation::Directs })
            .collect(),
        classes: vec![],
    };
    let pair = |official: &str, stand_in: &str| StandInPair {
        official: format!("officials/{official}"),
        stand_in: format!("officials/{stand_in}"),
        mutual: true,
    };
    vec![
        unit("government", "临汾市人民政府"),
        unit("water", "市水利局"),
        unit("industry", "市工业和信息化局"),
        official("wang-yanfeng", "王延峰", PostKind::Mayor, "government"),
        official("wang-yuan", "王渊", PostKind::ExecutiveDeputyMayor, "government"),
        official("cui-yuanbin", "崔元斌", PostKind::DeputyMayor, "government"),
        official("hu-xiaogang", "胡晓刚", PostKind::DeputyMayor, "government"),
        official("qiao-feihong", "乔飞鸿", PostKind::DeputyMayor, "government"),
        official("inspector", "督查专员", PostKind::Inspector, "government"),
        official("water-head", "水利局负责人", PostKind::UnitHead, "water"),
        official("water-liaison", "水利局联络员", PostKind::Liaison, "water"),
        official("industry-head", "工信局负责人", PostKind::UnitHead, "industry"),
        official("industry-liaison", "工信局联络员", PostKind::Liaison, "industry"),
        RosterEvent::AccountCreated(Account {
            name: "accounts/supervisor".into(),
            subject: "supervisor".into(),
            official: Some("officials/inspector".into()),
            roles: vec![],
            disabled: false,
        }),
        RosterEvent::DivisionCreated(Division {
            name: "divisions/no-12".into(),
            document_number: "临政办发〔2023〕12号".into(),
            title: String::new(),
            effective_time: at("2023-05-14T00:00+08:00"),
            partial: false,
            portfolios: vec![
                portfolio("wang-yanfeng", &[], true),
                portfolio("wang-yuan", &[], false),
                portfolio("cui-yuanbin", &["industry"], false),
                portfolio("hu-xiaogang", &[], false),
                portfolio("qiao-feihong", &["water"], false),
            ],
            pairs: vec![pair("wang-yuan", "qiao-feihong"), pair("cui-yuanbin", "hu-xiaogang")],
            third_stand_ins: vec![],
            fallback: None,
            exclusions: vec![],
            absence_limit_days: None,
            corrects: None,
            record_time: at("2023-05-14T00:00+08:00"),
        }),
    ]
}
