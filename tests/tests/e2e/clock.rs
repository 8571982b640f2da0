//! Advancing the simulated clock fires what is due across services in order, the same every
//! time.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use xietong::cli::Sample;
use xietong_events::Event;
use xietong_mesh::ServiceName;
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::cluster::ADMINISTRATOR;
use xietong_testkit::history::Log;

use crate::normal::Normal;
use crate::program::Program;
use crate::world::{SOON, SUPERVISOR, World};

const RUNS: usize = 10;
const MONTH: &str = "2678400s";

#[tokio::test(flavor = "multi_thread")]
async fn a_month_of_deadlines_climbing_and_digests_is_the_same_in_ten_runs() {
    // Founded once: that takes longer than the month.
    let founded = tempfile::tempdir().unwrap();
    Program::fill(founded.path(), "directory").await;
    let reference = month(founded.path()).await;
    for run in 1..RUNS {
        let other = month(founded.path()).await;
        for ((service, expected), (_, found)) in reference.iter().zip(&other) {
            assert_eq!(expected.len(), found.len(), "{service}, run {run}");
            for (place, (expected, found)) in expected.iter().zip(found).enumerate() {
                assert_eq!(expected, found, "event {place} of {service}, run {run}");
            }
        }
    }
}

/// What a month makes of tasks that nobody signs for, in a copy of the city that was founded:
/// the events of each service in order.
async fn month(founded: &Path) -> Vec<(ServiceName, Vec<Value>)> {
    let data = tempfile::tempdir().unwrap();
    for file in fs::read_dir(founded).unwrap() {
        let file = file.unwrap().path();
        // The folder of attachments is empty: nobody has attached anything.
        if file.is_file() {
            fs::copy(&file, data.path().join(file.file_name().unwrap())).unwrap();
        }
    }
    let world = World::started(data, Sample::Directory).await;
    let supervisor = world.api(Protocol::Rest, SUPERVISOR).await;
    let administrator = world.api(Protocol::Grpc, ADMINISTRATOR).await;
    for (title, grade, units) in [
        ("水库隐患排查", "GRADE_ORDINARY", ["shuiliju", "nengyuanju"]),
        ("管线用地手续", "GRADE_MAJOR", ["nengyuanju", "gongxinju"]),
        ("预算收入增长", "GRADE_LONG_TERM", ["zhujianju", "weijianwei"]),
    ] {
        issue(&supervisor, title, grade, units).await;
    }
    // Begins and ends within the month, so that notices change hands twice on the way.
    let absence = json!({
        "official": "officials/qiaofeihong",
        "startTime": "2023-06-05T00:00:00+08:00",
        "endTime": "2023-06-20T00:00:00+08:00",
    });
    administrator.call("RosterService/CreateAbsence", json!({"absence": absence})).await.unwrap();

    let advanced = administrator.call("ClockService/AdvanceClock", json!({"duration": MONTH})).await.unwrap();
    assert!(advanced["timersFired"].as_str().unwrap().parse::<u64>().unwrap() > 20, "{advanced}");
    let databases = world.databases().await;
    databases.settle(SOON).await.unwrap();
    let mut normal = Normal::default();
    let mut logs = Vec::new();
    for service in [ServiceName::Roster, ServiceName::Supervision, ServiceName::Notification] {
        let log = databases.log(service).await.unwrap();
        log.check().unwrap();
        never_backwards(&log);
        if service == ServiceName::Notification {
            climbs(&log);
        }
        let events = log.events.iter().map(|event| json!([hour(event), normal.event(event)]));
        logs.push((service, events.collect()));
    }
    world.end().await;
    logs
}

async fn issue(supervisor: &Api, title: &str, grade: &str, units: [&str; 2]) {
    let lead = |unit: &str| json!({"unit": format!("units/{unit}"), "role": "ASSIGNMENT_ROLE_LEAD"});
    let task = json!({
        "title": title,
        "text": "全文",
        "grade": grade,
        "assignments": units.map(lead),
        "unclassified": true,
    });
    supervisor.call("TaskService/CreateTask", json!({"task": task, "issue": true})).await.unwrap();
}

/// The clock runs while the city is set up, so runs differ by moments: never by an hour.
fn hour(event: &Event) -> String {
    event.occurred_at.to_string().chars().take("2023-06-01T09".len()).collect()
}

fn never_backwards(log: &Log) {
    let times: Vec<_> = log.events.iter().map(|event| event.occurred_at).collect();
    assert!(times.is_sorted(), "{} goes back in time", log.producer);
}

/// What is overdue is told, climbs from the liaison over the head to the leader, and is in
/// the leader's digest, one after the other.
fn climbs(log: &Log) {
    let payloads: Vec<(&str, Value)> = log
        .events
        .iter()
        .map(|event| (event.event_type.as_str(), serde_json::from_str(&event.payload).unwrap()))
        .collect();
    let chain: [(&str, &str, &str); 4] = [
        ("notification.message.sent", "/kind", "light"),
        ("notification.message.climbed", "/rung", "head"),
        ("notification.message.climbed", "/rung", "leader"),
        ("notification.digest.sent", "/message/kind", "digest"),
    ];
    let mut after = 0;
    for (event_type, pointer, value) in chain {
        let found = payloads[after..].iter().position(|(found, payload)| {
            *found == event_type && payload.pointer(pointer).and_then(Value::as_str) == Some(value)
        });
        let found = found.unwrap_or_else(|| panic!("no {event_type} of {value} after {after}"));
        after += found + 1;
    }
}
