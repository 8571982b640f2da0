//! A roster service in this process, called through its gRPC clients with signed principals,
//! and a small city in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain_calendar::Timestamp;
use prost_types::Timestamp as ProtoTimestamp;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::{Request, Status};
use tower::Layer;
use xietong_events::{Bus, Event};
use xietong_mesh::convert::encode_time;
use xietong_mesh::drain::Drain;
use xietong_mesh::layer::{MeshLayer, MeshService};
use xietong_mesh::metrics::Metrics;
use xietong_mesh::principal::{Grant, PRINCIPAL_METADATA, Role};
use xietong_mesh::token::{Issuer, Signer, SigningKey, Verifier, VerifyingKey, generate_keypair};
use xietong_mesh::{Error, Ground, Peers, Principal, Service, ServiceName};
use xietong_proto::roster as proto;
use xietong_proto::roster::acting_service_client::ActingServiceClient;
use xietong_proto::roster::directory_service_client::DirectoryServiceClient;
use xietong_proto::roster::exchange_service_client::ExchangeServiceClient;
use xietong_proto::roster::mandate_service_client::MandateServiceClient;
use xietong_proto::roster::roster_service_client::RosterServiceClient;
use xietong_proto::roster::year_calendar_service_client::YearCalendarServiceClient;
use xietong_store::CrashPoints;
use xietong_testkit::servers;
use xietong_timers::{Clock, MachineClock, Progress, SimulatedClock, Worker};

use crate::log::{SupervisionLog, listen};

/// The day on which every test begins, in business time.
pub(crate) const START: &str = "2023-05-01T09:00:00+08:00";

pub(crate) struct City {
    pub(crate) service: Service,
    pub(crate) clock: Arc<SimulatedClock>,
    url: String,
    folder: tempfile::TempDir,
    verifier: Verifier,
    supervision: TcpListener,
    routes: MeshService<Routes>,
    gateway: Signer,
    system: Signer,
}

impl City {
    pub(crate) async fn sqlite() -> City {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("roster.db").display());
        Self::open(url, folder, at(START)).await
    }

    pub(crate) async fn postgres() -> City {
        let url = servers::postgres_database("roster").await.unwrap();
        Self::open(url, tempfile::tempdir().unwrap(), at(START)).await
    }

    /// Another process on the same database, begun after this one has ended.
    pub(crate) async fn restarted(self) -> City {
        let City { service, clock, url, folder, .. } = self;
        service.db.close().await.unwrap();
        Self::open(url, folder, clock.now()).await
    }

    /// Another process on the same database, beside this one.
    pub(crate) async fn replica(&self) -> City {
        Self::open(self.url.clone(), tempfile::tempdir().unwrap(), self.clock.now()).await
    }

    async fn open(url: String, folder: tempfile::TempDir, now: Timestamp) -> City {
        let (gateway, gateway_keys) = signer(Issuer::Gateway);
        let (system, system_keys) = signer(Issuer::System(ServiceName::Roster));
        let trusted = BTreeMap::from([(gateway.issuer(), gateway_keys), (system.issuer(), system_keys)]);
        // Held a little before, and set: it then stands at exactly this instant.
        let clock = Arc::new(SimulatedClock::starting_at(now.saturating_sub(Duration::from_secs(600))));
        clock.hold();
        clock.set(now);
        let supervision = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = supervision.local_addr().unwrap();
        let peers = BTreeMap::from([(ServiceName::Supervision, format!("http://{address}"))]);
        let ground = Ground {
            name: ServiceName::Roster,
            database_url: url.clone(),
            connections: 8,
            crash: CrashPoints::default(),
            clock: Clock::Simulated(clock.clone()),
            bus: Bus::embedded(),
            peers: Peers::new(ServiceName::Roster, &peers, system.clone()).unwrap(),
            drain: Drain::new(),
        };
        let foundation = xietong_roster::lay(ground).await.unwrap();
        xietong_roster::seed_administrator(&foundation, "local-administrator").await.unwrap();
        let service = xietong_roster::assemble(foundation);
        let verifier = Verifier::new(trusted, MachineClock::system());
        let layer = MeshLayer::new(verifier.clone(), Metrics::new(ServiceName::Roster)).unwrap();
        let routes = layer.layer(service.routes.clone());
        City { service, clock, url, folder, verifier, supervision, routes, gateway, system }
    }

    /// Serves a log of supervision's to this roster until the test ends.
    pub(crate) async fn follow_supervision(self) -> (City, SupervisionLog) {
        let City { service, clock, url, folder, verifier, supervision, routes, gateway, system } = self;
        let log = SupervisionLog::serve(folder.path(), supervision, verifier.clone()).await;
        let supervision = TcpListener::bind("127.0.0.1:0").await.unwrap();
        (City { service, clock, url, folder, verifier, supervision, routes, gateway, system }, log)
    }

    /// Serves these routes by TCP, as the roster's, and gives the way to them.
    pub(crate) async fn serve(&self, routes: Routes) -> Peers {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        listen(routes, listener, self.verifier.clone());
        let urls = BTreeMap::from([(ServiceName::Roster, url)]);
        Peers::new(ServiceName::Roster, &urls, self.system.clone()).unwrap()
    }

    /// Gives everything that was recorded its position.
    pub(crate) async fn sequence(&self) {
        let mut workers = self.service.workers.iter();
        let sequencer = workers.find(|worker| worker.name() == "roster/sequencer").unwrap();
        while sequencer.turn().await.unwrap() == Progress::Worked {}
    }

    /// Lets the roster hear of what others have recorded.
    pub(crate) async fn hear(&self) {
        let followed = self.service.consumers.iter();
        let consumer = followed.map(|one| one.as_ref()).find(|one| one.name().ends_with("/supervision"));
        while consumer.unwrap().turn().await.unwrap() == Progress::Worked {}
    }

    pub(crate) fn mandates(&self) -> MandateServiceClient<MeshService<Routes>> {
        MandateServiceClient::new(self.routes.clone())
    }

    pub(crate) fn year_calendars(&self) -> YearCalendarServiceClient<MeshService<Routes>> {
        YearCalendarServiceClient::new(self.routes.clone())
    }

    pub(crate) fn acting(&self) -> ActingServiceClient<MeshService<Routes>> {
        ActingServiceClient::new(self.routes.clone())
    }

    pub(crate) fn directory(&self) -> DirectoryServiceClient<MeshService<Routes>> {
        DirectoryServiceClient::new(self.routes.clone())
    }

    pub(crate) fn exchange(&self) -> ExchangeServiceClient<MeshService<Routes>> {
        ExchangeServiceClient::new(self.routes.clone())
    }

    pub(crate) fn routes(&self) -> MeshService<Routes> {
        self.routes.clone()
    }

    pub(crate) fn roster(&self) -> RosterServiceClient<MeshService<Routes>> {
        RosterServiceClient::new(self.routes.clone())
    }

    /// A request of an account that has these grants.
    pub(crate) fn of<T>(&self, subject: &str, grants: Vec<Grant>, message: T) -> Request<T> {
        signed(&self.gateway, &Principal::account(subject, None, grants), message)
    }

    /// A request of an administrator.
    pub(crate) fn admin<T>(&self, message: T) -> Request<T> {
        self.of("admin", vec![Grant::of(Role::Administrator)], message)
    }

    /// A request of an official with one role.
    pub(crate) fn official_as<T>(&self, official: &str, role: Role, message: T) -> Request<T> {
        let name = format!("officials/{official}");
        signed(&self.gateway, &Principal::account(official, Some(name), vec![Grant::of(role)]), message)
    }

    /// A request of a clerk of the water bureau.
    pub(crate) fn clerk<T>(&self, message: T) -> Request<T> {
        self.of("clerk", vec![Grant::of(Role::UnitClerk).in_unit("units/water")], message)
    }

    /// A request of a service's own job.
    pub(crate) fn system<T>(&self, message: T) -> Request<T> {
        signed(&self.system, &Principal::system(ServiceName::Roster), message)
    }

    /// Sets the clock and fires what is due by then.
    pub(crate) async fn advance(&self, to: &str) {
        self.clock.set(at(to));
        let timers = self.service.timers.as_ref().unwrap();
        while timers.turn().await.unwrap() == Progress::Worked {}
    }

    /// Types of a record's events, in order.
    pub(crate) async fn history(&self, record: &str) -> Vec<String> {
        self.events(record).await.into_iter().map(|event| event.event_type).collect()
    }

    pub(crate) async fn events(&self, record: &str) -> Vec<Event> {
        self.service.log.of_aggregate(record).await.unwrap()
    }

    pub(crate) async fn unit(&self, slug: &str, name: &str, aliases: &[&str]) -> proto::Unit {
        let request = create_unit(slug, name, aliases);
        self.directory().create_unit(self.admin(request)).await.unwrap().into_inner()
    }

    pub(crate) async fn collective(&self, slug: &str, name: &str, aliases: &[&str], units: &[&str]) {
        let request = create_collective(slug, name, aliases, units);
        self.directory().create_collective(self.admin(request)).await.unwrap();
    }

    pub(crate) async fn official(&self, id: &str, name: &str, kind: proto::PostKind, unit: &str) {
        let post = proto::Post { kind: kind.into(), unit: unit.into(), ..Default::default() };
        let official = proto::Official { display_name: name.into(), posts: vec![post], ..Default::default() };
        let request = proto::CreateOfficialRequest {
            official: Some(official),
            official_id: id.into(),
            request_id: String::new(),
        };
        self.directory().create_official(self.admin(request)).await.unwrap();
    }

    /// The directory, without any division.
    pub(crate) async fn with_directory(self) -> City {
        use proto::PostKind::{DeputyMayor, ExecutiveDeputyMayor, Mayor, UnitHead};
        for (slug, name, aliases) in [
            ("government", "临汾市人民政府", &["市政府"][..]),
            ("finance", "市财政局", &[]),
            ("industry", "市工业和信息化局（市民营经济发展促进局）", &["市工信局"]),
            ("water", "市水利局", &[]),
            ("upper-reservoir", "上游水库服务中心", &["水库中心"]),
            ("lower-reservoir", "下游水库服务中心", &["水库中心"]),
        ] {
            self.unit(slug, name, aliases).await;
        }
        for (id, name, kind) in [
            ("wang-yanfeng", "王延峰", Mayor),
            ("wang-yuan", "王渊", ExecutiveDeputyMayor),
            ("cui-yuanbin", "崔元斌", DeputyMayor),
            ("hu-xiaogang", "胡晓刚", DeputyMayor),
            ("qiao-feihong", "乔飞鸿", DeputyMayor),
        ] {
            self.official(id, name, kind, "units/government").await;
        }
        self.official("water-head", "甲", UnitHead, "units/water").await;
        self
    }

    /// The directory and the division of 12号 in force from 14 May 2023.
    pub(crate) async fn with_division(self) -> City {
        let city = self.with_directory().await;
        let request = proto::CreateDivisionRequest { division: Some(division_12()), ..Default::default() };
        city.roster().create_division(city.admin(request)).await.unwrap();
        city
    }

    pub(crate) async fn away(&self, official: &str, start: &str, end: &str) -> Result<proto::Absence, Error> {
        self.register(absence(official, start, end)).await
    }

    pub(crate) async fn register(&self, absence: proto::Absence) -> Result<proto::Absence, Error> {
        let request = proto::CreateAbsenceRequest { absence: Some(absence), request_id: String::new() };
        self.roster()
            .create_absence(self.admin(request))
            .await
            .map(tonic::Response::into_inner)
            .map_err(refused)
    }

    pub(crate) async fn get_absence(&self, name: &str) -> proto::Absence {
        let request = proto::GetAbsenceRequest { name: name.into() };
        self.roster().get_absence(self.clerk(request)).await.unwrap().into_inner()
    }

    pub(crate) async fn end(&self, name: &str, etag: &str) -> Result<proto::Absence, Error> {
        let request = proto::EndAbsenceRequest { name: name.into(), etag: etag.into(), ..Default::default() };
        let response = self.roster().end_absence(self.admin(request)).await;
        response.map(tonic::Response::into_inner).map_err(refused)
    }

    pub(crate) async fn cancel(&self, name: &str, etag: &str) -> Result<proto::Absence, Error> {
        let request =
            proto::CancelAbsenceRequest { name: name.into(), etag: etag.into(), ..Default::default() };
        let response = self.roster().cancel_absence(self.admin(request)).await;
        response.map(tonic::Response::into_inner).map_err(refused)
    }

    pub(crate) async fn resolve(
        &self,
        request: proto::ResolveRequest,
    ) -> Result<proto::ResolveResponse, Error> {
        let response = self.roster().resolve(self.clerk(request)).await;
        response.map(tonic::Response::into_inner).map_err(refused)
    }

    /// Who is accountable for a unit, and who acts, at an instant.
    pub(crate) async fn who(&self, unit: &str, instant: &str) -> (String, String) {
        self.who_as_known(unit, instant, None).await
    }

    pub(crate) async fn who_as_known(
        &self,
        unit: &str,
        instant: &str,
        known_at: Option<&str>,
    ) -> (String, String) {
        let request = proto::ResolveRequest {
            unit: unit.into(),
            at: Some(time(instant)),
            known_at: known_at.map(time),
            ..Default::default()
        };
        let answer = self.resolve(request).await.unwrap();
        let name = |person: Option<proto::Person>| person.map(|person| person.display_name);
        (name(answer.accountable).unwrap_or_default(), name(answer.acting).unwrap_or_default())
    }
}

fn signer(issuer: Issuer) -> (Signer, Vec<VerifyingKey>) {
    let pair = generate_keypair().unwrap();
    let key = SigningKey::from_pem(&pair.private_pem).unwrap();
    let trusted = VerifyingKey::all_from_pem(&pair.public_pem).unwrap();
    (Signer::new(issuer, key, MachineClock::system()), trusted)
}

fn signed<T>(signer: &Signer, principal: &Principal, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let token = signer.sign(principal).unwrap().parse().unwrap();
    request.metadata_mut().insert(PRINCIPAL_METADATA, token);
    request
}

/// A refusal as a caller reads it.
pub(crate) fn refused(status: Status) -> Error {
    Error::from_status(&status)
}

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub(crate) fn time(text: &str) -> ProtoTimestamp {
    encode_time(at(text))
}

pub(crate) fn create_unit(slug: &str, name: &str, aliases: &[&str]) -> proto::CreateUnitRequest {
    let unit = proto::Unit {
        display_name: name.into(),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        kind: proto::UnitKind::Department.into(),
        ..Default::default()
    };
    proto::CreateUnitRequest { unit: Some(unit), unit_id: slug.into(), request_id: String::new() }
}

pub(crate) fn create_collective(
    slug: &str,
    name: &str,
    aliases: &[&str],
    units: &[&str],
) -> proto::CreateCollectiveRequest {
    let collective = proto::Collective {
        display_name: name.into(),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        units: units.iter().map(|unit| format!("units/{unit}")).collect(),
        ..Default::default()
    };
    proto::CreateCollectiveRequest {
        collective: Some(collective),
        collective_id: slug.into(),
        request_id: String::new(),
    }
}

pub(crate) fn absence(official: &str, start: &str, end: &str) -> proto::Absence {
    proto::Absence {
        official: format!("officials/{official}"),
        start_time: Some(time(start)),
        end_time: Some(time(end)),
        reason: "赴省城开会".into(),
        ..Default::default()
    }
}

fn portfolio(official: &str, fields: &[&str], units: &[&str]) -> proto::Portfolio {
    let directs = proto::Relation::Directs.into();
    proto::Portfolio {
        official: format!("officials/{official}"),
        fields: fields
            .iter()
            .map(|field| proto::FieldDuty { field: (*field).into(), relation: directs })
            .collect(),
        units: units
            .iter()
            .map(|unit| proto::UnitDuty { unit: format!("units/{unit}"), relation: directs })
            .collect(),
        ..Default::default()
    }
}

pub(crate) fn pair(official: &str, stand_in: &str) -> proto::StandInPair {
    proto::StandInPair {
        official: format!("officials/{official}"),
        stand_in: format!("officials/{stand_in}"),
        mutual: true,
    }
}

/// An excerpt of 临政办发〔2023〕12号.
pub(crate) fn division_12() -> proto::Division {
    proto::Division {
        document_number: "临政办发〔2023〕12号".into(),
        title: "关于市长、副市长、秘书长工作分工的通知".into(),
        effective_time: Some(time("2023-05-14T00:00:00+08:00")),
        portfolios: vec![
            proto::Portfolio { presides: true, ..portfolio("wang-yanfeng", &["审计"], &[]) },
            portfolio("wang-yuan", &["财政", "应急管理"], &["finance"]),
            portfolio("cui-yuanbin", &["工业和信息化", "民营经济"], &["industry"]),
            portfolio("hu-xiaogang", &["国企国资监管"], &[]),
            portfolio("qiao-feihong", &["生态环境", "水利"], &["water"]),
        ],
        pairs: vec![pair("wang-yuan", "qiao-feihong"), pair("cui-yuanbin", "hu-xiaogang")],
        ..Default::default()
    }
}

/// A later division in which 水利 and its bureau go to 崔元斌.
pub(crate) fn division_next() -> proto::Division {
    let mut division = division_12();
    division.document_number = "临政办发〔2023〕20号".into();
    division.effective_time = Some(time("2023-09-01T00:00:00+08:00"));
    division.portfolios.pop();
    division.portfolios.push(portfolio("qiao-feihong", &["生态环境"], &[]));
    division.portfolios[2] =
        portfolio("cui-yuanbin", &["工业和信息化", "民营经济", "水利"], &["industry", "water"]);
    division
}

/// Declares each test once for each back end.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::city::City::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::city::City::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both;
