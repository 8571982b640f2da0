//! One promise through every seam: the same answers, notices and events whichever way it
//! is asked for and however the mesh runs.

mod script;

use serde_json::Value;
use xietong_testkit::api::Protocol;

use crate::normal::Normal;
use crate::world::{SOON, WITH_LOG, World};
use script::Script;

/// What one run shows: each answer by step, and the events of each service.
struct Shown {
    answers: Vec<(String, Value)>,
    events: Vec<(String, Value)>,
}

async fn run(world: World, protocol: Protocol, since: &str) -> Shown {
    let transcript = Script::new(&world, protocol).await.play(since).await;
    let databases = world.databases().await;
    databases.settle(SOON).await.unwrap();
    let mut normal = Normal::default();
    let answers =
        transcript.into_iter().map(|(step, answer)| (step, normal.value(&answer))).collect::<Vec<_>>();
    let mut events = Vec::new();
    for service in WITH_LOG {
        let log = databases.log(service).await.unwrap();
        log.check().unwrap();
        events.push((service.to_string(), normal.log(&log)));
    }
    world.end().await;
    Shown { answers, events }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_promise_gives_the_same_answers_and_events_over_every_protocol_and_in_every_form() {
    // The same instant for all four, so that they plan the same.
    let since = "2026-06-10T08:00:00+08:00";

    let reference = run(World::one_process().await, Protocol::Rest, since).await;
    let others = [
        ("gRPC, one process", run(World::one_process().await, Protocol::Grpc, since).await),
        ("REST, five processes", run(World::five_processes().await, Protocol::Rest, since).await),
        ("gRPC, five processes", run(World::five_processes().await, Protocol::Grpc, since).await),
    ];
    for (name, other) in others {
        assert_same(name, &reference.answers, &other.answers);
        assert_same(name, &reference.events, &other.events);
    }
}

fn assert_same(name: &str, reference: &[(String, Value)], other: &[(String, Value)]) {
    assert_eq!(reference.len(), other.len(), "{name}");
    for ((step, expected), (_, found)) in reference.iter().zip(other) {
        if let Some(difference) = difference("", expected, found) {
            panic!("{name} differs from REST in one process at {step}: {difference}");
        }
    }
}

/// The first place at which two values differ.
fn difference(place: &str, expected: &Value, found: &Value) -> Option<String> {
    match (expected, found) {
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => one
            .iter()
            .zip(other)
            .enumerate()
            .find_map(|(index, (one, other))| difference(&format!("{place}[{index}]"), one, other)),
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => one
            .iter()
            .find_map(|(name, value)| difference(&format!("{place}.{name}"), value, other.get(name)?)),
        (one, other) if one == other => None,
        (one, other) => Some(format!("{place}: {one} is {other}")),
    }
}
