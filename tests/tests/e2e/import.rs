//! From notices to a live ledger: `xietong import` at a running mesh.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::cluster::program;

use crate::world::{SOON, SUPERVISOR, World};

fn notices(start: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample/notices");
    let mut files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.find(|file| file.file_name().unwrap().to_string_lossy().starts_with(start)).unwrap()
}

/// A mesh with the sample's directory, and how notices are imported at it.
struct Desk {
    world: World,
    supervisor: Api,
    scratch: tempfile::TempDir,
}

impl Desk {
    async fn open() -> Desk {
        let world = World::simulated().await;
        let supervisor = world.api(Protocol::Rest, SUPERVISOR).await;
        Desk { world, supervisor, scratch: tempfile::tempdir().unwrap() }
    }

    async fn import(&self, arguments: &[&str], files: &[&Path]) -> Output {
        let World::OneProcess { data, .. } = &self.world else { panic!("one process") };
        let mut command = Command::new(program().unwrap());
        command.arg("import").arg("--data").arg(data.path()).args(arguments).args(files);
        command.env_remove("XIETONG_SERVER").env_remove("XIETONG_TOKEN");
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// What an import that is taken says of each notice.
    async fn imported(&self, arguments: &[&str], files: &[&Path]) -> Vec<Value> {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let output = self.import(&arguments, files).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The one line in which an import is refused.
    async fn refused(&self, arguments: &[&str], files: &[&Path]) -> String {
        let output = self.import(arguments, files).await;
        assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(error.lines().count(), 1, "{error}");
        error
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let file = self.scratch.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        file
    }

    async fn tasks(&self, query: Value) -> Vec<Value> {
        let mut query = query;
        query["pageSize"] = json!(1_000);
        let page = self.supervisor.call("TaskService/ListTasks", query).await.unwrap();
        page["tasks"].as_array().cloned().unwrap_or_default()
    }

    async fn timeline(&self, task: &str) -> Vec<String> {
        let request = json!({"name": task});
        let timeline = self.supervisor.call("TaskService/GetTimeline", request).await.unwrap();
        let entries = timeline["entries"].as_array().unwrap();
        entries.iter().map(|entry| entry["text"].as_str().unwrap().to_owned()).collect()
    }

    /// The titles of what somebody must sign for, once everybody has been told.
    async fn to_sign(&self, subject: &str) -> Vec<String> {
        self.world.databases().await.settle(SOON).await.unwrap();
        let api = self.world.api(Protocol::Rest, subject).await;
        let page = api.call("InboxService/ListMessages", json!({"pageSize": 1_000})).await.unwrap();
        let messages = page["messages"].as_array().cloned().unwrap_or_default();
        let to_sign = messages.iter().filter(|message| message["requiresAcknowledgement"] == true);
        to_sign.map(|message| message["title"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_becomes_tasks_once_and_each_unit_is_told_once() {
    let desk = Desk::open().await;
    let list = notices("01");
    let [imported] = desk.imported(&[], &[&list]).await.try_into().unwrap();
    assert_eq!(imported["outcome"]["entered"].as_array().unwrap().len(), 6);
    let tasks = desk.tasks(json!({"documentNumber": "临政办发〔2024〕3号"})).await;
    let third = tasks.iter().find(|task| task["source"]["itemNumber"] == 3).unwrap();
    assert_eq!(
        (&third["state"], &third["dueTime"]),
        (&json!("TASK_STATE_ISSUED"), &json!("2024-11-30T16:00:00Z"))
    );
    let units: Vec<&str> =
        third["assignments"].as_array().unwrap().iter().map(|one| one["unit"].as_str().unwrap()).collect();
    assert_eq!(units, ["units/chengguanju", "units/yaodu", "units/guihuaju"]);
    let milestones: Vec<&str> =
        third["milestones"].as_array().unwrap().iter().map(|one| one["dueTime"].as_str().unwrap()).collect();
    assert_eq!(milestones, ["2024-06-30T16:00:00Z", "2024-11-30T16:00:00Z"]);
    // Item 5 and all after it are the counties' too: each of the seventeen has its own part.
    let fifth = tasks.iter().find(|task| task["source"]["itemNumber"] == 5).unwrap();
    assert_eq!(fifth["assignments"].as_array().unwrap().len(), 18);
    assert_eq!(desk.to_sign("zhujianju-lianluoyuan").await, ["交办：临政办发〔2024〕3号，共2项"]);
    assert_eq!(desk.to_sign("shuiliju-lianluoyuan").await, ["交办：临政办发〔2024〕3号，共3项"]);

    let [again] = desk.imported(&[], &[&list]).await.try_into().unwrap();
    assert_eq!((&again["outcome"]["unchanged"], &again["outcome"]["entered"]), (&json!(6), &json!([])));
    assert_eq!(desk.tasks(json!({})).await.len(), 6);
    assert_eq!(desk.to_sign("shuiliju-lianluoyuan").await.len(), 1, "nobody is told twice");
    desk.world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_resolved_keeps_everything_out_or_arrives_as_drafts() {
    let desk = Desk::open().await;
    let (list, plans) = (notices("01"), notices("04"));
    let error = desk.refused(&[], &[&list, &plans]).await;
    assert!(error.contains("--allow-unresolved"), "{error}");
    assert_eq!(desk.tasks(json!({})).await, Vec::<Value>::new(), "not even what was clear");

    let imported = desk.imported(&["--allow-unresolved"], &[&plans]).await;
    assert_eq!(imported.len(), 2, "one for each plan of the document");
    let drafts = desk.tasks(json!({"state": "TASK_STATE_DRAFT"})).await;
    let [draft] = drafts.try_into().unwrap();
    assert_eq!(draft["source"]["part"], "临汾市河道管护2024年行动计划");
    assert_eq!(draft["openPoints"][0]["text"], "有关县市区");
    assert_eq!(draft["openPoints"][0]["line"], 24);
    let request = json!({"name": draft["name"]});
    let refused = desk.supervisor.call("TaskService/IssueTask", request).await.unwrap_err();
    assert_eq!(refused.reason, "STILL_OPEN");
    let labels: Vec<Value> = desk
        .tasks(json!({}))
        .await
        .iter()
        .filter(|task| task["source"]["part"] == "临汾市节约用水2024年行动计划")
        .map(|task| task["source"]["label"].clone())
        .collect();
    assert_eq!(labels, ["(三)", "(二)", "(一)"], "the newest first");
    let again = desk.imported(&["--allow-unresolved"], &[&plans]).await;
    assert_eq!(again[0]["outcome"]["unchanged"], 6);

    // What a person chose is not undone, whatever the notice leaves open.
    let chosen = json!([
        {"unit": "units/shuiliju", "role": "ASSIGNMENT_ROLE_LEAD"},
        {"unit": "units/xiangfen", "role": "ASSIGNMENT_ROLE_RESPONSIBLE"},
    ]);
    let task = json!({"name": draft["name"], "assignments": chosen, "openPoints": []});
    let update = json!({"task": task, "updateMask": "assignments,openPoints"});
    let supervisor = desk.world.api(Protocol::Grpc, SUPERVISOR).await;
    let settled = supervisor.call("TaskService/UpdateTask", update).await.unwrap();
    let again = desk.imported(&["--allow-unresolved", "--revise"], &[&plans]).await;
    assert_eq!(again[0]["outcome"]["unchanged"], 6);
    let kept = supervisor.call("TaskService/GetTask", json!({"name": draft["name"]})).await.unwrap();
    assert_eq!(kept, settled);
    desk.world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_compared_with_its_item_and_revised_only_when_asked() {
    let desk = Desk::open().await;
    let list = notices("01");
    desk.imported(&[], &[&list]).await;
    let text = std::fs::read_to_string(&list).unwrap();
    let text = text.replace(" 60 ", " 70 ");
    let changed = desk.file("changed.txt", text.as_bytes());

    let [compared] = desk.imported(&[], &[&changed]).await.try_into().unwrap();
    let differing = compared["outcome"]["differing"].as_array().unwrap();
    assert_eq!(
        (differing.len(), &differing[0]["item"], &differing[0]["differences"][0]["revised"]),
        (1, &json!("第1项"), &json!(false))
    );
    let name = differing[0]["name"].as_str().unwrap().to_owned();
    let get = async || desk.supervisor.call("TaskService/GetTask", json!({"name": name})).await.unwrap();
    assert!(get().await["text"].as_str().unwrap().contains("60个"), "an import never changes a text");

    let [revised] = desk.imported(&["--revise"], &[&changed]).await.try_into().unwrap();
    assert_eq!(revised["outcome"]["differing"][0]["differences"][0]["revised"], true);
    assert!(get().await["text"].as_str().unwrap().contains("70个"));
    let last = desk.timeline(&name).await.pop().unwrap();
    assert!(last.starts_with("修订：") && last.contains("60个"), "{last}");
    let [same] = desk.imported(&["--revise"], &[&changed]).await.try_into().unwrap();
    assert_eq!(same["outcome"]["unchanged"], 6);
    desk.world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_under_way_is_entered_without_a_word() {
    let desk = Desk::open().await;
    let text = std::fs::read_to_string(notices("01")).unwrap();
    let list = desk.file("list.txt", text.replace("2024", "2023").as_bytes());
    // The third item of 2023 has a milestone that has passed in no way: it ends in November.
    let [imported] = desk.imported(&["--backfill"], &[&list]).await.try_into().unwrap();
    assert_eq!(imported["outcome"]["entered"].as_array().unwrap().len(), 6);
    for task in desk.tasks(json!({})).await {
        assert_eq!((&task["state"], &task["light"]), (&json!("TASK_STATE_ISSUED"), &json!("LIGHT_GREEN")));
        assert_eq!(task["issueTime"], "2023-02-28T16:00:00Z");
        let assignments = task["assignments"].as_array().unwrap();
        assert!(assignments.iter().all(|one| one["state"] == "ASSIGNMENT_STATE_IN_PROGRESS"), "{task}");
        assert!(assignments.iter().all(|one| one["wasLate"] != true), "{task}");
    }
    assert_eq!(desk.to_sign("shuiliju-lianluoyuan").await, Vec::<String>::new());
    desk.world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_division_and_a_group_are_registered_once() {
    let desk = Desk::open().await;
    let (division, group) = (notices("02"), notices("03"));
    let imported = desk.imported(&[], &[&division, &group]).await;
    let name = imported[0]["outcome"]["division"].as_str().unwrap().to_owned();
    let read = desk.supervisor.call("RosterService/GetDivision", json!({"name": name})).await.unwrap();
    assert_eq!(read["effectiveTime"], "2024-04-07T16:00:00Z");
    assert_eq!(read["portfolios"].as_array().unwrap().len(), 3);
    assert!(!read["fallback"]["officials"].as_array().unwrap().is_empty(), "the city's rule goes on");
    let name = imported[1]["outcome"]["groups"][0].as_str().unwrap().to_owned();
    let read = desk.supervisor.call("GroupService/GetGroup", json!({"name": name})).await.unwrap();
    assert_eq!(read["kind"], "GROUP_KIND_TASK_FORCE");
    assert_eq!(
        (&read["officeUnit"], read["seats"].as_array().unwrap().len()),
        (&json!("units/chengguanju"), 12)
    );
    assert_eq!(read["subgroups"], json!([{"name": "督导检查组"}]));

    let again = desk.imported(&[], &[&division, &group]).await;
    assert_eq!(again[0]["outcome"], imported_again(&imported[0]));
    assert_eq!(again[1]["outcome"], imported_again(&imported[1]));
    let changed = std::fs::read_to_string(&division).unwrap().replace("审计方面", "统计方面");
    let changed = desk.file("division.txt", changed.as_bytes());
    let [compared] = desk.imported(&[], &[&changed]).await.try_into().unwrap();
    let remarks = compared["outcome"]["remarks"].to_string();
    assert!(remarks.contains("仅本件有：officials/wangyanfeng分管统计"), "{remarks}");
    desk.world.end().await;
}

/// What a second import says: the same records, and nothing to remark.
fn imported_again(first: &Value) -> Value {
    let mut outcome = first["outcome"].clone();
    outcome.as_object_mut().unwrap().remove("remarks");
    outcome
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_one_clear_line_and_nothing_is_imported() {
    let desk = Desk::open().await;
    let good = std::fs::read_to_string(notices("01")).unwrap();
    let truncated: String = good.chars().take(good.chars().count() / 2).collect();
    let bad = [
        ("shopping.txt", "购物清单\n1. 牛奶".as_bytes().to_vec(), "没有发文字号"),
        ("noise.txt", vec![b'x'; 50 * 1024 * 1024], "超过4兆字节"),
        ("bytes.txt", b"\xff\xfe\x00".to_vec(), "不是UTF-8文本"),
        ("truncated.txt", truncated.into_bytes(), "未导入"),
        ("renamed.txt", good.replace("市水利局", "市水利水务局").into_bytes(), "未导入"),
        ("twice.txt", good.replace("2. ", "1. ").replace("2．", "1．").into_bytes(), "未导入"),
    ];
    for (name, bytes, said) in bad {
        let file = desk.file(name, &bytes);
        // A good notice beside it is not imported either.
        let error = desk.refused(&[], &[&notices("01"), &file]).await;
        assert!(error.contains(said), "{name}: {error}");
        assert_eq!(desk.tasks(json!({})).await, Vec::<Value>::new(), "{name}");
    }
    let twice = desk.refused(&["--allow-unresolved"], &[&desk.scratch.path().join("twice.txt")]).await;
    assert!(twice.contains("第1项重复"), "{twice}");
    assert_eq!(desk.tasks(json!({})).await, Vec::<Value>::new());
    let missing = desk.refused(&[], &[Path::new("/nowhere/notice.txt")]).await;
    assert!(missing.contains("/nowhere/notice.txt"), "{missing}");
    let nobody = desk.refused(&["--server", "http://127.0.0.1:1", "--token", "x"], &[&notices("01")]).await;
    assert!(nobody.contains("127.0.0.1:1"), "{nobody}");
    desk.world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_killed_anywhere_is_completed_by_the_same_import() {
    let swept = xietong_tests::import::sweep(&program().unwrap(), 4).await.unwrap();
    assert_eq!((swept.importer_kills, swept.server_kills), (2, 2));
}
