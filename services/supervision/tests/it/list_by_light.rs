//! A list by light holds what shows the light, whoever asks and whatever else he asks for, also
//! while the timers that a turning light has are not worked off.

use std::collections::BTreeSet;

use sea_orm::ConnectionTrait;
use xietong_mesh::convert::encode_time;
use xietong_proto::common::Visibility;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::{Cooperating, Lead};
use xietong_proto::supervision::{AssignmentState, Light, ListTasksRequest};

use xietong_store::statement;

use crate::city::{City, Client, Store, at, clerk, leader, list_all, task, task_of};
use crate::on_both;

on_both!(a_list_by_light_holds_what_shows_it, many_tasks_turn_at_many_instants);

const LIGHTS: [Light; 5] = [Light::Blue, Light::Grey, Light::Green, Light::Yellow, Light::Red];

/// Tasks of several units that turn on several days, some of them over, withdrawn, shown to few
/// or never issued.
async fn enter(city: &City) {
    let mut tasks = Vec::new();
    for day in 2..=14 {
        let mut one = task("清淤", &[("energy", Lead), ("yaodu", Cooperating)]);
        one.due_time = Some(encode_time(at(&format!("2023-06-{day:02}T00:00:00+08:00"))));
        tasks.push(one.clone());
        one.assignments.swap_remove(1);
        one.assignments[0].unit = "units/water".to_owned();
        one.visibility = if day % 3 == 0 { Visibility::Public } else { Visibility::Internal }.into();
        tasks.push(one.clone());
        if day % 4 == 0 {
            one.visibility = Visibility::Restricted.into();
            one.restricted_units = vec!["units/energy".to_owned()];
            tasks.push(one);
        }
    }
    let request =
        proto::BatchCreateTasksRequest { tasks, issue: true, confirm_duplicates: true, ..Default::default() };
    city.supervisor().batch_create_tasks(request).await.unwrap();
    let draft = proto::CreateTaskRequest { task: Some(task_of("energy")), ..Default::default() };
    city.supervisor().create_task(draft).await.unwrap();
    let withdrawn = city.issued(task_of("energy")).await;
    let request =
        proto::WithdrawTaskRequest {
            name: withdrawn.name, ground: "重复".to_owned(), ..Default::default()
        };
    city.supervisor().withdraw_task(request).await.unwrap();

    let mut over = task_of("energy");
    over.issue_time = Some(encode_time(at("2023-05-20T09:00:00+08:00")));
    over.assignments[0].state = AssignmentState::StruckOff.into();
    over.assignments[0].complete_time = Some(encode_time(at("2023-05-25T09:00:00+08:00")));
    let request = proto::BatchCreateTasksRequest {
        tasks: vec![over],
        backfill: true,
        confirm_duplicates: true,
        ..Default::default()
    };
    city.supervisor().batch_create_tasks(request).await.unwrap();
}

fn names(tasks: &[proto::Task]) -> Vec<&str> {
    tasks.iter().map(|task| task.name.as_str()).collect()
}

/// Every list by light of somebody is what of all his tasks shows the light. Returns the lights
/// that were seen.
async fn lists_agree(client: &mut Client, when: &str) -> BTreeSet<Light> {
    let mut seen = BTreeSet::new();
    let asked = [
        ListTasksRequest::default(),
        ListTasksRequest { unit: "units/energy".to_owned(), ..Default::default() },
        ListTasksRequest { unit: "units/yaodu".to_owned(), ..Default::default() },
        ListTasksRequest { leader: "officials/first".to_owned(), ..Default::default() },
        ListTasksRequest { leader: "officials/second".to_owned(), ..Default::default() },
    ];
    for request in asked {
        let all = list_all(client, ListTasksRequest { page_size: 1_000, ..request.clone() }).await;
        for light in LIGHTS {
            let shows = |task: &&proto::Task| task.light() == light;
            let expected: Vec<proto::Task> = all.iter().filter(shows).cloned().collect();
            let by_light = ListTasksRequest { light: light.into(), page_size: 3, ..request.clone() };
            let listed = list_all(client, by_light).await;
            assert_eq!(names(&listed), names(&expected), "{light:?} of {request:?} {when}");
            seen.extend(expected.first().map(|_| light));
        }
    }
    seen
}

/// Assignments keep how their task stands, by which those of a unit are found.
async fn assignments_keep_what_tasks_do(city: &City, when: &str) {
    let reader = city.service.db.reader();
    let others = "SELECT COUNT(*) AS count FROM assignments
                  JOIN tasks ON tasks.ledger_number = assignments.ledger_number
                  WHERE task_light <> written_light OR task_yellow_at IS DISTINCT FROM tasks.yellow_at
                  OR task_red_at IS DISTINCT FROM tasks.red_at";
    let row = reader.query_one_raw(statement(reader, others, [])).await.unwrap().unwrap();
    assert_eq!(row.try_get_by::<i64, _>("count").unwrap(), 0, "{when}");
}

async fn a_list_by_light_holds_what_shows_it(store: Store) {
    let city = City::start(store).await;
    enter(&city).await;
    let mut seen = BTreeSet::new();
    for (when, worked_off) in [
        ("2023-06-01T10:00:00+08:00", false),
        ("2023-06-02T00:00:00+08:00", false),
        ("2023-06-04T13:00:00+08:00", false),
        ("2023-06-05T09:00:00+08:00", true),
        ("2023-06-08T00:00:00+08:00", false),
        ("2023-06-09T15:00:00+08:00", false),
        ("2023-06-12T09:00:00+08:00", true),
        ("2023-06-20T09:00:00+08:00", false),
    ] {
        if worked_off {
            city.wait_until(when).await;
        } else {
            city.clock.set(at(when));
        }
        assignments_keep_what_tasks_do(&city, when).await;
        for principal in [crate::city::supervisor(), clerk("energy"), clerk("yaodu"), leader("second")] {
            seen.extend(lists_agree(&mut city.client(&principal), when).await);
        }
    }
    assert_eq!(seen, BTreeSet::from(LIGHTS), "every light was listed");
}

/// More instants than are looked at one by one.
async fn many_tasks_turn_at_many_instants(store: Store) {
    let city = City::start(store).await;
    for minute in 0..24 {
        city.clock.set(at(&format!("2023-06-01T09:{minute:02}:00+08:00")));
        // A yellow that depends on the minute it was issued, and a red of its own.
        let mut one = task_of(if minute % 2 == 0 { "energy" } else { "water" });
        one.due_time = Some(encode_time(at(&format!("2023-06-{:02}T00:00:00+08:00", 6 + minute % 20))));
        city.issued(one).await;
    }
    for when in ["2023-06-07T12:00:00+08:00", "2023-06-24T12:00:00+08:00", "2023-06-30T12:00:00+08:00"] {
        city.clock.set(at(when));
        lists_agree(&mut city.supervisor(), when).await;
    }
}
