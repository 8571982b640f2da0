//! What other services make of the roster that was written.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain_roster::Book;
use tokio::net::TcpListener;
use xietong_events::{Bus, EventSource};
use xietong_mesh::drain::Drain;
use xietong_mesh::event_log::RemoteLog;
use xietong_mesh::layer::MeshLayer;
use xietong_mesh::metrics::Metrics;
use xietong_mesh::readiness::Readiness;
use xietong_mesh::roster_snapshot::{RemoteSnapshot, SnapshotSource};
use xietong_mesh::serve::{ServeOptions, serve};
use xietong_mesh::token::{Issuer, Signer, SigningKey, Verifier, VerifyingKey, generate_keypair};
use xietong_mesh::{Peers, RosterCopy, Service, ServiceName};
use xietong_timers::{MachineClock, Progress, Worker};

/// Copies the roster by RPC, from a snapshot and by the log alone: both hold the book.
pub(super) async fn copies_hold(service: &Service, book: &Book) {
    let peers = peers(service).await;
    let log: Arc<dyn EventSource> = Arc::new(RemoteLog::new(ServiceName::Roster, peers.clone()));
    let snapshots = Arc::new(RemoteSnapshot::new(peers));
    let last_position = service.log.last_position().await.unwrap();
    let snapshot = snapshots.read().await.unwrap();
    assert_eq!(snapshot.position, last_position);
    assert_eq!(&snapshot.book, book, "the snapshot");
    let copy = || RosterCopy::new(ServiceName::Supervision, log.clone(), &Bus::embedded());
    for (copy, way) in [(copy(), "by the log"), (copy().starting_from(snapshots.clone()), "from a snapshot")]
    {
        while copy.turn().await.unwrap() == Progress::Worked {}
        let view = copy.view();
        assert_eq!((view.position, view.epoch.as_str()), (last_position, snapshot.epoch.as_str()), "{way}");
        assert_eq!(&*view.book, book, "{way}");
        assert!(copy.is_complete());
    }
}

async fn peers(service: &Service) -> Peers {
    let pair = generate_keypair().unwrap();
    let issuer = Issuer::System(ServiceName::Supervision);
    let key = SigningKey::from_pem(&pair.private_pem).unwrap();
    let trusted = BTreeMap::from([(issuer, VerifyingKey::all_from_pem(&pair.public_pem).unwrap())]);
    let verifier = Verifier::new(trusted, MachineClock::system());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let options = ServeOptions {
        listener,
        routes: service.routes.clone(),
        layer: MeshLayer::new(verifier, Metrics::new(ServiceName::Roster)).unwrap(),
        grace: Duration::from_secs(1),
        readiness: Readiness::new(),
        drain: Drain::new(),
    };
    tokio::spawn(serve(options, std::future::pending()));
    let signer = Signer::new(issuer, key, MachineClock::system());
    Peers::new(ServiceName::Supervision, &BTreeMap::from([(ServiceName::Roster, url)]), signer).unwrap()
}
