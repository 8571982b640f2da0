//! Whom a courier trusts.

use domain_webhook::{Algorithm, Meaning};
use xietong_courier::{Outcome, Unreachable, trusted_roots};
use xietong_testkit::receiver::Receiver;

use crate::bed::{Bed, LISTED, Names, ample, now, secret};

const NAME: &str = "receiver.example";

fn untrusted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Unreachable(Unreachable::Untrusted { .. }))
}

#[tokio::test]
async fn a_receiver_with_a_trusted_certificate_is_sent_to() {
    let receiver = Receiver::start_tls(NAME).await.unwrap();
    let bed = Bed::with(ample(), Names::of(NAME, &[LISTED]), Some(&receiver));
    let outcome = bed.send(&receiver.url_by_name(NAME, "/")).await;
    assert_eq!(outcome.meaning(), Meaning::Delivered, "{outcome:?}");
    assert_eq!(receiver.requests()[0].verify(Algorithm::Sha256, &secret(), now()), Ok(()));
}

#[tokio::test]
async fn one_with_another_certificate_or_for_another_name_is_not() {
    let receiver = Receiver::start_tls(NAME).await.unwrap();
    let unknown = Bed::with(ample(), Names::of(NAME, &[LISTED]), None);
    let outcome = unknown.send(&receiver.url_by_name(NAME, "/")).await;
    assert!(untrusted(&outcome), "{outcome:?}");

    let other_name = Bed::with(ample(), Names::of("other.example", &[LISTED]), Some(&receiver));
    let outcome = other_name.send(&receiver.url_by_name("other.example", "/")).await;
    assert!(untrusted(&outcome), "{outcome:?}");
    assert_eq!(receiver.requests(), []);
}

#[tokio::test]
async fn one_that_speaks_no_tls_is_not() {
    let receiver = Receiver::start().await.unwrap();
    let outcome = Bed::new(ample()).send(&format!("https://{}/", receiver.address())).await;
    assert!(untrusted(&outcome), "{outcome:?}");
}

#[tokio::test]
async fn the_operators_own_authorities_are_trusted_beside_the_machines() {
    let receiver = Receiver::start_tls(NAME).await.unwrap();
    let certificate = receiver.certificate().unwrap().clone();
    let machines = trusted_roots([]);
    let with_own = trusted_roots([certificate, b"no certificate".to_vec().into()]);
    assert_eq!(with_own.store.len(), machines.store.len() + 1);
    assert_eq!(with_own.unread.len(), machines.unread.len() + 1);
}
