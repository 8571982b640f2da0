//! The service in this process, on ports of its own, with signed callers. Its workers are
//! turned by hand, so that nothing happens unless a test lets it.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain_roster::RosterEvent;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::Routes;
use tonic::transport::{Channel, Server};
use tonic::{Request, Status};
use xietong_events::{Act, Append, Bus, Draft, Event, verify_chain};
use xietong_mesh::drain::Drain;
use xietong_mesh::layer::MeshLayer;
use xietong_mesh::metrics::Metrics;
use xietong_mesh::principal::{Grant, PRINCIPAL_METADATA, Role};
use xietong_mesh::token::{Issuer, KeyPair, Signer, SigningKey, Verifier, VerifyingKey, generate_keypair};
use xietong_mesh::{Assembly, Error, Foundation, Ground, Peers, Principal, Service, ServiceName};
use xietong_proto::supervision::task_service_server::TaskServiceServer;
use xietong_proto::workgroup as proto;
use xietong_proto::workgroup::group_service_client::GroupServiceClient;
use xietong_store::CrashPoints;
use xietong_testkit::servers::postgres_database;
use xietong_timers::{Clock, MachineClock, Progress};

use crate::played_supervision::PlayedSupervision;

/// Which database the service runs on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// Makes each behaviour a test on SQLite and a test on PostgreSQL.
macro_rules! on_both_back_ends {
    ($($behaviour:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $behaviour() {
                super::$behaviour(crate::harness::Backend::Sqlite).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $behaviour() {
                super::$behaviour(crate::harness::Backend::Postgres).await;
            })+
        }
    };
}
pub(crate) use on_both_back_ends;

const SERVICES: [ServiceName; 3] = [ServiceName::Roster, ServiceName::Supervision, ServiceName::Workgroup];

/// The workgroup service and what it talks to.
pub(crate) struct Mesh {
    pub(crate) workgroup: Service,
    pub(crate) roster: Service,
    pub(crate) supervision: Service,
    pub(crate) played: PlayedSupervision,
    gateway: Signer,
    channel: Channel,
    keys: Arc<Keys>,
    urls: BTreeMap<ServiceName, String>,
    workgroup_database: String,
    bus: Bus,
    _folder: tempfile::TempDir,
}

struct Keys(BTreeMap<Issuer, KeyPair>);

impl Keys {
    fn generate() -> Self {
        let issuers = SERVICES.map(Issuer::System).into_iter().chain([Issuer::Gateway]);
        Keys(issuers.map(|issuer| (issuer, generate_keypair().unwrap())).collect())
    }

    fn signer(&self, issuer: Issuer) -> Signer {
        let key = SigningKey::from_pem(&self.0[&issuer].private_pem).unwrap();
        Signer::new(issuer, key, MachineClock::system())
    }

    fn verifier(&self) -> Verifier {
        let public = |keys: &KeyPair| VerifyingKey::all_from_pem(&keys.public_pem).unwrap();
        let trusted = self.0.iter().map(|(issuer, keys)| (*issuer, public(keys))).collect();
        Verifier::new(trusted, MachineClock::system())
    }
}

impl Mesh {
    /// Everything started, the copy of the roster not yet taken.
    pub(crate) async fn start(backend: Backend) -> Mesh {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
        let workgroup_database = match backend {
            Backend::Sqlite => file("workgroup.db"),
            Backend::Postgres => postgres_database("workgroup").await.unwrap(),
        };
        let (keys, bus) = (Arc::new(Keys::generate()), Bus::embedded());
        let mut listeners = BTreeMap::new();
        for name in SERVICES {
            listeners.insert(name, TcpListener::bind("127.0.0.1:0").await.unwrap());
        }
        let url = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
        let urls: BTreeMap<_, _> = listeners.iter().map(|(name, listener)| (*name, url(listener))).collect();
        let ground = |name, database: &str| ground(&keys, &urls, &bus, name, database);

        let played = PlayedSupervision::default();
        let roster = Foundation::lay(ground(ServiceName::Roster, &file("roster.db")), &[]).await.unwrap();
        let roster = roster.assemble(Assembly::default());
        let supervision =
            Foundation::lay(ground(ServiceName::Supervision, &file("supervision.db")), &[]).await.unwrap();
        let routes = Routes::new(TaskServiceServer::new(played.clone()));
        let supervision = supervision.assemble(Assembly { routes, ..Assembly::default() });
        let workgroup =
            xietong_workgroup::build(ground(ServiceName::Workgroup, &workgroup_database)).await.unwrap();

        for service in [&roster, &supervision, &workgroup] {
            let listener = listeners.remove(&service.name).unwrap();
            let layer = MeshLayer::new(keys.verifier(), Metrics::new(service.name)).unwrap();
            let server = Server::builder()
                .layer(layer)
                .add_routes(service.routes.clone())
                .serve_with_incoming(TcpListenerStream::new(listener));
            tokio::spawn(server);
        }
        let channel = Channel::from_shared(urls[&ServiceName::Workgroup].clone()).unwrap().connect_lazy();
        let gateway = keys.signer(Issuer::Gateway);
        Mesh {
            workgroup,
            roster,
            supervision,
            played,
            gateway,
            channel,
            keys,
            urls,
            workgroup_database,
            bus,
            _folder: folder,
        }
    }

    /// Another replica of the workgroup service over the same database, not served.
    pub(crate) async fn replica(&self) -> Service {
        let database = self.workgroup_database.clone();
        let ground = ground(&self.keys, &self.urls, &self.bus, ServiceName::Workgroup, &database);
        xietong_workgroup::build(ground).await.unwrap()
    }

    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    pub(crate) fn client(&self) -> GroupServiceClient<Channel> {
        GroupServiceClient::new(self.channel.clone())
    }

    /// A request as this principal makes it.
    pub(crate) fn from<T>(&self, principal: &Principal, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let token = self.gateway.sign(principal).unwrap();
        request.metadata_mut().insert(PRINCIPAL_METADATA, token.parse().unwrap());
        request
    }

    /// Turns every worker of every service until none has anything to do.
    pub(crate) async fn settle(&self) {
        loop {
            let mut worked = false;
            for service in [&self.roster, &self.supervision, &self.workgroup] {
                for worker in &service.workers {
                    worked |= worker.turn().await.unwrap() == Progress::Worked;
                }
            }
            if !worked {
                return;
            }
        }
    }

    /// Writes to the roster's log.
    pub(crate) async fn roster_says(&self, events: &[RosterEvent]) {
        for event in events {
            append(&self.roster, &event.aggregate(), event.event_type(), event.to_payload().unwrap()).await;
        }
    }

    /// The types of an aggregate's events in the workgroup's log, whose chain is checked.
    pub(crate) async fn history(&self, aggregate: &str) -> Vec<String> {
        let events = self.events(aggregate).await;
        verify_chain(&events).unwrap();
        events.into_iter().map(|event| event.event_type).collect()
    }

    pub(crate) async fn events(&self, aggregate: &str) -> Vec<Event> {
        self.workgroup.log.of_aggregate(aggregate).await.unwrap()
    }

    /// Founds the group of the notice as the supervisor.
    pub(crate) async fn found(&self, group_id: &str) -> proto::Group {
        self.try_found(green_energy(), group_id).await.unwrap()
    }

    /// Founds a group of a name of its own as the supervisor.
    pub(crate) async fn found_another(&self, group_id: &str) -> proto::Group {
        let group = proto::Group { display_name: format!("领导小组（{group_id}）"), ..green_energy() };
        self.try_found(group, group_id).await.unwrap()
    }

    /// Founds a group as the supervisor, if it is let.
    pub(crate) async fn try_found(&self, group: proto::Group, group_id: &str) -> Result<proto::Group, Error> {
        let request = proto::CreateGroupRequest {
            group: Some(group),
            group_id: group_id.into(),
            request_id: String::new(),
            validate_only: false,
        };
        let answer = self.client().create_group(self.from(&supervisor(), request)).await;
        answer.map(tonic::Response::into_inner).map_err(|status| told(&status))
    }

    /// Records a meeting as the supervisor, held so many minutes after 1 June 2023.
    pub(crate) async fn meet(&self, group: &str, minutes: i64) -> proto::Meeting {
        let request = proto::CreateMeetingRequest {
            parent: group.into(),
            meeting: Some(proto::Meeting {
                title: format!("第{minutes}次会议"),
                meet_time: Some(at("2023-06-01T00:00+08:00", minutes * 60)),
                ..proto::Meeting::default()
            }),
            request_id: String::new(),
        };
        self.client().create_meeting(self.from(&supervisor(), request)).await.unwrap().into_inner()
    }

    /// Records a decision as the supervisor.
    pub(crate) async fn decide(&self, meeting: &str, text: &str) -> proto::Decision {
        let request = proto::CreateDecisionRequest {
            parent: meeting.into(),
            decision: Some(permits(text)),
            request_id: String::new(),
        };
        self.client().create_decision(self.from(&supervisor(), request)).await.unwrap().into_inner()
    }

    /// A group, a meeting and a decision of it.
    pub(crate) async fn decided(&self) -> proto::Decision {
        let group = self.found("green-energy").await;
        let meeting = self.meet(&group.name, 0).await;
        self.decide(&meeting.name, "完成绿色能源管网规划调整手续").await
    }

    /// Asks for an escalation as the supervisor.
    pub(crate) async fn escalate(&self, decision: &str, request_id: &str) -> Result<proto::Decision, Error> {
        let request = proto::EscalateDecisionRequest {
            name: decision.into(),
            etag: String::new(),
            request_id: request_id.into(),
        };
        let answer = self.client().escalate_decision(self.from(&supervisor(), request)).await;
        answer.map(tonic::Response::into_inner).map_err(|status| told(&status))
    }

    pub(crate) async fn decision(&self, name: &str) -> proto::Decision {
        let request = proto::GetDecisionRequest { name: name.into() };
        self.client().get_decision(self.from(&supervisor(), request)).await.unwrap().into_inner()
    }
}

fn ground(
    keys: &Keys,
    urls: &BTreeMap<ServiceName, String>,
    bus: &Bus,
    name: ServiceName,
    database: &str,
) -> Ground {
    Ground {
        name,
        database_url: database.to_owned(),
        connections: 8,
        crash: CrashPoints::default(),
        clock: Clock::real(),
        bus: bus.clone(),
        peers: Peers::new(name, urls, keys.signer(Issuer::System(name))).unwrap(),
        drain: Drain::new(),
    }
}

/// Writes an event to a played service's log; each aggregate at its next version.
pub(crate) async fn append(service: &Service, aggregate: &str, event_type: &str, payload: String) {
    let earlier = service.log.of_aggregate(aggregate).await.unwrap();
    let append = Append {
        aggregate: aggregate.to_owned(),
        expected_version: i64::try_from(earlier.len()).unwrap(),
        drafts: vec![Draft { event_type: event_type.to_owned(), payload }],
    };
    let act = Act {
        actor: "test".into(),
        acting_for: None,
        ground: None,
        occurred_at: domain_calendar::Timestamp::parse("2023-04-01T00:00+08:00").unwrap(),
        traceparent: None,
        causation_id: None,
    };
    let tx = service.db.begin().await.unwrap();
    service.log.append(&tx, &act, &[append]).await.unwrap();
    tx.commit().await.unwrap();
}

pub(crate) fn told(status: &Status) -> Error {
    Error::from_status(status)
}

pub(crate) fn supervisor() -> Principal {
    Principal::account("supervisor", None, vec![Grant::of(Role::Supervisor)])
}

pub(crate) fn clerk() -> Principal {
    Principal::account("clerk", None, vec![Grant::of(Role::UnitClerk).in_unit("units/energy")])
}

pub(crate) fn office_of(group: &str) -> Principal {
    Principal::account("office", None, vec![Grant::of(Role::GroupOffice).in_group(group)])
}

/// An instant so many seconds after one in RFC 3339.
pub(crate) fn at(text: &str, seconds: i64) -> prost_types::Timestamp {
    let instant = domain_calendar::Timestamp::parse(text).unwrap();
    let mut time = xietong_mesh::convert::encode_time(instant);
    time.seconds += seconds;
    time
}

pub(crate) fn seat(role: proto::SeatRole, holder: proto::seat::Holder) -> proto::Seat {
    proto::Seat { role: role.into(), holder: Some(holder), ..proto::Seat::default() }
}

/// The leading group of 临政办函〔2023〕17号, in part, as a request founds it.
pub(crate) fn green_energy() -> proto::Group {
    use proto::seat::Holder;
    proto::Group {
        display_name: "临汾市绿色能源输配项目建设领导小组".into(),
        kind: proto::GroupKind::LeadingGroup.into(),
        founding_document: "临政办函〔2023〕17号".into(),
        purpose: "统筹推进绿色能源输配项目建设".into(),
        end_condition: "项目建成投运后自行撤销".into(),
        start_time: Some(at("2023-05-06T00:00+08:00", 0)),
        office_unit: "units/energy".into(),
        seats: vec![
            seat(proto::SeatRole::Head, Holder::Post("市政府分管发展改革工作的副市长".into())),
            seat(proto::SeatRole::Member, Holder::Unit("units/water".into())),
            seat(proto::SeatRole::Member, Holder::OpenClass("各施工单位项目负责人".into())),
        ],
        ..proto::Group::default()
    }
}

pub(crate) fn permits(text: &str) -> proto::Decision {
    proto::Decision {
        text: text.into(),
        lead_units: vec!["units/energy".into()],
        cooperating_units: vec!["units/water".into()],
        due_time: Some(at("2023-07-01T00:00+08:00", 0)),
        ..proto::Decision::default()
    }
}
