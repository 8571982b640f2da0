//! A city with its supervision service running.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use domain_attachment::{Attachment, Digest};
use domain_calendar::Timestamp;
use domain_roster::{Official, Post, PostKind, RosterEvent};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use xietong_events::Bus;
use xietong_mesh::drain::Drain;
use xietong_mesh::principal::{Grant, PRINCIPAL_METADATA, Principal, Role};
use xietong_mesh::token::{Issuer, Purpose, Signer, SigningKey, Verifier, VerifyingKey, generate_keypair};
use xietong_mesh::{Error, Ground, Peers, Service, ServiceName, attachments};
use xietong_proto::common;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::archive_service_client::ArchiveServiceClient;
use xietong_proto::supervision::bulletin_service_client::BulletinServiceClient;
use xietong_proto::supervision::circumstance_service_client::CircumstanceServiceClient;
use xietong_proto::supervision::division_preview_service_client::DivisionPreviewServiceClient;
use xietong_proto::supervision::explain_service_client::ExplainServiceClient;
use xietong_proto::supervision::inspection_service_client::InspectionServiceClient;
use xietong_proto::supervision::instrument_service_client::InstrumentServiceClient;
use xietong_proto::supervision::ledger_service_client::LedgerServiceClient;
use xietong_proto::supervision::matter_service_client::MatterServiceClient;
use xietong_proto::supervision::paper_service_client::PaperServiceClient;
use xietong_proto::supervision::rule_service_client::RuleServiceClient;
use xietong_proto::supervision::score_rule_service_client::ScoreRuleServiceClient;
use xietong_proto::supervision::side_road_service_client::SideRoadServiceClient;
use xietong_proto::supervision::task_service_client::TaskServiceClient;
use xietong_store::CrashPoints;
use xietong_timers::{Clock, MachineClock, Progress, SimulatedClock, Worker};

use crate::roster::{Roster, serve_routes};

/// Which database is under the service.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Store {
    Sqlite,
    Postgres,
}

/// A Thursday morning.
pub(crate) const START: &str = "2023-06-01T09:00:00+08:00";

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// The service, its roster and whoever calls it. Workers turn only when told to.
pub(crate) struct City {
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) service: Service,
    pub(crate) roster: Roster,
    address: SocketAddr,
    database_url: String,
    roster_address: SocketAddr,
    signers: BTreeMap<Issuer, Signer>,
    verifier: Verifier,
    _folder: TempDir,
}

pub(crate) type LedgerClient = LedgerServiceClient<InterceptedService<Channel, Bearer>>;
pub(crate) type PaperClient = PaperServiceClient<InterceptedService<Channel, Bearer>>;
pub(crate) type Bulletins = BulletinServiceClient<InterceptedService<Channel, Bearer>>;
pub(crate) type MatterClient = MatterServiceClient<InterceptedService<Channel, Bearer>>;
pub(crate) type SideRoads = SideRoadServiceClient<InterceptedService<Channel, Bearer>>;
pub(crate) type Client = TaskServiceClient<InterceptedService<Channel, Bearer>>;

/// Puts a signed principal into each call.
#[derive(Clone)]
pub(crate) struct Bearer(String);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert(PRINCIPAL_METADATA, self.0.parse().unwrap());
        Ok(request)
    }
}

impl City {
    /// A city whose clock stands at [`START`] and whose copy of the roster is complete.
    pub(crate) async fn start(store: Store) -> City {
        let folder = tempfile::tempdir().unwrap();
        let (signers, verifier) = keys(&[
            Issuer::Gateway,
            Issuer::System(ServiceName::Supervision),
            Issuer::System(ServiceName::Workgroup),
        ]);
        let roster = Roster::prepare(folder.path(), at("2023-05-14T00:00:00+08:00")).await;
        let roster_address = roster.serve(verifier.clone()).await;

        // It runs until it is held, so it starts a little earlier.
        let clock = Arc::new(SimulatedClock::starting_at(at("2023-06-01T08:00:00+08:00")));
        clock.hold();
        clock.set(at(START));
        let database_url = match store {
            Store::Sqlite => format!("sqlite://{}", folder.path().join("supervision.db").display()),
            Store::Postgres => xietong_testkit::servers::postgres_database("supervision").await.unwrap(),
        };
        let signer = &signers[&Issuer::System(ServiceName::Supervision)];
        let service = build(&database_url, &clock, roster_address, signer).await;
        let address = serve_routes(ServiceName::Supervision, service.routes.clone(), verifier.clone()).await;
        let city = City {
            clock,
            service,
            roster,
            address,
            database_url,
            roster_address,
            signers,
            verifier,
            _folder: folder,
        };
        city.follow_roster().await;
        city
    }

    /// Starts the service anew on its database, with a copy that has heard nothing yet.
    pub(crate) async fn restart(&mut self) {
        self.restart_with_the_roster_at(self.roster_address).await;
    }

    /// The same, with nobody where the roster should be.
    pub(crate) async fn restart_with_the_roster_down(&mut self) {
        let nobody = self.restart_with_a_hanging_roster().await;
        drop(nobody);
    }

    /// The same, with a roster that never answers. It can be seen that it is being asked: there
    /// is a connection to accept.
    pub(crate) async fn restart_with_a_hanging_roster(&mut self) -> TcpListener {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.restart_with_the_roster_at(listener.local_addr().unwrap()).await;
        listener
    }

    async fn restart_with_the_roster_at(&mut self, roster: SocketAddr) {
        let signer = &self.signers[&Issuer::System(ServiceName::Supervision)];
        self.service = build(&self.database_url, &self.clock, roster, signer).await;
        let routes = self.service.routes.clone();
        self.address = serve_routes(ServiceName::Supervision, routes, self.verifier.clone()).await;
    }

    /// Lets the copy of the roster catch up.
    pub(crate) async fn follow_roster(&self) {
        let copy = self.service.copy.as_ref().unwrap();
        while copy.turn().await.unwrap() == Progress::Worked {}
        assert!(self.service.is_ready());
    }

    /// Lets there be an official who is a unit's liaison, and no leader.
    pub(crate) async fn add_liaison(&mut self, unit: &str) {
        let liaison = Official {
            name: format!("officials/{unit}-liaison"),
            display_name: "联络员".to_owned(),
            posts: vec![Post {
                kind: PostKind::Liaison,
                unit: Some(format!("units/{unit}")),
                title: String::new(),
                start_time: None,
                end_time: None,
            }],
        };
        let now = self.clock.now();
        self.roster.record(RosterEvent::OfficialCreated(liaison), now).await;
        self.follow_roster().await;
    }

    /// Moves the clock to an instant and fires what is due, until nothing is.
    pub(crate) async fn wait_until(&self, text: &str) {
        self.clock.set(at(text));
        let timers = self.service.timers.as_ref().unwrap();
        while timers.turn().await.unwrap() == Progress::Worked {}
    }

    /// Lives until an instant: fires each timer at the instant it is due, one after the other.
    pub(crate) async fn live_until(&self, text: &str) {
        let timers = self.service.timers.as_ref().unwrap();
        while let Some(due) = timers.next_due().await.unwrap().filter(|due| *due <= at(text)) {
            self.clock.set(due.max(self.clock.now()));
            while timers.turn().await.unwrap() == Progress::Worked {}
        }
        self.clock.set(at(text));
    }

    /// What becomes known of tasks, as this principal.
    pub(crate) fn circumstances(
        &self,
        principal: &Principal,
    ) -> CircumstanceServiceClient<InterceptedService<Channel, Bearer>> {
        let token = self.signers[&Issuer::Gateway].sign(principal).unwrap();
        let channel = Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy();
        CircumstanceServiceClient::with_interceptor(channel, Bearer(token))
    }

    /// Inspections, as this principal.
    pub(crate) fn inspections(
        &self,
        principal: &Principal,
    ) -> InspectionServiceClient<InterceptedService<Channel, Bearer>> {
        let token = self.signers[&Issuer::Gateway].sign(principal).unwrap();
        let channel = Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy();
        InspectionServiceClient::with_interceptor(channel, Bearer(token))
    }

    /// A client that calls as this principal.
    pub(crate) fn client(&self, principal: &Principal) -> Client {
        let issuer = principal.service.map_or(Issuer::Gateway, Issuer::System);
        let token = self.signers[&issuer].sign(principal).unwrap();
        let channel = Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy();
        TaskServiceClient::with_interceptor(channel, Bearer(token))
            .max_decoding_message_size(64 * 1024 * 1024)
    }

    /// A client of the side roads that calls as this principal.
    pub(crate) fn side_roads(&self, principal: &Principal) -> SideRoads {
        let token = self.signers[&Issuer::Gateway].sign(principal).unwrap();
        let channel = Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy();
        SideRoadServiceClient::with_interceptor(channel, Bearer(token))
    }

    /// A client of the instruments that calls as this principal.
    pub(crate) fn instruments(
        &self,
        principal: &Principal,
    ) -> InstrumentServiceClient<InterceptedService<Channel, Bearer>> {
        let token = self.signers[&Issuer::Gateway].sign(principal).unwrap();
        let channel = Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy();
        InstrumentServiceClient::with_interceptor(channel, Bearer(token))
    }

    /// What the roster asks, as this principal.
    pub(crate) fn previews(
        &self,
        principal: &Principal,
    ) -> DivisionPreviewServiceClient<InterceptedService<Channel, Bearer>> {
        let token = self.signers[&Issuer::Gateway].sign(principal).unwrap();
        let channel = Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy();
        DivisionPreviewServiceClient::with_interceptor(channel, Bearer(token))
    }

    /// Versions of the rule, as this principal.
    pub(crate) fn rules(
        &self,
        principal: &Principal,
    ) -> RuleServiceClient<InterceptedService<Channel, Bearer>> {
        let token = self.signers[&Issuer::Gateway].sign(principal).unwrap();
        let channel = Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy();
        RuleServiceClient::with_interceptor(channel, Bearer(token))
    }

    /// Why deadlines are what they are, as this principal.
    pub(crate) fn explanations(
        &self,
        principal: &Principal,
    ) -> ExplainServiceClient<InterceptedService<Channel, Bearer>> {
        let token = self.signers[&Issuer::Gateway].sign(principal).unwrap();
        let channel = Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy();
        ExplainServiceClient::with_interceptor(channel, Bearer(token))
    }

    /// Lets every worker do what there is to do.
    pub(crate) async fn run(&self) {
        for worker in &self.service.workers {
            while worker.turn().await.unwrap() == Progress::Worked {}
        }
    }

    /// How to call as this principal, whatever the service.
    pub(crate) fn as_caller(&self, principal: &Principal) -> (Channel, Bearer) {
        let token = self.signers[&Issuer::Gateway].sign(principal).unwrap();
        let channel = Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy();
        (channel, Bearer(token))
    }

    /// A reader of the ledger as a whole.
    pub(crate) fn ledger(&self, principal: &Principal) -> LedgerClient {
        let token = self.signers[&Issuer::Gateway].sign(principal).unwrap();
        let channel = Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy();
        LedgerServiceClient::with_interceptor(channel, Bearer(token))
    }

    /// Who issues papers, or reads them.
    pub(crate) fn papers(&self, principal: &Principal) -> PaperClient {
        let token = self.signers[&Issuer::Gateway].sign(principal).unwrap();
        let channel = Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy();
        PaperServiceClient::with_interceptor(channel, Bearer(token))
    }

    /// A connection as this principal.
    pub(crate) fn connection(&self, principal: &Principal) -> (Channel, Bearer) {
        let issuer = principal.service.map_or(Issuer::Gateway, Issuer::System);
        let token = self.signers[&issuer].sign(principal).unwrap();
        let channel = Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy();
        (channel, Bearer(token))
    }

    /// What the gateway answers when this principal uploads a file.
    pub(crate) fn uploaded(&self, principal: &Principal, number: u8, name: &str) -> common::Attachment {
        let file = Attachment {
            digest: Digest::of_bytes([number; 32]),
            size: 3,
            media_type: "application/pdf".to_owned(),
            display_name: name.to_owned(),
        };
        let signer = &self.signers[&Issuer::Gateway];
        let receipt = signer.sign_attachment(Purpose::Receipt, &principal.subject, &file).unwrap();
        common::Attachment { receipt, ..attachments::encode(&file) }
    }

    /// Trusts everybody of the mesh.
    pub(crate) fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Everybody signs with another key from now on, and is trusted with that alone. The service
    /// learns of it when it is started anew.
    pub(crate) fn change_keys(&mut self) {
        let issuers: Vec<Issuer> = self.signers.keys().copied().collect();
        (self.signers, self.verifier) = keys(&issuers);
    }

    /// Who drafts, checks, appeals or signs bulletins.
    pub(crate) fn bulletins(&self, principal: &Principal) -> Bulletins {
        let token = self.signers[&Issuer::Gateway].sign(principal).unwrap();
        let channel = Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy();
        BulletinServiceClient::with_interceptor(channel, Bearer(token))
    }

    /// Versions of the rule of scoring, as this principal.
    pub(crate) fn score_rules(
        &self,
        principal: &Principal,
    ) -> ScoreRuleServiceClient<InterceptedService<Channel, Bearer>> {
        let token = self.signers[&Issuer::Gateway].sign(principal).unwrap();
        let channel = Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy();
        ScoreRuleServiceClient::with_interceptor(channel, Bearer(token))
    }

    /// What is kept of tasks that are over, as this principal.
    pub(crate) fn archives(
        &self,
        principal: &Principal,
    ) -> ArchiveServiceClient<InterceptedService<Channel, Bearer>> {
        let token = self.signers[&Issuer::Gateway].sign(principal).unwrap();
        let channel = Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy();
        ArchiveServiceClient::with_interceptor(channel, Bearer(token))
    }

    /// Who links tasks as matters, or looks at them.
    pub(crate) fn matters(&self, principal: &Principal) -> MatterClient {
        let token = self.signers[&Issuer::Gateway].sign(principal).unwrap();
        let channel = Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy();
        MatterServiceClient::with_interceptor(channel, Bearer(token))
    }

    pub(crate) fn supervisor(&self) -> Client {
        self.client(&supervisor())
    }

    /// Somebody who does a unit's work.
    pub(crate) fn clerk(&self, unit: &str) -> Client {
        self.client(&clerk(unit))
    }

    pub(crate) fn leader(&self, official: &str) -> Client {
        self.client(&leader(official))
    }

    /// Enters a task, issued, and returns it: one more like others if there are such.
    pub(crate) async fn issued(&self, task: proto::Task) -> proto::Task {
        let request = proto::CreateTaskRequest {
            task: Some(task),
            issue: true,
            confirm_duplicates: true,
            ..Default::default()
        };
        self.supervisor().create_task(request).await.unwrap().into_inner()
    }

    pub(crate) async fn get(&self, name: &str) -> proto::Task {
        let request = proto::GetTaskRequest { name: name.to_owned() };
        self.supervisor().get_task(request).await.unwrap().into_inner()
    }

    pub(crate) async fn timeline(&self, name: &str) -> Vec<proto::TimelineEntry> {
        let request = proto::GetTimelineRequest { name: name.to_owned(), ..Default::default() };
        self.supervisor().get_timeline(request).await.unwrap().into_inner().entries
    }

    /// What the supervisor's list says, whole.
    pub(crate) async fn list(&self, request: proto::ListTasksRequest) -> Vec<proto::Task> {
        list_all(&mut self.supervisor(), request).await
    }
}

/// Fresh keys of these issuers, and who trusts them.
fn keys(issuers: &[Issuer]) -> (BTreeMap<Issuer, Signer>, Verifier) {
    let machine = MachineClock::system();
    let (mut signers, mut trusted) = (BTreeMap::new(), BTreeMap::new());
    for issuer in issuers {
        let keys = generate_keypair().unwrap();
        let key = SigningKey::from_pem(&keys.private_pem).unwrap();
        signers.insert(*issuer, Signer::new(*issuer, key, machine));
        trusted.insert(*issuer, VerifyingKey::all_from_pem(&keys.public_pem).unwrap());
    }
    (signers, Verifier::new(trusted, machine))
}

/// The service on its database, with the roster at an address.
async fn build(
    database_url: &str,
    clock: &Arc<SimulatedClock>,
    roster: SocketAddr,
    signer: &Signer,
) -> Service {
    let urls = BTreeMap::from([(ServiceName::Roster, format!("http://{roster}"))]);
    let ground = Ground {
        name: ServiceName::Supervision,
        database_url: database_url.to_owned(),
        connections: 8,
        crash: CrashPoints::default(),
        clock: Clock::Simulated(clock.clone()),
        bus: Bus::embedded(),
        drain: Drain::new(),
        peers: Peers::new(ServiceName::Supervision, &urls, signer.clone()).unwrap(),
    };
    xietong_supervision::build(ground).await.unwrap()
}

/// Every page of a list.
pub(crate) async fn list_all(client: &mut Client, mut request: proto::ListTasksRequest) -> Vec<proto::Task> {
    let mut tasks = Vec::new();
    loop {
        let page = client.list_tasks(request.clone()).await.unwrap().into_inner();
        tasks.extend(page.tasks);
        if page.next_page_token.is_empty() {
            return tasks;
        }
        request.page_token = page.next_page_token;
    }
}

pub(crate) fn account(subject: &str, grant: Grant) -> Principal {
    Principal::account(subject, None, vec![grant])
}

pub(crate) fn supervisor() -> Principal {
    account("supervisor", Grant::of(Role::Supervisor))
}

pub(crate) fn clerk(unit: &str) -> Principal {
    account(&format!("clerk-{unit}"), Grant::of(Role::UnitClerk).in_unit(format!("units/{unit}")))
}

/// Somebody who approves what a unit says.
pub(crate) fn approver(unit: &str) -> Principal {
    account(&format!("approver-{unit}"), Grant::of(Role::UnitApprover).in_unit(format!("units/{unit}")))
}

pub(crate) fn leader(official: &str) -> Principal {
    let grants = vec![Grant::of(Role::Leader)];
    Principal::account(format!("leader-{official}"), Some(format!("officials/{official}")), grants)
}

/// A task of these units in these roles.
pub(crate) fn task(title: &str, units: &[(&str, proto::AssignmentRole)]) -> proto::Task {
    proto::Task {
        title: title.to_owned(),
        text: format!("{title}。6月底前完成。"),
        unclassified: true,
        assignments: units
            .iter()
            .map(|(unit, role)| proto::Assignment {
                unit: format!("units/{unit}"),
                role: (*role).into(),
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    }
}

/// A task of one lead unit.
pub(crate) fn task_of(unit: &str) -> proto::Task {
    task("清洁取暖改造", &[(unit, proto::AssignmentRole::Lead)])
}

/// The refusal of a call: its code and the mesh's error.
pub(crate) fn refusal<T: std::fmt::Debug>(outcome: Result<tonic::Response<T>, Status>) -> (Code, Error) {
    let status = outcome.unwrap_err();
    (status.code(), Error::from_status(&status))
}
