//! Another language's library of Standard Webhooks verifies what the running service delivers, also
//! while a secret is replaced.

use domain_webhook::Secret;
use xietong_proto::notification as proto;
use xietong_testkit::receiver::{PythonReceiver, Receiver};

use crate::city::{Backend, City};
use crate::webhook::{
    AMPLE, administrator, at_work, city, client, deliveries, endpoint, happened, quick, registered,
    wait_for_state,
};

crate::on_both_back_ends!(the_python_library_verifies_deliveries_also_while_a_secret_is_replaced);

async fn python(secret: &str) -> PythonReceiver {
    PythonReceiver::start(&Secret::parse(secret).unwrap(), AMPLE).await.unwrap()
}

/// From here on the endpoint is where this receiver listens.
async fn moved(city: &City, name: &str, to: &PythonReceiver) {
    let endpoint = proto::Endpoint { name: name.to_owned(), url: to.url().to_owned(), ..Default::default() };
    let request = proto::UpdateEndpointRequest {
        endpoint: Some(endpoint),
        update_mask: Some(prost_types::FieldMask { paths: vec!["url".to_owned()] }),
        ..Default::default()
    };
    client(city).await.update_endpoint(city.signed(administrator(), request)).await.unwrap();
}

/// Replaces the secret; the one before signs as well for so long.
async fn rotated(city: &City, name: &str, overlap_seconds: Option<i32>) -> String {
    let request = proto::RotateSecretRequest { name: name.to_owned(), overlap_seconds, ..Default::default() };
    let answer = client(city).await.rotate_secret(city.signed(administrator(), request)).await;
    answer.unwrap().into_inner().secret
}

/// The messages that a receiver has verified next.
async fn verified(receiver: &mut PythonReceiver, count: usize) -> Vec<String> {
    let mut messages = Vec::new();
    for _ in 0..count {
        let line: serde_json::Value = serde_json::from_str(&receiver.line().await.unwrap()).unwrap();
        assert_eq!(line["type"], "supervision.task.painted");
        messages.push(line["message"].as_str().unwrap().to_owned());
    }
    messages.sort();
    messages
}

/// The events of the newest deliveries.
async fn newest(city: &City, name: &str, count: usize) -> Vec<String> {
    let all = deliveries(city, name).await;
    let mut newest: Vec<String> = all.into_iter().take(count).map(|one| one.event).collect();
    newest.sort();
    newest
}

async fn the_python_library_verifies_deliveries_also_while_a_secret_is_replaced(backend: Backend) {
    let city = city(backend, quick()).await;
    // Its secret is known when it is registered, and only then can the receiver be started.
    let elsewhere = Receiver::start().await.unwrap();
    let made = registered(&city, administrator(), endpoint(&elsewhere)).await;
    let mut old = python(&made.secret).await;
    moved(&city, &made.name, &old).await;
    let _work = at_work(&city.service);
    happened(&city, 1, 3).await;
    wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 3).await;
    assert_eq!(verified(&mut old, 3).await, newest(&city, &made.name, 3).await);

    let second = rotated(&city, &made.name, None).await;
    happened(&city, 1, 2).await;
    wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 5).await;
    assert_eq!(verified(&mut old, 2).await, newest(&city, &made.name, 2).await, "by the secret before");
    let mut new = python(&second).await;
    moved(&city, &made.name, &new).await;
    happened(&city, 1, 2).await;
    wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 7).await;
    assert_eq!(verified(&mut new, 2).await, newest(&city, &made.name, 2).await, "by the new one");

    let third = rotated(&city, &made.name, Some(0)).await;
    let mut newer = python(&third).await;
    // It is tried with a signature that the receiver cannot verify, until the receiver has the secret.
    happened(&city, 1, 1).await;
    let refused = async || {
        let all = deliveries(&city, &made.name).await;
        all.first().is_some_and(|one| one.attempts.iter().any(|attempt| attempt.status == Some(401)))
    };
    xietong_testkit::wait::wait_for("a refused signature", AMPLE, refused).await.unwrap();
    moved(&city, &made.name, &newer).await;
    wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 8).await;
    assert_eq!(verified(&mut newer, 1).await, newest(&city, &made.name, 1).await);
}
