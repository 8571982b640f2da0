//! A log of supervision's, served to the roster by RPC.

use std::path::Path;
use std::time::Duration;

use domain_calendar::Timestamp;
use domain_roster::acting_ground;
use domain_supervision::{
    AssignmentChange, AssignmentEvent, AssignmentFacts, BulletinChange, BulletinEvent, BulletinFacts,
    DueTimes, PAPER_ISSUED, PaperIssued, PaperKind, Period, Role, TaskEvent, TaskFacts, Visibility,
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

/// Serves by TCP until the test ends.
pub(crate) fn listen(routes: Routes, listener: TcpListener, verifier: Verifier) {
    let options = ServeOptions {
        listener,
        routes,
        layer: MeshLayer::new(verifier, Metrics::new(ServiceName::Roster)).unwrap(),
        grace: Duration::from_secs(1),
        readiness: Readiness::new(),
        drain: Drain::new(),
    };
    tokio::spawn(serve(options, std::future::pending()));
}

pub(crate) struct SupervisionLog {
    db: Db,
    log: EventLog,
    sequencer: Sequencer,
}

impl SupervisionLog {
    pub(crate) async fn serve(folder: &Path, listener: TcpListener, verifier: Verifier) -> Self {
        let url = format!("sqlite://{}", folder.join("supervision.db").display());
        let db = Db::connect(&url, 1, CrashPoints::default()).await.unwrap();
        migrate(&db, xietong_events::MIGRATIONS).await.unwrap();
        let log = EventLog::open("supervision", db.clone()).await.unwrap();
        let sequencer = Sequencer::new(log.clone(), Bus::embedded());
        let feed = EventLogServiceServer::new(EventLogServer::new(log.clone()));
        listen(Routes::new(feed), listener, verifier);
        SupervisionLog { db, log, sequencer }
    }

    /// A verification, with the striking-off that follows in the same act, for an official who is
    /// away, by an authority.
    pub(crate) async fn verified(&self, official: &str, authority: &str, at: Timestamp) {
        let ground = acting_ground(1, "某", Some(authority));
        self.act(Some(official), Some(ground), at).await;
    }

    /// The same on any ground.
    pub(crate) async fn act(&self, official: Option<&str>, ground: Option<String>, at: Timestamp) {
        let number = self.log.last_position().await.unwrap() + 1;
        let task = TaskFacts {
            name: format!("tasks/{number}"),
            ledger_number: number,
            title: "水库排查".to_owned(),
            created_by: "supervisor".to_owned(),
            visibility: Visibility::Internal,
            restricted_units: vec![],
            origin: None,
            urgent: false,
            designated: None,
        };
        let assignment = AssignmentFacts {
            name: format!("tasks/{number}/assignments/1"),
            unit: "units/water".to_owned(),
            role: Role::Lead,
            due: DueTimes::default(),
        };
        let event = |change| {
            let (task, assignment) = (task.clone(), assignment.clone());
            TaskEvent::Assignment(AssignmentEvent { task, assignment, at, late: vec![], change })
        };
        let changes = [
            AssignmentChange::Verified { note: String::new(), completed_at: at },
            AssignmentChange::StruckOff { completed_at: at, with_task: false, counted_from: None },
        ];
        let drafts = changes.map(event).into_iter().map(|event| Draft {
            event_type: event.event_type().to_owned(),
            payload: event.to_payload().unwrap().to_string(),
        });
        let append = Append { aggregate: task.name.clone(), expected_version: 0, drafts: drafts.collect() };
        self.append(&[append], official, ground, at).await;
    }

    /// A bulletin that is signed for an official who is away, by an authority, with its paper.
    pub(crate) async fn signed_bulletin(&self, official: &str, authority: &str, at: Timestamp) {
        let (paper, number) = ("papers/1".to_owned(), "督通〔2023〕1号".to_owned());
        let issued = PaperIssued {
            name: paper.clone(),
            kind: PaperKind::Bulletin,
            number: number.clone(),
            task: None,
            assignment: None,
            unit: None,
            decided_by: Some(format!("officials/{official}")),
            at,
        };
        let signed = BulletinEvent {
            bulletin: BulletinFacts {
                name: "bulletins/1".to_owned(),
                title: "六月通报".to_owned(),
                period: Period { start: at, end: at },
                leader: format!("officials/{official}"),
                created_by: "supervisor".to_owned(),
            },
            at,
            change: BulletinChange::Issued { paper: paper.clone(), number, units: vec![] },
        };
        let append = |aggregate: &str, event_type: &str, payload: String| Append {
            aggregate: aggregate.to_owned(),
            expected_version: 0,
            drafts: vec![Draft { event_type: event_type.to_owned(), payload }],
        };
        let appends = [
            append(&paper, PAPER_ISSUED, serde_json::to_string(&issued).unwrap()),
            append("bulletins/1", signed.event_type(), signed.to_payload().unwrap().to_string()),
        ];
        self.append(&appends, Some(official), Some(acting_ground(1, "某", Some(authority))), at).await;
    }

    async fn append(
        &self,
        appends: &[Append],
        official: Option<&str>,
        ground: Option<String>,
        at: Timestamp,
    ) {
        let act = Act {
            actor: "hu".to_owned(),
            acting_for: official.map(|official| format!("officials/{official}")),
            ground,
            occurred_at: at,
            traceparent: None,
            causation_id: None,
        };
        let tx = self.db.begin().await.unwrap();
        self.log.append(&tx, &act, appends).await.unwrap();
        tx.commit().await.unwrap();
        while self.sequencer.turn().await.unwrap() == Progress::Worked {}
    }
}
