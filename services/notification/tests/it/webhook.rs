//! Webhooks: delivered, signed, in order, sent again, and to each what he may read.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain_roster::{Account, Role as RosterRole, RoleBinding, RosterEvent};
use domain_supervision::Visibility;
use domain_webhook::{AddressPolicy, EndpointRules, Schedule};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Principal, Service, ServiceName};
use xietong_notification::{Timeouts, WebhookSettings};
use xietong_proto::notification as proto;
use xietong_proto::notification::endpoint_service_client::EndpointServiceClient;
use xietong_testkit::receiver::{Behaviour, ReceivedRequest, Receiver};
use xietong_testkit::wait::wait_for_value;
use xietong_timers::{Gate, Runner};

use crate::city::{Backend, City};
use crate::feed::remarks;
use crate::feed_scope::{facts, issued, mentioned};

crate::on_both_back_ends!(
    events_are_delivered_signed_by_the_standard,
    both_secrets_sign_while_one_replaces_the_other,
    events_of_a_subject_are_sent_in_order_whatever_fails,
    a_dead_letter_is_sent_again_when_it_is_replayed,
    a_long_range_is_replayed_whole_under_the_same_ids,
    a_range_of_time_is_replayed_and_no_more,
    an_endpoint_is_sent_what_its_owner_may_read,
    what_is_closed_to_the_owner_before_it_is_sent_is_not_sent,
    an_owner_without_an_account_is_sent_nothing_and_then_everything,
);

/// Longer than anything here takes on a busy machine.
pub(crate) const AMPLE: Duration = Duration::from_secs(60);

/// To this machine, and without patience.
pub(crate) fn quick() -> WebhookSettings {
    let policy = AddressPolicy::new(["127.0.0.0/8"]).unwrap();
    let milliseconds = Duration::from_millis;
    let whole = Duration::from_secs(10);
    let timeouts = Timeouts { connect: whole, answer: whole, whole };
    WebhookSettings {
        schedule: Schedule {
            first: milliseconds(10),
            factor: 2,
            longest: milliseconds(50),
            limit: Duration::from_secs(600),
        },
        rules: EndpointRules {
            first_pause: milliseconds(10),
            longest_slowed: milliseconds(50),
            longest_failing: milliseconds(50),
            ..EndpointRules::default()
        },
        ..WebhookSettings::new(policy, timeouts, 32)
    }
}

/// The workers of a replica, at work until this is gone.
pub(crate) struct AtWork {
    _stop: watch::Sender<bool>,
    _workers: JoinSet<()>,
}

pub(crate) fn at_work(service: &Service) -> AtWork {
    let (stop, stopped) = watch::channel(false);
    let gate = Gate::new();
    let mut workers = JoinSet::new();
    for worker in &service.workers {
        workers.spawn(Runner::new(gate.clone(), stopped.clone()).run(Arc::clone(worker)));
    }
    AtWork { _stop: stop, _workers: workers }
}

pub(crate) fn administrator() -> Principal {
    Principal::account("root", Some("officials/inspector".into()), vec![Grant::of(Role::Administrator)])
}

pub(crate) fn machine() -> Principal {
    Principal::account("machine", None, vec![Grant::of(Role::SystemClient).in_unit("units/water")])
}

fn account(subject: &str, official: Option<&str>, role: RosterRole, units: &[&str]) -> RosterEvent {
    RosterEvent::AccountCreated(Account {
        name: format!("accounts/{subject}"),
        subject: subject.into(),
        official: official.map(str::to_owned),
        roles: vec![RoleBinding {
            role,
            units: units.iter().map(|unit| (*unit).to_owned()).collect(),
            groups: vec![],
            start_time: None,
            end_time: None,
        }],
        disabled: false,
    })
}

/// A city that knows an administrator and a machine of the water bureau.
pub(crate) async fn city(backend: Backend, settings: WebhookSettings) -> City {
    let city = City::with_webhooks(backend, settings).await;
    city.roster(&account("root", Some("officials/inspector"), RosterRole::Administrator, &[])).await;
    city.roster(&account("machine", None, RosterRole::SystemClient, &["units/water"])).await;
    city.settle().await;
    city
}

pub(crate) async fn client(city: &City) -> EndpointServiceClient<Channel> {
    EndpointServiceClient::new(city.channel().await)
}

/// What is said of an endpoint of supervision's events.
pub(crate) fn endpoint(receiver: &Receiver) -> proto::Endpoint {
    proto::Endpoint {
        url: receiver.url("/hook"),
        display_name: "办公系统".into(),
        event_filters: vec!["supervision.*".into()],
        ..proto::Endpoint::default()
    }
}

pub(crate) async fn registered(city: &City, by: Principal, endpoint: proto::Endpoint) -> proto::Endpoint {
    let request = proto::CreateEndpointRequest { endpoint: Some(endpoint), ..Default::default() };
    client(city).await.create_endpoint(city.signed(by, request)).await.unwrap().into_inner()
}

/// Events of supervision, so many of each task, which a producer has recorded and sequenced.
pub(crate) async fn happened(city: &City, tasks: usize, each: usize) {
    city.record_all(ServiceName::Supervision, remarks(tasks, each)).await;
    city.sequence().await;
}

pub(crate) async fn deliveries(city: &City, endpoint: &str) -> Vec<proto::Delivery> {
    let request =
        proto::ListDeliveriesRequest { parent: endpoint.to_owned(), page_size: 1_000, ..Default::default() };
    let list = client(city).await.list_deliveries(city.signed(administrator(), request)).await;
    list.unwrap().into_inner().deliveries
}

/// Waits until so many deliveries of an endpoint stand there.
pub(crate) async fn wait_for_state(
    city: &City,
    endpoint: &str,
    state: proto::DeliveryState,
    count: usize,
) -> Vec<proto::Delivery> {
    let what = format!("{count} deliveries to be {state:?}");
    let look = async || {
        let all = deliveries(city, endpoint).await;
        (all.iter().filter(|one| one.state() == state).count() == count).then_some(all)
    };
    wait_for_value(&what, AMPLE, look).await.unwrap()
}

pub(crate) async fn get(city: &City, endpoint: &str) -> proto::Endpoint {
    let request = proto::GetEndpointRequest { name: endpoint.to_owned() };
    client(city).await.get_endpoint(city.signed(administrator(), request)).await.unwrap().into_inner()
}

pub(crate) fn ids(requests: &[ReceivedRequest]) -> Vec<String> {
    requests.iter().map(|request| request.header("webhook-id").unwrap().to_owned()).collect()
}

fn body(request: &ReceivedRequest) -> serde_json::Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// Whether one of the signatures is the standard's, made anew with another library than the service's.
fn is_signed(request: &ReceivedRequest, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
    let header = |name| request.header(name).unwrap();
    let mut signed = format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).into_bytes();
    signed.extend(&request.body);
    let expected = format!("v1,{}", STANDARD.encode(ring::hmac::sign(&key, &signed)));
    header("webhook-signature").split(' ').any(|signature| signature == expected)
}

async fn events_are_delivered_signed_by_the_standard(backend: Backend) {
    let city = city(backend, quick()).await;
    let receiver = Receiver::start().await.unwrap();
    happened(&city, 1, 1).await;
    city.settle().await;
    let made = registered(&city, administrator(), endpoint(&receiver)).await;
    let _work = at_work(&city.service);
    happened(&city, 3, 4).await;
    let requests = receiver.wait_for(12, AMPLE).await;
    let delivered = wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 12).await;

    let mut sent = ids(&requests);
    let mut known: Vec<String> = delivered.iter().map(|one| one.event.clone()).collect();
    sent.sort();
    known.sort();
    assert_eq!(sent, known, "each once, under its own id, and none from before it was registered");
    for request in &requests {
        assert!(is_signed(request, &made.secret));
        assert_eq!(request.method, "POST");
        assert_eq!(request.header("content-type"), Some("application/cloudevents+json; charset=utf-8"));
        let body = body(request);
        assert_eq!(body["specversion"], "1.0");
        assert_eq!(body["id"], request.header("webhook-id").unwrap());
        assert_eq!(body["type"], "supervision.task.painted");
    }
    for one in &delivered {
        assert_eq!((one.attempts.len(), one.attempt_count), (1, 1));
        assert_eq!(one.attempts[0].status, Some(204));
        assert_eq!(one.attempts[0].outcome, "对方返回状态码204");
    }
    assert_eq!(get(&city, &made.name).await.secret, "", "it is shown once");
}

async fn both_secrets_sign_while_one_replaces_the_other(backend: Backend) {
    let city = city(backend, quick()).await;
    let receiver = Receiver::start().await.unwrap();
    let made = registered(&city, administrator(), endpoint(&receiver)).await;
    let _work = at_work(&city.service);
    let rotate = async |overlap_seconds| {
        let request =
            proto::RotateSecretRequest { name: made.name.clone(), overlap_seconds, ..Default::default() };
        let answer = client(&city).await.rotate_secret(city.signed(administrator(), request)).await;
        answer.unwrap().into_inner().secret
    };
    let second = rotate(None).await;
    happened(&city, 1, 1).await;
    let requests = receiver.wait_for(1, AMPLE).await;
    assert!(is_signed(&requests[0], &made.secret) && is_signed(&requests[0], &second));
    wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 1).await;

    let third = rotate(Some(0)).await;
    city.record_all(ServiceName::Supervision, remarks(1, 1)).await;
    city.sequence().await;
    let requests = receiver.wait_for(2, AMPLE).await;
    assert!(is_signed(&requests[1], &third) && !is_signed(&requests[1], &second), "at once");
    assert!(is_signed(&requests[1], &made.secret), "the first one still has its day");
}

async fn events_of_a_subject_are_sent_in_order_whatever_fails(backend: Backend) {
    let city = city(backend, quick()).await;
    let receiver = Receiver::start().await.unwrap();
    let ordered = proto::Endpoint { ordered: true, concurrency: 8, ..endpoint(&receiver) };
    let made = registered(&city, administrator(), ordered).await;
    receiver.behave_next((0..40).map(|number| Behaviour::status(if number % 3 == 0 { 204 } else { 500 })));
    // Two replicas, which must not overtake each other.
    let other = city.replica().await;
    let _work = (at_work(&city.service), at_work(&other));
    happened(&city, 4, 6).await;
    let delivered = wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 24).await;
    let subjects: BTreeSet<&str> = delivered.iter().map(|one| one.subject.as_str()).collect();
    assert_eq!(subjects.len(), 4);
    let requests = receiver.requests();
    assert!(requests.len() > 24, "some failed");
    for subject in subjects {
        let of_it: Vec<i64> = requests
            .iter()
            .map(body)
            .filter(|body| body["subject"] == subject)
            .map(|body| body["sequence"].as_str().unwrap().parse().unwrap())
            .collect();
        assert!(of_it.is_sorted(), "none before an earlier one was taken: {subject} {of_it:?}");
    }
}

async fn replay(
    city: &City,
    request: proto::ReplayDeliveriesRequest,
) -> Result<proto::ReplayDeliveriesResponse, tonic::Status> {
    let answer = client(city).await.replay_deliveries(city.signed(administrator(), request)).await;
    answer.map(tonic::Response::into_inner)
}

async fn a_dead_letter_is_sent_again_when_it_is_replayed(backend: Backend) {
    let mut settings = quick();
    settings.schedule.limit = Duration::from_millis(60);
    let city = city(backend, settings).await;
    let receiver = Receiver::start().await.unwrap();
    let made = registered(&city, administrator(), endpoint(&receiver)).await;
    let _work = at_work(&city.service);
    receiver.behave(Behaviour::body(500, "坏了"));
    happened(&city, 1, 1).await;
    let [dead] =
        wait_for_state(&city, &made.name, proto::DeliveryState::DeadLetter, 1).await.try_into().unwrap();
    assert!(dead.attempt_count >= 2 && dead.end_time.is_some());
    assert_eq!((dead.attempts[0].status, dead.attempts[0].excerpt.as_str()), (Some(500), "坏了"));
    let before = receiver.requests();

    receiver.behave(Behaviour::status(200));
    let one = proto::ReplayDeliveriesRequest {
        name: made.name.clone(),
        delivery: dead.name.clone(),
        request_id: "again".into(),
        ..Default::default()
    };
    let answer = replay(&city, one.clone()).await.unwrap();
    assert_eq!(replay(&city, one.clone()).await.unwrap(), answer, "the same request is done once");
    let [again] =
        wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 1).await.try_into().unwrap();
    assert_eq!(again.attempt_count, dead.attempt_count + 1);
    let requests = receiver.requests();
    assert_eq!(requests.len(), before.len() + 1);
    assert_eq!(ids(&requests).into_iter().collect::<BTreeSet<_>>().len(), 1, "one id for all of them");

    let name = format!("{}/deliveries/999999", made.name);
    let refused =
        replay(&city, proto::ReplayDeliveriesRequest { delivery: name, request_id: String::new(), ..one });
    assert_eq!(refused.await.unwrap_err().code(), tonic::Code::NotFound);
}

async fn a_long_range_is_replayed_whole_under_the_same_ids(backend: Backend) {
    let city = city(backend, quick()).await;
    let receiver = Receiver::start().await.unwrap();
    let wide = proto::Endpoint { concurrency: 32, ..endpoint(&receiver) };
    let made = registered(&city, administrator(), wide).await;
    let _work = at_work(&city.service);
    happened(&city, 5, 90).await;
    wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 450).await;
    let first: BTreeSet<String> = ids(&receiver.requests()).into_iter().collect();
    let sent = receiver.requests().len();

    let all =
        proto::ReplayDeliveriesRequest { name: made.name.clone(), after: Some(0), ..Default::default() };
    replay(&city, all).await.unwrap();
    let requests = receiver.wait_for(sent + 450, AMPLE).await;
    let again: BTreeSet<String> = ids(&requests[sent..]).into_iter().collect();
    assert_eq!(again, first, "every one of them, beyond any batch");
    wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, 450).await;
}

async fn a_range_of_time_is_replayed_and_no_more(backend: Backend) {
    let city = city(backend, quick()).await;
    let receiver = Receiver::start().await.unwrap();
    let made = registered(&city, administrator(), endpoint(&receiver)).await;
    let _work = at_work(&city.service);
    for minute in 1..=3 {
        city.clock.set(crate::city::at(&format!("2023-06-05T10:0{minute}:00+08:00")));
        city.record_all(ServiceName::Supervision, remarks(1, 1)).await;
        city.sequence().await;
        wait_for_state(&city, &made.name, proto::DeliveryState::Delivered, minute).await;
    }
    let time = |text: &str| Some(xietong_mesh::convert::encode_time(crate::city::at(text)));
    let range = proto::ReplayDeliveriesRequest {
        name: made.name.clone(),
        start_time: time("2023-06-05T10:02:00+08:00"),
        end_time: time("2023-06-05T10:03:00+08:00"),
        ..Default::default()
    };
    let answer = replay(&city, range).await.unwrap();
    assert_eq!(answer.up_to - answer.after, 1);
    let requests = receiver.wait_for(4, AMPLE).await;
    assert_eq!(ids(&requests)[3], ids(&requests)[1]);
    let look = async || {
        let delivered = deliveries(&city, &made.name).await;
        (delivered.iter().map(|one| one.attempt_count).sum::<i32>() == 4).then_some(())
    };
    wait_for_value("the fourth attempt to be on record", AMPLE, look).await.unwrap();
    assert_eq!(receiver.requests().len(), 4);
}

async fn an_endpoint_is_sent_what_its_owner_may_read(backend: Backend) {
    let city = city(backend, quick()).await;
    let (his, all) = (Receiver::start().await.unwrap(), Receiver::start().await.unwrap());
    let narrow = registered(&city, machine(), endpoint(&his)).await;
    let wide = registered(&city, administrator(), endpoint(&all)).await;
    let (water, industry) = (vec!["units/water".to_owned()], vec!["units/industry".to_owned()]);
    issued(&city, facts("tasks/water", Visibility::Internal, &[]), &water).await;
    issued(&city, facts("tasks/industry", Visibility::Internal, &[]), &industry).await;
    issued(&city, facts("tasks/secret", Visibility::Restricted, &[]), &industry).await;
    issued(&city, facts("tasks/open", Visibility::Public, &[]), &industry).await;
    city.sequence().await;
    let _work = at_work(&city.service);
    all.wait_for(4, AMPLE).await;
    wait_for_state(&city, &wide.name, proto::DeliveryState::Delivered, 4).await;
    let subject = |request: &ReceivedRequest| body(request)["subject"].as_str().unwrap().to_owned();
    // Both cursors are past all four.
    let look = async || {
        (get(&city, &narrow.name).await.position >= get(&city, &wide.name).await.position).then_some(())
    };
    wait_for_value("the narrow one to be made out", AMPLE, look).await.unwrap();
    wait_for_state(&city, &narrow.name, proto::DeliveryState::Delivered, 2).await;
    let read: BTreeSet<String> = his.requests().iter().map(subject).collect();
    assert_eq!(read, BTreeSet::from(["tasks/open".to_owned(), "tasks/water".to_owned()]));
    assert_eq!(deliveries(&city, &narrow.name).await.len(), 2);
}

async fn what_is_closed_to_the_owner_before_it_is_sent_is_not_sent(backend: Backend) {
    let city = city(backend, quick()).await;
    let receiver = Receiver::start().await.unwrap();
    receiver.behave(Behaviour::status(500));
    let made = registered(&city, machine(), endpoint(&receiver)).await;
    let industry = vec!["units/industry".to_owned()];
    issued(&city, facts("tasks/open", Visibility::Public, &[]), &industry).await;
    city.sequence().await;
    let _work = at_work(&city.service);
    receiver.wait_for(1, AMPLE).await;
    mentioned(&city, facts("tasks/open", Visibility::Restricted, &[])).await;
    city.sequence().await;
    let look = async || deliveries(&city, &made.name).await.is_empty().then_some(());
    wait_for_value("it to be taken back", AMPLE, look).await.unwrap();
}

async fn an_owner_without_an_account_is_sent_nothing_and_then_everything(backend: Backend) {
    let city = city(backend, quick()).await;
    let (his, others) = (Receiver::start().await.unwrap(), Receiver::start().await.unwrap());
    let late = Principal::account("late", None, vec![Grant::of(Role::Administrator)]);
    let waiting = registered(&city, late, endpoint(&his)).await;
    let other = registered(&city, administrator(), endpoint(&others)).await;
    let _work = at_work(&city.service);
    happened(&city, 1, 3).await;
    wait_for_state(&city, &other.name, proto::DeliveryState::Delivered, 3).await;
    assert_eq!(get(&city, &waiting.name).await.position, waiting.position, "it stands still");
    assert!(his.requests().is_empty());

    city.roster(&account("late", None, RosterRole::Administrator, &[])).await;
    city.sequence().await;
    wait_for_state(&city, &waiting.name, proto::DeliveryState::Delivered, 3).await;
    assert_eq!(his.requests().len(), 3);
}
