//! Lists: filters, pages, and that they show what may be seen.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tonic::Code;
use xietong_mesh::convert::encode_time;
use xietong_mesh::principal::{Grant, Principal, Role};
use xietong_proto::common::Visibility;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::{Cooperating, Lead, Responsible};
use xietong_proto::supervision::TaskState;

use crate::city::{City, Store, leader, list_all, refusal, task, task_of};
use crate::on_both;
use crate::roster::UNITS;

on_both!(
    each_filter_finds_its_tasks,
    pages_hold_every_task_once_newest_first,
    a_page_ends_before_it_is_too_large_to_be_read,
    a_list_shows_exactly_what_may_be_read,
    a_list_that_depends_on_the_roster_says_how_current_it_is,
    a_timeline_is_read_page_by_page_in_order,
);

fn numbers(tasks: &[proto::Task]) -> Vec<i64> {
    tasks.iter().map(|task| task.ledger_number).collect()
}

async fn each_filter_finds_its_tasks(store: Store) {
    let city = City::start(store).await;
    let mut of_document = task("一号", &[("energy", Lead)]);
    of_document.source = Some(proto::Source {
        document_number: "临政办发〔2023〕8号".to_owned(),
        item_number: 147,
        line: 12,
        ..Default::default()
    });
    let first = city.issued(of_document.clone()).await;
    assert_eq!(first.source, of_document.source);
    city.issued(task("二号", &[("water", Lead), ("yaodu", Cooperating)])).await;
    city.issued(task("三号", &[("yaodu", Responsible)])).await;
    let draft = proto::CreateTaskRequest { task: Some(task_of("energy")), ..Default::default() };
    city.supervisor().create_task(draft).await.unwrap();

    let by = |change: fn(&mut proto::ListTasksRequest)| {
        let mut request = proto::ListTasksRequest::default();
        change(&mut request);
        request
    };
    for (request, expected) in [
        (by(|_| {}), vec![4, 3, 2, 1]),
        (by(|request| request.unit = "units/yaodu".to_owned()), vec![3, 2]),
        (by(|request| request.unit = "units/office".to_owned()), vec![]),
        (by(|request| request.state = TaskState::Draft.into()), vec![4]),
        (by(|request| request.state = TaskState::StruckOff.into()), vec![]),
        (by(|request| request.document_number = "临政办发〔2023〕8号".to_owned()), vec![1]),
        (by(|request| request.leader = "officials/first".to_owned()), vec![4, 1]),
        (by(|request| request.leader = "officials/second".to_owned()), vec![2]),
        // A cooperating county does not put the task on the mayor's desk.
        (by(|request| request.leader = "officials/mayor".to_owned()), vec![3]),
        (by(|request| request.light = proto::Light::Green.into()), vec![3, 2, 1]),
        (
            by(|request| {
                request.light = proto::Light::Green.into();
                request.unit = "units/energy".to_owned();
                request.state = TaskState::Issued.into();
            }),
            vec![1],
        ),
    ] {
        assert_eq!(numbers(&city.list(request.clone()).await), expected, "{request:?}");
    }
}

async fn pages_hold_every_task_once_newest_first(store: Store) {
    let city = City::start(store).await;
    let tasks = vec![task_of("energy"); 60];
    let request =
        proto::BatchCreateTasksRequest { confirm_duplicates: true, tasks, issue: true, ..Default::default() };
    city.supervisor().batch_create_tasks(request).await.unwrap();
    let mut client = city.supervisor();
    let first = client.list_tasks(proto::ListTasksRequest::default()).await.unwrap().into_inner();
    assert_eq!((first.tasks.len(), first.tasks[0].ledger_number), (50, 60));

    // What is entered meanwhile does not shift the pages.
    city.issued(task_of("energy")).await;
    let next = proto::ListTasksRequest {
        page_token: first.next_page_token.clone(),
        page_size: 7,
        ..Default::default()
    };
    let rest = list_all(&mut client, next.clone()).await;
    assert_eq!(numbers(&rest), (1..=10).rev().collect::<Vec<_>>());

    let other = proto::ListTasksRequest { unit: "units/energy".to_owned(), ..next };
    assert_eq!(refusal(client.list_tasks(other).await).0, Code::InvalidArgument, "a token of another query");
    let exactly = proto::ListTasksRequest { page_size: 61, ..Default::default() };
    let whole = client.list_tasks(exactly).await.unwrap().into_inner();
    assert_eq!((whole.tasks.len(), whole.next_page_token.as_str()), (61, ""));
}

async fn a_page_ends_before_it_is_too_large_to_be_read(store: Store) {
    let city = City::start(store).await;
    let mut long = task_of("energy");
    long.text = "督".repeat(20_000);
    for _ in 0..2 {
        let request = proto::BatchCreateTasksRequest {
            confirm_duplicates: true,
            tasks: vec![long.clone(); 50],
            ..Default::default()
        };
        city.supervisor().batch_create_tasks(request).await.unwrap();
    }
    let mut client = city.supervisor().max_decoding_message_size(xietong_mesh::serve::MAX_MESSAGE_BYTES);
    let request = proto::ListTasksRequest { page_size: 1_000, ..Default::default() };
    let found = list_all(&mut client, request).await;
    assert_eq!(numbers(&found), (1..=100).rev().collect::<Vec<_>>());
}

fn units() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(UNITS.map(|(slug, _)| slug).to_vec(), 1..4)
}

fn any_task() -> impl Strategy<Value = proto::Task> {
    let visibility =
        proptest::sample::select(vec![Visibility::Public, Visibility::Internal, Visibility::Restricted]);
    (units(), units(), visibility).prop_map(|(holders, viewers, visibility)| {
        let holders: Vec<_> = holders.into_iter().map(|unit| (unit, Lead)).collect();
        let mut task = task("任务", &holders);
        task.visibility = visibility.into();
        if visibility == Visibility::Restricted {
            task.restricted_units = viewers.into_iter().map(|unit| format!("units/{unit}")).collect();
        }
        task
    })
}

/// Whoever may list tasks at all, with one role or two.
fn any_reader() -> impl Strategy<Value = Principal> {
    let roles = vec![
        Role::Supervisor,
        Role::Auditor,
        Role::Administrator,
        Role::UnitClerk,
        Role::UnitApprover,
        Role::Liaison,
        Role::Secretary,
        Role::Inspector,
        Role::Leader,
    ];
    let grant = (proptest::sample::select(roles), units()).prop_map(|(role, units)| {
        units.into_iter().fold(Grant::of(role), |grant, unit| grant.in_unit(format!("units/{unit}")))
    });
    let official = proptest::option::of(proptest::sample::select(vec!["mayor", "first", "second", "nobody"]));
    (proptest::collection::vec(grant, 1..3), official).prop_map(|(grants, official)| {
        Principal::account("reader", official.map(|id| format!("officials/{id}")), grants)
    })
}

async fn a_list_shows_exactly_what_may_be_read(store: Store) {
    let mut city = City::start(store).await;
    let mut runner = TestRunner::deterministic();
    let tasks = proptest::collection::vec(any_task(), 20).new_tree(&mut runner).unwrap().current();
    let request =
        proto::BatchCreateTasksRequest { confirm_duplicates: true, tasks, issue: true, ..Default::default() };
    let created = city.supervisor().batch_create_tasks(request).await.unwrap().into_inner().tasks;
    // The second deputy stands in for the first.
    city.roster.away("first", crate::city::at(crate::city::START), 3).await;
    city.follow_roster().await;

    let mut readers = proptest::collection::vec(any_reader(), 20).new_tree(&mut runner).unwrap().current();
    readers.extend(["mayor", "first", "second"].map(leader));
    for reader in readers {
        let mut client = city.client(&reader);
        let request = proto::ListTasksRequest { page_size: 7, ..Default::default() };
        let listed = numbers(&list_all(&mut client, request).await);
        let mut readable = Vec::new();
        for task in created.iter().rev() {
            match client.get_task(proto::GetTaskRequest { name: task.name.clone() }).await {
                Ok(_) => readable.push(task.ledger_number),
                Err(status) => assert_eq!(status.code(), Code::PermissionDenied),
            }
        }
        assert_eq!(listed, readable, "{reader:?}");
    }
}

async fn a_list_that_depends_on_the_roster_says_how_current_it_is(store: Store) {
    let mut city = City::start(store).await;
    let confirmed = city.service.copy.as_ref().unwrap().view().as_of().unwrap();
    let of_first = proto::ListTasksRequest { leader: "officials/first".to_owned(), ..Default::default() };
    let everything = proto::ListTasksRequest::default();
    for (mut client, request, depends) in [
        (city.supervisor(), everything.clone(), false),
        (city.supervisor(), of_first, true),
        (city.leader("first"), everything, true),
    ] {
        let listed = client.list_tasks(request).await.unwrap().into_inner();
        assert_eq!(listed.roster_as_of, depends.then(|| encode_time(confirmed)));
    }
    // A roster that cannot be asked holds up no list: the answer says how old it is.
    city.restart_with_the_roster_down().await;
    let request = proto::ListTasksRequest { leader: "officials/first".to_owned(), ..Default::default() };
    assert_eq!(refusal(city.supervisor().list_tasks(request).await).0, Code::Unavailable, "none is known");
}

async fn a_timeline_is_read_page_by_page_in_order(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let name = task.assignments[0].name.clone();
    let mut clerk = city.clerk("energy");
    let sign = proto::SignAssignmentRequest { name: name.clone(), ..Default::default() };
    clerk.sign_assignment(sign).await.unwrap();
    let deploy = proto::DeployAssignmentRequest { name, ..Default::default() };
    clerk.deploy_assignment(deploy).await.unwrap();

    let whole = city.timeline(&task.name).await;
    assert_eq!(whole.len(), 4, "登记、交办、签收、部署");
    let mut request =
        proto::GetTimelineRequest { name: task.name.clone(), page_size: 3, ..Default::default() };
    let first = city.supervisor().get_timeline(request.clone()).await.unwrap().into_inner();
    assert_eq!(first.entries, whole[..3]);
    request.page_token = first.next_page_token;
    let last = city.supervisor().get_timeline(request.clone()).await.unwrap().into_inner();
    assert_eq!((last.entries, last.next_page_token), (whole[3..].to_vec(), String::new()));

    let other = city.issued(task_of("energy")).await;
    request.name = other.name;
    let refused = refusal(city.supervisor().get_timeline(request).await).0;
    assert_eq!(refused, Code::InvalidArgument, "a token of another timeline");
}
