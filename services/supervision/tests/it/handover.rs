//! A division of work takes effect: each leader is told once, and no task is touched.

use std::collections::BTreeMap;

use domain_roster::{DivisionTookEffect, FieldHandover, Handover, RosterEvent};
use domain_supervision::{Charge, HANDOVER_LISTED, HandoverList};
use tonic::Code;
use xietong_mesh::principal::{Grant, Role};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::{Cooperating, Lead, Responsible};
use xietong_timers::Progress;

use crate::city::{City, START, Store, account, at, clerk, refusal, task, task_of};
use crate::on_both;

on_both!(
    each_leader_has_one_list_with_the_work_under_way,
    what_would_change_hands_is_counted_for_administrators,
);

/// Four tasks under way and a draft. Health leads two, of which one is struck from the count by
/// a cooperating role; the county answers for itself where nobody leads.
async fn work_under_way(city: &City) -> Vec<proto::Task> {
    let mut tasks = Vec::new();
    for units in [
        vec![("health", Lead), ("water", Cooperating)],
        vec![("health", Lead)],
        vec![("water", Lead), ("health", Cooperating)],
        vec![("yaodu", Responsible)],
    ] {
        tasks.push(city.issued(task("清洁取暖改造", &units)).await);
    }
    let request = proto::CreateTaskRequest {
        task: Some(task_of("health")),
        confirm_duplicates: true,
        ..Default::default()
    };
    city.supervisor().create_task(request).await.unwrap();
    tasks
}

fn handover(unit: &str, from: Option<&str>, to: &str) -> Handover {
    let official = |id: &str| format!("officials/{id}");
    Handover { unit: format!("units/{unit}"), from: from.map(official), to: Some(official(to)) }
}

fn took_effect() -> RosterEvent {
    RosterEvent::DivisionTookEffect(DivisionTookEffect {
        division: "divisions/two".into(),
        document: "市政府分工通知（二）".into(),
        effective_time: at(START),
        superseded_time: None,
        handovers: vec![handover("health", Some("second"), "first"), handover("yaodu", None, "first")],
        field_handovers: vec![FieldHandover {
            field: "卫生健康".into(),
            from: Some("officials/second".into()),
            to: Some("officials/first".into()),
        }],
    })
}

async fn run(city: &City) {
    for worker in &city.service.workers {
        while worker.turn().await.unwrap() == Progress::Worked {}
    }
}

async fn each_leader_has_one_list_with_the_work_under_way(store: Store) {
    let mut city = City::start(store).await;
    let tasks = work_under_way(&city).await;
    city.roster.record(took_effect(), at(START)).await;
    run(&city).await;
    // Read again, as after a crash before the cursor was kept: still one list each.
    run(&city).await;

    let events = city.service.log.read(0, 1_000).await.unwrap().events;
    let lists: BTreeMap<String, HandoverList> = events
        .iter()
        .filter(|event| event.event_type == HANDOVER_LISTED)
        .map(|event| {
            assert_eq!(event.actor, "system/supervision");
            let payload = serde_json::from_str(&event.payload).unwrap();
            let list = HandoverList::from_payload(&event.event_type, &payload).unwrap().unwrap();
            (event.aggregate.clone(), list)
        })
        .collect();
    let aggregates: Vec<&str> = lists.keys().map(String::as_str).collect();
    assert_eq!(
        aggregates,
        ["divisions/two/handovers/officials/first", "divisions/two/handovers/officials/second"]
    );
    let (first, second) = (&lists[aggregates[0]], &lists[aggregates[1]]);
    assert_eq!(first.document, "市政府分工通知（二）");
    let named = |list: &[domain_supervision::HandedOver]| -> Vec<(Charge, usize, Vec<i64>)> {
        list.iter()
            .map(|one| {
                let tasks = one.tasks.iter().map(|task| task.ledger_number).collect();
                (one.charge.clone(), one.open_tasks, tasks)
            })
            .collect()
    };
    let numbers: Vec<i64> = tasks.iter().map(|task| task.ledger_number).collect();
    let health = (Charge::Unit("units/health".into()), 2, numbers[..2].to_vec());
    let field = (Charge::Field("卫生健康".into()), 0, vec![]);
    assert_eq!(named(&first.received), [health.clone(), field.clone()]);
    assert_eq!(named(&first.first_stated), [(Charge::Unit("units/yaodu".into()), 1, numbers[3..].to_vec())]);
    assert_eq!((named(&second.given), second.received.len()), (vec![health, field], 0));
    for task in &tasks {
        assert_eq!(&city.get(&task.name).await, task, "no task is touched");
    }
}

async fn what_would_change_hands_is_counted_for_administrators(store: Store) {
    let city = City::start(store).await;
    let tasks = work_under_way(&city).await;
    let ask = |units: &[&str]| proto::PreviewUnitsRequest {
        units: units.iter().map(|unit| format!("units/{unit}")).collect(),
    };
    let administrator = account("administrator", Grant::of(Role::Administrator));
    let mut previews = city.previews(&administrator);
    let answer = previews.preview_units(ask(&["health", "energy", "yaodu"])).await.unwrap().into_inner();
    let found: Vec<_> = answer
        .units
        .iter()
        .map(|one| (one.unit.as_str(), one.open_task_count, one.open_tasks.as_slice()))
        .collect();
    let names: Vec<String> = tasks.iter().map(|task| task.name.clone()).collect();
    assert_eq!(found, [("units/health", 2, &names[..2]), ("units/yaodu", 1, &names[3..])]);
    let answer = previews.preview_units(ask(&[])).await.unwrap().into_inner();
    assert!(answer.units.is_empty());

    for other in [clerk("health"), account("supervisor", Grant::of(Role::Supervisor))] {
        let (code, _) = refusal(city.previews(&other).preview_units(ask(&["health"])).await);
        assert_eq!(code, Code::PermissionDenied);
    }
    let too_many = proto::PreviewUnitsRequest { units: vec!["units/health".into(); 10_001] };
    assert_eq!(refusal(previews.preview_units(too_many).await).0, Code::InvalidArgument);
}
