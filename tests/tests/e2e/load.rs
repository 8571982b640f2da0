//! Load for failure tests, and what must be so once it is over.

use std::time::Duration;

use serde_json::{Value, json};
use xietong_mesh::ServiceName;
use xietong_testkit::api::Api;
use xietong_testkit::databases::Databases;
use xietong_testkit::history::{History, Outcome, check_deliveries};
use xietong_testkit::wait::wait_for_value;

use crate::world::{SOON, WITH_LOG};

/// Who is told, each once, when a task of [`task`] is issued: the liaison of either bureau
/// and the leader in charge of either.
const TOLD: [&str; 4] = [
    "officials/shuiliju-lianluoyuan",
    "officials/nengyuanju-lianluoyuan",
    "officials/qiaofeihong",
    "officials/cuiyuanbin",
];

/// A restarted process and whoever calls it take this long to find each other again.
const FOUND_AGAIN: Duration = Duration::from_secs(120);

/// A request for a task that the water and the energy bureau lead, issued at once. Its
/// title tells it from all others.
pub(crate) fn task(title: &str) -> Value {
    let lead = |unit: &str| json!({"unit": unit, "role": "ASSIGNMENT_ROLE_LEAD"});
    json!({
        "task": {
            "title": title,
            "text": "全文",
            "grade": "GRADE_ORDINARY",
            "assignments": [lead("units/shuiliju"), lead("units/nengyuanju")],
            "unclassified": true,
        },
        "issue": true,
        "confirmDuplicates": true,
        "requestId": title,
    })
}

/// Sends a request again and again under its request id until it is answered. A refusal is
/// an error of the test.
pub(crate) async fn persist(api: &Api, method: &str, request: Value) -> Value {
    assert!(request["requestId"].is_string(), "only what has an id may be sent again");
    let answered =
        wait_for_value(method, FOUND_AGAIN, async || match api.call(method, request.clone()).await {
            Ok(answer) => Some(answer),
            Err(error) if error.leaves_outcome_unknown() => None,
            Err(error) => panic!("{method} {request}: {error}"),
        });
    answered.await.unwrap()
}

/// Creates and issues the task of a title, once or until it is answered, and notes what
/// became of it.
pub(crate) async fn create(api: &Api, history: &History, title: &str, attempts: Attempts) -> Outcome {
    let operation = async {
        match attempts {
            Attempts::One => api.call("TaskService/CreateTask", task(title)).await,
            Attempts::UntilAnswered => Ok(persist(api, "TaskService/CreateTask", task(title)).await),
        }
    };
    history.record(title, operation).await
}

/// How often a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempts {
    /// Once: its answer may be lost.
    One,
    /// Until it is answered.
    UntilAnswered,
}

/// Everything that must be so when the mesh has settled: the tasks that are there fit what
/// was acknowledged, whoever must be told of them was told once, each decision whose task
/// was struck off was settled once, and no log has a gap, a repeat or a broken chain. A task
/// that was escalated goes by its origin, any other by its title.
pub(crate) async fn check(api: &Api, history: &History, databases: &Databases) {
    databases.settle(SOON).await.unwrap();
    let tasks = every_task(api).await;
    let key = |task: &Value| {
        let field = if task["origin"] == "" { "title" } else { "origin" };
        task[field].as_str().unwrap().to_owned()
    };
    history.check(tasks.iter().map(key)).unwrap();

    let plain = tasks.iter().filter(|task| task["origin"] == "");
    let due =
        plain.flat_map(|task| TOLD.map(|told| (task["name"].as_str().unwrap().to_owned(), told.to_owned())));
    check_deliveries(due, assigned(databases).await).unwrap();

    let struck_off = tasks.iter().filter(|task| task["state"] == "TASK_STATE_STRUCK_OFF");
    let decided = struck_off.map(|task| task["origin"].as_str().unwrap()).filter(|origin| !origin.is_empty());
    let log = databases.log(ServiceName::Workgroup).await.unwrap();
    let settled = log.of_type("workgroup.decision.settled").map(|event| event.aggregate.as_str());
    check_deliveries(decided, settled).unwrap();
    for service in WITH_LOG {
        databases.log(service).await.unwrap().check().unwrap();
    }
}

/// Task and recipient of every notice of a plain task's issue, as often as it was sent.
async fn assigned(databases: &Databases) -> Vec<(String, String)> {
    let issued = databases.log(ServiceName::Supervision).await.unwrap();
    let escalated: Vec<&str> = issued
        .of_type("supervision.task.created")
        .filter(|event| event.actor.starts_with("system/"))
        .map(|event| event.aggregate.as_str())
        .collect();
    let sent = databases.log(ServiceName::Notification).await.unwrap();
    let mut assigned = Vec::new();
    for event in sent.of_type("notification.message.sent") {
        let message: Value = serde_json::from_str(&event.payload).unwrap();
        let task = message["subject"].as_str().unwrap();
        if message["kind"] == "assignment" && !escalated.contains(&task) {
            assigned.push((task.to_owned(), message["recipient"].as_str().unwrap().to_owned()));
        }
    }
    assigned
}

/// Every task there is, read page by page.
async fn every_task(api: &Api) -> Vec<Value> {
    let mut tasks = Vec::new();
    let mut token = json!("");
    loop {
        let request = json!({"pageSize": 1000, "pageToken": token});
        let page = api.call("TaskService/ListTasks", request).await.unwrap();
        tasks.extend(page["tasks"].as_array().unwrap().iter().cloned());
        token = page["nextPageToken"].clone();
        if token == "" {
            return tasks;
        }
    }
}
