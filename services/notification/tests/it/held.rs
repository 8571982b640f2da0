//! What comes about by itself at night or on a rest day is told when people work.

use domain_supervision::{
    AssignmentCommand as Do, Charge, HANDOVER_LISTED, HandedOver, HandoverList, TimerKind,
};
use xietong_mesh::ServiceName;

use crate::city::{Backend, City, at};
use crate::matter::Matter;

crate::on_both_back_ends!(
    a_date_that_is_missed_at_midnight_is_told_in_the_morning_once,
    what_has_become_moot_by_the_morning_is_not_told,
    what_a_person_does_at_night_is_told_at_once,
    a_division_that_takes_effect_on_a_saturday_is_listed_on_monday,
);

async fn lights(city: &City, official: &str) -> usize {
    city.inbox(official).await.into_iter().filter(|(kind, ..)| kind == "light").count()
}

/// An ordinary matter of the water bureau, issued on Saturday, 10 June: at the beginning of Sunday
/// the 18th it is overdue.
async fn overdue(city: &City) -> Matter {
    city.advance("2023-06-10T09:00+08:00").await;
    let mut matter = Matter::issued(city, "1", &["water"]).await;
    city.settle().await;
    matter.unit(city, "water", Do::Sign).await;
    matter.unit(city, "water", Do::Deploy { plan: String::new() }).await;
    city.advance("2023-06-18T00:00+08:00").await;
    matter.fires(city, "water", TimerKind::SettleDue).await;
    city.settle().await;
    matter
}

async fn a_date_that_is_missed_at_midnight_is_told_in_the_morning_once(backend: Backend) {
    let city = City::new(backend).await;
    overdue(&city).await;
    city.advance("2023-06-19T07:59:59+08:00").await;
    assert_eq!(lights(&city, "water-liaison").await, 0, "Sunday");
    city.advance("2023-06-19T08:00+08:00").await;
    assert_eq!(lights(&city, "water-liaison").await, 1);
    // It climbs from then on.
    city.advance("2023-06-20T07:59:59+08:00").await;
    assert_eq!(city.inbox("water-head").await.len(), 0);
    city.advance("2023-06-20T08:00+08:00").await;
    assert_eq!(city.inbox("water-head").await.len(), 1);
    assert_eq!(lights(&city, "water-liaison").await, 1, "once");
}

async fn what_has_become_moot_by_the_morning_is_not_told(backend: Backend) {
    let city = City::new(backend).await;
    let mut matter = overdue(&city).await;
    city.advance("2023-06-18T10:00+08:00").await;
    matter.unit(&city, "water", Do::Submit { text: "已完成".into(), attachments: vec![] }).await;
    city.settle().await;
    city.advance("2023-06-20T09:00+08:00").await;
    assert_eq!(lights(&city, "water-liaison").await, 0, "it was submitted on Sunday");
}

async fn what_a_person_does_at_night_is_told_at_once(backend: Backend) {
    let city = City::new(backend).await;
    city.advance("2023-06-10T23:00+08:00").await;
    Matter::issued(&city, "1", &["water"]).await;
    city.settle().await;
    assert_eq!(city.inbox("water-liaison").await.len(), 1);
}

async fn a_division_that_takes_effect_on_a_saturday_is_listed_on_monday(backend: Backend) {
    let city = City::new(backend).await;
    let list = HandoverList {
        division: "divisions/no-12".into(),
        document: "临政办发〔2023〕12号".into(),
        leader: "officials/qiao-feihong".into(),
        effective_time: at("2023-06-10T00:00+08:00"),
        superseded_time: None,
        left_out: 0,
        received: vec![HandedOver {
            charge: Charge::Unit("units/water".into()),
            other: None,
            open_tasks: 0,
            tasks: vec![],
        }],
        given: vec![],
        no_longer_stated: vec![],
        first_stated: vec![],
    };
    city.advance("2023-06-10T00:00+08:00").await;
    let aggregate = "divisions/no-12/handovers/officials/qiao-feihong";
    let payload = list.to_payload().unwrap().to_string();
    city.record(ServiceName::Supervision, aggregate, HANDOVER_LISTED, payload).await;
    city.settle().await;
    assert!(city.inbox("qiao-feihong").await.is_empty());
    city.advance("2023-06-12T08:00+08:00").await;
    assert_eq!(city.inbox("qiao-feihong").await.len(), 1);
}
