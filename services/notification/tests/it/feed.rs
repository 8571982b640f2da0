//! The change feed: one order of all that happened, read page by page and as a stream.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain_supervision::{AssignmentCommand as Do, PROPOSAL_DISMISSED};
use prost_types::value::Kind;
use sea_orm::ConnectionTrait;
use tokio::time::timeout;
use tonic::{Code, Streaming};
use xietong_mesh::error::Error;
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Principal, ServiceName};
use xietong_proto::notification as proto;
use xietong_store::statement;

use crate::city::{Backend, City};
use crate::matter::Matter;

crate::on_both_back_ends!(
    what_replicas_enter_at_once_is_in_one_order_and_each_producers_own,
    a_stream_cut_again_and_again_shows_each_event_once_in_order,
    a_stream_ends_when_the_server_drains,
    a_filter_shows_what_is_asked_for_and_the_reader_comes_on,
    an_event_is_a_cloud_event,
    a_mesh_older_than_its_feed_finds_all_of_it_in_it,
    what_cannot_be_asked_for_is_refused,
    an_account_without_a_readers_role_is_refused,
);

const PATIENCE: Duration = Duration::from_secs(20);
const PRODUCERS: [ServiceName; 3] = [ServiceName::Roster, ServiceName::Supervision, ServiceName::Workgroup];

pub(crate) fn administrator() -> Principal {
    Principal::account("administrator", None, vec![Grant::of(Role::Administrator)])
}

/// Everything a principal reads, from page to page, and where the last one ended.
pub(crate) async fn read(
    city: &City,
    principal: &Principal,
    request: proto::ListEventsRequest,
) -> (Vec<proto::Event>, i64) {
    let mut client = city.feed().await.max_decoding_message_size(xietong_mesh::serve::MAX_MESSAGE_BYTES);
    let (mut request, mut events) = (request, Vec::new());
    loop {
        let page =
            client.list_events(city.signed(principal.clone(), request.clone())).await.unwrap().into_inner();
        assert!(page.events.last().is_none_or(|last| last.position <= page.last_position));
        events.extend(page.events);
        if page.last_position == request.after {
            return (events, page.last_position);
        }
        request.after = page.last_position;
    }
}

fn positions(events: &[proto::Event]) -> Vec<i64> {
    events.iter().map(|event| event.position).collect()
}

/// Events of tasks that only the feed can tell apart.
pub(crate) fn remarks(tasks: usize, each: usize) -> Vec<(String, &'static str, String)> {
    let of = |task: usize| {
        move |number: usize| {
            (format!("tasks/{task}"), "supervision.task.painted", format!(r#"{{"n":{number}}}"#))
        }
    };
    (0..tasks).flat_map(|task| (0..each).map(of(task))).collect()
}

async fn what_replicas_enter_at_once_is_in_one_order_and_each_producers_own(backend: Backend) {
    let city = City::new(backend).await;
    let replica = city.replica().await;
    for number in 0..10 {
        Matter::issued(&city, &number.to_string(), &["water", "industry"]).await;
    }
    city.record_all(ServiceName::Supervision, remarks(20, 20)).await;
    let painted = |number: usize| (format!("groups/{number}"), "workgroup.group.painted", "{}".to_owned());
    city.record_all(ServiceName::Workgroup, (0..300).map(painted).collect()).await;
    let painted = |number: usize| (format!("units/{number}"), "roster.unit.painted", "{}".to_owned());
    city.record_all(ServiceName::Roster, (0..200).map(painted).collect()).await;
    // Book-keeping leaves no gap.
    for number in 0..5 {
        let proposal = format!("proposals/{number}");
        city.record(ServiceName::Supervision, &proposal, PROPOSAL_DISMISSED, "{}".into()).await;
        Matter::issued(&city, &format!("later-{number}"), &["water"]).await;
    }
    city.sequence().await;
    let drive = |service: &xietong_mesh::Service| {
        // The consumers of the feed come after those of the inboxes.
        let consumers: Vec<_> = service.consumers.iter().skip(3).cloned().collect();
        consumers.into_iter().map(|consumer| {
            tokio::spawn(async move {
                use xietong_timers::Worker as _;
                for _ in 0..10 {
                    // Losing a race to the other replica is what is tested here.
                    let _lost_or_won = consumer.turn().await;
                }
            })
        })
    };
    let turns: Vec<_> = drive(&city.service).chain(drive(&replica)).collect();
    for turn in turns {
        turn.await.unwrap();
    }
    city.settle().await;

    let request = proto::ListEventsRequest { page_size: 97, ..Default::default() };
    let (events, end) = read(&city, &administrator(), request).await;
    assert_eq!(positions(&events), (1..=end).collect::<Vec<_>>(), "dense, and an administrator sees all");
    let mut by_source: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in &events {
        by_source.entry(&event.source).or_default().push(&event.id);
    }
    for producer in PRODUCERS {
        let log = city.log_of(producer).await.events;
        let told = log.iter().filter(|event| event.event_type != PROPOSAL_DISMISSED);
        let ids: Vec<&str> = told.map(|event| event.id.as_str()).collect();
        assert_eq!(by_source[producer.as_str()], ids, "{producer}");
    }
}

async fn open(city: &City, resume_after: i64) -> Streaming<proto::StreamEventsResponse> {
    let request = proto::StreamEventsRequest { resume_after, ..Default::default() };
    city.feed().await.stream_events(city.signed(administrator(), request)).await.unwrap().into_inner()
}

async fn next_event(stream: &mut Streaming<proto::StreamEventsResponse>) -> proto::Event {
    let next = timeout(PATIENCE, stream.message()).await.expect("an event comes").unwrap();
    next.unwrap().event.unwrap()
}

async fn a_stream_cut_again_and_again_shows_each_event_once_in_order(backend: Backend) {
    let city = City::new(backend).await;
    city.settle().await;
    let (before, mut end) = read(&city, &administrator(), proto::ListEventsRequest::default()).await;
    let mut seen = positions(&before);
    let mut cuts = [1_usize, 5, 17, 2, 31, 4].into_iter().cycle();
    for _ in 0..4 {
        // The stream is open before the events come.
        let mut stream = open(&city, end).await;
        city.record_all(ServiceName::Supervision, remarks(10, 50)).await;
        city.settle().await;
        let until = end + 500;
        while end < until {
            let left = usize::try_from(until - end).unwrap();
            for _ in 0..cuts.next().unwrap().min(left) {
                end = next_event(&mut stream).await.position;
                seen.push(end);
            }
            if end < until {
                stream = open(&city, end).await;
            }
        }
    }
    assert!(seen.len() > 2_000);
    assert_eq!(seen, (1..=end).collect::<Vec<_>>());
}

async fn a_stream_ends_when_the_server_drains(backend: Backend) {
    let city = City::new(backend).await;
    let mut stream = open(&city, 0).await;
    city.service.drain.begin();
    let ended = timeout(PATIENCE, stream.message()).await.expect("it ends");
    assert!(matches!(ended, Ok(None)), "{ended:?}");
}

async fn a_filter_shows_what_is_asked_for_and_the_reader_comes_on(backend: Backend) {
    let city = City::new(backend).await;
    let mut matter = Matter::issued(&city, "1", &["water"]).await;
    matter.unit(&city, "water", Do::Sign).await;
    Matter::issued(&city, "2", &["water"]).await;
    // Types that only a pattern taken for another could find.
    for other in ["supervision.taskxissued", "supervision.task_.issued"] {
        city.record(ServiceName::Supervision, "tasks/3", other, "{}".into()).await;
    }
    city.settle().await;
    let all = |types: &[&str], subject: &str, source: &str| {
        let request = proto::ListEventsRequest {
            types: types.iter().map(|text| (*text).to_owned()).collect(),
            subject: subject.to_owned(),
            source: source.to_owned(),
            page_size: 2,
            ..Default::default()
        };
        let city = &city;
        async move {
            let (events, end) = read(city, &administrator(), request).await;
            (events.into_iter().map(|event| event.r#type).collect::<Vec<_>>(), end)
        }
    };
    let (_, end) = all(&[], "", "").await;
    let issued = ["supervision.task.created", "supervision.task.issued"];
    let both = [issued, issued].concat();
    let signed = "supervision.assignment.signed";
    assert_eq!(
        all(&["supervision.task.*"], "", "").await,
        (both.iter().map(|t| (*t).to_owned()).collect(), end)
    );
    assert_eq!(all(&[signed], "", "").await, (vec![signed.to_owned()], end));
    assert_eq!(all(&[signed, "supervision.task.issued"], "", "").await.0.len(), 3);
    assert_eq!(all(&[], "tasks/1", "").await.0, [issued.to_vec(), vec![signed]].concat());
    assert_eq!(
        all(&["supervision.task.issued"], "tasks/2", "supervision").await.0,
        ["supervision.task.issued"]
    );
    assert_eq!(all(&[], "tasks/2", "roster").await, (vec![], end));
    assert_eq!(all(&["roster.*"], "", "supervision").await, (vec![], end));
    assert!(all(&[], "", "roster").await.0.iter().all(|of| of.starts_with("roster.")));
}

async fn an_event_is_a_cloud_event(backend: Backend) {
    let city = City::new(backend).await;
    Matter::issued(&city, "1", &["water"]).await;
    city.away("cui-yuanbin").await;
    city.settle().await;
    let of = |kind: &str| proto::ListEventsRequest { types: vec![kind.to_owned()], ..Default::default() };
    let (events, _) = read(&city, &administrator(), of("supervision.task.issued")).await;
    let [event] = events.as_slice() else { panic!("{events:?}") };
    let log = city.log_of(ServiceName::Supervision).await.events;
    assert_eq!((event.specversion.as_str(), event.datacontenttype.as_str()), ("1.0", "application/json"));
    assert_eq!((event.id.as_str(), event.source.as_str()), (log[1].id.as_str(), "supervision"));
    assert_eq!((event.subject.as_str(), event.sequence.as_str()), ("tasks/1", "2"));
    assert_eq!(event.actor, "tester");
    assert_eq!((&event.actingfor, &event.traceparent, &event.causationid), (&None, &None, &None));
    assert_eq!(event.time.unwrap(), xietong_mesh::convert::encode_time(city.clock.now()));
    let data = event.data.as_ref().unwrap();
    let Some(Kind::StructValue(task)) = &data.fields["task"].kind else { panic!("{data:?}") };
    assert_eq!(task.fields["ledgerNumber"].kind, Some(Kind::NumberValue(147.0)));

    let (absences, _) = read(&city, &administrator(), of("roster.absence.created")).await;
    let data = absences[0].data.as_ref().unwrap();
    assert!(data.fields.contains_key("official"));
    assert!(!data.fields.contains_key("reason"), "{data:?}");
}

async fn a_mesh_older_than_its_feed_finds_all_of_it_in_it(backend: Backend) {
    let city = City::new(backend).await;
    Matter::issued(&city, "1", &["water"]).await;
    city.settle().await;
    let told = city.everything().await;
    let ids = |events: Vec<proto::Event>| events.into_iter().map(|event| event.id).collect::<BTreeSet<_>>();
    let before = ids(read(&city, &administrator(), proto::ListEventsRequest::default()).await.0);
    // As the migration finds a database that filled inboxes before.
    for sql in [
        "DELETE FROM consumer_cursors WHERE consumer = 'notification/feed'",
        "DELETE FROM feed",
        "DELETE FROM feed_records",
        "DELETE FROM feed_holders",
        "UPDATE feed_counter SET last_position = 0",
    ] {
        let writer = city.service.db.writer();
        writer.execute_raw(statement(writer, sql, [])).await.unwrap();
    }
    let newer = city.replica().await;
    city.settle().await;
    for worker in &newer.workers {
        while worker.turn().await.unwrap() == xietong_timers::Progress::Worked {}
    }
    let (events, end) = read(&city, &administrator(), proto::ListEventsRequest::default()).await;
    assert_eq!(positions(&events), (1..=end).collect::<Vec<_>>());
    assert_eq!(ids(events), before);
    assert_eq!(city.everything().await, told, "nobody is told again");
}

async fn what_cannot_be_asked_for_is_refused(backend: Backend) {
    let city = City::new(backend).await;
    let mut client = city.feed().await;
    let of = |types: &str| proto::ListEventsRequest { types: vec![types.to_owned()], ..Default::default() };
    for (field, request) in [
        ("after", proto::ListEventsRequest { after: -1, ..Default::default() }),
        ("page_size", proto::ListEventsRequest { page_size: -1, ..Default::default() }),
        ("source", proto::ListEventsRequest { source: "gateway".into(), ..Default::default() }),
        ("subject", proto::ListEventsRequest { subject: "a\0".into(), ..Default::default() }),
        ("types", of("*")),
        ("types", of("supervision.%")),
        ("types", of("")),
    ] {
        let refused = client.list_events(city.signed(administrator(), request)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{field}");
        let shape = Error::from_status(&refused).to_json().to_string();
        assert!(shape.contains("zh-CN") && shape.contains(field), "{shape}");
    }
    let request = proto::StreamEventsRequest { resume_after: -1, ..Default::default() };
    let refused = client.stream_events(city.signed(administrator(), request)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    // Above the end there is nothing yet.
    let request = proto::ListEventsRequest { after: i64::MAX, ..Default::default() };
    let page = client.list_events(city.signed(administrator(), request)).await.unwrap().into_inner();
    assert_eq!((page.events, page.last_position), (vec![], i64::MAX));
}

async fn an_account_without_a_readers_role_is_refused(backend: Backend) {
    let city = City::new(backend).await;
    let office = Principal::account("office", None, vec![Grant::of(Role::GroupOffice).in_group("groups/1")]);
    let request = proto::ListEventsRequest::default();
    let refused = city.feed().await.list_events(city.signed(office, request)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}
