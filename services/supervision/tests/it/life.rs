//! A task from its draft to its striking-off.

use domain_supervision::{LAST_REPORT, Task, TaskEvent};
use xietong_events::verify_chain;
use xietong_mesh::ServiceName;
use xietong_mesh::principal::Principal;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::{AssignmentRole, AssignmentState, Light, TaskState};

use crate::city::{City, Store, task, task_of};
use crate::on_both;

on_both!(
    a_task_of_two_lead_units_is_struck_off_when_both_are,
    a_submission_sent_back_goes_on,
    a_withdrawn_task_says_why,
    a_decision_of_a_group_becomes_an_issued_task,
    a_batch_is_created_in_its_order,
    a_long_report_is_shown_from_its_beginning_and_kept_whole,
);

async fn a_task_of_two_lead_units_is_struck_off_when_both_are(store: Store) {
    let city = City::start(store).await;
    let draft = task(
        "绿色能源输配管网",
        &[
            ("industry", AssignmentRole::Lead),
            ("energy", AssignmentRole::Lead),
            ("yaodu", AssignmentRole::Cooperating),
        ],
    );
    let request = proto::CreateTaskRequest { task: Some(draft), ..Default::default() };
    let draft = city.supervisor().create_task(request).await.unwrap().into_inner();
    assert_eq!((draft.state(), draft.light()), (TaskState::Draft, Light::Unspecified));
    assert_eq!(draft.ledger_number, 1);

    let request =
        proto::IssueTaskRequest { name: draft.name.clone(), etag: draft.etag, ..Default::default() };
    let issued = city.supervisor().issue_task(request).await.unwrap().into_inner();
    assert_eq!((issued.state(), issued.light()), (TaskState::Issued, Light::Green));
    assert_eq!(issued, city.get(&draft.name).await);

    settle(&city, &issued.assignments[0], "industry").await;
    let half = city.get(&draft.name).await;
    assert_eq!(half.state(), TaskState::Issued, "one lead unit is still at it");
    assert_eq!(half.assignments[0].state(), AssignmentState::StruckOff);
    assert_eq!(half.assignments[0].last_report, "管线贯通");

    settle(&city, &issued.assignments[1], "energy").await;
    let done = city.get(&draft.name).await;
    assert_eq!((done.state(), done.light()), (TaskState::StruckOff, Light::Blue));
    assert!(done.strike_off_time.is_some());
    assert_eq!(done.assignments[2].state(), AssignmentState::StruckOff, "the cooperating unit with it");

    let timeline = city.timeline(&draft.name).await;
    let texts: Vec<&str> = timeline.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "登记任务：绿色能源输配管网",
            "交办至市工业和信息化局、市能源局、尧都区人民政府",
            "市工业和信息化局签收",
            "市工业和信息化局部署：成立专班",
            "市工业和信息化局反馈进展：开工",
            "市工业和信息化局申请办结：管线贯通",
            "核验通过市工业和信息化局的办理结果",
            "市工业和信息化局销号",
            "市能源局签收",
            "市能源局部署：成立专班",
            "市能源局反馈进展：开工",
            "市能源局申请办结：管线贯通",
            "核验通过市能源局的办理结果",
            "市能源局销号",
            "尧都区人民政府随任务销号",
            "任务销号",
        ]
    );
    let versions: Vec<i64> = timeline.iter().map(|entry| entry.version).collect();
    assert_eq!(versions, (1..=16).collect::<Vec<_>>());
    assert_eq!(timeline[2].actor, "clerk-industry");

    let events = city.service.log.of_aggregate(&draft.name).await.unwrap();
    verify_chain(&events).unwrap();
    let replayed: Vec<TaskEvent> = events
        .iter()
        .map(|event| {
            let payload = serde_json::from_str(&event.payload).unwrap();
            TaskEvent::from_payload(&event.event_type, &payload).unwrap().unwrap()
        })
        .collect();
    let replayed = Task::replay(&replayed).unwrap().unwrap();
    assert_eq!((replayed.version, replayed.ledger_number), (16, done.ledger_number));
    assert_eq!(replayed.state, domain_supervision::TaskState::StruckOff);
}

/// Takes an assignment of a unit from its sign-off to its striking-off.
async fn settle(city: &City, assignment: &proto::Assignment, unit: &str) {
    submit(city, &assignment.name, unit).await;
    let request =
        proto::VerifyAssignmentRequest { name: assignment.name.clone(), accept: true, ..Default::default() };
    let verified = city.supervisor().verify_assignment(request).await.unwrap().into_inner();
    assert_eq!(verified.state(), AssignmentState::StruckOff);
    assert_eq!(verified.light(), Light::Blue);
}

/// Takes an assignment of a unit from its sign-off to its submission.
async fn submit(city: &City, name: &str, unit: &str) {
    let mut clerk = city.clerk(unit);
    let request = proto::SignAssignmentRequest { name: name.to_owned(), ..Default::default() };
    let signed = clerk.sign_assignment(request).await.unwrap().into_inner();
    assert_eq!(signed.state(), AssignmentState::Signed);
    let request = proto::DeployAssignmentRequest {
        name: name.to_owned(),
        plan: "成立专班".to_owned(),
        etag: signed.etag,
        ..Default::default()
    };
    let deployed = clerk.deploy_assignment(request).await.unwrap().into_inner();
    assert_eq!(deployed.state(), AssignmentState::Deployed);
    let request = proto::ReportAssignmentRequest {
        name: name.to_owned(),
        text: "开工".to_owned(),
        ..Default::default()
    };
    let reported = clerk.report_assignment(request).await.unwrap().into_inner();
    assert_eq!((reported.state(), reported.last_report.as_str()), (AssignmentState::InProgress, "开工"));
    let request = proto::SubmitAssignmentRequest {
        name: name.to_owned(),
        text: "管线贯通".to_owned(),
        ..Default::default()
    };
    let submitted = clerk.submit_assignment(request).await.unwrap().into_inner();
    assert_eq!(submitted.state(), AssignmentState::Submitted);
}

async fn a_submission_sent_back_goes_on(store: Store) {
    let city = City::start(store).await;
    let name = city.issued(task_of("energy")).await.assignments[0].name.clone();
    submit(&city, &name, "energy").await;
    city.wait_until("2023-06-02T09:00:00+08:00").await;
    let request = proto::VerifyAssignmentRequest {
        name: name.clone(),
        note: "请补充验收材料".to_owned(),
        ..Default::default()
    };
    let back = city.supervisor().verify_assignment(request).await.unwrap().into_inner();
    assert_eq!(back.state(), AssignmentState::InProgress);
    // A day with the verifier moves the settle date by a day: 9 June and one.
    let due = back.settle_due_time.unwrap().seconds;
    assert_eq!(due, crate::city::at("2023-06-10T00:00:00+08:00").as_micros() / 1_000_000);
}

async fn a_withdrawn_task_says_why(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(task_of("energy")).await;
    let request = proto::WithdrawTaskRequest {
        name: issued.name.clone(),
        ground: "并入第147项".to_owned(),
        ..Default::default()
    };
    let withdrawn = city.supervisor().withdraw_task(request).await.unwrap().into_inner();
    assert_eq!((withdrawn.state(), withdrawn.light()), (TaskState::Withdrawn, Light::Grey));
    assert_eq!(withdrawn.assignments[0].state(), AssignmentState::Withdrawn);
    let timeline = city.timeline(&issued.name).await;
    let last = timeline.last().unwrap();
    assert_eq!((last.text.as_str(), last.ground.as_str()), ("撤销任务：并入第147项", "并入第147项"));
}

async fn a_decision_of_a_group_becomes_an_issued_task(store: Store) {
    let city = City::start(store).await;
    let origin = "groups/pipeline/meetings/1/decisions/2";
    let request = proto::CreateTaskRequest {
        task: Some(task_of("energy")),
        issue: true,
        origin: origin.to_owned(),
        request_id: "decisions/2/escalate".to_owned(),
        confirm_duplicates: false,
    };
    let mut workgroup = city.client(&Principal::system(ServiceName::Workgroup));
    let created = workgroup.create_task(request.clone()).await.unwrap().into_inner();
    assert_eq!((created.origin.as_str(), created.state()), (origin, TaskState::Issued));
    assert_eq!(created.creator, "system/workgroup");
    assert_eq!(workgroup.create_task(request.clone()).await.unwrap().into_inner(), created);
    // Request ids are kept for a week; an origin has one task for ever.
    let much_later = proto::CreateTaskRequest { request_id: "another".to_owned(), ..request };
    assert_eq!(workgroup.create_task(much_later).await.unwrap().into_inner().name, created.name);
    assert_eq!(city.get(&created.name).await, created);
}

async fn a_batch_is_created_in_its_order(store: Store) {
    let city = City::start(store).await;
    let tasks: Vec<proto::Task> = (1..=1_000)
        .map(|number| task(&format!("第{number}项"), &[("energy", AssignmentRole::Lead)]))
        .collect();
    let request = proto::BatchCreateTasksRequest {
        tasks,
        confirm_duplicates: true,
        issue: true,
        request_id: "batch".to_owned(),
        ..Default::default()
    };
    let created = city.supervisor().batch_create_tasks(request).await.unwrap().into_inner().tasks;
    let found: Vec<(i64, &str)> = created.iter().map(|one| (one.ledger_number, one.title.as_str())).collect();
    assert_eq!((found[0], found[999]), ((1, "第1项"), (1_000, "第1000项")));
    assert!(found.is_sorted());
    assert_eq!(city.get(&created[499].name).await, created[499]);
}

async fn a_long_report_is_shown_from_its_beginning_and_kept_whole(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(task_of("energy")).await;
    let name = issued.assignments[0].name.clone();
    let mut clerk = city.clerk("energy");
    clerk
        .sign_assignment(proto::SignAssignmentRequest { name: name.clone(), ..Default::default() })
        .await
        .unwrap();
    clerk
        .deploy_assignment(proto::DeployAssignmentRequest { name: name.clone(), ..Default::default() })
        .await
        .unwrap();
    let text = "进".repeat(20_000);
    let report = proto::ReportAssignmentRequest { name, text: text.clone(), ..Default::default() };
    clerk.report_assignment(report).await.unwrap();
    assert_eq!(city.get(&issued.name).await.assignments[0].last_report, "进".repeat(LAST_REPORT));
    assert_eq!(city.timeline(&issued.name).await[4].text, format!("市能源局反馈进展：{text}"));
}
