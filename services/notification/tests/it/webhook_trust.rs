//! Whose certificates are trusted when webhooks are sent.

use domain_webhook::AddressPolicy;
use xietong_notification::WebhookSettings;
use xietong_proto::notification as proto;
use xietong_testkit::receiver::Receiver;

use crate::city::{Backend, City};
use crate::webhook::{administrator, city, client, endpoint, quick, registered};

crate::on_both_back_ends!(
    a_receiver_that_the_governments_own_authority_vouches_for_is_sent_to_where_it_is_set,
);

/// What comes of trying an endpoint out.
async fn tried(city: &City, receiver: &Receiver) -> (bool, String) {
    let made = registered(city, administrator(), endpoint(receiver)).await;
    let request = proto::TestEndpointRequest { name: made.name };
    let answer = client(city).await.test_endpoint(city.signed(administrator(), request)).await.unwrap();
    let answer = answer.into_inner();
    (answer.delivered, answer.attempt.unwrap().outcome)
}

async fn a_receiver_that_the_governments_own_authority_vouches_for_is_sent_to_where_it_is_set(
    backend: Backend,
) {
    let receiver = Receiver::start_tls("127.0.0.1").await.unwrap();
    let policy = AddressPolicy::new(["127.0.0.0/8"]).unwrap();
    let without = WebhookSettings { policy, ..quick() };
    let with = WebhookSettings {
        authorities: receiver.certificate().cloned().into_iter().collect(),
        ..without.clone()
    };
    let outcome = tried(&city(backend, without).await, &receiver).await;
    assert_eq!(outcome, (false, "对方证书不受信任".to_owned()));
    assert!(receiver.requests().is_empty());
    let outcome = tried(&city(backend, with.clone()).await, &receiver).await;
    assert_eq!(outcome, (true, "对方返回状态码204".to_owned()));

    let other = Receiver::start_tls("127.0.0.1").await.unwrap();
    let outcome = tried(&city(backend, with).await, &other).await;
    assert_eq!(outcome, (false, "对方证书不受信任".to_owned()), "by another authority of the same name");
}
