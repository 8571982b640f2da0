//! A small roster, and a real log of it served by RPC.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use domain_calendar::Timestamp;
use domain_roster::{
    Absence, Book, Division, Official, Portfolio, Registration, Relation, RosterEvent, StandInPair, Unit,
    UnitDuty, UnitKind,
};
use tokio::net::TcpListener;
use tonic::service::Routes;
use xietong_events::{Act, Append, Bus, Draft, EventLog, Sequencer};
use xietong_mesh::ServiceName;
use xietong_mesh::drain::Drain;
use xietong_mesh::event_log::EventLogServer;
use xietong_mesh::layer::MeshLayer;
use xietong_mesh::metrics::Metrics;
use xietong_mesh::readiness::Readiness;
use xietong_mesh::serve::{ServeOptions, serve};
use xietong_mesh::token::Verifier;
use xietong_proto::common::event_log_service_server::EventLogServiceServer;
use xietong_store::{CrashPoints, Db, migrate};
use xietong_timers::{Progress, Worker};

/// The units of the city: slug and name.
pub(crate) const UNITS: [(&str, &str); 6] = [
    ("office", "市政府办公室"),
    ("industry", "市工业和信息化局"),
    ("energy", "市能源局"),
    ("water", "市水利局"),
    ("health", "市卫生健康委员会"),
    ("yaodu", "尧都区人民政府"),
];

/// The roster's log and what it makes.
pub(crate) struct Roster {
    db: Db,
    pub(crate) book: Book,
    log: EventLog,
    sequencer: Sequencer,
}

impl Roster {
    /// A mayor, two deputies who stand in for each other, and the units: industry and energy
    /// are the first deputy's, water and health the second's, the rest falls to the mayor.
    pub(crate) async fn prepare(folder: &Path, at: Timestamp) -> Roster {
        let url = format!("sqlite://{}", folder.join("roster.db").display());
        let db = Db::connect(&url, 1, CrashPoints::default()).await.unwrap();
        migrate(&db, xietong_events::MIGRATIONS).await.unwrap();
        let log = EventLog::open("roster", db.clone()).await.unwrap();
        let sequencer = Sequencer::new(log.clone(), Bus::embedded());
        let mut roster = Roster { db, book: Book::new(), log, sequencer };
        for (slug, display_name) in UNITS {
            roster.found(slug, display_name, at).await;
        }
        for (id, title) in [("mayor", "市长"), ("first", "副市长一"), ("second", "副市长二")] {
            let official =
                Official { name: format!("officials/{id}"), display_name: title.to_owned(), posts: vec![] };
            roster.record(RosterEvent::OfficialCreated(official), at).await;
        }
        roster.record(RosterEvent::DivisionCreated(division(at)), at).await;
        roster
    }

    /// Appends an event and gives it its position.
    pub(crate) async fn record(&mut self, event: RosterEvent, at: Timestamp) {
        self.book.apply(&event, at).unwrap();
        let payload = event.to_payload().unwrap();
        let draft = Draft { event_type: event.event_type().to_owned(), payload };
        let version = self.log.last_position().await.unwrap();
        let aggregate = format!("entries/{version}");
        let append = Append { aggregate, expected_version: 0, drafts: vec![draft] };
        let act = Act {
            actor: "administrator".to_owned(),
            acting_for: None,
            ground: None,
            occurred_at: at,
            traceparent: None,
            causation_id: None,
        };
        let tx = self.db.begin().await.unwrap();
        self.log.append(&tx, &act, &[append]).await.unwrap();
        tx.commit().await.unwrap();
        while self.sequencer.turn().await.unwrap() == Progress::Worked {}
    }

    /// Founds a unit.
    pub(crate) async fn found(&mut self, slug: &str, display_name: &str, at: Timestamp) {
        self.record(RosterEvent::UnitCreated(unit(slug, display_name)), at).await;
    }

    /// Founds a unit below another.
    pub(crate) async fn found_below(&mut self, slug: &str, display_name: &str, parent: &str, at: Timestamp) {
        let parent = Some(format!("units/{parent}"));
        self.record(RosterEvent::UnitCreated(Unit { parent, ..unit(slug, display_name) }), at).await;
    }

    /// Registers an absence.
    pub(crate) async fn away(&mut self, official: &str, from: Timestamp, days: u64) {
        let registration = Registration {
            name: format!("absences/{official}"),
            official: format!("officials/{official}"),
            start_time: from,
            end_time: from.saturating_add(Duration::from_secs(days * 86_400)),
            stand_in: None,
            shares: vec![],
            excluded: domain_roster::Scope::default(),
            reason: "赴省城开会".to_owned(),
            approval: None,
            reassignment: None,
        };
        let event = Absence::create(&self.book, registration, from).unwrap();
        self.record(event, from).await;
    }

    /// Serves the log and says where.
    pub(crate) async fn serve(&self, verifier: Verifier) -> SocketAddr {
        let feed = EventLogServiceServer::new(EventLogServer::new(self.log.clone()));
        serve_routes(ServiceName::Roster, Routes::new(feed), verifier).await
    }
}

/// Serves routes behind the mesh's layer until the test ends.
pub(crate) async fn serve_routes(name: ServiceName, routes: Routes, verifier: Verifier) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let options = ServeOptions {
        listener,
        routes,
        layer: MeshLayer::new(verifier, Metrics::new(name)).unwrap(),
        grace: Duration::from_secs(1),
        readiness: Readiness::new(),
        drain: Drain::new(),
    };
    tokio::spawn(serve(options, std::future::pending()));
    address
}

fn unit(slug: &str, display_name: &str) -> Unit {
    Unit {
        name: format!("units/{slug}"),
        display_name: display_name.to_owned(),
        aliases: vec![],
        signboards: vec![],
        kind: if slug == "yaodu" { UnitKind::County } else { UnitKind::Department },
        parent: None,
        division_code: None,
        successor: None,
        start_time: None,
        end_time: None,
    }
}

fn division(at: Timestamp) -> Division {
    let portfolio = |official: &str, units: &[&str]| Portfolio {
        official: format!("officials/{official}"),
        presides: official == "mayor",
        fields: vec![],
        units: units
            .iter()
            .map(|unit| UnitDuty { unit: format!("units/{unit}"), relation: Relation::Directs })
            .collect(),
        classes: vec![],
    };
    Division {
        name: "divisions/one".to_owned(),
        document_number: "市政府分工通知".to_owned(),
        title: String::new(),
        effective_time: at,
        partial: false,
        portfolios: vec![
            portfolio("mayor", &[]),
            portfolio("first", &["industry", "energy"]),
            portfolio("second", &["water", "health"]),
        ],
        pairs: vec![StandInPair {
            official: "officials/first".to_owned(),
            stand_in: "officials/second".to_owned(),
            mutual: true,
        }],
        third_stand_ins: vec![],
        fallback: None,
        exclusions: vec![],
        absence_limit_days: None,
        corrects: None,
        record_time: at,
    }
}
