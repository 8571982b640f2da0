//! The inbox of whoever calls: listing, reading, signing, and nobody else's.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use tonic::Code;
use xietong_proto::notification::{
    AcknowledgeMessageRequest, GetMessageRequest, GetUnreadRequest, ListMessagesRequest, Message,
    MessageKind, ReadMessageRequest,
};

use crate::city::{Backend, City};
use crate::matter::Matter;

crate::on_both_back_ends!(
    pages_are_complete_and_belong_to_their_query,
    unread_equals_the_rows_whatever_is_done,
    a_message_is_signed_for_once_and_is_then_read,
    a_request_sent_a_hundred_times_has_one_effect_and_one_answer,
    what_is_only_read_cannot_be_signed_for,
    messages_of_others_cannot_be_asked_for,
    malformed_requests_are_refused,
);

async fn list(city: &City, official: &str, unread: bool) -> Vec<Message> {
    let request = ListMessagesRequest { page_size: 1_000, unread, ..ListMessagesRequest::default() };
    city.client().await.list_messages(city.by(official, request)).await.unwrap().into_inner().messages
}

async fn unread(city: &City, official: &str) -> i64 {
    city.client().await.get_unread(city.by(official, GetUnreadRequest {})).await.unwrap().into_inner().unread
}

async fn tasks(city: &City, count: usize) {
    for number in 0..count {
        Matter::issued(city, &number.to_string(), &["water"]).await;
    }
    city.settle().await;
}

async fn pages_are_complete_and_belong_to_their_query(backend: Backend) {
    let city = City::new(backend).await;
    tasks(&city, 7).await;
    let mut client = city.client().await;
    let mut numbers = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListMessagesRequest {
            page_size: 3,
            page_token: page_token.clone(),
            ..ListMessagesRequest::default()
        };
        let page = client.list_messages(city.by("water-liaison", request)).await.unwrap().into_inner();
        numbers.push(page.messages.iter().map(|message| message.number).collect::<Vec<_>>());
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
        let other = ListMessagesRequest {
            page_size: 3,
            page_token: page_token.clone(),
            unread: true,
            ..ListMessagesRequest::default()
        };
        let refused = client.list_messages(city.by("water-liaison", other)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
    assert_eq!(numbers, [vec![7, 6, 5], vec![4, 3, 2], vec![1]]);

    let newest = &list(&city, "water-liaison", false).await[0];
    assert_eq!(newest.kind(), MessageKind::Assignment);
    assert_eq!((newest.recipient.as_str(), newest.capacity.as_str()), ("officials/water-liaison", "联络员"));
    assert!(newest.requires_acknowledgement && newest.read_time.is_none() && newest.create_time.is_some());
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Read(usize),
    Sign(usize),
    Arrive,
}

async fn unread_equals_the_rows_whatever_is_done(backend: Backend) {
    let steps = prop_oneof![
        (0..9_usize).prop_map(Step::Read),
        (0..9_usize).prop_map(Step::Sign),
        Just(Step::Arrive),
    ];
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let steps = prop::collection::vec(steps, 25).new_tree(&mut runner).unwrap().current();

    let city = City::new(backend).await;
    tasks(&city, 3).await;
    let mut client = city.client().await;
    let mut arrived = 0;
    for step in steps {
        let messages = list(&city, "water-liaison", false).await;
        let name = |index: usize| messages[index % messages.len()].name.clone();
        let request_id = String::new();
        match step {
            Step::Read(index) => {
                let request = ReadMessageRequest { name: name(index), request_id };
                client.read_message(city.by("water-liaison", request)).await.unwrap();
            }
            Step::Sign(index) => {
                let request = AcknowledgeMessageRequest { name: name(index), request_id };
                client.acknowledge_message(city.by("water-liaison", request)).await.unwrap();
            }
            Step::Arrive => {
                arrived += 1;
                Matter::issued(&city, &format!("later-{arrived}"), &["water"]).await;
                city.settle().await;
            }
        }
        let rows = list(&city, "water-liaison", true).await;
        let by_hand = list(&city, "water-liaison", false).await;
        let by_hand = by_hand.iter().filter(|message| message.read_time.is_none()).count();
        assert_eq!(rows.len(), by_hand);
        assert_eq!(unread(&city, "water-liaison").await, i64::try_from(rows.len()).unwrap());
    }
    assert!(arrived > 0);
}

async fn a_message_is_signed_for_once_and_is_then_read(backend: Backend) {
    let city = City::new(backend).await;
    tasks(&city, 1).await;
    let name = list(&city, "water-liaison", false).await[0].name.clone();
    let mut client = city.client().await;
    let request = AcknowledgeMessageRequest { name: name.clone(), request_id: String::new() };
    let signed =
        client.acknowledge_message(city.by("water-liaison", request.clone())).await.unwrap().into_inner();
    assert!(signed.acknowledge_time.is_some());
    assert_eq!(signed.read_time, signed.acknowledge_time);
    city.advance("2023-06-05T09:30+08:00").await;
    let again = client.acknowledge_message(city.by("water-liaison", request)).await.unwrap().into_inner();
    assert_eq!(again, signed);
    let got =
        client.get_message(city.by("water-liaison", GetMessageRequest { name })).await.unwrap().into_inner();
    assert_eq!(got, signed);
    assert_eq!(unread(&city, "water-liaison").await, 0);
    let history = ["message.sent", "message.read", "message.acknowledged"];
    assert_eq!(city.history("water-liaison").await, history);
}

async fn a_request_sent_a_hundred_times_has_one_effect_and_one_answer(backend: Backend) {
    let city = City::new(backend).await;
    tasks(&city, 2).await;
    let messages = list(&city, "water-liaison", false).await;
    let request =
        AcknowledgeMessageRequest { name: messages[0].name.clone(), request_id: "sign-once".into() };
    let client = city.client().await;
    let calls = (0..100).map(|_| {
        let mut client = client.clone();
        let request = city.by("water-liaison", request.clone());
        tokio::spawn(async move { client.acknowledge_message(request).await.unwrap().into_inner() })
    });
    let calls: Vec<_> = calls.collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let history = ["message.sent", "message.sent", "message.read", "message.acknowledged"];
    assert_eq!(city.history("water-liaison").await, history);

    let other = AcknowledgeMessageRequest { name: messages[1].name.clone(), ..request };
    let refused = client.clone().acknowledge_message(city.by("water-liaison", other)).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
}

async fn what_is_only_read_cannot_be_signed_for(backend: Backend) {
    let city = City::new(backend).await;
    tasks(&city, 1).await;
    let name = list(&city, "qiao-feihong", false).await[0].name.clone();
    let mut client = city.client().await;
    let request = AcknowledgeMessageRequest { name: name.clone(), request_id: String::new() };
    let refused = client.acknowledge_message(city.by("qiao-feihong", request)).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(unread(&city, "qiao-feihong").await, 1, "a refusal changes nothing");
    let request = ReadMessageRequest { name, request_id: String::new() };
    client.read_message(city.by("qiao-feihong", request)).await.unwrap();
    assert_eq!(city.history("qiao-feihong").await, ["message.sent", "message.read"]);
}

async fn messages_of_others_cannot_be_asked_for(backend: Backend) {
    let city = City::new(backend).await;
    tasks(&city, 1).await;
    let theirs = list(&city, "water-liaison", false).await[0].name.clone();
    let nobodys = "inbox/messages/0190a5c8-7f60-7cc3-98c4-dc0c0c07398f".to_owned();
    let mut client = city.client().await;
    let mut answers = Vec::new();
    for name in [theirs, nobodys] {
        let read = ReadMessageRequest { name: name.clone(), request_id: String::new() };
        let sign = AcknowledgeMessageRequest { name: name.clone(), request_id: String::new() };
        let get = GetMessageRequest { name };
        for refused in [
            client.get_message(city.by("qiao-feihong", get.clone())).await.unwrap_err(),
            client.get_message(city.by_a_machine(get)).await.unwrap_err(),
            client.read_message(city.by("qiao-feihong", read)).await.unwrap_err(),
            client.acknowledge_message(city.by("qiao-feihong", sign)).await.unwrap_err(),
        ] {
            answers.push((refused.code(), refused.message().to_owned()));
        }
    }
    assert_eq!(answers[0].0, Code::PermissionDenied);
    assert_eq!(answers[..4], answers[4..], "whether it exists is not told");
    assert_eq!(unread(&city, "water-liaison").await, 1);

    let all = ListMessagesRequest::default();
    let page = client.list_messages(city.by_a_machine(all)).await.unwrap().into_inner();
    assert!(page.messages.is_empty(), "an account without an official has an empty inbox");
    let count = client.get_unread(city.by_a_machine(GetUnreadRequest {})).await.unwrap().into_inner();
    assert_eq!(count.unread, 0);
}

async fn malformed_requests_are_refused(backend: Backend) {
    let city = City::new(backend).await;
    let mut client = city.client().await;
    for name in ["", "inbox/messages/1", "tasks/1", "inbox/messages/\0"] {
        let get = GetMessageRequest { name: name.to_owned() };
        let refused = client.get_message(city.by("water-liaison", get)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{name:?}");
    }
    for (page_size, page_token) in [(-1, ""), (0, "nonsense")] {
        let request = ListMessagesRequest {
            page_size,
            page_token: page_token.to_owned(),
            ..ListMessagesRequest::default()
        };
        let refused = client.list_messages(city.by("water-liaison", request)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{page_size} {page_token}");
    }
}
