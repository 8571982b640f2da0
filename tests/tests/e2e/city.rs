//! The sample city as it is handed over, whole: what its plan told whom, who answers for what
//! before and after its division of work changed, who stands in, and a group's decision from
//! its meeting to its settling.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::cluster::ADMINISTRATOR;
use xietong_testkit::wait::wait_for_value;

use crate::division;
use crate::world::{SOON, SUPERVISOR, World};

const PLAN: &str = include_str!("../../../sample/linfen/plan.json");
const HISTORY: &str = include_str!("../../../sample/linfen/history.json");
const DOCUMENT: &str = "临政办发〔2023〕8号";
const GROUP: &str = "groups/lvse-nengyuan";

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_city_is_handed_over_whole() {
    let world = World::sample_city().await;
    assert_eq!(
        world.picture().lines().skip(1).take(2).collect::<Vec<_>>(),
        ["单位 139 个，市领导 9 位，议事协调机构 3 个", "督办事项 197 项：已销号 10，绿灯 175，黄灯 12"]
    );
    let supervisor = world.api(Protocol::Rest, SUPERVISOR).await;
    let administrator = world.api(Protocol::Grpc, ADMINISTRATOR).await;
    each_unit_was_told_of_the_plan_once(&world, &supervisor).await;
    whoever_did_not_report_is_yellow(&supervisor).await;
    the_health_commission_changed_hands(&supervisor).await;
    division::the_division_of_14_may_moved_what_it_says(&world, &supervisor).await;
    division::a_trial_shows_tasks_notices_and_seats(&world, &supervisor).await;
    standing_in_is_not_transitive(&administrator).await;
    a_decision_is_carried_out(&world, &supervisor).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_is_everything_but_the_tasks() {
    let world = World::simulated().await;
    assert_eq!(
        world.picture().lines().skip(1).collect::<Vec<_>>(),
        ["单位 139 个，市领导 9 位，议事协调机构 3 个", "督办事项 0 项"]
    );
    the_directory_is_a_file_over_http(&world).await;
    world.end().await;
}

/// A server stream of a file is the plain body of the answer, as spreadsheet programs want it.
async fn the_directory_is_a_file_over_http(world: &World) {
    let administrator = world.api(Protocol::Rest, ADMINISTRATOR).await;
    let get = async |table: &str| {
        let url = world.url(&format!("/v1/directory:export?table=DIRECTORY_TABLE_{table}"));
        let request = reqwest::Client::new().get(url).bearer_auth(world.token(ADMINISTRATOR));
        request.send().await.unwrap()
    };
    for (table, heading, rows) in [
        ("UNITS", "标识,名称,简称,加挂牌子,类别,上级单位,行政区划代码,成立时间,撤销时间,并入单位", 139),
        ("COLLECTIVES", "标识,名称,别称,成员单位", 2),
        ("OFFICIALS", "标识,姓名,职务类别,单位,职务,任职时间,离任时间", 0),
    ] {
        let answer = get(table).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8");
        let text = answer.text().await.unwrap();
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
        assert_eq!(text.lines().next(), Some(heading));
        assert!(rows == 0 || text.lines().count() == rows + 1, "{text}");
        let request = json!({"table": format!("DIRECTORY_TABLE_{table}"), "csv": text, "validateOnly": true});
        let read = administrator.call("ExchangeService/ImportDirectory", request).await.unwrap();
        assert_eq!((&read["created"], &read["changed"]), (&json!(0), &json!(0)), "{table}: {read}");
    }
    let refused = get("NONE").await;
    assert_eq!(refused.status(), 400, "an error is JSON, not a file");
    let error: Value = refused.json().await.unwrap();
    assert_eq!(error["error"]["status"], "INVALID_ARGUMENT", "{error}");
}

/// One notice of the document for each unit, of exactly the items it leads, to be signed for;
/// none of single items.
async fn each_unit_was_told_of_the_plan_once(world: &World, supervisor: &Api) {
    let plan: Value = serde_json::from_str(PLAN).unwrap();
    let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for task in plan["tasks"].as_array().unwrap() {
        let (item, title) = (&task["source"]["itemNumber"], task["title"].as_str().unwrap());
        for one in task["assignments"].as_array().unwrap() {
            // The plan came first, so the ledger counts as it does.
            let line = format!("第{item}项《{title}》（台账第{item}号，牵头单位，");
            expected.entry(one["unit"].as_str().unwrap().to_owned()).or_default().push(line);
        }
    }
    assert_eq!(expected.len(), 39);
    let tasks = of_the_plan(supervisor, json!({})).await;
    let tasks: BTreeSet<&str> = tasks.iter().map(|task| task["name"].as_str().unwrap()).collect();
    assert_eq!(tasks.len(), 195);

    for (unit, items) in expected {
        let liaison = format!("{}-lianluoyuan", unit.trim_start_matches("units/"));
        let inbox = inbox(world, &liaison).await;
        let assigned = || inbox.iter().filter(|message| message["kind"] == "MESSAGE_KIND_ASSIGNMENT");
        let of_document = |message: &&Value| message["subject"] == format!("documents/{DOCUMENT}");
        let notices: Vec<_> = assigned().filter(of_document).collect();
        let [notice] = notices.as_slice() else { panic!("{unit}: {notices:#?}") };
        assert_eq!(notice["title"], format!("交办：{DOCUMENT}，共{}项", items.len()), "{unit}");
        assert_eq!(notice["requiresAcknowledgement"], true, "{unit}");
        let body = notice["body"].as_str().unwrap();
        let lines: Vec<_> = body.lines().filter(|line| line.starts_with('第')).collect();
        assert_eq!(lines.len(), items.len(), "{unit}: {body}");
        for (line, item) in lines.iter().zip(&items) {
            assert!(line.starts_with(item), "{unit}: {line}, not {item}");
        }
        let mut singly = assigned().filter(|message| tasks.contains(message["subject"].as_str().unwrap()));
        assert_eq!(singly.next(), None, "{unit}");
    }
}

/// What the history has no report of is yellow, and nothing else is.
async fn whoever_did_not_report_is_yellow(supervisor: &Api) {
    let history: Value = serde_json::from_str(HISTORY).unwrap();
    let acts = history["moments"].as_array().unwrap().iter().flat_map(|at| at["acts"].as_array().unwrap());
    let reported = acts.filter(|act| act["act"] == "report");
    let reported: BTreeSet<i64> = reported
        .flat_map(|act| act["items"].as_array().unwrap())
        .map(|item| item.as_i64().unwrap())
        .collect();
    let silent: Vec<i64> = (1..=195).filter(|item| !reported.contains(item)).collect();
    let yellow = of_the_plan(supervisor, json!({"light": "LIGHT_YELLOW"})).await;
    let mut yellow: Vec<i64> =
        yellow.iter().map(|task| task["source"]["itemNumber"].as_i64().unwrap()).collect();
    yellow.sort_unstable();
    assert_eq!(yellow, silent);
}

/// 12号 of 14 May 2023 gave 李艳萍 what 乔飞鸿 had of it.
async fn the_health_commission_changed_hands(supervisor: &Api) {
    for (at, leader) in [("2023-05-01T12:00:00+08:00", "乔飞鸿"), ("2023-06-01T09:00:00+08:00", "李艳萍")]
    {
        let answer = resolve(supervisor, "市卫健委", at).await;
        assert_eq!(answer["accountable"]["displayName"], leader, "{at}: {answer}");
        assert_eq!(answer["acting"]["displayName"], leader, "{at}: {answer}");
    }
}

/// B stands in for A. When B is away as well it is not B's B who does, but whom the city's
/// fallback names, with each step said.
async fn standing_in_is_not_transitive(administrator: &Api) {
    let at = "2023-06-10T10:00:00+08:00";
    let absence = |official: &str, approval: &str| {
        json!({"absence": {
            "official": format!("officials/{official}"),
            "startTime": "2023-06-10T00:00:00+08:00",
            "endTime": "2023-06-11T00:00:00+08:00",
            "approval": approval,
        }})
    };
    let register = async |absence: Value| administrator.call("RosterService/CreateAbsence", absence).await;
    register(absence("cuiyuanbin", "")).await.unwrap();
    let answer = resolve(administrator, "市工信局", at).await;
    assert_eq!(answer["accountable"]["displayName"], "崔元斌", "{answer}");
    assert_eq!((&answer["acting"]["displayName"], &answer["standIn"]), (&json!("胡晓刚"), &json!(true)));

    let refusal = register(absence("huxiaogang", "")).await.unwrap_err();
    assert_eq!(refusal.code, "FAILED_PRECONDITION", "A and B away together: {refusal}");
    register(absence("huxiaogang", "市长批准，2023年6月5日")).await.unwrap();
    let answer = resolve(administrator, "市工信局", at).await;
    assert_eq!(answer["acting"]["displayName"], "王渊", "{answer}");
    let steps = answer["steps"].as_array().unwrap().iter();
    let steps: Vec<_> = steps
        .skip_while(|step| step["rule"] != "absent")
        .map(|step| ["rule", "official", "outcome"].map(|field| step[field].as_str().unwrap()))
        .collect();
    assert_eq!(
        steps,
        [
            ["absent", "officials/cuiyuanbin", "skipped"],
            ["standing_b", "officials/huxiaogang", "skipped"],
            ["fallback", "officials/wangyuan", "chosen"],
        ]
    );
}

/// From the meeting of the group to the settling of its decision.
async fn a_decision_is_carried_out(world: &World, supervisor: &Api) {
    let unit = world.api(Protocol::Grpc, "nengyuanju-lianluoyuan").await;
    let call = async |method: &str, request: Value| {
        let answer = supervisor.call(method, request.clone()).await;
        answer.unwrap_or_else(|error| panic!("{method} {request}: {error}"))
    };
    let meeting = json!({"title": "第二次会议", "meetTime": "2023-06-01T08:00:00+08:00", "place": "市政府"});
    let meeting = call("GroupService/CreateMeeting", json!({"parent": GROUP, "meeting": meeting})).await;
    let decision = json!({"text": "一周内拿出管线占地补偿方案", "leadUnits": ["units/nengyuanju"]});
    let request = json!({"parent": meeting["name"], "decision": decision});
    let decision = call("GroupService/CreateDecision", request).await;
    let named = json!({"name": decision["name"]});
    call("GroupService/EscalateDecision", named.clone()).await;
    let in_state = async |state: &str| {
        let found = wait_for_value(state, SOON, async || {
            let decision = call("GroupService/GetDecision", named.clone()).await;
            (decision["state"] == state).then_some(decision)
        });
        found.await.unwrap()
    };
    let escalated = in_state("DECISION_STATE_ESCALATED").await;

    let task = call("TaskService/GetTask", json!({"name": escalated["task"]})).await;
    assert_eq!((&task["origin"], &task["state"]), (&decision["name"], &json!("TASK_STATE_ISSUED")));
    let assignment = &task["assignments"][0];
    assert_eq!(assignment["unit"], "units/nengyuanju");
    for (verb, said) in [
        ("Sign", json!({})),
        ("Deploy", json!({"plan": "专人盯办"})),
        ("Submit", json!({"text": "方案已报领导小组办公室"})),
    ] {
        let mut request = said;
        request["name"] = assignment["name"].clone();
        unit.call(&format!("TaskService/{verb}Assignment"), request).await.unwrap();
    }
    let verification = json!({"name": assignment["name"], "accept": true});
    let done = call("TaskService/VerifyAssignment", verification).await;
    assert_eq!(done["state"], "ASSIGNMENT_STATE_STRUCK_OFF");
    let task = call("TaskService/GetTask", json!({"name": escalated["task"]})).await;
    assert_eq!(task["state"], "TASK_STATE_STRUCK_OFF");
    in_state("DECISION_STATE_SETTLED").await;
}

async fn resolve(api: &Api, unit: &str, at: &str) -> Value {
    api.call("RosterService/Resolve", json!({"unit": unit, "at": at})).await.unwrap()
}

/// The tasks of the plan that a list is asked for.
async fn of_the_plan(supervisor: &Api, mut asked: Value) -> Vec<Value> {
    asked["documentNumber"] = json!(DOCUMENT);
    asked["pageSize"] = json!(1_000);
    let listed = supervisor.call("TaskService/ListTasks", asked).await.unwrap();
    assert_eq!(listed["nextPageToken"], "", "one page holds them");
    listed["tasks"].as_array().unwrap().clone()
}

/// Everything in somebody's inbox.
pub(crate) async fn inbox(world: &World, subject: &str) -> Vec<Value> {
    let api = world.api(Protocol::Grpc, subject).await;
    let listed = api.call("InboxService/ListMessages", json!({"pageSize": 1_000})).await.unwrap();
    assert_eq!(listed["nextPageToken"], "", "one page holds them");
    listed["messages"].as_array().unwrap().clone()
}
