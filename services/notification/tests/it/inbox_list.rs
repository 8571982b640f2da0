//! What of an inbox is listed, looked for, put away and marked at once.

use std::time::Instant;

use tonic::Code;
use xietong_proto::notification::{
    AcknowledgeMessageRequest, ArchiveFilter, ArchiveMessageRequest, BatchReadMessagesRequest,
    GetUnreadRequest, GetUnreadResponse, ListMessagesRequest, Message, MessageKind, ReadAllMessagesRequest,
    UnarchiveMessageRequest,
};

use crate::city::{Backend, City, at};
use crate::matter::Matter;

crate::on_both_back_ends!(
    a_list_holds_what_every_filter_lets_through,
    words_are_found_in_titles_and_bodies,
    of_twenty_thousand_messages_a_search_takes_no_second,
    what_is_put_away_is_listed_and_counted_no_more_until_it_is_taken_out,
    several_are_read_at_once_with_an_answer_each,
    all_are_read_up_to_a_number_in_one_event,
);

async fn list(city: &City, official: &str, request: ListMessagesRequest) -> Vec<Message> {
    let request = ListMessagesRequest { page_size: 1_000, ..request };
    city.client().await.list_messages(city.by(official, request)).await.unwrap().into_inner().messages
}

async fn numbers(city: &City, request: ListMessagesRequest) -> Vec<i64> {
    list(city, "water-liaison", request).await.into_iter().map(|message| message.number).collect()
}

async fn counts(city: &City) -> GetUnreadResponse {
    let request = city.by("water-liaison", GetUnreadRequest {});
    city.client().await.get_unread(request).await.unwrap().into_inner()
}

/// Two tasks to be signed for (1, 2), then two remarks (3, 4), the last an hour later.
async fn four(city: &City) {
    for id in ["1", "2"] {
        Matter::issued(city, id, &["water"]).await;
    }
    city.settle().await;
    city.remarks_of(1, |_| "请与国土部门会商".to_owned()).await;
    city.settle().await;
    city.advance("2023-06-05T10:00+08:00").await;
    city.remarks_of(1, |_| "泵站 Pump_A 已达100%".to_owned()).await;
    city.settle().await;
}

async fn a_list_holds_what_every_filter_lets_through(backend: Backend) {
    let city = City::new(backend).await;
    four(&city).await;
    let all = ListMessagesRequest::default;
    let first = list(&city, "water-liaison", all()).await[3].name.clone();
    let request = AcknowledgeMessageRequest { name: first, request_id: String::new() };
    city.client().await.acknowledge_message(city.by("water-liaison", request)).await.unwrap();
    let kinds = |kinds: &[MessageKind]| ListMessagesRequest {
        kinds: kinds.iter().map(|kind| i32::from(*kind)).collect(),
        ..all()
    };
    let time = |text: &str| Some(xietong_mesh::convert::encode_time(at(text)));
    for (request, found) in [
        (all(), vec![4, 3, 2, 1]),
        (ListMessagesRequest { unread: true, ..all() }, vec![4, 3, 2]),
        (ListMessagesRequest { unsigned: true, ..all() }, vec![2]),
        (kinds(&[MessageKind::Progress]), vec![4, 3]),
        (kinds(&[MessageKind::Progress, MessageKind::Assignment]), vec![4, 3, 2, 1]),
        (kinds(&[MessageKind::Urging]), vec![]),
        (ListMessagesRequest { subject: "tasks/2".into(), ..all() }, vec![2]),
        (ListMessagesRequest { capacity: "联络员".into(), ..all() }, vec![4, 3, 2, 1]),
        (ListMessagesRequest { capacity: "联络".into(), ..all() }, vec![]),
        (ListMessagesRequest { start_time: time("2023-06-05T10:00+08:00"), ..all() }, vec![4]),
        (ListMessagesRequest { end_time: time("2023-06-05T10:00+08:00"), ..all() }, vec![3, 2, 1]),
        (ListMessagesRequest { unread: true, subject: "tasks/1".into(), ..all() }, vec![]),
    ] {
        assert_eq!(numbers(&city, request.clone()).await, found, "{request:?}");
    }
    let counted = counts(&city).await;
    assert_eq!((counted.unread, counted.unsigned), (3, 1));
    let by_kind: Vec<_> = counted.kinds.iter().map(|one| (one.kind(), one.unread, one.unsigned)).collect();
    assert_eq!(by_kind, [(MessageKind::Assignment, 1, 1), (MessageKind::Progress, 2, 0)]);

    let twice = "2023-06-05T10:00+08:00";
    for refused in [
        kinds(&[MessageKind::Unspecified]),
        ListMessagesRequest { start_time: time(twice), end_time: time(twice), ..all() },
        ListMessagesRequest { archived: 9, ..all() },
        ListMessagesRequest { q: "一 二 三 四 五 六 七 八 九".into(), ..all() },
    ] {
        let request = city.by("water-liaison", refused.clone());
        let error = city.client().await.list_messages(request).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{refused:?}");
    }
}

async fn words_are_found_in_titles_and_bodies(backend: Backend) {
    let city = City::new(backend).await;
    four(&city).await;
    for (q, found) in [
        ("国土", vec![3]),
        ("国土　会商", vec![3]),
        ("交办 管网", vec![2, 1]),
        ("pump_a", vec![4]),
        ("100%", vec![4]),
        ("1%0", vec![]),
        ("_", vec![4]),
        ("国土 管网", vec![]),
        ("  ", vec![4, 3, 2, 1]),
    ] {
        let request = ListMessagesRequest { q: q.to_owned(), ..ListMessagesRequest::default() };
        assert_eq!(numbers(&city, request).await, found, "{q}");
    }
}

async fn of_twenty_thousand_messages_a_search_takes_no_second(backend: Backend) {
    let city = City::new(backend).await;
    city.settle().await;
    city.fill("water-liaison", 20_000).await;
    let mut client = city.client().await;
    let begun = Instant::now();
    let request = ListMessagesRequest {
        q: "第19999号 积水".to_owned(),
        unread: true,
        ..ListMessagesRequest::default()
    };
    let found = client.list_messages(city.by("water-liaison", request)).await.unwrap().into_inner().messages;
    let searched = begun.elapsed();
    assert_eq!(found.iter().map(|message| message.number).collect::<Vec<_>>(), [19_999]);
    let begun = Instant::now();
    assert_eq!(counts(&city).await.unread, 20_000);
    let counted = begun.elapsed();
    let begun = Instant::now();
    let request = ReadAllMessagesRequest { up_to: 20_000, request_id: String::new() };
    let read = client.read_all_messages(city.by("water-liaison", request)).await.unwrap().into_inner().read;
    eprintln!("20,000 messages: search {searched:?}, counts {counted:?}, read all {:?}", begun.elapsed());
    assert_eq!(read, 20_000);
    assert!(searched.as_millis() < 1_000, "{searched:?}");
}

async fn what_is_put_away_is_listed_and_counted_no_more_until_it_is_taken_out(backend: Backend) {
    let city = City::new(backend).await;
    four(&city).await;
    let mut client = city.client().await;
    let all = ListMessagesRequest::default;
    let listed = list(&city, "water-liaison", all()).await;
    let archive = |message: &Message| {
        let request = ArchiveMessageRequest { name: message.name.clone(), request_id: String::new() };
        city.by("water-liaison", request)
    };
    let refused = client.archive_message(archive(&listed[3])).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "it must be signed for first");
    let archived = client.archive_message(archive(&listed[0])).await.unwrap().into_inner();
    assert!(archived.archive_time.is_some() && archived.read_time.is_none());
    let again = client.archive_message(archive(&listed[0])).await.unwrap().into_inner();
    assert_eq!(again, archived, "twice is once");

    let filter = |archived: ArchiveFilter| ListMessagesRequest { archived: archived.into(), ..all() };
    assert_eq!(numbers(&city, all()).await, [3, 2, 1]);
    assert_eq!(numbers(&city, filter(ArchiveFilter::Archived)).await, [4]);
    assert_eq!(numbers(&city, filter(ArchiveFilter::All)).await, [4, 3, 2, 1]);
    assert_eq!(counts(&city).await.unread, 3);

    let request = UnarchiveMessageRequest { name: archived.name, request_id: String::new() };
    let back = client.unarchive_message(city.by("water-liaison", request)).await.unwrap().into_inner();
    assert_eq!(back.archive_time, None);
    assert_eq!(counts(&city).await.unread, 4);
    let history = city.history("water-liaison").await;
    assert_eq!(history[4..], ["message.archived", "message.unarchived"]);

    // Whoever has none of it is told nothing.
    let request = ArchiveMessageRequest { name: listed[0].name.clone(), request_id: String::new() };
    let refused = client.archive_message(city.by("qiao-feihong", request)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}

async fn several_are_read_at_once_with_an_answer_each(backend: Backend) {
    let city = City::new(backend).await;
    four(&city).await;
    let mut client = city.client().await;
    let listed = list(&city, "water-liaison", ListMessagesRequest::default()).await;
    let theirs = list(&city, "qiao-feihong", ListMessagesRequest::default()).await[0].name.clone();
    let names = vec![
        listed[0].name.clone(),
        theirs,
        "nonsense".into(),
        listed[0].name.clone(),
        listed[1].name.clone(),
    ];
    let request = BatchReadMessagesRequest { names: names.clone(), request_id: "batch".into() };
    let answer =
        client.batch_read_messages(city.by("water-liaison", request.clone())).await.unwrap().into_inner();
    let told: Vec<_> = answer.results.iter().map(|one| (one.name.clone(), one.read, &*one.status)).collect();
    let expected = ["", "PERMISSION_DENIED", "INVALID_ARGUMENT", "", ""];
    let expected: Vec<_> =
        names.into_iter().zip(expected).map(|(name, status)| (name, status.is_empty(), status)).collect();
    assert_eq!(told, expected);
    assert!(answer.results[1].message_zh.chars().count() > 3);
    assert_eq!(counts(&city).await.unread, 2);
    assert_eq!(city.history("water-liaison").await[4..], ["message.read", "message.read"]);
    let again = client.batch_read_messages(city.by("water-liaison", request)).await.unwrap().into_inner();
    assert_eq!(again, answer);

    for names in [vec![], vec!["inbox/messages/1".to_owned(); 201]] {
        let request = BatchReadMessagesRequest { names, request_id: String::new() };
        let refused = client.batch_read_messages(city.by("water-liaison", request)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
}

async fn all_are_read_up_to_a_number_in_one_event(backend: Backend) {
    let city = City::new(backend).await;
    four(&city).await;
    let mut client = city.client().await;
    let request = |up_to| ReadAllMessagesRequest { up_to, request_id: String::new() };
    let mut read = async |up_to| {
        client
            .read_all_messages(city.by("water-liaison", request(up_to)))
            .await
            .map(|answer| answer.into_inner().read)
    };
    assert_eq!(read(3).await.unwrap(), 3);
    let counted = counts(&city).await;
    assert_eq!((counted.unread, counted.unsigned), (1, 2), "reading is not signing");
    assert_eq!(read(3).await.unwrap(), 0);
    assert_eq!(read(0).await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(city.history("water-liaison").await[4..], ["messages.read"]);
    assert_eq!(
        city.client().await.read_all_messages(city.by_a_machine(request(9))).await.unwrap().into_inner().read,
        0
    );
}
