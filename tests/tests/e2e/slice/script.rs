//! The promise itself, step by step, and who must be told what at each.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::cluster::ADMINISTRATOR;
use xietong_testkit::wait::wait_for;

use crate::world::{SOON, SUPERVISOR, World, found_linfen};

const WATER: &str = "shuiliju-lianluoyuan";
const ENERGY: &str = "nengyuanju-lianluoyuan";
/// In charge of the water bureau, and away.
const AWAY: &str = "qiaofeihong";
/// Stands in for the one who is away.
const ACTING: &str = "wangyuan";
/// In charge of the energy bureau.
const IN_CHARGE: &str = "cuiyuanbin";
/// Head of the group, by post.
const MAYOR: &str = "wangyanfeng";
/// Where the group's office is.
const OFFICE: &str = "lintou-lianluoyuan";
/// Everybody whose inbox is watched. An account's subject is its official's id.
const READERS: [&str; 8] = [SUPERVISOR, WATER, ENERGY, AWAY, ACTING, IN_CHARGE, MAYOR, OFFICE];

/// Plays the promise and writes down every answer.
pub(super) struct Script {
    apis: BTreeMap<&'static str, Api>,
    transcript: Vec<(String, Value)>,
    /// Number of the last message seen in each inbox.
    seen: BTreeMap<&'static str, i64>,
}

/// Reader, kind without its prefix, title up to its colon, capacity.
type Told<'a> = (&'a str, &'a str, &'a str, &'a str);

impl Script {
    pub(super) async fn new(world: &World, protocol: Protocol) -> Script {
        let mut apis = BTreeMap::new();
        for subject in READERS.into_iter().chain([ADMINISTRATOR]) {
            apis.insert(subject, world.api(protocol, subject).await);
        }
        Script { apis, transcript: Vec::new(), seen: BTreeMap::new() }
    }

    /// Everything, with an absence that began at `since`.
    pub(super) async fn play(mut self, since: &str) -> Vec<(String, Value)> {
        self.directory().await;
        self.absence(since).await;
        let task = self.task_is_issued().await;
        self.task_is_done(&task).await;
        let decision = self.decision_is_escalated().await;
        self.decision_is_settled(&decision).await;
        self.streams_repeat_inboxes().await;
        self.transcript
    }

    async fn directory(&mut self) {
        found_linfen(&self.apis[ADMINISTRATOR]).await;
        self.call(WATER, "DirectoryService/LookupUnit", json!({"name": "市卫健委"})).await;
        self.refused(WATER, "DirectoryService/LookupUnit", json!({"name": "市海洋局"}), "NOT_FOUND").await;
        self.refused(WATER, "DirectoryService/ListAccounts", json!({}), "PERMISSION_DENIED").await;
        let handed_over = |reader| (reader, "HANDOVER", "分工调整", "本人");
        self.told(&[AWAY, ACTING, IN_CHARGE, MAYOR].map(handed_over)).await;
        // It has taken effect, which is a change of its own.
        self.call(ADMINISTRATOR, "RosterService/ListDivisions", json!({})).await;
    }

    async fn absence(&mut self, since: &str) {
        let absence = json!({
            "official": format!("officials/{AWAY}"),
            "startTime": since,
            "endTime": "2099-01-01T00:00:00+08:00",
            "reason": "赴省城开会",
        });
        let request = json!({"absence": absence, "requestId": "absence"});
        self.call(ADMINISTRATOR, "RosterService/CreateAbsence", request).await;
        self.told(&[(AWAY, "HANDOVER", "代行开始", "本人"), (ACTING, "HANDOVER", "代行开始", "本人")]).await;

        for asked in
            [json!({"unit": "市水利局"}), json!({"field": "水利"}), json!({"unit": "units/nengyuanju"})]
        {
            self.call(SUPERVISOR, "RosterService/Resolve", asked).await;
        }
        let answer = self.call(MAYOR, "RosterService/Resolve", json!({"unit": "units/shuiliju"})).await;
        assert_eq!(answer["accountable"]["official"], format!("officials/{AWAY}"));
        assert_eq!(answer["acting"]["official"], format!("officials/{ACTING}"));
        assert_eq!(answer["standIn"], true);
        self.refused(MAYOR, "RosterService/Resolve", json!({}), "INVALID_ARGUMENT").await;
    }

    async fn task_is_issued(&mut self) -> Value {
        let lead = |unit: &str| json!({"unit": format!("units/{unit}"), "role": "ASSIGNMENT_ROLE_LEAD"});
        let task = json!({
            "title": "汛前水库隐患排查",
            "text": "主汛期前完成全市水库隐患排查并反馈结果。",
            "grade": "GRADE_ORDINARY",
            "source": {"documentNumber": "临政办发〔2023〕8号", "itemNumber": 5},
            "assignments": [lead("shuiliju"), lead("nengyuanju")],
            "unclassified": true,
        });
        let mut classified = task.clone();
        classified["unclassified"] = json!(false);
        let request = json!({"task": classified});
        self.refused(SUPERVISOR, "TaskService/CreateTask", request, "INVALID_ARGUMENT").await;
        self.refused(WATER, "TaskService/CreateTask", json!({"task": task}), "PERMISSION_DENIED").await;

        let request = json!({"task": task, "requestId": "task"});
        let draft = self.call(SUPERVISOR, "TaskService/CreateTask", request).await;
        assert_eq!(draft["state"], "TASK_STATE_DRAFT");
        let request = json!({"name": draft["name"], "etag": draft["etag"], "requestId": "issue"});
        let issued = self.call(SUPERVISOR, "TaskService/IssueTask", request).await;
        assert_eq!(
            (&issued["state"], &issued["light"]),
            (&json!("TASK_STATE_ISSUED"), &json!("LIGHT_GREEN"))
        );
        let request = json!({"name": draft["name"], "etag": draft["etag"], "requestId": "issue again"});
        self.refused(SUPERVISOR, "TaskService/IssueTask", request, "INVALID_ARGUMENT").await;
        let request = json!({"name": draft["name"], "etag": draft["etag"], "requestId": "issue-again"});
        self.refused(SUPERVISOR, "TaskService/IssueTask", request, "ABORTED").await;
        self.told(&[
            (WATER, "ASSIGNMENT", "交办", "联络员"),
            (ENERGY, "ASSIGNMENT", "交办", "联络员"),
            (AWAY, "ASSIGNMENT", "交办", "分管领导"),
            (ACTING, "ASSIGNMENT", "交办", "代行分管领导"),
            (IN_CHARGE, "ASSIGNMENT", "交办", "分管领导"),
        ])
        .await;
        issued
    }

    async fn task_is_done(&mut self, task: &Value) {
        let assignment = |number: usize| task["assignments"][number]["name"].clone();
        let (water, energy) = (assignment(0), assignment(1));
        self.refused(ENERGY, "TaskService/SignAssignment", json!({"name": water}), "PERMISSION_DENIED").await;

        let steps = [("Sign", "签收", json!({})), ("Deploy", "部署", json!({"plan": "逐库排查"}))];
        for (verb, title, details) in steps {
            for (clerk, name) in [(WATER, &water), (ENERGY, &energy)] {
                self.act(clerk, verb, name, details.clone()).await;
                self.told(&[(SUPERVISOR, "PROGRESS", title, "交办人")]).await;
            }
        }
        let steps = [
            ("Report", "反馈", json!({"text": "已查十二座"})),
            ("Submit", "申请办结", json!({"text": "全部查完"})),
        ];
        for (verb, title, details) in steps {
            self.act(WATER, verb, &water, details.clone()).await;
            self.told(&[
                (SUPERVISOR, "PROGRESS", title, "交办人"),
                (AWAY, "PROGRESS", title, "分管领导"),
                (ACTING, "PROGRESS", title, "代行分管领导"),
            ])
            .await;
            self.act(ENERGY, verb, &energy, details).await;
            self.told(&[
                (SUPERVISOR, "PROGRESS", title, "交办人"),
                (IN_CHARGE, "PROGRESS", title, "分管领导"),
            ])
            .await;
        }

        self.refused(WATER, "TaskService/VerifyAssignment", json!({"name": water}), "PERMISSION_DENIED")
            .await;
        let back = json!({"accept": false, "note": "缺少清单"});
        self.act(SUPERVISOR, "Verify", &water, back).await;
        self.told(&[(WATER, "OUTCOME", "退回", "联络员")]).await;
        self.act(WATER, "Submit", &water, json!({"text": "清单已补"})).await;
        self.told(&[
            (SUPERVISOR, "PROGRESS", "申请办结", "交办人"),
            (AWAY, "PROGRESS", "申请办结", "分管领导"),
            (ACTING, "PROGRESS", "申请办结", "代行分管领导"),
        ])
        .await;

        self.act(SUPERVISOR, "Verify", &water, json!({"accept": true})).await;
        self.told(&[(WATER, "OUTCOME", "销号", "联络员")]).await;
        self.act(SUPERVISOR, "Verify", &energy, json!({"accept": true})).await;
        self.told(&[
            (ENERGY, "OUTCOME", "销号", "联络员"),
            (SUPERVISOR, "OUTCOME", "销号", "交办人"),
            (AWAY, "OUTCOME", "销号", "分管领导"),
            (ACTING, "OUTCOME", "销号", "代行分管领导"),
            (IN_CHARGE, "OUTCOME", "销号", "分管领导"),
        ])
        .await;

        let name = json!({"name": task["name"]});
        let done = self.call(SUPERVISOR, "TaskService/GetTask", name.clone()).await;
        assert_eq!((&done["state"], &done["light"]), (&json!("TASK_STATE_STRUCK_OFF"), &json!("LIGHT_BLUE")));
        self.call(WATER, "TaskService/GetTimeline", name).await;
        for reader in [WATER, AWAY, ACTING, IN_CHARGE] {
            self.call(reader, "TaskService/ListTasks", json!({"pageSize": 10})).await;
        }
    }

    async fn decision_is_escalated(&mut self) -> Value {
        let seat = |role: &str, post: &str| json!({"role": format!("SEAT_ROLE_{role}"), "post": post});
        let group = json!({
            "displayName": "绿色能源输配项目工作领导小组",
            "kind": "GROUP_KIND_LEADING_GROUP",
            "foundingDocument": "临政办函〔2023〕17号",
            "endCondition": "项目竣工验收",
            "startTime": "2023-04-30T00:00:00+08:00",
            "officeUnit": "units/lintou",
            "seats": [seat("HEAD", "市长"), seat("DEPUTY", "分管水利工作的副市长"), {"role": "SEAT_ROLE_MEMBER", "unit": "units/nengyuanju"}],
        });
        let request = json!({"group": group, "groupId": "lvse-nengyuan", "requestId": "group"});
        self.call(SUPERVISOR, "GroupService/CreateGroup", request).await;
        let seats = self.call(WATER, "GroupService/ListSeats", json!({"name": "groups/lvse-nengyuan"})).await;
        assert_eq!(seats["seats"][0]["official"], format!("officials/{MAYOR}"));
        assert_eq!(seats["seats"][1]["official"], format!("officials/{AWAY}"));
        assert_eq!(seats["seats"][1]["acting"], format!("officials/{ACTING}"));

        let meeting =
            json!({"title": "第一次会议", "meetTime": "2023-05-30T09:00:00+08:00", "place": "市政府"});
        let request = json!({"parent": "groups/lvse-nengyuan", "meeting": meeting, "requestId": "meeting"});
        let meeting = self.call(SUPERVISOR, "GroupService/CreateMeeting", request).await;
        let decision = json!({"text": "一个月内办结管线用地手续", "leadUnits": ["units/nengyuanju"]});
        let request = json!({"parent": meeting["name"], "decision": decision, "requestId": "decision"});
        let decision = self.call(SUPERVISOR, "GroupService/CreateDecision", request).await;
        let decided = |reader| (reader, "DECISION", "议定事项", "联络员");
        self.told(&[ENERGY, OFFICE].map(decided)).await;

        let request = json!({"name": decision["name"], "requestId": "escalate"});
        self.refused(ENERGY, "GroupService/EscalateDecision", request.clone(), "PERMISSION_DENIED").await;
        self.call(SUPERVISOR, "GroupService/EscalateDecision", request).await;
        self.told(&[
            (ENERGY, "ASSIGNMENT", "交办", "联络员"),
            (IN_CHARGE, "ASSIGNMENT", "交办", "分管领导"),
            (MAYOR, "DECISION", "纳入督办", "市长"),
            (OFFICE, "DECISION", "纳入督办", "联络员"),
        ])
        .await;
        let escalated =
            self.call(OFFICE, "GroupService/GetDecision", json!({"name": decision["name"]})).await;
        assert_eq!(escalated["state"], "DECISION_STATE_ESCALATED");
        escalated
    }

    async fn decision_is_settled(&mut self, decision: &Value) {
        let task = self.call(SUPERVISOR, "TaskService/GetTask", json!({"name": decision["task"]})).await;
        assert_eq!(task["origin"], decision["name"]);
        let assignment = task["assignments"][0]["name"].clone();
        self.act(ENERGY, "Sign", &assignment, json!({})).await;
        self.act(ENERGY, "Deploy", &assignment, json!({"plan": "专人盯办"})).await;
        for (verb, title) in [("Report", "反馈"), ("Submit", "申请办结")] {
            self.act(ENERGY, verb, &assignment, json!({"text": "手续已办结"})).await;
            self.told(&[(IN_CHARGE, "PROGRESS", title, "分管领导")]).await;
        }
        self.act(SUPERVISOR, "Verify", &assignment, json!({"accept": true})).await;
        self.told(&[
            (ENERGY, "OUTCOME", "销号", "联络员"),
            (IN_CHARGE, "OUTCOME", "销号", "分管领导"),
            (MAYOR, "OUTCOME", "办结销号", "市长"),
            (OFFICE, "OUTCOME", "办结销号", "联络员"),
        ])
        .await;
        let settled = self.call(OFFICE, "GroupService/GetDecision", json!({"name": decision["name"]})).await;
        assert_eq!(settled["state"], "DECISION_STATE_SETTLED");
    }

    /// A stream from the beginning is the inbox, in order.
    async fn streams_repeat_inboxes(&mut self) {
        for reader in [WATER, ACTING] {
            let mut listed = self.inbox(reader).await;
            listed.reverse();
            let mut stream = self.apis[reader].stream("InboxService/StreamInbox", json!({})).await.unwrap();
            for expected in &listed {
                assert_eq!(stream.next().await.unwrap().unwrap()["message"], *expected);
            }
            // What asked for something that is done was recalled, and waits for nobody.
            let waiting: Vec<&Value> =
                listed.iter().filter(|message| message["recallTime"].is_null()).collect();
            assert!(!waiting.is_empty(), "{reader}: {listed:?}");
            let unread = self.call(reader, "InboxService/GetUnread", json!({})).await;
            assert_eq!(unread["unread"], waiting.len().to_string());
            let request = json!({"name": waiting[0]["name"], "requestId": "read"});
            self.call(reader, "InboxService/ReadMessage", request).await;
            let unread = self.call(reader, "InboxService/GetUnread", json!({})).await;
            assert_eq!(unread["unread"], (waiting.len() - 1).to_string());
        }
    }

    async fn act(&mut self, who: &str, verb: &str, assignment: &Value, mut request: Value) {
        request["name"] = assignment.clone();
        self.call(who, &format!("TaskService/{verb}Assignment"), request).await;
    }

    async fn call(&mut self, who: &str, method: &str, request: Value) -> Value {
        let answer = self.apis[who].call(method, request.clone()).await;
        let answer = answer.unwrap_or_else(|error| panic!("{who}: {method} {request}: {error}"));
        self.write(method, answer.clone());
        answer
    }

    async fn refused(&mut self, who: &str, method: &str, request: Value, code: &str) {
        let error = self.apis[who].call(method, request).await.unwrap_err();
        assert_eq!(error.code, code, "{who}: {method}: {error}");
        assert!(!error.chinese.is_empty(), "{who}: {method}: {error}");
        self.write(method, json!([error.code, error.reason, error.message, error.chinese]));
    }

    fn write(&mut self, step: &str, answer: Value) {
        self.transcript.push((format!("{}. {step}", self.transcript.len()), answer));
    }

    /// Waits until exactly these messages are new in the watched inboxes.
    async fn told(&mut self, expected: &[Told<'_>]) {
        let mut expected: Vec<_> = expected
            .iter()
            .map(|(reader, kind, title, capacity)| [*reader, kind, title, capacity].map(str::to_owned))
            .collect();
        expected.sort_unstable();
        let mut found = Vec::new();
        let mut news = Vec::new();
        let arrived = wait_for("the notices", SOON, async || {
            news = self.news().await;
            found = news.iter().map(|(reader, message)| shown(reader, message)).collect();
            found.sort_unstable();
            found == expected
        });
        if arrived.await.is_err() {
            panic!("step {}: expected {expected:#?}, found {found:#?}", self.transcript.len());
        }
        for (reader, message) in news {
            let seen = self.seen.entry(reader).or_default();
            *seen = number_of(&message).max(*seen);
            self.write(&format!("inbox of {reader}"), message);
        }
    }

    /// Messages that no step was told of yet, the oldest of each reader first.
    async fn news(&self) -> Vec<(&'static str, Value)> {
        let mut news = Vec::new();
        for reader in READERS {
            let mut messages = self.inbox(reader).await;
            let seen = self.seen.get(reader).copied().unwrap_or(0);
            messages.retain(|message| number_of(message) > seen);
            news.extend(messages.into_iter().rev().map(|message| (reader, message)));
        }
        news
    }

    /// The newest first.
    async fn inbox(&self, reader: &str) -> Vec<Value> {
        let answer = self.apis[reader].call("InboxService/ListMessages", json!({"pageSize": 1000})).await;
        answer.unwrap()["messages"].as_array().unwrap().clone()
    }
}

fn number_of(message: &Value) -> i64 {
    message["number"].as_str().unwrap().parse().unwrap()
}

fn shown(reader: &str, message: &Value) -> [String; 4] {
    let text = |field: &str| message[field].as_str().unwrap_or_default();
    let title = text("title").split('：').next().unwrap_or_default();
    [reader, text("kind").trim_start_matches("MESSAGE_KIND_"), title, text("capacity")].map(str::to_owned)
}
