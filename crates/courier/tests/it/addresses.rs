//! Nothing is connected to that may not be, whatever a name resolves to and whenever.

use std::net::IpAddr;

use domain_webhook::{AddressKind, AddressRefusal, Meaning};
use xietong_courier::Outcome;
use xietong_testkit::receiver::{Behaviour, Receiver};

use crate::bed::{Bed, LISTED, Names, ample};

const NAME: &str = "receiver.example";
/// Loopback too, and not listed.
const UNLISTED: &str = "127.0.0.2";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn refused_as(outcome: &Outcome) -> Option<AddressKind> {
    let Outcome::Refused(AddressRefusal::Kind { kind, .. }) = outcome else { return None };
    Some(*kind)
}

#[tokio::test]
async fn a_name_that_leads_to_a_listed_address_is_connected_to() {
    let receiver = Receiver::start().await.unwrap();
    let bed = Bed::with(ample(), Names::of(NAME, &[LISTED]), None);
    let outcome = bed.send(&receiver.url_by_name(NAME, "/")).await;
    assert_eq!(outcome.meaning(), Meaning::Delivered, "{outcome:?}");
    let host = format!("{NAME}:{}", receiver.address().port());
    assert_eq!(receiver.requests()[0].header("host"), Some(host.as_str()));
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_and_nothing_is_connected_to() {
    let inside = Receiver::start_at(ip(UNLISTED), 0).await.unwrap();
    for (addresses, kind) in [
        (UNLISTED, AddressKind::Loopback),
        ("::1", AddressKind::Loopback),
        ("::ffff:127.0.0.2", AddressKind::Loopback),
        ("64:ff9b::127.0.0.2", AddressKind::Loopback),
        ("0.0.0.0", AddressKind::Unspecified),
        ("::", AddressKind::Unspecified),
        ("10.1.2.3", AddressKind::Private),
        ("192.168.1.1 10.1.2.3", AddressKind::Private),
        ("100.100.100.200", AddressKind::Shared),
        ("169.254.169.254", AddressKind::LinkLocal),
        ("fd00:ec2::254", AddressKind::Private),
        ("fe80::1", AddressKind::LinkLocal),
        ("2002:7f00:2::1", AddressKind::Tunnel),
        ("2001:0:7f00:2::1", AddressKind::Tunnel),
    ] {
        let bed = Bed::with(ample(), Names::of(NAME, &[addresses]), None);
        let outcome = bed.send(&inside.url_by_name(NAME, "/")).await;
        assert_eq!(refused_as(&outcome), Some(kind), "{addresses}: {outcome:?}");
        assert_eq!(outcome.meaning(), Meaning::UNANSWERED);
    }
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_the_second_time_gains_nothing() {
    let outside = Receiver::start().await.unwrap();
    let inside = Receiver::start_at(ip(UNLISTED), outside.address().port()).await.unwrap();
    // A connection that is kept would be used again; this one is not.
    outside.behave(Behaviour::CloseMidBody { status: 200 });
    let bed = Bed::with(ample(), Names::of(NAME, &[LISTED, UNLISTED]), None);
    let url = outside.url_by_name(NAME, "/");
    assert_eq!(bed.send(&url).await.meaning(), Meaning::Delivered);
    let second = bed.send(&url).await;
    assert_eq!(refused_as(&second), Some(AddressKind::Loopback), "{second:?}");
    assert_eq!((outside.requests().len(), inside.connections()), (1, 0));
}

#[tokio::test]
async fn of_several_addresses_only_those_that_may_be_are_connected_to() {
    let outside = Receiver::start().await.unwrap();
    let inside = Receiver::start_at(ip(UNLISTED), outside.address().port()).await.unwrap();
    let both = format!("{UNLISTED} {LISTED}");
    let bed = Bed::with(ample(), Names::of(NAME, &[&both]), None);
    let outcome = bed.send(&outside.url_by_name(NAME, "/")).await;
    assert_eq!(outcome.meaning(), Meaning::Delivered, "{outcome:?}");
    assert_eq!((outside.requests().len(), inside.connections()), (1, 0));
}

#[tokio::test]
async fn an_address_in_the_url_is_judged_when_it_is_connected_to() {
    let inside = Receiver::start_at(ip(UNLISTED), 0).await.unwrap();
    let port = inside.address().port();
    // They were registered when other networks were listed.
    for host in
        [UNLISTED, "127.2", "0x7f000002", "[::ffff:127.0.0.2]", "[::1]", "10.1.2.3", "169.254.169.254"]
    {
        let outcome = Bed::new(ample()).send_unchecked(&format!("http://{host}:{port}/")).await;
        assert!(refused_as(&outcome).is_some(), "{host}: {outcome:?}");
    }
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn clear_text_goes_to_no_public_address() {
    let bed = Bed::with(ample(), Names::of(NAME, &["2400:3200::1 1.1.1.1"]), None);
    let outcome = bed.send(&format!("http://{NAME}/")).await;
    assert_eq!(outcome, Outcome::Refused(AddressRefusal::ClearText { address: ip("2400:3200::1") }));
    let outcome = bed.send(&format!("https://{NAME}:25/")).await;
    assert_eq!(outcome, Outcome::Refused(AddressRefusal::Port { port: 25 }));
}
