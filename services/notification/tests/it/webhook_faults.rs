//! Webhooks to receivers that misbehave.

use std::collections::BTreeSet;
use std::time::Duration;

use xietong_notification::Timeouts;
use xietong_proto::notification as proto;
use xietong_testkit::receiver::{Behaviour, Receiver};
use xietong_testkit::wait::wait_for_value;

use crate::city::{Backend, City};
use crate::webhook::{
    AMPLE, administrator, at_work, city, client, deliveries, endpoint, get, happened, ids, quick, registered,
    wait_for_state,
};

crate::on_both_back_ends!(
    whatever_a_receiver_does_it_is_tried_again_under_the_same_id,
    a_receiver_that_wants_no_more_is_disabled_and_its_backlog_kept,
    a_receiver_that_fails_for_long_is_disabled_and_administrators_are_told,
    retry_after_is_honoured,
    a_fast_endpoint_gets_everything_while_others_hang_fail_and_redirect,
    what_its_keeper_disabled_is_kept_and_sent_when_it_is_enabled,
    a_test_says_at_once_what_comes_of_it,
);

async fn whatever_a_receiver_does_it_is_tried_again_under_the_same_id(backend: Backend) {
    let mut settings = quick();
    let moment = Duration::from_secs(2);
    settings.timeouts = Timeouts { connect: moment, answer: moment, whole: moment };
    let city = city(backend, settings).await;
    let receiver = Receiver::start().await.unwrap();
    let one = proto::Endpoint { concurrency: 1, ..endpoint(&receiver) };
    let made = registered(&city, administrator(), one).await;
    let _work = at_work(&city.service);
    let faults = [
        Behaviour::status(500),
        Behaviour::redirect(307, &receiver.url("/elsewhere")),
        Behaviour::Close,
        Behaviour::Nonsense,
        Behaviour::Hang,
        Behaviour::EndlessHead,
        Behaviour::DripHead { every: Duration::from_millis(20) },
        Behaviour::status(429),
    ];
    let count = faults.len();
    receiver.behave_next(faults);
    happened(&city, 1, 1).await;
    let [delivered] =
        wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 1).await.try_into().unwrap();
    let requests = receiver.requests();
    assert_eq!(ids(&requests).into_iter().collect::<BTreeSet<_>>().len(), 1);
    assert!(requests.iter().all(|request| request.path == "/hook"), "nobody follows a redirect");
    assert_eq!(delivered.attempts.len(), count + 1);
    let outcomes: Vec<&str> = delivered.attempts.iter().rev().map(|one| one.outcome.as_str()).collect();
    assert_eq!((outcomes[0], outcomes[1]), ("对方返回状态码500", "对方返回状态码307"));
    assert_eq!((outcomes[4], outcomes[count]), ("对方超时未答复", "对方返回状态码204"));

    // A status that came counts, whatever becomes of the body.
    receiver.behave_next([Behaviour::CloseMidBody { status: 200 }, Behaviour::EndlessBody { status: 200 }]);
    happened(&city, 1, 2).await;
    let all = wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 3).await;
    assert!(all[..2].iter().all(|one| one.attempt_count == 1));
}

async fn wait_until_disabled(city: &City, name: &str) -> proto::Endpoint {
    let look = async || {
        let found = get(city, name).await;
        (found.state() == proto::EndpointState::Disabled).then_some(found)
    };
    wait_for_value("the endpoint to be disabled", AMPLE, look).await.unwrap()
}

async fn enabled(city: &City, name: &str) -> proto::Endpoint {
    let request = proto::EnableEndpointRequest { name: name.to_owned(), ..Default::default() };
    client(city).await.enable_endpoint(city.signed(administrator(), request)).await.unwrap().into_inner()
}

/// What its administrator is told.
async fn told(city: &City) -> Vec<String> {
    let look = async || {
        let inbox = city.inbox("inspector").await;
        (!inbox.is_empty()).then(|| inbox.into_iter().map(|(_, _, title)| title).collect())
    };
    wait_for_value("a notice", AMPLE, look).await.unwrap()
}

async fn history(city: &City, name: &str) -> Vec<String> {
    let events = city.service.log.of_aggregate(name).await.unwrap();
    xietong_events::verify_chain(&events).unwrap();
    events.into_iter().map(|event| event.event_type.replace("notification.endpoint.", "")).collect()
}

async fn a_receiver_that_wants_no_more_is_disabled_and_its_backlog_kept(backend: Backend) {
    let city = city(backend, quick()).await;
    let receiver = Receiver::start().await.unwrap();
    let one = proto::Endpoint { concurrency: 1, ..endpoint(&receiver) };
    let made = registered(&city, administrator(), one).await;
    receiver.behave(Behaviour::status(410));
    let _work = at_work(&city.service);
    happened(&city, 1, 5).await;
    let found = wait_until_disabled(&city, &made.name).await;
    assert_eq!(found.disabled_reason(), proto::EndpointDisabledReason::Gone);
    assert_eq!(told(&city).await, ["系统对接已停用：“办公系统”"]);
    let kept = deliveries(&city, &made.name).await;
    assert!(kept.iter().all(|one| one.state() == proto::DeliveryState::Held), "{kept:?}");
    assert_eq!(receiver.requests().len(), 1);
    // What happens meanwhile is kept as well.
    happened(&city, 1, 2).await;
    receiver.behave(Behaviour::status(200));
    assert_eq!(enabled(&city, &made.name).await.state(), proto::EndpointState::Enabled);
    wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 7).await;
    assert_eq!(ids(&receiver.requests()).into_iter().collect::<BTreeSet<_>>().len(), 7);
    assert_eq!(history(&city, &made.name).await, ["registered", "disabled", "enabled"]);
}

async fn a_receiver_that_fails_for_long_is_disabled_and_administrators_are_told(backend: Backend) {
    let mut settings = quick();
    settings.rules.disabled_after = Duration::from_millis(300);
    let city = city(backend, settings).await;
    let receiver = Receiver::start().await.unwrap();
    let made = registered(&city, administrator(), endpoint(&receiver)).await;
    receiver.behave(Behaviour::status(503));
    let _work = at_work(&city.service);
    happened(&city, 2, 2).await;
    let found = wait_until_disabled(&city, &made.name).await;
    assert_eq!(found.disabled_reason(), proto::EndpointDisabledReason::Failing);
    assert_eq!(told(&city).await, ["系统对接已停用：“办公系统”"]);
    receiver.behave(Behaviour::status(200));
    enabled(&city, &made.name).await;
    wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 4).await;
}

async fn retry_after_is_honoured(backend: Backend) {
    let city = city(backend, quick()).await;
    for status in [503, 429] {
        let receiver = Receiver::start().await.unwrap();
        let made = registered(&city, administrator(), endpoint(&receiver)).await;
        receiver.behave_next([Behaviour::retry_after(status, "1")]);
        let _work = at_work(&city.service);
        happened(&city, 1, 1).await;
        let [delivered] =
            wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 1).await.try_into().unwrap();
        let began = |number: usize| {
            let time = delivered.attempts[number].start_time.unwrap();
            time.seconds * 1_000 + i64::from(time.nanos / 1_000_000)
        };
        assert_eq!(delivered.attempts.len(), 2);
        assert!(began(0) - began(1) >= 1_000, "by the schedule it would be a hundredth of that");
    }
}

async fn a_fast_endpoint_gets_everything_while_others_hang_fail_and_redirect(backend: Backend) {
    let mut settings = quick();
    settings.concurrency = 12;
    let city = city(backend, settings).await;
    let mut bad = Vec::new();
    for behaviour in
        [Behaviour::Hang, Behaviour::status(500), Behaviour::redirect(302, "http://127.0.0.1:1/")]
    {
        let receiver = Receiver::start().await.unwrap();
        receiver.behave(behaviour);
        // More places than there are in all.
        let wide = proto::Endpoint { concurrency: 64, ..endpoint(&receiver) };
        bad.push((registered(&city, administrator(), wide).await, receiver));
    }
    let fast = Receiver::start().await.unwrap();
    let made = registered(&city, administrator(), endpoint(&fast)).await;
    let _work = at_work(&city.service);
    happened(&city, 4, 25).await;
    // The one that hangs does so for ten seconds at each of its places, of which it has most.
    wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 100).await;
    assert_eq!(ids(&fast.requests()).into_iter().collect::<BTreeSet<_>>().len(), 100);
    for (bad, receiver) in &bad {
        let theirs = deliveries(&city, &bad.name).await;
        assert!(theirs.iter().all(|one| one.state() == proto::DeliveryState::Waiting), "nothing is lost");
        assert!(!receiver.requests().is_empty(), "they were at it");
    }
}

async fn what_its_keeper_disabled_is_kept_and_sent_when_it_is_enabled(backend: Backend) {
    let city = city(backend, quick()).await;
    let receiver = Receiver::start().await.unwrap();
    let made = registered(&city, administrator(), endpoint(&receiver)).await;
    let request = || proto::DisableEndpointRequest { name: made.name.clone(), ..Default::default() };
    let disabled = async || {
        let answer = client(&city).await.disable_endpoint(city.signed(administrator(), request())).await;
        answer.unwrap().into_inner()
    };
    let first = disabled().await;
    assert_eq!(first.disabled_reason(), proto::EndpointDisabledReason::Owner);
    assert_eq!(disabled().await, first, "again changes nothing");
    happened(&city, 2, 2).await;
    city.settle().await;
    assert!(receiver.requests().is_empty());
    let _work = at_work(&city.service);
    enabled(&city, &made.name).await;
    wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 4).await;
    assert!(city.inbox("inspector").await.is_empty(), "whoever did it himself knows");
}

async fn a_test_says_at_once_what_comes_of_it(backend: Backend) {
    let city = city(backend, quick()).await;
    let receiver = Receiver::start().await.unwrap();
    let made = registered(&city, administrator(), endpoint(&receiver)).await;
    receiver.behave_next([Behaviour::body(403, "谁")]);
    let test = async || {
        let request = proto::TestEndpointRequest { name: made.name.clone() };
        client(&city).await.test_endpoint(city.signed(administrator(), request)).await.unwrap().into_inner()
    };
    let refused = test().await;
    let attempt = refused.attempt.unwrap();
    assert!(!refused.delivered);
    assert_eq!((attempt.status, attempt.excerpt.as_str()), (Some(403), "谁"));
    assert!(test().await.delivered);
    let body: serde_json::Value = serde_json::from_slice(&receiver.requests()[1].body).unwrap();
    assert_eq!(body["type"], "notification.endpoint.test");
    assert_eq!(get(&city, &made.name).await.failures, 0, "it changes nothing");
}
