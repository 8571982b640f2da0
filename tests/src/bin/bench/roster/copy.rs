//! How long a service takes that starts with nothing until it holds the whole roster.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use xietong_events::{Act, Append, Bus, Draft, EventLog};
use xietong_mesh::event_log::RemoteLog;
use xietong_mesh::roster_snapshot::{RemoteSnapshot, SnapshotSource};
use xietong_mesh::{Peers, RosterCopy, RosterView, ServiceName};
use xietong_store::Db;
use xietong_testkit::wait::wait_for;
use xietong_tests::roster::{Size, history};
use xietong_timers::{Progress, Worker};

use crate::mesh::Mesh;
use crate::report::{Figure, Report};

/// The service that copies.
const READER: ServiceName = ServiceName::Supervision;
/// Events written in one transaction.
const EVENTS: usize = 500;
const PATIENCE: Duration = Duration::from_secs(120);

/// Measures a copy by the log alone and one from a snapshot, in turn.
pub(crate) async fn measure(
    report: &mut Report,
    mesh: &mut Mesh,
    size: Size,
    runs: usize,
) -> anyhow::Result<()> {
    record(mesh.databases.of(ServiceName::Roster)?, size).await?;
    let url = format!("http://{}", mesh.cluster.address(ServiceName::Roster)?);
    let urls = BTreeMap::from([(ServiceName::Roster, url)]);
    let peers = Peers::new(READER, &urls, mesh.cluster.service_signer(READER)?)?;
    let by_log = || {
        let log = Arc::new(RemoteLog::new(ServiceName::Roster, peers.clone()));
        RosterCopy::new(READER, log, &Bus::embedded())
    };
    let snapshots = Arc::new(RemoteSnapshot::new(peers.clone()));
    let from_snapshot = || by_log().starting_from(snapshots.clone());
    let (_, whole) = copied(by_log()).await?;
    // Where there is none, a copy reads the log, and nothing would be compared.
    ensure!(snapshots.read().await?.position == whole.position, "the snapshot is behind");
    report.setting("events", whole.position);
    report.setting("snapshot_bytes", serde_json::to_vec(&*whole.book)?.len());
    let (mut log_runs, mut snapshot_runs) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        for (copy, runs) in [(by_log(), &mut log_runs), (from_snapshot(), &mut snapshot_runs)] {
            let (seconds, view) = copied(copy).await?;
            ensure!(view.position == whole.position && view.book == whole.book, "two copies differ");
            runs.push(seconds);
        }
    }
    report.add(Figure::new("copy of the roster, by its log", "s", log_runs));
    report.add(Figure::new("copy of the roster, from a snapshot", "s", snapshot_runs));
    Ok(())
}

/// Seconds until a copy holds everything.
async fn copied(copy: RosterCopy) -> anyhow::Result<(f64, RosterView)> {
    let started = Instant::now();
    while copy.turn().await? == Progress::Worked {}
    ensure!(copy.is_complete(), "the roster's log has not settled");
    Ok((started.elapsed().as_secs_f64(), copy.view()))
}

/// Writes the history into the log of the roster, and waits until it is sequenced.
async fn record(db: &Db, size: Size) -> anyhow::Result<()> {
    let log = EventLog::open(ServiceName::Roster.as_str(), db.clone()).await?;
    let mut versions: BTreeMap<String, i64> = BTreeMap::new();
    for several in history(size).chunks(EVENTS) {
        let mut acts = Vec::new();
        for (event, recorded_at) in several {
            let act = Act {
                actor: "bench".to_owned(),
                acting_for: None,
                ground: None,
                occurred_at: *recorded_at,
                traceparent: None,
                causation_id: None,
            };
            let version = versions.entry(event.aggregate().into_owned()).or_default();
            let draft = Draft { event_type: event.event_type().to_owned(), payload: event.to_payload()? };
            let (aggregate, drafts) = (event.aggregate().into_owned(), vec![draft]);
            acts.push((act, Append { aggregate, expected_version: *version, drafts }));
            *version += 1;
        }
        let tx = db.begin().await?;
        log.append_acts(&tx, acts.iter().map(|(act, append)| (act, append))).await?;
        tx.commit().await?;
    }
    wait_for("the history is sequenced", PATIENCE, async || {
        log.read(0, 0).await.is_ok_and(|page| !page.pending)
    })
    .await
    .context("the roster does not sequence its log")
}
