//! Each event reaches each person it concerns once.

use std::time::Duration;

use domain_roster::{AbsenceStarted, RosterEvent};
use domain_supervision::AssignmentCommand as Do;
use domain_workgroup::{
    DecisionChange, DecisionEvent, DecisionFacts, GroupFacts, MeetingFacts, Seat, SeatHolder, SeatRole,
    WorkgroupEvent,
};
use xietong_events::{Batch, Event};
use xietong_mesh::ServiceName;
use xietong_timers::{Progress, Worker};

use crate::city::{Backend, City, at};
use crate::matter::Matter;

crate::on_both_back_ends!(
    a_tasks_life_is_told_step_by_step,
    an_absent_leaders_messages_reach_the_acting_leader_too,
    what_a_group_decided_is_told,
    an_event_delivered_again_and_out_of_order_is_told_once,
    two_replicas_tell_each_event_once,
    nothing_is_resolved_with_an_incomplete_roster,
    a_roster_that_hangs_costs_one_wait_and_no_message,
    a_notice_that_reaches_nobody_is_an_alarm,
);

fn kinds(inbox: Vec<(String, String, String)>) -> Vec<String> {
    inbox
        .into_iter()
        .map(|(kind, _, title)| format!("{kind} {}", title.split('：').next().unwrap()))
        .collect()
}

async fn a_tasks_life_is_told_step_by_step(backend: Backend) {
    let city = City::new(backend).await;
    let mut matter = Matter::issued(&city, "1", &["water"]).await;
    for step in [
        Do::Sign,
        Do::Deploy { plan: String::new() },
        Do::Report { text: "已进场".into(), attachments: vec![] },
        Do::Submit { text: "已完成".into(), attachments: vec![] },
        Do::Verify { accept: true, note: String::new(), verifier_units: vec![] },
    ] {
        matter.unit(&city, "water", step).await;
        city.settle().await;
    }
    assert_eq!(kinds(city.inbox("water-liaison").await), ["assignment 交办", "outcome 销号"]);
    let leader = ["assignment 交办", "progress 反馈", "progress 申请办结", "outcome 销号"];
    assert_eq!(kinds(city.inbox("qiao-feihong").await), leader);
    let supervisor = ["progress 签收", "progress 部署", "progress 反馈", "progress 申请办结", "outcome 销号"];
    assert_eq!(kinds(city.inbox("inspector").await), supervisor);
    assert_eq!(city.history("inspector").await, ["message.sent"; 5]);
}

async fn an_absent_leaders_messages_reach_the_acting_leader_too(backend: Backend) {
    let city = City::new(backend).await;
    city.settle().await;
    // Recorded just before the task, and not yet copied when the task is told of.
    city.away("cui-yuanbin").await;
    let started = AbsenceStarted {
        absence: "absences/cui-yuanbin".into(),
        official: "officials/cui-yuanbin".into(),
        acting: Some("officials/hu-xiaogang".into()),
        start_time: at("2023-06-01T00:00+08:00"),
        end_time: at("2023-07-01T00:00+08:00"),
        authorities: vec![],
    };
    city.roster(&RosterEvent::AbsenceStarted(started)).await;
    Matter::issued(&city, "1", &["industry"]).await;
    city.sequence().await;
    let [_, supervision, ..] = city.service.consumers.as_slice() else { panic!("three consumers") };
    while supervision.turn().await.unwrap() == Progress::Worked {}
    city.settle().await;

    let told = |inbox: Vec<(String, String, String)>| {
        inbox.into_iter().map(|(kind, capacity, _)| format!("{kind} {capacity}")).collect::<Vec<_>>()
    };
    assert_eq!(told(city.inbox("cui-yuanbin").await), ["assignment 分管领导", "handover 本人"]);
    assert_eq!(told(city.inbox("hu-xiaogang").await), ["assignment 代行分管领导", "handover 本人"]);
}

async fn what_a_group_decided_is_told(backend: Backend) {
    let city = City::new(backend).await;
    let seat = |role, holder| Seat { role, holder, held_for_field: None, subgroup: None };
    for change in [
        DecisionChange::Made,
        DecisionChange::Escalated { task: "tasks/1".into() },
        DecisionChange::Settled { task: "tasks/1".into(), settle_time: at("2023-06-05T08:00+08:00") },
    ] {
        let event = WorkgroupEvent::Decision(DecisionEvent {
            group: GroupFacts {
                name: "groups/flood".into(),
                display_name: "防汛抗旱指挥部".into(),
                office_unit: Some("units/water".into()),
                seats: vec![seat(SeatRole::Head, SeatHolder::Post("市长".into()))],
            },
            meeting: MeetingFacts { name: "groups/flood/meetings/1".into(), title: "第一次会议".into() },
            decision: DecisionFacts {
                name: "groups/flood/meetings/1/decisions/1".into(),
                text: "完成堤防除险".into(),
                lead_units: vec!["units/industry".into()],
                cooperating_units: vec![],
                due_time: None,
            },
            at: city.clock.now(),
            change,
        });
        let payload = event.to_payload().unwrap();
        city.record(ServiceName::Workgroup, event.aggregate(), event.event_type(), payload).await;
    }
    city.settle().await;
    assert_eq!(kinds(city.inbox("industry-liaison").await), ["decision 议定事项"]);
    assert_eq!(kinds(city.inbox("wang-yanfeng").await), ["decision 纳入督办", "outcome 办结销号"]);
    assert_eq!(city.inbox("water-liaison").await.len(), 3, "the office hears it all");
}

async fn an_event_delivered_again_and_out_of_order_is_told_once(backend: Backend) {
    let city = City::new(backend).await;
    let mut matter = Matter::issued(&city, "1", &["water", "industry"]).await;
    matter.unit(&city, "water", Do::Sign).await;
    city.settle().await;
    let told = city.everything().await;

    // The bus repeats everything, backwards, and the service starts anew.
    let page = city.log_of(ServiceName::Supervision).await;
    let replica = city.replica().await;
    for event in page.events.iter().rev().chain(&page.events) {
        let events: Vec<Event> = vec![event.clone()];
        let batch = Batch { producer: "supervision".into(), epoch: page.epoch().to_owned(), events };
        city.bus.publish(std::sync::Arc::new(batch)).await;
    }
    for worker in &replica.workers {
        let _idle_or_not_the_holder = worker.turn().await.unwrap();
    }
    city.settle().await;
    assert_eq!(city.everything().await, told);
}

async fn two_replicas_tell_each_event_once(backend: Backend) {
    let city = City::new(backend).await;
    let replica = city.replica().await;
    for number in 0..20 {
        Matter::issued(&city, &number.to_string(), &["water", "industry"]).await;
    }
    city.sequence().await;
    let drive = |service: &xietong_mesh::Service| {
        let workers = service.workers.clone();
        tokio::spawn(async move {
            for _ in 0..30 {
                for worker in &workers {
                    // Losing a race to the other replica is what is tested here.
                    let _lost_or_won = worker.turn().await;
                }
            }
        })
    };
    let (one, other) = (drive(&city.service), drive(&replica));
    one.await.unwrap();
    other.await.unwrap();
    city.settle().await;
    for official in ["water-liaison", "industry-liaison", "qiao-feihong", "cui-yuanbin"] {
        assert_eq!(city.inbox(official).await.len(), 20, "{official}");
        assert_eq!(city.history(official).await.len(), 20, "{official}");
    }
}

async fn nothing_is_resolved_with_an_incomplete_roster(backend: Backend) {
    let city = City::new(backend).await;
    Matter::issued(&city, "1", &["water"]).await;
    city.sequence().await;
    city.close_roster();
    let [_, supervision, ..] = city.service.consumers.as_slice() else { panic!("three consumers") };
    let mut failed = None;
    for _ in 0..3 {
        failed = supervision.turn().await.err().or(failed);
    }
    assert!(failed.is_some_and(|error| error.to_string().contains("not complete")));
    assert!(city.everything().await.is_empty());
}

async fn a_roster_that_hangs_costs_one_wait_and_no_message(backend: Backend) {
    let city = City::new(backend).await;
    city.settle().await;
    city.silence_roster();
    let [_, supervision, ..] = city.service.consumers.as_slice() else { panic!("three consumers") };
    let told = async {
        for number in 1..=3 {
            Matter::issued(&city, &number.to_string(), &["water"]).await;
            city.sequence().await;
            while supervision.turn().await.unwrap() == Progress::Worked {}
            assert_eq!(city.inbox("water-liaison").await.len(), number);
        }
    };
    // Less than the call itself would wait for an answer.
    tokio::time::timeout(Duration::from_secs(5), told).await.unwrap();
    assert_eq!(city.unanswered_by_roster(), 1);
}

async fn a_notice_that_reaches_nobody_is_an_alarm(backend: Backend) {
    let city = City::new(backend).await;
    Matter::issued(&city, "1", &["moon"]).await;
    city.settle().await;
    assert!(city.everything().await.is_empty());
    let page = city.service.log.read(0, 100).await.unwrap();
    let types: Vec<_> = page.events.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(types, ["notification.notice.unaddressed"]);
}
