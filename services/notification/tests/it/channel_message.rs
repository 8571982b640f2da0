//! Messages by HTTP to a system for SMS or government messaging.

use std::time::Duration;

use domain_channel::{Seal, SealAlgorithm, Template};
use domain_notification::NoticeKind;
use domain_supervision::Command;
use domain_webhook::AddressPolicy;
use serde_json::{Value, json};
use xietong_notification::{ChannelRules, ChannelSettings, MessageSettings, SealHeaders, Timeouts};
use xietong_proto::notification as proto;
use xietong_testkit::receiver::{Behaviour, ReceivedRequest, Receiver};

use crate::channel::{WHO, counted, message_ids, reached, rules, sendings, wait_for_count, wait_for_sending};
use crate::city::{Backend, City};
use crate::climbing::acknowledge_newest;
use crate::matter::Matter;
use crate::webhook::{AMPLE, at_work};

crate::on_both_back_ends!(
    a_message_is_written_by_the_template_signed_and_named,
    a_status_says_whether_it_is_tried_again,
    a_to_do_of_the_other_system_is_closed_under_the_same_key,
    a_to_do_is_closed_for_whoever_signed_in_the_inbox,
    whoever_keeps_no_to_dos_is_sent_a_short_message,
    only_the_kinds_that_are_set_go_out,
);

const MOBILE: &str = "13800000000";
const KEY: &[u8] = b"0123456789abcdef";
const TEMPLATE: &str = r#"{"purpose": {{ purpose }}, "to": {{ to }}, "official": {{ official }}, "kind": {{ kind }},
    "text": {{ text }}, "title": {{ title }}, "id": {{ key }}, "number": {{ number }}}"#;

fn by_message(receiver: &Receiver, close: bool, rules: ChannelRules) -> ChannelSettings {
    let whole = Duration::from_secs(20);
    let message = MessageSettings {
        url: receiver.url("/send"),
        close_url: close.then(|| receiver.url("/close")),
        policy: AddressPolicy::new(["127.0.0.0/8"]).unwrap(),
        timeouts: Timeouts { connect: whole, answer: whole, whole },
        template: Template::parse(TEMPLATE, "application/json").unwrap(),
        headers: vec![("X-App".into(), "xietong".into())],
        key_header: "Idempotency-Key".into(),
        seal: Some(SealHeaders {
            seal: Seal::new(SealAlgorithm::Sm3, KEY).unwrap(),
            header: "X-Signature".into(),
            timestamp_header: "X-Timestamp".into(),
        }),
        sent: vec![],
        rules,
    };
    ChannelSettings { email: None, message: Some(message) }
}

async fn city(backend: Backend, settings: ChannelSettings) -> City {
    let city = City::with_channels(backend, settings).await;
    city.settle().await;
    reached(&city, WHO, "", MOBILE).await;
    city
}

fn body(request: &ReceivedRequest) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

async fn a_message_is_written_by_the_template_signed_and_named(backend: Backend) {
    let receiver = Receiver::start().await.unwrap();
    let city = city(backend, by_message(&receiver, false, rules())).await;
    let _work = at_work(&city.service);
    Matter::issued(&city, "1", &["water"]).await;
    city.settle().await;
    wait_for_count(&city, "sent", 1).await;
    let id = message_ids(&city, WHO).await.remove(0);
    let requests = receiver.requests();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/send"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("idempotency-key"), Some(id.as_str()));
    assert_eq!(request.header("x-app"), Some("xietong"));
    let seal = Seal::new(SealAlgorithm::Sm3, KEY).unwrap();
    let signed = seal.sign(request.header("x-timestamp").unwrap(), &request.body);
    assert_eq!(request.header("x-signature"), Some(signed.as_str()));
    let mut body = body(request);
    let text = body["text"].take();
    let text = text.as_str().unwrap();
    assert!(text.ends_with("（收件箱第1号，请签收）") && text.encode_utf16().count() <= 70, "{text}");
    let title = body["title"].take();
    assert!(!title.as_str().unwrap().is_empty());
    let expected = json!({"purpose": "notice", "to": MOBILE, "official": WHO, "kind": "assignment",
        "text": null, "title": null, "id": id, "number": 1});
    assert_eq!(body, expected);
}

async fn a_status_says_whether_it_is_tried_again(backend: Backend) {
    for (behaviour, state, attempts) in [
        (Behaviour::status(400), proto::SendingState::Refused, 1),
        (Behaviour::status(410), proto::SendingState::Refused, 1),
        (Behaviour::status(408), proto::SendingState::Sent, 2),
        (Behaviour::retry_after(429, "0"), proto::SendingState::Sent, 2),
        (Behaviour::status(503), proto::SendingState::Sent, 2),
        (Behaviour::Close, proto::SendingState::Sent, 2),
        (Behaviour::redirect(302, "http://127.0.0.1:1/"), proto::SendingState::Sent, 2),
    ] {
        let receiver = Receiver::start().await.unwrap();
        let city = city(backend, by_message(&receiver, false, rules())).await;
        receiver.behave_next([behaviour.clone()]);
        let _work = at_work(&city.service);
        city.remarks(1).await;
        city.settle().await;
        let id = message_ids(&city, WHO).await.remove(0);
        let ended = wait_for_sending(&city, &id, proto::SendingPurpose::Notice, state).await;
        assert_eq!(ended.attempts, attempts, "{behaviour:?}");
        let keys: Vec<_> =
            receiver.requests().iter().map(|one| one.header("idempotency-key").unwrap().to_owned()).collect();
        assert_eq!(keys, vec![id; usize::try_from(attempts).unwrap()], "one key at every attempt");
    }
}

async fn a_to_do_of_the_other_system_is_closed_under_the_same_key(backend: Backend) {
    let receiver = Receiver::start().await.unwrap();
    let city = city(backend, by_message(&receiver, true, rules())).await;
    let _work = at_work(&city.service);
    let mut matter = Matter::issued(&city, "1", &["water"]).await;
    city.settle().await;
    wait_for_count(&city, "sent", 1).await;
    let id = message_ids(&city, WHO).await.remove(0);
    // The unit has signed for it in the ledger: nobody is written to, and the to-do is gone.
    matter.unit(&city, "water", domain_supervision::AssignmentCommand::Sign).await;
    city.settle().await;
    wait_for_sending(&city, &id, proto::SendingPurpose::Close, proto::SendingState::Sent).await;
    let requests = receiver.wait_for(2, AMPLE).await;
    let closed: Vec<_> = requests.iter().filter(|one| one.path == "/close").collect();
    assert_eq!(closed.len(), 1, "{requests:?}");
    assert_eq!(closed[0].header("idempotency-key"), Some(id.as_str()));
    assert_eq!((&body(closed[0])["purpose"], &body(closed[0])["id"]), (&json!("close"), &json!(id)));
    for _ in 0..3 {
        city.settle().await;
    }
    assert_eq!(sendings(&city, &id).await.len(), 2, "once");
}

async fn a_to_do_is_closed_for_whoever_signed_in_the_inbox(backend: Backend) {
    let receiver = Receiver::start().await.unwrap();
    let city = city(backend, by_message(&receiver, true, rules())).await;
    let _work = at_work(&city.service);
    let mut matter = Matter::issued(&city, "1", &["water"]).await;
    city.settle().await;
    wait_for_count(&city, "sent", 1).await;
    let id = message_ids(&city, WHO).await.remove(0);
    acknowledge_newest(&city, WHO).await;
    matter.command(&city, Command::Withdraw { ground: "重复".into() }).await;
    city.settle().await;
    wait_for_sending(&city, &id, proto::SendingPurpose::Close, proto::SendingState::Sent).await;
    let requests = receiver.requests();
    let closed: Vec<_> = requests.iter().filter(|one| one.path == "/close").map(body).collect();
    assert_eq!(closed.iter().map(|body| &body["id"]).collect::<Vec<_>>(), [&json!(id)]);
}

async fn whoever_keeps_no_to_dos_is_sent_a_short_message(backend: Backend) {
    let receiver = Receiver::start().await.unwrap();
    let city = city(backend, by_message(&receiver, false, rules())).await;
    let _work = at_work(&city.service);
    let mut matter = Matter::issued(&city, "1", &["water"]).await;
    city.settle().await;
    wait_for_count(&city, "sent", 1).await;
    let id = message_ids(&city, WHO).await.remove(0);
    matter.command(&city, Command::Withdraw { ground: "重复".into() }).await;
    city.settle().await;
    wait_for_sending(&city, &id, proto::SendingPurpose::FollowUp, proto::SendingState::Sent).await;
    let requests = receiver.requests();
    let followed: Vec<_> = requests.iter().map(body).filter(|body| body["purpose"] == "follow_up").collect();
    assert_eq!(followed.len(), 1);
    assert_eq!(followed[0]["id"], json!(format!("{id}.over")));
    let text = followed[0]["text"].as_str().unwrap();
    assert!(text.ends_with("（收件箱第1号，已撤销，无需再办）"), "{text}");
}

async fn only_the_kinds_that_are_set_go_out(backend: Backend) {
    let receiver = Receiver::start().await.unwrap();
    let rules = ChannelRules { kinds: [NoticeKind::Assignment].into(), ..rules() };
    let city = city(backend, by_message(&receiver, false, rules)).await;
    let _work = at_work(&city.service);
    city.remarks(2).await;
    Matter::issued(&city, "1", &["water"]).await;
    city.settle().await;
    wait_for_count(&city, "sent", 1).await;
    assert_eq!(city.inbox(WHO).await.len(), 3);
    assert_eq!(counted(&city, "waiting").await, 0);
}
