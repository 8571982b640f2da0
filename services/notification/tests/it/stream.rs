//! The stream of an inbox: resumed without loss or repetition, ended by the drain.

use std::time::Duration;

use tokio::time::timeout;
use tonic::{Code, Streaming};
use xietong_proto::notification::{StreamInboxRequest, StreamInboxResponse};

use crate::city::{Backend, City};
use crate::matter::Matter;

crate::on_both_back_ends!(
    a_stream_cut_again_and_again_shows_each_message_once_in_order,
    a_stream_ends_when_the_server_drains,
    a_stream_cannot_be_resumed_before_its_beginning,
);

/// Longer than the poll that covers lost wake-ups would need.
const PATIENCE: Duration = Duration::from_secs(20);

async fn open(city: &City, resume_after: i64) -> Streaming<StreamInboxResponse> {
    let request = city.by("water-liaison", StreamInboxRequest { resume_after });
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

async fn a_stream_ends_when_the_server_drains(backend: Backend) {
    let city = City::new(backend).await;
    let mut stream = open(&city, 0).await;
    let request = city.by_a_machine(StreamInboxRequest { resume_after: 0 });
    let mut nobodys = city.client().await.stream_inbox(request).await.unwrap().into_inner();
    city.service.drain.begin();
    for stream in [&mut stream, &mut nobodys] {
        let ended = timeout(PATIENCE, stream.message()).await.expect("it ends");
        assert!(matches!(ended, Ok(None)), "{ended:?}");
    }
}

async fn a_stream_cannot_be_resumed_before_its_beginning(backend: Backend) {
    let city = City::new(backend).await;
    let request = city.by("water-liaison", StreamInboxRequest { resume_after: -1 });
    let refused = city.client().await.stream_inbox(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}
