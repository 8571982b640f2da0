//! What is refused, and how it is said.

use tonic::Code;
use xietong_proto::common::Visibility;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::{Cooperating, Lead};

use crate::city::{City, START, Store, at, refusal, task, task_of};
use crate::on_both;

on_both!(
    every_wrong_field_of_a_task_is_named,
    a_bad_task_spoils_its_batch,
    a_unit_the_roster_does_not_have_is_named,
    a_unit_founded_a_moment_ago_is_known,
    a_thousand_faults_fit_in_an_answer,
    without_the_roster_no_task_is_entered,
    a_step_out_of_turn_is_refused_in_chinese,
    an_outdated_etag_is_aborted,
    a_malformed_request_is_never_a_fault_of_ours,
);

/// How a task can be spoilt, and the field that is named.
type Spoilt = (&'static str, fn(&mut proto::Task));

const SPOILT: [Spoilt; 26] = [
    ("task.title", |task| task.title = "  ".to_owned()),
    ("task.title", |task| task.title = "督".repeat(201)),
    ("task.text", |task| task.text = "a\0b".to_owned()),
    ("task.text", |task| task.text = "办".repeat(20_001)),
    ("task.unclassified", |task| task.unclassified = false),
    ("task.grade", |task| task.grade = 99),
    ("task.visibility", |task| task.visibility = -1),
    ("task.restricted_units", |task| task.visibility = Visibility::Restricted.into()),
    ("task.restricted_units", |task| task.restricted_units = vec!["units/water".to_owned()]),
    ("task.tags", |task| task.tags = vec!["x".to_owned(); 201]),
    ("task.tags[0]", |task| task.tags = vec!["\0".to_owned()]),
    ("task.due_time", |task| task.due_time = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 })),
    ("task.source.line", |task| {
        task.source = Some(proto::Source { line: -1, ..Default::default() });
    }),
    ("task.assignments", |task| task.assignments.clear()),
    ("task.assignments", |task| task.assignments.push(task.assignments[0].clone())),
    ("task.assignments[0].unit", |task| task.assignments[0].unit = "能源局".to_owned()),
    ("task.assignments[0].role", |task| task.assignments[0].role = 0),
    ("task.milestones", |task| task.milestones = vec![milestone(); 101]),
    ("task.milestones", |task| task.milestones = vec![proto::Milestone { text: " ".into(), ..milestone() }]),
    ("task.milestones[0].due_time", |task| {
        task.milestones = vec![proto::Milestone { due_time: None, ..milestone() }];
    }),
    ("task.milestones[0].units[0]", |task| {
        task.milestones = vec![proto::Milestone { units: vec!["能源局".into()], ..milestone() }];
    }),
    ("task.milestones[0].units", |task| {
        task.milestones = vec![proto::Milestone { units: vec!["units/moon".into()], ..milestone() }];
    }),
    ("task.targets", |task| task.targets = vec![proto::Target { value: "六".into(), ..target() }]),
    ("task.targets[0].direction", |task| {
        task.targets = vec![proto::Target { direction: 0, ..target() }];
    }),
    ("task.open_points", |task| task.open_points = vec![proto::OpenPoint::default()]),
    ("task.open_points[0].line", |task| {
        let open =
            |line| proto::OpenPoint {
                text: "某县".into(), why: "不明".into(), line, ..Default::default()
            };
        task.open_points = vec![open(-1)];
    }),
];

fn milestone() -> proto::Milestone {
    let due_time = Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 });
    proto::Milestone { due_time, text: "完成六成".to_owned(), units: vec![] }
}

fn target() -> proto::Target {
    proto::Target {
        measure: "改造户数".to_owned(),
        value: "12000".to_owned(),
        unit: "户".to_owned(),
        direction: proto::Direction::AtLeast.into(),
        binding: true,
        ..Default::default()
    }
}

async fn every_wrong_field_of_a_task_is_named(store: Store) {
    let city = City::start(store).await;
    for (field, spoil) in SPOILT {
        let mut task = task_of("energy");
        spoil(&mut task);
        let request = proto::CreateTaskRequest { task: Some(task), ..Default::default() };
        let (code, error) = refusal(city.supervisor().create_task(request).await);
        assert_eq!(code, Code::InvalidArgument, "{field}: {error}");
        assert!(error.violations().iter().any(|one| one.field == field), "{field}: {error}");
        assert!(!error.chinese().is_empty(), "{field}");
    }
    let cooperating = task("只有配合单位", &[("energy", Cooperating)]);
    let request = proto::CreateTaskRequest { task: Some(cooperating), ..Default::default() };
    assert_eq!(refusal(city.supervisor().create_task(request).await).0, Code::InvalidArgument);
    let nothing = proto::CreateTaskRequest::default();
    assert_eq!(refusal(city.supervisor().create_task(nothing).await).0, Code::InvalidArgument);
    assert!(city.list(proto::ListTasksRequest::default()).await.is_empty());
}

async fn a_bad_task_spoils_its_batch(store: Store) {
    let city = City::start(store).await;
    let mut bad = task_of("energy");
    bad.unclassified = false;
    let request = proto::BatchCreateTasksRequest { tasks: vec![task_of("water"), bad], ..Default::default() };
    let (code, error) = refusal(city.supervisor().batch_create_tasks(request).await);
    assert_eq!(
        (code, error.violations()[0].field.as_str()),
        (Code::InvalidArgument, "tasks[1].unclassified")
    );
    assert!(city.list(proto::ListTasksRequest::default()).await.is_empty());
    for count in [0, 1_001] {
        let request =
            proto::BatchCreateTasksRequest { tasks: vec![task_of("water"); count], ..Default::default() };
        let (code, _) = refusal(city.supervisor().batch_create_tasks(request).await);
        assert_eq!(code, Code::InvalidArgument);
    }
}

async fn a_unit_the_roster_does_not_have_is_named(store: Store) {
    let city = City::start(store).await;
    let moon = task("登月", &[("energy", Lead), ("moon", Cooperating), ("mars", Cooperating)]);
    let request = proto::CreateTaskRequest { task: Some(moon), ..Default::default() };
    let (code, error) = refusal(city.supervisor().create_task(request).await);
    assert_eq!(code, Code::InvalidArgument);
    let fields: Vec<&str> = error.violations().iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["task.assignments[1].unit", "task.assignments[2].unit"]);
    assert!(error.chinese().contains("units/moon"), "{}", error.chinese());
}

async fn a_unit_founded_a_moment_ago_is_known(store: Store) {
    let mut city = City::start(store).await;
    city.roster.found("data", "市数据局", at(START)).await;
    // The copy was not told to follow.
    let issued = city.issued(task_of("data")).await;
    assert_eq!(issued.assignments[0].unit, "units/data");
}

async fn a_thousand_faults_fit_in_an_answer(store: Store) {
    let city = City::start(store).await;
    let mut client = city.supervisor();
    let request =
        proto::BatchCreateTasksRequest { tasks: vec![task_of("moon"); 1_000], ..Default::default() };
    let (code, error) = refusal(client.batch_create_tasks(request).await);
    assert_eq!((code, error.reason()), (Code::InvalidArgument, "INVALID_FIELD"));
    assert_eq!(error.violations()[0].field, "tasks[0].assignments[0].unit");
    let last = error.violations().last().unwrap();
    let named = error.violations().len() - 1;
    assert_eq!(last.chinese, format!("另有{}处", 1_000 - named));
    assert!((10..=20).contains(&named), "{named}");
    let list = client.list_tasks(proto::ListTasksRequest::default()).await.unwrap().into_inner();
    assert!(list.tasks.is_empty(), "the connection is alive, and nothing was entered");
}

async fn without_the_roster_no_task_is_entered(store: Store) {
    let mut city = City::start(store).await;
    city.restart_with_the_roster_down().await;
    let request = proto::CreateTaskRequest { task: Some(task_of("energy")), ..Default::default() };
    assert_eq!(refusal(city.supervisor().create_task(request.clone()).await).0, Code::Unavailable);
    let list = proto::ListTasksRequest::default();
    assert_eq!(refusal(city.leader("first").list_tasks(list).await).0, Code::Unavailable);
    city.restart().await;
    city.supervisor().create_task(request).await.unwrap();
}

async fn a_step_out_of_turn_is_refused_in_chinese(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(task_of("energy")).await;
    let name = issued.assignments[0].name.clone();
    let mut clerk = city.clerk("energy");
    let report =
        proto::ReportAssignmentRequest {
            name: name.clone(), text: "开工".to_owned(), ..Default::default()
        };
    let (code, error) = refusal(clerk.report_assignment(report).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "ASSIGNMENT_STATE"));
    assert!(error.chinese().contains("尚未签收"), "{}", error.chinese());

    let request = proto::VerifyAssignmentRequest { name: name.clone(), accept: true, ..Default::default() };
    assert_eq!(refusal(city.supervisor().verify_assignment(request).await).0, Code::FailedPrecondition);
    let request = proto::IssueTaskRequest { name: issued.name.clone(), ..Default::default() };
    let (code, error) = refusal(city.supervisor().issue_task(request).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "TASK_STATE"));
    let request = proto::WithdrawTaskRequest { name: issued.name.clone(), ..Default::default() };
    let (code, error) = refusal(city.supervisor().withdraw_task(request).await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "ground"));
    assert_eq!(city.timeline(&issued.name).await.len(), 2, "a refusal leaves no trace");
}

async fn an_outdated_etag_is_aborted(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(task_of("energy")).await;
    let name = issued.assignments[0].name.clone();
    let mut clerk = city.clerk("energy");
    for etag in ["v1", "nonsense", "v2 "] {
        let request =
            proto::SignAssignmentRequest { name: name.clone(), etag: etag.to_owned(), ..Default::default() };
        let (code, error) = refusal(clerk.sign_assignment(request).await);
        assert_eq!((code, error.reason()), (Code::Aborted, "ETAG_MISMATCH"));
    }
    let request = proto::SignAssignmentRequest { name, etag: issued.etag, ..Default::default() };
    clerk.sign_assignment(request).await.unwrap();
}

async fn a_malformed_request_is_never_a_fault_of_ours(store: Store) {
    let city = City::start(store).await;
    let mut client = city.supervisor();
    for name in ["", "tasks/", "tasks/a\0", "tasks/%2e", "groups/1", "tasks/任务", &"tasks/1".repeat(99)] {
        let name = name.to_owned();
        let get = client.get_task(proto::GetTaskRequest { name: name.clone() }).await;
        assert_eq!(refusal(get).0, Code::InvalidArgument, "{name}");
        let timeline =
            client.get_timeline(proto::GetTimelineRequest { name: name.clone(), ..Default::default() }).await;
        assert_eq!(refusal(timeline).0, Code::InvalidArgument, "{name}");
        let issue =
            client.issue_task(proto::IssueTaskRequest { name: name.clone(), ..Default::default() }).await;
        assert_eq!(refusal(issue).0, Code::InvalidArgument, "{name}");
        let verify = proto::VerifyAssignmentRequest { name: name.clone(), ..Default::default() };
        assert_eq!(refusal(client.verify_assignment(verify).await).0, Code::InvalidArgument, "{name}");
    }
    for request in [
        proto::ListTasksRequest { page_size: -1, ..Default::default() },
        proto::ListTasksRequest { page_token: "nonsense".to_owned(), ..Default::default() },
        proto::ListTasksRequest { unit: "water".to_owned(), ..Default::default() },
        proto::ListTasksRequest { leader: "units/water".to_owned(), ..Default::default() },
        proto::ListTasksRequest { light: 77, ..Default::default() },
        proto::ListTasksRequest { state: 77, ..Default::default() },
        proto::ListTasksRequest { document_number: "\0".to_owned(), ..Default::default() },
        proto::ListTasksRequest { unit: "units/nothere".to_owned(), ..Default::default() },
        proto::ListTasksRequest { leader: "officials/nobody".to_owned(), ..Default::default() },
        proto::ListTasksRequest { matter: "matters/none".to_owned(), ..Default::default() },
    ] {
        assert_eq!(refusal(client.list_tasks(request.clone()).await).0, Code::InvalidArgument, "{request:?}");
    }
    for (title, tags, field) in [
        ("标题\n第二行", vec![], "task.title"),
        ("标\u{b}题", vec![], "task.title"),
        ("标题", vec!["防汛", " "], "task.tags[1]"),
        ("标题", vec!["防\n汛"], "task.tags[0]"),
    ] {
        let tags = tags.into_iter().map(str::to_owned).collect();
        let task = Some(proto::Task { title: title.to_owned(), tags, ..task_of("energy") });
        let request = proto::CreateTaskRequest { task, ..Default::default() };
        let (code, error) = refusal(client.create_task(request).await);
        assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, field));
    }
    let tags = ["防汛", "民生", "防汛 "].map(str::to_owned).to_vec();
    let request = proto::CreateTaskRequest {
        task: Some(proto::Task { tags, ..task_of("energy") }),
        ..Default::default()
    };
    let created = client.create_task(request).await.unwrap().into_inner();
    assert_eq!(created.tags, ["防汛", "民生"], "each once");
}
