//! Webhooks with several replicas, of which some die.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use xietong_notification::Timeouts;
use xietong_proto::notification as proto;
use xietong_testkit::receiver::{Behaviour, Receiver};

use crate::city::Backend;
use crate::webhook::{
    AMPLE, administrator, at_work, city, endpoint, happened, ids, quick, registered, wait_for_state,
};

crate::on_both_back_ends!(
    a_replica_takes_over_what_one_that_died_in_the_middle_had_claimed,
    replicas_share_the_work_and_the_places_of_an_endpoint,
    a_process_alone_takes_over_at_once,
);

async fn a_replica_takes_over_what_one_that_died_in_the_middle_had_claimed(backend: Backend) {
    let mut settings = quick();
    let second = Duration::from_secs(1);
    settings.timeouts = Timeouts { connect: second, answer: second, whole: second };
    settings.lease = Duration::from_millis(1_500);
    let city = city(backend, settings).await;
    let receiver = Receiver::start().await.unwrap();
    receiver.behave(Behaviour::Hang);
    let wide = proto::Endpoint { concurrency: 8, ..endpoint(&receiver) };
    let made = registered(&city, administrator(), wide).await;
    happened(&city, 3, 10).await;
    city.service.workers[0].turn().await.unwrap();
    let dying = city.replica().await;
    let work = at_work(&dying);
    receiver.wait_for(8, AMPLE).await;
    // It dies with eight requests under way and nothing on record.
    drop((work, dying));
    receiver.behave(Behaviour::status(200));
    let _work = at_work(&city.service);
    wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 30).await;
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for id in ids(&receiver.requests()) {
        *times.entry(id).or_default() += 1;
    }
    assert_eq!(times.len(), 30, "nothing is lost");
    assert!(times.values().filter(|times| **times > 1).count() >= 1, "what it had sent is sent again");
}

async fn replicas_share_the_work_and_the_places_of_an_endpoint(backend: Backend) {
    let city = city(backend, quick()).await;
    let receiver = Receiver::start().await.unwrap();
    // Each request takes a connection for itself while it hangs.
    receiver.behave(Behaviour::Hang);
    let three = proto::Endpoint { concurrency: 3, ..endpoint(&receiver) };
    let made = registered(&city, administrator(), three).await;
    let (one, other) = (city.replica().await, city.replica().await);
    happened(&city, 5, 4).await;
    city.settle().await;
    let _work = (at_work(&one), at_work(&other));
    receiver.wait_for(3, AMPLE).await;
    for _ in 0..20 {
        city.settle().await;
    }
    assert_eq!(receiver.requests().len(), 3, "however many replicas there are");
    let held: BTreeSet<String> = ids(&receiver.requests()).into_iter().collect();
    assert_eq!(held.len(), 3, "none is sent by two");
    receiver.behave(Behaviour::status(200));
    wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 20).await;
}

async fn a_process_alone_takes_over_at_once(backend: Backend) {
    let mut settings = quick();
    settings.lease = Duration::from_secs(24 * 3_600);
    let city = city(backend, settings).await;
    let receiver = Receiver::start().await.unwrap();
    receiver.behave(Behaviour::Hang);
    let made = registered(&city, administrator(), endpoint(&receiver)).await;
    let dying = city.replica().await;
    happened(&city, 1, 6).await;
    let work = at_work(&dying);
    receiver.wait_for(4, AMPLE).await;
    drop((work, dying));
    receiver.behave(Behaviour::status(200));
    city.service.take_over().await.unwrap();
    let _work = at_work(&city.service);
    wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 6).await;
}
