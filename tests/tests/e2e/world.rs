//! A mesh to test: one process over SQLite files, or five over PostgreSQL and Redis, behind
//! one interface.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use domain_calendar::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use xietong::cli::{Sample, UpArgs};
use xietong::up::City;
use xietong_mesh::ServiceName;
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::cluster::{ADMINISTRATOR, Cluster};
use xietong_testkit::databases::Databases;
use xietong_testkit::servers;

/// Subject of the account that enters, issues and verifies tasks.
pub(crate) const SUPERVISOR: &str = "duchashi-jingban";

/// Longer than anything in a mesh takes that is neither down nor paused.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// The services that own a database.
pub(crate) const WITH_LOG: [ServiceName; 4] =
    [ServiceName::Roster, ServiceName::Supervision, ServiceName::Workgroup, ServiceName::Notification];

const LINFEN: &str = include_str!("../../../sample/linfen/directory.json");
const TOKEN_LIFETIME: Duration = Duration::from_secs(3_600);

/// A mesh that runs.
pub(crate) enum World {
    /// `xietong up` within the test.
    OneProcess {
        /// It.
        city: City,
        /// Its files.
        data: TempDir,
    },
    /// A process a service.
    FiveProcesses(Cluster),
}

impl World {
    /// One process from [`morning`] on, with an administrator's account alone.
    pub(crate) async fn one_process() -> World {
        let data = tempfile::tempdir().unwrap();
        let arguments = UpArgs { sim_clock: Some(morning()), ..arguments(data.path(), Sample::None) };
        World::OneProcess { city: City::start(&arguments).await.unwrap(), data }
    }

    /// One process with the sample's directory, on a simulated clock.
    pub(crate) async fn simulated() -> World {
        World::started(tempfile::tempdir().unwrap(), Sample::Directory).await
    }

    /// One process with the whole sample, on a simulated clock.
    pub(crate) async fn sample_city() -> World {
        World::started(tempfile::tempdir().unwrap(), Sample::Full).await
    }

    /// One process on a folder, on a simulated clock. A new folder is filled.
    pub(crate) async fn started(data: TempDir, sample: Sample) -> World {
        let city = City::start(&arguments(data.path(), sample)).await.unwrap();
        World::OneProcess { city, data }
    }

    /// Five processes from [`morning`] on, with an administrator's account alone.
    pub(crate) async fn five_processes() -> World {
        World::FiveProcesses(cluster(&servers::redis_database().await.unwrap()).await)
    }

    /// A client of the gateway for a subject.
    pub(crate) async fn api(&self, protocol: Protocol, subject: &str) -> Api {
        match self {
            World::OneProcess { city, data } => {
                let token = xietong::token::local(data.path(), subject, TOKEN_LIFETIME).unwrap();
                Api::new(&format!("http://{}", city.address()), protocol, &token).unwrap()
            }
            World::FiveProcesses(cluster) => cluster.api(protocol, subject).await.unwrap(),
        }
    }

    /// The address of a path at the gateway of one process.
    pub(crate) fn url(&self, path: &str) -> String {
        match self {
            World::OneProcess { city, .. } => format!("http://{}{path}", city.address()),
            World::FiveProcesses(_) => panic!("one process is asked for"),
        }
    }

    /// A bearer token of one process for a subject.
    pub(crate) fn token(&self, subject: &str) -> String {
        match self {
            World::OneProcess { data, .. } => {
                xietong::token::local(data.path(), subject, TOKEN_LIFETIME).unwrap()
            }
            World::FiveProcesses(_) => panic!("one process is asked for"),
        }
    }

    /// What one process says of its city when it has started.
    pub(crate) fn picture(&self) -> &str {
        match self {
            World::OneProcess { city, .. } => city.picture(),
            World::FiveProcesses(_) => "",
        }
    }

    /// Its databases.
    pub(crate) async fn databases(&self) -> Databases {
        match self {
            World::OneProcess { data, .. } => databases_in(data.path()).await,
            World::FiveProcesses(cluster) => cluster.databases().await.unwrap(),
        }
    }

    /// Ends it in order.
    pub(crate) async fn end(self) {
        match self {
            World::OneProcess { city, .. } => city.stop().await.unwrap(),
            World::FiveProcesses(cluster) => drop(cluster),
        }
    }
}

/// The databases of one process, in its folder.
pub(crate) async fn databases_in(data: &Path) -> Databases {
    let url = |service: ServiceName| format!("sqlite://{}/{service}.db", data.display());
    let urls: BTreeMap<_, _> = WITH_LOG.into_iter().map(|service| (service, url(service))).collect();
    Databases::open(&urls).await.unwrap()
}

fn arguments(data: &Path, sample: Sample) -> UpArgs {
    UpArgs {
        data: data.to_path_buf(),
        http: ([127, 0, 0, 1], 0).into(),
        sample,
        sim_clock: None,
        real_clock: false,
    }
}

/// Enters the sample city's directory through the API, in the order of its file: units,
/// collectives, officials, accounts, the division of work that is in force. The one before is history.
pub(crate) async fn found_linfen(administrator: &Api) {
    let directory: Value = serde_json::from_str(LINFEN).unwrap();
    let parts = [
        ("units", "DirectoryService/CreateUnit"),
        ("collectives", "DirectoryService/CreateCollective"),
        ("officials", "DirectoryService/CreateOfficial"),
        ("accounts", "DirectoryService/CreateAccount"),
        ("divisions", "RosterService/CreateDivision"),
    ];
    for (part, method) in parts {
        let requests = directory[part].as_array().unwrap();
        let past = if part == "divisions" { requests.len() - 1 } else { 0 };
        for (number, request) in requests.iter().enumerate().skip(past) {
            let mut request = request.clone();
            request["requestId"] = json!(format!("linfen/{part}/{number}"));
            administrator.call(method, request).await.unwrap();
        }
    }
}

/// An hour at which people work, with the working day before them: at night some notices wait.
pub(crate) fn morning() -> Timestamp {
    Timestamp::parse("2026-06-10T09:00:00+08:00").unwrap()
}

/// Five processes from [`morning`] on, that are not started.
pub(crate) async fn idle_cluster(redis: &str) -> Cluster {
    Cluster::prepare(&servers::postgres().unwrap(), redis).await.unwrap().with_time(morning())
}

/// Five processes from [`morning`] on, with an administrator's account alone.
pub(crate) async fn cluster(redis: &str) -> Cluster {
    let mut cluster = idle_cluster(redis).await;
    cluster.start_rest().await.unwrap();
    cluster
}

/// A cluster with the sample city, and its administrator.
pub(crate) async fn linfen_cluster() -> Cluster {
    let cluster = cluster(&servers::redis_database().await.unwrap()).await;
    found_linfen(&cluster.api(Protocol::Grpc, ADMINISTRATOR).await.unwrap()).await;
    cluster
}
