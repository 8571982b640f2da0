//! The stream of an inbox: resumed without loss or repetition, ended by the drain.

use std::time::Duration;

use tokio::time::timeout;
use tonic::{Code, Streaming};
use xietong_proto::notification::{
    ArchiveMessageRequest, GetUnreadRequest, ListMessagesRequest, ReadAllMessagesRequest, ReadMessageRequest,
    StreamInboxRequest, StreamInboxResponse,
};

use crate::city::{Backend, City};
use crate::matter::Matter;

crate::on_both_back_ends!(
    a_stream_cut_again_and_again_shows_each_message_once_in_order,
    a_stream_cut_hundreds_of_times_between_two_replicas_shows_each_message_once_in_order,
    a_stream_tells_what_becomes_of_messages_elsewhere,
    a_stream_ends_when_the_server_drains,
    a_stream_cannot_be_resumed_before_its_beginning,
);

/// Longer than the poll that covers lost wake-ups would need.
const PATIENCE: Duration = Duration::from_secs(20);

async fn open(city: &City, resume_after: i64) -> Streaming<StreamInboxResponse> {
    let request =
        city.by("water-liaison", StreamInboxRequest { resume_after, ..StreamInboxRequest::default() });
    city.client().await.stream_inbox(request).await.unwrap().into_inner()
}

async fn next_number(stream: &mut Streaming<StreamInboxResponse>) -> i64 {
    let next = timeout(PATIENCE, stream.message()).await.expect("a message arrives").unwrap();
    next.unwrap().message.unwrap().number
}

async fn a_stream_cut_again_and_again_shows_each_message_once_in_order(backend: Backend) {
    let city = City::new(backend).await;
    let mut seen = Vec::new();
    for round in 0..6_i64 {
        // Half of the messages are there when the stream opens, half arrive while it is open.
        Matter::issued(&city, &format!("{round}-before"), &["water"]).await;
        city.settle().await;
        let mut stream = open(&city, seen.last().copied().unwrap_or(0)).await;
        seen.push(next_number(&mut stream).await);
        Matter::issued(&city, &format!("{round}-after"), &["water"]).await;
        city.settle().await;
        seen.push(next_number(&mut stream).await);
    }
    assert_eq!(seen, (1..=12).collect::<Vec<_>>());
    let mut whole = open(&city, 0).await;
    for number in 1..=12 {
        assert_eq!(next_number(&mut whole).await, number);
    }
}

/// Notices of the run below: more than ten pages of the stream.
const MANY: i64 = 2_400;

async fn a_stream_cut_hundreds_of_times_between_two_replicas_shows_each_message_once_in_order(
    backend: Backend,
) {
    let city = City::new(backend).await;
    city.settle().await;
    let replica = city.served_replica().await;
    let arriving = async {
        for _ in 0..MANY / 60 {
            city.remarks(60).await;
            city.settle().await;
            // The other replica hears of it as well.
            for worker in replica.service.workers.iter().filter(|one| one.name().ends_with("wake-up")) {
                worker.turn().await.unwrap();
            }
        }
    };
    let reading = async {
        let (mut seen, mut cuts) = (Vec::new(), 0_i64);
        let mut clients = [city.client().await, replica.client().await];
        while seen.len() < usize::try_from(MANY).unwrap() {
            let resume_after = seen.last().copied().unwrap_or(0);
            let request = StreamInboxRequest { resume_after, ..StreamInboxRequest::default() };
            let client = &mut clients[usize::from(cuts % 2 == 1)];
            let mut stream =
                client.stream_inbox(city.by("water-liaison", request)).await.unwrap().into_inner();
            cuts += 1;
            // Of each stream at most this many are seen: the rest that was under way is lost.
            for _ in 0..(cuts * 7) % 13 + 1 {
                if seen.len() < usize::try_from(MANY).unwrap() {
                    seen.push(next_number(&mut stream).await);
                }
            }
        }
        (seen, cuts)
    };
    let ((), (seen, cuts)) = tokio::join!(arriving, reading);
    assert!(cuts > 300, "{cuts}");
    assert_eq!(seen, (1..=MANY).collect::<Vec<_>>());
}

async fn a_stream_tells_what_becomes_of_messages_elsewhere(backend: Backend) {
    let city = City::new(backend).await;
    city.remarks(3).await;
    city.settle().await;
    let mut client = city.client().await;
    let all = ListMessagesRequest::default();
    let listed = client.list_messages(city.by("water-liaison", all)).await.unwrap().into_inner().messages;
    let (third, first) = (&listed[0], &listed[2]);

    let request = StreamInboxRequest { resume_after: 0, changes: true, resume_after_change: 0 };
    let mut stream = client.stream_inbox(city.by("water-liaison", request)).await.unwrap().into_inner();
    for number in 1..=3 {
        assert_eq!(next_number(&mut stream).await, number);
    }
    let read = ReadMessageRequest { name: first.name.clone(), request_id: String::new() };
    client.read_message(city.by("water-liaison", read)).await.unwrap();
    let archive = ArchiveMessageRequest { name: third.name.clone(), request_id: String::new() };
    client.archive_message(city.by("water-liaison", archive)).await.unwrap();
    city.settle().await;
    let mut last_change = 0;
    for (number, archived) in [(1, false), (3, true)] {
        let told = timeout(PATIENCE, stream.message()).await.expect("a change is told").unwrap().unwrap();
        assert!(told.message.is_none() && told.change > last_change);
        last_change = told.change;
        let changed = told.changed.unwrap();
        assert_eq!((changed.number, changed.archive_time.is_some()), (number, archived));
        assert_eq!(changed.read_time.is_some(), !archived);
    }

    // Cut and resumed: neither arrivals nor changes are told again, and what came meanwhile is.
    drop(stream);
    let request = ReadAllMessagesRequest { up_to: 3, request_id: String::new() };
    let read = client.read_all_messages(city.by("water-liaison", request)).await.unwrap().into_inner().read;
    assert_eq!(read, 1, "what is put away stays as it is");
    let request = StreamInboxRequest { resume_after: 3, changes: true, resume_after_change: last_change };
    let mut stream = client.stream_inbox(city.by("water-liaison", request)).await.unwrap().into_inner();
    let told = timeout(PATIENCE, stream.message()).await.expect("a change is told").unwrap().unwrap();
    assert_eq!((told.change, told.changed.unwrap().number), (last_change + 1, 2));
    let count = client.get_unread(city.by("water-liaison", GetUnreadRequest {})).await.unwrap().into_inner();
    assert_eq!((count.unread, count.last_change), (0, last_change + 1));
}

async fn a_stream_ends_when_the_server_drains(backend: Backend) {
    let city = City::new(backend).await;
    let mut stream = open(&city, 0).await;
    let request = city.by_a_machine(StreamInboxRequest::default());
    let mut nobodys = city.client().await.stream_inbox(request).await.unwrap().into_inner();
    city.service.drain.begin();
    for stream in [&mut stream, &mut nobodys] {
        let ended = timeout(PATIENCE, stream.message()).await.expect("it ends");
        assert!(matches!(ended, Ok(None)), "{ended:?}");
    }
}

async fn a_stream_cannot_be_resumed_before_its_beginning(backend: Backend) {
    let city = City::new(backend).await;
    for (resume_after, resume_after_change) in [(-1, 0), (0, -1)] {
        let request = StreamInboxRequest { resume_after, changes: true, resume_after_change };
        let refused = city.client().await.stream_inbox(city.by("water-liaison", request)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
}
