//! Each service is killed at each crash point that it passes, once, under load.

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use xietong_mesh::ServiceName;
use xietong_store::CrashPoint::{
    self, AfterAttempt, AfterClaim, AfterCommit, AfterEffectBeforeCursor, AfterPublish, MidMakeOut,
    MidMigration, MidSequencing, MidSettling,
};
use xietong_store::statement;
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::cluster::{ADMINISTRATOR, Cluster, Crash};
use xietong_testkit::databases::Databases;
use xietong_testkit::history::{History, Outcome, check_deliveries};
use xietong_testkit::servers;
use xietong_testkit::wait::{wait_for, wait_for_value};

use crate::load::{Attempts, check, create, persist};
use crate::world::{SOON, SUPERVISOR, found_linfen, idle_cluster};

const CLERK: &str = "shuiliju-lianluoyuan";
/// Head of the group by post, who hears of what becomes of its decisions.
const HEAD: &str = "officials/wangyanfeng";

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
        match point {
            AfterEffectBeforeCursor => mesh.lose_an_effect(service).await,
            MidMigration | AfterCommit | MidSequencing | AfterPublish | MidMakeOut | AfterClaim
            | AfterAttempt | MidSettling => mesh.crash(service, *point).await,
        }
    }
    mesh.check().await;
}

async fn cluster() -> Cluster {
    idle_cluster(&servers::redis_database().await.unwrap()).await
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

    /// The service dies at a point as soon as it passes it, in the middle of a round.
    async fn crash(&mut self, service: ServiceName, point: CrashPoint) {
        let Mesh { cluster, clients } = self;
        cluster.kill(service).await.unwrap();
        cluster.start(service, Some(Crash { point, passes: 0 })).unwrap();
        tokio::join!(clients.round(point.as_str()), async {
            end(cluster, service).await;
            cluster.start(service, None).unwrap();
        });
    }

    /// The service dies with an effect written and its cursor not moved. It has heard of
    /// everything but a striking-off, so this is the effect; a round is under way when it
    /// comes back.
    async fn lose_an_effect(&mut self, service: ServiceName) {
        let Mesh { cluster, clients } = self;
        let databases = cluster.databases().await.unwrap();
        let decision = clients.decision_is_submitted("unheard").await;
        databases.settle(SOON).await.unwrap();
        // In order, so that it leaves no lease that would have to run out first.
        cluster.terminate(service).await.unwrap();
        assert!(cluster.wait_ended(service, SOON).await.unwrap().success());
        let stood = stand(&databases, service).await;
        clients.decision_is_verified("unheard", &decision).await;
        wait_for("the striking-off to be sequenced", SOON, async || {
            let log = databases.log(ServiceName::Supervision).await;
            log.is_ok_and(|log| {
                log.of_type("supervision.task.struck_off").any(|event| event.aggregate == decision["task"])
            })
        })
        .await
        .unwrap();

        let point = AfterEffectBeforeCursor;
        die(cluster, service, Crash { point, passes: 0 }).await;
        assert_eq!(stand(&databases, service).await, stood, "half of a transaction is there");
        tokio::join!(clients.round(point.as_str()), async { cluster.start(service, None).unwrap() });
        clients.decision_is_settled(&decision).await;
    }

    async fn check(mut self) {
        self.cluster.start_rest().await.unwrap();
        let databases = self.cluster.databases().await.unwrap();
        check(&self.clients.supervisor, &self.clients.history, &databases).await;

        let decided = databases.log(ServiceName::Workgroup).await.unwrap();
        let settled = decided.of_type("workgroup.decision.settled").map(|event| event.id.clone());
        let settled: Vec<String> = settled.collect();
        assert_eq!(
            settled.len(),
            decided.of_type("workgroup.decision.made").count(),
            "every decision came to its end"
        );
        let sent = databases.log(ServiceName::Notification).await.unwrap();
        let told = sent.of_type("notification.message.sent").filter_map(|event| {
            let message: Value = serde_json::from_str(&event.payload).unwrap();
            let text = |field: &str| message[field].as_str().unwrap().to_owned();
            settled.contains(&text("source")).then(|| (text("source"), text("recipient")))
        });
        let due = settled.iter().map(|event| (event.clone(), HEAD.to_owned()));
        check_deliveries(due, told).unwrap();
    }
}

/// The last event of supervision that a service has applied, and how many it has recorded
/// itself.
async fn stand(databases: &Databases, service: ServiceName) -> (i64, i64) {
    let reader = databases.of(service).unwrap().reader();
    let sql = "SELECT position, (SELECT COUNT(*) FROM events) AS recorded
               FROM consumer_cursors WHERE producer = $1";
    let supervision = ServiceName::Supervision.as_str().into();
    let row = reader.query_one_raw(statement(reader, sql, [supervision])).await.unwrap().unwrap();
    (row.try_get_by("position").unwrap(), row.try_get_by("recorded").unwrap())
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

    /// A decision is made, becomes one task, and is settled with it.
    async fn decision(&self, name: &str) {
        let decision = self.decision_is_submitted(name).await;
        self.decision_is_verified(name, &decision).await;
        self.decision_is_settled(&decision).await;
    }

    /// A decision is made and becomes one task, which is worked on until its unit says that
    /// it is done.
    async fn decision_is_submitted(&self, name: &str) -> Value {
        let decision = json!({"text": format!("议定：{name}"), "leadUnits": ["units/shuiliju"]});
        let request =
            json!({"parent": self.meeting, "decision": decision, "requestId": format!("{name}/decide")});
        let decision = persist(&self.supervisor, "GroupService/CreateDecision", request).await;
        let request = json!({"name": decision["name"], "requestId": format!("{name}/escalate")});
        let escalation =
            async { Ok(persist(&self.supervisor, "GroupService/EscalateDecision", request).await) };
        self.history.record(decision["name"].as_str().unwrap(), escalation).await;
        let decision = self.decision_is(&decision, "DECISION_STATE_ESCALATED").await;

        let assignment = self.assignment_of(&decision).await;
        let steps = [
            ("Sign", json!({})),
            ("Deploy", json!({"plan": "专人盯办"})),
            ("Report", json!({"text": "正在办理"})),
            ("Submit", json!({"text": "已经办结"})),
        ];
        for (verb, mut request) in steps {
            request["name"] = assignment.clone();
            request["requestId"] = json!(format!("{name}/{verb}"));
            persist(&self.clerk, &format!("TaskService/{verb}Assignment"), request).await;
        }
        decision
    }

    /// The supervisor agrees that the task of a decision is done, which strikes it off.
    async fn decision_is_verified(&self, name: &str, decision: &Value) {
        let assignment = self.assignment_of(decision).await;
        let request = json!({"name": assignment, "accept": true, "requestId": format!("{name}/verify")});
        persist(&self.supervisor, "TaskService/VerifyAssignment", request).await;
    }

    /// The group hears of the striking-off.
    async fn decision_is_settled(&self, decision: &Value) {
        self.decision_is(decision, "DECISION_STATE_SETTLED").await;
    }

    /// Waits until a decision is in a state.
    async fn decision_is(&self, decision: &Value, state: &str) -> Value {
        let what = format!("a decision to be {state}");
        let found = wait_for_value(&what, SOON, async || {
            let request = json!({"name": decision["name"]});
            let decision = self.supervisor.call("GroupService/GetDecision", request).await.ok()?;
            (decision["state"] == state).then_some(decision)
        });
        found.await.unwrap()
    }

    /// The only assignment of a decision's task.
    async fn assignment_of(&self, decision: &Value) -> Value {
        let task = wait_for_value("the task of a decision", SOON, async || {
            self.supervisor.call("TaskService/GetTask", json!({"name": decision["task"]})).await.ok()
        });
        task.await.unwrap()["assignments"][0]["name"].clone()
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
