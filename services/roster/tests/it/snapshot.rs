//! Copies of the roster that start from a snapshot, and what they do when it is no good.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use domain_roster::{Book, RosterEvent};
use futures_util::{Stream, StreamExt, stream};
use tonic::service::Routes;
use tonic::{Request, Response, Status, async_trait};
use xietong_events::{Bus, Event, EventSource, LogPage, SourceError};
use xietong_mesh::event_log::{EventLogServer, RemoteLog};
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::roster_snapshot::{RemoteSnapshot, Snapshot, SnapshotError, SnapshotSource};
use xietong_mesh::{Code, Peers, RosterCopy, ServiceName};
use xietong_proto::common::event_log_service_server::EventLogServiceServer;
use xietong_proto::roster as proto;
use xietong_proto::roster::read_snapshot_response::Piece;
use xietong_proto::roster::snapshot_service_client::SnapshotServiceClient;
use xietong_proto::roster::snapshot_service_server::{SnapshotService, SnapshotServiceServer};
use xietong_timers::{Progress, Worker};

use crate::city::{City, create_unit, on_both, refused};

on_both!(
    a_snapshot_is_the_roster_at_its_position_whatever_is_being_written,
    a_copy_reads_the_log_when_the_snapshot_is_no_good,
    a_restored_roster_is_copied_anew,
    only_services_read_the_snapshot,
);

/// The way to a roster, by RPC. Notes what came of the snapshots.
struct Line {
    peers: Mutex<Peers>,
    came: Mutex<Vec<String>>,
}

impl Line {
    fn to(peers: Peers) -> Arc<Self> {
        Arc::new(Line { peers: Mutex::new(peers), came: Mutex::default() })
    }

    fn peers(&self) -> Peers {
        self.peers.lock().unwrap().clone()
    }

    fn came(&self) -> Vec<String> {
        std::mem::take(&mut self.came.lock().unwrap())
    }

    fn copy(self: &Arc<Self>) -> RosterCopy {
        RosterCopy::new(ServiceName::Workgroup, self.clone(), &Bus::embedded()).starting_from(self.clone())
    }
}

#[async_trait]
impl EventSource for Line {
    async fn read(&self, after: i64, limit: u32) -> Result<LogPage, SourceError> {
        RemoteLog::new(ServiceName::Roster, self.peers()).read(after, limit).await
    }
}

#[async_trait]
impl SnapshotSource for Line {
    async fn read(&self) -> Result<Snapshot, SnapshotError> {
        let found = RemoteSnapshot::new(self.peers()).read().await;
        let came = match &found {
            Ok(snapshot) => snapshot.epoch.clone(),
            Err(error) => error.to_string(),
        };
        self.came.lock().unwrap().push(came);
        found
    }
}

async fn bring_up(copy: &RosterCopy) {
    while copy.turn().await.unwrap() == Progress::Worked {}
}

async fn log_of(city: &City) -> Vec<Event> {
    let last = city.service.log.last_position().await.unwrap();
    let mut events = Vec::new();
    while i64::try_from(events.len()).unwrap() < last {
        let after = i64::try_from(events.len()).unwrap();
        events.extend(city.service.log.read(after, 1_000).await.unwrap().events);
    }
    events
}

fn book_of(events: &[Event], position: i64) -> Book {
    let mut book = Book::new();
    for event in events.iter().take_while(|event| event.position <= position) {
        let decoded = RosterEvent::from_payload(&event.event_type, &event.payload).unwrap().unwrap();
        book.apply(&decoded, event.occurred_at).unwrap();
    }
    book
}

/// The copy is what the log makes, to its end.
async fn holds_the_log(copy: &RosterCopy, city: &City) {
    let events = log_of(city).await;
    let view = copy.view();
    let page = city.service.log.read(0, 0).await.unwrap();
    assert_eq!((view.position, view.epoch.as_str()), (page.last_position, page.epoch()));
    assert_eq!(*view.book, book_of(&events, i64::MAX));
    assert!(copy.is_complete());
}

const WRITERS: usize = 4;
const WRITES: usize = 15;

async fn a_snapshot_is_the_roster_at_its_position_whatever_is_being_written(city: City) {
    let city = city.with_division().await;
    city.sequence().await;
    let source = RemoteSnapshot::new(city.serve(city.service.routes.clone()).await);
    let writing = AtomicBool::new(true);
    let write = async {
        let writers = (0..WRITERS).map(|writer| {
            let city = &city;
            async move {
                for number in 0..WRITES {
                    let slug = format!("office-{writer}-{number}");
                    city.unit(&slug, &format!("第{writer}办事处{number}股"), &[]).await;
                }
            }
        });
        futures_util::future::join_all(writers).await;
        city.sequence().await;
        writing.store(false, Ordering::SeqCst);
    };
    let sequence = async {
        while writing.load(Ordering::SeqCst) {
            city.sequence().await;
            tokio::task::yield_now().await;
        }
    };
    let read = async {
        let mut snapshots = Vec::new();
        while writing.load(Ordering::SeqCst) {
            snapshots.push(source.read().await.unwrap());
        }
        snapshots.push(source.read().await.unwrap());
        snapshots
    };
    let ((), (), snapshots) = tokio::join!(write, sequence, read);
    let events = log_of(&city).await;
    let last = i64::try_from(events.len()).unwrap();
    assert_eq!(snapshots.last().map(|snapshot| snapshot.position), Some(last));
    assert!(snapshots.iter().any(|snapshot| snapshot.position < last), "one was taken meanwhile");
    for snapshot in snapshots {
        assert_eq!(snapshot.book, book_of(&events, snapshot.position), "at {}", snapshot.position);
    }
}

/// A roster whose snapshots are these.
struct Given(Vec<Result<proto::ReadSnapshotResponse, Status>>);

#[async_trait]
impl SnapshotService for Given {
    type ReadSnapshotStream = Pin<Box<dyn Stream<Item = Result<proto::ReadSnapshotResponse, Status>> + Send>>;

    async fn read_snapshot(
        &self,
        _request: Request<proto::ReadSnapshotRequest>,
    ) -> Result<Response<Self::ReadSnapshotStream>, Status> {
        Ok(Response::new(Box::pin(stream::iter(self.0.clone()))))
    }
}

async fn a_copy_reads_the_log_when_the_snapshot_is_no_good(city: City) {
    let city = city.with_division().await;
    city.sequence().await;
    let request = city.system(proto::ReadSnapshotRequest {});
    let answer = SnapshotServiceClient::new(city.routes()).read_snapshot(request).await.unwrap();
    let sound: Vec<_> = answer.into_inner().collect().await;
    let head = |change: fn(&mut proto::SnapshotHead)| {
        let mut pieces = sound.clone();
        match pieces[0].as_mut().unwrap().piece.as_mut().unwrap() {
            Piece::Head(head) => change(head),
            Piece::Data(_) => panic!("the head comes first"),
        }
        pieces
    };
    let cut = sound[..sound.len() - 1].to_vec();
    let broken_off = [&cut[..], &[Err(Status::unavailable("the roster ends"))]].concat();
    let mut corrupt = sound.clone();
    match corrupt.last_mut().unwrap().as_mut().unwrap().piece.as_mut().unwrap() {
        Piece::Data(data) => *data.last_mut().unwrap() ^= 1,
        Piece::Head(_) => panic!("data comes after the head"),
    }
    let ahead = head(|head| head.position += 1);
    let other = head(|head| head.version = "0.0.1".into());
    for (pieces, why) in [
        (cut, "it is cut"),
        (broken_off, "the roster ends"),
        (corrupt, "its digest is another"),
        (ahead, "its digest is another"),
        (other, "version 0.0.1"),
        (vec![], "it is cut"),
    ] {
        let log = EventLogServiceServer::new(EventLogServer::new(city.service.log.clone()));
        let routes = Routes::new(log).add_service(SnapshotServiceServer::new(Given(pieces)));
        let line = Line::to(city.serve(routes).await);
        let copy = line.copy();
        bring_up(&copy).await;
        let came = line.came();
        assert!(matches!(&came[..], [one] if one.contains(why)), "{why}: {came:?}");
        holds_the_log(&copy, &city).await;
    }
    // A roster from before there were snapshots.
    let log = EventLogServiceServer::new(EventLogServer::new(city.service.log.clone()));
    let line = Line::to(city.serve(Routes::new(log)).await);
    let copy = line.copy();
    bring_up(&copy).await;
    assert!(line.came()[0].contains("the roster gives no snapshot"));
    holds_the_log(&copy, &city).await;
}

async fn a_restored_roster_is_copied_anew(city: City) {
    let city = city.with_division().await;
    city.sequence().await;
    let line = Line::to(city.serve(city.service.routes.clone()).await);
    let copy = line.copy();
    bring_up(&copy).await;
    holds_the_log(&copy, &city).await;
    let before = copy.view();
    let log = city.service.log.clone().begin_epoch().await.unwrap();
    drop(log);
    let city = city.restarted().await;
    city.unit("harbour", "市港务局", &[]).await;
    city.sequence().await;
    *line.peers.lock().unwrap() = city.serve(city.service.routes.clone()).await;
    bring_up(&copy).await;
    holds_the_log(&copy, &city).await;
    let after = copy.view();
    assert_eq!(after.position, before.position + 1);
    assert_ne!(after.epoch, before.epoch);
    assert_eq!(line.came(), [before.epoch, after.epoch], "a snapshot of each");
}

async fn only_services_read_the_snapshot(city: City) {
    let mut client = SnapshotServiceClient::new(city.routes());
    for role in Role::OF_ACCOUNTS {
        let request = city.of("one", vec![Grant::of(role)], proto::ReadSnapshotRequest {});
        let status = client.read_snapshot(request).await.map(drop).unwrap_err();
        assert_eq!(refused(status).code(), Code::PermissionDenied, "{role:?}");
    }
    let unsigned = client.read_snapshot(proto::ReadSnapshotRequest {}).await.map(drop).unwrap_err();
    assert_eq!(refused(unsigned).code(), Code::Unauthenticated);
    let unit = city.directory().create_unit(city.admin(create_unit("water", "市水利局", &[]))).await;
    unit.unwrap();
    let request = city.system(proto::ReadSnapshotRequest {});
    let pieces: Vec<_> = client.read_snapshot(request).await.unwrap().into_inner().collect().await;
    assert!(pieces.iter().all(Result::is_ok) && pieces.len() > 1);
}
