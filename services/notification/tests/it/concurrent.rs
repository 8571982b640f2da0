//! Sixteen clients of one inbox at once: what is counted is what is there, and a stream that tells of
//! changes shows the same.

use std::collections::BTreeMap;
use std::time::Duration;

use domain_supervision::{AssignmentCommand as Do, Command};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sea_orm::ConnectionTrait;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use xietong_proto::notification::inbox_service_client::InboxServiceClient;
use xietong_proto::notification::{
    AcknowledgeMessageRequest, ArchiveFilter, ArchiveMessageRequest, BatchReadMessagesRequest,
    GetUnreadRequest, ListMessagesRequest, Message, ReadAllMessagesRequest, ReadMessageRequest,
    StreamInboxRequest, StreamInboxResponse, UnarchiveMessageRequest,
};
use xietong_store::statement;

use crate::city::{Backend, City};
use crate::matter::Matter;

crate::on_both_back_ends!(unread_equals_the_rows_whatever_sixteen_clients_do);

const CLIENTS: usize = 16;
const ROUNDS: usize = 4;
const STEPS: usize = 6;
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Clone)]
enum Step {
    Read(usize),
    Sign(usize),
    Archive(usize),
    Unarchive(usize),
    ReadSome(Vec<usize>),
    ReadAll(i64),
    Count,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..60_usize).prop_map(Step::Read),
        2 => (0..60_usize).prop_map(Step::Sign),
        3 => (0..60_usize).prop_map(Step::Archive),
        2 => (0..60_usize).prop_map(Step::Unarchive),
        1 => prop::collection::vec(0..60_usize, 1..5).prop_map(Step::ReadSome),
        1 => (1..12_i64).prop_map(Step::ReadAll),
        2 => Just(Step::Count),
    ];
    prop::collection::vec(step, STEPS)
}

/// What the rows say: unread, to be signed for.
async fn rows(city: &City) -> (i64, i64) {
    let sql = "SELECT
        (SELECT COUNT(*) FROM messages WHERE recipient = $1 AND read_at IS NULL AND archived_at IS NULL
            AND recalled_at IS NULL) AS unread,
        (SELECT COUNT(*) FROM messages WHERE recipient = $1 AND requires_acknowledgement
            AND acknowledged_at IS NULL AND recalled_at IS NULL) AS unsigned";
    let reader = city.service.db.reader();
    let official = "officials/water-liaison".into();
    let row = reader.query_one_raw(statement(reader, sql, [official])).await.unwrap().unwrap();
    (row.try_get_by("unread").unwrap(), row.try_get_by("unsigned").unwrap())
}

async fn everything(city: &City, client: &mut InboxServiceClient<Channel>) -> Vec<Message> {
    let request = ListMessagesRequest {
        page_size: 1_000,
        archived: ArchiveFilter::All.into(),
        ..ListMessagesRequest::default()
    };
    client.list_messages(city.by("water-liaison", request)).await.unwrap().into_inner().messages
}

async fn take(
    city: &City,
    client: &mut InboxServiceClient<Channel>,
    names: &[String],
    step: Step,
) -> Result<(), Status> {
    let who = "water-liaison";
    let (name, request_id) = (|at: usize| names[at % names.len()].clone(), String::new());
    match step {
        Step::Read(at) => {
            let request = ReadMessageRequest { name: name(at), request_id };
            client.read_message(city.by(who, request)).await.map(drop)
        }
        Step::Sign(at) => {
            let request = AcknowledgeMessageRequest { name: name(at), request_id };
            client.acknowledge_message(city.by(who, request)).await.map(drop)
        }
        Step::Archive(at) => {
            let request = ArchiveMessageRequest { name: name(at), request_id };
            client.archive_message(city.by(who, request)).await.map(drop)
        }
        Step::Unarchive(at) => {
            let request = UnarchiveMessageRequest { name: name(at), request_id };
            client.unarchive_message(city.by(who, request)).await.map(drop)
        }
        Step::ReadSome(at) => {
            let request = BatchReadMessagesRequest { names: at.into_iter().map(name).collect(), request_id };
            client.batch_read_messages(city.by(who, request)).await.map(drop)
        }
        Step::ReadAll(up_to) => {
            let request = ReadAllMessagesRequest { up_to, request_id };
            client.read_all_messages(city.by(who, request)).await.map(drop)
        }
        Step::Count => client.get_unread(city.by(who, GetUnreadRequest {})).await.map(drop),
    }
}

/// What somebody knows who only listens to the stream.
struct Mirror {
    stream: Streaming<StreamInboxResponse>,
    messages: BTreeMap<i64, Message>,
}

impl Mirror {
    /// Listens until it knows what is there.
    async fn catch_up(&mut self, there: &BTreeMap<i64, Message>) {
        while self.messages != *there {
            let next = timeout(PATIENCE, self.stream.message()).await;
            let next = next.unwrap_or_else(|_| panic!("{:#?} is not {there:#?}", self.messages));
            let StreamInboxResponse { message, changed, .. } = next.unwrap().unwrap();
            if let Some(arrived) = message {
                assert_eq!(
                    usize::try_from(arrived.number).unwrap(),
                    self.messages.len() + 1,
                    "once, in order"
                );
                self.messages.insert(arrived.number, arrived);
            } else {
                let changed = changed.unwrap();
                assert!(self.messages.insert(changed.number, changed).is_some(), "a change of what arrived");
            }
        }
    }
}

async fn unread_equals_the_rows_whatever_sixteen_clients_do(backend: Backend) {
    let city = City::new(backend).await;
    let mut runner = TestRunner::deterministic();
    let mut client = city.client().await;
    let request = StreamInboxRequest { resume_after: 0, changes: true, resume_after_change: 0 };
    let stream = client.stream_inbox(city.by("water-liaison", request)).await.unwrap().into_inner();
    let mut mirror = Mirror { stream, messages: BTreeMap::new() };
    for round in 0..ROUNDS {
        let mut matters = Vec::new();
        for id in 0..3 {
            matters.push(Matter::issued(&city, &format!("{round}-{id}"), &["water"]).await);
        }
        city.remarks(3).await;
        city.settle().await;
        let names: Vec<String> =
            everything(&city, &mut client).await.into_iter().map(|message| message.name).collect();
        let clients = (0..CLIENTS).map(|_| {
            let steps = steps().new_tree(&mut runner).unwrap().current();
            let (city, names, mut client) = (&city, &names, client.clone());
            async move {
                for step in steps {
                    if let Err(refused) = take(city, &mut client, names, step.clone()).await {
                        // To be signed for first, nothing to sign, or recalled.
                        assert_eq!(refused.code(), Code::FailedPrecondition, "{step:?}: {refused}");
                    }
                }
            }
        });
        // What arrives and is recalled meanwhile counts, too.
        let arriving = async {
            city.remarks(5).await;
            city.settle().await;
            matters[0].unit(&city, "water", Do::Sign).await;
            city.settle().await;
            matters[1].command(&city, Command::Withdraw { ground: "重复".into() }).await;
            city.remarks(1).await;
            city.settle().await;
        };
        tokio::join!(futures_util::future::join_all(clients), arriving);
        let counted =
            client.get_unread(city.by("water-liaison", GetUnreadRequest {})).await.unwrap().into_inner();
        assert_eq!((counted.unread, counted.unsigned), rows(&city).await, "round {round}");
        let unread = ListMessagesRequest { page_size: 1_000, unread: true, ..ListMessagesRequest::default() };
        let unread =
            client.list_messages(city.by("water-liaison", unread)).await.unwrap().into_inner().messages;
        assert_eq!(i64::try_from(unread.len()).unwrap(), counted.unread);
        city.settle().await;
        let there = everything(&city, &mut client).await;
        mirror.catch_up(&there.into_iter().map(|message| (message.number, message)).collect()).await;
    }
    let history = city.history("water-liaison").await;
    assert!(history.iter().any(|event| event == "message.recalled"), "something was recalled");
}
