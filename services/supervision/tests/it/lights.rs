//! The light as SQL over the service's own columns equals the light as Rust: of any columns, and of
//! those that events left.

use std::collections::{BTreeMap, BTreeSet};

use domain_calendar::Timestamp;
use domain_supervision::{StoredClock, light, light_sql};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sea_orm::{ConnectionTrait, Value};
use xietong_mesh::convert::encode_time;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::{Cooperating, Lead, Responsible};
use xietong_proto::supervision::Light;
use xietong_proto::supervision::milestone_service_client::MilestoneServiceClient;
use xietong_proto::supervision::target_service_client::TargetServiceClient;
use xietong_store::statement;

use crate::city::{City, Store, at, clerk, supervisor, task, task_of};
use crate::extension::deployed;
use crate::on_both;

on_both!(
    the_light_as_sql_is_the_light_as_rust,
    the_columns_that_events_left_show_the_light_that_the_clocks_do,
);

fn any_clock() -> impl Strategy<Value = StoredClock> {
    let instant = || proptest::option::of((0_i64..20).prop_map(Timestamp::from_micros));
    (instant(), instant(), any::<bool>(), any::<bool>())
        .prop_map(|(yellow_at, red_at, paused, closed)| StoredClock { yellow_at, red_at, paused, closed })
}

async fn the_light_as_sql_is_the_light_as_rust(store: Store) {
    let city = City::start(store).await;
    let mut runner = TestRunner::deterministic();
    let clocks: Vec<StoredClock> =
        proptest::collection::vec(any_clock(), 400).new_tree(&mut runner).unwrap().current();
    let tx = city.service.db.begin().await.unwrap();
    for (number, clock) in clocks.iter().enumerate() {
        let sql =
            "INSERT INTO assignments (name, ledger_number, unit, role, settles, state, yellow_at, red_at,
                   paused, closed) VALUES ($1, $2, 'units/x', 'lead', TRUE, 'assigned', $3, $4, $5, $6)";
        let values: [Value; 6] = [
            format!("a/{number}").into(),
            (number as i64).into(),
            clock.yellow_at.map(Timestamp::as_micros).into(),
            clock.red_at.map(Timestamp::as_micros).into(),
            clock.paused.into(),
            clock.closed.into(),
        ];
        tx.execute_raw(statement(&tx, sql, values)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let reader = city.service.db.reader();
    let sql = format!("SELECT {} AS light FROM assignments ORDER BY ledger_number", light_sql("$1"));
    for now in (0..20).map(Timestamp::from_micros) {
        let rows = reader.query_all_raw(statement(reader, &sql, [now.as_micros().into()])).await.unwrap();
        let found: Vec<String> = rows.iter().map(|row| row.try_get_by("light").unwrap()).collect();
        let expected: Vec<&str> = clocks.iter().map(|clock| light(clock, now).as_str()).collect();
        assert_eq!(found, expected, "at {now}");
    }
}

/// One task of each kind of life, as their events left them.
async fn lived(city: &City) -> Vec<proto::Task> {
    let mut tasks = Vec::new();
    for day in ["2023-06-04", "2023-06-12", "2023-08-01", "2024-01-01"] {
        let mut one = task("清淤", &[("energy", Lead), ("yaodu", Responsible), ("water", Cooperating)]);
        one.due_time = Some(encode_time(at(&format!("{day}T00:00:00+08:00"))));
        if day > "2023-07" {
            let milestone = |day: &str, units: Vec<String>| proto::Milestone {
                due_time: Some(encode_time(at(&format!("{day}T00:00:00+08:00")))),
                text: "完成主体".to_owned(),
                units,
            };
            one.milestones = vec![
                milestone("2023-06-10", vec!["units/yaodu".to_owned()]),
                milestone("2023-06-20", vec![]),
            ];
            one.targets = vec![proto::Target {
                measure: "完成投资".to_owned(),
                value: "100".to_owned(),
                unit: "万元".to_owned(),
                direction: proto::Direction::AtLeast.into(),
                binding: true,
                ..Default::default()
            }];
        }
        tasks.push(city.issued(one).await);
    }
    tasks.push(city.issued(task_of("energy")).await);
    tasks
}

/// Does with each task what is done with tasks, as far as it stands so far.
async fn go_on(city: &City, tasks: &[proto::Task], step: usize) {
    for (index, task) in tasks.iter().enumerate() {
        let name = task.assignments[0].name.clone();
        let mut energy = city.clerk("energy");
        // Each begins a little later than the one before.
        match step.checked_sub(index % 3) {
            Some(1) => drop(deployed(city, task, 0).await),
            Some(2) if index % 2 == 0 => {
                let request =
                    proto::SubmitAssignmentRequest {
                        name, text: "已完成".to_owned(), ..Default::default()
                    };
                drop(energy.submit_assignment(request).await);
            }
            Some(2) => {
                let (text, as_of_day) = (String::new(), "2023-05-31".to_owned());
                let (measure, value) = ("完成投资".to_owned(), "80".to_owned());
                let name = task.name.clone();
                let request =
                    proto::GiveFigureRequest { name, measure, value, as_of_day, text, ..Default::default() };
                let (channel, bearer) = city.as_caller(&supervisor());
                drop(TargetServiceClient::with_interceptor(channel, bearer).give_figure(request).await);
            }
            Some(4) => {
                let note = "返工".to_owned();
                let request =
                    proto::VerifyAssignmentRequest { name, accept: index < 3, note, ..Default::default() };
                drop(city.supervisor().verify_assignment(request).await);
            }
            Some(3 | 5) => {
                // Where a milestone of that day concerns it and it is under way.
                let (due_time, text) =
                    (Some(encode_time(at("2023-06-20T00:00:00+08:00"))), "已完成".to_owned());
                let request = proto::ReachMilestoneRequest { name, due_time, text, ..Default::default() };
                let (channel, bearer) = city.as_caller(&clerk("energy"));
                drop(
                    MilestoneServiceClient::with_interceptor(channel, bearer).reach_milestone(request).await,
                );
            }
            Some(_) | None => {}
        }
    }
}

async fn shown(city: &City, table: &str, now: Timestamp) -> BTreeMap<String, String> {
    let reader = city.service.db.reader();
    let sql = format!("SELECT name, {} AS light FROM {table}", light_sql("$1"));
    let rows = reader.query_all_raw(statement(reader, &sql, [now.as_micros().into()])).await.unwrap();
    rows.iter().map(|row| (row.try_get_by("name").unwrap(), row.try_get_by("light").unwrap())).collect()
}

async fn the_columns_that_events_left_show_the_light_that_the_clocks_do(store: Store) {
    let city = City::start(store).await;
    let tasks = lived(&city).await;
    let mut seen = BTreeSet::new();
    for (step, when) in [
        "2023-06-01T12:00:00+08:00",
        "2023-06-02T09:00:00+08:00",
        "2023-06-03T20:00:00+08:00",
        "2023-06-08T09:00:00+08:00",
        "2023-06-10T00:00:00+08:00",
        "2023-06-19T23:59:59+08:00",
        "2023-06-20T00:00:00+08:00",
        "2023-08-02T09:00:00+08:00",
        "2024-01-02T09:00:00+08:00",
    ]
    .into_iter()
    .enumerate()
    {
        // As the timers leave them every other time; the lights do not wait for them.
        if step % 2 == 0 {
            city.live_until(when).await;
        } else {
            city.clock.set(at(when));
        }
        go_on(&city, &tasks, step).await;
        let (of_tasks, of_units) =
            (shown(&city, "tasks", at(when)).await, shown(&city, "assignments", at(when)).await);
        for task in &tasks {
            let task = city.get(&task.name).await;
            let word = |light: Light| light.as_str_name().trim_start_matches("LIGHT_").to_lowercase();
            assert_eq!(of_tasks[&task.name], word(task.light()), "{} at {when}", task.ledger_number);
            for one in &task.assignments {
                assert_eq!(of_units[&one.name], word(one.light()), "{} at {when}", one.name);
                seen.insert(one.light());
            }
        }
    }
    let expected = [Light::Green, Light::Yellow, Light::Red, Light::Blue];
    assert_eq!(seen, BTreeSet::from(expected));
}
