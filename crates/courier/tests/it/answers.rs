//! What arrives, and what is answered.

use std::time::Duration;

use domain_webhook::{Algorithm, ID_HEADER, Meaning, Secret, VerificationError};
use xietong_courier::{Answer, Outcome};
use xietong_testkit::receiver::{Behaviour, Receiver};

use crate::bed::{BODY, Bed, ample, now, secret};

fn answered(outcome: Outcome) -> Answer {
    let Outcome::Answered(answer) = outcome else { panic!("{outcome:?}") };
    answer
}

#[tokio::test]
async fn a_request_arrives_as_it_was_signed() {
    let receiver = Receiver::start().await.unwrap();
    let outcome = Bed::new(ample()).send(&receiver.url("/hooks?from=xietong")).await;
    assert_eq!(outcome.meaning(), Meaning::Delivered, "{outcome:?}");

    let requests = receiver.requests();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/hooks?from=xietong"));
    assert_eq!(request.body, BODY);
    assert_eq!(request.header(ID_HEADER), Some("0190a1b2-0000-7000-8000-000000000001"));
    assert_eq!(request.header("content-type"), Some("application/cloudevents+json; charset=utf-8"));
    assert_eq!(request.header("host"), Some(receiver.address().to_string().as_str()));
    assert!(request.header("user-agent").is_some_and(|agent| agent.starts_with("xietong/")));
    for algorithm in [Algorithm::Sha256, Algorithm::Sm3] {
        assert_eq!(request.verify(algorithm, &secret(), now()), Ok(()));
        let other = Secret::from_bytes(vec![43; 32]).unwrap();
        assert_eq!(request.verify(algorithm, &other, now()), Err(VerificationError::NoMatch));
    }
}

#[tokio::test]
async fn every_status_is_told_and_the_connection_kept() {
    let receiver = Receiver::start().await.unwrap();
    let bed = Bed::new(ample());
    for (status, meaning) in [
        (200, Meaning::Delivered),
        (202, Meaning::Delivered),
        (204, Meaning::Delivered),
        (299, Meaning::Delivered),
        (304, Meaning::UNANSWERED),
        (400, Meaning::UNANSWERED),
        (404, Meaning::UNANSWERED),
        (410, Meaning::Gone),
        (429, Meaning::Busy { retry_after: None }),
        (500, Meaning::UNANSWERED),
        (502, Meaning::Busy { retry_after: None }),
        (503, Meaning::UNANSWERED),
        (504, Meaning::Busy { retry_after: None }),
        (599, Meaning::UNANSWERED),
        (999, Meaning::UNANSWERED),
    ] {
        receiver.behave(Behaviour::status(status));
        let outcome = bed.send(&receiver.url("/")).await;
        assert_eq!(outcome.meaning(), meaning, "{status}");
        assert_eq!(answered(outcome).status, status);
    }
    // What was read whole can be followed by the next request; how soon it is free again is the
    // client's affair.
    assert!(receiver.connections() < 15, "{}", receiver.connections());
}

#[tokio::test]
async fn the_wait_that_a_receiver_asks_for_is_told() {
    let receiver = Receiver::start().await.unwrap();
    let bed = Bed::new(ample());
    let day = Duration::from_secs(24 * 3_600);
    for (value, expected) in [
        ("120", Some(Duration::from_secs(120))),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(day)),
        ("Wed, 21 Oct 2015 07:28:00 GMT", Some(Duration::ZERO)),
        ("soon", None),
        ("不久", None),
    ] {
        receiver.behave(Behaviour::retry_after(429, value));
        let outcome = bed.send(&receiver.url("/")).await;
        assert_eq!(outcome.meaning(), Meaning::Busy { retry_after: expected }, "{value}");
    }
}

#[tokio::test]
async fn redirects_are_failures_and_never_followed() {
    let receiver = Receiver::start().await.unwrap();
    let elsewhere = Receiver::start().await.unwrap();
    let bed = Bed::new(ample());
    for status in [300, 301, 302, 303, 307, 308] {
        receiver.behave(Behaviour::redirect(status, &elsewhere.url("/stolen")));
        let outcome = bed.send(&receiver.url("/")).await;
        assert_eq!(outcome.meaning(), Meaning::UNANSWERED);
        assert_eq!(answered(outcome).status, status);
    }
    assert_eq!((receiver.requests().len(), elsewhere.connections()), (6, 0));
}

#[tokio::test]
async fn the_beginning_of_a_body_is_kept_as_text() {
    let receiver = Receiver::start().await.unwrap();
    let bed = Bed::new(ample());
    for (body, expected) in [
        ("参数不对\n".as_bytes().to_vec(), "参数不对\n".to_owned()),
        (b"a\0b\x1b[31mc\xff".to_vec(), "a\u{fffd}b\u{fffd}[31mc\u{fffd}".to_owned()),
        (vec![b'x'; 100_000], "x".repeat(4_096)),
        (Vec::new(), String::new()),
    ] {
        receiver.behave(Behaviour::body(500, body));
        assert_eq!(answered(bed.send(&receiver.url("/")).await).excerpt, expected);
    }
}
