//! A new folder is filled with the sample city once, however often its first start is killed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use domain_calendar::Timestamp;
use xietong_testkit::history::Log;
use xietong_testkit::wait::wait_for;

use crate::program::Program;
use crate::world::{SOON, WITH_LOG, databases_in};

/// When it is killed: as soon as its clock has got there, with the acts of that instant under
/// way. The plan is issued, units sign, deploy and report, a group is founded, the division of
/// work changes, work is struck off, the tasks of the last day are issued.
const KILLED_AT: [&str; 8] = [
    "2023-04-20T10:00+08:00",
    "2023-04-20T15:30+08:00",
    "2023-04-24T16:00+08:00",
    "2023-05-13T00:00+08:00",
    "2023-05-14T00:00+08:00",
    "2023-05-16T16:00+08:00",
    "2023-05-26T15:00+08:00",
    "2023-06-01T09:00+08:00",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_filling_that_is_killed_again_and_again_makes_the_same_city() {
    let (whole, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    Program::fill(whole.path(), "full").await;
    let expected = logs(whole.path()).await;

    // While it founds the units there is nothing to be seen but that the roster grows.
    kill_when(killed.path(), async || size(&killed.path().join("roster.db-wal")) > 400_000).await;
    for at in KILLED_AT {
        let at = Timestamp::parse(at).unwrap();
        kill_when(killed.path(), async || clock(killed.path()).is_some_and(|now| now >= at)).await;
    }
    Program::fill(killed.path(), "full").await;
    let completed = logs(killed.path()).await;
    assert_eq!(counts(&completed), counts(&expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_a_filling_has_its_effect_once() {
    let data = tempfile::tempdir().unwrap();
    Program::fill(data.path(), "full").await;
    let filled = logs(data.path()).await;

    // As if it had been cut off just before it noted that it was complete.
    let note = data.path().join("sample");
    assert_eq!(fs::read_to_string(&note).unwrap(), "full complete");
    fs::write(&note, "full").unwrap();
    Program::fill(data.path(), "full").await;
    assert_eq!(fs::read_to_string(&note).unwrap(), "full complete");
    assert_eq!(logs(data.path()).await, filled, "all of it was done before");
}

/// Starts it on a folder and kills it when the condition has become true.
async fn kill_when(data: &Path, condition: impl AsyncFnMut() -> bool) {
    let program = Program::up(data, "full");
    wait_for("the moment to kill it", SOON, condition).await.unwrap();
    program.kill().await;
}

/// Where its stored clock stands.
fn clock(data: &Path) -> Option<Timestamp> {
    fs::read_to_string(data.join("clock")).ok().and_then(|text| Timestamp::parse(text.trim()).ok())
}

fn size(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |file| file.len())
}

/// What every service wrote.
async fn logs(data: &Path) -> Vec<Log> {
    let databases = databases_in(data).await;
    let mut logs = Vec::new();
    for service in WITH_LOG {
        let log = databases.log(service).await.unwrap();
        log.check().unwrap();
        logs.push(log);
    }
    logs
}

/// How often each thing happened.
fn counts(logs: &[Log]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for event in logs.iter().flat_map(|log| &log.events) {
        *counts.entry(event.event_type.as_str()).or_default() += 1;
    }
    counts
}
