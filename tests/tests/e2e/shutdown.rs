//! SIGTERM ends a process within its grace, whatever its clients do.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use xietong_mesh::ServiceName;
use xietong_testkit::api::{Api, Messages, Protocol};
use xietong_testkit::cluster::{program, send_signal};

use crate::world::linfen_cluster;

/// A pod gets thirty seconds.
const WITHIN: Duration = Duration::from_secs(25);
const READER: &str = "shuiliju-lianluoyuan";

#[tokio::test(flavor = "multi_thread")]
async fn every_service_ends_in_time_with_a_silent_client_and_open_streams() {
    let mut cluster = linfen_cluster().await;
    let mut held = Vec::new();
    for service in ServiceName::ALL {
        held.push(TcpStream::connect(cluster.address(service).unwrap()).await.unwrap());
    }
    let mut streams = Vec::new();
    for protocol in [Protocol::Rest, Protocol::Grpc] {
        streams.push(open(&cluster.api(protocol, READER).await.unwrap()).await);
    }

    for service in ServiceName::ALL {
        cluster.terminate(service).await.unwrap();
    }
    let deadline = tokio::time::Instant::now() + WITHIN;
    for service in ServiceName::ALL {
        let left = deadline.saturating_duration_since(tokio::time::Instant::now());
        let status = cluster.wait_ended(service, left).await.unwrap();
        assert!(status.success(), "{service}: {status}");
    }
    drop((held, streams));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_process_form_ends_in_time_with_a_silent_client_and_open_streams() {
    let data = tempfile::tempdir().unwrap();
    let mut process = Command::new(program().unwrap())
        .args(["up", "--http", "127.0.0.1:0", "--sample", "directory", "--data"])
        .arg(data.path())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let url = ready(&mut process).await;
    let token = xietong::token::local(data.path(), READER, Duration::from_secs(60)).unwrap();
    let silent = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    let mut streams = Vec::new();
    for protocol in [Protocol::Rest, Protocol::Grpc] {
        streams.push(open(&Api::new(&url, protocol, &token).unwrap()).await);
    }

    send_signal(process.id().unwrap(), "TERM").await.unwrap();
    let status: ExitStatus = tokio::time::timeout(WITHIN, process.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
    drop((silent, streams));
}

/// A stream that is established: it is open as soon as it is answered.
async fn open(api: &Api) -> Messages {
    api.stream("InboxService/StreamInbox", json!({})).await.unwrap()
}

/// The URL of the line that says that it is ready.
async fn ready(process: &mut Child) -> String {
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    loop {
        let line = lines.next_line().await.unwrap().expect("it says that it is ready");
        if let Some(url) = line.strip_prefix("ready ") {
            return url.to_owned();
        }
    }
}
