//! The change feed over the gateway's server-sent events: resumed by `Last-Event-ID`, without loss or
//! repetition, while the gateway dies and comes back.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use xietong_mesh::ServiceName;
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::cluster::Cluster;
use xietong_testkit::wait::wait_for_value;

use crate::load::{persist, task};
use crate::world::{SOON, SUPERVISOR, linfen_cluster};

const RESTARTS: usize = 3;
const TASKS: usize = 4;
/// Heartbeats come oftener.
const SILENCE: Duration = Duration::from_secs(60);
/// Only these: what the city was founded with would be most of the feed.
const TYPES: &str = "supervision.task.*";

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_goes_on_by_last_event_id_without_loss_or_repetition_when_the_gateway_dies() {
    let mut cluster = linfen_cluster().await;
    let supervisor = cluster.api(Protocol::Rest, SUPERVISOR).await.unwrap();
    let token = cluster.token(SUPERVISOR).await.unwrap();
    let url = format!("{}/v1/events:stream?types={TYPES}", cluster.gateway().unwrap());
    let reader = Reader { url, token };
    let mut seen: Vec<(i64, String)> = Vec::new();
    for restart in 0..RESTARTS {
        create(&supervisor, &format!("before/{restart}")).await;
        // One event of them is read, the others are lost with the connection or still to come.
        let mut events = reader.open(seen.last().map(|(position, _)| *position)).await;
        seen.push(events.next().await.expect("an event before the gateway dies"));
        cluster.kill(ServiceName::Gateway).await.unwrap();
        while let Some(event) = events.next().await {
            seen.push(event);
        }
        cluster.start(ServiceName::Gateway, None).unwrap();
        cluster.wait_ready(ServiceName::Gateway).await.unwrap();
        create(&supervisor, &format!("after/{restart}")).await;
    }
    let expected = expected(&cluster, &supervisor).await;
    let mut events = reader.open(seen.last().map(|(position, _)| *position)).await;
    while seen.len() < expected.len() {
        seen.push(events.next().await.expect("the rest of the feed"));
    }
    assert_eq!(seen, expected, "each once, in order");

    let refused = Client::new().get(&reader.url).bearer_auth(&reader.token).header("Last-Event-ID", "last");
    let refused = refused.send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let error: Value = refused.json().await.unwrap();
    assert_eq!(error["error"]["status"], "INVALID_ARGUMENT", "{error}");
}

async fn create(supervisor: &Api, name: &str) {
    for number in 0..TASKS {
        persist(supervisor, "TaskService/CreateTask", task(&format!("{name}/{number}"))).await;
    }
}

/// Position and id of every event of the feed that the reader asks for, once the mesh has settled.
async fn expected(cluster: &Cluster, supervisor: &Api) -> Vec<(i64, String)> {
    cluster.databases().await.unwrap().settle(SOON).await.unwrap();
    let (mut after, mut found) = (json!("0"), Vec::new());
    loop {
        let request = json!({"after": after, "pageSize": 1000, "types": [TYPES]});
        let page = supervisor.call("FeedService/ListEvents", request).await.unwrap();
        for event in page["events"].as_array().unwrap() {
            let position = event["position"].as_str().unwrap().parse().unwrap();
            found.push((position, event["id"].as_str().unwrap().to_owned()));
        }
        if page["lastPosition"] == after {
            break;
        }
        after = page["lastPosition"].clone();
    }
    // Two events each, whatever else the mesh records of tasks.
    assert!(found.len() >= 2 * RESTARTS * 2 * TASKS, "{}", found.len());
    found
}

/// Somebody who reads the feed as a browser does.
struct Reader {
    url: String,
    token: String,
}

impl Reader {
    /// Opens the stream after the last event that was seen. A gateway that has just come back may not
    /// have found the service yet.
    async fn open(&self, last: Option<i64>) -> Events {
        let opened = wait_for_value("the stream to open", SOON, async || {
            let mut request = Client::new().get(&self.url).bearer_auth(&self.token);
            request = request.header("Accept", "text/event-stream");
            if let Some(last) = last {
                request = request.header("Last-Event-ID", last.to_string());
            }
            request.send().await.ok().filter(|response| response.status().is_success())
        });
        Events { response: opened.await.unwrap(), received: Vec::new() }
    }
}

/// An open stream.
struct Events {
    response: Response,
    received: Vec<u8>,
}

impl Events {
    /// Position and id of the next event that came whole; `None` when the connection has ended.
    async fn next(&mut self) -> Option<(i64, String)> {
        loop {
            while let Some(end) = self.received.windows(2).position(|pair| pair == b"\n\n") {
                let frame: Vec<u8> = self.received.drain(..end + 2).collect();
                let frame = String::from_utf8(frame).unwrap();
                let line = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name));
                // The greeting and heartbeats are no events.
                let (Some(id), Some(data)) = (line("id: "), line("data: ")) else { continue };
                let data: Value = serde_json::from_str(data).unwrap();
                let event = &data["event"];
                assert_eq!(event["position"], id, "the id that is resumed by is the position");
                return Some((id.parse().unwrap(), event["id"].as_str().unwrap().to_owned()));
            }
            let chunk = tokio::time::timeout(SILENCE, self.response.chunk()).await.expect("it goes on");
            self.received.extend_from_slice(&chunk.ok()??);
        }
    }
}
