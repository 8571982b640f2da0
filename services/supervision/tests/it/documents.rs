//! Tasks that are items of documents: entered once, issued together, revised on record.

use domain_supervision::{DOCUMENT_ISSUED, DocumentIssued};
use tonic::Code;
use xietong_mesh::convert::encode_time;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::{AssignmentRole, AssignmentState, Light, TaskState};
use xietong_timers::Progress;

use crate::city::{City, Store, at, refusal, task, task_of};
use crate::on_both;

on_both!(
    an_item_of_a_document_is_one_task_for_ever,
    a_document_issued_in_a_batch_tells_each_unit_once,
    a_unit_signs_at_once_for_all_that_a_document_gave_it,
    each_of_a_batch_to_sign_has_its_own_answer,
    a_draft_with_open_points_is_issued_once_they_are_settled,
    an_issued_task_is_revised_on_record,
    work_under_way_is_entered_as_it_stands,
    what_is_only_validated_is_not_entered,
);

const NUMBER: &str = "临政办发〔2023〕8号";

fn source(part: &str, item_number: i32, label: &str) -> Option<proto::Source> {
    Some(proto::Source {
        document_number: NUMBER.to_owned(),
        part: part.to_owned(),
        item_number,
        line: 12,
        label: label.to_owned(),
    })
}

fn item(units: &[&str], item_number: i32) -> proto::Task {
    let units: Vec<_> = units.iter().map(|unit| (*unit, AssignmentRole::Lead)).collect();
    proto::Task { source: source("", item_number, ""), ..task("清洁取暖改造", &units) }
}

async fn create_all(city: &City, tasks: Vec<proto::Task>, issue: bool) -> Vec<proto::Task> {
    let request =
        proto::BatchCreateTasksRequest { tasks, issue, confirm_duplicates: true, ..Default::default() };
    city.supervisor().batch_create_tasks(request).await.unwrap().into_inner().tasks
}

async fn an_item_of_a_document_is_one_task_for_ever(store: Store) {
    let city = City::start(store).await;
    let first = create_all(&city, vec![item(&["energy"], 7)], false).await;
    let again = proto::BatchCreateTasksRequest {
        tasks: vec![item(&["energy"], 6), item(&["industry"], 7)],
        ..Default::default()
    };
    let (code, error) = refusal(city.supervisor().batch_create_tasks(again).await);
    assert_eq!((code, error.metadata().get("resource")), (Code::AlreadyExists, Some(&first[0].name)));
    assert_eq!(error.violations()[0].field, "tasks[1].source");
    assert_eq!(city.list(proto::ListTasksRequest::default()).await.len(), 1, "all or none");

    // Another part, another label, and no number at all are other items.
    let others =
        [source("行动计划", 7, ""), source("", 0, "（一）"), source("", 0, "（二）"), source("", 0, "")];
    for source in others {
        let task = proto::Task { source: source.clone(), ..task_of("energy") };
        let created = create_all(&city, vec![task.clone()], false).await;
        assert_eq!(created[0].source, source);
    }
    let twice = vec![item(&["energy"], 9), item(&["energy"], 9)];
    let request = proto::BatchCreateTasksRequest { tasks: twice, ..Default::default() };
    assert_eq!(refusal(city.supervisor().batch_create_tasks(request).await).0, Code::AlreadyExists);

    let withdraw = proto::WithdrawTaskRequest {
        name: first[0].name.clone(),
        ground: "并入其他事项".to_owned(),
        ..Default::default()
    };
    city.supervisor().withdraw_task(withdraw).await.unwrap();
    let request = proto::CreateTaskRequest { task: Some(item(&["energy"], 7)), ..Default::default() };
    let (code, _) = refusal(city.supervisor().create_task(request).await);
    assert_eq!(code, Code::AlreadyExists, "withdrawn is not gone");
}

async fn a_document_issued_in_a_batch_tells_each_unit_once(store: Store) {
    let city = City::start(store).await;
    let by_hand = proto::Task { source: None, ..item(&["energy"], 0) };
    create_all(&city, vec![item(&["energy", "industry"], 7), item(&["energy"], 8), by_hand], true).await;
    for worker in &city.service.workers {
        while worker.turn().await.unwrap() == Progress::Worked {}
    }
    let events = city.service.log.read(0, 100).await.unwrap().events;
    let told: Vec<_> = events
        .iter()
        .filter(|event| event.event_type == DOCUMENT_ISSUED)
        .map(|event| {
            let payload = serde_json::from_str(&event.payload).unwrap();
            let told = DocumentIssued::from_payload(&event.event_type, &payload).unwrap().unwrap();
            (told.unit, told.items.iter().map(|item| item.item.clone()).collect::<Vec<_>>())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("units/energy".to_owned(), vec!["7".to_owned(), "8".to_owned()]),
            ("units/industry".to_owned(), vec!["7".to_owned()]),
        ]
    );
}

async fn a_unit_signs_at_once_for_all_that_a_document_gave_it(store: Store) {
    let city = City::start(store).await;
    let tasks = create_all(&city, vec![item(&["energy", "industry"], 7), item(&["energy"], 8)], true).await;
    let request = proto::BatchSignAssignmentsRequest {
        unit: "units/energy".to_owned(),
        document_number: NUMBER.to_owned(),
        request_id: "sign-1".to_owned(),
        ..Default::default()
    };
    let (code, _) = refusal(city.clerk("industry").batch_sign_assignments(request.clone()).await);
    assert_eq!(code, Code::PermissionDenied);
    let signed = city.clerk("energy").batch_sign_assignments(request.clone()).await.unwrap().into_inner();
    assert_eq!(signed.results.len(), 2);
    assert!(signed.results.iter().all(|one| one.signed && one.message_zh.is_empty()), "{signed:?}");
    let again = city.clerk("energy").batch_sign_assignments(request.clone()).await.unwrap().into_inner();
    assert_eq!(again, signed, "the first answer");
    let first = city.get(&tasks[0].name).await;
    let states: Vec<_> = first.assignments.iter().map(proto::Assignment::state).collect();
    assert_eq!(states, [AssignmentState::Signed, AssignmentState::Assigned]);
    let request = proto::BatchSignAssignmentsRequest { request_id: String::new(), ..request };
    let rest = city.clerk("energy").batch_sign_assignments(request).await.unwrap().into_inner();
    assert_eq!(rest.results, [], "nothing is left to sign for");
}

async fn each_of_a_batch_to_sign_has_its_own_answer(store: Store) {
    let city = City::start(store).await;
    let tasks = create_all(&city, vec![item(&["energy", "industry"], 7), item(&["energy"], 8)], true).await;
    let name = |task: usize, at: usize| tasks[task].assignments[at].name.clone();
    let names = vec![name(0, 0), name(0, 0), name(0, 1), "tasks/none/assignments/1".to_owned(), name(1, 0)];
    let request = proto::BatchSignAssignmentsRequest { names, ..Default::default() };
    let answer = city.clerk("energy").batch_sign_assignments(request).await.unwrap().into_inner();
    let statuses: Vec<&str> = answer.results.iter().map(|one| one.status.as_str()).collect();
    assert_eq!(statuses, ["", "FAILED_PRECONDITION", "PERMISSION_DENIED", "PERMISSION_DENIED", ""]);
    assert_eq!(answer.results[1].message_zh, "已经签收，不必重复签收");
    assert_eq!(city.get(&tasks[1].name).await.assignments[0].state(), AssignmentState::Signed);

    for wrong in [
        proto::BatchSignAssignmentsRequest::default(),
        proto::BatchSignAssignmentsRequest { names: vec!["签收".to_owned()], ..Default::default() },
        proto::BatchSignAssignmentsRequest { names: vec![name(0, 0); 1_001], ..Default::default() },
        proto::BatchSignAssignmentsRequest {
            names: vec![name(0, 0)],
            unit: "units/energy".to_owned(),
            ..Default::default()
        },
    ] {
        let (code, _) = refusal(city.clerk("energy").batch_sign_assignments(wrong).await);
        assert_eq!(code, Code::InvalidArgument);
    }
}

fn update(task: proto::Task, mask: &[&str], ground: &str) -> proto::UpdateTaskRequest {
    let paths = mask.iter().map(|path| (*path).to_owned()).collect();
    proto::UpdateTaskRequest {
        task: Some(task),
        update_mask: Some(prost_types::FieldMask { paths }),
        ground: ground.to_owned(),
        request_id: String::new(),
        validate_only: false,
    }
}

async fn a_draft_with_open_points_is_issued_once_they_are_settled(store: Store) {
    let city = City::start(store).await;
    let point = proto::OpenPoint {
        text: "有关县市区".to_owned(),
        why: "需要人工确定具体单位".to_owned(),
        line: 12,
        candidates: vec!["units/yaodu".to_owned()],
    };
    let open = proto::Task { open_points: vec![point], ..item(&[], 7) };
    let created = create_all(&city, vec![open], false).await;
    let name = created[0].name.clone();
    assert_eq!(created[0].open_points[0].text, "有关县市区");
    let issue = || proto::IssueTaskRequest { name: name.clone(), ..Default::default() };
    let (code, error) = refusal(city.supervisor().issue_task(issue()).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "STILL_OPEN"));

    let settled = proto::Task { name: name.clone(), ..item(&["energy"], 7) };
    let mask = ["open_points", "assignments"];
    let unknown = proto::Task { name: name.clone(), ..item(&["moon"], 7) };
    let (code, error) = refusal(city.supervisor().update_task(update(unknown, &mask, "")).await);
    assert_eq!(code, Code::InvalidArgument);
    assert_eq!(error.violations()[0].field, "task.assignments[0].unit");
    let stale = proto::Task { etag: "v9".to_owned(), ..settled.clone() };
    let (code, _) = refusal(city.supervisor().update_task(update(stale, &mask, "")).await);
    assert_eq!(code, Code::Aborted);
    let (code, _) = refusal(city.clerk("energy").update_task(update(settled.clone(), &mask, "")).await);
    assert_eq!(code, Code::PermissionDenied);
    let revised = city.supervisor().update_task(update(settled, &mask, "")).await.unwrap().into_inner();
    assert_eq!((revised.open_points.len(), revised.assignments.len()), (0, 1));
    let issued = city.supervisor().issue_task(issue()).await.unwrap().into_inner();
    assert_eq!(issued.state(), TaskState::Issued);
    let of_unit = proto::ListTasksRequest { unit: "units/energy".to_owned(), ..Default::default() };
    assert_eq!(city.list(of_unit).await.len(), 1);
}

async fn an_issued_task_is_revised_on_record(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(item(&["energy"], 7)).await;
    let milestone = proto::Milestone {
        due_time: Some(encode_time(at("2023-07-01T00:00:00+08:00"))),
        text: "完成改造六成".to_owned(),
        units: vec!["units/energy".to_owned()],
    };
    let target = proto::Target {
        measure: "改造户数".to_owned(),
        value: "12000".to_owned(),
        unit: "户".to_owned(),
        direction: proto::Direction::AtLeast.into(),
        binding: true,
        ..Default::default()
    };
    let revised = proto::Task {
        name: issued.name.clone(),
        text: "10月底前完成改造1.2万户。".to_owned(),
        due_time: Some(encode_time(at("2023-11-01T00:00:00+08:00"))),
        milestones: vec![milestone.clone()],
        targets: vec![target.clone()],
        ..Default::default()
    };
    let mask = ["text", "due_time", "milestones", "targets"];
    let (code, error) = refusal(city.supervisor().update_task(update(revised.clone(), &mask, "")).await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "ground"));
    let request = update(revised.clone(), &mask, "市政府常务会议纪要");
    let after = city.supervisor().update_task(request).await.unwrap().into_inner();
    assert_eq!((&after.milestones, &after.targets), (&vec![milestone], &vec![target]));
    assert_eq!(after.assignments[0].settle_due_time, Some(encode_time(at("2023-11-01T00:00:00+08:00"))));
    assert_eq!(after, city.get(&issued.name).await);
    let last = city.timeline(&issued.name).await.pop().unwrap();
    assert_eq!(last.ground, "市政府常务会议纪要");
    assert!(last.text.starts_with("修订：内容由“清洁取暖改造。6月底前完成。”改为"), "{}", last.text);

    let grade = proto::Task { grade: proto::Grade::Major.into(), ..revised.clone() };
    let (code, error) = refusal(city.supervisor().update_task(update(grade, &["grade"], "依据")).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "FIXED_ONCE_ISSUED"));
    for mask in [vec![], vec!["creator"], vec!["督办"]] {
        let (code, error) =
            refusal(city.supervisor().update_task(update(revised.clone(), &mask, "依据")).await);
        assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "update_mask"));
    }
}

fn under_way(item_number: i32, state: AssignmentState, due: &str) -> proto::Task {
    let mut task = item(&["energy"], item_number);
    task.issue_time = Some(encode_time(at("2023-04-20T00:00:00+08:00")));
    task.due_time = Some(encode_time(at(due)));
    task.assignments[0].state = state.into();
    if state == AssignmentState::StruckOff {
        task.assignments[0].complete_time = Some(encode_time(at("2023-05-20T00:00:00+08:00")));
    }
    task
}

async fn work_under_way_is_entered_as_it_stands(store: Store) {
    let city = City::start(store).await;
    let year_end = "2024-01-01T00:00:00+08:00";
    let tasks = vec![
        under_way(1, AssignmentState::InProgress, year_end),
        under_way(2, AssignmentState::StruckOff, "2023-05-31T00:00:00+08:00"),
    ];
    let request = proto::BatchCreateTasksRequest { tasks, backfill: true, ..Default::default() };
    let entered = city.supervisor().batch_create_tasks(request).await.unwrap().into_inner().tasks;
    let seen: Vec<_> = entered.iter().map(|task| (task.state(), task.light())).collect();
    assert_eq!(seen, [(TaskState::Issued, Light::Green), (TaskState::StruckOff, Light::Blue)]);
    assert_eq!(entered[0].issue_time, Some(encode_time(at("2023-04-20T00:00:00+08:00"))));
    assert!(!entered[0].assignments[0].was_late);
    assert_eq!(entered[1].strike_off_time, entered[1].assignments[0].complete_time);
    assert!(entered[1].strike_off_time.is_some());
    assert_eq!(city.timeline(&entered[0].name).await[1].text, "补录在办任务，承办单位市能源局");

    city.wait_until("2023-06-20T23:00:00+08:00").await;
    assert_eq!(city.timeline(&entered[0].name).await.len(), 2, "nothing from before is urged");
    city.wait_until("2023-06-21T08:00:00+08:00").await;
    assert_eq!(city.timeline(&entered[0].name).await.len(), 3, "the report of June is");

    let no_date = proto::Task { issue_time: None, ..under_way(3, AssignmentState::InProgress, year_end) };
    let pending = under_way(3, AssignmentState::Pending, year_end);
    let ahead = proto::Task {
        issue_time: Some(encode_time(at("2023-12-01T00:00:00+08:00"))),
        ..under_way(3, AssignmentState::InProgress, year_end)
    };
    let mistyped = proto::Task {
        issue_time: Some(encode_time(at("0203-04-20T00:00:00+08:00"))),
        ..under_way(3, AssignmentState::InProgress, year_end)
    };
    for wrong in [no_date, pending, ahead, mistyped] {
        let request =
            proto::BatchCreateTasksRequest { tasks: vec![wrong], backfill: true, ..Default::default() };
        let (code, error) = refusal(city.supervisor().batch_create_tasks(request).await);
        assert_eq!(code, Code::InvalidArgument, "{error}");
    }
    let past = under_way(3, AssignmentState::InProgress, "2023-05-31T00:00:00+08:00");
    let request = proto::BatchCreateTasksRequest { tasks: vec![past], backfill: true, ..Default::default() };
    let entered = city.supervisor().batch_create_tasks(request).await.unwrap().into_inner().tasks;
    assert_eq!((entered[0].light(), entered[0].assignments[0].was_late), (Light::Red, false));
    let both = proto::BatchCreateTasksRequest {
        tasks: vec![under_way(4, AssignmentState::InProgress, year_end)],
        issue: true,
        backfill: true,
        ..Default::default()
    };
    assert_eq!(refusal(city.supervisor().batch_create_tasks(both).await).0, Code::InvalidArgument);
}

async fn what_is_only_validated_is_not_entered(store: Store) {
    let city = City::start(store).await;
    let request = proto::BatchCreateTasksRequest {
        tasks: vec![item(&["energy"], 7)],
        issue: true,
        request_id: "validate".to_owned(),
        validate_only: true,
        ..Default::default()
    };
    let seen = city.supervisor().batch_create_tasks(request.clone()).await.unwrap().into_inner().tasks;
    assert_eq!(seen[0].state(), TaskState::Issued);
    assert_eq!(city.list(proto::ListTasksRequest::default()).await, []);
    let wrong = proto::BatchCreateTasksRequest { tasks: vec![item(&["moon"], 7)], ..request.clone() };
    assert_eq!(refusal(city.supervisor().batch_create_tasks(wrong).await).0, Code::InvalidArgument);
    // Not even its request id is kept: the same one enters them, under the first number.
    let request = proto::BatchCreateTasksRequest { validate_only: false, ..request };
    let entered = city.supervisor().batch_create_tasks(request.clone()).await.unwrap().into_inner().tasks;
    assert_eq!(entered[0].ledger_number, 1);
    let again = proto::BatchCreateTasksRequest { validate_only: true, request_id: String::new(), ..request };
    assert_eq!(refusal(city.supervisor().batch_create_tasks(again).await).0, Code::AlreadyExists);

    let renamed =
        proto::Task { name: entered[0].name.clone(), title: "改名".to_owned(), ..Default::default() };
    let only =
        proto::UpdateTaskRequest { validate_only: true, ..update(renamed.clone(), &["title"], "依据") };
    let seen = city.supervisor().update_task(only.clone()).await.unwrap().into_inner();
    assert_eq!(seen.title, "改名");
    assert_eq!(city.get(&entered[0].name).await, entered[0]);
    let no_ground = proto::UpdateTaskRequest { ground: String::new(), ..only };
    assert_eq!(refusal(city.supervisor().update_task(no_ground).await).0, Code::InvalidArgument);
    assert_eq!(city.list(proto::ListTasksRequest::default()).await.len(), 1);
}
