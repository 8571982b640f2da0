//! What is measured of webhooks.

use std::time::Duration;

use xietong_mesh::ServiceName;
use xietong_mesh::metrics::Metrics;
use xietong_notification::Timeouts;
use xietong_proto::notification as proto;
use xietong_testkit::receiver::{Behaviour, Receiver};
use xietong_testkit::wait::wait_for;

use crate::city::{Backend, City};
use crate::webhook::{
    AMPLE, administrator, at_work, city, endpoint, happened, quick, registered, wait_for_state,
};

crate::on_both_back_ends!(attempts_deliveries_dead_letters_and_endpoints_are_measured);

async fn counted(city: &City) {
    let meter = city.service.workers.iter().find(|one| one.name().ends_with("webhook-meter")).unwrap();
    meter.turn().await.unwrap();
}

async fn attempts_deliveries_dead_letters_and_endpoints_are_measured(backend: Backend) {
    let mut settings = quick();
    settings.schedule.limit = Duration::from_millis(60);
    settings.timeouts = Timeouts { connect: AMPLE, answer: AMPLE, whole: AMPLE };
    settings.lease = AMPLE * 3;
    let city = city(backend, settings).await;
    let metrics = Metrics::new(ServiceName::Notification);
    city.service.register(&metrics);
    let missing = |lines: &[String]| {
        let page = metrics.render();
        let missing = lines.iter().filter(|line| !page.lines().any(|shown| shown == *line));
        missing.cloned().collect::<Vec<String>>()
    };
    let mut endpoints = Vec::new();
    for behaviour in [Behaviour::status(204), Behaviour::status(410), Behaviour::status(500), Behaviour::Hang]
    {
        let receiver = Receiver::start().await.unwrap();
        receiver.behave(behaviour);
        let one = proto::Endpoint { concurrency: 1, ..endpoint(&receiver) };
        endpoints.push((registered(&city, administrator(), one).await.name, receiver));
    }
    let [(good, _), (gone, _), (broken, _), (hanging, receiver)] = endpoints.as_slice() else {
        panic!("four endpoints")
    };
    happened(&city, 1, 3).await;
    let work = at_work(&city.service);
    wait_for_state(&city, good, proto::DeliveryState::Delivered, 3).await;
    wait_for_state(&city, gone, proto::DeliveryState::Held, 3).await;
    let dead = wait_for_state(&city, broken, proto::DeliveryState::DeadLetter, 3).await;
    let failed: i32 = dead.iter().map(|one| one.attempt_count).sum();
    receiver.wait_for(1, AMPLE).await;

    let label = "service_name=\"notification\"";
    let ended = |outcome: &str| format!("webhook_deliveries_ended_total{{{label},outcome=\"{outcome}\"}} 3");
    let attempts = |outcome: &str, count: i32| {
        format!("webhook_attempt_duration_seconds_count{{{label},outcome=\"{outcome}\"}} {count}")
    };
    let expected = [
        ended("delivered"),
        ended("dead_letter"),
        attempts("delivered", 3),
        attempts("gone", 1),
        attempts("failed", failed),
    ];
    // An attempt is counted a moment after it is on record.
    let all_there = wait_for("the attempts to be counted", AMPLE, async || missing(&expected).is_empty());
    all_there
        .await
        .unwrap_or_else(|error| panic!("{error}: {:?} in {}", missing(&expected), metrics.render()));

    drop(work);
    counted(&city).await;
    let of = |endpoint: &str| format!("{label},endpoint=\"{endpoint}\"");
    let mut expected = vec![
        format!("webhook_deliveries_waiting{{{}}} 0", of(good)),
        format!("webhook_deliveries_waiting{{{}}} 3", of(hanging)),
        format!("webhook_deliveries_held{{{}}} 3", of(gone)),
        format!("webhook_dead_letters{{{}}} 3", of(broken)),
        format!("webhook_dead_letters{{{}}} 0", of(good)),
    ];
    for (state, count) in [("enabled", 2), ("slowed", 0), ("failing", 1), ("disabled", 1)] {
        expected.push(format!("webhook_endpoints{{{label},state=\"{state}\"}} {count}"));
    }
    assert_eq!(missing(&expected), Vec::<String>::new(), "{}", metrics.render());
}
