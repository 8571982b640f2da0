//! A file goes with a report, and to whoever may read the task, in one process and in five.

use reqwest::StatusCode;
use serde_json::{Value, json};
use xietong::cli::Sample;
use xietong_mesh::ServiceName;
use xietong_testkit::api::{Api, Protocol};

use crate::world::{SUPERVISOR, World, linfen_cluster};

const WATER: &str = "shuiliju-lianluoyuan";
const HOUSING: &str = "zhujianju-lianluoyuan";
const TEXT: &str = "一号点、二号点均已完工。";

/// The gateway as one subject sees it.
struct Reader {
    api: Api,
    url: String,
    token: String,
}

async fn reader(world: &World, subject: &str) -> Reader {
    let api = world.api(Protocol::Rest, subject).await;
    let (url, token) = match world {
        World::OneProcess { .. } => (world.url(""), world.token(subject)),
        World::FiveProcesses(cluster) => (cluster.gateway().unwrap(), cluster.token(subject).await.unwrap()),
    };
    Reader { api, url, token }
}

impl Reader {
    async fn upload(&self, name: &str, media_type: &str, body: &str) -> (StatusCode, Value) {
        let url = format!("{}/v1/attachments?name={name}", self.url);
        let request = reqwest::Client::new().post(url).bearer_auth(&self.token);
        let sent = request.header("content-type", media_type).body(body.to_owned()).send().await.unwrap();
        (sent.status(), sent.json().await.unwrap())
    }

    async fn download(&self, file: &Value) -> (StatusCode, String) {
        let (name, grant) = (file["name"].as_str().unwrap(), file["grant"].as_str().unwrap());
        let url = format!("{}/v1/{name}?grant={grant}", self.url);
        let got = reqwest::Client::new().get(url).bearer_auth(&self.token).send().await.unwrap();
        (got.status(), got.text().await.unwrap())
    }

    /// The file that came with the first unit's last report.
    async fn evidence(&self, task: &Value) -> Value {
        let task = self.api.call("TaskService/GetTask", json!({"name": task})).await.unwrap();
        task["assignments"][0]["lastAttachments"][0].clone()
    }
}

/// Reports with a file; returns the task.
async fn reported(world: &World) -> Value {
    let supervisor = reader(world, SUPERVISOR).await;
    let task = json!({
        "title": "城区内涝点整治", "unclassified": true,
        "assignments": [{"unit": "units/shuiliju", "role": "ASSIGNMENT_ROLE_LEAD"}],
    });
    let created = supervisor.api.call("TaskService/CreateTask", json!({"task": task})).await.unwrap();
    let task = created["name"].clone();
    supervisor.api.call("TaskService/IssueTask", json!({"name": task})).await.unwrap();

    let unit = reader(world, WATER).await;
    let name = format!("{}/assignments/1", task.as_str().unwrap());
    for step in ["Sign", "Deploy"] {
        unit.api.call(&format!("TaskService/{step}Assignment"), json!({"name": name})).await.unwrap();
    }
    let (status, file) = unit.upload("证明.txt", "text/plain", TEXT).await;
    assert_eq!(status, StatusCode::OK, "{file}");
    let report = json!({"name": name, "text": "已完工", "attachments": [file]});
    let refused = reader(world, HOUSING).await.api.call("TaskService/ReportAssignment", report.clone()).await;
    assert_eq!(refused.unwrap_err().code, "INVALID_ARGUMENT", "somebody else's file");
    unit.api.call("TaskService/ReportAssignment", report).await.unwrap();
    task
}

async fn is_given_to_its_readers_alone(world: &World, task: &Value) {
    let supervisor = reader(world, SUPERVISOR).await;
    let file = supervisor.evidence(task).await;
    assert_eq!((&file["displayName"], &file["mediaType"]), (&json!("证明.txt"), &json!("text/plain")));
    assert_eq!(supervisor.download(&file).await, (StatusCode::OK, TEXT.to_owned()));
    let other = reader(world, HOUSING).await;
    let refused = other.api.call("TaskService/GetTask", json!({"name": task})).await.unwrap_err();
    assert_eq!(refused.code, "PERMISSION_DENIED");
    assert_eq!(other.download(&file).await.0, StatusCode::FORBIDDEN, "a grant passed on is worth nothing");
    let over_grpc = world.api(Protocol::Grpc, WATER).await;
    let own = over_grpc.call("TaskService/GetTask", json!({"name": task})).await.unwrap();
    let own = &own["assignments"][0]["lastAttachments"][0];
    assert_eq!(reader(world, WATER).await.download(own).await.0, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_given_to_whoever_may_read_the_task_and_outlives_one_process() {
    let world = World::simulated().await;
    let task = reported(&world).await;
    is_given_to_its_readers_alone(&world, &task).await;
    let World::OneProcess { city, data } = world else { unreachable!("it is one") };
    city.stop().await.unwrap();
    let world = World::started(data, Sample::None).await;
    is_given_to_its_readers_alone(&world, &task).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_given_to_whoever_may_read_the_task_and_outlives_a_killed_gateway() {
    let world = World::FiveProcesses(linfen_cluster().await);
    let task = reported(&world).await;
    let World::FiveProcesses(mut cluster) = world else { unreachable!("they are five") };
    cluster.kill(ServiceName::Gateway).await.unwrap();
    cluster.start_rest().await.unwrap();
    let world = World::FiveProcesses(cluster);
    is_given_to_its_readers_alone(&world, &task).await;
    world.end().await;
}
