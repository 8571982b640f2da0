//! What is kept of a task that is over: whole, verifiable without the system, and only for those
//! who may read it.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use domain_roster::{Account, Role, RoleBinding, RosterEvent};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tonic::{Code, Status};
use xietong_events::{Event, verify_chain};
use xietong_mesh::principal::Principal;
use xietong_proto::common::Visibility;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::{Cooperating, Lead};
use xietong_proto::supervision::TaskState;
use zip::ZipArchive;

use crate::city::{City, START, Store, at, clerk, refusal, supervisor, task, task_of};
use crate::on_both;
use crate::papers::{assignment, issue, letter, read, send, slip, words};
use crate::scoreboard::{sign_and_deploy, submit, verify};

on_both!(
    an_archive_holds_everything_and_verifies_offline,
    a_withdrawn_task_is_archived_too,
    what_is_open_is_not_archived,
    an_archive_is_for_those_who_may_read_the_task,
    an_archive_lists_the_files_that_came_with_the_work,
);

async fn archive(city: &City, who: &Principal, name: &str) -> Result<Vec<u8>, Status> {
    let request = proto::ArchiveTaskRequest { name: name.to_owned() };
    let (content_type, bytes) = read(city.archives(who).archive_task(request).await).await?;
    assert_eq!(content_type, "application/zip");
    Ok(bytes)
}

/// What another reader of the format finds, by name.
fn opened(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut entries = BTreeMap::new();
    for place in 0..zip.len() {
        let mut file = zip.by_index(place).unwrap();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        let name = file.name().unwrap().into_owned();
        assert!(entries.insert(name.clone(), content).is_none(), "{name} twice");
    }
    entries
}

fn text<'a>(entries: &'a BTreeMap<String, Vec<u8>>, name: &str) -> &'a str {
    std::str::from_utf8(&entries[name]).unwrap()
}

/// Every entry is as the list has it, and the chain of the timeline holds to the end it names.
fn verified(entries: &BTreeMap<String, Vec<u8>>) -> Vec<Event> {
    let manifest: Value = serde_json::from_slice(&entries["清单.json"]).unwrap();
    let listed: BTreeMap<&str, (u64, &str)> = manifest["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let digest = entry["sha256"].as_str().unwrap();
            (entry["name"].as_str().unwrap(), (entry["bytes"].as_u64().unwrap(), digest))
        })
        .collect();
    let found: BTreeMap<&str, (u64, String)> = entries
        .iter()
        .filter(|(name, _)| *name != "清单.json")
        .map(|(name, content)| {
            let digest = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
            (name.as_str(), (content.len() as u64, digest))
        })
        .collect();
    let found: BTreeMap<&str, (u64, &str)> =
        found.iter().map(|(name, (bytes, digest))| (*name, (*bytes, digest.as_str()))).collect();
    assert_eq!(listed, found);
    let events: Vec<Event> =
        text(entries, "时间线.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    verify_chain(&events).unwrap();
    let last = events.last().unwrap();
    assert_eq!(manifest["chain"]["version"].as_i64(), Some(last.version));
    assert_eq!(manifest["chain"]["hash"].as_str(), Some(last.hash.to_string().as_str()));
    events
}

async fn an_archive_holds_everything_and_verifies_offline(store: Store) {
    let mut city = City::start(store).await;
    let account = Account {
        name: "accounts/one".to_owned(),
        subject: "clerk-energy".to_owned(),
        official: None,
        roles: vec![RoleBinding {
            role: Role::UnitClerk,
            units: vec!["units/energy".to_owned()],
            groups: vec![],
            start_time: None,
            end_time: None,
        }],
        disabled: false,
    };
    city.roster.record(RosterEvent::AccountCreated(account), at(START)).await;
    city.follow_roster().await;
    let name = assignment(&city).await;
    let task = name.split_once("/assignments/").unwrap().0.to_owned();
    issue(&city, slip(&name)).await;
    city.wait_until("2023-06-07T09:00:00+08:00").await;
    send(&city, letter(&name)).await;
    sign_and_deploy(&city, "energy", &name).await;
    let mut energy = city.clerk("energy");
    // More of them than are read at a time.
    for day in 1..=105 {
        let text = format!("第{day}次反馈：管沟开挖{day}公里");
        let request = proto::ReportAssignmentRequest { name: name.clone(), text, ..Default::default() };
        energy.report_assignment(request).await.unwrap();
    }
    submit(&city, "energy", &name).await;
    verify(&city, &name, true).await;
    let bytes = archive(&city, &clerk("energy"), &task).await.unwrap();
    // The first entry says that its name is UTF-8.
    assert_eq!(u16::from_le_bytes([bytes[6], bytes[7]]) & 0x0800, 0x0800);

    let entries = opened(&bytes);
    let names: Vec<&str> = entries.keys().map(String::as_str).collect();
    let mut expected = [
        "任务.json",
        "公文/01-督交〔2023〕1号.docx",
        "公文/02-督函〔2023〕1号.docx",
        "封面.docx",
        "封面.md",
        "时限说明/01-市能源局.md",
        "时限说明/02-尧都区人民政府.md",
        "时间线.jsonl",
        "时间线.md",
        "校验说明.md",
        "清单.json",
    ];
    expected.sort_unstable();
    assert_eq!(names, expected);
    let events = verified(&entries);
    assert_eq!(events.len(), city.service.log.of_aggregate(&task).await.unwrap().len());
    assert!(events.len() > 110);

    let kept: Value = serde_json::from_slice(&entries["任务.json"]).unwrap();
    assert_eq!(
        (kept["name"].as_str(), kept["state"].as_str()),
        (Some(task.as_str()), Some("TASK_STATE_STRUCK_OFF"))
    );
    let cover = text(&entries, "封面.md");
    assert!(cover.contains("| 事项来源 | 临政办发〔2023〕8号第147项 |"), "{cover}");
    assert!(
        cover.contains("| 市能源局 | 牵头 | 2023年6月1日 | 2023年6月8日 | 2023年6月7日 | 0 | 销号 |"),
        "{cover}"
    );
    assert!(words(&entries["封面.docx"]).contains("推进绿色能源输配管网建设"));
    assert!(words(&entries["公文/02-督函〔2023〕1号.docx"]).contains("督函〔2023〕1号"));
    let timeline = text(&entries, "时间线.md");
    assert!(timeline.contains("市能源局反馈进展：第105次反馈：管沟开挖105公里"), "{timeline}");
    assert!(timeline.contains("市能源局签收（市能源局工作人员）"), "{timeline}");
    for internal in ["名册记录", "system/", "tasks/", "clerk-energy"] {
        assert!(!timeline.contains(internal), "{internal}: {timeline}");
    }
    let (first, note) =
        (text(&entries, "时间线.jsonl").lines().next().unwrap(), text(&entries, "校验说明.md"));
    let first: Value = serde_json::from_str(first).unwrap();
    let said = note.split('`').skip(1).step_by(2).collect::<Vec<_>>();
    for field in first.as_object().unwrap().keys().filter(|field| *field != "position") {
        assert!(said.contains(&field.as_str()), "{field}: {note}");
    }
    assert!(first["occurred_at"].is_string() && first["recorded_at"].is_i64(), "as the note says");
    assert!(text(&entries, "时限说明/01-市能源局.md").contains("2023年6月8日"));
}

async fn a_withdrawn_task_is_archived_too(store: Store) {
    let city = City::start(store).await;
    let request = proto::CreateTaskRequest { task: Some(task_of("energy")), ..Default::default() };
    let draft = city.supervisor().create_task(request).await.unwrap().into_inner();
    let issued = city.issued(task_of("energy")).await;
    for task in [draft, issued] {
        let withdraw = proto::WithdrawTaskRequest {
            name: task.name.clone(),
            ground: "与其他事项重复".to_owned(),
            ..Default::default()
        };
        let withdrawn = city.supervisor().withdraw_task(withdraw).await.unwrap().into_inner();
        assert_eq!(withdrawn.state(), TaskState::Withdrawn);
        let entries = opened(&archive(&city, &supervisor(), &task.name).await.unwrap());
        verified(&entries);
        assert!(text(&entries, "封面.md").contains("| 结果 | 已撤销 |"));
        assert!(text(&entries, "时间线.md").contains("撤销任务：与其他事项重复"));
    }
}

async fn what_is_open_is_not_archived(store: Store) {
    let city = City::start(store).await;
    let request = proto::CreateTaskRequest { task: Some(task_of("energy")), ..Default::default() };
    let draft = city.supervisor().create_task(request).await.unwrap().into_inner();
    let issued = city.issued(task_of("energy")).await;
    for name in [draft.name, issued.name] {
        let request = proto::ArchiveTaskRequest { name };
        let (code, error) = refusal(city.archives(&supervisor()).archive_task(request).await);
        assert_eq!((code, error.reason()), (Code::FailedPrecondition, "STILL_OPEN"));
    }
}

async fn an_archive_is_for_those_who_may_read_the_task(store: Store) {
    let city = City::start(store).await;
    let mut secret = task("一", &[("energy", Lead), ("yaodu", Cooperating)]);
    secret.visibility = Visibility::Restricted.into();
    secret.restricted_units = vec!["units/health".to_owned()];
    let open = city.issued(task_of("energy")).await;
    let issued = city.issued(secret).await;
    let name = issued.assignments[0].name.clone();
    sign_and_deploy(&city, "energy", &name).await;
    submit(&city, "energy", &name).await;
    verify(&city, &name, true).await;
    for (unit, reads) in [("energy", true), ("yaodu", true), ("health", true), ("water", false)] {
        let found = archive(&city, &clerk(unit), &issued.name).await;
        assert_eq!(
            found.map_err(|status| status.code()).err(),
            (!reads).then_some(Code::PermissionDenied),
            "{unit}"
        );
    }
    // Whoever may not read it does not learn that it is open, or that it is there.
    for name in [&open.name, "tasks/none"] {
        let refused = archive(&city, &clerk("water"), name).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{name}");
    }
    assert_eq!(archive(&city, &supervisor(), "tasks/none").await.unwrap_err().code(), Code::NotFound);
    let wrong = archive(&city, &supervisor(), "papers/none").await.unwrap_err();
    assert_eq!(wrong.code(), Code::InvalidArgument);
}

async fn an_archive_lists_the_files_that_came_with_the_work(store: Store) {
    let city = City::start(store).await;
    let name = assignment(&city).await;
    let task = name.split_once("/assignments/").unwrap().0.to_owned();
    sign_and_deploy(&city, "energy", &name).await;
    let photo = city.uploaded(&clerk("energy"), 1, "现场照片.jpg");
    let request = proto::ReportAssignmentRequest {
        name: name.clone(),
        text: "已进场".to_owned(),
        attachments: vec![photo.clone()],
        ..Default::default()
    };
    let reported = city.clerk("energy").report_assignment(request).await.unwrap().into_inner();
    submit(&city, "energy", &name).await;
    verify(&city, &name, true).await;
    let entries = opened(&archive(&city, &clerk("energy"), &task).await.unwrap());
    verified(&entries);
    let listed: Value = serde_json::from_str(text(&entries, "附件清单.json")).unwrap();
    let [file] = listed.as_array().unwrap().as_slice() else { panic!("one file: {listed}") };
    assert_eq!(file["displayName"], "现场照片.jpg");
    assert_eq!(format!("attachments/{}", file["digest"].as_str().unwrap()), photo.name);
    assert_eq!(format!("v{}", file["version"]), reported.etag);
}
