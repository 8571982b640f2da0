//! Each service is killed at each crash point that it passes, once, under load.

use serde_json::{Value, json};
use xietong_mesh::ServiceName;
use xietong_store::CrashPoint::{
    self, AfterCommit, AfterEffectBeforeCursor, AfterPublish, MidMigration, MidSequencing,
};
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::cluster::{ADMINISTRATOR, Cluster, Crash};
use xietong_testkit::history::{History, Outcome};
use xietong_testkit::servers;
use xietong_testkit::wait::{wait_for, wait_for_value};

use crate::load::{Attempts, check, create, persist};
use crate::world::{SOON, SUPERVISOR, found_linfen};

const CLERK: &str = "shuiliju-lianluoyuan";

#[tokio::test(flavor = "multi_thread")]
async fn the_roster_loses_and_doubles_nothing_at_any_crash_point() {
    survive(ServiceName::Roster, &[AfterCommit, MidSequencing, AfterPublish]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn supervision_loses_and_doubles_nothing_at_any_crash_point() {
    survive(ServiceName::Supervision, &[AfterCommit, MidSequencing, AfterPublish]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workgroups_lose_and_double_nothing_at_any_crash_point() {
    let points = [AfterCommit, MidSequencing, AfterPublish, AfterEffectBeforeCursor];
    survive(ServiceName::Workgroup, &points).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notification_loses_and_doubles_nothing_at_any_crash_point() {
    let points = [AfterCommit, MidSequencing, AfterPublish, AfterEffectBeforeCursor];
    survive(ServiceName::Notification, &points).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_killed_under_load_loses_and_doubles_nothing() {
    let mut mesh = Mesh::start(cluster().await).await;
    let Mesh { cluster, clients } = &mut mesh;
    tokio::join!(clients.round("killed"), async {
        let under_way = async || !clients.history.operations().is_empty();
        wait_for("an operation", SOON, under_way).await.unwrap();
        cluster.kill(ServiceName::Gateway).await.unwrap();
        cluster.start(ServiceName::Gateway, None).unwrap();
    });
    mesh.check().await;
}

/// Kills a service twice in its migrations, then at each of the points while every service
/// has work, and checks what is left. Points that a service never passes are not given:
/// the process would never end.
async fn survive(service: ServiceName, points: &[CrashPoint]) {
    let mut cluster = cluster().await;
    for passes in [0, 2] {
        die(&mut cluster, service, Crash { point: MidMigration, passes }).await;
    }
    let mut mesh = Mesh::start(cluster).await;
    for point in points {
        let Mesh { cluster, clients } = &mut mesh;
        cluster.kill(service).await.unwrap();
        cluster.start(service, Some(Crash { point: *point, passes: 0 })).unwrap();
        tokio::join!(clients.round(point.as_str()), async {
            end(cluster, service).await;
            cluster.start(service, None).unwrap();
        });
    }
    mesh.check().await;
}

async fn cluster() -> Cluster {
    let (postgres, redis) = (servers::postgres().unwrap(), servers::redis_database().await.unwrap());
    Cluster::prepare(&postgres, &redis).await.unwrap()
}

async fn die(cluster: &mut Cluster, service: ServiceName, crash: Crash) {
    cluster.start(service, Some(crash)).unwrap();
    end(cluster, service).await;
}

/// A crash is no orderly end.
async fn end(cluster: &mut Cluster, service: ServiceName) {
    let status = cluster.wait_ended(service, SOON).await.unwrap();
    assert_eq!(status.code(), None, "{service} ended by itself: {}", cluster.log_text(service).unwrap());
}

struct Mesh {
    cluster: Cluster,
    clients: Clients,
}

/// Those who give every service something to do.
struct Clients {
    administrator: Api,
    supervisor: Api,
    clerk: Api,
    meeting: Value,
    history: History,
}

impl Mesh {
    async fn start(mut cluster: Cluster) -> Mesh {
        cluster.start_rest().await.unwrap();
        let administrator = cluster.api(Protocol::Grpc, ADMINISTRATOR).await.unwrap();
        found_linfen(&administrator).await;
        let supervisor = cluster.api(Protocol::Rest, SUPERVISOR).await.unwrap();
        let group = json!({
            "displayName": "防汛抗旱指挥部",
            "kind": "GROUP_KIND_HEADQUARTERS",
            "endCondition": "汛期结束",
            "startTime": "2023-05-01T00:00:00+08:00",
            "seats": [{"role": "SEAT_ROLE_HEAD", "post": "市长"}],
        });
        let request = json!({"group": group, "groupId": "flood", "requestId": "group"});
        persist(&supervisor, "GroupService/CreateGroup", request).await;
        let meeting = json!({"title": "第一次会议", "meetTime": "2023-05-30T09:00:00+08:00"});
        let request = json!({"parent": "groups/flood", "meeting": meeting, "requestId": "meeting"});
        let meeting = persist(&supervisor, "GroupService/CreateMeeting", request).await["name"].clone();
        let clerk = cluster.api(Protocol::Grpc, CLERK).await.unwrap();
        let history = History::new();
        Mesh { cluster, clients: Clients { administrator, supervisor, clerk, meeting, history } }
    }

    async fn check(mut self) {
        self.cluster.start_rest().await.unwrap();
        let databases = self.cluster.databases().await.unwrap();
        check(&self.clients.supervisor, &self.clients.history, &databases).await;
    }
}

impl Clients {
    /// Something for every service, each under a name that tells it from other rounds.
    /// Returns when all of it has been answered, save what was sent once only.
    async fn round(&self, name: &str) {
        let once = async |number| {
            create(&self.supervisor, &self.history, &format!("{name}/once/{number}"), Attempts::One).await;
        };
        let repeated = async |number| {
            let title = format!("{name}/repeated/{number}");
            match create(&self.supervisor, &self.history, &title, Attempts::UntilAnswered).await {
                Outcome::Acknowledged(task) => task,
                other => panic!("{title}: {other:?}"),
            }
        };
        let (.., task, unit, ()) =
            tokio::join!(once(1), once(2), repeated(1), repeated(2), self.unit(name), self.decision(name));
        let found = self.administrator.call("DirectoryService/GetUnit", json!({"name": unit["name"]}));
        let _answered_or_lost = found.await;
        self.message_is_read(name, &task).await;
    }

    async fn unit(&self, name: &str) -> Value {
        let unit = json!({"displayName": name, "kind": "UNIT_KIND_INSTITUTION"});
        let request = json!({"unit": unit, "unitId": format!("new-{name}"), "requestId": name});
        persist(&self.administrator, "DirectoryService/CreateUnit", request).await
    }

    /// A decision is made and becomes one task.
    async fn decision(&self, name: &str) {
        let decision = json!({"text": format!("议定：{name}"), "leadUnits": ["units/yingjiju"]});
        let request =
            json!({"parent": self.meeting, "decision": decision, "requestId": format!("{name}/decide")});
        let decision = persist(&self.supervisor, "GroupService/CreateDecision", request).await;
        let request = json!({"name": decision["name"], "requestId": format!("{name}/escalate")});
        let escalation =
            async { Ok(persist(&self.supervisor, "GroupService/EscalateDecision", request).await) };
        self.history.record(decision["name"].as_str().unwrap(), escalation).await;
        wait_for_value("the task of a decision", SOON, async || {
            let asked =
                self.supervisor.call("GroupService/GetDecision", json!({"name": decision["name"]})).await;
            asked.ok().filter(|decision| decision["state"] == "DECISION_STATE_ESCALATED")
        })
        .await
        .unwrap();
    }

    /// The notice of a task arrives and is signed for.
    async fn message_is_read(&self, name: &str, task: &Value) {
        let message = wait_for_value("the notice of a task", SOON, async || {
            let page = self.clerk.call("InboxService/ListMessages", json!({"pageSize": 1000})).await.ok()?;
            page["messages"].as_array()?.iter().find(|message| message["subject"] == task["name"]).cloned()
        })
        .await
        .unwrap();
        let request = json!({"name": message["name"], "requestId": format!("{name}/sign")});
        let signed = persist(&self.clerk, "InboxService/AcknowledgeMessage", request).await;
        assert!(signed["acknowledgeTime"].is_string());
    }
}
