//! SIGTERM ends a process within its grace, whatever its clients do.

mod rude;

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::net::TcpStream;
use xietong_mesh::ServiceName;
use xietong_testkit::api::{Api, Messages, Protocol};
use xietong_testkit::wait::wait_for;

use crate::load::task;
use crate::program::Program;
use crate::world::{SOON, SUPERVISOR, linfen_cluster};
use rude::{Deaf, Slow};

/// A pod gets thirty seconds.
const WITHIN: Duration = Duration::from_secs(25);
const READER: &str = "shuiliju-lianluoyuan";

#[tokio::test(flavor = "multi_thread")]
async fn every_service_ends_in_time_whatever_its_clients_do() {
    let mut cluster = linfen_cluster().await;
    let supervisor = cluster.api(Protocol::Grpc, SUPERVISOR).await.unwrap();
    let reader = cluster.api(Protocol::Grpc, READER).await.unwrap();
    supervisor.call("TaskService/CreateTask", task("heard-of")).await.unwrap();

    let mut guests = Guests::default();
    for service in ServiceName::ALL {
        guests.silent.push(TcpStream::connect(cluster.address(service).unwrap()).await.unwrap());
    }
    guests.well_behaved(&reader).await;
    let token = cluster.token(READER).await.unwrap();
    guests.rude_to_the_gateway(&cluster.address(ServiceName::Gateway).unwrap(), &token).await;
    for service in ServiceName::ALL.into_iter().filter(|service| *service != ServiceName::Gateway) {
        guests.rude_to_a_service(&cluster.address(service).unwrap()).await;
    }

    for service in ServiceName::ALL {
        cluster.terminate(service).await.unwrap();
    }
    let deadline = tokio::time::Instant::now() + WITHIN;
    tokio::join!(guests.talk_on(), async {
        for service in ServiceName::ALL {
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            let status = cluster.wait_ended(service, left).await.unwrap();
            assert!(status.success(), "{service}: {status}");
        }
    });
    drop(guests);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_process_form_ends_in_time_whatever_its_clients_do() {
    let data = tempfile::tempdir().unwrap();
    let mut program = Program::up(data.path(), "directory");
    let url = program.ready().await;
    let address = url.trim_start_matches("http://");
    let token = |subject| xietong::token::local(data.path(), subject, Duration::from_secs(600)).unwrap();
    let reader = Api::new(&url, Protocol::Grpc, &token(READER)).unwrap();
    let supervisor = reader.with_token(&token(SUPERVISOR));
    supervisor.call("TaskService/CreateTask", task("heard-of")).await.unwrap();

    let mut guests = Guests::default();
    guests.silent.push(TcpStream::connect(address).await.unwrap());
    guests.well_behaved(&reader).await;
    guests.rude_to_the_gateway(address, &token(READER)).await;

    program.terminate().await;
    let (status, ()) = tokio::join!(program.ended(WITHIN), guests.talk_on());
    assert!(status.success(), "{status}");
    drop(guests);
}

/// Clients that do not go away by themselves.
#[derive(Default)]
struct Guests {
    /// Connected, and never said a word.
    silent: Vec<TcpStream>,
    /// Have an open stream that they could read.
    streams: Vec<Messages>,
    /// Have an open stream that they never read.
    deaf: Vec<Deaf>,
    /// Are saying something, a byte at a time.
    slow: Vec<Slow>,
}

impl Guests {
    /// Opens a stream over either protocol. There is something in it.
    async fn well_behaved(&mut self, reader: &Api) {
        for protocol in [Protocol::Rest, Protocol::Grpc] {
            let mut stream = open(&reader.over(protocol)).await;
            stream.next().await.unwrap().unwrap();
            self.streams.push(stream);
        }
    }

    /// Opens a stream that is never read, and begins calls that never come to their end.
    async fn rude_to_the_gateway(&mut self, address: &str, token: &str) {
        let bearer = format!("Bearer {token}");
        let path = "/xietong.notification.v1.InboxService/StreamInbox";
        self.deaf.push(Deaf::open(address, path, &[("authorization", &bearer)]).await);
        self.slow.push(Slow::rest(address, "/v1/tasks", &bearer).await);
        let path = "/xietong.supervision.v1.TaskService/CreateTask";
        self.slow.push(Slow::grpc(address, path, &[("authorization", &bearer)]).await);
    }

    /// The same at a service, where health is what everybody may ask for.
    async fn rude_to_a_service(&mut self, address: &str) {
        self.deaf.push(Deaf::open(address, "/grpc.health.v1.Health/Watch", &[]).await);
        self.slow.push(Slow::grpc(address, "/grpc.health.v1.Health/Check", &[]).await);
    }

    /// The slow ones go on until they are hung up on.
    async fn talk_on(&mut self) {
        let hung_up = self.slow.iter_mut().map(async |slow| {
            let hung_up = async || slow.say_more().await.is_err();
            wait_for("a slow client to be hung up on", SOON, hung_up).await.unwrap();
        });
        join_all(hung_up).await;
    }
}

/// A stream that is established: it is open as soon as it is answered.
async fn open(api: &Api) -> Messages {
    api.stream("InboxService/StreamInbox", json!({})).await.unwrap()
}
